"""What lint reports on packs: errors, warnings and what a good pack also has, each separately."""

from __future__ import annotations

from auditor.model.rule import FindingOutcome
from auditor.packs.load import Source, load, shipped_names, shipped_source
from auditor.packs.parse import Linted, lacking_of, lint, outcomes_phrase
from auditor.snapshot.samples import sample_names
from tests.packs.text import SOUND, loaded


def linted(*texts: str) -> Linted:
    return lint([Source(f"{n}.yaml", text.encode()) for n, text in enumerate(texts)], samples=sample_names())


def test_the_shipped_packs_leave_nothing_to_be_said() -> None:
    found = lint([shipped_source(name) for name in shipped_names()], samples=sample_names())
    assert found == Linted(len(shipped_names()), (), (), ())


def test_advice_names_what_is_missing_with_its_place() -> None:
    found = linted(SOUND)
    assert (found.errors, found.warnings) == ((), ())
    assert [str(one) for one in found.advice] == [
        '0.yaml: the pack has no "about": say what question it answers',
        '0.yaml:11:9: MINE-1 has no "fix": say what an administrator should do if it fails',
        '0.yaml:11:9: MINE-1 has no "references": name a page on which a reader can verify it',
        "0.yaml:11:9: MINE-1 has no cases: only cases where it fails, passes and is unknown show that it works",
    ]


def test_a_broken_pack_does_not_keep_the_next_from_being_looked_at() -> None:
    found = linted(SOUND.replace("severity: low", "severity: grave"), SOUND)
    assert [error.file for error in found.errors] == ["0.yaml"]
    assert {one.file for one in found.advice} == {"1.yaml"}


def test_two_packs_of_one_name_are_an_error() -> None:
    found = linted(SOUND, SOUND.replace("title: Mine", "title: Other"))
    assert [str(error) for error in found.errors] == [
        '1.yaml: the pack "mine" is different from the pack of that name in 0.yaml'
    ]


def test_a_case_of_each_direction_is_asked_for() -> None:
    cases = "    cases: [{name: a, sample: managed-default, expect: fail}]\n"
    (rule,) = loaded(SOUND + cases).rules
    assert lacking_of(rule) == (FindingOutcome.PASS, FindingOutcome.UNKNOWN)
    assert outcomes_phrase(lacking_of(rule)) == "passes or is unknown"


def test_a_rule_that_no_tenant_fails_needs_no_case_that_fails() -> None:
    rules = {rule.id: rule for rule in load(shipped_source("vendor-app")).rules}
    assert lacking_of(rules["VENDOR-CONSENT-SETTING"]) == ()
