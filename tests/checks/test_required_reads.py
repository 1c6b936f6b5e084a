"""The rules decide the reads, and the reads the permissions."""

from __future__ import annotations

import pytest

from auditor.checks.combinations import AllOf, AnyOf, Not
from auditor.checks.consent_policies import AssignedPolicies, UsersCanConsent
from auditor.checks.directory_settings import DirectorySettingIs
from auditor.checks.grants import AppRolesHeld, DelegatedGrants
from auditor.checks.kind import CheckKind, plan_for, reads_directory, reads_of
from auditor.checks.permission_lists import Classifications
from auditor.checks.properties import EveryItem, ItemCount, ListContains, PropertyIs
from auditor.checks.required_reads import permissions_for, sections_of
from auditor.checks.user_consent import ConsentWorkflow, UserConsentSettingIs
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, RESOURCES, SHAREPOINT_ONLINE
from auditor.facts.permissions import PERMISSIONS
from auditor.model.rule import App, Pack, Rule, ScopeNeed, Severity
from auditor.model.sections import TENANT_SECTIONS, permissions_to_read
from auditor.model.snapshot import Plan
from auditor.packs.load import load_packs

TRACKERRMS = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
OTHER = App(client_id="11111111-2222-3333-4444-555555555555", scopes=(ScopeNeed(resource=EXCHANGE_ONLINE, value="x"),))


def pack_of(*checks: ConsentWorkflow | UserConsentSettingIs) -> Pack:
    rules = (Rule(id=str(n), title="T", severity=Severity.LOW, why="W", check=c) for n, c in enumerate(checks))
    return Pack(name="mine", version="1", title="Mine", rules=tuple(rules))


def test_a_vendor_pre_flight_reads_what_decides_and_no_more() -> None:
    assert plan_for(load_packs(["trackerrms-uk", "trackerrms-us"])) == Plan(
        sections=(
            "organization",
            "authorizationPolicy",
            "permissionGrantPolicies",
            "adminConsentRequestPolicy",
            "roleDefinitions",
            "conditionalAccessPolicies",
        ),
        clients=(TRACKERRMS,),
        resources=(MICROSOFT_GRAPH, EXCHANGE_ONLINE),
    )


@pytest.mark.parametrize(
    ("check", "plan"),
    [
        pytest.param(
            PropertyIs(path="authorizationPolicy.guestUserRoleId", present=True),
            Plan(sections=("authorizationPolicy",)),
            id="a property",
        ),
        pytest.param(
            ListContains(path="authorizationPolicy.enabledPreviewFeatures"),
            Plan(sections=("authorizationPolicy",)),
            id="a list",
        ),
        pytest.param(
            ItemCount(of="servicePrincipals", at_most=1),
            Plan(whole=("servicePrincipals",)),
            id="a count of service principals",
        ),
        pytest.param(EveryItem(of="signIns", has=()), Plan(whole=("signIns",)), id="every sign-in"),
        pytest.param(
            ItemCount(of="delegatedPermissionClassifications"),
            Plan(resources=tuple(RESOURCES.values())),
            id="a count of classifications",
        ),
        pytest.param(ItemCount(of="appRoleAssignedTo"), Plan(), id="a count of assignments"),
        pytest.param(ItemCount(of="absentServicePrincipals"), Plan(), id="a count of absent principals"),
        pytest.param(
            DirectorySettingIs(name="x", present=True), Plan(sections=("directorySettings",)), id="a directory setting"
        ),
        pytest.param(
            ConsentWorkflow(compare_setting=True),
            Plan(sections=("adminConsentRequestPolicy", "directorySettings")),
            id="the consent workflow",
        ),
        pytest.param(
            AssignedPolicies(expect="none"),
            Plan(sections=("authorizationPolicy", "permissionGrantPolicies")),
            id="assigned policies: none",
        ),
        pytest.param(
            AssignedPolicies(expect="not-everything"),
            Plan(
                sections=("authorizationPolicy", "permissionGrantPolicies"),
                resources=(MICROSOFT_GRAPH, EXCHANGE_ONLINE),
            ),
            id="assigned policies: not everything",
        ),
        pytest.param(
            UsersCanConsent(expect="nobody", asked_by="own-app", scopes={"microsoft-graph": ("Mail.Read",)}),
            Plan(sections=("authorizationPolicy", "permissionGrantPolicies"), resources=(MICROSOFT_GRAPH,)),
            id="what users can consent to",
        ),
        pytest.param(
            DelegatedGrants(), Plan(whole=("oauth2PermissionGrants", "servicePrincipals")), id="delegated grants"
        ),
        pytest.param(
            AppRolesHeld(lists=("files-app-only",)),
            Plan(clients=(MICROSOFT_GRAPH, SHAREPOINT_ONLINE), whole=("servicePrincipals",)),
            id="app roles held",
        ),
        pytest.param(
            Classifications(lists=("files",)),
            Plan(resources=(MICROSOFT_GRAPH, SHAREPOINT_ONLINE)),
            id="classifications on two resources",
        ),
        pytest.param(
            Classifications(lists=("cisa-risky",)),
            Plan(resources=tuple(RESOURCES.values())),
            id="classifications on every resource",
        ),
        pytest.param(
            AnyOf(checks=(Not(check=ConsentWorkflow()), AllOf(checks=(UserConsentSettingIs(),)))),
            Plan(sections=("adminConsentRequestPolicy", "authorizationPolicy")),
            id="checks inside checks",
        ),
    ],
)
def test_a_check_reads_what_it_looks_at(check: CheckKind, plan: Plan) -> None:
    assert reads_of(check, None) == plan


def test_a_question_about_the_packs_own_app_reads_what_decides_it() -> None:
    plan = reads_of(UsersCanConsent(expect="allowed"), OTHER)
    assert (plan.clients, plan.resources) == ((OTHER.client_id,), (MICROSOFT_GRAPH, EXCHANGE_ONLINE))
    assert reads_of(ItemCount(of="appRoleAssignedTo"), OTHER) == Plan(clients=(OTHER.client_id,))


def test_only_what_asks_for_the_whole_directory_reads_it_page_by_page() -> None:
    benchmarks = load_packs(["cis-m365", "cisa-scuba", "eidsca", "microsoft-recommended", "zero-trust-assessment"])
    assert plan_for(benchmarks).whole == ("appConsentRequests",)
    assert not reads_directory(plan_for(benchmarks))
    assert plan_for(load_packs(["grants-hygiene"])).whole == ("oauth2PermissionGrants", "servicePrincipals")


def test_rules_about_the_tenant_read_no_app() -> None:
    assert plan_for([pack_of(ConsentWorkflow())]) == Plan(sections=("organization", "adminConsentRequestPolicy"))
    assert plan_for([pack_of(UserConsentSettingIs())]) == Plan(sections=("organization", "authorizationPolicy"))


def test_an_extra_app_is_read_like_one_of_a_pack() -> None:
    plan = plan_for(load_packs(["trackerrms-uk"]), OTHER)
    assert plan.clients == (OTHER.client_id, TRACKERRMS)
    assert plan.resources == (MICROSOFT_GRAPH, EXCHANGE_ONLINE)
    assert plan_for([], OTHER).sections == plan_for(load_packs(["trackerrms-uk"])).sections


def test_a_plan_without_packs_still_names_the_tenant() -> None:
    assert plan_for([]) == Plan(sections=("organization",))


def test_each_read_is_asked_for_with_its_least_permission() -> None:
    needed = permissions_for(plan_for(load_packs(["trackerrms-uk"])))
    assert [(n.permission, n.sections, n.alternatives) for n in needed] == [
        ("Organization.Read.All", ("organization",), ("Directory.Read.All",)),
        ("Policy.Read.All", ("authorizationPolicy", "adminConsentRequestPolicy", "conditionalAccessPolicies"), ()),
        ("Policy.Read.PermissionGrant", ("permissionGrantPolicies",), ()),
        ("RoleManagement.Read.Directory", ("roleDefinitions",), ("Directory.Read.All",)),
        (
            "Application.Read.All",
            ("servicePrincipals", "appRoleAssignedTo", "delegatedPermissionClassifications"),
            ("Directory.Read.All",),
        ),
        ("DelegatedPermissionGrant.Read.All", ("oauth2PermissionGrants",), ("Directory.Read.All",)),
    ]


EVERYTHING = Plan(
    sections=TENANT_SECTIONS,
    clients=("c",),
    resources=("r",),
    app_roles_of=("c",),
    app_roles_on=("r",),
    users=("u",),
    beta_policies=("p",),
    assignments_of=("a",),
    whole=("servicePrincipals",),
)


def test_every_read_has_a_permission_and_every_permission_is_known() -> None:
    assert set(sections_of(EVERYTHING)) == set(TENANT_SECTIONS)
    assert {needed.permission for needed in permissions_for(EVERYTHING)} <= set(PERMISSIONS)


@pytest.mark.parametrize(
    ("plan", "section"),
    [
        pytest.param(Plan(users=("u",)), "users", id="users"),
        pytest.param(Plan(beta_policies=("p",)), "permissionGrantPolicies", id="policies from beta"),
        pytest.param(Plan(assignments_of=("a",)), "roleAssignments", id="role assignments"),
        pytest.param(Plan(whole=("oauth2PermissionGrants",)), "oauth2PermissionGrants", id="whole sections"),
    ],
)
def test_follow_up_reads_need_permissions_too(plan: Plan, section: str) -> None:
    (needed,) = permissions_for(plan)
    assert needed.sections == (section,)
    assert needed.permission == permissions_to_read(section)[0]
