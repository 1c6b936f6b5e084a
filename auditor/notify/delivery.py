"""Deliver the messages of the outbox, each at least once: what isn't accepted stays and is tried the next night.

A message is marked as sent after its target accepted it. If the process dies in between, it's sent again the next
night, with the same id. The address of a target holds secrets: no text that leaves this module contains it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from enum import Enum, auto
from typing import NamedTuple, Protocol

import msgspec

from auditor.model.document import count, parse_time
from auditor.model.errors import InUse
from auditor.model.history import OutboxMessage
from auditor.model.notification import Delivery, DeliveryState
from auditor.notify.digest import as_digest

GIVE_UP_DAYS = 7
"""Days after which a message that its target never accepted isn't tried again."""
TIMEOUT = 20.0
"""Seconds to wait for a connection, and again for an answer, unless the address says otherwise."""

OUTBOX_LOCK = "notifications: outbox"
"""What a process holds while it sends, so that two runs at the same time don't send a message twice."""

_WAITS = 60
"""Seconds to wait for another process that sends. It also sends what was composed in the meantime."""
_PAUSE = 30.0
_PAUSES = 3

UNKNOWN_TARGET = "the configuration has no such target, or its address could not be read"


class Outbox(Protocol):
    """Where messages wait. `auditor.history` keeps them."""

    def lock(self, tenant: str) -> AbstractContextManager[None]:
        """Hold a lock that ends with the process. Raises InUse if somebody else holds it."""

    def pending(self, now: str) -> tuple[OutboxMessage, ...]:
        """The messages that weren't accepted and weren't given up, in the order in which they were created."""

    def mark_sent(self, message_id: str, at: str) -> None:
        """The target accepted the message."""

    def mark_undelivered(self, message_id: str, at: str, error: str) -> None:
        """One more attempt failed. The message stays."""

    def give_up(self, message_id: str, at: str, error: str) -> None:
        """The message isn't tried again. It stays in the history as undelivered."""


class TargetAnswer(Enum):
    """How a target answered."""

    ACCEPTED = auto()
    REFUSED = auto()
    """It refuses this message. It may accept another one."""
    BUSY = auto()
    """It takes no more messages for a moment (429)."""
    DOWN = auto()
    """It can't be reached, or doesn't work. It won't accept another message either."""


class Sent(NamedTuple):
    """The result of one attempt; `error` is one sentence without the address, empty if it was accepted."""

    answer: TargetAnswer
    error: str = ""


Send = Callable[[str, OutboxMessage], Sent]
"""Sends one message to an address of apprise."""


class _Parcel(NamedTuple):
    """What is sent as one: a message, and those of the outbox that it delivers."""

    message: OutboxMessage
    parts: tuple[OutboxMessage, ...]


def deliver(
    history: Outbox,
    targets: Mapping[str, str],
    now: str,
    send: Send | None = None,
    *,
    pause: Callable[[float], None] = time.sleep,
    give_up_days: int = GIVE_UP_DAYS,
) -> tuple[Delivery, ...]:
    """Send what the outbox holds to `targets` (addresses by name), the oldest first, and say what became of each.

    Never raises because of a target. A message whose target isn't in `targets` waits like one that wasn't accepted.
    After a target failed, its other messages are postponed. A target that is busy after it accepted a message gets a
    pause, at most three a night. A file is attached only in the night in which the message was composed, because the
    next night overwrites it.
    """
    if send is None:
        from auditor.notify.apprise_sender import send_with_apprise  # apprise costs 0.1 s

        send = send_with_apprise
    deliveries: list[Delivery] = []
    states: dict[str, _Target] = {}
    tried: set[str] = set()
    with ExitStack() as stack:
        if not _alone(history, stack, pause):
            return ()
        while waiting := [one for one in history.pending(now) if one.id not in tried]:
            tried.update(one.id for one in waiting)
            for name, parcels in _by_target(waiting).items():
                target = states.setdefault(name, _Target(history, name, targets.get(name, ""), now, give_up_days))
                deliveries += [target.deliver(parcel, send, pause) for parcel in parcels]
    return tuple(deliveries)


def _alone(history: Outbox, stack: ExitStack, pause: Callable[[float], None]) -> bool:
    """Whether no other process sends; this one holds the lock until the stack is closed."""
    for _ in range(_WAITS):
        try:
            stack.enter_context(history.lock(OUTBOX_LOCK))
        except InUse:
            pause(1.0)
        else:
            return True
    return False


def undelivered(deliveries: Iterable[Delivery]) -> tuple[Delivery, ...]:
    """Those that weren't accepted, for the output and the exit code."""
    return tuple(one for one in deliveries if one.state is not DeliveryState.SENT)


def test_message(target: str, now: str) -> OutboxMessage:
    """A message that shows that a target works. It isn't kept in the outbox."""
    text = "If you can read this, notifications of consent-auditor reach you here. Nothing else was sent."
    title = "consent-auditor: test message"
    return OutboxMessage(
        id="test", target=target, tenant="", run="", created=now, title=title, body=text, text=text, event="test"
    )


def _by_target(pending: Sequence[OutboxMessage]) -> dict[str, list[_Parcel]]:
    """What to send to each target, with the parts of a digest joined."""
    groups: dict[tuple[str, str], list[OutboxMessage]] = {}
    for message in pending:
        groups.setdefault((message.target, message.group or f"/{message.id}"), []).append(message)
    parcels: dict[str, list[_Parcel]] = {}
    for (target, _), parts in groups.items():
        message = as_digest(parts) if parts[0].group else parts[0]
        parcels.setdefault(target, []).append(_Parcel(message, tuple(parts)))
    return parcels


class _Target:
    """One target in one night: whether it still takes messages."""

    def __init__(self, history: Outbox, name: str, address: str, now: str, give_up_days: int) -> None:
        self._history, self._name, self._address, self._now = history, name, address, now
        self._give_up_days = give_up_days
        self._down = "" if address else UNKNOWN_TARGET
        self._accepted, self._pauses = 0, 0

    def __repr__(self) -> str:
        return f"_Target({self._name!r})"

    def deliver(self, parcel: _Parcel, send: Send, pause: Callable[[float], None]) -> Delivery:
        """Try to send, and write down how it went."""
        attempted = not self._down
        sent = self._sent(parcel.message, send, pause) if attempted else Sent(TargetAnswer.DOWN, self._down)
        if sent.answer is TargetAnswer.ACCEPTED:
            self._accepted += 1
            for part in parcel.parts:
                self._history.mark_sent(part.id, self._now)
            return self._delivery(parcel, DeliveryState.SENT, attempted, "")
        if sent.answer is not TargetAnswer.REFUSED:
            self._down = sent.error
        if self._is_too_old(parcel.message):
            error = f"{sent.error}; given up after {count(self._give_up_days, 'day')}"
            for part in parcel.parts:
                self._history.give_up(part.id, self._now, error)
            return self._delivery(parcel, DeliveryState.GIVEN_UP, attempted, error)
        if attempted or not self._address:
            for part in parcel.parts:
                self._history.mark_undelivered(part.id, self._now, sent.error)
        state = DeliveryState.FAILED if attempted or not self._address else DeliveryState.POSTPONED
        return self._delivery(parcel, state, attempted, sent.error)

    def _sent(self, message: OutboxMessage, send: Send, pause: Callable[[float], None]) -> Sent:
        if message.attachment and not self._is_of_tonight(message):
            message = msgspec.structs.replace(message, attachment="")
        sent = send(self._address, message)
        while sent.answer is TargetAnswer.BUSY and self._accepted and self._pauses < _PAUSES:
            self._pauses += 1
            pause(_PAUSE)
            sent = send(self._address, message)
        return sent

    def _is_of_tonight(self, message: OutboxMessage) -> bool:
        return message.attempts == 0

    def _is_too_old(self, message: OutboxMessage) -> bool:
        """Whether the message waited too long. A clock that was set back never makes it old."""
        created, now = parse_time(message.created), parse_time(self._now)
        return created is not None and now is not None and now - created >= timedelta(days=self._give_up_days)

    def _delivery(self, parcel: _Parcel, state: DeliveryState, attempted: bool, error: str) -> Delivery:
        message = parcel.message
        return Delivery(
            id=message.id,
            target=self._name,
            title=message.title,
            state=state,
            tenants=tuple(dict.fromkeys(part.tenant for part in parcel.parts)),
            created=message.created,
            attempts=message.attempts + attempted,
            error=error,
        )
