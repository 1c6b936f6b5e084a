"""A waiver sets a failure apart: never as a pass, never past its day, never for more than it names."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.checks.waivers import EXPIRED, UNUSED, with_waivers
from auditor.jobs.audit import exit_code
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Finding, FindingSubject, Waiver, WaiverFile
from auditor.model.resources import AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal, VerifiedPublisher
from auditor.model.rule import FindingOutcome, RulePlace, Severity
from auditor.snapshot.samples import sample

TAKEN = "2026-11-22T02:00:00Z"
FAIL, PASS, WAIVED, UNKNOWN = (
    FindingOutcome.FAIL,
    FindingOutcome.PASS,
    FindingOutcome.WAIVED,
    FindingOutcome.UNKNOWN,
)
ONE, TWO = FindingSubject(name="Zapier", id="a1"), FindingSubject(name="Other", id="b2")


def found(rule: str = "R-1", outcome: FindingOutcome = FAIL, *subjects: FindingSubject, unread: str = "") -> Finding:
    return Finding(
        rule=rule,
        pack="p",
        title="t",
        severity=Severity.HIGH,
        outcome=outcome,
        reason="There are some.",
        fingerprint=rule,
        subjects=subjects,
        unread=unread,
    )


def waiver(rule: str = "R-1", *, subject: str = "", expires: str = "2027-01-01", pack: str = "") -> Waiver:
    return Waiver(rule=rule, subject=subject, reason="why", owner="who", expires=expires, pack=pack)


def reported(findings: list[Finding], *waivers: Waiver, taken: str = TAKEN) -> dict[str, Finding]:
    return {f.rule: f for f in with_waivers(findings, waivers, taken=taken, tenant="t", packs=["p"])}


def test_a_failing_rule_is_set_apart_with_who_answers_for_it() -> None:
    after = reported([found()], waiver("r-1"))
    assert after["R-1"].outcome is WAIVED
    assert [one.owner for one in after["R-1"].waivers] == ["who"]
    assert after.keys() == {"R-1"}


@pytest.mark.parametrize("outcome", [PASS, UNKNOWN, FindingOutcome.NOT_APPLICABLE])
def test_only_a_failure_is_waived(outcome: FindingOutcome) -> None:
    assert reported([found("R-1", outcome)], waiver())["R-1"] == found("R-1", outcome)


@pytest.mark.parametrize(
    ("expires", "taken", "outcome"),
    [
        pytest.param("2026-11-22", TAKEN, WAIVED, id="on its last day"),
        pytest.param("2026-11-21", TAKEN, FAIL, id="the day after"),
        pytest.param("2027-01-01", "", FAIL, id="without a time"),
    ],
)
def test_a_waiver_holds_through_its_last_day_and_not_without_a_time(
    expires: str, taken: str, outcome: FindingOutcome
) -> None:
    assert reported([found()], waiver(expires=expires), taken=taken)["R-1"].outcome is outcome


def test_an_expired_waiver_of_a_rule_that_fails_is_a_finding_with_its_place() -> None:
    old = msgspec.structs.replace(waiver(expires="2026-01-01"), place=RulePlace(file="w.yaml", line=4))
    after = reported([found()], old)
    assert (after[EXPIRED].outcome, after[EXPIRED].severity) == (FAIL, Severity.MEDIUM)
    assert after[EXPIRED].reason == "R-1 expired on 2026-01-01 (who)."
    assert after[EXPIRED].evidence[0].path == "w.yaml:4"
    assert after[EXPIRED].place == RulePlace(file="w.yaml", line=4)
    assert UNUSED not in after


@pytest.mark.parametrize(
    ("one", "why"),
    [
        pytest.param(waiver("R-11"), "no such rule was applied (did you mean R-1?)", id="a typo in the rule"),
        pytest.param(waiver("Q"), "no such rule was applied", id="an unknown rule"),
        pytest.param(waiver("R-2"), "the rule doesn't fail", id="a rule that passes"),
        pytest.param(waiver("R-2", expires="2020-01-01"), "the rule doesn't fail", id="a rule that passes, expired"),
        pytest.param(
            waiver("R-1", subject="c3"), "c3 isn't among the subjects that make it fail", id="an unknown subject"
        ),
        pytest.param(
            waiver("R-1", subject="zapier"),
            "anyone may choose a name, so use the id of Zapier, a1",
            id="a name for a subject",
        ),
        pytest.param(
            waiver("R-3", subject="a1"),
            "the rule is about the tenant as a whole, so its waiver has no subject",
            id="a subject for a rule about the tenant",
        ),
    ],
)
def test_a_waiver_that_matches_nothing_is_reported_with_the_reason(one: Waiver, why: str) -> None:
    findings = [found("R-1", FAIL, ONE, TWO), found("R-2", PASS), found("R-3")]
    after = reported(findings, one)
    assert (after[UNUSED].outcome, after[UNUSED].severity) == (FAIL, Severity.LOW)
    assert why in after[UNUSED].reason
    assert after["R-1"].outcome is FAIL


def test_a_waiver_of_another_pack_is_left_alone_and_not_reported() -> None:
    after = reported([found()], waiver(pack="elsewhere"))
    assert {rule: one.outcome for rule, one in after.items()} == {"R-1": FAIL}


def test_a_waiver_of_a_misspelled_pack_is_reported() -> None:
    one = waiver(pack="grants-hygene")
    assert UNUSED not in reported([found()], one)
    known = with_waivers(
        [found()], [one], taken="2026-11-22T02:00:00Z", tenant="t", packs=["p"], shipped=["grants-hygiene"]
    )
    (unused,) = (f for f in known if f.rule == UNUSED)
    assert unused.outcome is FAIL
    assert "there is no pack grants-hygene (did you mean grants-hygiene?)" in unused.reason
    right = with_waivers(
        [found()], [waiver(pack="eidsca")], taken="2026-11-22T02:00:00Z", tenant="t", packs=["p"], shipped=["eidsca"]
    )
    assert {f.rule for f in right} == {"R-1"}


def test_a_rule_that_could_not_be_judged_makes_no_waiver_unused() -> None:
    assert UNUSED not in reported([found("R-1", UNKNOWN)], waiver())


def test_subjects_must_all_be_covered() -> None:
    some = reported([found("R-1", FAIL, ONE, TWO)], waiver(subject="A1"))["R-1"]
    assert some.outcome is FAIL
    assert some.reason == "There are some. 1 of 2 are waived, but not Other."
    both = reported([found("R-1", FAIL, ONE, TWO)], waiver(subject="A1"), waiver(subject="b2"))["R-1"]
    assert both.outcome is WAIVED
    assert len(both.waivers) == 2


def test_where_more_may_be_unread_what_was_found_and_waived_leaves_the_rule_unknown() -> None:
    after = reported([found("R-1", FAIL, ONE, unread="grants were not read")], waiver(subject="a1"))["R-1"]
    assert after.outcome is UNKNOWN
    assert "grants were not read" in after.reason


FINDINGS = st.lists(
    st.tuples(
        st.sampled_from(["R-1", "R-2", "R-3"]),
        st.sampled_from(FindingOutcome),
        st.lists(st.sampled_from([ONE, TWO]), unique=True),
    ),
    unique_by=lambda row: row[0],
)
WAIVERS = st.lists(
    st.builds(
        waiver,
        st.sampled_from(["R-1", "R-2", "R-9"]),
        subject=st.sampled_from(["", "a1", "b2", "Zapier"]),
        expires=st.sampled_from(["2026-01-01", "2027-01-01", "2028-01-01"]),
        pack=st.sampled_from(["", "p", "q"]),
    ),
    max_size=6,
)


@given(FINDINGS, WAIVERS, st.randoms())
def test_no_waiver_ever_makes_a_pass_and_order_does_not_matter(
    rows: list[tuple[str, FindingOutcome, list[FindingSubject]]], waivers: list[Waiver], random: object
) -> None:
    findings = [found(rule, outcome, *(subjects if outcome is FAIL else ())) for rule, outcome, subjects in rows]
    after = reported(findings, *waivers)
    for finding in findings:
        now = after[finding.rule]
        assert now.outcome is finding.outcome or (finding.outcome is FAIL and now.outcome is WAIVED)
        assert now.outcome is not WAIVED or now.waivers or finding.outcome is WAIVED
    shuffled = list(waivers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert reported(findings, *shuffled) == after


def granted_to(*apps: str) -> list[ServicePrincipal]:
    return [
        ServicePrincipal(
            id=f"sp-{app}",
            appId=f"app-{app}",
            displayName="Same name",
            accountEnabled=True,
            appOwnerOrganizationId="99999999-1111-4222-8333-444444444444",
            verifiedPublisher=VerifiedPublisher(),
        )
        for app in apps
    ]


def test_two_apps_of_one_name_are_distinguished_by_their_ids() -> None:
    tenant = sample("consent-off")
    (grant,) = (OAuth2PermissionGrant(id="g", clientId="sp-0", consentType="AllPrincipals", resourceId="r", scope=""),)
    apps = granted_to("0", "1")
    graph = next(p for p in tenant.sections.servicePrincipals or () if p.oauth2PermissionScopes)
    grants = tuple(
        msgspec.structs.replace(grant, id=app.id, clientId=app.id, resourceId=graph.id, scope="Mail.Read")
        for app in apps
    )
    sections = msgspec.structs.replace(
        tenant.sections, servicePrincipals=(graph, *apps), oauth2PermissionGrants=grants, appRoleAssignedTo={}
    )
    whole = msgspec.structs.replace(tenant, sections=sections, covers={}, unread={})
    packs = chosen_packs(["grants-hygiene"])
    failing = [f for f in build_report(whole, packs).findings if f.subjects]
    assert failing
    for finding in failing:
        assert {s.id for s in finding.subjects} <= {"app-0", "app-1"}
    rule = next(f.rule for f in failing if len(f.subjects) == 2)
    for subject, outcome in (("Same name", FAIL), ("app-0", FAIL), ("sp-0", FAIL)):
        file = WaiverFile(name="w", digest="d", waivers=(waiver(rule, subject=subject),))
        after = {f.rule: f.outcome for f in build_report(whole, packs, waivers=[file]).findings}
        assert after[rule] is outcome
    file = WaiverFile(name="w", digest="d", waivers=(waiver(rule, subject="app-0"), waiver(rule, subject="app-1")))
    assert {f.rule: f.outcome for f in build_report(whole, packs, waivers=[file]).findings}[rule] is WAIVED


def test_more_subjects_than_the_evidence_shows_must_be_waived_too() -> None:
    tenant = sample("consent-off")
    apps = granted_to(*map(str, range(60)))
    roles = tuple(
        AppRoleAssignment(
            principalId=app.id,
            principalType="ServicePrincipal",
            appRoleId="810c84a8-4a9e-49e6-bf7d-12d183f40d01",
        )
        for app in apps
    )
    graph = "00000003-0000-0000-c000-000000000000"
    sections = msgspec.structs.replace(
        tenant.sections, servicePrincipals=tuple(apps), appRoleAssignedTo={graph: roles}, oauth2PermissionGrants=()
    )
    whole = msgspec.structs.replace(tenant, sections=sections, covers={}, unread={})
    packs = chosen_packs(["grants-hygiene"])
    rule = next(f.rule for f in build_report(whole, packs).findings if len(f.subjects) == 60)
    shown = tuple(waiver(rule, subject=f"app-{n}") for n in range(50))
    file = WaiverFile(name="w", digest="d", waivers=shown)
    (after,) = (f for f in build_report(whole, packs, waivers=[file]).findings if f.rule == rule)
    assert after.outcome is FAIL
    assert "50 of 60 are waived" in after.reason


def test_a_decision_does_not_depend_on_waivers_and_the_exit_code_does() -> None:
    tenant, packs = sample("managed-default"), chosen_packs(["trackerrms-uk"])
    plain = build_report(tenant, packs)
    rules = [f.rule for f in plain.findings if f.outcome is FAIL]
    file = WaiverFile(name="w", digest="d", waivers=tuple(waiver(rule) for rule in rules))
    waived = build_report(tenant, packs, waivers=[file])
    assert waived.decisions == plain.decisions
    assert (waived.summary.waived, waived.summary.failed, waived.summary.passed) == (
        len(rules),
        0,
        plain.summary.passed,
    )
    assert exit_code(plain, fail_on="low", strict=False) == 1
    assert exit_code(waived, fail_on="low", strict=False) == 0
    assert build_report(tenant, packs, waivers=[]) == plain


def test_of_two_waivers_for_one_rule_the_one_that_lasts_longer_stands_in_the_report() -> None:
    short, long = waiver(expires="2026-12-01"), waiver(expires="2027-12-01")
    for pair in ((short, long), (long, short)):
        assert [one.expires for one in reported([found()], *pair)["R-1"].waivers] == ["2027-12-01"]


def test_an_error_in_waivers_says_who_fixes_it_and_what_is_expected() -> None:
    unused = reported([found("R-1", PASS)], waiver())[UNUSED]
    assert unused.remediation.role == "the owner of the waiver file"
    assert [one.expected for one in unused.evidence] == ["a failing rule, or no waiver"]
