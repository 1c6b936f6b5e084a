"""Redaction: names and ids of a tenant replaced by tokens, with the same verdicts afterwards."""
