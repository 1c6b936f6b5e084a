"""The versions of the database, oldest first: one module each, run by Alembic."""
