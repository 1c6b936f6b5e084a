"""An outbox in memory that can lose power between the answer of a service and the commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from auditor.model.history import OutboxMessage


class Killed(Exception):
    """The process died."""


class MemoryOutbox:
    """What the history does for notifications. `dies_after` is how many commits succeed before the process dies."""

    def __init__(self, messages: Iterable[OutboxMessage] = ()) -> None:
        self.waiting: dict[str, OutboxMessage] = {}
        self.sent: dict[str, str] = {}
        self.given_up: dict[str, str] = {}
        self.dies_after: int | None = None
        self.add(messages)

    def add(self, messages: Iterable[OutboxMessage]) -> None:
        """Keep the messages; those that are there already stay as they are."""
        for message in messages:
            self.waiting.setdefault(message.id, message)

    @contextmanager
    def lock(self, tenant: str) -> Iterator[None]:
        """Nobody else is there."""
        yield

    def pending(self, now: str) -> tuple[OutboxMessage, ...]:
        """The messages that wait, in the order in which they came."""
        return tuple(one for one in self.waiting.values() if one.id not in self.sent and one.id not in self.given_up)

    def mark_sent(self, message_id: str, at: str) -> None:
        """The target accepted it."""
        self._commit()
        self.sent[message_id] = at

    def mark_undelivered(self, message_id: str, at: str, error: str) -> None:
        """One more attempt failed."""
        self._commit()
        message = self.waiting[message_id]
        self.waiting[message_id] = msgspec.structs.replace(message, attempts=message.attempts + 1, error=error)

    def give_up(self, message_id: str, at: str, error: str) -> None:
        """It isn't tried again."""
        self._commit()
        self.given_up[message_id] = error

    def _commit(self) -> None:
        if self.dies_after is not None:
            if self.dies_after == 0:
                raise Killed
            self.dies_after -= 1
