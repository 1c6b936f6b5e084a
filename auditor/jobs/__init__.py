"""Whole jobs: wiring of the rooms below, the clock, and concurrency."""
