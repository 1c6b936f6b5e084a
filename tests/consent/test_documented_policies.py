"""Microsoft's documented text of the two managed policies, where the policies themselves could not be read.

Sources: Entra, "Manage app consent policies" (22 January 2026): popular mail clients get "all Microsoft Graph
and Office 365 Exchange Online permissions listed above", and spells MailBoxFolder and MailBoxSettings with a capital B;
entra-docs pull request 1941 (April 2026) would narrow it to mail permissions.
"""

from __future__ import annotations

import pytest

from auditor.consent.decide import decide
from auditor.facts.builtin_policies import documented_policy, uncertainties
from auditor.facts.ids import MICROSOFT_GRAPH, POLICY_MAIL_CLIENTS, POLICY_RECOMMENDED
from auditor.model.decision import Confidence, Decision, Outcome, Reason
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample
from tests.fixes.tenants import with_assigned, with_sections

THUNDERBIRD = "9e5f94bc-e8a4-4e73-b8be-63364c29d753"
REPORTED = "fb78d390-0c51-40cd-8e17-fdbfab77341b"
GRAPH_EXPLORER = "de8bc8b5-d9f9-48b1-a8ad-b748da725064"
OTHER = "4f6e2b0a-93d1-4c57-8a1e-6b7c8d9e0f12"
MANAGED = f"ManagePermissionGrantsForSelf.{POLICY_RECOMMENDED}"
MAIL_CLIENTS = f"ManagePermissionGrantsForSelf.{POLICY_MAIL_CLIENTS}"


def tenant(*, policies_read: bool) -> Snapshot:
    """A tenant with Microsoft's managed setting and the check box for mail clients."""
    snapshot = with_assigned(sample("managed-default"), MANAGED, MAIL_CLIENTS)
    absent = (*(snapshot.sections.absentServicePrincipals or ()), THUNDERBIRD, REPORTED, GRAPH_EXPLORER, OTHER)
    snapshot = with_sections(snapshot, absentServicePrincipals=absent)
    return snapshot if policies_read else with_sections(snapshot, permissionGrantPolicies=None)


def asking(client_id: str, *scopes: str, owner: str = OTHER) -> App:
    """An app of a verified publisher, so that risk-based step-up doesn't decide."""
    needs = tuple(ScopeNeed(resource=MICROSOFT_GRAPH, value=scope) for scope in scopes)
    return App(client_id=client_id, scopes=needs, owner_tenant=owner, publisher_verified=True)


def decided(app: App, *, policies_read: bool = False) -> Decision:
    return decide(tenant(policies_read=policies_read), app)


def test_a_listed_mail_client_is_not_refused_files_that_the_page_gives_it() -> None:
    decision = decided(asking(THUNDERBIRD, "User.Read", "offline_access", "Files.Read.All"))
    assert decision.outcome is Outcome.USER_MAY_CONSENT
    assert decision.confidence is Confidence.LIKELY
    assert any("proposed correction" in caveat for caveat in decision.caveats)


def test_mail_permissions_are_not_in_dispute() -> None:
    decision = decided(asking(THUNDERBIRD, "User.Read", "offline_access", "Mail.ReadWrite"))
    assert (decision.outcome, decision.confidence) == (Outcome.USER_MAY_CONSENT, Confidence.LIKELY)
    assert not any("proposed correction" in caveat for caveat in decision.caveats)


def test_an_app_that_one_report_lists_is_likely_a_mail_client_and_the_report_says_why() -> None:
    decision = decided(asking(REPORTED, "User.Read", "offline_access", "Mail.ReadWrite"))
    assert (decision.outcome, decision.confidence) == (Outcome.USER_MAY_CONSENT, Confidence.LIKELY)
    assert any("only one report" in caveat for caveat in decision.caveats)


def test_the_ids_in_the_tenants_own_policy_decide_once_it_is_read() -> None:
    listed = decided(asking(THUNDERBIRD, "User.Read", "offline_access", "Mail.ReadWrite"), policies_read=True)
    assert listed.outcome is Outcome.USER_MAY_CONSENT
    assert not any("documentation" in caveat for caveat in listed.caveats)
    # The sample's policy lists six apps, as Microsoft's page does.
    unlisted = decided(asking(REPORTED, "User.Read", "offline_access", "Mail.ReadWrite"), policies_read=True)
    assert (unlisted.outcome, unlisted.confidence) == (Outcome.NEEDS_ADMIN, Confidence.CERTAIN)


@pytest.mark.parametrize(
    ("own", "mentions"),
    [pytest.param(True, True, id="registered in this tenant"), pytest.param(False, False, id="registered elsewhere")],
)
def test_an_own_registration_is_not_exempt_but_that_is_not_stated(own: bool, mentions: bool) -> None:
    # A developer's own app that asked for Mail.ReadBasic got "Approval required" in a tenant with both policies.
    owner = tenant(policies_read=False).tenant.id if own else OTHER
    decision = decided(asking(OTHER, "Mail.ReadBasic", owner=owner))
    assert (decision.outcome, decision.reason) == (Outcome.NEEDS_ADMIN, Reason.SCOPE_EXCLUDED)
    assert decision.confidence is Confidence.LIKELY
    assert any("registered in this tenant" in caveat for caveat in decision.caveats) is mentions


@pytest.mark.parametrize("policies_read", [pytest.param(True, id="read"), pytest.param(False, id="documented")])
def test_a_verified_publisher_does_not_help_under_the_managed_policy(policies_read: bool) -> None:
    # Graph Explorer is Microsoft's own app of a verified publisher; a user was refused Calendars.Read.
    app = asking(GRAPH_EXPLORER, "Calendars.Read")
    decision = decided(app, policies_read=policies_read)
    assert (decision.outcome, decision.reason) == (Outcome.NEEDS_ADMIN, Reason.SCOPE_EXCLUDED)


def test_names_as_microsofts_page_spells_them_are_the_same_permissions() -> None:
    scopes = ("MailBoxFolder.Read", "MAILBOXSETTINGS.READ", "mailboxItem.read")
    decision = decided(asking(OTHER, *scopes), policies_read=True)
    found = {row.scope: row.reason for row in decision.scopes if not row.implicit}
    assert found == dict.fromkeys(
        ("MailboxFolder.Read", "MailboxSettings.Read", "MailboxItem.Read"), Reason.SCOPE_EXCLUDED
    )


def test_every_documented_policy_can_be_built_and_every_doubt_is_about_a_documented_scope() -> None:
    for policy_id in (POLICY_MAIL_CLIENTS, POLICY_RECOMMENDED):
        assert documented_policy(policy_id, OTHER) is not None

    def doubts(policy_id: str, approves: bool) -> tuple[str, ...]:
        return uncertainties(
            policy_id,
            approves=approves,
            client_id=THUNDERBIRD,
            own_tenant=False,
            resource=MICROSOFT_GRAPH,
            scope="Tasks.Read",
        )

    assert doubts(POLICY_MAIL_CLIENTS, approves=True)
    assert not doubts(POLICY_MAIL_CLIENTS, approves=False)
    assert not doubts("allow-mine", approves=True)
