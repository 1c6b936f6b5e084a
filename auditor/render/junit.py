"""The findings as JUnit XML, for build servers: one suite for each pack, one case for each rule."""

from __future__ import annotations

import io
from collections.abc import Iterator

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from auditor.model.decision import ORDINARY_SUBJECT, Confidence, Decision, Outcome
from auditor.model.document import parse_time, sentence
from auditor.model.report import Finding, PackRef, Report
from auditor.model.rule import FindingOutcome
from auditor.render.fix_view import IF_IT_FAILS, first_fix, first_step
from auditor.render.labels import (
    answer_word,
    app_and_id,
    app_label,
    flat,
    is_click_path,
    plain_sentence,
    screen,
    unread_text,
)
from auditor.render.report_view import evidence_text, reason_with_waivers, what_if_sentences
from auditor.render.text_layout import safe

ANSWERS = "answers"
"""The name of the suite in a report without rules."""


def render(report: Report) -> bytes:
    """UTF-8. A failed rule is a failure, an unknown one an error; waived and not applicable ones are skipped.

    A report without rules has a case for each answer instead, because build servers reject a file without cases.
    Times are 0, because nothing is measured. The file has no control characters.
    """
    whole = JUnitXml("consent-auditor")
    for suite in _suites(report):
        whole.add_testsuite(suite)
    whole.update_statistics()  # type: ignore[no-untyped-call]  # junitparser types only some of its methods
    # The schema that Jenkins' xUnit plugin reads by allows this count on a suite only.
    whole._elem.attrib.pop("skipped", None)
    out = io.BytesIO()
    whole.write(out, pretty=True)
    return out.getvalue()


def _suites(report: Report) -> Iterator[TestSuite]:
    known = {pack.name: pack for pack in report.packs}
    for name in dict.fromkeys(finding.pack for finding in report.findings):
        cases = [_case(finding) for finding in report.findings if finding.pack == name]
        yield _suite(report, name, known.get(name), cases)
    if not report.findings and report.decisions:
        yield _suite(report, ANSWERS, None, [_answer(decision) for decision in report.decisions])


def _suite(report: Report, name: str, pack: PackRef | None, cases: list[TestCase]) -> TestSuite:
    suite = TestSuite(_line(name))
    taken = parse_time(report.taken)
    if taken is not None:
        suite.timestamp = taken.isoformat()[:19]
    facts = (
        ("tenant", report.tenant.name),
        ("tenant-id", report.tenant.id),
        ("answer", report.summary.answer),
        ("source", report.source),
        ("tool", report.tool),
        ("pack-version", pack.version if pack else ""),
        ("pack-digest", pack.digest if pack else ""),
    )
    for fact, value in facts:
        if value:
            suite.add_property(fact, _line(value))
    for number, part in enumerate(report.unread, start=1):
        suite.add_property(f"not-read-{number}", _line(unread_text(part).in_one_line(part.section)))
    for number, text in enumerate(what_if_sentences(report), start=1):
        suite.add_property(f"if-it-were-so-{number}", _line(text))
    suite.add_testcases(cases)
    return suite


def _case(finding: Finding) -> TestCase:
    """The name has the rule and its title, so that a list of cases is readable; it's the same in every run."""
    case = TestCase(_line(f"{finding.rule}: {finding.title.rstrip('.')}"), _line(finding.pack))
    reason = _line(plain_sentence(finding.reason))
    match finding.outcome:
        case FindingOutcome.FAIL:
            result: Failure | Error | Skipped = Failure(reason, finding.severity.value)
            result.text = _text(_failed(finding))
        case FindingOutcome.UNKNOWN:
            result = Error(f"Unknown: {reason}", "unknown")
            result.text = _text(_failed(finding))
        case FindingOutcome.WAIVED:
            result = Skipped(f"Waived: {_line(reason_with_waivers(finding))}", "waived")
        case FindingOutcome.NOT_APPLICABLE:
            result = Skipped(f"Not applicable: {reason}", "not-applicable")
        case _:
            return case
    case.result = [result]
    return case


def _failed(finding: Finding) -> Iterator[str]:
    """Why it matters, what was found, and what to do."""
    advice = finding.remediation
    yield f"Expected: {sentence(finding.title)}"
    yield f"Found: {plain_sentence(finding.reason)}"
    yield f"Severity: {finding.severity.value}"
    if finding.confidence is Confidence.LIKELY:
        yield "Confidence: Likely, not certain."
    if finding.why:
        yield f"Why: {sentence(flat(finding.why))}"
    for one in finding.evidence:
        yield f"Evidence: {evidence_text(one)}"
    if finding.outcome is FindingOutcome.UNKNOWN and (advice.note or advice.portal or advice.link):
        yield IF_IT_FAILS
    if advice.note:
        yield f"How: {sentence(flat(advice.note))}"
    if is_click_path(advice.portal):
        yield f"To do: {first_step(finding)}"
    else:
        yield from (f"To do {number}: {sentence(flat(step))}" for number, step in enumerate(advice.portal, start=1))
    for label, value in (("Address", advice.link), ("Role", sentence(advice.role))):
        if value:
            yield f"{label}: {value}"
    yield from (f"Reference: {address}" for address in finding.references)


def _answer(decision: Decision) -> TestCase:
    who = "users" if decision.subject == ORDINARY_SUBJECT else decision.subject
    case = TestCase(_line(f"Can {who} connect {app_label(decision)}?"), _line(app_and_id(decision)))
    because = _line(f"{answer_word(decision)}. {plain_sentence(decision.because)}")
    if decision.outcome.connects:
        return case
    depends = decision.outcome is Outcome.DEPENDS
    result = Error(because, "unknown") if depends else Failure(because, decision.outcome.value)
    result.text = _text(_why(decision))
    case.result = [result]
    return case


def _why(decision: Decision) -> Iterator[str]:
    yield f"Because: {plain_sentence(decision.because)}"
    if decision.screen or decision.code:
        yield f"User sees: {screen(decision)}"
    yield from (f"Depends on: {sentence(text)}" for text in decision.depends_on)
    if fix := first_fix(decision):
        yield f"First fix: {sentence(fix.title)}"
        if fix.link:
            yield f"Address: {fix.link}"
    yield from (f"Ask: {sentence(text)}" for text in decision.advice)


def _text(lines: Iterator[str]) -> str:
    return "\n".join(("", *map(_line, lines), ""))


def _line(text: str) -> str:
    """The text on one line, in characters that XML allows."""
    return safe(" ".join(text.split()))
