"""The reads that a report rests on, and those that failed."""

from __future__ import annotations

import re
from typing import NamedTuple

from auditor.model.report import Report, UnreadPart
from auditor.render.ending import allowed_by, answer, cost, what
from auditor.render.words import count, series

_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

_REFUSED = (401, 403)
"""Answers that a permission would have changed; a timeout is not one."""


class UnreadView(NamedTuple):
    """A part that could not be read: the permissions that would have allowed it, or that it takes at any rate."""

    what: str
    section: str
    answer: str
    allowed_by: str
    takes: str
    not_known: str
    request_id: str


class CallView(NamedTuple):
    """One read that was made."""

    at: str
    section: str
    address: str
    status: str
    tone: str
    rows: str
    permissions: str


def unread(part: UnreadPart) -> UnreadView:
    """The part as the page shows it."""
    refused, permission = part.status in _REFUSED, series(part.needs, "or")
    return UnreadView(
        what=what(part),
        section=part.section,
        answer=answer(part) or "None.",
        allowed_by=allowed_by(part) if refused else "",
        takes=f"{permission}. The answer does not say that this was missing." if permission and not refused else "",
        not_known=cost(part.needs),
        request_id=part.request_id,
    )


def calls(report: Report) -> tuple[CallView, ...]:
    """Every read that the snapshot tells of."""
    if report.provenance is None:
        return ()
    return tuple(
        CallView(
            at=_second(call.at),
            section=call.section,
            address=call.address,
            status="no answer" if call.status is None else str(call.status),
            tone="quiet" if call.status is not None and call.status < 400 else "unsure",
            rows="" if call.rows is None else count(call.rows, "row"),
            permissions=" or ".join(call.permissions),
        )
        for call in report.provenance.calls
    )


def _second(at: str) -> str:
    """``2026-11-22 02:00:01``; what is no such time is given as it is."""
    return at[:19].replace("T", " ") if _SECOND.fullmatch(at) else at
