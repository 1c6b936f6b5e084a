"""What ends soon, as far as reports, snapshots and lists of customers say it, and kept runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from auditor.model.access_resources import AppConsentRequest
from auditor.model.configuration import Keep
from auditor.model.customers import Relationship
from auditor.model.document import count, parse_time
from auditor.model.history import Run
from auditor.model.notification import Expiry, ExpiryKind
from auditor.model.report import Report, Waiver
from auditor.model.snapshot import Snapshot
from auditor.notify.wording import SHORT_EXPIRY_DAYS

_PENDING = "inprogress"


def expiries_of(
    report: Report | None, snapshot: Snapshot | None, relationships: Iterable[Relationship] = ()
) -> tuple[Expiry, ...]:
    """What ends, the earliest first, also of a partner's relationships. Nothing is said about data that wasn't read."""
    found = [*_waivers(report), *_consent_requests(snapshot), *relationship_expiries(relationships)]
    return tuple(sorted(found, key=lambda one: (one.ends, one.what)))


def credential_expiry(ends: str, what: str = "The credential of the audit") -> Expiry:
    """The end of the secret or certificate with which the audit signs in; `ends` is a UTC day or time."""
    then = "After that, no night can read the tenant. Add a new one to the app registration and to the configuration."
    return Expiry(what=what, ends=ends, kind=ExpiryKind.CREDENTIAL, then=then)


def relationship_expiries(relationships: Iterable[Relationship]) -> tuple[Expiry, ...]:
    """The end of each relationship that a partner has with the customer, and that isn't extended by itself."""
    return tuple(
        Expiry(
            what=f'The GDAP relationship "{one.name or one.id}" with the customer',
            ends=one.ends,
            kind=ExpiryKind.RELATIONSHIP,
            key=one.id,
            then="After that, your people have no roles from it in the tenant: ask the customer for a new one. The"
            " audit doesn't depend on it.",
        )
        for one in relationships
        if one.in_force and one.ends and not one.extends
    )


def retention_expiry(runs: Iterable[Run], keep: Keep, now: str) -> Expiry | None:
    """When the history deletes the first of these runs of a tenant, which it won't keep; none without a run.

    A run that is young enough is deleted tonight, because the tenant has too many.
    """
    at = parse_time(now)
    ends = [start + timedelta(days=keep.days) for start in (parse_time(run.started) for run in runs) if start]
    if not ends or at is None:
        return None
    first = min(ends) if min(ends) <= at + timedelta(days=SHORT_EXPIRY_DAYS) else at
    then = (
        f"The history keeps {count(keep.runs, 'run')} for {count(keep.days, 'day')}, and those with a change for good."
    )
    return Expiry(
        what="The time for which the oldest run is kept",
        ends=first.date().isoformat(),
        kind=ExpiryKind.RETENTION,
        key=f"runs/{keep.days}/{keep.runs}",
        then=f'{then} To keep the others, run "consent-auditor history export".',
    )


def _waivers(report: Report | None) -> Iterator[Expiry]:
    """The waivers that cover a finding of the report, each once."""
    findings = report.findings if report else ()
    waivers = {_waiver_key(waiver): (waiver, one.title) for one in findings for waiver in one.waivers}
    for key, (waiver, title) in waivers.items():
        subject = f" ({waiver.subject})" if waiver.subject else ""
        owner = f" Its owner is {waiver.owner}." if waiver.owner else ""
        yield Expiry(
            what=f'The waiver of "{title}"{subject}',
            ends=waiver.expires,
            kind=ExpiryKind.WAIVER,
            key=key,
            then=f"After that, the rule fails again.{owner}",
        )


def _waiver_key(waiver: Waiver) -> str:
    return "/".join((waiver.pack, waiver.rule, waiver.subject)).lower()


def _consent_requests(snapshot: Snapshot | None) -> Iterator[Expiry]:
    """The requests for admin consent that nobody answered, by the app; the first of each that ends.

    A request is valid for ``requestDurationInDays`` of the admin consent workflow after it's made (Microsoft Graph,
    adminConsentRequestPolicy).
    """
    policy = snapshot.sections.adminConsentRequestPolicy if snapshot else None
    requests = snapshot.sections.appConsentRequests if snapshot else None
    days = policy.requestDurationInDays if policy else None
    for request in requests or () if days else ():
        pending = [at for at in map(parse_time, _created(request)) if at is not None]
        if not pending:
            continue
        users = count(len(pending), "user waits", "users wait")
        yield Expiry(
            what=f"A request for admin consent to {request.appDisplayName or f'app {request.appId}'}",
            ends=(min(pending) + timedelta(days=days or 0)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            kind=ExpiryKind.CONSENT_REQUEST,
            key=request.appId.lower(),
            then=f"{users} for it. A reviewer must approve or deny it before.",
        )


def _created(request: AppConsentRequest) -> Iterable[str]:
    """When the pending requests of users were made."""
    for each in request.userConsentRequests:
        row: Any = each
        if isinstance(row, Mapping) and str(row.get("status", "")).lower() == _PENDING:
            yield str(row.get("createdDateTime", ""))
