"""What a comparison says: which changes, what they mean, what caused what, and what wasn't compared."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.compare import DifferentTenants, comparable, compare, decided_again
from auditor.consent.decide import decide
from auditor.facts.ids import MICROSOFT_GRAPH, POLICY_RECOMMENDED
from auditor.facts.permissions import known_scopes
from auditor.model.difference import ChangeKind, Transition, Weight
from auditor.model.resources import ConditionSet, OAuth2PermissionGrant, ServicePrincipal, VerifiedPublisher
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Provenance, Snapshot, Unread
from tests.compare.states import FIRST, SECOND, TENANT, judged, major, minor, packs, replace, tenant, with_section

APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
DECISION = f"decision/{APP}/ordinary member"
ASSIGNED = "setting/permissionGrantPoliciesAssigned"


def assigned(*policies: str) -> dict[str, Any]:
    return {
        "authorizationPolicy": {
            "defaultUserRolePermissions": {
                "permissionGrantPoliciesAssigned": [f"ManagePermissionGrantsForSelf.{one}" for one in policies]
            }
        }
    }


def with_excluded(snapshot: Snapshot, policy_id: str, *scopes: str) -> Snapshot:
    """The snapshot in which the policy's first exclude of Microsoft Graph also has these scopes."""
    ids = tuple(known_scopes(MICROSOFT_GRAPH)[one.lower()].id for one in scopes)
    policies = []
    for policy in snapshot.sections.permissionGrantPolicies or ():
        if policy.id == policy_id:
            first = next(one for one in policy.excludes or () if one.resourceApplication == MICROSOFT_GRAPH)
            wider = replace(first, permissions=(*first.permissions, *ids))
            policy = replace(policy, excludes=tuple(wider if one is first else one for one in policy.excludes or ()))
        policies.append(policy)
    return with_section(snapshot, permissionGrantPolicies=tuple(policies))


def without_excluded(snapshot: Snapshot, policy_id: str, *names: str) -> Snapshot:
    ids = {known_scopes(MICROSOFT_GRAPH)[one.lower()].id for one in names}

    def narrower(one: ConditionSet) -> ConditionSet:
        return replace(one, permissions=tuple(p for p in one.permissions if p not in ids))

    policies = tuple(
        replace(policy, excludes=tuple(map(narrower, policy.excludes or ()))) if policy.id == policy_id else policy
        for policy in snapshot.sections.permissionGrantPolicies or ()
    )
    return with_section(snapshot, permissionGrantPolicies=policies)


MAILBOX = ("Mail.ReadWrite", "Calendars.ReadWrite", "Contacts.ReadWrite")


def test_another_content_of_the_managed_policy_explains_why_users_can_no_longer_connect() -> None:
    verified = VerifiedPublisher(displayName="Vendor", verifiedPublisherId="1")
    after = tenant("admin-consented", SECOND, **assigned(POLICY_RECOMMENDED))
    after = with_client(with_section(after, oauth2PermissionGrants=()), verifiedPublisher=verified)
    before = replace(without_excluded(after, POLICY_RECOMMENDED, *MAILBOX), taken=FIRST)
    changes = major(compare(judged(before), judged(after)))
    policy, decision = changes[f"policy/{POLICY_RECOMMENDED}"], changes[DECISION]
    assert decision.because_of == (policy.key,)
    assert decision.before["outcome"], decision.after["outcome"] == ("user-may-consent", "needs-admin")
    assert {one["scope"] for one in decision.after["scopes"]} >= set(MAILBOX)
    (conditions,) = {one["condition_set"] for one in decision.after["scopes"] if one["verdict"] == "blocked"}
    for change in (policy, decision):
        assert change.means.startswith("Users can no longer connect TrackerRMS: ")
        assert "excluded by the Microsoft-managed policy" in change.means
        assert conditions in change.means
    assert [one["id"] for one in policy.after["excludes"]] == [conditions]


def test_a_policy_without_an_app_in_question_says_which_permissions_it_now_excludes() -> None:
    before = tenant("managed-default")
    after = replace(with_excluded(before, POLICY_RECOMMENDED, "Bookings.Read.All", "Notes.Read"), taken=SECOND)
    (change,) = compare(comparable(snapshot=before), comparable(snapshot=after)).changes
    assert change.key == f"policy/{POLICY_RECOMMENDED}"
    assert "now also excludes Bookings.Read.All and Notes.Read (condition set " in change.means


def test_a_change_without_an_effect_says_so() -> None:
    before = tenant("admin-consented")
    after = replace(with_excluded(before, POLICY_RECOMMENDED, "Notes.Read"), taken=SECOND)
    change = major(compare(judged(before), judged(after)))[f"policy/{POLICY_RECOMMENDED}"]
    assert change.means.endswith("This doesn't change who can connect TrackerRMS.")


def test_another_consent_setting_names_both_and_causes_the_decision() -> None:
    before, after = tenant("legacy-open"), tenant("legacy-open", SECOND, **assigned())
    changes = major(compare(judged(before), judged(after)))
    assert changes[DECISION].because_of == (ASSIGNED,)
    assert changes[ASSIGNED].means.startswith(
        "Users can no longer connect TrackerRMS: user consent is switched off in this tenant. The user consent setting"
    )
    bare = compare(comparable(snapshot=before), comparable(snapshot=after))
    assert major(bare)[ASSIGNED].means == (
        'The user consent setting was "Allow user consent for apps" and is now "Do not allow user consent".'
    )


def test_an_effect_that_other_changes_undo_is_said_to_be_of_this_change_alone() -> None:
    changes = major(compare(judged(tenant("legacy-open")), judged(tenant("managed-default", SECOND))))
    assert changes[DECISION].means.startswith("Users can no longer connect TrackerRMS: ")
    gone = changes[f"app/{APP}"]
    assert gone.means.startswith("With this change alone, whether an ordinary user can connect TrackerRMS depends on ")


def test_a_list_that_is_only_named_does_not_change_to_itself() -> None:
    policies = tenant("managed-default").sections.permissionGrantPolicies or ()
    text = msgspec.json.encode(policies)
    own = msgspec.json.decode(text.replace(TENANT.id.encode(), b"33333333-3333-4333-8333-333333333333"))
    after = tenant("managed-default", SECOND, permissionGrantPolicies=own)
    found = major(compare(judged(tenant("managed-default")), judged(after)))
    assert found
    assert all("for apps of listed tenants, with other conditions" in one.means for one in found.values())


def test_two_changes_that_are_only_effective_together_are_both_named() -> None:
    before = tenant("low-unclassified")
    classified = tenant("low-classified").sections.delegatedPermissionClassifications
    after = replace(with_section(before, delegatedPermissionClassifications=classified), taken=SECOND)
    difference = compare(judged(before), judged(after))
    decision = major(difference)[DECISION]
    assert len(decision.because_of) == 9
    assert all(key.startswith("classification/") for key in decision.because_of)
    assert major(difference)[decision.because_of[0]].transition is Transition.APPEARED


@pytest.mark.parametrize(
    ("changes", "key", "means"),
    [
        pytest.param(
            {"adminConsentRequestPolicy": {"isEnabled": True}},
            "setting/adminConsentWorkflow/isEnabled",
            "AADSTS90095",
            id="the workflow is switched on",
        ),
        pytest.param(
            {"adminConsentRequestPolicy": {"reviewers": [{"query": "/users/1", "queryType": "MicrosoftGraph"}]}},
            "setting/adminConsentWorkflow/reviewers",
            "doesn't change who can connect",
            id="another reviewer",
        ),
        pytest.param(
            {"authorizationPolicy": {"allowUserConsentForRiskyApps": True}},
            "setting/allowUserConsentForRiskyApps",
            "TrackerRMS",
            id="consent to risky apps",
        ),
    ],
)
def test_settings_are_compared_one_by_one(changes: dict[str, Any], key: str, means: str) -> None:
    before, after = tenant("managed-default"), tenant("managed-default", SECOND, **changes)
    found = major(compare(judged(before), judged(after)))
    assert means in found[key].means


def grant(scope: str, user: str = "", row: str = "g1") -> OAuth2PermissionGrant:
    principal = next(p for p in tenant("admin-consented").sections.servicePrincipals or () if p.appId == APP)
    graph = next(p for p in tenant("admin-consented").sections.servicePrincipals or () if p.appId == MICROSOFT_GRAPH)
    return OAuth2PermissionGrant(
        id=row,
        clientId=principal.id,
        resourceId=graph.id,
        consentType="Principal" if user else "AllPrincipals",
        principalId=user or None,
        scope=scope,
    )


def with_grants(*rows: OAuth2PermissionGrant, taken: str = FIRST) -> Snapshot:
    return with_section(tenant("admin-consented", taken), oauth2PermissionGrants=rows)


GRANT = f"grant/{APP}/{MICROSOFT_GRAPH}/delegated"


def test_grants_gained_and_lost_are_said_for_everyone_and_for_single_users() -> None:
    before = with_grants(grant("Mail.Read User.Read"), grant("Files.Read", "u1", "g2"))
    after = with_grants(grant("User.Read Mail.Send"), grant("Files.Read", "u2", "g3"), taken=SECOND)
    change = major(compare(judged(before), judged(after)))[GRANT]
    assert (change.before["permissions"], change.after["permissions"]) == (
        ["Mail.Read", "User.Read"],
        ["Mail.Send", "User.Read"],
    )
    bare = major(compare(comparable(snapshot=before), comparable(snapshot=after)))[GRANT]
    assert bare.means == (
        "TrackerRMS gained Mail.Send on Microsoft Graph for all users; TrackerRMS lost Mail.Read on Microsoft Graph for"
        " all users; one user granted Files.Read on Microsoft Graph to TrackerRMS; one user lost the grant of"
        " Files.Read on Microsoft Graph for TrackerRMS."
    )
    assert bare.client_id == APP


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(grant("Mail.Read User.Read"), grant("user.read Mail.Read"), id="order and case of scopes"),
        pytest.param(grant("Mail.Read"), grant("Mail.Read", row="g9"), id="a new id for the same row"),
    ],
)
def test_the_same_grant_written_differently_is_noise(
    before: OAuth2PermissionGrant, after: OAuth2PermissionGrant
) -> None:
    difference = compare(judged(with_grants(before)), judged(with_grants(after, taken=SECOND)))
    assert not major(difference)
    assert set(minor(difference)) == {GRANT}


def with_client(snapshot: Snapshot, **facts: Any) -> Snapshot:
    rows = (replace(one, **facts) if one.appId == APP else one for one in snapshot.sections.servicePrincipals or ())
    return with_section(snapshot, servicePrincipals=tuple(rows))


@pytest.mark.parametrize(
    ("facts", "name", "means"),
    [
        pytest.param({"accountEnabled": False}, "enabled", "sign-in to the app is switched off", id="disabled"),
        pytest.param(
            {"appRoleAssignmentRequired": True}, "assignment-required", "the app requires assignment", id="assignment"
        ),
        pytest.param({"isDisabled": True}, "deactivated", "the publisher has deactivated", id="deactivated"),
    ],
)
def test_an_app_that_stops_working_says_what_users_notice(facts: dict[str, Any], name: str, means: str) -> None:
    before = tenant("admin-consented")
    difference = compare(judged(before), judged(replace(with_client(before, **facts), taken=SECOND)))
    key = f"app/{APP}/{name}"
    assert means in major(difference)[key].means
    assert major(difference)[DECISION].because_of == (key,)


def test_a_renamed_app_is_noise() -> None:
    before = tenant("admin-consented")
    difference = compare(judged(before), judged(with_client(before, displayName="Tracker")))
    assert not major(difference)
    assert f"app/{APP}/name" in minor(difference)


def test_an_app_that_was_added_again_with_the_same_grants_is_noise() -> None:
    before, again = tenant("admin-consented"), "99999999-aaaa-4bbb-8ccc-dddddddddddd"
    old = next(one.id for one in before.sections.servicePrincipals or () if one.appId == APP)
    grants = tuple(
        replace(row, id=f"new {row.id}", clientId=again) if row.clientId == old else row
        for row in before.sections.oauth2PermissionGrants or ()
    )
    after = with_section(with_client(before, id=again), oauth2PermissionGrants=grants)
    difference = compare(judged(before), judged(replace(after, taken=SECOND)))
    assert not major(difference)
    assert set(minor(difference)) == {GRANT, f"app/{APP}/name"}


def test_another_description_of_the_app_is_no_change_of_the_tenant() -> None:
    snapshot = tenant("managed-default")
    (pack,) = (one for one in packs() if one.app)
    assert pack.app
    narrower = replace(pack, app=replace(pack.app, scopes=pack.app.scopes[:5]), digest="1" * 64)
    decision = major(compare(judged(snapshot, (pack,)), judged(snapshot, (narrower,))))[DECISION]
    assert decision.means.startswith("The tenant decides as before, and the pack describes the app in another way.")
    assert decision.because_of == ()


def test_new_and_removed_apps_appear_and_go() -> None:
    before = tenant("admin-consented")
    added = ServicePrincipal(id="sp9", appId="9b0f7d3e-1111-4222-8333-444455556666", displayName="New")
    rows = before.sections.servicePrincipals or ()
    whole = replace(before, covers={})
    after = with_section(whole, servicePrincipals=(*rows, added))
    (change,) = compare(comparable(snapshot=whole), comparable(snapshot=after)).changes
    assert (change.key, change.transition) == (f"app/{added.appId}", Transition.APPEARED)
    (change,) = compare(comparable(snapshot=after), comparable(snapshot=whole)).changes
    assert change.transition is Transition.FIXED
    assert not compare(comparable(snapshot=before), comparable(snapshot=after)).changes, "it may have been there before"


def test_a_new_app_without_a_name_goes_by_the_one_that_is_known_for_its_client_id() -> None:
    before = replace(tenant("admin-consented"), covers={})
    added = ServicePrincipal(id="sp9", appId="b50c1dbd-1855-4e54-b07c-d3c3029e93d3")
    grants = before.sections.oauth2PermissionGrants or ()
    after = with_section(
        before,
        servicePrincipals=(*(before.sections.servicePrincipals or ()), added),
        oauth2PermissionGrants=(*grants, replace(grants[0], id="g9", clientId="sp9")),
    )
    changes = compare(comparable(snapshot=before), comparable(snapshot=after)).changes
    assert {change.kind for change in changes} == {ChangeKind.APP, ChangeKind.GRANT}
    assert all("Spark" in change.means for change in changes)


def test_what_one_side_did_not_read_is_said_once_and_is_no_change() -> None:
    before = tenant("managed-default")
    refused = Unread(status=403, code="Authorization_RequestDenied", needs=("Policy.Read.PermissionGrant",))
    after = with_section(tenant("managed-default", SECOND), permissionGrantPolicies=None)
    after = replace(after, unread={"permissionGrantPolicies": refused})
    difference = compare(judged(before), judged(after))
    (note,) = difference.not_compared
    assert note.section == "permissionGrantPolicies"
    assert note.why == (
        "the later read doesn't have it: permissionGrantPolicies could not be read (needs Policy.Read.PermissionGrant)"
    )
    unknown = {Transition.BECAME_UNKNOWN, Transition.BECAME_KNOWN}
    assert {change.transition for change in difference.changes} <= unknown
    assert difference.summary.new == difference.summary.fixed == 0


def test_findings_are_compared_by_fingerprint_with_counts() -> None:
    before, after = judged(tenant("legacy-open")), judged(tenant("legacy-open", SECOND, **assigned()))
    difference = compare(before, after)
    findings = [one for one in difference.changes if one.kind is ChangeKind.FINDING]
    assert before.report and after.report
    failed = [
        {f.fingerprint for f in side.findings if f.outcome is FindingOutcome.FAIL}
        for side in (before.report, after.report)
    ]
    assert {f"finding/{one}" for one in failed[1] - failed[0]} == {
        one.key for one in findings if one.transition is Transition.APPEARED
    }
    assert difference.summary.new == len(failed[1] - failed[0])
    assert difference.summary.fixed == len(failed[0] - failed[1])
    assert difference.summary.still_failing == len(failed[0] & failed[1])
    assert all(one.severity for one in findings)


def test_a_pack_on_one_side_and_a_changed_pack_are_said_once() -> None:
    snapshot = tenant("managed-default")
    tracker, scuba = packs()
    fewer = replace(scuba, digest="0" * 64, rules=scuba.rules[1:])
    difference = compare(judged(snapshot, (tracker, scuba)), judged(snapshot, (fewer,)))
    notes = {note.section: note.why for note in difference.not_compared}
    assert notes["packs/trackerrms-uk"] == "only the earlier report applies the pack trackerrms-uk"
    assert "changed from version" in notes["packs/cisa-scuba"]
    assert scuba.rules[0].id in notes["packs/cisa-scuba"]
    assert "TrackerRMS" in notes["decisions"]
    assert not difference.changes


def test_the_permissions_of_the_audit_are_compared_if_the_same_app_read_the_tenant() -> None:
    before = replace(tenant("managed-default"), provenance=Provenance(reader="r", permissions=("A.Read", "B.Read")))
    after = replace(before, provenance=Provenance(reader="R", permissions=("b.read", "C.Read")))
    changes = major(compare(comparable(snapshot=before), comparable(snapshot=after)))
    assert {key: one.transition for key, one in changes.items()} == {
        "permission/a.read": Transition.FIXED,
        "permission/c.read": Transition.APPEARED,
    }
    other = replace(before, provenance=Provenance(reader="other", permissions=()))
    difference = compare(comparable(snapshot=before), comparable(snapshot=other))
    assert not difference.changes
    assert [note.section for note in difference.not_compared] == ["permissions of the audit"]


def test_two_reports_alone_are_compared_as_far_as_they_hold_it() -> None:
    before, after = judged(tenant("managed-default")), judged(tenant("legacy-open", SECOND))
    assert before.report and after.report
    difference = compare(comparable(before.report), comparable(after.report))
    assert major(difference)[DECISION].transition is Transition.CHANGED
    assert "settings, apps and the content of policies" in {note.section for note in difference.not_compared}


def test_a_report_and_a_snapshot_alone_have_nothing_in_common_and_this_is_said() -> None:
    report = comparable(judged(tenant("legacy-open")).report)
    for sides in (
        (report, comparable(snapshot=tenant("consent-off"))),
        (comparable(snapshot=tenant("consent-off")), report),
    ):
        difference = compare(*sides)
        assert difference.not_compared[0].section == "everything but the permissions of the audit"


def test_each_change_says_between_which_reads_it_happened() -> None:
    difference = compare(judged(tenant("legacy-open")), judged(tenant("legacy-open", SECOND, **assigned())))
    assert {(one.since.after, one.since.before) for one in difference.changes if one.since} == {(FIRST, SECOND)}


def test_the_earlier_time_comes_first_also_if_the_reads_are_named_the_other_way_round() -> None:
    difference = compare(judged(tenant("legacy-open", SECOND, **assigned())), judged(tenant("legacy-open")))
    assert {(one.since.after, one.since.before) for one in difference.changes if one.since} == {(FIRST, SECOND)}


def test_two_tenants_are_refused() -> None:
    other = replace(tenant("managed-default"), tenant=replace(TENANT, id="t2", name="Other"))
    with pytest.raises(DifferentTenants, match=r"Contoso Talent .* and Other \(t2\)"):
        compare(judged(tenant("managed-default")), judged(other))


def test_the_order_of_everything_is_noise() -> None:
    before = tenant("low-classified")
    sections = before.sections
    turned = with_section(
        before,
        servicePrincipals=tuple(reversed(sections.servicePrincipals or ())),
        permissionGrantPolicies=tuple(
            replace(one, includes=tuple(reversed(one.includes or ())))
            for one in reversed(sections.permissionGrantPolicies or ())
        ),
        directorySettings=tuple(reversed(sections.directorySettings or ())),
    )
    difference = compare(judged(before), judged(turned))
    assert all(one.weight is Weight.MINOR for one in difference.changes)


def test_grants_of_other_apps_are_not_decided_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of apps hold grants on Microsoft Graph; deciding after each change would take hours."""
    graph = grant("").resourceId
    apps = tuple(ServicePrincipal(id=f"sp{n}", appId=f"app{n}", displayName=f"App {n}") for n in range(50))
    rows = tuple(
        OAuth2PermissionGrant(clientId=one.id, resourceId=graph, consentType="AllPrincipals", scope="User.Read")
        for one in apps
    )
    base = replace(tenant("admin-consented"), covers={})
    before = with_section(base, servicePrincipals=(*(base.sections.servicePrincipals or ()), *apps))
    after = with_section(before, oauth2PermissionGrants=(*(before.sections.oauth2PermissionGrants or ()), *rows))
    sides = judged(before, packs()[:1]), judged(replace(after, taken=SECOND), packs()[:1])
    decided: list[object] = []

    def counted(*given: Any) -> Any:
        decided.append(given)
        return decide(*given)

    monkeypatch.setattr(decided_again, "decide", counted)
    assert len(major(compare(*sides))) == 50
    assert len(decided) == 2, "once for each side"
