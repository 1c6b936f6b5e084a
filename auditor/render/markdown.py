"""The report as Markdown, to paste into a ticket or a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from auditor.model.decision import Confidence, Decision, Outcome
from auditor.model.finding import Finding, FindingOutcome
from auditor.model.fix import Fix
from auditor.model.report import Report
from auditor.render.disagreements import ABOUT, HEADING, in_short
from auditor.render.encoded import encoded
from auditor.render.ending import allowed_by, answer, cost, what
from auditor.render.first import FirstThing, action, first_thing, question
from auditor.render.layout import clip
from auditor.render.markdown_text import code_span, fenced, harmless, link
from auditor.render.scopes import are_assumed, numbered, verdict_word, whose, why
from auditor.render.standing import by_standing
from auditor.render.waived import found
from auditor.render.what_if import ABOUT as SUPPOSED
from auditor.render.what_if import assumed, changes, was_and_would_be
from auditor.render.words import (
    FINDINGS,
    NAME,
    answer_word,
    app_and_id,
    could_be,
    count,
    counts,
    resource,
    screen,
    sentence,
    series,
    tally,
    utc,
)

_ROOM = 600
"""Columns of one text: a comment on GitHub ends at 65,536 characters. The JSON report holds all of it."""

_QUIET = (FindingOutcome.PASS, FindingOutcome.NOT_APPLICABLE)
_LOUD = tuple(outcome for outcome in FindingOutcome if outcome not in _QUIET)


def render(report: Report) -> str:
    """GitHub's Markdown, which Azure DevOps and GitLab read, too. Names of the tenant never become markup.

    What passed is folded; beside that it needs no HTML.
    """
    blocks = [f"## {_said(question(report))}", *_answers(report), _table(("", ""), _facts(report))]
    blocks += _first(report)
    for part in (_supposed, _scopes, _findings, _disagreements, _unread, _provenance):
        blocks += part(report)
    return "\n\n".join(filter(None, blocks)) + "\n"


def _said(text: str) -> str:
    return harmless(clip(" ".join(text.split()), _ROOM))


def _answers(report: Report) -> Iterator[str]:
    """The verdict in a sentence, or one for each of several."""
    if not report.decisions:
        yield f"**{_said(sentence(report.summary.answer))}**" if report.summary.answer.strip() else ""
        return
    if len(report.decisions) == 1:
        yield f"**{_said(answer_word(report.decisions[0]))}.** {_said(sentence(report.decisions[0].because))}"
        return
    lines = []
    for number, decision in numbered(report):
        word, because = _said(answer_word(decision)), _said(sentence(decision.because))
        lines.append(f"- {_said(whose(number, decision))}: **{word}.** {because}")
    yield "\n".join(lines)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    tenant = clip(report.tenant.name, NAME)
    yield "Tenant", _said(f"{tenant} ({report.tenant.id})" if tenant else report.tenant.id)
    if len(report.decisions) == 1:
        yield from _facts_of(report.decisions[0])
    yield "Time", _said(utc(report.taken))
    yield "Source", _said(report.source)
    yield "Rules", _said(f"{tally(report.summary)}.") if report.findings else ""
    if report.granted is not None:
        rows = len(report.granted.rows)
        yield "Grants read", f"{count(rows, 'grant')}, listed in the CSV, XLSX and JSON reports." if rows else "None."


def _facts_of(decision: Decision) -> Iterator[tuple[str, str]]:
    yield "App", _said(app_and_id(decision))
    yield "User sees", _said(screen(decision))
    yield "Also", _several(decision.also)
    yield "Depends on", _several(decision.depends_on)
    yield "Could be", _said(could_be(decision)) if decision.outcomes else ""
    if decision.confidence is Confidence.LIKELY:
        yield "Confidence", _several(("Likely, not certain.", *decision.caveats))


def _several(texts: Iterable[str]) -> str:
    return "<br>".join(_said(sentence(text)) for text in texts)


def _first(report: Report) -> Iterator[str]:
    """The first thing to do; of several answers, the first thing for each."""
    if len(report.decisions) > 1:
        yield from _first_of_each(report)
        return
    decision = report.decisions[0] if report.decisions else None
    first = first_thing(report, decision, more="Findings")
    if first is not None:
        yield "### First thing to do"
        yield from _first_thing(first)
    if decision is not None and len(decision.fixes) > 1:
        others = "\n".join(f"- {_said(sentence(fix.title))}" for fix in decision.fixes[1:])
        yield f"Instead of it:\n\n{others}"


def _first_of_each(report: Report) -> Iterator[str]:
    """What to do first about each answer that wants it; answers that the same fix mends share it."""
    alike: dict[bytes, list[tuple[int, Decision]]] = {}
    for number, decision in numbered(report):
        asks = decision.outcome is Outcome.DEPENDS and any(part.needs for part in report.unread)
        if decision.fixes or decision.advice or asks:
            alike.setdefault(encoded((decision.fixes[:1], decision.advice)), []).append((number, decision))
    if alike:
        yield "### First thing to do"
    for same in alike.values():
        yield f"**{_said(series([whose(number, decision) for number, decision in same]))}**"
        first = first_thing(report, same[0][1], more="Findings")
        if first is not None:
            yield from _first_thing(first)


def _first_thing(first: FirstThing) -> Iterator[str]:
    yield " ".join(map(_said, first.says))
    yield link(first.link) if first.link else ""
    if first.fix is not None and not first.link:
        yield _command(first.fix)
    told = (("Role", first.role), ("After it", first.after), ("Undo", first.fix.undo if first.fix else ""))
    yield "\n".join(f"- {label}: {_said(text)}" for label, text in told if text and "\n" not in text.strip())


def _command(fix: Fix) -> str:
    """The fix in the first way that can be copied."""
    steps = fix.steps
    if steps.powershell:
        return fenced(steps.powershell, "powershell")
    if steps.az:
        return fenced(steps.az, "sh")
    return "\n".join(f"{number}. {_said(step)}" for number, step in enumerate(steps.portal, start=1))


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of cells that are Markdown already; a row with nothing behind its first cell is left out."""
    lines = [f"| {' | '.join(row)} |" for row in rows if any(row[1:])]
    return "\n".join((f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *lines)) if lines else ""


def _supposed(report: Report) -> Iterator[str]:
    if report.what_if:
        yield f"### If it were so: {_said(assumed(report))}"
        yield SUPPOSED
        rows = (
            (
                _said(app_and_id(change.then)),
                *map(_said, was_and_would_be(change)),
                _said(sentence(change.then.because)),
            )
            for change in changes(report)
        )
        yield _table(("App", "As it is", "If it were so", "Why"), rows)


def _scopes(report: Report) -> Iterator[str]:
    told = [(number, decision) for number, decision in numbered(report) if decision.scopes or decision.notes]
    if told:
        yield "### Scopes: the permissions that the app asks for"
    for number, decision in told:
        if len(report.decisions) > 1:
            yield f"**{_said(whose(number, decision))}**"
        assumed = are_assumed(decision)
        rows = (
            (
                _name(scope.scope),
                _said(resource(scope.resource, scope.resource_name)),
                _said(verdict_word(scope)),
                _said(why(scope, scope.detail, assumed)),
            )
            for scope in decision.scopes
        )
        yield _table(("Scope (assumed)" if assumed else "Scope", "Resource", "Verdict", "Why"), rows)
        yield " ".join(_said(sentence(note)) for note in decision.notes)


def _name(text: str) -> str:
    """A technical name: as code, where it can be."""
    name = clip(text, NAME)
    return harmless(name) if not name.strip() or set(name) & set("|`") else code_span(name.strip())


def _findings(report: Report) -> Iterator[str]:
    """What needs attention, and folded, what does not."""
    if not report.findings:
        return
    yield "### Findings: the rules that were applied"
    several = len({finding.pack for finding in report.findings}) > 1
    loud, quiet = by_standing(report.findings, *_LOUD), by_standing(report.findings, *_QUIET)
    yield _findings_table(sorted(loud, key=lambda finding: finding.outcome.rank), several)
    if quiet:
        passed = len(by_standing(quiet, FindingOutcome.PASS))
        told = ", ".join(filter(None, (f"{passed} passed" * bool(passed), _not_applicable(len(quiet) - passed))))
        yield f"<details><summary>{told}</summary>"
        yield _findings_table(quiet, several)
        yield "</details>"


def _not_applicable(number: int) -> str:
    return f"{number} not applicable" if number else ""


def _findings_table(findings: Iterable[Finding], several: bool) -> str:
    rows = (
        (
            FINDINGS[finding.outcome][0],
            finding.severity.value,
            _name(finding.rule) + (f"<br>({_said(finding.pack)})" if several else ""),
            "<br>".join(_found(finding)),
        )
        for finding in findings
    )
    return _table(("Outcome", "Severity", "Rule", "Expected, and what was found"), rows)


def _found(finding: Finding) -> Iterator[str]:
    """What was expected and found, and where it failed, what to do."""
    yield f"**{_said(finding.title.rstrip('.')) or '-'}**"
    yield _said(found(finding))
    advice = finding.remediation
    if finding.outcome is FindingOutcome.FAIL and (advice.portal or advice.note):
        yield f"To do: {_said(action(finding))}"
    if finding.outcome is FindingOutcome.FAIL and advice.link:
        yield link(advice.link)


def _disagreements(report: Report) -> Iterator[str]:
    if report.disagreements:
        yield f"### {HEADING}"
        yield ABOUT
        yield "\n".join(f"- {_said(in_short(one))}" for one in report.disagreements)


def _unread(report: Report) -> Iterator[str]:
    if report.unread:
        yield "### What could not be read"
        rows = (
            (f"{what(part)}<br>({_said(part.section)})", _said(answer(part)), _said(allowed_by(part)), cost(part.needs))
            for part in report.unread
        )
        yield _table(("Part", "Answer", "Allowed by", "Not known"), rows)


def _provenance(report: Report) -> Iterator[str]:
    yield "### Where this comes from"
    packs = [("Pack", f"{_said(f'{pack.name} {pack.version}')} {_name(pack.digest)}") for pack in report.packs]
    policies = [("Policy", f"{_said(policy.id)} {_name(policy.digest)}") for policy in report.policies]
    rest = [("Tool", _said(report.tool)), ("Snapshot", _said(f"{utc(report.taken)}, {report.cloud} cloud"))]
    yield _table(("", ""), (*packs, *policies, *rest))
    yield f"{_said(counts(report.summary))}."
