"""What Conditional Access and a mailbox license do after consent: read from policies, never assumed.

Sources: Entra, "Conditional Access: Target resources" (2026-01-26, with the example scenarios), "Enforcement for
baseline scopes in Conditional Access" (2026-05-27), "Conditional Access: Users, groups, and workload identities",
"Conditional Access: Conditions", "Conditional Access: Grant", "Migrate approved client app to application protection
policy" (2026-03-24); Microsoft Graph, ``conditionalAccessPolicy`` and ``assignedPlan``.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.checks import kind_named
from auditor.checks.kind import CheckContext
from auditor.consent.after_consent import after_consent
from auditor.consent.decide import decide
from auditor.consent.subject import ORDINARY_MEMBER, Subject, subject_for
from auditor.facts.access_requirements import CODES, CONTROLS, DIRECTORY, EXCHANGE_PLANS, SERVICES
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, POWER_BI, ROLE_GLOBAL_ADMINISTRATOR, SHAREPOINT_ONLINE
from auditor.model.decision import Access, Effect, Reach
from auditor.model.rule import App, FindingOutcome, ScopeNeed
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import patched, sample

CLIENT = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
WEB = ("https://vendor.example/callback",)
NATIVE = ("http://localhost:3000", "vendor.example://auth")
USER, GROUP, OTHER = (f"0000000{n}-1111-4222-8333-444444444444" for n in (1, 2, 3))
NOBODY: dict[str, Any] = {
    "includeUsers": [],
    "excludeUsers": [],
    "includeGroups": [],
    "excludeGroups": [],
    "includeRoles": [],
    "excludeRoles": [],
}
ALL_USERS = {**NOBODY, "includeUsers": ["All"]}
ALL_APPS: dict[str, Any] = {"includeApplications": ["All"], "excludeApplications": []}


def policy(
    *controls: str, apps: Any = None, users: Any = None, when: Any = None, grant: Any = None, **more: Any
) -> dict[str, Any]:
    """A policy for all users and all resources that blocks, in Graph's form, with these differences."""
    conditions = {"applications": apps or ALL_APPS, "users": users or ALL_USERS, "clientAppTypes": ["all"]}
    return {
        "id": "ca1",
        "displayName": "CA1",
        "state": "enabled",
        "conditions": {**conditions, **(when or {})},
        "grantControls": {"operator": "OR", "builtInControls": list(controls) or ["block"], **(grant or {})},
        **more,
    }


def app(*scopes: str, addresses: tuple[str, ...] = WEB) -> App:
    """An app that asks for these scopes of Graph, or of another resource as ``ID/scope``."""
    pairs = [scope.rpartition("/") for scope in scopes or ("openid", "Mail.ReadWrite")]
    needs = tuple(ScopeNeed(resource=resource or MICROSOFT_GRAPH, value=value) for resource, _, value in pairs)
    return App(client_id=CLIENT, name="Mailer", redirect_uris=addresses, scopes=needs)


def tenant(*policies: dict[str, Any], **sections: Any) -> Snapshot:
    """A tenant with these policies in which an administrator consented to everything."""
    return patched(sample("admin-consented"), {"conditionalAccessPolicies": list(policies), **sections})


def judged(raw: dict[str, Any], of: App | None = None, subject: Subject = ORDINARY_MEMBER, **sections: Any) -> str:
    """``REACH EFFECT`` of one policy, or ``no``."""
    found = after_consent(tenant(raw, **sections), of or app(), subject).policies
    return f"{found[0].reach.value} {found[0].effect.value}" if found else "no"


def only(*included: str, excluded: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {"includeApplications": list(included), "excludeApplications": list(excluded), **more}


@pytest.mark.parametrize(
    ("apps", "scopes", "expected"),
    [
        pytest.param(ALL_APPS, (), "reaches", id="all resources"),
        pytest.param(only("None"), (), "no", id="no resource"),
        pytest.param(only("Office365"), (), "reaches", id="mail belongs to Microsoft 365"),
        pytest.param(only(EXCHANGE_ONLINE), (), "reaches", id="mail leads to Exchange"),
        pytest.param(only(EXCHANGE_ONLINE.upper()), (), "reaches", id="in any letter case"),
        pytest.param(only(SHAREPOINT_ONLINE), (), "no", id="mail doesn't lead to SharePoint"),
        pytest.param(only(SHAREPOINT_ONLINE), ("Files.Read",), "reaches", id="files lead to SharePoint"),
        pytest.param(only("MicrosoftAdminPortals"), (), "no", id="admin portals"),
        pytest.param(only("AllAgentIdResources"), (), "no", id="agents"),
        pytest.param(only("SomethingNew"), (), "may-reach", id="a word that is new"),
        pytest.param(only(OTHER), (), "no", id="another app"),
        pytest.param(only(OTHER), (f"{OTHER}/Orders.Read",), "reaches", id="the vendor's own resource"),
        pytest.param(only("Office365"), (f"{POWER_BI}/Report.Read.All",), "may-reach", id="not in the table"),
        pytest.param(only(EXCHANGE_ONLINE), ("Tasks.ReadWrite",), "may-reach", id="a scope whose service isn't named"),
        pytest.param(ALL_APPS, ("Tasks.ReadWrite",), "reaches", id="whatever its service is"),
        pytest.param(only("All", excluded=(EXCHANGE_ONLINE,)), (), "no", id="Exchange is excluded"),
        pytest.param(only("All", excluded=("Office365",)), (), "no", id="Microsoft 365 is excluded"),
        pytest.param(only("All", excluded=(EXCHANGE_ONLINE,)), ("Mail.Read", "Files.Read"), "reaches", id="files"),
        pytest.param(only("All", excluded=(CLIENT,)), (), "reaches", id="excluding the app doesn't help"),
        pytest.param(only(CLIENT), (), "may-reach", id="the app itself, for its ID token"),
        pytest.param(ALL_APPS, ("openid", "User.Read"), "reaches", id="sign-in alone, no exclusion"),
        pytest.param(only("All", excluded=(OTHER,)), ("openid", "User.Read"), "may-reach", id="baseline scopes"),
        pytest.param(only(DIRECTORY.app_id), ("openid", "User.Read"), "reaches", id="sign-in counts as directory"),
        pytest.param(only(DIRECTORY.app_id), ("User.Read", "Mail.Read"), "no", id="directory only if nothing else"),
        pytest.param({"includeApplications": ["All"]}, (), "may-reach", id="exclusions weren't read"),
        pytest.param({"excludeApplications": []}, (), "may-reach", id="inclusions weren't read"),
        pytest.param(only(includeUserActions=["urn:user:registerdevice"]), (), "no", id="a user action"),
        pytest.param(only(includeAuthenticationContextClassReferences=["c1"]), (), "no", id="a context"),
        pytest.param(
            only(applicationFilter={"mode": "include", "rule": "x"}), (), "may-reach", id="a filter selects resources"
        ),
        pytest.param(
            only("All", applicationFilter={"mode": "exclude", "rule": "x"}),
            (),
            "may-reach",
            id="a filter excludes",
        ),
        pytest.param(only(somethingNew=["x"]), (), "may-reach", id="a property that is new"),
    ],
)
def test_policies_apply_to_resources(apps: dict[str, Any], scopes: tuple[str, ...], expected: str) -> None:
    assert judged(policy(apps=apps), app(*scopes)).split()[0] == expected


def test_an_excluded_app_is_explained() -> None:
    (found,) = after_consent(tenant(policy(apps=only("All", excluded=(CLIENT,)))), app()).policies
    assert found.notes == (
        "excluding the app itself doesn't help: the policy is evaluated for the resources that it asks for",
    )


@pytest.mark.parametrize(
    ("when", "addresses", "expected"),
    [
        pytest.param({"clientAppTypes": ["exchangeActiveSync", "other"]}, WEB, "no", id="legacy authentication"),
        pytest.param({"clientAppTypes": ["browser"]}, WEB, "reaches", id="a web app in a browser"),
        pytest.param({"clientAppTypes": ["browser"]}, NATIVE, "no", id="not a desktop app"),
        pytest.param({"clientAppTypes": ["mobileAppsAndDesktopClients"]}, NATIVE, "reaches", id="a desktop app"),
        pytest.param({"clientAppTypes": ["browser"]}, (*WEB, *NATIVE), "may-reach", id="both kinds of address"),
        pytest.param({"clientAppTypes": ["browser", "mobileAppsAndDesktopClients"]}, (), "reaches", id="both"),
        pytest.param({"clientAppTypes": None}, WEB, "may-reach", id="kinds of apps weren't read"),
        pytest.param({"clientAppTypes": ["new"]}, WEB, "may-reach", id="a kind that is new"),
        pytest.param({"platforms": {"includePlatforms": ["iOS"], "excludePlatforms": []}}, WEB, "may-reach", id="iOS"),
        pytest.param(
            {"platforms": {"includePlatforms": ["all"], "excludePlatforms": []}}, WEB, "reaches", id="all platforms"
        ),
        pytest.param(
            {"locations": {"includeLocations": ["All"], "excludeLocations": []}}, WEB, "reaches", id="all places"
        ),
        pytest.param(
            {"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}},
            WEB,
            "may-reach",
            id="outside trusted places",
        ),
        pytest.param({"locations": {"includeLocations": [OTHER]}}, WEB, "may-reach", id="in some places"),
        pytest.param({"devices": {"deviceFilter": {"mode": "exclude", "rule": "x"}}}, WEB, "may-reach", id="devices"),
        pytest.param({"signInRiskLevels": ["high"]}, WEB, "may-reach", id="risky sign-ins"),
        pytest.param({"userRiskLevels": ["high"]}, WEB, "may-reach", id="risky users"),
        pytest.param({"insiderRiskLevels": "elevated"}, WEB, "may-reach", id="insider risk"),
        pytest.param({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, WEB, "no", id="flows, a web app"),
        pytest.param({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, NATIVE, "may-reach", id="flows"),
        pytest.param({"networkReputation": ["low"]}, WEB, "may-reach", id="a condition that is new"),
        pytest.param({"users": None}, WEB, "may-reach", id="users weren't read"),
        pytest.param({"applications": None}, WEB, "may-reach", id="resources weren't read"),
        pytest.param(
            {"users": None, "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}},
            WEB,
            "no",
            id="workload identities",
        ),
    ],
)
def test_conditions_on_the_sign_in(when: dict[str, Any], addresses: tuple[str, ...], expected: str) -> None:
    raw = policy(when=when)
    raw["conditions"] = {name: value for name, value in raw["conditions"].items() if value is not None}
    assert judged(raw, app(addresses=addresses)).split()[0] == expected


def test_without_any_condition_nobody_knows_when_it_applies() -> None:
    raw = policy()
    del raw["conditions"]
    assert judged(raw) == "may-reach stops"


def user(**more: Any) -> dict[str, Any]:
    """Sections with one user who is a direct member of one group."""
    row = {"id": USER, "userPrincipalName": "ada@litware.example", "userType": "Member", "memberOf": [{"id": GROUP}]}
    return {"users": [{**row, **more}], "roleAssignments": []}


MEMBER = {"includeGroups": [GROUP], "includeUsers": []}
ROLE = {"includeRoles": [ROLE_GLOBAL_ADMINISTRATOR]}
EXTERNAL = {"includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest"}}


@pytest.mark.parametrize(
    ("users", "ordinary", "named"),
    [
        pytest.param({"includeUsers": ["All"]}, "reaches", "reaches", id="everybody"),
        pytest.param({"includeUsers": ["None"]}, "no", "no", id="nobody"),
        pytest.param({"includeUsers": ["All"], "excludeUsers": [USER]}, "reaches", "no", id="all but the user"),
        pytest.param({"includeUsers": ["All"], "excludeGroups": [GROUP]}, "reaches", "no", id="all but the group"),
        pytest.param({"includeUsers": ["All"], "excludeGroups": [OTHER]}, "reaches", "may-reach", id="nested groups"),
        pytest.param({"includeUsers": [USER]}, "may-reach", "reaches", id="the user alone"),
        pytest.param({"includeUsers": [OTHER]}, "may-reach", "no", id="another user"),
        pytest.param(MEMBER, "may-reach", "reaches", id="the user's group"),
        pytest.param({"includeGroups": [OTHER]}, "may-reach", "may-reach", id="another group"),
        pytest.param(ROLE, "no", "no", id="administrators"),
        pytest.param({"includeUsers": ["GuestsOrExternalUsers"]}, "no", "no", id="guests"),
        pytest.param(EXTERNAL, "no", "no", id="external users"),
        pytest.param({"includeUsers": ["All"], "excludeUsers": None}, "may-reach", "may-reach", id="who is excluded"),
        pytest.param({"includeUsers": None}, "may-reach", "may-reach", id="inclusions not read"),
    ],
)
def test_users_groups_and_roles(users: dict[str, Any], ordinary: str, named: str) -> None:
    merged = {name: value for name, value in {**NOBODY, **users}.items() if value is not None}
    sections = user()
    found = subject_for(tenant(**sections), USER)
    assert isinstance(found, Subject)
    raw = policy(users=merged)
    assert judged(raw).split()[0] == ordinary
    assert judged(raw, subject=found, **sections).split()[0] == named


@pytest.mark.parametrize(
    ("sections", "users", "expected"),
    [
        pytest.param(user(userType="Guest"), {"includeUsers": ["GuestsOrExternalUsers"]}, "reaches", id="a guest"),
        pytest.param(user(userType="Guest"), EXTERNAL, "may-reach", id="which kind of guest"),
        pytest.param(user(memberOf=None), MEMBER, "may-reach", id="groups not read"),
        pytest.param({**user(), "roleAssignments": None}, ROLE, "may-reach", id="roles not read"),
        pytest.param(
            {
                **user(),
                "roleAssignments": [
                    {"principalId": GROUP, "roleDefinitionId": ROLE_GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"}
                ],
            },
            ROLE,
            "reaches",
            id="a role of the user's group",
        ),
        pytest.param(
            {
                **user(),
                "roleAssignments": [
                    {
                        "principalId": USER,
                        "roleDefinitionId": ROLE_GLOBAL_ADMINISTRATOR,
                        "directoryScopeId": "/administrativeUnits/1",
                    }
                ],
            },
            ROLE,
            "no",
            id="a role for a unit",
        ),
    ],
)
def test_what_is_known_about_a_user(sections: dict[str, Any], users: dict[str, Any], expected: str) -> None:
    found = subject_for(tenant(**sections), USER)
    assert isinstance(found, Subject)
    assert judged(policy(users={**NOBODY, **users}), subject=found, **sections).split()[0] == expected


STRONG = {"authenticationStrength": {"id": "00000000-0000-0000-0000-000000000004"}, "builtInControls": []}
PLAIN = {"authenticationStrength": {"id": "00000000-0000-0000-0000-000000000002"}, "builtInControls": []}


def strength(*combinations: str) -> dict[str, Any]:
    custom = {"id": OTHER, "displayName": "Ours", "allowedCombinations": list(combinations)}
    return {"authenticationStrength": custom, "builtInControls": []}


@pytest.mark.parametrize(
    ("controls", "grant", "effect", "codes"),
    [
        pytest.param(("block",), {}, Effect.STOPS, "53003", id="block"),
        pytest.param(("compliantDevice",), {}, Effect.STOPS, "53000", id="a compliant device"),
        pytest.param(("domainJoinedDevice",), {}, Effect.STOPS, "53001", id="a joined device"),
        pytest.param(("compliantApplication",), {}, Effect.STOPS, "53009", id="a protected app"),
        pytest.param(("approvedApplication",), {}, Effect.UNKNOWN, "53002", id="retired since June 2026"),
        pytest.param(("approvedApplication", "compliantApplication"), {}, Effect.STOPS, "53009", id="retired, next to"),
        pytest.param(("mfa",), {}, Effect.ASKS, "50076 50079", id="a second factor"),
        pytest.param(("mfa", "compliantDevice"), {}, Effect.ASKS, "50076 50079 53000", id="either is enough"),
        pytest.param(
            ("mfa", "compliantDevice"), {"operator": "AND"}, Effect.STOPS, "50076 50079 53000", id="both are needed"
        ),
        pytest.param(("mfa", "compliantDevice"), {"operator": None}, Effect.UNKNOWN, "50076 50079 53000", id="which"),
        pytest.param(("mfa",), {"operator": None}, Effect.ASKS, "50076 50079", id="one needs no operator"),
        pytest.param((), STRONG, Effect.STOPS, "50076 50079", id="phishing-resistant"),
        pytest.param((), PLAIN, Effect.ASKS, "50076 50079", id="the strength of any second factor"),
        pytest.param((), strength("fido2"), Effect.STOPS, "50076 50079", id="a strength of keys"),
        pytest.param((), strength("fido2", "password,sms"), Effect.ASKS, "50076 50079", id="a password will do"),
        pytest.param((), strength(), Effect.UNKNOWN, "50076 50079", id="a strength that wasn't read"),
        pytest.param((), {"builtInControls": [], "termsOfUse": ["t"]}, Effect.ASKS, "", id="terms of use"),
        pytest.param(("somethingNew",), {}, Effect.UNKNOWN, "", id="a control that is new"),
        pytest.param((), {"builtInControls": []}, Effect.UNKNOWN, "", id="controls that weren't read"),
        pytest.param(("mfa",), {"newControls": ["x"]}, Effect.ASKS, "50076 50079", id="one known control is enough"),
    ],
)
def test_what_policies_demand(controls: tuple[str, ...], grant: dict[str, Any], effect: Effect, codes: str) -> None:
    (found,) = after_consent(tenant(policy(*controls, grant=grant)), app()).policies
    assert found.effect is effect
    assert " ".join(code.removeprefix("AADSTS") for code in found.codes) == codes


def test_a_second_factor_for_risky_sign_ins_may_end_in_a_code_of_its_kind() -> None:
    (found,) = after_consent(tenant(policy("mfa", when={"signInRiskLevels": ["high"]})), app()).policies
    assert found.codes == ("AADSTS50076", "AADSTS50079", "AADSTS53004")


@pytest.mark.parametrize(
    ("grant", "session", "expected"),
    [
        pytest.param(None, {"signInFrequency": {"value": 1}}, "no", id="how often to sign in"),
        pytest.param(None, {"secureSignInSession": {"isEnabled": True}}, "reaches stops", id="token protection"),
        pytest.param(None, {"secureSignInSession": {"isEnabled": False}}, "no", id="token protection is off"),
        pytest.param(None, None, "reaches unknown", id="neither was read"),
    ],
)
def test_session_controls(grant: Any, session: Any, expected: str) -> None:
    assert judged({**policy(), "grantControls": grant, "sessionControls": session}) == expected


REPORTS = "enabledForReportingButNotEnforced"


@pytest.mark.parametrize(
    ("policies", "access", "outcome"),
    [
        pytest.param([], Access.PASSES, FindingOutcome.PASS, id="no policies"),
        pytest.param([policy()], Access.STOPS, FindingOutcome.FAIL, id="one stops"),
        pytest.param([policy(state="disabled")], Access.PASSES, FindingOutcome.PASS, id="disabled"),
        pytest.param([policy(state=REPORTS)], Access.PASSES, FindingOutcome.PASS, id="report-only"),
        pytest.param([policy(state=None)], Access.MAY_STOP, FindingOutcome.UNKNOWN, id="a state that wasn't read"),
        pytest.param([policy(state="new")], Access.MAY_STOP, FindingOutcome.UNKNOWN, id="a state that is new"),
        pytest.param([policy("mfa")], Access.ASKS, FindingOutcome.PASS, id="one asks"),
        pytest.param([policy("mfa"), policy(id="ca2")], Access.STOPS, FindingOutcome.FAIL, id="the worst counts"),
        pytest.param(
            [policy(users={**NOBODY, "includeGroups": [GROUP]})], Access.MAY_STOP, FindingOutcome.UNKNOWN, id="a group"
        ),
        pytest.param([{"id": "ca1"}], Access.MAY_STOP, FindingOutcome.UNKNOWN, id="nothing but an ID"),
        pytest.param(None, Access.UNKNOWN, FindingOutcome.UNKNOWN, id="policies weren't read"),
    ],
)
def test_all_policies_together(policies: list[Any] | None, access: Access, outcome: FindingOutcome) -> None:
    snapshot = patched(sample("admin-consented"), {"conditionalAccessPolicies": policies})
    kind = kind_named("conditional-access")
    assert kind is not None
    assert after_consent(snapshot, app()).access is access
    assert kind().judge(CheckContext(snapshot, app())).outcome is outcome


def test_the_decision_about_consent_does_not_depend_on_it() -> None:
    assert decide(tenant(policy()), app()) == decide(tenant(), app())


def test_enforced_policies_come_first_and_then_those_that_stop() -> None:
    policies = [policy("mfa", id="b"), policy(id="a", state=REPORTS), policy(id="d"), policy("mfa", id="c")]
    found = after_consent(tenant(*policies), app()).policies
    assert [one.id for one in found] == ["d", "b", "c", "a"]
    assert [one.enforced for one in found] == [True, True, True, False]


def test_words_for_a_reader() -> None:
    found = after_consent(sample("conditional-access"), app())
    assert found.because.startswith("Conditional Access stops ordinary users after consent, unless the sign-in meets")
    assert found.policies[0].label == '"CA010: Managed devices for Microsoft 365"'
    assert found.policies[1].reach is Reach.MAY_REACH
    assert found.policies[1].applies == (
        "to all users, except the members of 1 group",
        "for Office 365 Exchange Online",
        "from everywhere except certain locations",
    )


def test_a_policy_without_a_name_goes_by_its_id() -> None:
    policy = after_consent(sample("conditional-access"), app()).policies[0]
    assert msgspec.structs.replace(policy, name="").label == f"policy {policy.id}"
    assert msgspec.structs.replace(policy, name="", id="").label == "a policy whose name was not read"


PLAN_1, FOUNDATION = "9aaf7827-d63c-4b61-89c3-182f06f82e5c", "113feb6c-3fe4-4440-bddc-54d774bf0318"


def plan(plan_id: str | None = PLAN_1, status: str | None = "Enabled", service: str | None = "exchange") -> Any:
    return {"servicePlanId": plan_id, "capabilityStatus": status, "service": service}


@pytest.mark.parametrize(
    ("plans", "licensed"),
    [
        pytest.param([plan()], True, id="a mailbox"),
        pytest.param([plan(status="Warning")], True, id="in a grace period"),
        pytest.param([plan(status="Deleted")], False, id="removed"),
        pytest.param([plan(status="Suspended")], False, id="suspended"),
        pytest.param([plan(FOUNDATION)], False, id="Exchange without a mailbox"),
        pytest.param([plan(service="SharePoint")], False, id="another service"),
        pytest.param([], False, id="no plan"),
        pytest.param([plan(OTHER)], None, id="a plan that isn't in the table"),
        pytest.param([plan(None)], None, id="a plan without its ID"),
        pytest.param([plan(status=None)], None, id="a status that wasn't read"),
        pytest.param([plan(FOUNDATION, service=None)], False, id="a service that wasn't read"),
        pytest.param([plan(OTHER), plan()], True, id="one with a mailbox is enough"),
        pytest.param(None, None, id="plans weren't read"),
    ],
)
def test_whether_the_user_has_a_license_for_a_mailbox(plans: list[Any] | None, licensed: bool | None) -> None:
    sections = user() if plans is None else user(assignedPlans=plans)
    snapshot = tenant(**sections)
    found = subject_for(snapshot, USER)
    assert isinstance(found, Subject)
    mailbox = after_consent(snapshot, app(), found).mailbox
    assert mailbox is not None and mailbox.licensed is licensed
    assert after_consent(snapshot, app("Files.Read"), found).mailbox is None
    assert after_consent(snapshot, app()).mailbox is None


@pytest.mark.parametrize(
    ("scopes", "named"),
    [
        pytest.param(("EWS.AccessAsUser.All",), "EwsAllowedAppIDs", id="EWS"),
        pytest.param(("IMAP.AccessAsUser.All",), "ImapEnabled", id="IMAP"),
        pytest.param(("Mail.Read",), "EwsApplicationAccessPolicy", id="REST"),
    ],
)
def test_exchanges_own_settings_are_named_as_unknown(scopes: tuple[str, ...], named: str) -> None:
    texts = [f"{one.what} {one.why} {one.how}" for one in after_consent(tenant(), app(*scopes)).not_checked]
    assert any(named in text for text in texts)
    others = [f"{one.what} {one.why}" for one in after_consent(tenant(), app("Files.Read")).not_checked]
    assert not any("Exchange" in text or "IMAP" in text for text in others)


def test_the_tables_agree_with_each_other() -> None:
    assert {code for control in CONTROLS.values() for code in control.codes} <= set(CODES)
    assert {control.effect for control in CONTROLS.values()} <= {effect.value for effect in Effect}
    assert len({word for service in SERVICES for word in service.scopes}) == sum(len(s.scopes) for s in SERVICES)
    assert all(plan_id == plan_id.lower() for plan_id in EXCHANGE_PLANS)
    assert msgspec.json.encode(after_consent(tenant(), app()))
