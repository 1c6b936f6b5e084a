"""A predicted code explains back to the cause that was predicted, and a code that isn't predicted says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest

from auditor.consent.decide import decide
from auditor.explain.meaning import meanings
from auditor.explain.pasted_text import FoundCode, parse
from auditor.explain.tenant_answer import Asked, answer_about_app, answer_without_app
from auditor.facts.sign_in_codes import sign_in_codes
from auditor.jobs.pack_selection import shipped_packs
from auditor.model.access_resources import DirectoryAudit
from auditor.model.decision import Decision, Outcome
from auditor.model.explanation import TenantAnswer, TextFacts, TextKind
from auditor.model.resources import AdminConsentRequestPolicy, VerifiedPublisher
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from auditor.packs.app_catalog import catalog, catalog_pack
from auditor.snapshot.retarget_sample import retarget
from auditor.snapshot.samples import sample, sample_names

TEXT = TextFacts(kind=TextKind.CODE)


@cache
def apps() -> tuple[App, ...]:
    """Every app that a shipped pack or the catalogue describes, in each way in which it connects."""
    ways = ((one.name, *(f"{one.name}/{way.name}" for way in one.variants[1:])) for one in catalog())
    packs = (*shipped_packs(), *(catalog_pack(name) for names in ways for name in names))
    return tuple(dict.fromkeys(pack.app for pack in packs if pack.app is not None))


def decisions() -> Iterator[tuple[Snapshot, App, Decision]]:
    """The decision on every app in every sample tenant, in the place of the tenant's own app."""
    for name in sample_names():
        for app in apps():
            snapshot = retarget(sample(name), app)
            yield snapshot, app, decide(snapshot, app)


def answered(snapshot: Snapshot, app: App, codes: str, facts: TextFacts = TEXT) -> TenantAnswer:
    """The answer to these codes."""
    found = tuple(FoundCode(code) for code in codes.split())
    return answer_about_app(snapshot, Asked(facts, found, app), decide(snapshot, app), None)


def test_in_every_sample_and_for_every_app_the_predicted_code_explains_back_to_the_same_cause() -> None:
    compared = 0
    for snapshot, app, decision in decisions():
        for code in re.findall(r"AADSTS(\d+)", decision.code):
            found = (FoundCode(code),)
            answer = answer_about_app(snapshot, Asked(TEXT, found, app), decision, None)
            (meaning,) = meanings(found, decision)
            here = [cause for cause in sign_in_codes()[code].causes if decision.reason in cause.reasons]
            if decision.outcome is Outcome.DEPENDS:
                assert answer.agrees is None
                continue
            compared += 1
            case = (snapshot.tenant.name, app.label, decision.reason, code)
            assert answer.agrees is True, case
            assert here, case
            assert [cause.why for cause in meaning.causes if cause.here and cause.why == here[0].why], case
    assert len(apps()) > 60
    assert compared > 30 * len(sample_names())


def with_workflow(snapshot: Snapshot, enabled: bool | None) -> Snapshot:
    """The tenant with the admin consent workflow on, off or not read."""
    policy = AdminConsentRequestPolicy(isEnabled=enabled, reviewers=()) if enabled is not None else None
    sections = msgspec.structs.replace(snapshot.sections, adminConsentRequestPolicy=policy)
    return msgspec.structs.replace(snapshot, sections=sections)


def risky(snapshot: Snapshot, app: App) -> Snapshot:
    """The tenant in which every app's publisher isn't verified."""
    principals = tuple(
        msgspec.structs.replace(one, verifiedPublisher=msgspec.convert({}, VerifiedPublisher))
        if one.appId == app.client_id
        else one
        for one in snapshot.sections.servicePrincipals or ()
    )
    sections = msgspec.structs.replace(snapshot.sections, servicePrincipals=principals)
    return msgspec.structs.replace(snapshot, sections=sections)


@pytest.mark.parametrize(
    ("name", "code", "on", "off"),
    [
        pytest.param("managed-default", "90094", False, True, id="the code without the workflow"),
        pytest.param("managed-default", "90095", True, False, id="the code of the workflow"),
        pytest.param("managed-default", "90093", True, True, id="a code of both"),
        pytest.param("legacy-open", "900941", False, True, id="a risky app without the workflow"),
        pytest.param("legacy-open", "900981", True, False, id="a risky app with the workflow"),
    ],
)
def test_a_code_of_one_state_of_the_workflow_is_not_the_answer_in_the_other(
    name: str, code: str, on: bool, off: bool
) -> None:
    app = _trackerrms()
    tenant = sample(name) if name == "managed-default" else risky(sample(name), app)
    for enabled, agrees in ((True, on), (False, off)):
        answer = answered(with_workflow(tenant, enabled), app, code)
        assert answer.agrees is agrees, answer.says
        if not agrees:
            assert answer.says.endswith(f"because its admin consent workflow is {'on' if enabled else 'off'}.")
    assert answered(with_workflow(tenant, None), app, code).agrees is (on if on is off else None)


def test_a_code_that_both_states_of_the_workflow_give_is_the_answer_without_reading_it() -> None:
    app = _trackerrms()
    for enabled in (True, False, None):
        assert answered(with_workflow(sample("assignment-required"), enabled), app, "90094").agrees is True


def test_every_code_whose_meaning_names_the_state_of_the_workflow_has_it() -> None:
    for code, one in sign_in_codes().items():
        named = re.search("workflow is (on|off)", one.means)
        assert named is None or one.workflow is (named[1] == "on"), code
    assert [code for code, one in sign_in_codes().items() if one.workflow is not None] == [
        *("90094", "90095", "900941", "900981")
    ]


def test_a_tenant_that_lets_users_connect_disagrees_with_every_code_that_stops_them() -> None:
    snapshot, app = sample("admin-consented"), _trackerrms()
    for code in ("90094", "90095", "7000112", "650052", "50105"):
        answer = answered(snapshot, app, code)
        assert answer.agrees is False
        assert "lets the user connect" in answer.says
        assert answer.perhaps


def _trackerrms() -> App:
    return next(app for app in apps() if app.name == "TrackerRMS")


EXPLAINED = {
    "another tenant comes first": (
        {"tenant": "22222222-2222-4222-8222-222222222222", "user": "adele@fabrikam.example"},
        ("Another tenant", "Another account", "A change since then", "A stale token"),
    ),
    "the account of another domain comes next": (
        {"user": "adele@fabrikam.example"},
        ("Another account", "A change since then", "A stale token"),
    ),
    "an error before the read may be fixed by now": (
        {"at": "2026-11-01T10:00:00Z"},
        ("A change since then: the error is from 2026-11-01 10:00 UTC", "A stale token"),
    ),
    "an error after the read isn't explained by a change before it": (
        {"at": "2026-11-30T10:00:00Z"},
        ("A stale token", "Another account"),
    ),
}


@pytest.mark.parametrize(
    ("said", "first"), [pytest.param(said, first, id=name) for name, (said, first) in EXPLAINED.items()]
)
def test_a_disagreement_is_explained_in_the_order_of_what_the_text_shows(
    said: dict[str, str], first: tuple[str, ...]
) -> None:
    facts = msgspec.structs.replace(TEXT, **said)
    perhaps = answered(sample("admin-consented"), _trackerrms(), "90094", facts).perhaps
    assert [text.startswith(start) for text, start in zip(perhaps, first, strict=False)] == [True] * len(first), perhaps
    assert any(text.startswith("Conditional Access") for text in perhaps)


def test_a_consent_in_the_audit_log_after_the_error_is_named() -> None:
    snapshot = sample("admin-consented")
    entry = {
        "activityDisplayName": "Consent to application",
        "activityDateTime": "2026-11-20T09:00:00Z",
        "result": "success",
        "initiatedBy": {"user": {"userPrincipalName": "admin@contoso.example"}},
        "targetResources": [
            {
                "id": "0a0a0a0a-0000-4000-8000-000000000001",
                "displayName": "TrackerRMS",
                "modifiedProperties": [
                    {"displayName": "TargetId.ServicePrincipalNames", "newValue": f'"{_trackerrms().client_id}"'}
                ],
            }
        ],
    }
    rows = (msgspec.convert(entry, DirectoryAudit),)
    sections = msgspec.structs.replace(snapshot.sections, directoryAudits=rows)
    snapshot = msgspec.structs.replace(snapshot, sections=sections)
    facts = msgspec.structs.replace(TEXT, at="2026-11-19T09:00:00Z")
    (since,) = (one for one in answered(snapshot, _trackerrms(), "90094", facts).perhaps if "audit log" in one)
    consented = 'the audit log has "Consent to application" by admin@contoso.example at 2026-11-20 09:00 UTC.'
    assert since == f"A change since then: {consented}"


@pytest.mark.parametrize(
    ("changed", "is_named"),
    [
        pytest.param("AllowInvitesFrom", False, id="who may invite guests"),
        pytest.param("PermissionGrantPolicyIdsAssignedToDefaultUserRole", True, id="the consent policies of users"),
    ],
)
def test_a_changed_setting_is_named_only_if_it_can_decide_about_consent(changed: str, is_named: bool) -> None:
    snapshot = sample("admin-consented")
    entry = DirectoryAudit(
        activityDisplayName="Update authorization policy",
        activityDateTime="2026-11-20T09:00:00Z",
        targetResources=({"id": "p", "modifiedProperties": [{"displayName": changed, "newValue": '"x"'}]},),
    )
    sections = msgspec.structs.replace(snapshot.sections, directoryAudits=(entry,))
    snapshot = msgspec.structs.replace(snapshot, sections=sections)
    facts = msgspec.structs.replace(TEXT, at="2026-11-19T09:00:00Z")
    perhaps = answered(snapshot, _trackerrms(), "90094", facts).perhaps
    assert any('"Update authorization policy"' in one for one in perhaps) is is_named


def test_codes_that_consent_does_not_decide_neither_agree_nor_disagree() -> None:
    answer = answered(sample("managed-default"), _trackerrms(), "50126")
    assert answer.agrees is None
    assert answer.outcome is Outcome.NEEDS_ADMIN


def test_the_setting_that_decides_is_named_with_the_choice_of_the_tenant() -> None:
    answer = answered(sample("consent-off"), _trackerrms(), "90094")
    assert answer.setting is not None
    assert (answer.setting.label, answer.setting_value) == ("User consent setting", "Do not allow user consent")


def test_without_an_app_the_consent_setting_is_all_that_can_be_said() -> None:
    answer = answer_without_app(sample("consent-off"), "The text doesn't name the app.")
    assert (answer.outcome, answer.agrees, answer.setting_value) == (None, None, "Do not allow user consent")


def test_an_unknown_code_has_similar_ones_and_microsofts_address() -> None:
    (meaning,) = meanings(parse("AADSTS65051").codes)
    assert not meaning.known
    assert "AADSTS65001" in meaning.similar
    assert meaning.look_up == "https://login.microsoftonline.com/error?code=65051"


def test_the_name_of_an_error_is_followed_by_the_code_that_is_usually_behind_it() -> None:
    named, code = meanings(parse("https://app.example/cb?error=access_denied&state=1").codes)
    assert (named.code, code.code, code.inferred) == ("access_denied", "AADSTS65004", True)
