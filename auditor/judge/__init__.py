"""Rules held against a snapshot: findings."""
