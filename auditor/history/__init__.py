"""Keep every run of every tenant, in SQLite or PostgreSQL."""
