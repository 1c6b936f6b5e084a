"""Compare two reports, snapshots or nightly runs: what changed, and what it means for users."""
