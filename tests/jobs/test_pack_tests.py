"""The cases of a pack, run: each way in which a rule and its case may disagree is told by its name."""

from __future__ import annotations

import pytest

from auditor.jobs import pack_cases as pack_tests
from auditor.jobs.pack_cases import Direction
from auditor.packs.sources import Source
from tests.packs.text import SOUND


def pack(*cases: str) -> Source:
    lines = "".join(f"      - {case}\n" for case in cases)
    text = SOUND.replace("[Mail.Read]", "[Mail.ReadWrite]")
    return Source("mine.yaml", f"{text}    cases:\n{lines}".encode())


@pytest.mark.parametrize(
    ("case", "direction"),
    [
        ("{name: x, sample: legacy-open, expect: fail}", Direction.OTHER),
        ("{name: x, sample: admin-consented, expect: fail}", Direction.MISSED),
        ("{name: x, sample: consent-off, expect: pass}", Direction.FALSE_ALARM),
        ("{name: x, sample: consent-off, expect: unknown}", Direction.FALSE_ALARM),
        ("{name: x, sample: consent-off, expect: fail, reason: because of the weather}", Direction.WRONG_WORDS),
        ("{name: x, sample: consent-off, expect: fail, evidence: [nowhere]}", Direction.WRONG_WORDS),
    ],
)
def test_a_case_that_comes_out_otherwise_is_told_with_its_direction_and_place(case: str, direction: Direction) -> None:
    (failed,) = pack_tests.tested(pack("{name: sound, sample: consent-off, expect: fail}", case)).failed
    if direction is Direction.OTHER:
        assert failed.direction in (Direction.MISSED, Direction.OTHER)
    else:
        assert failed.direction is direction
    assert (failed.at.file, failed.at.line) == ("mine.yaml", 18)
    assert failed.result.problem


def test_cases_that_come_out_as_they_say_are_counted_and_gaps_named() -> None:
    found = pack_tests.tested(pack("{name: a, sample: consent-off, expect: fail}"))
    assert (len(found.results), found.failed, found.without_cases) == (1, (), 0)
    assert [[outcome.value for outcome in lacking] for _, lacking, _ in found.gaps] == [["pass", "unknown"]]


def test_a_rule_without_cases_is_counted() -> None:
    assert pack_tests.tested(Source("mine.yaml", SOUND.encode())).without_cases == 1


def test_a_case_whose_tenant_graph_could_not_return_is_a_failed_case() -> None:
    case = "{name: a, sample: consent-off, set: {organization: {verifiedDomains: 5}}, expect: fail}"
    try:
        found = pack_tests.tested(pack(case))
    except Exception as error:  # noqa: BLE001 -- the loader may know it before the case is run
        assert "verifiedDomains" in str(error)
    else:
        assert "cannot be" in found.failed[0].result.problem


def test_one_rule_can_be_run_alone_whatever_its_letter_case() -> None:
    source = pack("{name: a, sample: consent-off, expect: fail}")
    assert len(pack_tests.tested(source, "mine-1").results) == 1
    assert not pack_tests.tested(source, "OTHER").results
