"""What decides besides consent: Exchange Web Services, apps that need another app first, and earlier grants.

Sources: Microsoft, "Control access to EWS in Exchange" (EwsEnabled, EwsAllowedAppIDs, X-EWS-Policy-Reason) and
"Deprecation of Exchange Web Services in Exchange Online"; Claude's connector for Microsoft 365, whose client needs a
server app (a vendor's help page); blog-en.topedia.com, ?p=58770 (Doodle keeps working for users who consented earlier).
"""

from __future__ import annotations

import msgspec
import pytest

from auditor.checks.findings import judge
from auditor.checks.kind import CheckContext, connecting
from auditor.consent.decide import decide
from auditor.facts.access_requirements import outside_the_audit, unknowns_about_scopes
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, RESOURCES
from auditor.facts.permissions import known_scopes
from auditor.fixes import fixes_for
from auditor.fixes.change_kinds import apply_all
from auditor.model.decision import Confidence, Outcome, Reason
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal
from auditor.model.rule import App, NeededApp, RequestMode, ScopeNeed, VendorAdvice
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample
from tests.fixes.tenants import APP, PACK, with_sections

SERVER = "07c030f6-2d1e-4c5b-8f3a-6b7c8d9e0f10"
SECOND = "17c030f6-2d1e-4c5b-8f3a-6b7c8d9e0f10"
EWS = ScopeNeed(resource=EXCHANGE_ONLINE, value="EWS.AccessAsUser.All")
replace = msgspec.structs.replace


@pytest.mark.parametrize(
    "need",
    [
        pytest.param(EWS, id="of Exchange Online"),
        pytest.param(ScopeNeed(resource=MICROSOFT_GRAPH, value="ews.accessasuser.all"), id="of Graph, in any case"),
        pytest.param(replace(EWS, required=False), id="optional"),
    ],
)
@pytest.mark.parametrize("name", ["managed-default", "legacy-open", "consent-off", "admin-consented"])
def test_consent_to_ews_is_necessary_and_not_sufficient(name: str, need: ScopeNeed) -> None:
    snapshot = sample(name)
    plain = decide(
        snapshot, replace(APP, scopes=(*APP.scopes, ScopeNeed(resource=need.resource, value="IMAP.AccessAsUser.All")))
    )
    decision = decide(snapshot, replace(APP, scopes=(*APP.scopes, need)))
    (unknown,) = decision.unknowns
    assert "necessary, not sufficient" in unknown.why and "EwsAllowedAppIDs" in unknown.verify
    assert plain.unknowns == ()
    assert (decision.confidence, decision.caveats) == (plain.confidence, plain.caveats) or not need.required


def test_an_unknown_behind_consent_never_changes_the_verdict() -> None:
    decision = decide(sample("admin-consented"), replace(APP, scopes=(*APP.scopes, replace(EWS, required=False))))
    assert (decision.outcome, decision.confidence) == (Outcome.CONNECTS_SILENTLY, Confidence.CERTAIN)
    assert decision.unknowns


def test_every_scope_that_the_table_names_exists() -> None:
    for one in unknowns_about_scopes():
        for name, scopes in one.scopes.items():
            assert {scope.lower() for scope in scopes} <= set(known_scopes(RESOURCES[name]))
    assert all(text.endswith(".") for text in outside_the_audit())


def needing(*apps: NeededApp) -> App:
    return replace(APP, also_needs=apps)


NEEDS_SERVER = needing(NeededApp(client_id=SERVER, name="Vendor server"))


def having(snapshot: Snapshot, *app_ids: str, absent: tuple[str, ...] = (), enabled: bool = True) -> Snapshot:
    added = (ServicePrincipal(id=f"object {app}", appId=app, accountEnabled=enabled) for app in app_ids)
    sections = snapshot.sections
    return with_sections(
        snapshot,
        servicePrincipals=(*(sections.servicePrincipals or ()), *added),
        absentServicePrincipals=(*(sections.absentServicePrincipals or ()), *absent),
    )


def test_an_app_that_is_needed_first_and_missing_is_the_cause() -> None:
    decision = decide(having(sample("admin-consented"), absent=(SERVER,)), NEEDS_SERVER)
    assert (decision.outcome, decision.reason) == (Outcome.BLOCKED, Reason.NEEDED_APP_MISSING)
    assert decision.confidence is Confidence.CERTAIN
    assert "Vendor server" in decision.because and "AADSTS650052" in decision.code
    (text,) = decision.advice
    assert f"adminconsent?client_id={SERVER}" in text and "before Vendor server is in this tenant" in text


def test_the_first_missing_app_is_named_even_if_it_is_the_api_of_a_scope() -> None:
    app = needing(NeededApp(client_id=SERVER, name="First"), NeededApp(client_id=SECOND, name="Second"))
    app = replace(app, scopes=(*app.scopes, ScopeNeed(resource=SERVER, value="access_as_user")))
    decision = decide(having(sample("admin-consented"), absent=(SERVER, SECOND)), app)
    assert decision.reason is Reason.NEEDED_APP_MISSING
    assert "First" in decision.because and any("Second" in text for text in decision.also)
    assert not any("license" in text for text in decision.also)


def test_an_app_that_is_needed_and_there_changes_nothing() -> None:
    snapshot = having(sample("admin-consented"), SERVER)
    assert decide(snapshot, NEEDS_SERVER).outcome is decide(snapshot, APP).outcome


def test_an_app_that_is_needed_and_was_not_read_is_unknown() -> None:
    decision = decide(sample("admin-consented"), NEEDS_SERVER)
    assert decision.outcome is Outcome.DEPENDS
    assert any("Vendor server, which it also needs, is in this tenant" in text for text in decision.depends_on)


def test_an_app_that_is_needed_and_switched_off_is_named() -> None:
    decision = decide(having(sample("admin-consented"), SERVER, enabled=False), NEEDS_SERVER)
    assert (decision.reason, decision.code) == (Reason.RESOURCE_DISABLED, "AADSTS500014")
    assert "Vendor server" in decision.because and "Vendor server" in decision.advice[0]


CHAIN = needing(NeededApp(client_id=SERVER, name="First"), NeededApp(client_id=SECOND, name="Second"))


def test_the_fix_adds_the_needed_apps_in_their_order_and_is_proven() -> None:
    snapshot = having(sample("admin-consented"), absent=(SERVER, SECOND))
    fix = fixes_for(snapshot, CHAIN)[0]
    assert (fix.key, fix.proven.outcome) == ("R1-needed", "connects-silently")
    first, second, wait = fix.steps.portal
    assert SERVER in first and SECOND in second and "First and Second are listed" in wait
    assert fix.link.endswith(SERVER)
    assert [request.body for request in fix.proven.applied] == [{"appId": SERVER}, {"appId": SECOND}]
    assert apply_all(apply_all(snapshot, fix.proven.applied), fix.undo_graph).sections.servicePrincipals == (
        snapshot.sections.servicePrincipals
    )


def test_consent_to_the_app_itself_comes_after_the_apps_that_it_needs() -> None:
    fixes = fixes_for(having(sample("managed-default"), SECOND, absent=(SERVER,)), CHAIN)
    assert fixes and all(fix.key.startswith("R1-needed+") for fix in fixes if fix.key != "R8")
    assert fixes[0].steps.portal[0].startswith(f"Open {fixes[0].link}") and fixes[0].link.endswith(SERVER)


def test_the_rule_advises_the_needed_app_first() -> None:
    snapshot = having(sample("admin-consented"), absent=(SERVER, SECOND))
    rules = tuple(rule for rule in PACK.rules if rule.id == "VENDOR-CONNECT")
    (found,) = judge(replace(PACK, app=CHAIN, rules=rules), CheckContext(snapshot, CHAIN))
    assert found.outcome == "fail" and found.remediation.link.endswith(SERVER)


def test_an_api_of_the_vendor_whose_scopes_nobody_knows_yet_has_advice_and_no_unproven_fix() -> None:
    app = replace(CHAIN, scopes=(*CHAIN.scopes, ScopeNeed(resource=SERVER, value="access_as_user")))
    snapshot = having(sample("admin-consented"), SECOND, absent=(SERVER,))
    assert fixes_for(snapshot, app) == ()
    assert SERVER in decide(snapshot, app).advice[0]


def test_a_need_that_the_vendor_does_not_state_is_only_likely() -> None:
    app = needing(NeededApp(client_id=SERVER, name="Vendor server", assumed=True))
    decision = decide(having(sample("admin-consented"), absent=(SERVER,)), app)
    assert (decision.outcome, decision.confidence) == (Outcome.BLOCKED, Confidence.LIKELY)


def test_the_apps_that_an_app_needs_are_read() -> None:
    assert SERVER in connecting(NEEDS_SERVER).resources


def test_the_vendors_advice_comes_with_a_judgement() -> None:
    advice = VendorAdvice(says="Choose the managed setting.", judgement="It excludes 10 of its 16 scopes.")
    decision = decide(sample("managed-default"), replace(APP, vendor_advice=(advice,)))
    assert decision.vendor_says == (advice.says, f"This project's view: {advice.judgement}")


ENOUGH = " ".join(need.value for need in APP.scopes)


def granted_to(*scopes: str) -> Snapshot:
    """A managed tenant in which one user after the other consented to these scopes before it became so narrow."""
    snapshot = sample("admin-consented")
    graph = next(p for p in snapshot.sections.servicePrincipals or () if p.appId == MICROSOFT_GRAPH)
    client = next(p for p in snapshot.sections.servicePrincipals or () if p.appId == APP.client_id)
    rows = (
        OAuth2PermissionGrant(
            clientId=client.id, resourceId=graph.id, consentType="Principal", principalId=f"user {n}", scope=scope
        )
        for n, scope in enumerate(scopes)
    )
    return with_sections(snapshot, oauth2PermissionGrants=tuple(rows))


def test_the_app_still_works_for_those_who_connected_before() -> None:
    decision = decide(granted_to(ENOUGH, ENOUGH, "User.Read"), APP)
    assert (decision.outcome, decision.users_with_grant) == (Outcome.NEEDS_ADMIN, 3)
    first, second = decision.works_for
    assert "still works for 2 of the 3 users" in first
    assert "for a colleague and not for a new user" in first
    assert "asks for one more permission" in second
    assert not any("personal grant" in note for note in decision.notes)


def test_an_earlier_grant_that_is_too_small_helps_nobody() -> None:
    (text,) = decide(granted_to("User.Read"), APP).works_for
    assert "lacks a scope" in text and "helps nobody" in text


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param({"prompt_consent": True}, id="the app asks everybody again"),
        pytest.param({"mode": RequestMode.DEFAULT}, id="the app asks for its registered permissions"),
    ],
)
def test_whom_it_works_for_depends_on_how_the_app_asks(facts: dict[str, object]) -> None:
    decision = decide(granted_to(ENOUGH), replace(APP, **facts))
    assert bool(decision.works_for) is (not facts.get("prompt_consent"))


def test_where_users_can_consent_an_earlier_grant_explains_nothing() -> None:
    decision = decide(
        with_sections(granted_to(ENOUGH), authorizationPolicy=sample("legacy-open").sections.authorizationPolicy), APP
    )
    assert decision.works_for == () and decision.users_with_grant == 1
