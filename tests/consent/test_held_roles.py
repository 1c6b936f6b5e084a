"""Which directory roles let a user consent to one app: what was not read about a role leaves the answer open.

Sources: Microsoft Graph, "Create unifiedRoleAssignment" (the forms of ``directoryScopeId``); Entra, "Grant tenant-wide
admin consent", "App consent permissions for custom roles" and "Administrative units".
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.checks.kind import CheckContext
from auditor.checks.user_consent import ScopesClassified
from auditor.consent.decide import decide
from auditor.consent.subject import ADMIN_ROLES, Subject, subject_for
from auditor.facts.ids import ROLE_APPLICATION_ADMINISTRATOR, ROLE_GLOBAL_ADMINISTRATOR
from auditor.model.decision import Confidence, Decision, Outcome, Reason, Verdict
from auditor.model.rule import FindingOutcome
from tests.consent.from_oracle import app_of, snapshot_of
from tests.oracle import plain, pool
from tests.oracle.plain import OWN, VERIFIED, tenant

Json = dict[str, Any]
LEGACY = "microsoft-user-default-legacy"
THIS_APP = f"/{VERIFIED['id']}"
OTHER_APP = f"/{pool.resource(pool.GRAPH)['id']}"
GROUP = "77777777-0000-4000-8000-000000000007"
CUSTOM = "88888888-0000-4000-8000-000000000008"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
NEW = "99999999-0000-4000-8000-000000000099"
"""A role that is neither documented nor a custom role of the tenant."""
CONSENTS = f"microsoft.directory/servicePrincipals/managePermissionGrantsForAll.{LEGACY}"
READS = "microsoft.directory/servicePrincipals/standard/read"


def assignment(role: str, scope: str | None = "/", holder: str = pool.ALICE) -> Json:
    return {"principalId": holder, "roleDefinitionId": role, "directoryScopeId": scope}


def custom_role(*actions: str, **properties: Any) -> Json:
    permissions = [{"allowedResourceActions": list(actions)}]
    role = {"id": CUSTOM, "displayName": "Consenters", "isBuiltIn": False, "isEnabled": True}
    return {
        name: value for name, value in {**role, "rolePermissions": permissions, **properties}.items() if value != ""
    }


def alice(**properties: Any) -> Json:
    user = {"id": pool.ALICE, "userPrincipalName": "alice@contoso.example", "userType": "Member", "memberOf": []}
    return {name: value for name, value in {**user, **properties}.items() if value != ""}


def decided(*assigned: str, covers: Json | None = None, **sections: Any) -> Decision:
    """The decision on Alice, in a tenant that was read completely except for the sections without a value."""
    read = {"users": [alice()], "roleAssignments": [], "roleDefinitions": [], "client": VERIFIED, **sections}
    document = tenant(*assigned, **read)
    document["covers"] = {**document.get("covers", {}), **(covers or {})}
    snapshot = snapshot_of(document)
    subject = subject_for(snapshot, pool.ALICE)
    assert isinstance(subject, Subject)
    return decide(snapshot, app_of(plain.app()), subject)


ADMIN = assignment(ROLE_APPLICATION_ADMINISTRATOR)


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param({"roleAssignments": [ADMIN]}, id="administrator of the tenant"),
        pytest.param(
            {
                "roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, holder=GROUP)],
                "users": [alice(memberOf=[{"id": GROUP}])],
            },
            id="through a group",
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM)], "roleDefinitions": [custom_role(CONSENTS)]}, id="custom role"
        ),
        pytest.param(
            {"roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, OTHER_APP), ADMIN]},
            id="one role twice, once for the tenant",
        ),
    ],
)
def test_a_role_for_the_whole_tenant_lets_its_holder_consent(sections: Json) -> None:
    decision = decided(**sections)
    assert decision.outcome is Outcome.USER_MAY_CONSENT
    assert decision.confidence is Confidence.CERTAIN


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param({}, id="no role"),
        pytest.param({"roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, OTHER_APP)]}, id="another app"),
        pytest.param(
            {"roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, "/99999999-0000-4000-8000-000000000009")]},
            id="an object that was not read, while the app is another tenant's",
        ),
        pytest.param(
            {"roleAssignments": [assignment(ROLE_GLOBAL_ADMINISTRATOR, "/administrativeUnits/" + GROUP)]},
            id="an administrative unit",
        ),
        pytest.param(
            {"roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, THIS_APP)], "client": None},
            id="the app is not in the tenant, so no scope is it",
        ),
        pytest.param(
            {"roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, holder=GROUP)]}, id="somebody else's role"
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM, OTHER_APP)], "roleDefinitions": [custom_role(CONSENTS)]},
            id="a custom role for another app",
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM)], "roleDefinitions": [custom_role(READS)]},
            id="a custom role that only reads",
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM)], "roleDefinitions": [custom_role(CONSENTS, isEnabled=False)]},
            id="a custom role that is switched off",
        ),
        pytest.param({"roleAssignments": [assignment(USER_ADMINISTRATOR)]}, id="a built-in role other than the four"),
        pytest.param({"roleAssignments": [assignment(NEW, OTHER_APP)]}, id="a new role, for another app"),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM, OTHER_APP)], "roleDefinitions": None},
            id="a role that was not read, for another app",
        ),
        pytest.param(
            {
                "users": [alice(memberOf="")],
                "roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, holder="x")],
                "client": dict(VERIFIED, id="x"),
            },
            id="groups not read, and the only holder is an app",
        ),
    ],
)
def test_who_holds_no_role_for_this_app_needs_an_administrator(sections: Json) -> None:
    decision = decided(**sections)
    assert decision.outcome is Outcome.NEEDS_ADMIN
    assert decision.confidence is Confidence.CERTAIN


@pytest.mark.parametrize(
    ("sections", "missing"),
    [
        pytest.param({"roleAssignments": None}, "which directory roles alice@contoso.example holds", id="assignments"),
        pytest.param(
            {"roleAssignments": [], "covers": {"roleAssignments": [*ADMIN_ROLES][:3]}},
            "holds the role Cloud Application Administrator",
            id="assignments of one role",
        ),
        pytest.param(
            {
                "roleAssignments": [],
                "covers": {"roleAssignments": [*ADMIN_ROLES]},
                "roleDefinitions": [custom_role(CONSENTS)],
            },
            "holds the role Consenters",
            id="assignments of a custom role",
        ),
        pytest.param(
            {"roleAssignments": [], "covers": {"roleAssignments": [*ADMIN_ROLES]}, "roleDefinitions": None},
            "holds a custom role",
            id="which custom roles there are",
        ),
        pytest.param(
            {
                "users": [alice(memberOf="")],
                "roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, holder=GROUP)],
            },
            "is in a group that holds the role Application Administrator",
            id="the groups of the user",
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM)], "roleDefinitions": None}, "what the role", id="definition"
        ),
        pytest.param(
            {"roleAssignments": [assignment(NEW)], "roleDefinitions": [custom_role(READS)]},
            f"what the role {NEW} allows (it is not a custom role of the tenant, and new to this program)",
            id="a role that is new",
        ),
        pytest.param(
            {
                "roleAssignments": [assignment(NEW, holder=GROUP)],
                "users": [alice(memberOf=[{"id": GROUP}])],
            },
            f"what the role {NEW} allows",
            id="a role that is new, through a group",
        ),
        pytest.param(
            {"roleAssignments": [assignment(NEW, holder=GROUP)], "users": [alice(memberOf="")]},
            "is in a group that holds the role",
            id="a role that is new, and groups that were not read",
        ),
        pytest.param(
            {
                "roleAssignments": [assignment(CUSTOM)],
                "roleDefinitions": [custom_role(isBuiltIn=True, rolePermissions="")],
            },
            "what the role Consenters allows",
            id="a built-in role that is new, without its permissions",
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM)], "roleDefinitions": [None]},
            "what the role 88888888-0000-4000-8000-000000000008 allows (roleDefinitions[0] has no id)",
            id="a definition that is null",
        ),
        pytest.param(
            {"roleAssignments": [assignment("")]},
            "which directory roles alice@contoso.example holds (roleAssignments[0] has no roleDefinitionId)",
            id="which role is assigned",
        ),
        pytest.param(
            {"roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, holder="")]},
            "which directory roles alice@contoso.example holds (roleAssignments[0] has no principalId)",
            id="who holds a role",
        ),
        pytest.param({"roleAssignments": [None]}, "roleAssignments[0] has no", id="an assignment that is null"),
        pytest.param(
            {
                "users": [alice(memberOf=[None])],
                "roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, holder=GROUP)],
            },
            "is in a group that holds the role Application Administrator",
            id="a group of the user that is null",
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM)], "roleDefinitions": [custom_role(rolePermissions="")]},
            "what the role Consenters allows",
            id="permissions of the definition",
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM)], "roleDefinitions": [custom_role(rolePermissions=[{}])]},
            "what the role Consenters allows",
            id="actions of the definition",
        ),
        pytest.param(
            {"roleAssignments": [assignment(CUSTOM)], "roleDefinitions": [custom_role(CONSENTS, isEnabled="")]},
            "what the role Consenters allows",
            id="whether the role is switched on",
        ),
        pytest.param(
            {"roleAssignments": [assignment(ROLE_APPLICATION_ADMINISTRATOR, None)]},
            "whether the role Application Administrator of alice@contoso.example applies to the app",
            id="scope",
        ),
        pytest.param(
            {
                "roleAssignments": [
                    assignment(ROLE_APPLICATION_ADMINISTRATOR, "/99999999-0000-4000-8000-000000000009")
                ],
                "client": OWN,
            },
            "applies to the app (its scope is /99999999",
            id="a scope that may be the registration of the tenant's own app",
        ),
    ],
)
def test_what_was_not_read_about_a_role_leaves_the_answer_open(sections: Json, missing: str) -> None:
    decision = decided(**sections)
    assert decision.outcome is Outcome.DEPENDS
    assert set(decision.outcomes) == {Outcome.USER_MAY_CONSENT, Outcome.NEEDS_ADMIN}
    assert any(missing in need for need in decision.depends_on), decision.depends_on
    assert Verdict.BLOCKED not in {scope.verdict for scope in decision.scopes}


def test_a_role_for_this_app_alone_is_likely_enough() -> None:
    decision = decided(roleAssignments=[assignment(ROLE_APPLICATION_ADMINISTRATOR, THIS_APP)])
    assert (decision.outcome, decision.confidence) == (Outcome.USER_MAY_CONSENT, Confidence.LIKELY)
    assert any("is for this app only" in caveat for caveat in decision.caveats)


def test_unread_roles_do_not_matter_where_users_connect_anyway() -> None:
    granted = decided(roleAssignments=None, oauth2PermissionGrants=plain.FULL_GRANT)
    assert (granted.outcome, granted.confidence) == (Outcome.CONNECTS_SILENTLY, Confidence.CERTAIN)
    allowed = decided(LEGACY, roleAssignments=None)
    assert allowed.outcome is Outcome.USER_MAY_CONSENT


REQUIRES_ASSIGNMENT: Json = {
    "client": {**VERIFIED, "appRoleAssignmentRequired": True},
    "oauth2PermissionGrants": plain.FULL_GRANT,
}


def test_an_unread_role_may_open_an_app_that_requires_assignment() -> None:
    decision = decided(roleAssignments=None, **REQUIRES_ASSIGNMENT)
    assert set(decision.outcomes) == {Outcome.BLOCKED, Outcome.CONNECTS_SILENTLY}
    assert decided(**REQUIRES_ASSIGNMENT).reason is Reason.NOT_ASSIGNED


def test_an_administrator_for_apps_needs_an_assignment_unless_an_unread_role_is_the_widest() -> None:
    assert decided(roleAssignments=[ADMIN], **REQUIRES_ASSIGNMENT).reason is Reason.NOT_ASSIGNED
    covers = {"roleAssignments": [role for role in (*ADMIN_ROLES, CUSTOM) if role != ROLE_GLOBAL_ADMINISTRATOR]}
    decision = decided(roleAssignments=[ADMIN], covers=covers, **REQUIRES_ASSIGNMENT)
    assert set(decision.outcomes) == {Outcome.BLOCKED, Outcome.CONNECTS_SILENTLY}
    assert "Global Administrator" in decision.depends_on[0]


@pytest.mark.parametrize("others", [pytest.param([role], id=name) for role, name in ADMIN_ROLES.items()])
def test_a_global_administrator_gets_in_without_an_assignment_whatever_else_they_are(others: list[str]) -> None:
    roles = [*map(assignment, others), assignment(ROLE_GLOBAL_ADMINISTRATOR)]
    for order in (roles, [*reversed(roles)]):
        decision = decided(roleAssignments=order, **REQUIRES_ASSIGNMENT)
        assert (decision.outcome, decision.confidence) == (Outcome.CONNECTS_SILENTLY, Confidence.CERTAIN)


HELD = st.builds(
    assignment,
    st.sampled_from((*ADMIN_ROLES, CUSTOM, NEW, USER_ADMINISTRATOR)),
    st.sampled_from(("/", "/", THIS_APP, OTHER_APP, f"/administrativeUnits/{GROUP}", None)),
    st.sampled_from((pool.ALICE, GROUP)),
)


@settings(deadline=None)
@given(
    rows=st.lists(HELD, min_size=2, max_size=4).flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))),
    sections=st.sampled_from(({}, REQUIRES_ASSIGNMENT, {"users": [alice(memberOf=[{"id": GROUP}])]})),
)
def test_the_order_of_role_assignments_never_matters(rows: tuple[list[Json], list[Json]], sections: Json) -> None:
    first, second = (
        decided(roleAssignments=order, roleDefinitions=[custom_role(CONSENTS)], **sections) for order in rows
    )
    assert (first.outcome, first.confidence, first.code, first.outcomes, first.because) == (
        *(second.outcome, second.confidence, second.code, second.outcomes, second.because),
    )
    assert set(first.depends_on) == set(second.depends_on)


def test_a_role_that_was_not_read_may_assign_another_policy_to_an_administrator() -> None:
    document = tenant(
        users=[alice()], roleAssignments=[ADMIN], roleDefinitions=[custom_role(CONSENTS)], client=VERIFIED
    )
    document["covers"] = {"roleAssignments": [*ADMIN_ROLES]}
    snapshot = snapshot_of(document)
    subject = subject_for(snapshot, pool.ALICE)
    assert isinstance(subject, Subject)
    found = ScopesClassified().judge(CheckContext(snapshot, app_of(plain.app()), subject))
    assert found.outcome is FindingOutcome.UNKNOWN
    assert "a role may assign another policy" in found.reason
    assert decide(snapshot, app_of(plain.app()), subject).outcome is Outcome.USER_MAY_CONSENT
