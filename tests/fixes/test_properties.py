"""What holds of every fix, whatever the tenant."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import msgspec
from hypothesis import HealthCheck, event, given, settings

from auditor.consent.decide import decide
from auditor.consent.decision_facts import gather
from auditor.consent.requested_access import client_of
from auditor.consent.subject import ORDINARY_MEMBER, Subject, assigned_member
from auditor.fixes import fixes_for, proposed_fixes
from auditor.fixes.app_changes import grant_id
from auditor.fixes.change import Conflict, NotApplicable, states_of
from auditor.fixes.change_kinds import apply, apply_all
from auditor.model.decision import Fix, GraphRequest, Outcome
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from tests.fixes.tenants import cases
from tests.limits import examples

MANY = settings(deadline=None, max_examples=examples(40), suppress_health_check=list(HealthCheck))
Case = tuple[Snapshot, App, Subject]


def proven_for(before: Snapshot, app: App, subject: Subject, fix: Fix) -> Subject:
    """The subject of a fix's proof."""
    if fix.proven.subject == subject.label:
        return subject
    if fix.proven.subject == "newly assigned member":
        chosen = next(str(r.body["principalId"]) for r in fix.proven.applied if r.body and "principalId" in r.body)
        return Subject(user_id=chosen, groups=(chosen,))
    member = assigned_member(before, client_of(before, app))
    assert member is not None
    return member


@MANY
@given(case=cases())
def test_every_offered_fix_applied_gives_its_promised_outcome(case: Case) -> None:
    before, app, subject = case
    for fix in fixes_for(*case):
        event(f"{fix.key} for {fix.proven.subject if subject == ORDINARY_MEMBER else 'a user'}")
        who = proven_for(before, app, subject, fix)
        assert not decide(before, app, who).outcome.connects
        after = decide(apply_all(before, fix.proven.applied), app, who)
        assert after.outcome.value == fix.proven.outcome
        assert after.because == fix.proven.because or who != subject
        assert Outcome(fix.proven.outcome).connects or (fix.key == "R8" and "AADSTS900" in after.code)
        assert not fix.steps.graph or fix.steps.graph == fix.proven.applied


@MANY
@given(case=cases())
def test_undo_after_a_fix_gives_the_first_tenant_again(case: Case) -> None:
    before = case[0]
    for fix in fixes_for(*case):
        if not fix.undo_graph:
            # Only a link can be offered where what it adds to was not read.
            assert before.sections.oauth2PermissionGrants is None or "oauth2PermissionGrants" in before.covers
            assert fix.link
            continue
        after = apply_all(before, fix.proven.applied)
        assert normal(after) != normal(before)
        assert normal(apply_all(after, fix.undo_graph)) == normal(before)


@MANY
@given(case=cases())
def test_no_fix_removes_or_changes_what_it_does_not_own(case: Case) -> None:
    before, app, _ = case
    for fix in fixes_for(*case):
        after = apply_all(before, fix.proven.applied)
        was, now = entries(before, app), entries(after, app)
        assert was <= now, was - now


@MANY
@given(case=cases())
def test_a_fix_that_is_sent_twice_does_what_it_does_once(case: Case) -> None:
    before = case[0]
    for fix in fixes_for(*case):
        once = apply_all(before, fix.proven.applied)
        again = once
        for request in fix.proven.applied:
            again = sent(again, request)
        assert normal(again) == normal(once)


@MANY
@given(case=cases())
def test_no_member_of_a_set_is_superfluous(case: Case) -> None:
    before, app, subject = case
    found = {c.name: c for c in proposed_fixes(gather(before, app, subject))}
    for fix in fixes_for(*case):
        names = fix.key.split("+")
        who = proven_for(before, app, subject, fix)
        for some in combinations(names, len(names) - 1):
            try:
                *_, after = states_of(before, (change for name in some for change in found[name].changes))
            except NotApplicable:
                continue
            assert decide(after, app, who).outcome.value != fix.proven.outcome or fix.key == "R8"


def sent(snapshot: Snapshot, request: GraphRequest) -> Snapshot:
    """What Graph does with a request: it refuses a second identical create."""
    try:
        return apply(snapshot, request)
    except Conflict:
        return snapshot


def normal(snapshot: Snapshot) -> Any:
    """The tenant as it is, whatever the order of lists, and whether nothing was read or nothing is there."""
    s = snapshot.sections
    rows = (s.servicePrincipals, s.oauth2PermissionGrants, s.permissionGrantPolicies)
    assigned = ((k.lower(), e) for k, entries in (s.appRoleAssignedTo or {}).items() for e in entries)
    classified = ((k.lower(), e) for k, ones in (s.delegatedPermissionClassifications or {}).items() for e in ones)
    return (
        *(sorted(msgspec.json.encode(row) for row in section or ()) for section in rows),
        sorted(msgspec.json.encode(one) for one in assigned),
        sorted(msgspec.json.encode(one) for one in classified),
        s.authorizationPolicy,
        s.adminConsentRequestPolicy,
        s.directorySettings,
        s.roleDefinitions,
    )


def entries(snapshot: Snapshot, app: App) -> set[Any]:
    """Everything that somebody may have set, one entry each: a fix may add to them and take none away."""
    s = snapshot.sections
    role = s.authorizationPolicy and s.authorizationPolicy.defaultUserRolePermissions
    policy = s.adminConsentRequestPolicy
    found: set[Any] = {("assigned", one) for one in (role.permissionGrantPoliciesAssigned if role else None) or ()}
    found |= {
        ("grant", grant_id(row), row.clientId, row.principalId, scope.lower())
        for row in s.oauth2PermissionGrants or ()
        for scope in row.scope.split()
    }
    classified = s.delegatedPermissionClassifications or {}
    found |= {
        ("classified", k.lower(), e.permissionId, e.classification) for k, each in classified.items() for e in each
    }
    assigned = s.appRoleAssignedTo or {}
    found |= {("member", k.lower(), e.principalId) for k, each in assigned.items() for e in each}
    found |= {("policy", msgspec.json.encode(one)) for one in s.permissionGrantPolicies or ()}
    found |= {("reviewer", one.query) for one in (policy.reviewers if policy else None) or ()}
    found |= {
        ("principal", msgspec.json.encode(p))
        for p in s.servicePrincipals or ()
        if p.appId.lower() != app.client_id.lower()
    }
    return found
