"""The history: what is kept of each run, in SQLite and in PostgreSQL."""
