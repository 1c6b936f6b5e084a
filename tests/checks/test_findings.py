"""Properties of findings: unknown stays unknown, order does not matter, the same inputs give the same bytes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.checks.findings import finding, judge
from auditor.checks.kind import CheckContext, sentence
from auditor.jobs.pack_authoring import REFUSED
from auditor.jobs.report_builder import build_report
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Snapshot
from auditor.packs.load import load_packs
from auditor.render import render
from auditor.snapshot.samples import sample, sample_names
from tests.consent.from_oracle import snapshot_of
from tests.limits import examples
from tests.oracle.strategies import tenants

(PACK,) = load_packs(["trackerrms-uk"])
assert PACK.app is not None
APP = PACK.app


def blind(snapshot: Snapshot) -> Snapshot:
    """The tenant with nothing read at all."""
    names = list(snapshot.sections.__struct_fields__)
    sections = msgspec.structs.replace(snapshot.sections, **dict.fromkeys(names))
    return msgspec.structs.replace(snapshot, sections=sections, covers={}, unread=dict.fromkeys(names, REFUSED))


def test_where_nothing_was_read_every_finding_is_unknown() -> None:
    found = judge(PACK, CheckContext(blind(sample("admin-consented")), APP))
    # That the app needs no application permission is a fact of the pack.
    of_the_tenant = [f for f in found if f.rule != "VENDOR-APP-ROLES"]
    assert {f.outcome for f in of_the_tenant} == {FindingOutcome.UNKNOWN}
    assert len(of_the_tenant) == len(found) - 1


@pytest.mark.parametrize("name", sample_names())
def test_taking_a_section_away_never_turns_a_fail_into_a_pass_or_back(name: str) -> None:
    """If Microsoft's documentation is used for an unread policy, a decision is still possible, but only likely."""
    full = {f.rule: f for f in judge(PACK, CheckContext(sample(name), APP))}
    for section in ("authorizationPolicy", "servicePrincipals", "oauth2PermissionGrants", "adminConsentRequestPolicy"):
        snapshot = sample(name)
        sections = msgspec.structs.replace(snapshot.sections, **{section: None})
        less = msgspec.structs.replace(snapshot, sections=sections, unread={section: REFUSED})
        for found in judge(PACK, CheckContext(less, APP)):
            before = {full[found.rule].outcome, found.outcome}
            assert before != {FindingOutcome.PASS, FindingOutcome.FAIL}, (section, found.rule)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(document=tenants())
def test_no_tenant_makes_a_rule_fail_to_answer(document: dict[str, object]) -> None:
    found = judge(PACK, CheckContext(snapshot_of(document), APP))
    assert {f.rule for f in found} == {rule.id for rule in PACK.rules}
    assert all(f.reason for f in found)


@pytest.mark.parametrize("name", sample_names())
def test_the_same_inputs_give_the_same_bytes(name: str) -> None:
    first, second = (render(build_report(sample(name), [PACK]), "json") for _ in range(2))
    assert first == second


@given(st.randoms())
def test_the_order_of_rules_does_not_change_the_report(random: object) -> None:
    rules = list(PACK.rules)
    random.shuffle(rules)  # type: ignore[attr-defined]  # hypothesis types st.randoms() as object
    shuffled = msgspec.structs.replace(PACK, rules=tuple(rules))
    judged = CheckContext(sample("managed-default"), APP)
    assert [f.rule for f in judge(shuffled, judged)] == [f.rule for f in judge(PACK, judged)]


def test_a_fingerprint_belongs_to_rule_tenant_and_app_and_not_to_the_outcome() -> None:
    rule = PACK.rules[0]
    failing, passing = sample("managed-default"), sample("admin-consented")
    same_tenant = msgspec.structs.replace(passing, tenant=failing.tenant)
    prints = [finding(rule, PACK, CheckContext(s, APP)).fingerprint for s in (failing, same_tenant, passing)]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        pytest.param("the app is off", "The app is off.", id="starts with a word"),
        pytest.param(
            "oauth2PermissionGrants was not read", "oauth2PermissionGrants was not read.", id="starts with a section"
        ),
        pytest.param("Mail.Read is excluded.", "Mail.Read is excluded.", id="has a full stop"),
        pytest.param(
            "openid, profile and Mail.Read are not classified",
            "openid, profile and Mail.Read are not classified.",
            id="starts with a scope",
        ),
    ],
)
def test_a_clause_becomes_a_sentence_without_spoiling_a_name(clause: str, expected: str) -> None:
    assert sentence(clause) == expected
