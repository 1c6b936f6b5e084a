"""Tests of the consent engine: examples, properties, and the agreement with a second evaluator."""
