"""Render who was stopped and who waits as bytes: text, JSON, Markdown, HTML and CSV, each with only what it needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.model.blocked import Blocked, BlockedApp, RequestStatus, StoppedPerson
from auditor.model.difference import Actor
from auditor.model.prediction import ComparedApp, PredictedEvent
from auditor.render.document_json import json_bytes, json_schema

_OMITS_EMPTY = (Actor.__name__, "GraphRequest")
"""The objects whose empty fields aren't written."""

CSV_COLUMNS = (
    *("app", "client_id", "user", "user_id", "stopped", "waits", "error_codes", "first", "last"),
    *("requested", "request_status", "request_expires", "days_left", "reviewed_by", "reviewed"),
    *("would_connect", "outcome", "because", "since", "fix", "fix_role", "fix_opens", "reviewers", "not_known"),
    "known_abused",
)

COMPARISON_COLUMNS = ("happened", "predicted", "comparison", "predicted_because", "likely_reasons")


def as_text(found: Blocked, *, width: int = 100, colour: bool = False, whole: bool = True) -> bytes:
    """For a terminal; without `whole`, one screen of it."""
    from auditor.render import documents
    from auditor.render.blocked_view import screen

    return documents.as_text(screen(found, whole=whole, width=width), width=width, colour=colour).encode()


def as_json(found: Blocked) -> bytes:
    """``consent-auditor/blocked``, version 1."""
    return json_bytes(found)


def as_markdown(found: Blocked) -> bytes:
    """For an issue, a wiki or a message."""
    from auditor.render import documents
    from auditor.render.blocked_view import document

    return documents.as_markdown(document(found)).encode()


def as_html(found: Blocked) -> bytes:
    """One page without scripts."""
    from auditor.render.blocked_view import document, tone
    from auditor.render.html.document_page import render

    return render(document(found), tone=tone(found)).encode()


def as_csv(found: Blocked) -> bytes:
    """One row for each person and app, for a spreadsheet; one without a person where nobody is known.

    With a comparison, there are more columns, and a row for each event that was compared.
    """
    from auditor.render.csv import rows_as_csv

    people = ((app, person) for app in found.apps for person in app.people or (None,))
    rows = (_row(app, person) for app, person in people)
    if found.comparison is None:
        return rows_as_csv(CSV_COLUMNS, rows)
    none = ("",) * len(COMPARISON_COLUMNS)
    compared = (_compared(app, event) for app in found.comparison.apps for event in app.events)
    return rows_as_csv((*CSV_COLUMNS, *COMPARISON_COLUMNS), (*((*row, *none) for row in rows), *compared))


def _compared(app: ComparedApp, event: PredictedEvent) -> tuple[str, ...]:
    """The row of an event: who, where and when as in the others, and then the comparison."""
    known = {
        "app": app.app.name,
        "client_id": app.app.client_id or "",
        "user": event.user,
        "user_id": event.user_id,
        "error_codes": event.code,
        "first": event.at,
        "last": event.at,
    }
    predicted = event.predicted.value if event.predicted else ""
    return (
        *(known.get(column, "") for column in CSV_COLUMNS),
        *(event.happened.value, predicted, event.result.value, event.because, "; ".join(event.reasons)),
    )


def _row(app: BlockedApp, person: StoppedPerson | None) -> Iterator[str | int | bool | None]:
    yield from (app.app.name, app.app.client_id)
    if person:
        yield from (person.name, person.id, person.stopped, person.waits, " ".join(person.codes))
        yield from (person.first, person.last)
    else:
        yield from ("", "", None, None, " ".join(one.code for one in app.codes), app.first, app.last)
    mine = [one for one in app.requests if person and person.name in (one.user_id, one.user)]
    mine += [one for one in app.requests if person and person.id and one.user_id == person.id]
    if mine:
        request = min(mine, key=lambda one: (one.status is not RequestStatus.PENDING, one.status.rank))
        yield from (request.created, request.status.value, request.ends, request.days_left)
        yield from (request.reviewed_by, request.reviewed)
    else:
        yield from [""] * 6
    yield from (app.now.would_connect, app.now.outcome.value, app.now.because, app.now.since)
    yield from (app.fix.title, app.fix.role, str(app.fix.opens.get("summary", ""))) if app.fix else ("", "", "")
    yield from (", ".join(app.reviewers), "; ".join(f"{name}: {why}" for name, why in app.not_known.items()))
    yield ("malicious" if app.abused.malicious else "legitimate") if app.abused else ""


FORMATS: Mapping[str, Callable[[Blocked], bytes]] = MappingProxyType(
    {"text": as_text, "json": as_json, "markdown": as_markdown, "html": as_html, "csv": as_csv}
)
"""By the name for ``-f``."""


def render_blocked(found: Blocked, form: str) -> bytes:
    """The answer in a format of `FORMATS`. Raises KeyError for another one."""
    return FORMATS[form](found)


def schema() -> dict[str, Any]:
    """The JSON Schema of the answer. It requires every key that is always written, and allows further ones."""
    return json_schema(Blocked, _OMITS_EMPTY)
