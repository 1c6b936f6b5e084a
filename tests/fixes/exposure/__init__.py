"""Tests of the exposure: what else a change makes possible, for whom, and which fix comes first."""
