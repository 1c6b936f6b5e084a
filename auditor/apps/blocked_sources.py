"""What was read of the requests for consent, the sign-in log and the audit log, and what is unknown without it.

A row that may be about somebody who was stopped, and that lacks what the count needs, makes its source incomplete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from auditor.apps.admin_consent_requests import user_requests
from auditor.apps.consent_events import missing_in_consent
from auditor.consent.snapshot_index import SnapshotIndex
from auditor.facts.sign_in_codes import logged_codes
from auditor.model.access_resources import SignIn
from auditor.model.blocked import BlockedFilter, BlockedSource, RequestStatus, SourceRead
from auditor.model.document import parse_time
from auditor.model.sections import permissions_to_read

SECTIONS_OF = {
    BlockedSource.REQUESTS: "appConsentRequests",
    BlockedSource.SIGN_INS: "signIns",
    BlockedSource.AUDITS: "directoryAudits",
}
"""The section of each source."""
COUNTED_AS = {
    BlockedSource.REQUESTS: "waiting",
    BlockedSource.SIGN_INS: "stopped",
    BlockedSource.AUDITS: "refused",
}
"""The field of `BlockedApp` that counts people by a source."""
_HIDES = {
    BlockedSource.REQUESTS: "who waits for approval",
    BlockedSource.SIGN_INS: "whose sign-in failed",
    BlockedSource.AUDITS: "who consented since, and whose consent was blocked as risky",
}


class LogFilter:
    """Which entries of the logs were asked for: of a time, of a correlation ID, and of a user."""

    def __init__(self, asked: BlockedFilter) -> None:
        self._since = parse_time(asked.since) if asked.since else None
        self.correlation = asked.correlation_id.lower()
        self.is_for_user = bool(asked.user)

    def is_recent(self, at: str | None) -> bool:
        """Whether an entry is in the time; one without a time may be."""
        when = parse_time(at or "")
        return self._since is None or when is None or when >= self._since

    def is_asked(self, at: str | None, correlation_id: str | None) -> bool:
        """Whether an entry is in the time and of the correlation ID."""
        return self.is_recent(at) and (not self.correlation or (correlation_id or "").lower() == self.correlation)

    def may_be_asked(self, at: str | None, correlation_id: str | None) -> bool:
        """Whether an entry is one that was asked for, or doesn't say that it isn't."""
        return self.is_asked(at, correlation_id or self.correlation)

    def missing(self, correlation_id: str | None, *users: str | None) -> str:
        """Without what an entry that has all else can't be compared with what was asked for; empty if it can."""
        if self.correlation and not correlation_id:
            return "correlationId"
        return "user" if self.is_for_user and not any(users) else ""


class UncountedRow(NamedTuple):
    """A row that can't be counted, and why. `client_id` is empty if it may be about any app."""

    source: BlockedSource
    client_id: str
    why: str

    def concerns(self, client_id: str) -> bool:
        """Whether the row may be about this app; every row if no app is named."""
        return not client_id or self.client_id in ("", client_id)


_WHOLE = LogFilter(BlockedFilter())


def uncounted_rows(index: SnapshotIndex, asked: LogFilter = _WHOLE) -> Iterator[UncountedRow]:
    """The rows that may be about somebody who was stopped or waits, and lack what the count needs."""
    for source, found in (
        (BlockedSource.REQUESTS, _uncounted_requests(index, asked)),
        (BlockedSource.SIGN_INS, _uncounted_sign_ins(index, asked)),
        (BlockedSource.AUDITS, _uncounted_consents(index, asked)),
    ):
        for number, own_id, client_id, missing in found:
            row = f"{SECTIONS_OF[source]}[{number}]{f' (id {own_id})' if own_id else ''}"
            yield UncountedRow(source, client_id.lower(), f"{row} has no {missing}")


_Missing = tuple[int, str | None, str, str]
"""The number of a row, its id, the app that it is about, and what it lacks."""


def _uncounted_sign_ins(index: SnapshotIndex, asked: LogFilter) -> Iterator[_Missing]:
    """The sign-ins without a code, and those with a code that counts without an app, or what was asked for."""
    codes = frozenset(logged_codes())
    for number, row in enumerate(index.snapshot.sections.signIns or ()):
        missing = _missing_in_sign_in(row, codes, asked)
        if missing and asked.may_be_asked(row.createdDateTime, row.correlationId):
            yield number, row.id, row.appId or "", missing


def _missing_in_sign_in(row: SignIn, codes: frozenset[int], asked: LogFilter) -> str:
    code = row.status.errorCode if row.status else None
    if code is None:
        return "status.errorCode"
    if code not in codes and not (asked.correlation and code):
        return ""
    return asked.missing(row.correlationId, row.userId, row.userPrincipalName) if row.appId else "appId"


def _uncounted_requests(index: SnapshotIndex, asked: LogFilter) -> Iterator[_Missing]:
    """The requests whose user isn't named, if a user was asked for; one without an app is a gap of its section."""
    for number, request in enumerate(index.snapshot.sections.appConsentRequests or ()):
        for one in user_requests(index, request) if asked.is_for_user else ():
            is_asked = one.status is RequestStatus.PENDING or asked.is_recent(one.reviewed or one.created)
            if is_asked and not (one.user or one.user_id):
                yield number, request.id, request.appId, "user in one of its requests"


def _uncounted_consents(index: SnapshotIndex, asked: LogFilter) -> Iterator[_Missing]:
    """The entries that may record a refused consent, and don't say which, when, by whom or to which app."""
    for number, row in enumerate(index.snapshot.sections.directoryAudits or ()):
        if (found := missing_in_consent(row, index)) is None:
            continue
        missing = found.missing or asked.missing(row.correlationId, found.actor)
        if missing and asked.may_be_asked(row.activityDateTime, row.correlationId):
            yield number, row.id, found.client_id, missing


def why_uncounted(rows: Iterable[UncountedRow], client_id: str = "") -> dict[BlockedSource, str]:
    """For each source, the first row about an app (about any if none is named) that can't be counted."""
    found: dict[BlockedSource, str] = {}
    for one in rows:
        if one.concerns(client_id):
            found.setdefault(one.source, one.why)
    return found


def sources_of(index: SnapshotIndex, client_id: str, uncounted: Iterable[UncountedRow] = ()) -> Iterator[SourceRead]:
    """What was read of each source; of a log that was read for some apps, that is all about an app among them."""
    rows_without = why_uncounted(uncounted, client_id)
    for source, section in SECTIONS_OF.items():
        rows = getattr(index.snapshot.sections, section)
        is_covered = client_id and section in index.snapshot.covers and index.covers(section, client_id)
        unread = index.not_read(section).why if rows is None else "" if is_covered else index.why_partial(section)
        why = unread or rows_without.get(source, "")
        yield SourceRead(
            source=source,
            section=section,
            rows=None if rows is None else len(rows),
            complete=not why,
            why=why,
            hides=_HIDES[source] if why else "",
            needs=permissions_to_read(section) if unread else (),
        )
