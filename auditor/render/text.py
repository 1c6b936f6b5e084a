"""The report as plain text, and a short text of it to paste into a ticket."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.model.decision import ORDINARY_SUBJECT, Decision, ScopeVerdict
from auditor.model.document import count, sentence, series
from auditor.model.report import Finding, Report
from auditor.render.after_consent_view import (
    AFTER_CONSENT,
    STOPPED,
    not_checked_text,
    policy_lines,
    stopped_label,
    stopped_lines,
    whose,
)
from auditor.render.fix_view import first_fix, first_thing
from auditor.render.labels import (
    FINDINGS,
    OUTCOMES,
    SEVERE,
    VERDICTS,
    abused_list_text,
    answer_word,
    app_and_id,
    counts,
    error_code,
    not_collected_text,
    plain_sentence,
    readable_time,
    resource_label,
    scope_count,
    tally,
    unread_text,
)
from auditor.render.report_view import (
    ABOUT_DISAGREEMENTS,
    ABOUT_WHAT_IF,
    AFTERWARDS,
    ALSO,
    APP_ROLES,
    CONFIDENCE,
    DEPENDS_ON,
    DISAGREEMENTS,
    NOT_KNOWN,
    VENDOR_SAYS,
    afterwards,
    answer_facts,
    are_assumed,
    assumptions,
    compare_scopes,
    decider_label,
    deciders,
    detail_with_letter,
    disagreement_sentence,
    finding_word,
    from_several_packs,
    numbered,
    numbered_label,
    question,
    reason_with_waivers,
    role_lines,
    scope_reason,
    shared_resource,
    short_digest,
    tenant_label,
    verdict_word,
    what_if_answers,
)
from auditor.render.setting_view import failure_counts, setting_cards
from auditor.render.text_fixes import what_to_do
from auditor.render.text_layout import Palette, TableCell, TableColumn, TextPage

NARROWEST = 60
"""The smallest width of the report."""
TICKET_WIDTH = 76
"""Columns that a mail client doesn't break."""
_NAMED_IN_TICKET = 4
"""Parts that couldn't be read that the text for a ticket names."""

_SHOWN_FIRST = {ALSO: 2, DEPENDS_ON: 2, CONFIDENCE: 2, NOT_KNOWN: 1, VENDOR_SAYS: 0}
"""How many texts of a fact the first screen shows; the rest follows below it. The first text about confidence says that
the answer is only likely."""
_WITH_RESOURCES = 80
"""From this width on, a table of scopes on several resources has a column for the resource."""


def render(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """The report in lines of at most `width` columns (at least 60), ending with a line break.

    Links, commands and request bodies are never broken, so only they can be wider. Colour adds nothing that the words
    don't say. The same report gives the same text.
    """
    page = TextPage(max(width, NARROWEST), Palette(colour))
    _first_screen(page, report)
    _what_if(page, report)
    _more_about_answers(page, report)
    _scopes(page, report)
    _after_consent(page, report)
    _stopped(page, report)
    _findings(page, report)
    _disagreements(page, report)
    what_to_do(page, report)
    _scope_comparisons(page, report)
    _unread(page, report)
    _provenance(page, report)
    return str(page)


def render_ticket(report: Report) -> str:
    """The first screen, what couldn't be read, and what the report is based on: short enough to paste.

    Without colour, ending with a line break. The same report gives the same text.
    """
    page = TextPage(TICKET_WIDTH, Palette(colour=False))
    _first_screen(page, report)
    if report.unread:
        page.blank()
        named = [part.section for part in report.unread[:_NAMED_IN_TICKET]]
        more = len(report.unread) - len(named)
        page.field("Not read", f"{series([*named, count(more, 'more part')] if more else named)}.")
    _provenance(page, report)
    return str(page)


def _first_screen(page: TextPage, report: Report) -> None:
    """The tenant, the app, the answer, what the user sees, and the first thing to do; short for several answers."""
    page.say(question(report), indent=0, style="strong")
    page.blank()
    page.field("Tenant", tenant_label(report))
    if len(report.decisions) == 1:
        page.field("App", app_and_id(report.decisions[0]))
    page.field("Collected", readable_time(report.taken))
    page.field("Source", report.source)
    if report.findings and not report.decisions:
        page.field("Rules", f"{tally(report.summary)}.")
    page.blank()
    if not report.decisions:
        page.say(sentence(report.summary.answer), style="strong")
        _first_thing(page, report, None)
    elif len(report.decisions) == 1:
        _answer(page, report.decisions[0])
        page.field(AFTERWARDS, afterwards(report, report.decisions[0]))
        _first_thing(page, report, report.decisions[0])
    else:
        _short_answers(page, report)


def _answer(page: TextPage, decision: Decision) -> None:
    page.say(f">> {answer_word(decision)}", style=OUTCOMES[decision.outcome].style)
    page.say(plain_sentence(decision.because), indent=5, style="strong")
    page.blank()
    for label, texts in answer_facts(decision):
        most = _SHOWN_FIRST.get(label, len(texts))
        shown = list(texts[:most])
        if shown and len(texts) > most:
            shown[-1] += f" ({len(texts) - most} more below.)"
        if label == CONFIDENCE:
            shown = [" ".join(shown)]
        page.items(label, shown)


def _short_answers(page: TextPage, report: Report) -> None:
    for number, decision in enumerate(report.decisions, start=1):
        page.blank()
        earlier = report.decisions.index(decision) + 1
        if earlier < number:
            page.lead(f"{number}. ", f"{app_and_id(decision)}: the same as {earlier}.", style="strong")
            continue
        page.lead(f"{number}. ", app_and_id(decision), style="strong")
        if decision.subject != ORDINARY_SUBJECT:
            page.say(f"For {decision.subject}:", indent=5)
        page.say(f">> {answer_word(decision)}", indent=5, style=OUTCOMES[decision.outcome].style)
        page.say(plain_sentence(decision.because), indent=5)
        page.field("Code", sentence(error_code(decision.code)), indent=5)
        page.field(AFTERWARDS, afterwards(report, decision), indent=5)
        if fix := first_fix(decision):
            page.field("First fix", sentence(fix.title), indent=5)
            page.link(fix.link, indent=5)


def _first_thing(page: TextPage, report: Report, decision: Decision | None) -> None:
    first = first_thing(report, decision)
    if first is None:
        return
    page.blank()
    page.say("First thing to do:", style="strong")
    for text in first.sentences("What to do"):
        page.say(text, indent=4)
    page.link(first.link, indent=4)
    page.field("Role", first.role, indent=4)
    page.field("Result", first.result, indent=4)


def _what_if(page: TextPage, report: Report) -> None:
    """One table for each app: outcome, code and scopes now, and with the assumptions."""
    if report.what_if is None:
        return
    page.heading(f"What if: {assumptions(report)}")
    page.say(ABOUT_WHAT_IF)
    heads = (TableColumn("", 10), TableColumn("Now", 12), TableColumn("With this change", 16))
    for now, then in what_if_answers(report):
        if now is None:
            continue
        page.blank()
        if len(report.what_if.decisions) > 1:
            page.say(app_and_id(then), style="strong")
        page.table(heads, [[TableCell(label), *cells] for label, *cells in _changes(now, then)])
        page.blank()
        page.say(plain_sentence(then.because))


def _changes(now: Decision, then: Decision) -> Iterator[tuple[str, TableCell, TableCell]]:
    """The rows of a what-if table: always the outcome and the code, then the scopes whose verdict changes."""
    yield (
        "Outcome",
        TableCell(answer_word(now), OUTCOMES[now.outcome].style),
        TableCell(answer_word(then), OUTCOMES[then.outcome].style),
    )
    yield "Code", TableCell(error_code(now.code) or "-"), TableCell(error_code(then.code) or "-")
    after = {(scope.resource, scope.scope.lower()): scope for scope in then.scopes}
    for scope in now.scopes:
        other = after.get((scope.resource, scope.scope.lower()))
        if other is not None and other.verdict is not scope.verdict:
            yield scope.scope, TableCell(*VERDICTS[scope.verdict]), TableCell(*VERDICTS[other.verdict])


def _more_about_answers(page: TextPage, report: Report) -> None:
    """The facts that don't fit on the first screen."""
    alone = len(report.decisions) == 1
    described = [(number, decision, _remaining_facts(decision, alone)) for number, decision in numbered(report)]
    if not any(facts for _, _, facts in described):
        return
    page.heading("More about this answer" if len(described) == 1 else "More about these answers")
    for number, decision, facts in described:
        if facts and not alone:
            page.blank()
            page.say(numbered_label(number, decision), style="strong")
        for label, texts in facts:
            page.items(label, texts)


def _remaining_facts(decision: Decision, alone: bool) -> list[tuple[str, tuple[str, ...]]]:
    """By label, the texts that the first screen didn't show; of one of several answers, it showed none."""
    rest = []
    for label, texts in answer_facts(decision):
        shown = _SHOWN_FIRST.get(label, len(texts)) if alone else int(label == CONFIDENCE)
        if texts[shown:]:
            rest.append(("Caveats" if label == CONFIDENCE else label, texts[shown:]))
    return rest


def _scopes(page: TextPage, report: Report) -> None:
    """The scopes of each answer, and notes on them."""
    described = [(number, decision) for number, decision in numbered(report) if decision.scopes or decision.notes]
    if described:
        page.heading("Scopes: the permissions the app requests")
    for number, decision in described:
        if len(report.decisions) > 1:
            page.blank()
            page.say(numbered_label(number, decision), style="strong")
            page.blank()
        if decision.scopes:
            page.say(f"{scope_count(decision.scopes)}.")
            page.blank()
            _scope_table(page, decision)
        _app_roles(page, decision)
        if (decision.scopes or decision.app_roles) and decision.notes:
            page.blank()
        for note in decision.notes:
            page.say(sentence(note))


def _app_roles(page: TextPage, decision: Decision) -> None:
    """What the app needs to work without a user, if anything."""
    if lines := role_lines(decision):
        page.blank()
        page.say(APP_ROLES, style="strong")
        page.blank()
        heads = (TableColumn("Permission", 12), TableColumn("State", 8), TableColumn("Why", 20, wish=30))
        rows = [
            [TableCell(r.name, below=f"({r.resource})"), TableCell(r.word, r.style), TableCell(r.why)] for r in lines
        ]
        page.table(heads, rows)


def _scope_table(page: TextPage, decision: Decision) -> None:
    """The table; what is true of every row is in its header instead."""
    letters = deciders(decision)
    resource, assumed = shared_resource(decision), are_assumed(decision)
    about = ", ".join(filter(None, (resource, "assumed" if assumed else "")))
    heads = [TableColumn(f"Scope ({about})" if about else "Scope", 12)]
    own_column = not resource and page.width >= _WITH_RESOURCES
    if own_column:
        heads.append(TableColumn("Resource", 8))
    heads += TableColumn("Verdict", 8), TableColumn("Why", 20, wish=30)
    rows = []
    for scope in decision.scopes:
        name = "" if resource else resource_label(scope.resource, scope.resource_name)
        first = TableCell(scope.scope, below=f"({name})" if name and not own_column else "")
        rest = (_verdict(scope), TableCell(scope_reason(scope, detail_with_letter(scope, letters), assumed)))
        rows.append([first, TableCell(name), *rest] if own_column else [first, *rest])
    page.table(heads, rows)
    if letters:
        page.blank()
    for decider, letter in letters.items():
        page.lead(f"[{letter}] ", decider_label(decision, decider))


def _verdict(scope: ScopeVerdict) -> TableCell:
    return TableCell(verdict_word(scope), VERDICTS[scope.verdict][1])


def _after_consent(page: TextPage, report: Report) -> None:
    """For each app and user the Conditional Access policies, the mailbox, and what wasn't checked."""
    if not report.after_consent:
        return
    page.heading(AFTER_CONSENT)
    heads = (TableColumn("Effect", 8), TableColumn("Conditional Access policy", 20, wish=37))
    for place, one in enumerate(report.after_consent):
        if place:
            page.blank()
        if label := whose(report, one):
            page.say(label, style="strong")
        page.say(plain_sentence(one.because))
        page.blank()
        lines = policy_lines(one)
        if lines:
            page.table(heads, [[TableCell(p.word, p.style), TableCell(p.name, "strong", below=p.text)] for p in lines])
            page.blank()
        page.field("Mailbox", one.mailbox.because if one.mailbox else "")
        page.items("Not checked", [not_checked_text(each) for each in one.not_checked])


def _stopped(page: TextPage, report: Report) -> None:
    """What requests for consent and logs say about each app."""
    if report.stopped:
        page.heading(STOPPED)
    for one in report.stopped:
        if label := stopped_label(report, one):
            page.say(label, style="strong")
        page.say(one.sentence)
        for line in stopped_lines(one):
            page.lead("- ", line)


def _findings(page: TextPage, report: Report) -> None:
    """The rules about each setting, and all findings in their order; the pack is named if there are several."""
    if not report.findings:
        return
    several = from_several_packs(report)
    page.heading("Findings: the result of each rule")
    page.say(failure_counts(report).sentence)
    for card in setting_cards(report):
        page.lead("- ", f"{card.setting.label}: {card.summary}.")
    page.blank()
    heads = (
        TableColumn("Outcome", 7),
        TableColumn("Severity", 8),
        TableColumn("Rule", 12),
        TableColumn("Requirement and reason", 20, wish=37),
    )
    page.table(heads, [_finding_row(finding, several) for finding in report.findings])


def _finding_row(finding: Finding, several: bool) -> list[TableCell]:
    style = FINDINGS[finding.outcome][1]
    severe = style == "bad" and finding.severity in SEVERE
    return [
        TableCell(finding_word(finding), style),
        TableCell(finding.severity.value, "bad" if severe else ""),
        TableCell(finding.rule, below=f"({finding.pack})" if several else ""),
        TableCell(finding.title.rstrip("."), "strong", below=reason_with_waivers(finding)),
    ]


def _disagreements(page: TextPage, report: Report) -> None:
    """Every disagreement of benchmarks, with the view of each side."""
    if not report.disagreements:
        return
    page.heading(DISAGREEMENTS)
    page.say(ABOUT_DISAGREEMENTS)
    for one in report.disagreements:
        page.blank()
        page.say(disagreement_sentence(one), style="strong")
        for stand in one.stands:
            word, style = FINDINGS[stand.outcome]
            page.field(word, f"{stand.rule} ({stand.pack})", indent=4, style=style)
            page.field("", stand.view, indent=4)


def _scope_comparisons(page: TextPage, report: Report) -> None:
    """What packs assume compared with what the tenant granted."""
    if report.calibrations:
        page.heading("Assumed and granted scopes")
    for one in report.calibrations:
        comparison = compare_scopes(one)
        page.blank()
        page.say(comparison.sentence)
        for resource, not_granted, not_assumed in comparison.differences:
            if not_granted:
                page.lead("- ", f"{resource}, assumed but not granted: {series(not_granted)}.")
            if not_assumed:
                page.lead("- ", f"{resource}, granted but not assumed: {series(not_assumed)}.")


def _unread(page: TextPage, report: Report) -> None:
    """Each part that couldn't be read: why, what allows it, and what isn't known without it."""
    if report.unread or report.not_collected:
        page.heading("What couldn't be read")
    texts = [(part.section, unread_text(part), part.request_id) for part in report.unread]
    texts += [(part.section, not_collected_text(part), "") for part in report.not_collected]
    for place, (section, text, request_id) in enumerate(texts):
        if place:
            page.blank()
        page.say(f"{text.title} ({section})", style="strong")
        page.field("Response", text.response, indent=4)
        page.field("Allowed by", text.allowed_by, indent=4)
        page.field("Unknown", text.unknown, indent=4)
        page.field("Request ID", request_id, indent=4)


def _provenance(page: TextPage, report: Report) -> None:
    """The packs and policies with their digests, the program, the time of the snapshot, and the count of findings."""
    page.heading("About this report")
    page.items("Packs", [f"{pack.name} {pack.version} {short_digest(pack.digest)}" for pack in report.packs])
    page.items("Policies", [f"{policy.id} {short_digest(policy.digest)}" for policy in report.policies])
    page.items(
        "Waivers",
        [f"{file.name}, {count(file.count, 'waiver')} {short_digest(file.digest)}" for file in report.waivers],
    )
    page.items("App lists", [f"{abused_list_text(one)} {short_digest(one.digest)}" for one in report.abused_apps])
    page.items("Not covered", list(report.outside))
    page.field("Tool", report.tool)
    page.field("Snapshot", f"{readable_time(report.taken)}, {report.cloud} cloud")
    page.blank()
    page.say(f"{counts(report.summary)}.", indent=0, style="strong")
