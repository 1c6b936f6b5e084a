"""Snapshots as files: read them in any accepted spelling, write them in one, and the sample tenants."""
