"""The tables of the database, as the newest migration leaves them.

A night writes only what changed. Decisions and findings are kept as intervals of runs (`since_run`, and `until_run`
for those that ended), and everything else of a report or a snapshot as contents that runs share (`contents`).
Times are UTC, as text.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()
VERSION_TABLE = "history_version"

Key = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only for the type INTEGER."""

tenants = Table(
    "history_tenants",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("key", Text, nullable=False, unique=True),
    Column("tenant", Text, nullable=False),
    Column("name", Text, nullable=False),
)
"""`key` is what a run was started for, `tenant` the id that was read, if any."""

runs = Table(
    "history_runs",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("tenant_id", Key, ForeignKey("history_tenants.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("started", Text, nullable=False),
    Column("taken", Text, nullable=False, default=""),
    Column("finished", Text, nullable=False, default=""),
    Column("seconds", Float),
    Column("exit_code", Integer),
    Column("error", Text, nullable=False, default=""),
    Column("passed", Integer, nullable=False, default=0),
    Column("failed", Integer, nullable=False, default=0),
    Column("unknown", Integer, nullable=False, default=0),
    Column("waived", Integer, nullable=False, default=0),
    Column("not_applicable", Integer, nullable=False, default=0),
    Column("failed_by_severity", Text, nullable=False, default="{}"),
    Column("changes", Integer),
    Column("minor_changes", Integer),
    Column("unread", Text, nullable=False, default="[]"),
    Column("packs", Text, nullable=False, default="[]"),
    Column("tool", Text, nullable=False, default=""),
    Column("tags", Text, nullable=False, default="[]"),
    Column("credential_expires", Text, nullable=False, default=""),
    Column("difference", Text),
    Index("history_runs_by_tenant", "tenant_id", "id"),
    sqlite_autoincrement=True,
)
"""`difference` is a Difference without its changes, as JSON."""

contents = Table(
    "history_contents",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("base_id", Key, ForeignKey("history_contents.id")),
    Column("whole_size", BigInteger, nullable=False),
    Column("chain_size", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)
"""See `auditor.history.contents`."""

parts = Table(
    "history_parts",
    metadata,
    Column("run_id", Key, ForeignKey("history_runs.id"), primary_key=True),
    Column("part", Text, primary_key=True),
    Column("content_id", Key, ForeignKey("history_contents.id"), nullable=False),
    Index("history_parts_by_content", "content_id"),
)
"""Which contents a run consists of: ``report``, ``snapshot``, ``snapshot/servicePrincipals`` and so on."""

decisions = Table(
    "history_decisions",
    metadata,
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
    Index("history_decisions_by_tenant", "tenant_id", "since_run"),
)
"""`scopes` is JSON: for each requested scope its verdict, and the policy and condition set that decide it."""

findings = Table(
    "history_findings",
    metadata,
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
    Index("history_findings_by_tenant", "tenant_id", "since_run"),
)
"""`known` is the last outcome that wasn't unknown, and `known_since` the time since when it lasts."""

changes = Table(
    "history_changes",
    metadata,
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
"""`change` is the whole Change, as JSON."""

messages = Table(
    "history_messages",
    metadata,
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
"""The outbox, and what was sent from it. `sent` and `given_up` are empty while the message waits."""

said = Table(
    "history_said",
    metadata,
    Column("target", Text, primary_key=True),
    Column("tenant", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("first", Text, nullable=False),
    Column("last", Text, nullable=False),
    Column("ended", Text, nullable=False),
)

customer_lists = Table(
    "history_customer_lists",
    metadata,
    Column("source", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("taken", Text, nullable=False),
    Column("tried", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("advice", Text, nullable=False),
)
"""The lists of customers, each as it was read last: at `taken`, or, if `error` says why it couldn't be, before that."""

customers = Table(
    "history_customers",
    metadata,
    Column("source", Text, ForeignKey("history_customer_lists.source"), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("tenant", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("gone", Text, nullable=False),
    Column("customer", Text, nullable=False),
)
"""`key` is the tenant's id, or the name of a snapshot's file; `gone` is empty while the customer is listed.

`customer` is a Customer, as JSON.
"""
