"""The cases of a pack are run, and each kind of mismatch between a rule and its case has a name."""

from __future__ import annotations

import pytest

from auditor.jobs import pack_authoring as pack_cases
from auditor.jobs.pack_authoring import Mismatch
from auditor.packs.load import Source
from tests.packs.text import SOUND


def pack(*cases: str) -> Source:
    lines = "".join(f"      - {case}\n" for case in cases)
    text = SOUND.replace("[Mail.Read]", "[Mail.ReadWrite]")
    return Source("mine.yaml", f"{text}    cases:\n{lines}".encode())


@pytest.mark.parametrize(
    ("case", "mismatch"),
    [
        pytest.param(
            "{name: x, sample: legacy-open, expect: fail}", Mismatch.OTHER_OUTCOME, id="another outcome than fail"
        ),
        pytest.param("{name: x, sample: admin-consented, expect: fail}", Mismatch.MISSED, id="a pass for a fail"),
        pytest.param("{name: x, sample: consent-off, expect: pass}", Mismatch.FALSE_ALARM, id="a fail for a pass"),
        pytest.param(
            "{name: x, sample: consent-off, expect: unknown}", Mismatch.FALSE_ALARM, id="a fail for an unknown"
        ),
        pytest.param(
            "{name: x, sample: consent-off, expect: fail, reason: because of the weather}",
            Mismatch.OTHER_REASON,
            id="another reason",
        ),
        pytest.param(
            "{name: x, sample: consent-off, expect: fail, evidence: [nowhere]}",
            Mismatch.OTHER_REASON,
            id="other evidence",
        ),
    ],
)
def test_a_case_without_its_expected_result_is_reported_with_its_mismatch_and_position(
    case: str, mismatch: Mismatch
) -> None:
    (failed,) = pack_cases.run_pack(pack("{name: sound, sample: consent-off, expect: fail}", case)).failed
    if mismatch is Mismatch.OTHER_OUTCOME:
        assert failed.mismatch in (Mismatch.MISSED, Mismatch.OTHER_OUTCOME)
    else:
        assert failed.mismatch is mismatch
    assert (failed.at.file, failed.at.line) == ("mine.yaml", 18)
    assert failed.result.problem


def test_cases_with_their_expected_result_are_counted_and_gaps_are_named() -> None:
    found = pack_cases.run_pack(pack("{name: a, sample: consent-off, expect: fail}"))
    assert (len(found.results), found.failed, found.without_cases) == (1, (), 0)
    assert [[outcome.value for outcome in lacking] for _, lacking, _ in found.gaps] == [["pass", "unknown"]]


def test_a_rule_without_cases_is_counted() -> None:
    assert pack_cases.run_pack(Source("mine.yaml", SOUND.encode())).without_cases == 1


def test_a_case_whose_tenant_graph_could_not_return_is_a_failed_case() -> None:
    case = "{name: a, sample: consent-off, set: {organization: {verifiedDomains: 5}}, expect: fail}"
    try:
        found = pack_cases.run_pack(pack(case))
    except Exception as error:  # noqa: BLE001 -- the loader may know it before the case is run
        assert "verifiedDomains" in str(error)
    else:
        assert "cannot be" in found.failed[0].result.problem


def test_one_rule_can_be_run_alone_whatever_its_letter_case() -> None:
    source = pack("{name: a, sample: consent-off, expect: fail}")
    assert len(pack_cases.run_pack(source, "mine-1").results) == 1
    assert not pack_cases.run_pack(source, "OTHER").results
