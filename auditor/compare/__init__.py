"""What changed between two reports, snapshots or nightly runs of a tenant, and what it means for users: pure functions.

Only what both sides read is compared. What one of them didn't read is listed once, and isn't a change. The effect of a
change of the tenant on a decision is found by deciding again (`auditor.compare.decided_again`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from auditor.compare.both_reads import BothReads, as_both_read
from auditor.compare.change_log import ChangeLog
from auditor.compare.decided_again import DecidedAgain, means_of
from auditor.compare.decision_changes import Causes, decision_changes, decisions_not_compared
from auditor.compare.earlier_reads import completed
from auditor.compare.enterprise_app_changes import app_changes
from auditor.compare.finding_changes import finding_changes, packs_not_compared, summary_of
from auditor.compare.found_change import FoundChange
from auditor.compare.grant_changes import grant_changes, listed_grant_changes
from auditor.compare.policy_content_changes import policy_changes
from auditor.compare.setting_changes import setting_changes
from auditor.model.difference import (
    Change,
    ChangeKind,
    Difference,
    NotCompared,
    Side,
    Since,
    Transition,
    Weight,
)
from auditor.model.document import series
from auditor.model.errors import AuditorError
from auditor.model.report import Report
from auditor.model.rule import App
from auditor.model.sections import DATING_SECTIONS
from auditor.model.snapshot import Provenance, Snapshot

SECTIONS = (
    "authorizationPolicy",
    "permissionGrantPolicies",
    "adminConsentRequestPolicy",
    "directorySettings",
    "servicePrincipals",
    "absentServicePrincipals",
    "delegatedPermissionClassifications",
    "oauth2PermissionGrants",
    "appRoleAssignedTo",
    "directoryAudits",
)
"""The sections that a comparison uses, in the order of a snapshot, and that a history keeps.

Configuration drifts are used where the later snapshot has them, and not kept: a night is compared as it was read.
"""


class DifferentTenants(AuditorError):
    """The two sides are about two tenants, so that their differences aren't changes."""


class Comparable(msgspec.Struct, frozen=True, kw_only=True):
    """One state of a tenant: its report, its snapshot, or both, with the tenant, time and packs in `side`."""

    side: Side
    report: Report | None = None
    snapshot: Snapshot | None = None


def comparable(report: Report | None = None, snapshot: Snapshot | None = None) -> Comparable:
    """A report, a snapshot or both as one side of a comparison. Raises ValueError without either."""
    if report is not None:
        side = Side(tenant=report.tenant, taken=report.taken, packs=report.packs)
    elif snapshot is not None:
        side = Side(tenant=snapshot.tenant, taken=snapshot.taken)
    else:
        raise ValueError("a side of a comparison needs a report or a snapshot")
    return Comparable(side=side, report=report, snapshot=snapshot)


def compare(before: Comparable, after: Comparable, *, earlier: Sequence[Snapshot] = ()) -> Difference:
    """The changes from `before` to `after`, as far as both sides can show them. Raises DifferentTenants.

    `earlier` are older snapshots, the latest first. What `before` failed to read is compared with the last of them that
    read it, so that a change that nobody could see at the time is found later.
    """
    _refuse_other_tenant(before.side, after.side)
    difference = _compared(before, after)
    if before.snapshot is None or after.snapshot is None or not earlier:
        return difference
    then = completed(before.snapshot, after.snapshot, earlier)
    if not then.taken:
        return difference
    side = msgspec.structs.replace(before.side, taken=then.taken)
    more = _compared(msgspec.structs.replace(before, side=side, snapshot=then.snapshot), after)
    known = {one.key for one in difference.changes}
    of_reports = (ChangeKind.DECISION, ChangeKind.FINDING, ChangeKind.PERMISSION)
    found = (one for one in more.changes if one.key not in known and one.kind not in of_reports)
    changes = tuple(sorted((*difference.changes, *found), key=_order))
    return msgspec.structs.replace(
        difference,
        changes=changes,
        not_compared=more.not_compared,
        summary=summary_of(before.report, after.report, changes),
    )


def _compared(before: Comparable, after: Comparable) -> Difference:
    notes: list[NotCompared] = []
    found: list[FoundChange] = []
    again = None
    if before.snapshot is not None and after.snapshot is not None:
        both = BothReads(before.snapshot, after.snapshot)
        for changes_of in (policy_changes, setting_changes, app_changes, grant_changes):
            found += changes_of(both)
        notes += both.notes
        log = ChangeLog(both, before.side.taken, after.side.taken)
        found = [one._replace(change=log.dated(one.change)) for one in found]
        apps = _apps(before.report, after.report)
        again = DecidedAgain(*as_both_read(before.snapshot, after.snapshot), apps) if apps else None
    elif before.report and after.report:
        found += map(FoundChange, _of_reports(before.report, after.report))
        why = "a report doesn't hold them: compare snapshots, or nights of a history"
        notes.append(NotCompared(section="settings, apps and the content of policies", why=why))
    else:
        why = "one read is only a report and the other only a snapshot: compare two reports or two snapshots"
        notes.append(NotCompared(section="everything but the permissions of the audit", why=why))
    changes, causes = _with_effects(found, again)
    changes += _permissions(before, after, notes)
    if before.report and after.report:
        lacking = _lacking(before, after), _lacking(after, before)
        decisions = decision_changes(before.report, after.report, lacking, again, causes)
        changes += _dated_by_cause(decisions, changes)
        changes += finding_changes(before.report, after.report, lacking)
        notes += decisions_not_compared(before.report, after.report)
        notes += packs_not_compared(before.report, after.report)
    times = (before.side.taken, after.side.taken)
    # The later read may be named first, or have the earlier time if a clock was set back.
    first, last = sorted(times) if all(times) else times
    between = Since(source="reads", after=first, before=last)
    dated = (one if one.since else msgspec.structs.replace(one, since=between) for one in changes)
    ordered = tuple(sorted(dated, key=_order))
    return Difference(
        before=before.side,
        after=after.side,
        changes=ordered,
        not_compared=tuple(notes),
        summary=summary_of(before.report, after.report, ordered),
    )


def _refuse_other_tenant(before: Side, after: Side) -> None:
    first, second = before.tenant, after.tenant
    if first.id and second.id and first.id.lower() != second.id.lower():
        names = [f"{one.name} ({one.id})" if one.name else one.id for one in (first, second)]
        raise DifferentTenants(
            f"these are two tenants, so nothing can have changed from one to the other: {series(names)}",
            advice="Compare two reads of the same tenant.",
        )


def _apps(before: Report | None, after: Report | None) -> tuple[App, ...]:
    """The apps that are decided about, as the later report describes them."""
    found: dict[tuple[str, App], App] = {}
    described = {app.client_id.lower() for app in after.apps} if after else set()
    earlier = (app for app in before.apps if app.client_id.lower() not in described) if before else ()
    for app in (*(after.apps if after else ()), *earlier):
        found.setdefault((app.client_id.lower(), app), app)
    return tuple(found.values())


def _with_effects(found: Sequence[FoundChange], again: DecidedAgain | None) -> tuple[list[Change], dict[str, Causes]]:
    """The changes with what they mean for users, and by the client id of each app the changes that affect it."""
    changes: list[Change] = []
    causes: dict[str, Causes] = {}
    for one in found:
        change = one.change
        if again is None:
            changes.append(change)
            continue
        # Noise has no effect; but a scope that is published now can be one that an app asks for.
        can_matter = change.weight is Weight.MAJOR or change.kind is ChangeKind.APP
        effects = again.effects(one) if can_matter else ()
        for effect in effects:
            causes.setdefault(effect.app.client_id.lower(), {}).setdefault(change.key, effect)
        if effects or (change.weight is Weight.MAJOR and again.decides_by(one)):
            means = means_of(effects, again.apps, change.means)
            weight = Weight.MAJOR if effects else change.weight
            change = msgspec.structs.replace(change, means=means, weight=weight)
        changes.append(change)
    return changes, causes


def _dated_by_cause(decisions: Iterable[Change], changes: Sequence[Change]) -> list[Change]:
    """The decisions' changes; one that has a single cause has its time and its actor."""
    by_key = {change.key: change for change in changes}
    found = []
    for one in decisions:
        if len(one.because_of) == 1:
            cause = by_key[one.because_of[0]]
            one = msgspec.structs.replace(one, since=cause.since, by=cause.by)
        found.append(one)
    return found


def _of_reports(before: Report, after: Report) -> Iterator[Change]:
    """The changes of grants and of the digests of assigned policies, which reports hold."""
    if before.granted is not None and after.granted is not None:
        yield from listed_grant_changes(before.granted, after.granted)
    digests = [{one.id.lower(): one.digest for one in report.policies} for report in (before, after)]
    for policy in sorted(digests[0].keys() & digests[1].keys()):
        if digests[0][policy] != digests[1][policy]:
            yield Change(
                kind=ChangeKind.POLICY,
                key=f"policy/{policy}",
                what=f"The content of the consent policy {policy}",
                transition=Transition.CHANGED,
                before={"digest": digests[0][policy]},
                after={"digest": digests[1][policy]},
                means="Its content changed under the same id; the reports don't hold it.",
            )


def _provenance(side: Comparable) -> Provenance | None:
    return (side.report and side.report.provenance) or (side.snapshot and side.snapshot.provenance) or None


def _permissions(before: Comparable, after: Comparable, notes: list[NotCompared]) -> Iterator[Change]:
    """The permissions of the audit itself, where both sides say who read the tenant."""
    first, second = _provenance(before), _provenance(after)
    if first is None or second is None:
        if first is not second:
            which = "earlier" if first is None else "later"
            notes.append(
                NotCompared(section="permissions of the audit", why=f"the {which} read doesn't say who read the tenant")
            )
        return
    if first.reader.lower() != second.reader.lower():
        why = f"another app read the tenant ({first.reader or 'not known'}, then {second.reader or 'not known'})"
        notes.append(NotCompared(section="permissions of the audit", why=why))
        return
    sides = [{name.lower(): name for name in one.permissions} for one in (first, second)]
    for name in sorted(sides[0].keys() ^ sides[1].keys()):
        is_new = name in sides[1]
        spelled = sides[is_new][name]
        yield Change(
            kind=ChangeKind.PERMISSION,
            key=f"permission/{name}",
            what=f"The audit's own permission {spelled}",
            transition=Transition.APPEARED if is_new else Transition.FIXED,
            before=None if is_new else spelled,
            after=spelled if is_new else None,
            means=f"The audit {'now also has' if is_new else 'no longer has'} {spelled}"
            + ("." if is_new else ", so it may read less of the tenant."),
        )


def _lacking(side: Comparable, other: Comparable) -> bool:
    """Whether `side` didn't read something that the other side read."""
    if _unread(side) - _unread(other):
        return True
    mine, theirs = side.snapshot, other.snapshot
    if mine is None or theirs is None:
        return False
    return any(_lacks_section(mine, theirs, name) for name in SECTIONS if name not in DATING_SECTIONS)


def _unread(side: Comparable) -> frozenset[str]:
    unread = side.report.unread if side.report else ()
    return frozenset(part.section for part in unread if part.section not in DATING_SECTIONS)


def _lacks_section(mine: Snapshot, theirs: Snapshot, name: str) -> bool:
    if getattr(theirs.sections, name) is None:
        return False
    if getattr(mine.sections, name) is None:
        return True
    covered, other = mine.covers.get(name), theirs.covers.get(name)
    if covered is None:
        return False
    return other is None or not {one.lower() for one in other} <= {one.lower() for one in covered}


_TRANSITIONS = (
    Transition.APPEARED,
    Transition.CHANGED,
    Transition.FIXED,
    Transition.BECAME_UNKNOWN,
    Transition.BECAME_KNOWN,
)


def _order(change: Change) -> tuple[bool, int, int, int, str]:
    """What matters first: decisions, findings by severity, then settings, in a stable order."""
    kind = list(ChangeKind).index(change.kind)
    severity = change.severity.rank if change.severity else 0
    transition = _TRANSITIONS.index(change.transition) if change.kind is ChangeKind.FINDING else 0
    return change.weight is Weight.MINOR, kind, transition, severity, change.key
