"""Jobs for the authors of rule packs: find mistakes, write a new pack, list the needed permissions, and run cases.

A case evaluates a rule on a small tenant and compares the outcome with the expected one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from auditor.checks.findings import finding
from auditor.checks.kind import CheckContext, plan_for
from auditor.checks.permission_lists import scope_of
from auditor.checks.required_reads import Needed, permissions_for, required_resource_access
from auditor.consent.granted_permissions import app_as_granted
from auditor.consent.requested_scopes import app_from_scopes, refuse_unnamed_resources, scope_needs
from auditor.facts.ids import RESOURCE_NAMES
from auditor.facts.permissions import PERMISSIONS
from auditor.jobs.audit import read_source
from auditor.jobs.audit_request import SILENT, AuditRequest, Interaction, Source
from auditor.jobs.pack_selection import app_pack_names, chosen_packs, sources_for
from auditor.model.errors import InvalidRequest
from auditor.model.report import Finding
from auditor.model.rule import App, FindingOutcome, Pack, Rule, RuleCase
from auditor.model.snapshot import LiveTenant, Plan, Snapshot, Unread
from auditor.model.unread_messages import REMOVED_BY_CASE
from auditor.packs import PackError as PackError
from auditor.packs import Position
from auditor.packs import Problem as Problem
from auditor.packs.load import Source as PackSource
from auditor.packs.load import load
from auditor.packs.new_pack import name_for, pack_text
from auditor.packs.parse import Linted as Linted
from auditor.packs.parse import case_places, is_reserved, lacking_of, lint, rule_places
from auditor.packs.parse import outcomes_phrase as outcomes_phrase
from auditor.packs.yaml_nodes import CONTROL
from auditor.snapshot import SnapshotError
from auditor.snapshot.retarget_sample import SAMPLE_APP, publishing, retarget
from auditor.snapshot.samples import patched, sample, sample_names


class DescribedApp(NamedTuple):
    """An app, and the source of its list of scopes."""

    app: App
    source: str


def lint_packs(names: Iterable[str]) -> Linted:
    """All mistakes, warnings and advice for these packs; names that have no pack are among the mistakes."""
    sources: list[PackSource] = []
    unfound: list[Problem] = []
    for name in tuple(names) or (None,):
        try:
            for found in sources_for([name] if name else ()):
                sources.extend(found)
        except PackError as error:
            unfound.extend(error.problems)
    linted = lint(sources, samples=sample_names())
    return linted._replace(errors=(*unfound, *linted.errors))


def needed_permissions(names: Iterable[str]) -> tuple[Needed, ...]:
    """The least privileged application permissions for the packs; without names, for the shipped app packs."""
    return permissions_for(plan_for(chosen_packs(tuple(names) or app_pack_names())))


def permission_rows(needed: Iterable[Needed]) -> list[tuple[str, str, str, str]]:
    """For each permission its name, its app role id, its alternatives, and the sections that it allows to read."""
    return [
        (n.permission, PERMISSIONS[n.permission].id, ", ".join(n.alternatives) or "-", ", ".join(n.sections))
        for n in needed
    ]


def permissions_manifest(needed: Iterable[Needed]) -> list[dict[str, Any]]:
    """The permissions as ``requiredResourceAccess`` of an app registration."""
    return required_resource_access(needed)


def app_of_address(url: str, scopes: str | None, describe: Callable[[str | None], App | None]) -> DescribedApp:
    """The app of a pasted URL, with `scopes` if the URL names none.

    `describe` builds the app from all options; its argument are the scopes to combine with the URL.
    """
    from auditor.consent.sign_in_address import request_from_url

    names_none = bool(scopes) and not request_from_url(url).app.scopes
    app = describe(None if names_none else scopes)
    assert app is not None, "a URL names an app"
    if names_none:
        return DescribedApp(msgspec.structs.replace(app, scopes=scope_needs(str(scopes))), "")
    return DescribedApp(app, "the address of its sign-in")


def app_of_grants(
    client_id: str, source: Source, *, name: str = "", redirect_uri: str = "", interaction: Interaction = SILENT
) -> DescribedApp:
    """The app with the scopes that a tenant granted to it.

    Scopes that their resource no longer publishes are left out, with a message. Raises InvalidRequest for a name that
    a pack can't contain, RequestError if the tenant granted nothing, and what reading a tenant raises.
    """
    asked = app_from_scopes(client_id, "")
    if isinstance(source, LiveTenant):
        from auditor.jobs.tenant_reader import read_tenant

        plan = Plan(sections=("organization",), clients=(asked.client_id,), resources=tuple(RESOURCE_NAMES))
        snapshot = read_tenant(source, plan, apps=[asked], interaction=interaction)
    else:
        snapshot, _ = read_source(AuditRequest(source=source), ())
    app = app_as_granted(snapshot, asked.client_id)
    if not name:
        _refuse_control_characters(app.name)
    uris = (redirect_uri,) if redirect_uri else app.redirect_uris
    app = msgspec.structs.replace(app, name=name or app.name, redirect_uris=uris)
    app = _without_withdrawn_scopes(app, interaction)
    return DescribedApp(app, f"what it was granted in a tenant where it works, read on {snapshot.taken[:10]}")


def _refuse_control_characters(name: str) -> None:
    if bad := CONTROL.search(name):
        raise InvalidRequest(
            f"the app's name in this tenant contains the character U+{ord(bad.group()):04X}, which isn't allowed"
            ' in a pack: give the app another name with --name "…"'
        )


def _without_withdrawn_scopes(app: App, interaction: Interaction) -> App:
    """The app without scopes that were granted but that their resource no longer publishes."""
    gone = [need for need in app.scopes if scope_of(need.resource, need.value)]
    for need in gone:
        interaction.say(f"Left out {need.value}: it was granted, but its resource no longer publishes it.")
    return msgspec.structs.replace(app, scopes=tuple(need for need in app.scopes if need not in gone))


def refuse_reserved_name(pack_name: str) -> None:
    """Raise InvalidRequest for a name that is reserved for the program's packs."""
    if is_reserved(pack_name):
        raise InvalidRequest(f'--pack-name: "{pack_name}" is reserved for a pack of the program: choose another name')


def text_of_new_pack(described: DescribedApp, *, name: str = "", label: str = "the new pack", read: str = "") -> str:
    """The YAML of a pack for the app, checked by loading it. Errors call it `label`.

    With `read`, its source is written with that date, as in the catalogue of apps.

    Raises InvalidRequest for an app without scopes, RequestError and PackError.
    """
    # A pack is for the tenants of any cloud, and the vendor's app may be registered in each.
    app = msgspec.structs.replace(described.app, clouds=())
    if not app.scopes:
        raise InvalidRequest(
            "the URL names no scopes, so the app requests those of its registration, which only its vendor can read."
            f' Add --scopes "…" as the vendor states them, or run packs new --app {app.client_id} --from-grants in a'
            " tenant where it works"
        )
    refuse_unnamed_resources(app)
    text = pack_text(app, name=name or name_for(app), source=described.source, read=read if described.source else "")
    load(PackSource(label, text.encode()))
    return text


REFUSED = Unread(status=403, code="Authorization_RequestDenied", message=REMOVED_BY_CASE)


class CaseResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a rule on one case. `problem` is empty if it is the expected one."""

    rule: Rule
    case: RuleCase
    finding: Finding
    problem: str


def run_cases(pack: Pack) -> Iterator[CaseResult]:
    """Run every case of every rule, in the order of the pack. An abstract pack has no cases to run."""
    if pack.abstract:
        return
    for rule in pack.rules:
        for case in rule.cases:
            yield run_case(rule, case, pack)


def run_case(rule: Rule, case: RuleCase, pack: Pack) -> CaseResult:
    """Evaluate the rule on the case's tenant. A tenant that Graph could not return is a problem of the case."""
    try:
        snapshot = tenant_of(case, pack.app)
    except SnapshotError as error:
        problem = f"the tenant of this case is impossible: {error}"
        nothing = Finding(
            rule=rule.id,
            pack=pack.name,
            title=rule.title,
            severity=rule.severity,
            outcome=FindingOutcome.UNKNOWN,
            reason=problem,
            fingerprint="",
        )
        return CaseResult(rule=rule, case=case, finding=nothing, problem=problem)
    # A case says nothing about fixes.
    app = pack.app
    if app is not None and case.app_roles is not None:
        app = msgspec.structs.replace(app, app_roles=case.app_roles)
    found = finding(rule, pack, CheckContext(snapshot, app), with_fixes=False)
    return CaseResult(rule=rule, case=case, finding=found, problem=_problem(case, found))


def tenant_of(case: RuleCase, app: App | None = None) -> Snapshot:
    """The tenant of a case: its sample with the case's changes, and without the parts that could not be read.

    The sample's app is replaced by `app`, the one that the pack is about, also where the changes mention it.
    """
    snapshot = _about(app, _sample(case.sample), case)
    covers = {name: parts for name, parts in snapshot.covers.items() if name not in case.whole}
    snapshot = msgspec.structs.replace(snapshot, covers=covers)
    for part in case.unread:
        snapshot = _without(snapshot, part)
    return snapshot


_sample = lru_cache(maxsize=32)(sample)
"""The cases of a pack start from few samples."""


def _about(app: App | None, snapshot: Snapshot, case: RuleCase) -> Snapshot:
    if app is None or SAMPLE_APP not in str(case.set).lower():
        return patched(retarget(snapshot, app), case.set)
    if app.client_id != SAMPLE_APP:
        return retarget(patched(snapshot, case.set), app)
    return publishing(patched(retarget(snapshot, app), case.set), app)


def _without(snapshot: Snapshot, key: str) -> Snapshot:
    section, _, part = key.partition("/")
    unread = {**snapshot.unread, key: REFUSED}
    if not part:
        sections = msgspec.structs.replace(snapshot.sections, **{section: None})
        return msgspec.structs.replace(snapshot, sections=sections, unread=unread)
    part = part.lower()
    covers = {name: tuple(p for p in parts if p.lower() != part) for name, parts in snapshot.covers.items()}
    value = getattr(snapshot.sections, section)
    if isinstance(value, dict):
        value = {name: rows for name, rows in value.items() if name.lower() != part}
    else:
        covers.setdefault(section, ())
        value = tuple(row for row in value or () if str(getattr(row, "appId", "")).lower() != part)
    sections = msgspec.structs.replace(snapshot.sections, **{section: value})
    return msgspec.structs.replace(snapshot, sections=sections, unread=unread, covers=covers)


def _problem(case: RuleCase, found: Finding) -> str:
    if found.outcome is not case.expect:
        return f"expected {case.expect.value}, but the rule gives {found.outcome.value}: {found.reason}"
    if case.reason and case.reason.lower() not in found.reason.lower():
        return f"the reason should contain {case.reason!r}, but is: {found.reason}"
    paths = [evidence.path for evidence in found.evidence]
    for wanted in case.evidence:
        if not any(wanted.lower() in path.lower() for path in paths):
            return f"the evidence should name {wanted!r}, but names: {', '.join(paths) or 'nothing'}"
    return ""


class Mismatch(StrEnum):
    """How the result of a rule differs from what the case expects."""

    MISSED = "missed"
    """The rule should fail but doesn't. This is the dangerous kind."""
    FALSE_ALARM = "false alarm"
    """The rule fails but should not."""
    OTHER_OUTCOME = "other outcome"
    """Pass, unknown or not applicable in place of another of the three."""
    OTHER_REASON = "other reason"
    """The outcome is right, but the reason or the evidence is not what the case names."""


class FailedCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case whose rule doesn't give the expected result, and where the case is in the pack."""

    result: CaseResult
    at: Position
    mismatch: Mismatch


class PackResult(msgspec.Struct, frozen=True, kw_only=True):
    """The results of one pack's cases. `gaps` are the rules that lack a failing, passing or unknown case."""

    pack: Pack
    results: tuple[CaseResult, ...] = ()
    failed: tuple[FailedCase, ...] = ()
    gaps: tuple[tuple[Rule, tuple[FindingOutcome, ...], Position], ...] = ()

    @property
    def without_cases(self) -> int:
        """How many rules have no case at all."""
        return sum(not rule.cases for rule, _, _ in self.gaps)


def run_pack(source: PackSource, only: str = "") -> PackResult:
    """Run the pack's cases, or only those of the rule `only`. Raises PackError for a broken pack.

    An abstract pack has no app, so its rules are tested through the packs that extend it.
    """
    pack = load(source, samples=sample_names())
    if only:
        pack = msgspec.structs.replace(pack, rules=tuple(r for r in pack.rules if r.id.lower() == only.lower()))
    if pack.abstract:
        return PackResult(pack=pack)
    results = tuple(run_cases(pack))
    places, rules = case_places(source), rule_places(source)
    here = Position(pack.origin)
    failed = tuple(
        FailedCase(result=r, at=places.get((r.rule.id, r.case.name), here), mismatch=_mismatch(r))
        for r in results
        if r.problem
    )
    gaps = tuple((r, lacking, rules.get(r.id, here)) for r in pack.rules if (lacking := lacking_of(r)))
    return PackResult(pack=pack, results=results, failed=failed, gaps=gaps)


def _mismatch(result: CaseResult) -> Mismatch:
    expected, found = result.case.expect, result.finding.outcome
    if expected is found:
        return Mismatch.OTHER_REASON
    if expected is FindingOutcome.FAIL:
        return Mismatch.MISSED
    return Mismatch.FALSE_ALARM if found is FindingOutcome.FAIL else Mismatch.OTHER_OUTCOME
