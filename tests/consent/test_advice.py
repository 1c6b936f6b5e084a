"""Where nothing in the tenant's consent settings can help, the decision says so, and whom to ask."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.consent.decide import decide
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.fixes import fixes_for
from auditor.model.decision import Decision
from auditor.model.resources import VerifiedPublisher
from auditor.model.rule import ScopeNeed
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample, sample_names
from tests.fixes.tenants import APP, with_assigned, with_client, with_sections


def decided(snapshot: Snapshot, **facts: Any) -> Decision:
    """The decision, with the proof that no fix claims otherwise where the advice says that nothing helps."""
    app = msgspec.structs.replace(APP, **facts)
    decision = decide(snapshot, app)
    if any(text.startswith(("Nothing in this tenant", "No consent")) for text in decision.advice):
        assert fixes_for(snapshot, app) == ()
    return decision


@pytest.mark.parametrize("name", [n for n in sample_names() if n != "app-disabled"])
def test_where_an_administrator_can_help_there_is_no_advice_to_ask_others(name: str) -> None:
    assert decided(sample(name)).advice == ()


def test_a_deactivated_app_is_its_publishers_matter() -> None:
    (text,) = decided(with_client(sample("admin-consented"), isDisabled=True)).advice
    assert "only the publisher" in text and "vendor" in text


def test_an_app_that_microsoft_disabled_is_microsofts_matter() -> None:
    status = "DisabledDueToViolationOfServicesAgreement"
    (text,) = decided(with_client(sample("admin-consented"), disabledByMicrosoftStatus=status)).advice
    assert "Only Microsoft" in text


def without(snapshot: Snapshot, app_id: str) -> Snapshot:
    """The same tenant without a resource."""
    principals = tuple(p for p in snapshot.sections.servicePrincipals or () if p.appId != app_id)
    absent = (*(snapshot.sections.absentServicePrincipals or ()), app_id)
    return with_sections(snapshot, servicePrincipals=principals, absentServicePrincipals=absent)


def test_a_missing_resource_of_microsofts_is_a_matter_of_licenses() -> None:
    needs = (ScopeNeed(resource=EXCHANGE_ONLINE, value="EWS.AccessAsUser.All"),)
    (text,) = decided(without(sample("managed-default"), EXCHANGE_ONLINE), scopes=needs).advice
    assert "license" in text and "Office 365 Exchange Online" in text


def test_another_missing_resource_is_its_vendors_matter() -> None:
    api = "ab12cd34-ef56-4789-a0b1-c2d3e4f5a612"
    needs = (ScopeNeed(resource=api, value="Orders.Read"),)
    (text,) = decided(without(sample("managed-default"), api), scopes=needs).advice
    assert f"before the API {api}" in text


def test_a_resource_that_is_switched_off_is_a_matter_of_subscriptions_or_of_whoever_did_it() -> None:
    snapshot = sample("managed-default")
    principals = tuple(
        msgspec.structs.replace(p, accountEnabled=False) if p.appId == MICROSOFT_GRAPH else p
        for p in snapshot.sections.servicePrincipals or ()
    )
    (text,) = decided(with_sections(snapshot, servicePrincipals=principals)).advice
    assert "renew" in text and "Microsoft Graph" in text


def test_a_redirect_uri_or_a_scope_that_does_not_exist_is_the_vendors_matter() -> None:
    (text,) = decided(with_client(sample("admin-consented"), replyUrls=("https://other.example.com",))).advice
    assert "redirect URI" in text and "vendor" in text
    needs = (ScopeNeed(resource=MICROSOFT_GRAPH, value="Mail.Sent"),)
    (text,) = decided(sample("managed-default"), scopes=needs).advice
    assert "Mail.Sent" in text and "Only the vendor" in text


def test_a_forced_consent_page_is_the_vendors_matter() -> None:
    decision = decided(with_assigned(sample("admin-consented")), prompt_consent=True)
    (text,) = decision.advice
    assert "prompt=consent" in text and "prompt=consent" in decision.because
    assert decision.reason.value == "consent-forced"


def test_a_forced_consent_page_is_not_the_only_reason_where_scopes_are_missing() -> None:
    decision = decided(with_assigned(sample("admin-consented-partly")), prompt_consent=True)
    first, then = decision.advice
    assert "prompt=consent" in first and "prompt=consent" in decision.because
    assert "Contacts.ReadWrite" in then and "/v2.0/adminconsent?" in then
    assert decision.reason.value == "user-consent-disabled"


def test_a_forced_consent_page_is_the_only_reason_if_users_may_consent_to_what_is_missing() -> None:
    tenant = sample("admin-consented")
    without_profile = tuple(
        msgspec.structs.replace(row, scope=" ".join(scope for scope in row.scope.split() if scope != "User.Read"))
        for row in tenant.sections.oauth2PermissionGrants or ()
    )
    managed = "ManagePermissionGrantsForSelf.microsoft-user-default-recommended"
    changed = with_assigned(with_sections(tenant, oauth2PermissionGrants=without_profile), managed)
    assert decided(changed).outcome.value == "user-may-consent"
    decision = decided(changed, prompt_consent=True)
    assert (decision.outcome.value, decision.reason.value) == ("needs-admin", "consent-forced")


def test_a_forced_consent_page_still_stands_in_the_way_of_an_app_that_is_enabled_again() -> None:
    decision = decided(with_assigned(sample("app-disabled")), prompt_consent=True)
    assert decision.reason.value == "app-disabled-in-tenant"
    assert "prompt=consent left out" in decision.advice[0]


def test_a_forced_consent_page_does_not_matter_for_a_disabled_app_whose_users_may_consent() -> None:
    legacy = "ManagePermissionGrantsForSelf.microsoft-user-default-legacy"
    assert decided(with_assigned(sample("app-disabled"), legacy), prompt_consent=True).advice == ()


def test_a_risky_app_can_be_verified_by_its_publisher() -> None:
    unverified = with_client(
        sample("admin-consented"),
        verifiedPublisher=VerifiedPublisher(),
        appOwnerOrganizationId="1c9d2e3f-4a5b-4c6d-8e7f-9a0b1c2d3e02",
    )
    legacy = "ManagePermissionGrantsForSelf.microsoft-user-default-legacy"
    decision = decided(with_assigned(with_sections(unverified, oauth2PermissionGrants=()), legacy))
    assert decision.reason.value == "risk-step-up"
    (text,) = decision.advice
    assert "verified" in text
    assert "R1" in [fix.route for fix in fixes_for(with_sections(unverified, oauth2PermissionGrants=()), APP)]
