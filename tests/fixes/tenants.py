"""The tenants that fixes are tried on: the samples, changed in a word or two, and generated ones."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from auditor.checks.findings import judge
from auditor.checks.kind import CheckContext
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.fixes import fixes_for
from auditor.model.decision import Fix
from auditor.model.resources import AppRole, ServicePrincipal
from auditor.model.rule import App, FindingOutcome
from auditor.model.snapshot import Snapshot
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample
from tests.consent.from_oracle import app_of, snapshot_of, subject_of
from tests.oracle import pool
from tests.oracle.condition_strategies import mostly
from tests.oracle.strategies import apps, subjects, tenants

(PACK,) = load_packs(["trackerrms-uk"])
assert PACK.app is not None
APP = PACK.app
GRAPH = "https://graph.microsoft.com/v1.0"
ALICE = Subject(label="alice@example.com", phrase="alice@example.com", user_id=pool.ALICE)
HOSTILE = (
    'O\'Brien & "Söhne"',
    "'; rm -rf ~ #",
    "$(touch /tmp/owned) `touch /tmp/owned` ${IFS}",
    "two\nlines\r\n# and a comment",
    "right\u202eto\u2066left\u2069, \u2019curly\u2018, \u201edouble\u201c",
    "null\x00byte and \x1b[31mred\x85",
    "'@\n\"@ %PATH% !history! \\",
    "{object id of the new service principal}",
)
"""Names that somebody may have typed, or made to break out of a command."""


def by_key(name: str, app: App = APP, subject: Subject = ORDINARY_MEMBER) -> dict[str, Fix]:
    """The fixes offered for a sample tenant, by key."""
    return {fix.key: fix for fix in fixes_for(sample(name), app, subject)}


def fixes_in(snapshot: Snapshot, app: App = APP, subject: Subject = ORDINARY_MEMBER) -> dict[str, Fix]:
    """The fixes offered for a tenant, by key."""
    return {fix.key: fix for fix in fixes_for(snapshot, app, subject)}


def with_sections(snapshot: Snapshot, **sections: Any) -> Snapshot:
    """The same tenant, but for these sections."""
    return msgspec.structs.replace(snapshot, sections=msgspec.structs.replace(snapshot.sections, **sections))


def with_client(snapshot: Snapshot, **facts: Any) -> Snapshot:
    """The same tenant, but for these properties of the app's service principal."""

    def changed(principal: ServicePrincipal) -> ServicePrincipal:
        return msgspec.structs.replace(principal, **facts) if principal.appId == APP.client_id else principal

    principals = snapshot.sections.servicePrincipals or ()
    return with_sections(snapshot, servicePrincipals=tuple(map(changed, principals)))


def with_assigned(snapshot: Snapshot, *entries: str) -> Snapshot:
    """The same tenant, but for the assigned consent policies."""
    policy = snapshot.sections.authorizationPolicy
    assert policy is not None and policy.defaultUserRolePermissions is not None
    role = msgspec.structs.replace(policy.defaultUserRolePermissions, permissionGrantPoliciesAssigned=entries)
    return with_sections(snapshot, authorizationPolicy=msgspec.structs.replace(policy, defaultUserRolePermissions=role))


ROLES_FOR_USERS = (
    AppRole(id="11111111-1111-4111-8111-111111111111", displayName="Reader", allowedMemberTypes=("User",)),
    AppRole(id="22222222-2222-4222-8222-222222222222", displayName="Writer", allowedMemberTypes=("User",)),
)


@st.composite
def cases(draw: DrawFn) -> tuple[Snapshot, App, Subject]:
    """A generated tenant with a product and a user; with a workflow, ids and app roles where they matter."""
    document = draw(tenants())
    sections = document["sections"]
    reviewers = [{"query": f"/users/{pool.BOB}", "queryType": "MicrosoftGraph"}]
    if "adminConsentRequestPolicy" in sections:
        sections["adminConsentRequestPolicy"] = draw(
            st.sampled_from(
                [
                    {"isEnabled": False, "reviewers": []},
                    {"isEnabled": False, "reviewers": reviewers, "notifyReviewers": False, "version": 3},
                    {"isEnabled": True, "reviewers": [], "requestDurationInDays": 7},
                    {"isEnabled": True, "reviewers": reviewers},
                    {"isEnabled": False},
                ]
            )
        )
    # Nobody can be assigned to an app that isn't there.
    present = {principal["appId"].lower() for principal in sections.get("servicePrincipals", [])}
    for app_id in [app_id for app_id in sections.get("appRoleAssignedTo", {}) if app_id.lower() not in present]:
        sections["appRoleAssignedTo"][app_id] = []
    for number, row in enumerate(sections.get("oauth2PermissionGrants", [])):
        if draw(st.booleans()):
            row["id"] = f"grant-{number}"
    for principal in sections.get("servicePrincipals", []):
        if principal["appId"] == pool.CLIENT:
            principal["appRoles"] = draw(mostly([], [msgspec.to_builtins(role) for role in ROLES_FOR_USERS[:1]]))
    request = draw(apps())
    request["name"] = draw(mostly("Woodgrove Mailer", *HOSTILE))
    snapshot = snapshot_of(document)
    return snapshot, app_of(request), subject_of(draw(subjects()), snapshot)


BENCHMARKS = tuple(load_packs(["cis-m365", "cisa-scuba", "eidsca", "zero-trust-assessment", "microsoft-recommended"]))


def rule_fixes(snapshot: Snapshot) -> dict[str, dict[str, Fix]]:
    """The fixes of the failing rules of the benchmarks, by rule and key."""
    findings = (one for pack in BENCHMARKS for one in judge(pack, CheckContext(snapshot)))
    return {one.rule: {fix.key: fix for fix in one.fixes} for one in findings if one.outcome is FindingOutcome.FAIL}
