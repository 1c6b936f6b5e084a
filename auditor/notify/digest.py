"""Join the messages of one night about many tenants into one."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model.configuration import Event
from auditor.model.document import count
from auditor.model.history import OutboxMessage
from auditor.notify.message_text import TITLE_WIDTH, clip, escaped
from auditor.notify.wording import readable

_ORDER = {Event.FAILURE: 0, Event.CHANGE: 1, Event.RECOVERY: 2, Event.EXPIRY: 3, Event.ALWAYS: 4}
_WORDS = {
    Event.FAILURE: "could not be audited or missed a run",
    Event.CHANGE: "changed",
    Event.RECOVERY: "audited again",
    Event.EXPIRY: "with something that ends soon",
    Event.ALWAYS: "unchanged",
}


def as_digest(parts: Sequence[OutboxMessage]) -> OutboxMessage:
    """One message: a line for each tenant, what failed and what changed first, then what each of these has to say.

    Its id is the group's, so that it's the same whenever the night is sent again.
    """
    ordered = sorted(parts, key=lambda one: (_ORDER.get(_event(one), 0), one.title.lower(), one.id))
    created = min(part.created for part in parts)
    last = f"Run of {readable(created)}. Message {parts[0].group}"
    return OutboxMessage(
        id=parts[0].group,
        target=parts[0].target,
        tenant="",
        run="",
        created=created,
        title=clip(_title(ordered), TITLE_WIDTH),
        body=_written([(escaped(part.title), part.body) for part in ordered], _quiet(ordered), "**", "  \n", last),
        text=_written([(part.title, part.text) for part in ordered], _quiet(ordered), "", "\n", last),
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


def _quiet(parts: Sequence[OutboxMessage]) -> int:
    """How many tenants at the end are unchanged."""
    return sum(_event(part) is Event.ALWAYS for part in parts)


def _written(parts: Sequence[tuple[str, str]], quiet: int, bold: str, line_break: str, last: str) -> str:
    """The digest from titles and messages. An address of the report that all tenants share comes once, at the end."""
    loud = parts if len(parts) == 1 else parts[: len(parts) - quiet]
    reports = {_report(message) for _, message in loud}
    shared = reports.pop() if len(reports) == 1 and len(loud) > 1 else ""
    blocks = ["\n".join(f"- {title}" for title, _ in parts)] if len(parts) > 1 else []
    for title, message in loud:
        report = "" if shared else _report(message)
        blocks += [f"{bold}{title}{bold}"] if len(parts) > 1 else []
        blocks += filter(None, (message.rpartition("\n\n")[0], report))
    return "\n\n".join((*blocks, line_break.join(filter(None, (shared, last)))))


def _report(message: str) -> str:
    """The line with the report's address in a message's footer; empty if it has none."""
    lines = message.rpartition("\n\n")[2].splitlines()
    return lines[0].rstrip() if len(lines) > 1 else ""
