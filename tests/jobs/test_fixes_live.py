"""Each fix carried out for real: its requests go to a Graph that takes writes, and a live audit is made again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest

from auditor.checks.kind import plan_for
from auditor.consent.decide import decide
from auditor.consent.decision_facts import workflow
from auditor.consent.requested_scopes import app_from_scopes
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.fixes import fixes_for
from auditor.fixes.change import CHOSEN_PRINCIPAL
from auditor.jobs.tenant_reader import read_tenant
from auditor.model.decision import Fix, Outcome
from auditor.model.rule import App
from auditor.model.snapshot import LiveTenant, Snapshot
from auditor.packs.load import load_packs
from auditor.snapshot.samples import sample, sample_names
from auditor.snapshot.write import dumps
from tests.fixes.tenants import BENCHMARKS, rule_fixes
from tests.graphserver import GraphServer, Status
from tests.graphserver.call import Call

PACKS = load_packs(["trackerrms-uk"])
assert PACKS[0].app is not None
APP = PACKS[0].app
REPORTS = Path(__file__).parent.parent / "cases/reports"
CASES = [
    (name, fix.key or fix.route)
    for name in sample_names()
    for fix in fixes_for(sample(name), APP)
    if fix.steps.graph and not fix.fill_in and fix.proven.subject == "ordinary member"
]


def live(server: GraphServer, app: App = APP) -> Snapshot:
    """The tenant as the real SDKs read it now, for the vendor's rules about `app`."""
    target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
    packs = [msgspec.structs.replace(PACKS[0], app=app)]
    return read_tenant(target, plan_for(packs), apps=[app], environ=server.env())


def carry_out(server: GraphServer, fix: Fix, whom: str = "") -> None:
    """Send the printed requests with an HTTP client, putting in the ids that earlier ones returned.

    A link is opened and accepted instead; the fixes that come with a link assign `whom` in the portal.
    """
    requests, returned = fix.steps.graph, {CHOSEN_PRINCIPAL: whom}
    if fix.link:
        accept(server, fix.link)
        requests = tuple(one for one in fix.proven.applied if one.url.endswith("/appRoleAssignedTo"))
    with httpx.Client(verify=server.trust, headers=server.bearer()) as client:
        for request in requests:
            url, body = request.url, json.dumps(request.body)
            for placeholder, value in returned.items():
                url, body = url.replace(placeholder, value), body.replace(placeholder, value)
            url = url.replace("https://graph.microsoft.com", server.graph)
            answer = client.request(request.method, url, content=body, headers={"Content-Type": "application/json"})
            assert answer.is_success, (request.method, url, answer.text)
            if request.returns:
                returned[request.returns] = answer.json()["id"]


@pytest.mark.parametrize(("name", "key"), CASES, ids=[f"{name}:{key}" for name, key in CASES])
def test_a_live_check_after_the_fix_gives_the_promised_outcome(name: str, key: str) -> None:
    document: dict[str, Any] = json.loads(dumps(sample(name)))
    with GraphServer(document, writable=True) as server:
        offered = {fix.key or fix.route: fix for fix in fixes_for(live(server), APP)}
        carry_out(server, offered[key])
        after = decide(live(server), APP)
    assert after.outcome.value == offered[key].proven.outcome


MAILROOM = "11111111-2222-4333-8444-555555555555"
OUTLOOK = "https://outlook.office.com"
MAIL = app_from_scopes(MAILROOM, f"{OUTLOOK}/IMAP.AccessAsUser.All {OUTLOOK}/SMTP.Send offline_access", name="Mailroom")
CALENDAR = app_from_scopes(MAILROOM, "Calendars.Read", name="Mailroom", redirect_uri="https://mailroom.example/cb")
FORCING = msgspec.structs.replace(
    app_from_scopes(MAILROOM, "offline_access User.Read Calendars.ReadWrite", name="Mailroom"), prompt_consent=True
)
"""Everything that it asks for is granted in its tenant."""
PERSON = "0a0a0a0a-1111-4222-8333-444444444444"


def reported(name: str, *, absent: bool = False, **properties: Any) -> dict[str, Any]:
    """The tenant of a report, with these properties of the app's service principal, or without the app."""
    document: dict[str, Any] = json.loads((REPORTS / f"{name}.json").read_text("utf-8"))
    sections = document["sections"]
    *resources, app = sections["servicePrincipals"]
    sections["servicePrincipals"] = resources if absent else [*resources, {**app, **properties}]
    if absent:
        sections |= {"absentServicePrincipals": [MAILROOM], "oauth2PermissionGrants": []}
    return document


def accept(server: GraphServer, link: str) -> None:
    """What Entra does when an administrator opens a consent link and accepts: it grants the scopes that are named.

    Read from the address alone. Sources: "Admin consent on the Microsoft identity platform"; Microsoft Graph,
    ``oAuth2PermissionGrant`` (a consent replaces what was granted for the tenant).
    """
    query = parse_qs(urlsplit(link).query, strict_parsing=True)
    assert urlsplit(link).path.endswith("/v2.0/adminconsent")
    (client_id,), (scopes,), (redirect,) = query["client_id"], query["scope"], query["redirect_uri"]
    named: dict[str, list[str]] = {}
    for scope in scopes.split():
        host, _, value = scope.rpartition("/")
        resource = {"https://outlook.office365.com": EXCHANGE_ONLINE}.get(host, MICROSOFT_GRAPH)
        named.setdefault(resource, []).append(value)
    with httpx.Client(verify=server.trust, headers=server.bearer(), base_url=f"{server.graph}/v1.0/") as client:

        def principal(app_id: str) -> dict[str, Any] | None:
            found = client.get("servicePrincipals", params={"$filter": f"appId eq '{app_id}'"}).json()["value"]
            return dict(found[0]) if found else None

        # A service principal gets the redirect URIs of its registration; Entra refuses any other in the link.
        registered = {"appId": client_id, "replyUrls": [redirect]}
        app = principal(client_id) or client.post("servicePrincipals", json=registered).json()
        assert redirect in app.get("replyUrls", [redirect])
        rows = client.get("oauth2PermissionGrants", params={"$filter": f"clientId eq '{app['id']}'"}).json()["value"]
        for resource, values in named.items():
            api = principal(resource)
            assert api is not None
            key = {"clientId": app["id"], "consentType": "AllPrincipals", "resourceId": api["id"]}
            row = next((one for one in rows if key.items() <= one.items()), None)
            answer = (
                client.patch(f"oauth2PermissionGrants/{row['id']}", json={"scope": " ".join(values)})
                if row
                else client.post("oauth2PermissionGrants", json={**key, "scope": " ".join(values)})
            )
            assert answer.is_success, answer.text


class Promise(NamedTuple):
    """A reported tenant, its app, and a fix that is offered there; `first` if no other fix may come before it."""

    document: dict[str, Any]
    app: App
    key: str
    first: bool = True


@pytest.mark.parametrize(
    "promise",
    [
        pytest.param(Promise(reported("dynamic-consent-link"), MAIL, "R1-scopes"), id="the link with the scopes"),
        pytest.param(Promise(reported("dynamic-consent-link"), MAIL, "R3", first=False), id="a grant through Graph"),
        pytest.param(
            Promise(reported("workflow-nobody-notified", absent=True), CALENDAR, "R1-scopes"), id="an absent app's link"
        ),
        pytest.param(
            Promise(reported("dynamic-consent-link", replyUrls=["urn:ietf:wg:oauth:2.0:oob"]), MAIL, "R3"),
            id="no redirect URI for a browser",
        ),
        pytest.param(
            Promise(reported("prompt-consent-first-screen"), FORCING, "R4"), id="a policy where consent is forced"
        ),
        pytest.param(
            Promise(
                reported("workflow-nobody-notified", appRoleAssignmentRequired=True), CALENDAR, "R1-scopes+R6-assign"
            ),
            id="assigning where nobody is assigned",
        ),
    ],
)
def test_a_live_check_of_a_reported_tenant_says_what_the_fix_promised(promise: Promise) -> None:
    app, subject = promise.app, ORDINARY_MEMBER
    with GraphServer(promise.document, writable=True) as server:
        offered = {fix.key: fix for fix in fixes_for(live(server, app), app)}
        fix = offered[promise.key]
        assert promise.first == (next(iter(offered)) == promise.key)
        carry_out(server, fix, PERSON)
        if fix.proven.subject == "newly assigned member":
            subject = Subject(user_id=PERSON)
        after = decide(live(server, app), app, subject)
    assert (after.outcome.value, after.confidence.value) == (fix.proven.outcome, fix.proven.confidence)


HALF = {
    "id": "half",
    "includes": [{"id": "s", "permissionType": "delegated", "permissions": ["e1fe6dd8-ba31-4d61-89e7-88639da4683d"]}],
    "excludes": [],
}
"""A policy of the tenant that approves User.Read, so that an audit reads it in beta too."""


def with_half_a_policy(name: str) -> dict[str, Any]:
    """A sample in which users may also consent under `HALF`."""
    document: dict[str, Any] = json.loads(dumps(sample(name)))
    sections = document["sections"]
    sections["permissionGrantPolicies"].append(HALF)
    role = sections["authorizationPolicy"]["defaultUserRolePermissions"]
    role["permissionGrantPoliciesAssigned"].append("ManagePermissionGrantsForSelf.half")
    return document


def _while(switch: list[bool], part: str) -> Callable[[Call], bool]:
    """Matches the calls with this part in their address as long as the switch is on."""
    return lambda call: switch[0] and part in call.text


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param("", id="nothing"),
        pytest.param("/beta/policies", id="policies in beta"),
        pytest.param("/oauth2PermissionGrants", id="grants"),
        pytest.param("/policies/adminConsentRequestPolicy", id="workflow"),
        pytest.param("/delegatedPermissionClassifications", id="classifications"),
    ],
)
def test_what_a_fix_promises_is_what_an_audit_that_is_refused_the_same_says(refused: str) -> None:
    document, promised = with_half_a_policy("low-unclassified"), set[tuple[str, str]]()
    for key in ("R1-scopes", "R3", "R4", "R5"):
        with GraphServer(document, writable=True) as server:
            auditing = [True]  # the administrator who carries out the fix is refused nothing
            if refused:
                server.fault(_while(auditing, refused), Status(403), times=None)
            offered = {fix.key or fix.route: fix for fix in fixes_for(live(server), APP)}
            if key not in offered:
                continue
            fix = offered[key]
            auditing[0] = False
            carry_out(server, fix)
            auditing[0] = True
            after = decide(live(server), APP)
        promised.add((key, fix.proven.confidence))
        if after.outcome is Outcome.DEPENDS:
            assert fix.proven.confidence == "likely", key
            assert any("can't confirm it" in doubt for doubt in fix.proven.doubts), key
        else:
            assert (after.outcome.value, after.confidence.value) == (fix.proven.outcome, fix.proven.confidence), key
    assert promised
    if refused == "/beta/policies":
        assert ("R4", "likely") in promised


def test_reviewers_hear_of_requests_after_the_fix() -> None:
    with GraphServer(reported("workflow-nobody-notified"), writable=True) as server:
        before = live(server, CALENDAR)
        carry_out(server, {fix.key: fix for fix in fixes_for(before, CALENDAR)}["R8"])
        after = live(server, CALENDAR)
    assert workflow(before).obstacle and not workflow(after).obstacle
    assert decide(after, CALENDAR).code == "AADSTS90095"


@pytest.mark.parametrize(
    ("rule", "key"),
    [
        pytest.param("CIS-5.1.5.1", "R9-none", id="no user consent"),
        pytest.param("MS.AAD.5.2v1", "R9-low-only", id="low-impact consent only"),
        pytest.param("MS.AAD.5.1v1", "R13-register-apps", id="no app registration"),
        pytest.param("MS.AAD.5.3v1", "R8", id="workflow"),
    ],
)
def test_a_benchmark_that_is_audited_live_after_the_fix_passes(rule: str, key: str) -> None:
    """The rule's fix leaves the entries for teams and chats in the list."""
    with GraphServer(json.loads(dumps(sample("managed-default"))), writable=True) as server:
        target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)

        def read() -> Snapshot:
            return read_tenant(target, plan_for(BENCHMARKS), packs=BENCHMARKS, environ=server.env())

        carry_out(server, rule_fixes(read())[rule][key])
        after = read()
    assert rule not in rule_fixes(after)
    policy = after.sections.authorizationPolicy
    role = policy.defaultUserRolePermissions if policy else None
    assert sum("ForOwnedResource" in one for one in (role and role.permissionGrantPoliciesAssigned) or ()) == 2


def test_there_are_fixes_to_carry_out() -> None:
    assert {key for _, key in CASES} >= {"R3", "R4", "R5", "R7"}


def test_a_server_that_does_not_allow_writes_refuses_them() -> None:
    with GraphServer(json.loads(dumps(sample("app-disabled")))) as server:
        (fix,) = (f for f in fixes_for(live(server), APP) if f.route == "R7")
        with pytest.raises(AssertionError, match="405 Method Not Allowed"):
            carry_out(server, fix)
        assert len(server.refused_writes) == 1
