"""Which application permissions an app holds, and what an administrator's grant of them makes possible."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.checks.findings import judge
from auditor.checks.kind import CheckContext, connecting
from auditor.consent.decide import decide
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.fixes import fixes_for
from auditor.fixes.change_kinds import apply_all
from auditor.model.decision import Confidence, RoleState
from auditor.model.report import Finding
from auditor.model.resources import AppRole, AppRoleAssignment
from auditor.model.rule import App, FindingOutcome, RequestMode, RoleNeed
from auditor.model.snapshot import Plan, Snapshot, Unread
from auditor.snapshot.samples import sample
from tests.fixes.tenants import APP, PACK, with_sections

replace = msgspec.structs.replace
MAIL_READ = "810c84a8-4a9e-49e6-bf7d-12d183f40d01"
IMAP = "5e5addcd-3e8d-4e90-baf5-964efab2b20a"
NEEDS = replace(APP, app_roles=(RoleNeed(resource=MICROSOFT_GRAPH, value="Mail.Read"),))


def tenant(name: str = "admin-consented", *, roles: Any = None, held: Any = None) -> Snapshot:
    """A sample in which Microsoft Graph publishes `roles` and the app holds `held`, if these lists are given."""
    snapshot = sample(name)
    principals = tuple(
        replace(one, appRoles=roles) if one.appId == MICROSOFT_GRAPH else one
        for one in snapshot.sections.servicePrincipals or ()
    )
    listed = None if held is None else {APP.client_id.upper(): held}
    return with_sections(snapshot, servicePrincipals=principals, appRoleAssignments=listed)


def object_id(snapshot: Snapshot, app_id: str) -> str:
    return next(one.id for one in snapshot.sections.servicePrincipals or () if one.appId == app_id)


def assignment(snapshot: Snapshot, role: str = MAIL_READ, **changes: Any) -> AppRoleAssignment:
    row = AppRoleAssignment(
        id="a",
        principalId=object_id(snapshot, APP.client_id),
        principalType="ServicePrincipal",
        resourceId=object_id(snapshot, MICROSOFT_GRAPH),
        appRoleId=role,
    )
    return replace(row, **changes)


PUBLISHED = (AppRole(id=MAIL_READ, value="Mail.Read", displayName="Read mail in all mailboxes", isEnabled=True),)
HELD = tenant(roles=PUBLISHED)


def state(snapshot: Snapshot, app: App = NEEDS) -> tuple[RoleState, str]:
    (verdict,) = decide(snapshot, app).app_roles
    return verdict.state, verdict.detail


@pytest.mark.parametrize(
    ("snapshot", "expected", "detail"),
    [
        pytest.param(
            tenant(roles=PUBLISHED, held=(assignment(HELD),)), RoleState.GRANTED, "by an administrator", id="granted"
        ),
        pytest.param(
            tenant(held=(assignment(HELD),)), RoleState.GRANTED, "by an administrator", id="by Microsoft's published id"
        ),
        pytest.param(tenant(roles=PUBLISHED, held=()), RoleState.NOT_GRANTED, "no administrator", id="not granted"),
        pytest.param(
            tenant(roles=PUBLISHED, held=(assignment(HELD, IMAP),)),
            RoleState.NOT_GRANTED,
            "no administrator",
            id="another permission",
        ),
        pytest.param(
            tenant(roles=PUBLISHED, held=(assignment(HELD, resourceId="other"),)),
            RoleState.NOT_GRANTED,
            "no administrator",
            id="of another resource",
        ),
        pytest.param(
            tenant(roles=PUBLISHED, held=(assignment(HELD, appRoleId=None),)),
            RoleState.UNKNOWN,
            "has no appRoleId",
            id="an assignment that lost its role",
        ),
        pytest.param(tenant(roles=PUBLISHED), RoleState.UNKNOWN, "TrackerRMS was not read", id="not read"),
        pytest.param(tenant(roles=(), held=()), RoleState.NOT_GRANTED, "no application permission", id="not published"),
        pytest.param(
            tenant(roles=(replace(PUBLISHED[0], isEnabled=False),), held=()),
            RoleState.NOT_GRANTED,
            "disabled",
            id="disabled by the resource",
        ),
        pytest.param(
            tenant(roles=(replace(PUBLISHED[0], allowedMemberTypes=("User",)),), held=()),
            RoleState.NOT_GRANTED,
            "no application permission",
            id="a role for users",
        ),
        pytest.param(
            tenant("managed-default", roles=(AppRole(id="1"),)),
            RoleState.NOT_GRANTED,
            "not in the tenant",
            id="an absent app, and a permission that isn't known",
        ),
        pytest.param(
            tenant("managed-default", roles=PUBLISHED), RoleState.NOT_GRANTED, "not in the tenant", id="an absent app"
        ),
    ],
)
def test_an_application_permission_is_granted_or_not_or_unknown(
    snapshot: Snapshot, expected: RoleState, detail: str
) -> None:
    found, why = state(snapshot)
    assert found is expected
    assert detail in why


def test_a_refused_read_is_unknown_and_names_the_permission_that_allows_it() -> None:
    unread = {f"appRoleAssignments/{APP.client_id}": Unread(status=403, needs=("Application.Read.All",))}
    found, why = state(replace(tenant(roles=PUBLISHED), unread=unread))
    assert found is RoleState.UNKNOWN and "needs Application.Read.All" in why


def test_the_list_of_the_resource_also_says_what_an_app_holds() -> None:
    snapshot = with_sections(HELD, appRoleAssignedTo={MICROSOFT_GRAPH: (assignment(HELD),)})
    assert state(snapshot)[0] is RoleState.GRANTED
    assert state(with_sections(HELD, appRoleAssignedTo={MICROSOFT_GRAPH: ()}))[0] is RoleState.NOT_GRANTED


def test_users_connect_whatever_the_app_holds_without_them() -> None:
    for name in ("managed-default", "admin-consented", "consent-off"):
        lacking, without = decide(tenant(name, held=()), NEEDS), decide(tenant(name, held=()), APP)
        assert replace(lacking, app_roles=()) == without


def test_only_an_app_with_application_permissions_costs_their_reads() -> None:
    assert connecting(APP).app_roles_of == () == connecting(APP).app_roles_on
    assert connecting(NEEDS) == connecting(APP).union(
        Plan(app_roles_of=(APP.client_id,), app_roles_on=(MICROSOFT_GRAPH,))
    )


# ---- The rule and its fixes -----------------------------------------------------------------------------------------


def finding(snapshot: Snapshot, app: App = NEEDS) -> Finding:
    """The finding of the rule about application permissions."""
    rules = tuple(rule for rule in PACK.rules if rule.id == "VENDOR-APP-ROLES")
    (found,) = judge(replace(PACK, app=app, rules=rules), CheckContext(snapshot, app))
    return found


@pytest.mark.parametrize(
    ("snapshot", "app", "outcome"),
    [
        pytest.param(tenant(roles=PUBLISHED, held=(assignment(HELD),)), NEEDS, FindingOutcome.PASS, id="granted"),
        pytest.param(tenant(roles=PUBLISHED, held=()), NEEDS, FindingOutcome.FAIL, id="not granted"),
        pytest.param(tenant(roles=PUBLISHED), NEEDS, FindingOutcome.UNKNOWN, id="not read"),
        pytest.param(tenant(held=()), APP, FindingOutcome.NOT_APPLICABLE, id="no such permission"),
        pytest.param(
            tenant(held=()),
            replace(APP, app_roles=(RoleNeed(resource=MICROSOFT_GRAPH, value="Mail.Read", required=False),)),
            FindingOutcome.NOT_APPLICABLE,
            id="only an optional one",
        ),
    ],
)
def test_the_rule_says_whether_an_administrator_granted_them(
    snapshot: Snapshot, app: App, outcome: FindingOutcome
) -> None:
    assert finding(snapshot, app).outcome is outcome


def test_the_fixes_are_the_exact_grant_and_the_consent_link_and_say_what_they_open() -> None:
    snapshot = tenant(roles=PUBLISHED, held=())
    exact, link = finding(snapshot).fixes
    assert [exact.key, link.key] == ["R3-roles", "R1-roles"]
    assert exact.proven.confidence == Confidence.CERTAIN and link.proven.confidence == Confidence.LIKELY
    for fix in (exact, link):
        assert fix.role == "Privileged Role Administrator"
        assert fix.opens["application"] == {"Microsoft Graph": ["Mail.Read"]} and fix.opens["breadth"] == "everybody"
        assert "in every mailbox of the tenant" in str(fix.opens["summary"]) and "every mailbox" in fix.expect
        after = apply_all(snapshot, fix.proven.applied)
        assert finding(after).outcome is FindingOutcome.PASS
    assert "adminconsent?client_id=" in link.link and link.steps.graph == ()
    (request,) = exact.steps.graph
    assert request.url.endswith(f"/servicePrincipals/{object_id(snapshot, APP.client_id)}/appRoleAssignments")
    assert "New-Mg" not in exact.steps.powershell and "appRoleAssignments" in exact.steps.az


def test_an_exchange_permission_needs_a_less_privileged_role() -> None:
    snapshot = tenant(held=())
    app = replace(APP, app_roles=(RoleNeed(resource=EXCHANGE_ONLINE, value="imap.accessasapp"),))
    assert {fix.role for fix in finding(snapshot, app).fixes} == {"Cloud Application Administrator"}


def test_an_app_that_is_not_in_the_tenant_gets_its_permissions_by_the_link_alone() -> None:
    snapshot = tenant("managed-default", roles=PUBLISHED)
    (link,) = finding(snapshot).fixes
    assert link.key == "R1-roles"
    assert [request.method for request in link.proven.applied] == ["POST", "POST"]


@pytest.mark.parametrize(
    "roles",
    [
        pytest.param((), id="a permission that the resource doesn't publish"),
        pytest.param((replace(PUBLISHED[0], isEnabled=False),), id="a permission that it disabled"),
    ],
)
def test_what_no_administrator_can_grant_has_no_fix(roles: tuple[AppRole, ...]) -> None:
    assert finding(tenant(roles=roles, held=())).fixes == ()


def test_an_undo_takes_the_permission_away_again() -> None:
    snapshot = tenant(roles=PUBLISHED, held=())
    exact = finding(snapshot).fixes[0]
    after = apply_all(snapshot, exact.proven.applied)
    assert finding(apply_all(after, exact.undo_graph)).outcome is FindingOutcome.FAIL


def test_the_link_for_the_scopes_names_the_role_that_the_application_permissions_need() -> None:
    app = replace(NEEDS, mode=RequestMode.DEFAULT, app_roles=(RoleNeed(resource=MICROSOFT_GRAPH, value="Not.Known"),))
    link = next(fix for fix in fixes_for(tenant("managed-default"), app) if fix.key == "R1")
    assert link.role == "Privileged Role Administrator"
