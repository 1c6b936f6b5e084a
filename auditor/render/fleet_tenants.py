"""What a fleet does, as bytes: text, JSON, Markdown, HTML and CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.model.document import Block, Cell, Document, Grid, Paragraph, Point, Points, Title, count
from auditor.model.fleet_tenants import FleetState, QueueState, TenantStatus
from auditor.model.night import seconds_between
from auditor.render.document_json import json_bytes, json_schema
from auditor.render.labels import OUTCOMES, readable_time, result_word

CSV_COLUMNS = (
    *("name", "tenant", "tags", "listed_by", "last", "state", "exit_code", "error", "audited", "decisions", "missed"),
    *("next", "queue", "attempts"),
)
_QUEUE = {
    QueueState.WAITING: "waiting",
    QueueState.RUNNING: "running",
    QueueState.RETRYING: "tried again",
    QueueState.GIVEN_UP: "given up",
}


def document(found: FleetState) -> Document:
    """The state as a document."""
    blocks: list[Block] = [Title("Tenants of the fleet"), Paragraph(found.answer)]
    if found.problems:
        blocks.append(Points(tuple(Point(one) for one in found.problems)))
    if found.tenants:
        blocks.append(_grid(found))
    errors = tuple(Point(f"{one.name}: {one.error}") for one in found.tenants if one.error)
    if errors:
        blocks += [Paragraph("Why there was no audit:"), Points(errors)]
    if found.left_out:
        blocks.append(Paragraph(f"{count(found.left_out, 'more tenant')} without anything that needs attention."))
    return tuple(blocks)


def _grid(found: FleetState) -> Grid:
    has_tags = any(one.tags for one in found.tenants)
    heads = ["Tenant", "Last run", "Result", "Answers", "Next", *(["Queue"] if found.queue else ())]
    if has_tags:
        heads.insert(1, "Tags")
    rows = []
    for one in found.tenants:
        cells = [
            one.name,
            _since(one.last, found.at) if one.last else "never",
            _result(one),
            _answers(one),
            _until(one.next, found.at),
        ]
        if found.queue:
            cells.append(_QUEUE[one.queue] if one.queue else "")
        if has_tags:
            cells.insert(1, " ".join(one.tags))
        rows.append(tuple(map(Cell, cells)))
    return Grid(tuple(heads), tuple(rows), prose=heads.index("Answers"))


def _since(time: str, now: str) -> str:
    """How long ago a time was, in a few characters: the JSON has the time."""
    return f"{_span(seconds_between(time, now))} ago"


def _until(time: str, now: str) -> str:
    if not time:
        return "not known"
    late = seconds_between(time, now)
    return f"{_span(late)} late" if late else f"in {_span(seconds_between(now, time))}"


def _span(seconds: float) -> str:
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"


def _result(one: TenantStatus) -> str:
    if one.state is None:
        return ""
    said, _ = result_word(one.state, one.exit_code)
    return f"{said}, {count(one.missed, 'run')} missed" if one.missed else said


def _answers(one: TenantStatus) -> str:
    """The answers of the last audit, with its time if later runs made none."""
    if not one.decisions:
        return "not known"
    said = ", ".join(f"{each.app or each.client_id} {OUTCOMES[each.outcome].word}" for each in one.decisions)
    return said if one.audited == one.last else f"{said} ({readable_time(one.audited)})"


def as_text(found: FleetState, *, width: int = 100, colour: bool = False) -> bytes:
    """For a terminal."""
    from auditor.render import documents

    return documents.as_text(document(found), width=width, colour=colour).encode()


def as_json(found: FleetState) -> bytes:
    """``consent-auditor/fleet-tenants``, version 1."""
    return json_bytes(found)


def as_markdown(found: FleetState) -> bytes:
    """For a wiki or a ticket."""
    from auditor.render import documents

    return documents.as_markdown(document(found)).encode()


def as_html(found: FleetState) -> bytes:
    """One page without scripts."""
    from auditor.render.html.document_page import render

    return render(document(found), tone="bad" if any(one.needs_attention for one in found.tenants) else "good").encode()


def as_csv(found: FleetState) -> bytes:
    """One row for each tenant."""
    from auditor.render.csv import rows_as_csv

    return rows_as_csv(CSV_COLUMNS, map(_row, found.tenants))


def _row(one: TenantStatus) -> Iterator[str | int | None]:
    decisions = "; ".join(f"{each.app or each.client_id}: {each.outcome}" for each in one.decisions)
    yield from (one.name, one.tenant, " ".join(one.tags), one.listed_by, one.last, one.state or "", one.exit_code)
    yield from (one.error, one.audited, decisions, one.missed, one.next, one.queue or "", one.attempts)


FORMATS: Mapping[str, Callable[[FleetState], bytes]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html, "csv": as_csv}
)
"""By the name for ``-f``."""


def render_state(found: FleetState, form: str) -> bytes:
    """The document in a format of `FORMATS`. Raises KeyError for another one."""
    return FORMATS[form](found)


def schema() -> dict[str, Any]:
    """The JSON Schema of the document. It requires every key that is always written, and allows further ones."""
    return json_schema(FleetState)
