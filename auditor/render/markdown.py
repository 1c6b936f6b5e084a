"""The report as Markdown, to paste into a ticket or a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from auditor.model.decision import Decision, Fix, Outcome
from auditor.model.document import sentence, series
from auditor.model.report import Finding, Report, Summary
from auditor.model.rule import FindingOutcome, PortalLink
from auditor.render.after_consent_view import (
    AFTER_CONSENT,
    STOPPED,
    not_checked_text,
    policy_lines,
    stopped_label,
    stopped_lines,
    whose,
)
from auditor.render.fix_view import (
    FirstThing,
    FixNumbers,
    StepPart,
    first_step,
    first_thing,
    script_hint,
    step_parts,
)
from auditor.render.labels import (
    NAME_WIDTH,
    answer_word,
    app_and_id,
    counts,
    encoded,
    not_collected_text,
    plain_sentence,
    readable_time,
    resource_label,
    scope_count,
    tally,
    unread_text,
)
from auditor.render.markdown_text import code_span, fenced, harmless, link
from auditor.render.report_view import (
    ABOUT_DISAGREEMENTS,
    ABOUT_WHAT_IF,
    AFTERWARDS,
    APP_ROLES,
    DISAGREEMENTS,
    afterwards,
    answer_facts,
    are_assumed,
    assumptions,
    disagreement_sentence,
    finding_word,
    from_several_packs,
    numbered,
    numbered_label,
    question,
    reason_with_waivers,
    role_lines,
    scope_reason,
    tenant_label,
    verdict_word,
    what_if_answers,
    with_outcome,
)
from auditor.render.setting_view import SettingCard, failure_counts, setting_cards
from auditor.render.summary import summary_view
from auditor.render.text_layout import clip

if TYPE_CHECKING:
    from auditor.model.difference import SinceLast

_TEXT_WIDTH = 600
"""Columns of one text, because a comment on GitHub is limited to 65,536 characters. The JSON report has all of it."""

_FOLDED = (FindingOutcome.PASS, FindingOutcome.NOT_APPLICABLE)
_SHOWN = tuple(outcome for outcome in FindingOutcome if outcome not in _FOLDED)


def render(
    report: Report,
    *,
    history: Sequence[tuple[str, Summary]] = (),
    since_last: SinceLast | None = None,
    only_summary: bool = False,
) -> str:
    """GitHub's Markdown, which Azure DevOps and GitLab read too. Names in the tenant never become markup.

    Passed rules are folded with HTML's ``details``; the rest needs no HTML. `since_last` is what changed since the last
    report; Markdown draws no trend of `history`. With `only_summary`, it's the first page alone.
    """
    if only_summary:
        return "\n\n".join(filter(None, _summary(report, since_last, whole=True))) + "\n"
    blocks = [f"## {_text(question(report))}", *_answers(report), _table(("", ""), _facts(report))]
    blocks += _first(report)
    blocks += _summary(report, since_last, whole=False)
    for part in (
        _what_if,
        _scopes,
        _after_consent,
        _stopped,
        partial(_findings, news=_news(report, since_last)),
        _rule_fixes,
        _disagreements,
        _unread,
        _provenance,
    ):
        blocks += part(report)
    return "\n\n".join(filter(None, blocks)) + "\n"


def _text(text: str) -> str:
    return harmless(clip(" ".join(text.split()), _TEXT_WIDTH))


def _summary(report: Report, since_last: SinceLast | None, *, whole: bool) -> Iterator[str]:
    """The summary for a person who decides: the whole page, or what the rest of the report doesn't say already."""
    page = summary_view(report, since_last)
    if whole:
        yield f"## {_text(page.question)}"
        yield _text(page.answer)
        yield "\n".join(map(_text, page.act))
    elif page.apps:
        yield "### Summary for a decision"
    for one in page.apps:
        if len(page.apps) > 1:
            yield f"**{_text(one.app)}**"
        if whole:
            yield f"**{_text(one.word)}.** {_text(one.answer)}"
        facts = (
            ("What to do", one.todo if whole else ""),
            ("Who must act", one.act),
            ("Takes", one.time),
            ("Risk", one.risk),
            ("Can be undone", one.undo),
        )
        yield "\n".join(f"- {label}: {_text(text)}" for label, text in facts if text)
        for page_to_open in one.links if whole else ():
            yield f"{_text(page_to_open.text)}: {link(page_to_open.href)}"
        rows = [
            (_text(line.plain), f"{_name(line.scope)} ({_text(line.resource)})", line.state) for line in one.permissions
        ]
        yield _table(("In plain words", "Permission", "State"), rows) if rows else ""
        yield _text(one.more)
    if page.changed:
        yield f"### {_text(page.changed_title)}"
        yield " ".join(map(_text, page.changed))
        yield "\n".join(f"- {label}: {'; '.join(map(_text, names))}" for label, names in page.lists)
    if whole:
        rules = f"{page.rules} " if page.rules else ""
        yield _text(
            f"{rules}Read from {page.tenant} at {page.taken} by {report.tool}. Nothing in the tenant was changed."
        )


def _answers(report: Report) -> Iterator[str]:
    """The verdict in a sentence, or a list of several."""
    if not report.decisions:
        yield f"**{_text(sentence(report.summary.answer))}**" if report.summary.answer.strip() else ""
        return
    if len(report.decisions) == 1:
        yield f"**{_text(answer_word(report.decisions[0]))}.** {_text(plain_sentence(report.decisions[0].because))}"
        return
    lines = []
    for number, decision in numbered(report):
        word, because = _text(answer_word(decision)), _text(plain_sentence(decision.because))
        lines.append(f"- {_text(numbered_label(number, decision))}: **{word}.** {because}")
    yield "\n".join(lines)


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    yield "Tenant", _text(tenant_label(report))
    if len(report.decisions) == 1:
        yield "App", _text(app_and_id(report.decisions[0]))
        for label, texts in answer_facts(report.decisions[0]):
            yield label, "<br>".join(map(_text, texts))
        yield AFTERWARDS, _text(afterwards(report, report.decisions[0]))
    yield "Collected", _text(readable_time(report.taken))
    yield "Source", _text(report.source)
    yield "Rules", _text(f"{tally(report.summary)}.") if report.findings else ""
    if report.granted is not None:
        rows = len(report.granted.rows)
        read = f"{rows:,} {'grant' if rows == 1 else 'grants'}, listed in the CSV, XLSX, and JSON reports."
        yield "Grants read", read if rows else "None."


def _first(report: Report) -> Iterator[str]:
    """The first thing to do; for several answers, the first thing for each."""
    if len(report.decisions) > 1:
        yield from _first_of_each(report)
        return
    decision = report.decisions[0] if report.decisions else None
    first, numbers = first_thing(report, decision), FixNumbers(report)
    if first is not None:
        yield "### First thing to do"
        yield from _first_thing(first, numbers)
    others = [fix for fix in decision.fixes if first is None or fix is not first.fix] if decision else []
    if others:
        lines = (f"- Fix {numbers.number(fix)}: {_text(sentence(fix.title))}" for fix in others)
        yield "Alternatives:\n\n" + "\n".join(lines)


def _first_of_each(report: Report) -> Iterator[str]:
    """What to do first about each answer that needs it; answers with the same first fix share it."""
    alike: dict[bytes, list[tuple[int, Decision]]] = {}
    for number, decision in numbered(report):
        needs_read = decision.outcome is Outcome.DEPENDS and any(part.needs for part in report.unread)
        if decision.fixes or decision.advice or needs_read:
            alike.setdefault(encoded((decision.fixes[:1], decision.advice)), []).append((number, decision))
    numbers = FixNumbers(report)
    if alike:
        yield "### First thing to do"
    for same in alike.values():
        yield f"**{_text(series([numbered_label(number, decision) for number, decision in same]))}**"
        first = first_thing(report, same[0][1])
        if first is not None:
            yield from _first_thing(first, numbers)


def _first_thing(first: FirstThing, numbers: FixNumbers) -> Iterator[str]:
    pages = first.finding.remediation.portal_links if first.finding else ()
    yield " ".join(_linked(said, pages) for said in first.sentences("Findings"))
    yield link(first.link) if first.link else ""
    if first.fix is not None and not first.link:
        yield _command(first.fix)
        yield _text(script_hint(first.fix, numbers.number(first.fix)))
    items = (("Role", first.role), ("Result", first.result), ("Undo", first.fix.undo if first.fix else ""))
    yield "\n".join(f"- {label}: {_text(text)}" for label, text in items if text and "\n" not in text.strip())


def _command(fix: Fix) -> str:
    """The fix in the first form that can be copied."""
    steps = fix.steps
    if steps.powershell:
        return fenced(steps.powershell, "powershell")
    if steps.az:
        return fenced(steps.az, "sh")
    links = steps.portal_links
    return "\n".join(f"{number}. {_linked(step, links)}" for number, step in enumerate(steps.portal, start=1))


def _linked(step: str, links: Sequence[PortalLink]) -> str:
    """A step in the portal, with each page that has an address as a link."""
    parts = step_parts(clip(" ".join(step.split()), _TEXT_WIDTH), links)
    return "".join(_link_or_text(part) for part in parts)


def _link_or_text(part: StepPart) -> str:
    target = link(part.address) if part.address else ""
    if target.startswith("<"):
        return f"[{harmless(part.text)}]({target})"
    start, end = (" " * part.text.startswith(" "), " " * part.text.endswith(" "))
    return f"{start}{harmless(part.text)}{end}"


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of cells that are Markdown already; a row with nothing after its first cell is left out."""
    lines = [f"| {' | '.join(row)} |" for row in rows if any(row[1:])]
    return "\n".join((f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}", *lines)) if lines else ""


def _what_if(report: Report) -> Iterator[str]:
    if report.what_if:
        yield f"### What if: {_text(assumptions(report))}"
        yield ABOUT_WHAT_IF
        rows = (
            (_text(app_and_id(answer.then)), *map(_text, answer.words), _text(plain_sentence(answer.then.because)))
            for answer in what_if_answers(report)
        )
        yield _table(("App", "Now", "With this change", "Why"), rows)


def _scopes(report: Report) -> Iterator[str]:
    described = [(number, decision) for number, decision in numbered(report) if decision.scopes or decision.notes]
    if described:
        yield "### Scopes: the permissions the app requests"
    for number, decision in described:
        if len(report.decisions) > 1:
            yield f"**{_text(numbered_label(number, decision))}**"
        if decision.scopes:
            yield f"{scope_count(decision.scopes)}."
        assumed = are_assumed(decision)
        rows = (
            (
                _name(scope.scope),
                _text(resource_label(scope.resource, scope.resource_name)),
                _text(verdict_word(scope)),
                _text(scope_reason(scope, scope.detail, assumed)),
            )
            for scope in decision.scopes
        )
        yield _table(("Scope (assumed)" if assumed else "Scope", "Resource", "Verdict", "Why"), rows)
        if lines := role_lines(decision):
            yield f"**{APP_ROLES}**"
            cells = ((_name(one.name), _text(one.resource), _text(one.word), _text(one.why)) for one in lines)
            yield _table(("Permission", "Resource", "State", "Why"), cells)
        yield " ".join(_text(sentence(note)) for note in decision.notes)


def _name(text: str) -> str:
    """A technical name: as code, if it can be."""
    name = clip(text, NAME_WIDTH)
    return harmless(name) if not name.strip() or set(name) & set("|`") else code_span(name.strip())


def _after_consent(report: Report) -> Iterator[str]:
    if report.after_consent:
        yield f"### {AFTER_CONSENT}"
    for one in report.after_consent:
        label = whose(report, one)
        yield f"**{_text(label)}**" if label else ""
        yield _text(plain_sentence(one.because))
        rows = ((p.word, f"**{_text(p.name)}**<br>{_text(p.text)}") for p in policy_lines(one))
        yield _table(("Effect", "Conditional Access policy"), rows)
        mailbox = [f"Mailbox: {one.mailbox.because}"] if one.mailbox else []
        texts = [*mailbox, *(f"Not checked: {not_checked_text(each)}" for each in one.not_checked)]
        yield "\n".join(f"- {_text(text)}" for text in texts)


def _stopped(report: Report) -> Iterator[str]:
    if report.stopped:
        yield f"### {STOPPED}"
    for one in report.stopped:
        label = stopped_label(report, one)
        yield f"**{_text(label)}**" if label else ""
        yield _text(one.sentence)
        yield "\n".join(f"- {_text(line)}" for line in stopped_lines(one))


def _news(report: Report, since_last: SinceLast | None) -> Mapping[str, str]:
    """What changed about each finding since the last report, by fingerprint."""
    if since_last is None:
        return {}
    # Only for a report with earlier ones.
    from auditor.render.html.news_view import finding_news

    return finding_news(report, since_last)


def _findings(report: Report, news: Mapping[str, str]) -> Iterator[str]:
    """What needs attention, and folded, what doesn't."""
    if not report.findings:
        return
    yield "### Findings: the result of each rule"
    yield _text(failure_counts(report).sentence)
    yield _settings_table(setting_cards(report))
    several = from_several_packs(report)
    shown, folded = with_outcome(report.findings, *_SHOWN), with_outcome(report.findings, *_FOLDED)
    yield _findings_table(sorted(shown, key=lambda finding: finding.outcome.rank), several, news)
    if folded:
        passed = len(with_outcome(folded, FindingOutcome.PASS))
        numbers = ((passed, "passed"), (len(folded) - passed, "not applicable"))
        yield f"<details><summary>{', '.join(f'{number} {word}' for number, word in numbers if number)}</summary>"
        yield _findings_table(folded, several, news)
        yield "</details>"


def _settings_table(cards: Iterable[SettingCard]) -> str:
    """The rules about each setting of the tenant that needs attention."""
    rows = (
        (card.word, card.severity.value, _text(card.setting.label), _text(card.summary))
        for card in cards
        if card.outcome in _SHOWN
    )
    return _table(("Outcome", "Severity", "Setting", "Rules"), rows)


def _findings_table(findings: Iterable[Finding], several: bool, news: Mapping[str, str]) -> str:
    rows = (
        (
            finding_word(finding),
            finding.severity.value,
            _name(finding.rule) + (f"<br>({_text(finding.pack)})" if several else ""),
            "<br>".join(_requirement_and_reason(finding, news.get(finding.fingerprint, ""))),
        )
        for finding in findings
    )
    return _table(("Outcome", "Severity", "Rule", "Requirement and reason"), rows)


def _requirement_and_reason(finding: Finding, news: str) -> Iterator[str]:
    """What the rule requires, what changed, why it has its outcome, and if it failed, what to do."""
    yield f"**{_text(finding.title.rstrip('.')) or '-'}**{f' ({news})' if news else ''}"
    yield _text(reason_with_waivers(finding))
    advice = finding.remediation
    if finding.outcome is FindingOutcome.FAIL and (advice.portal or advice.note):
        yield f"To do: {_linked(first_step(finding), advice.portal_links)}"
    if finding.outcome is FindingOutcome.FAIL and advice.link:
        yield link(advice.link)


def _rule_fixes(report: Report) -> Iterator[str]:
    """The fixes of failed rules that no answer has, each with all the rules that it fixes."""
    numbers = FixNumbers(report)
    of_answers = {numbers.number(fix) for decision in report.decisions for fix in decision.fixes}
    rules: dict[int, tuple[Fix, list[str]]] = {}
    for finding in with_outcome(report.findings, FindingOutcome.FAIL):
        for fix in finding.fixes:
            if (number := numbers.number(fix)) not in of_answers:
                rules.setdefault(number, (fix, []))[1].append(finding.rule)
    if rules:
        yield "### Fixes for the rules"
        yield "Each was tested on a copy of the settings; nothing in the tenant was changed."
    for number, (fix, fixed) in rules.items():
        says = _text(sentence(fix.title))
        yield f"**Fix {number}: {says}** Fixes {series([_name(rule) for rule in dict.fromkeys(fixed)])}."
        yield _command(fix)
        script = script_hint(fix, number)
        items = (("Role", sentence(fix.role)), ("Expect", fix.expect), ("Undo", fix.undo), ("Script", script))
        yield "\n".join(f"- {label}: {_text(text)}" for label, text in items if text and "\n" not in text.strip())


def _disagreements(report: Report) -> Iterator[str]:
    if report.disagreements:
        yield f"### {DISAGREEMENTS}"
        yield ABOUT_DISAGREEMENTS
        yield "\n".join(f"- {_text(disagreement_sentence(one))}" for one in report.disagreements)


def _unread(report: Report) -> Iterator[str]:
    if report.unread or report.not_collected:
        yield "### What couldn't be read"
        texts = [(part.section, unread_text(part)) for part in report.unread]
        texts += [(part.section, not_collected_text(part)) for part in report.not_collected]
        rows = (
            (f"{_text(text.title)}<br>({_text(section)})", *map(_text, (text.response, text.allowed_by, text.unknown)))
            for section, text in texts
        )
        yield _table(("Data", "Response", "Allowed by", "Unknown"), rows)


def _provenance(report: Report) -> Iterator[str]:
    yield "### About this report"
    packs = [("Pack", f"{_text(f'{pack.name} {pack.version}')} {_name(pack.digest)}") for pack in report.packs]
    policies = [("Policy", f"{_text(policy.id)} {_name(policy.digest)}") for policy in report.policies]
    snapshot = f"{readable_time(report.taken)}, {report.cloud} cloud"
    outside = [("Not covered", _text(text)) for text in report.outside]
    about = (("Tool", _text(report.tool)), ("Snapshot", _text(snapshot)))
    yield _table(("", ""), (*packs, *policies, *outside, *about))
    yield f"{_text(counts(report.summary))}."
