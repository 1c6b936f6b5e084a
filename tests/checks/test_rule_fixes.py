"""Fixes of failing rules: each is the exact change to this tenant, and the rule passes after it."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.checks.findings import judge
from auditor.checks.kind import CheckContext, kind_of
from auditor.fixes.change_kinds import apply_all
from auditor.model.decision import Fix
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Snapshot
from auditor.packs.load import load_packs
from auditor.snapshot.samples import patched, sample, sample_names
from tests.fixes.tenants import BENCHMARKS, rule_fixes, with_sections
from tests.packs.text import SOUND, loaded

OWNED = "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for"
TEAMS, CHATS = f"{OWNED}-team", f"{OWNED}-chat"
LOW = "ManagePermissionGrantsForSelf.microsoft-user-default-low"
LEGACY = "ManagePermissionGrantsForSelf.microsoft-user-default-legacy"
RULES = {rule.id: rule for pack in BENCHMARKS for rule in pack.rules}


def assigned(*entries: str) -> dict[str, Any]:
    return {"authorizationPolicy": {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [*entries]}}}


def workflow(**settings: Any) -> dict[str, Any]:
    return {"adminConsentRequestPolicy": settings}


def entries_after(snapshot: Snapshot, fix: Fix) -> tuple[str, ...] | None:
    policy = apply_all(snapshot, fix.steps.graph).sections.authorizationPolicy
    role = policy.defaultUserRolePermissions if policy else None
    return role.permissionGrantPoliciesAssigned if role else None


@pytest.mark.parametrize("name", sample_names())
def test_each_fix_makes_its_rule_pass_and_its_undo_restores_the_tenant(name: str) -> None:
    before = sample(name)
    for rule, fixes in rule_fixes(before).items():
        for fix in fixes.values():
            after = apply_all(before, fix.steps.graph)
            result = kind_of(RULES[rule].check).judge(CheckContext(after))
            assert (result.outcome, result.outcome.value) == (FindingOutcome.PASS, fix.proven.outcome)
            assert result.reason == fix.proven.because
            assert apply_all(after, fix.undo_graph).sections == before.sections


@pytest.mark.parametrize(
    ("rule", "keys"),
    [
        pytest.param("CIS-5.1.5.1", ["R9-none"], id="CIS rules out all user consent"),
        pytest.param("MS.AAD.5.2v1", ["R9-none", "R9-low-only"], id="CISA accepts two settings, the strictest first"),
        pytest.param("EIDSCA.AP08", ["R9-low-only"], id="EIDSCA requires one"),
        pytest.param("ZTA-21776", ["R9-none", "R9-low-only"], id="Zero Trust Assessment"),
        pytest.param("MS-CONSENT-NOT-EVERYTHING", ["R9-none", "R9-low-only"], id="Microsoft"),
        pytest.param("CIS-5.1.2.2", ["R13-register-apps"], id="app registration"),
        pytest.param("CIS-5.1.5.2", ["R8"], id="workflow"),
        pytest.param("MS.AAD.5.3v1", ["R8"], id="workflow with reviewers"),
        pytest.param("EIDSCA.CP04", [], id="the older setting, which no fix changes"),
    ],
)
def test_a_benchmark_offers_the_settings_that_it_accepts(rule: str, keys: list[str]) -> None:
    assert list(rule_fixes(sample("legacy-open"))[rule]) == keys


@pytest.mark.parametrize(
    ("entries", "kept", "title"),
    [
        pytest.param([LEGACY, TEAMS, CHATS], (TEAMS, CHATS), ", and keep the entries for teams and chats", id="owners"),
        pytest.param([TEAMS, LEGACY, CHATS, LOW], (TEAMS, CHATS), "teams and chats", id="any order"),
        pytest.param(["MANAGEPERMISSIONGRANTSFORSELF.x", CHATS.upper()], (CHATS.upper(),), "teams", id="letter case"),
        pytest.param(["microsoft-user-default-legacy"], (), "Turn off user consent", id="an old tenant's bare id"),
        pytest.param([LEGACY], (), "Turn off user consent", id="nothing to keep"),
    ],
)
def test_the_new_list_keeps_every_entry_that_is_not_about_users_own_consent(
    entries: list[str], kept: tuple[str, ...], title: str
) -> None:
    tenant = patched(sample("legacy-open"), assigned(*entries))
    fixes = rule_fixes(tenant)["EIDSCA.AP08"] | rule_fixes(tenant)["ZTA-21776"]
    assert entries_after(tenant, fixes["R9-none"]) == kept
    assert entries_after(tenant, fixes["R9-low-only"]) == (LOW, *kept)
    assert title in fixes["R9-none"].title
    assert fixes["R9-none"].undo.endswith(f"The list was: {', '.join(entries)}.")


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param("ManagePermissionGrantsForAll.x", id="an entry of another kind"),
        pytest.param("ForNobody.x", id="an unknown kind"),
    ],
)
def test_an_entry_that_is_new_to_the_program_leaves_the_failure_and_no_proof(entry: str) -> None:
    fixes = rule_fixes(patched(sample("legacy-open"), assigned(LEGACY, TEAMS, entry)))
    assert (fixes["EIDSCA.AP08"], fixes["ZTA-21776"]) == ({}, {}), "what the entry allows stays unknown"


def test_a_fix_says_what_users_lose_and_what_they_gain() -> None:
    closed = rule_fixes(sample("legacy-open"))["CIS-5.1.5.1"]["R9-none"].opens["summary"]
    assert "Nothing for other apps. Users could no longer consent to" in closed
    opened = rule_fixes(patched(sample("low-classified"), assigned(TEAMS)))["EIDSCA.AP08"]["R9-low-only"]
    assert "Users could then consent to" in opened.opens["summary"]


def test_what_was_not_read_is_no_proof() -> None:
    fixes = rule_fixes(sample("unreadable-policies"))
    assert list(fixes["ZTA-21776"]) == ["R9-none"], "the content of the low-impact policy is not known"
    assert fixes["EIDSCA.AP08"] == {}
    tenant = with_sections(sample("managed-default"), directorySettings=None)
    assert rule_fixes(tenant)["MS.AAD.5.3v1"] == {}, "the benchmark's own setting was not read"


@pytest.mark.parametrize(
    ("settings", "rule", "key", "body"),
    [
        pytest.param({"isEnabled": False, "reviewers": []}, "EIDSCA.CR01", "R8", {"isEnabled": True}, id="off"),
        pytest.param({"reviewers": []}, "MS-WORKFLOW", "R8", {"isEnabled": True, "notifyReviewers": True}, id="nobody"),
        pytest.param({"notifyReviewers": False}, "EIDSCA.CR02", "R8", {"notifyReviewers": True}, id="not notified"),
        pytest.param(
            {"remindersEnabled": False}, "EIDSCA.CR03", "R8-complete", {"remindersEnabled": True}, id="not reminded"
        ),
        pytest.param(
            {"requestDurationInDays": 60},
            "EIDSCA.CR04",
            "R8-complete",
            {"requestDurationInDays": 30},
            id="expires late",
        ),
        pytest.param(
            {"isEnabled": False, "remindersEnabled": False, "requestDurationInDays": 90},
            "EIDSCA.CR04",
            "R8-complete",
            {"isEnabled": True, "remindersEnabled": True, "requestDurationInDays": 30},
            id="everything",
        ),
        pytest.param(
            {"isEnabled": False, "requestDurationInDays": 7},
            "EIDSCA.CR01",
            "R8",
            {"requestDurationInDays": 7},
            id="a stricter value stays",
        ),
    ],
)
def test_the_workflow_is_set_as_the_rule_requires_and_keeps_the_rest(
    settings: dict[str, Any], rule: str, key: str, body: dict[str, Any]
) -> None:
    tenant = patched(sample("consent-off-workflow"), workflow(**settings))
    (fix,) = rule_fixes(tenant)[rule].values()
    assert fix.key == key
    (request,) = fix.steps.graph
    sent = dict(request.body or {})
    assert body.items() <= sent.items()
    assert sent["reviewers"], "a workflow without reviewers reaches nobody"
    if settings.get("reviewers") is None:
        policy = tenant.sections.adminConsentRequestPolicy
        assert [one["query"] for one in sent["reviewers"]] == [one.query for one in (policy and policy.reviewers) or ()]


TWO = """{kind: all, checks: [
      {kind: setting, path: adminConsentRequestPolicy.isEnabled, equals: true},
      {kind: setting, path: authorizationPolicy.defaultUserRolePermissions.allowedToCreateApps, equals: false}]}"""


def test_two_changes_are_combined_where_no_single_one_is_enough() -> None:
    pack = loaded(SOUND.replace("{kind: users-can-connect}", TWO))
    (finding,) = judge(pack, CheckContext(sample("managed-default")))
    assert [fix.key for fix in finding.fixes] == ["R8+R13-register-apps"]
    assert [request.method for request in finding.fixes[0].steps.graph] == ["PUT", "PATCH"]


def test_a_pack_about_an_app_has_the_fixes_of_its_decision() -> None:
    (pack,) = load_packs(["trackerrms-uk"])
    findings = {one.rule: one for one in judge(pack, CheckContext(sample("managed-default"), pack.app))}
    assert not [fix for one in findings.values() for fix in one.fixes if fix.route in ("R9", "R13")]
    assert [fix.key for fix in findings["VENDOR-CONNECT"].fixes][:1] == ["R1-scopes"]
