"""The first version of the database."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Float, ForeignKey, Integer, LargeBinary, Text

revision = "0001"
down_revision: str | None = None

Key = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "history_tenants",
        Column("id", Key, primary_key=True, autoincrement=True),
        Column("key", Text, nullable=False, unique=True),
        Column("tenant", Text, nullable=False),
        Column("name", Text, nullable=False),
    )
    op.create_table(
        "history_runs",
        Column("id", Key, primary_key=True, autoincrement=True),
        Column("tenant_id", Key, ForeignKey("history_tenants.id"), nullable=False),
        Column("state", Text, nullable=False),
        Column("started", Text, nullable=False),
        Column("taken", Text, nullable=False),
        Column("finished", Text, nullable=False),
        Column("seconds", Float),
        Column("exit_code", Integer),
        Column("error", Text, nullable=False),
        Column("passed", Integer, nullable=False),
        Column("failed", Integer, nullable=False),
        Column("unknown", Integer, nullable=False),
        Column("waived", Integer, nullable=False),
        Column("not_applicable", Integer, nullable=False),
        Column("failed_by_severity", Text, nullable=False),
        Column("changes", Integer),
        Column("minor_changes", Integer),
        Column("unread", Text, nullable=False),
        Column("packs", Text, nullable=False),
        Column("tool", Text, nullable=False),
        Column("tags", Text, nullable=False),
        Column("credential_expires", Text, nullable=False),
        Column("difference", Text),
        sqlite_autoincrement=True,
    )
    op.create_index("history_runs_by_tenant", "history_runs", ["tenant_id", "id"])
    op.create_table(
        "history_contents",
        Column("id", Key, primary_key=True, autoincrement=True),
        Column("digest", LargeBinary, nullable=False, unique=True),
        Column("base_id", Key, ForeignKey("history_contents.id")),
        Column("whole_size", BigInteger, nullable=False),
        Column("chain_size", BigInteger, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )
    op.create_table(
        "history_parts",
        Column("run_id", Key, ForeignKey("history_runs.id"), primary_key=True),
        Column("part", Text, primary_key=True),
        Column("content_id", Key, ForeignKey("history_contents.id"), nullable=False),
    )
    op.create_index("history_parts_by_content", "history_parts", ["content_id"])
    op.create_table(
        "history_decisions",
        Column("id", Key, primary_key=True, autoincrement=True),
        Column("tenant_id", Key, ForeignKey("history_tenants.id"), nullable=False),
        Column("since_run", Key, nullable=False),
        Column("until_run", Key),
        Column("position", Integer, nullable=False),
        Column("app", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("confidence", Text, nullable=False),
        Column("because", Text, nullable=False),
        Column("scopes", Text, nullable=False),
    )
    op.create_index("history_decisions_by_tenant", "history_decisions", ["tenant_id", "since_run"])
    op.create_table(
        "history_findings",
        Column("id", Key, primary_key=True, autoincrement=True),
        Column("tenant_id", Key, ForeignKey("history_tenants.id"), nullable=False),
        Column("since_run", Key, nullable=False),
        Column("until_run", Key),
        Column("fingerprint", Text, nullable=False),
        Column("rule", Text, nullable=False),
        Column("pack", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("severity", Text, nullable=False),
        Column("outcome", Text, nullable=False),
        Column("since", Text, nullable=False),
        Column("known", Text, nullable=False),
        Column("known_since", Text, nullable=False),
    )
    op.create_index("history_findings_by_tenant", "history_findings", ["tenant_id", "since_run"])
    op.create_table(
        "history_changes",
        Column("run_id", Key, ForeignKey("history_runs.id"), primary_key=True),
        Column("position", Integer, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("what", Text, nullable=False),
        Column("transition", Text, nullable=False),
        Column("weight", Text, nullable=False),
        Column("client_id", Text, nullable=False),
        Column("change", Text, nullable=False),
    )
    op.create_table(
        "history_messages",
        Column("position", Key, primary_key=True, autoincrement=True),
        Column("id", Text, nullable=False, unique=True),
        Column("target", Text, nullable=False),
        Column("tenant", Text, nullable=False),
        Column("run", Text, nullable=False),
        Column("created", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("body", Text, nullable=False),
        Column("text", Text, nullable=False),
        Column("event", Text, nullable=False),
        Column("group", Text, nullable=False),
        Column("attachment", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("error", Text, nullable=False),
        Column("tried", Text, nullable=False),
        Column("sent", Text, nullable=False),
        Column("given_up", Text, nullable=False),
    )
    op.create_table(
        "history_said",
        Column("target", Text, primary_key=True),
        Column("tenant", Text, primary_key=True),
        Column("key", Text, primary_key=True),
        Column("first", Text, nullable=False),
        Column("last", Text, nullable=False),
        Column("ended", Text, nullable=False),
    )
