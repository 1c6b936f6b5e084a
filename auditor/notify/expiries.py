"""What ends soon, as far as a report and a snapshot say it: waivers, requests for admin consent, and kept runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from auditor.model.configuration import Keep
from auditor.model.history import Run
from auditor.model.notification import Expiry, ExpiryKind
from auditor.model.report import Report, Waiver
from auditor.model.resources import AppConsentRequest
from auditor.model.snapshot import Snapshot
from auditor.notify.wording import count, parse_time

_PENDING = "inprogress"


def expiries_of(report: Report | None, snapshot: Snapshot | None) -> tuple[Expiry, ...]:
    """What ends, the earliest first. Nothing is said about data that wasn't read."""
    found = [*_waivers(report), *_consent_requests(snapshot)]
    return tuple(sorted(found, key=lambda one: (one.ends, one.what)))


def credential_expiry(ends: str, what: str = "The credential of the audit") -> Expiry:
    """The end of the secret or certificate with which the audit signs in; `ends` is a UTC day or time."""
    then = "After that, no night can read the tenant. Add a new one to the app registration and to the configuration."
    return Expiry(what=what, ends=ends, kind=ExpiryKind.CREDENTIAL, then=then)


def retention_expiry(runs: Sequence[Run], keep: Keep) -> Expiry | None:
    """When the history deletes the oldest of the runs because of its age; none if no run can be deleted."""
    times = [at for at in (parse_time(run.started) for run in runs if not run.changes) if at is not None]
    if not times or len(runs) < 2 or keep.days <= 0:
        return None
    ends = (min(times) + timedelta(days=keep.days)).date().isoformat()
    then = f"Runs are kept for {count(keep.days, 'day')}; those with a change stay. To keep others, export them."
    what = "The retention of the oldest run"
    return Expiry(what=what, ends=ends, kind=ExpiryKind.RETENTION, key=f"runs/{keep.days}", then=then)


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
            ends=(min(pending) + timedelta(days=days or 0)).date().isoformat(),
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
