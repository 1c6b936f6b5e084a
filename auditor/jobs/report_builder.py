"""Build a report from a snapshot and packs: every decision, every finding, and what could not be read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from auditor.checks.findings import disagreements, in_order, judge, not_collected
from auditor.checks.kind import CheckContext, plan_for, reads_directory
from auditor.consent.decide import decide
from auditor.consent.granted_permissions import differences, granted
from auditor.consent.policies import governing
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.consent.subject import ORDINARY_MEMBER, Subject, subject_for
from auditor.facts.access_requirements import outside_the_audit
from auditor.jobs.audit_request import TOOL
from auditor.model.decision import Decision
from auditor.model.errors import NO_AUDIT, AuditorError
from auditor.model.report import (
    AbusedAppsList,
    AbusedAppsRef,
    Calibration,
    Finding,
    PackRef,
    PolicyRef,
    Report,
    StoppedUsers,
    Summary,
    UnreadPart,
    WaiverFile,
    WaiverFileRef,
    WhatIf,
)
from auditor.model.resources import ConditionSet, PermissionGrantPolicy
from auditor.model.rule import App, FindingOutcome, Pack
from auditor.model.snapshot import LeftOut, PartOfSnapshot, Snapshot
from auditor.packs.load import every_shipped_name, names_variant

if TYPE_CHECKING:
    from auditor.snapshot.large_sections import Wanted


_LARGE = 20_000
"""Service principals and grants of a tenant from which on the parts that packs are about are judged by themselves."""


class UserNotRead(AuditorError):
    """The snapshot doesn't contain the user of the request."""

    exit_code = NO_AUDIT
    heading = "No audit was made"


def build_report(
    snapshot: Snapshot,
    packs: Sequence[Pack],
    *,
    user: str = "",
    source: str = "",
    tool: str = "",
    waivers: Sequence[WaiverFile] = (),
    abused: Sequence[AbusedAppsList] = (),
) -> Report:
    """The report on `snapshot` by the rules of `packs`.

    Decisions are for an ordinary member and, if given, for `user` (object id or user principal name). `waivers` mark
    failures as accepted; no decision depends on them. `abused` are your own lists of known abused apps. `tool` is the
    program that makes the report, this one by default; the snapshot names the program that read the tenant. The same
    inputs give the same report. Raises UserNotRead.
    """
    build = partial(_built, snapshot, packs, user=user, source=source, tool=tool, waivers=waivers, abused=tuple(abused))
    try:
        return build(_parts(snapshot, packs))
    except LeftOut:
        if isinstance(snapshot, PartOfSnapshot):
            raise
    return build({})


def _parts(snapshot: Snapshot, packs: Sequence[Pack]) -> dict[str, Snapshot]:
    """For each pack that is about some apps only, the part of a large snapshot that it is about."""
    grants, apps = snapshot.sections.oauth2PermissionGrants or (), snapshot.sections.servicePrincipals or ()
    if isinstance(snapshot, PartOfSnapshot) or len(grants) + len(apps) < _LARGE:
        return {}
    about_apps = [pack for pack in packs if not reads_directory(plan_for([pack]))]
    index = index_of(snapshot)
    # A row that lacks something can be about anything.
    if not about_apps or index.gap("servicePrincipals") or index.gap("oauth2PermissionGrants"):
        return {}
    from auditor.snapshot.large_sections import part_of

    return dict.fromkeys((pack.name for pack in about_apps), part_of(snapshot, wanted_by(about_apps)))


def wanted_by(packs: Sequence[Pack]) -> Wanted:
    """What the packs need of a large snapshot."""
    from auditor.checks.kind import with_inner
    from auditor.snapshot.large_grants import GRANTS
    from auditor.snapshot.large_sections import Wanted

    plan = plan_for(packs)
    checks = (one for pack in packs for rule in pack.rules for one in with_inner(rule.check))
    return Wanted(
        whole=frozenset(plan.whole),
        names=frozenset(name.lower().rstrip("/") for name in (*plan.clients, *plan.resources, *plan.app_roles_on)),
        clients=frozenset(client.lower() for client in plan.clients),
        without_grant_ids=not any(getattr(one, "path", "").startswith(GRANTS) for one in checks),
    )


def _built(
    snapshot: Snapshot,
    packs: Sequence[Pack],
    parts: Mapping[str, Snapshot],
    *,
    user: str,
    source: str,
    tool: str,
    waivers: Sequence[WaiverFile],
    abused: tuple[AbusedAppsList, ...],
) -> Report:
    judged = {pack.name: CheckContext(parts.get(pack.name, snapshot), pack.app, abused=abused) for pack in packs}
    findings = in_order(f for pack in packs for f in judge(pack, judged[pack.name]))
    contradictions = disagreements(findings)
    if waivers:
        findings = _waived(findings, waivers, snapshot, packs)
    subjects = _subjects(snapshot, user)
    asked = tuple(_asked(judged.values(), subjects))
    decisions = tuple(_decision(one, packs) for one in asked)
    grants = granted(snapshot, _apps_in_question(packs), abused)
    return Report(
        tenant=snapshot.tenant,
        summary=_summary(decisions, findings),
        cloud=snapshot.cloud,
        taken=snapshot.taken,
        tool=tool or TOOL,
        source=source,
        apps=tuple(dict.fromkeys(pack.app for pack in packs if pack.app is not None)),
        decisions=decisions,
        after_consent=tuple(dict.fromkeys(one.after_consent for one in asked)),
        stopped=_stopped(snapshot, packs),
        findings=findings,
        calibrations=tuple(_calibrations(snapshot, packs)),
        unread=tuple(_unread(snapshot)),
        not_collected=not_collected(findings, snapshot.unread),
        packs=tuple(map(_pack_ref, packs)),
        policies=tuple(_policies(snapshot)),
        granted=grants,
        provenance=snapshot.provenance,
        disagreements=contradictions,
        waivers=tuple(WaiverFileRef(name=w.name, digest=w.digest, count=len(w.waivers)) for w in waivers),
        abused_apps=_abused_refs(judged.values(), snapshot, abused, is_used=bool(grants and grants.rows)),
        outside=outside_the_audit(),
    )


def _abused_refs(
    judged: Iterable[CheckContext], snapshot: Snapshot, own: tuple[AbusedAppsList, ...], *, is_used: bool
) -> tuple[AbusedAppsRef, ...]:
    """The lists of known abused apps, if a rule or a list of grants used them, or one is your own."""
    if not (own or is_used or any(context.used_abused_apps for context in judged)):
        return ()
    from auditor.facts.abused_apps import lists_with, reference_to

    return tuple(reference_to(one, snapshot.taken) for one in lists_with(own))


def _stopped(snapshot: Snapshot, packs: Sequence[Pack]) -> tuple[StoppedUsers, ...]:
    """Who was stopped at the apps of the packs, if anything was read that says so."""
    sections = snapshot.sections
    if sections.appConsentRequests is None and sections.signIns is None:
        return ()
    described = [(pack.name, pack.app) for pack in packs if pack.app is not None]
    if not described:
        return ()
    from auditor.apps.stopped_users import stopped_at

    return stopped_at(snapshot, described)


def _apps_in_question(packs: Sequence[Pack]) -> tuple[str, ...] | None:
    """The app ids of the apps that the packs are about; none if a pack is about the grants of every app."""
    plan = plan_for(packs)
    return None if not packs or "oauth2PermissionGrants" in plan.whole else plan.clients


def _waived(
    findings: Sequence[Finding], files: Iterable[WaiverFile], snapshot: Snapshot, packs: Iterable[Pack]
) -> tuple[Finding, ...]:
    if not files:
        return tuple(findings)
    from auditor.checks.waivers import with_waivers

    return with_waivers(
        findings,
        [waiver for file in files for waiver in file.waivers],
        taken=snapshot.taken,
        tenant=snapshot.tenant.id,
        packs=[pack.name for pack in packs],
        shipped=every_shipped_name(),
    )


def _pack_ref(pack: Pack) -> PackRef:
    client_id = pack.app.client_id if pack.app is not None else ""
    return PackRef(name=pack.name, version=pack.version, digest=pack.digest, client_id=client_id)


def _subjects(snapshot: Snapshot, user: str) -> tuple[Subject, ...]:
    if not user:
        return (ORDINARY_MEMBER,)
    found = subject_for(snapshot, user)
    if isinstance(found, NotRead):
        raise _user_not_read(snapshot, user, found)
    return (ORDINARY_MEMBER, found)


def _user_not_read(snapshot: Snapshot, user: str, found: NotRead) -> UserNotRead:
    why = snapshot.unread.get(f"users/{user}") or snapshot.unread.get("users")
    if why is None:
        advice = (
            f"Read the live tenant, or collect a snapshot with this user: consent-auditor collect --user {user} -o FILE"
        )
        return UserNotRead(f"the snapshot has no user {user}", advice=advice)
    if why.says_absent:
        advice = "Check --user: give the user principal name, which can differ from the mail address, or the object ID."
        return UserNotRead(f"this tenant has no user {user}", advice=advice)
    if found.is_faulty:
        return UserNotRead(found.why, advice="Try again, or leave out --user.")
    return UserNotRead(
        found.why,
        advice="Leave out --user, or grant the app of the audit the permission to read users (User.Read.All).",
    )


def _asked(judged: Iterable[CheckContext], subjects: Sequence[Subject]) -> Iterator[CheckContext]:
    """One context for each app and subject; that of the rules is used again."""
    seen: set[tuple[App, Subject]] = set()
    for one in judged:
        for subject in subjects if one.app is not None else ():
            if (one.pack_app, subject) not in seen:
                seen.add((one.pack_app, subject))
                yield one if subject is ORDINARY_MEMBER else CheckContext(one.snapshot, one.app, subject)


def _decision(asked: CheckContext, packs: Sequence[Pack]) -> Decision:
    decision = msgspec.structs.replace(asked.decision, fixes=asked.fixes)
    return _with_variant(decision, asked.pack_app, packs)


def _with_variant(decision: Decision, app: App, packs: Sequence[Pack]) -> Decision:
    """`decision` with the name of its pack if another pack of the run describes the same app differently.

    For example, a vendor can have a pack for each of its regions. A variant of a catalogue's app is always named.
    """
    descriptions = {p.app for p in packs if p.app is not None and p.app.client_id.lower() == app.client_id.lower()}
    name = next(pack.name for pack in packs if pack.app == app)
    if len(descriptions) < 2 and not names_variant(name):
        return decision
    return msgspec.structs.replace(decision, app=msgspec.structs.replace(decision.app, variant=name))


def with_assumptions(report: Report, snapshot: Snapshot, packs: Sequence[Pack], assumed: Sequence[str]) -> Report:
    """`report` with the decisions under all of `assumed`, or unchanged if there are none.

    Raises AssumptionError for an assumption that isn't understood or doesn't fit this tenant.
    """
    if not assumed:
        return report
    from auditor.fixes.assumptions import AssumptionError, assume

    apps = dict.fromkeys(pack.app for pack in packs if pack.app is not None)
    if not apps:
        raise AssumptionError(
            "--assume decides again whether users can connect an app, and none of the packs is about an app: add a"
            ' --pack that is, or --app CLIENT_ID --scopes "…"'
        )
    decisions = tuple(_with_variant(decide(*assume(snapshot, app, assumed)), app, packs) for app in apps)
    return msgspec.structs.replace(report, what_if=WhatIf(assumed=tuple(assumed), decisions=decisions))


def _summary(decisions: Sequence[Decision], findings: Sequence[Finding]) -> Summary:
    counts = {outcome: sum(f.outcome is outcome for f in findings) for outcome in FindingOutcome}
    return Summary(
        answer=" ".join(dict.fromkeys(d.because for d in decisions)) or _tally(findings),
        passed=counts[FindingOutcome.PASS],
        failed=counts[FindingOutcome.FAIL],
        unknown=counts[FindingOutcome.UNKNOWN],
        waived=counts[FindingOutcome.WAIVED],
        not_applicable=counts[FindingOutcome.NOT_APPLICABLE],
    )


def _tally(findings: Sequence[Finding]) -> str:
    """The answer if no pack is about an app."""
    if not findings:
        return ""
    failed = sum(f.outcome is FindingOutcome.FAIL for f in findings)
    unknown = sum(f.outcome is FindingOutcome.UNKNOWN for f in findings)
    waived = sum(f.outcome is FindingOutcome.WAIVED for f in findings)
    accepted = f", {waived} {'was' if waived == 1 else 'were'} waived" if waived else ""
    undecided = f", {unknown} {'is' if unknown == 1 else 'are'} unknown" if unknown else ""
    return f"{failed} of {len(findings)} rules failed{accepted}{undecided}."


def _calibrations(snapshot: Snapshot, packs: Sequence[Pack]) -> Iterator[Calibration]:
    for pack in packs:
        found = None if pack.app is None else differences(snapshot, pack.app)
        if pack.app is not None and found is not None:
            yield Calibration(app=pack.app.label, client_id=pack.app.client_id, pack=pack.name, differences=found)


def _unread(snapshot: Snapshot) -> Iterator[UnreadPart]:
    for section, why in sorted(snapshot.unread.items()):
        yield UnreadPart(section=section, **msgspec.structs.asdict(why))


def _policies(snapshot: Snapshot) -> Iterator[PolicyRef]:
    """A digest of each assigned policy, because Microsoft changes the managed ones without a trace in the tenant."""
    assigned = governing(snapshot)
    for one in () if isinstance(assigned, NotRead) else assigned:
        if one.policy is not None and not one.documented:
            text = msgspec.json.encode(_as_v1(one.policy), order="deterministic")
            yield PolicyRef(id=one.id, digest=hashlib.sha256(text).hexdigest())


def _as_v1(policy: PermissionGrantPolicy) -> PermissionGrantPolicy:
    """The policy without its beta properties. They aren't read in every run, so the digest must not depend on them."""

    def plain(sets: tuple[ConditionSet, ...] | None) -> tuple[ConditionSet, ...]:
        return tuple(
            msgspec.structs.replace(s, certifiedClientApplicationsOnly=None, scopeSensitivityLabels=None)
            for s in sets or ()
        )

    return msgspec.structs.replace(
        policy,
        includes=plain(policy.includes),
        excludes=plain(policy.excludes),
        includeAllPreApprovedApplications=None,
        resourceScopeType=None,
    )
