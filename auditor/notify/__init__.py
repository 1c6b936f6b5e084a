"""Decide what to send to whom after a run, and send it."""
