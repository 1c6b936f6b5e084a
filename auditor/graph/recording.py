"""What was asked of Graph and what became of it, for whoever asks a year later where a report came from."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.graph.asking import Outcome
from auditor.graph.tokens import Claims
from auditor.model.provenance import Call, Provenance

_FOUND = 200
_NO_SUCH = 404


def recorded(claims: Claims, outcomes: Iterable[Outcome], at: str, before: Provenance | None) -> Provenance:
    """The reads of `outcomes`, asked at `at` (UTC, as text), added to those made `before`."""
    calls = tuple(_call(outcome, at) for outcome in outcomes)
    return Provenance(
        reader=claims.app_id,
        permissions=tuple(sorted(claims.allowed)),
        calls=(before.calls if before else ()) + calls,
    )


def _call(outcome: Outcome, at: str) -> Call:
    read = outcome.read
    return Call(
        section=read.name,
        address=f"/{read.version}{read.url}",
        status=_status(outcome),
        rows=len(outcome.value) if isinstance(outcome.value, list) else None,
        at=at,
        permissions=read.permissions,
    )


def _status(outcome: Outcome) -> int | None:
    if outcome.unread is None:
        return _FOUND
    return _NO_SUCH if outcome.absent else outcome.unread.status
