"""Join the messages of one night about many tenants into one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.model.configuration import Event
from auditor.model.history import OutboxMessage
from auditor.notify.message_text import TITLE_WIDTH, clip, escaped
from auditor.notify.wording import count, readable

_ORDER = {Event.FAILURE: 0, Event.CHANGE: 1, Event.RECOVERY: 2, Event.EXPIRY: 3, Event.ALWAYS: 4}
_WORDS = {
    Event.FAILURE: "could not be audited or missed a run",
    Event.CHANGE: "changed",
    Event.RECOVERY: "audited again",
    Event.EXPIRY: "with something that ends soon",
    Event.ALWAYS: "unchanged",
}


def as_digest(parts: Sequence[OutboxMessage]) -> OutboxMessage:
    """One message with a part for each tenant: what failed, what changed, and a line for each unchanged one.

    Its id is the group's, so that it's the same whenever the night is sent again.
    """
    ordered = sorted(parts, key=lambda one: (_ORDER.get(_event(one), 0), one.title.lower(), one.id))
    last = f"Run of {readable(min(part.created for part in parts))}. Message {parts[0].group}"
    return OutboxMessage(
        id=parts[0].group,
        target=parts[0].target,
        tenant="",
        run="",
        created=min(part.created for part in parts),
        title=clip(_title(ordered), TITLE_WIDTH),
        body="\n\n".join((*_parts(ordered, markdown=True), last)),
        text="\n\n".join((*_parts(ordered, markdown=False), last)),
        event=Event.DIGEST.value,
        group=parts[0].group,
        attempts=max(part.attempts for part in parts),
        error=parts[0].error,
    )


def _event(part: OutboxMessage) -> Event:
    try:
        return Event(part.event)
    except ValueError:
        return Event.ALWAYS


def _title(parts: Sequence[OutboxMessage]) -> str:
    """``40 tenants: 1 could not be audited, 2 changed, 37 unchanged``; a single tenant's own title."""
    if len(parts) == 1:
        return parts[0].title
    numbers = {event: sum(_event(part) is event for part in parts) for event in _ORDER}
    if numbers[Event.ALWAYS] == len(parts):
        return f"{count(len(parts), 'tenant')}: nothing changed"
    said = ", ".join(f"{number} {_WORDS[event]}" for event, number in numbers.items() if number)
    return f"{count(len(parts), 'tenant')}: {said}"


def _parts(parts: Sequence[OutboxMessage], *, markdown: bool) -> Iterator[str]:
    """What there is to say about each tenant; the unchanged ones at the end as a list."""
    for part in parts:
        if _event(part) is not Event.ALWAYS:
            title = escaped(part.title) if markdown else part.title
            main, _, _ = (part.body if markdown else part.text).rpartition("\n\n")
            yield "\n\n".join(filter(None, (f"**{title}**" if markdown else title, main)))
    unchanged = [part.title for part in parts if _event(part) is Event.ALWAYS]
    if unchanged:
        yield "\n".join(f"- {escaped(title) if markdown else title}" for title in unchanged)
