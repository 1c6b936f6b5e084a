"""The notifications that wait to be sent, and what was said to whom."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from auditor.history.run_rows import storable
from auditor.history.tables import messages, said
from auditor.model.history import OutboxMessage, Said

_FIELDS = tuple(field.name for field in msgspec.structs.fields(OutboxMessage))
_SAID_FIELDS = tuple(field.name for field in msgspec.structs.fields(Said))


def add_messages(connection: Connection, new: Iterable[OutboxMessage]) -> None:
    """Put messages into the outbox. One that is there already, by its id, stays as it is."""
    for message in new:
        if connection.scalar(select(messages.c.id).where(messages.c.id == storable(message.id))) is None:
            values = {name: _value(getattr(message, name)) for name in _FIELDS}
            connection.execute(insert(messages).values(**values, tried="", sent="", given_up=""))


def _value(value: str | int) -> str | int:
    return storable(value) if isinstance(value, str) else value


def pending_messages(connection: Connection) -> tuple[OutboxMessage, ...]:
    """The messages that wait, the oldest first."""
    rows = connection.execute(
        select(messages).where(messages.c.sent == "", messages.c.given_up == "").order_by(messages.c.position)
    )
    return tuple(OutboxMessage(**{name: getattr(row, name) for name in _FIELDS}) for row in rows)


def mark_sent(connection: Connection, message_id: str, at: str) -> None:
    """Record that a message was sent."""
    values = {"sent": at, "tried": at, "error": ""}
    connection.execute(update(messages).where(messages.c.id == message_id).values(**values))


def mark_undelivered(connection: Connection, message_id: str, at: str, error: str) -> None:
    """Record that sending a message failed, and why."""
    values = {"tried": at, "error": storable(error), "attempts": messages.c.attempts + 1}
    connection.execute(update(messages).where(messages.c.id == message_id).values(**values))


def give_up(connection: Connection, message_id: str, at: str, error: str) -> None:
    """Record that a message isn't tried again, and why."""
    values = {"given_up": at, "error": storable(error)}
    connection.execute(update(messages).where(messages.c.id == message_id).values(**values))


def write_said(connection: Connection, new: Iterable[Said]) -> None:
    """Record what was said; an earlier record of the same thing to the same target is replaced."""
    for one in new:
        values = {name: storable(getattr(one, name)) for name in _SAID_FIELDS}
        key = (said.c.target == values["target"], said.c.tenant == values["tenant"], said.c.key == values["key"])
        connection.execute(delete(said).where(*key))
        connection.execute(insert(said).values(**values))


def said_to(connection: Connection, target: str, tenant: str) -> tuple[Said, ...]:
    """What a target was notified of, about one tenant."""
    rows = connection.execute(
        select(said).where(said.c.target == target, said.c.tenant == tenant).order_by(said.c.first, said.c.key)
    )
    return tuple(Said(**{name: getattr(row, name) for name in _SAID_FIELDS}) for row in rows)
