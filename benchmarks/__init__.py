"""What the program costs, as ratios within one run: against a bare interpreter and against a round trip."""
