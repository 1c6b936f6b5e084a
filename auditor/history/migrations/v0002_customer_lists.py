"""The customers in the lists of partners, as they were read last."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, ForeignKey, Text

revision = "0002"
down_revision: str | None = "0001"


def upgrade() -> None:
    """Create the tables of the lists."""
    op.create_table(
        "history_customer_lists",
        Column("source", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("taken", Text, nullable=False),
        Column("tried", Text, nullable=False),
        Column("error", Text, nullable=False),
        Column("advice", Text, nullable=False),
    )
    op.create_table(
        "history_customers",
        Column("source", Text, ForeignKey("history_customer_lists.source"), primary_key=True),
        Column("key", Text, primary_key=True),
        Column("tenant", Text, nullable=False),
        Column("label", Text, nullable=False),
        Column("gone", Text, nullable=False),
        Column("customer", Text, nullable=False),
    )
