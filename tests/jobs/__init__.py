"""Tests of whole jobs: reading live, assembling a report, and what it means to a pipeline."""
