"""What was read of the requests for consent, the sign-in log and the audit log, and what is unknown without it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.snapshot_index import SnapshotIndex
from auditor.model.blocked import BlockedSource, SourceRead
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


def sources_of(index: SnapshotIndex, client_id: str) -> Iterator[SourceRead]:
    """What was read of each source; of a log that was read for some apps, that is all about an app among them."""
    for source, section in SECTIONS_OF.items():
        rows = getattr(index.snapshot.sections, section)
        is_covered = client_id and section in index.snapshot.covers and index.covers(section, client_id)
        why = index.not_read(section).why if rows is None else "" if is_covered else index.why_partial(section)
        yield SourceRead(
            source=source,
            section=section,
            rows=None if rows is None else len(rows),
            complete=not why,
            why=why,
            hides=_HIDES[source] if why else "",
            needs=permissions_to_read(section) if why else (),
        )
