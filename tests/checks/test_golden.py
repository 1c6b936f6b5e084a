"""What every shipped rule says of every sample tenant, to the letter: outcome, reason, evidence and what makes it fail.

After a change that is meant, write them anew and read the difference before committing it:

    UPDATE_GOLDEN=1 .venv/bin/python -m pytest tests/checks/test_golden.py
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.finding import Finding
from auditor.packs.find import list_packs
from auditor.snapshot.samples import sample, sample_names

GOLDEN = Path(__file__).with_name("golden")
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


@pytest.mark.parametrize("name", sample_names())
def test_the_findings_on_a_sample_are_as_they_were_read_and_approved(name: str) -> None:
    findings = build_report(sample(name), chosen_packs(PACKS)).findings
    text = "\n".join(line for finding in findings for line in lines(finding)) + "\n"
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")
