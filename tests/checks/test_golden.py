"""What every shipped rule reports on every sample tenant, word for word: outcome, reason, evidence and failed rows.

One sample is written down whole, of the others what differs from it; see tests/golden.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Finding
from auditor.packs.load import list_packs
from auditor.snapshot.samples import sample, sample_names
from tests.golden import check_golden

GOLDEN = Path(__file__).with_name("golden")
WHOLE = "managed-default"
PACKS = [pack.name for pack in list_packs(benchmarks=True) if pack.name != "trackerrms-us"]


def lines(finding: Finding) -> Iterator[str]:
    yield f"{finding.outcome.value} {finding.pack} {finding.rule}: {finding.reason}"
    for one in finding.evidence:
        yield f"    {one.path} = {json.dumps(one.actual)} | {json.dumps(one.expected)}"
    yield from (f"    subject {subject.name} {subject.id}".rstrip() for subject in finding.subjects)
    if finding.unread:
        yield f"    unread {finding.unread}"
    if finding.remediation.link or finding.remediation.portal:
        yield f"    fix {' > '.join(finding.remediation.portal)} {finding.remediation.link}".rstrip()
    yield from (f"    route {fix.key} {fix.title}" for fix in finding.fixes)


@cache
def findings(name: str) -> dict[tuple[str, str], str]:
    """What each rule of each pack says of a sample."""
    made = build_report(sample(name), chosen_packs(PACKS)).findings
    return {(finding.pack, finding.rule): "\n".join(lines(finding)) + "\n" for finding in made}


@pytest.mark.parametrize("name", sample_names())
def test_the_findings_on_a_sample_are_as_they_were_read_and_approved(name: str) -> None:
    usual = {} if name == WHOLE else findings(WHOLE)
    assert findings(name).keys() == findings(WHOLE).keys()
    check_golden(GOLDEN / f"{name}.txt", "".join(text for at, text in findings(name).items() if usual.get(at) != text))
