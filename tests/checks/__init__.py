"""Tests of judging: the cases that the packs carry, and the properties of findings."""
