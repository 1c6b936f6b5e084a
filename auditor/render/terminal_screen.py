"""The report on one screen of a terminal: the verdict, why, what to do first, and the findings in a line each.

The whole report is `auditor.render.text`. The screen leaves out details and never changes what they say.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model.decision import ORDINARY_SUBJECT, Decision, RoleState, Verdict
from auditor.model.document import count, first_of, series
from auditor.model.report import Report
from auditor.model.rule import FindingOutcome
from auditor.render.fix_view import AnswerGroup, first_thing, grouped_answers, links_of_packs
from auditor.render.labels import (
    NAME_WIDTH,
    OUTCOMES,
    answer_word,
    app_label,
    in_plain_words,
    plain_reason,
    readable_time,
    scope_count,
    unread_text,
)
from auditor.render.report_view import (
    AFTERWARDS,
    ALSO,
    CONFIDENCE,
    DEPENDS_ON,
    USER_SEES,
    AnswerFact,
    afterwards,
    answer_facts,
    question,
    what_if_sentences,
)
from auditor.render.setting_view import SettingCard, failure_counts, setting_cards
from auditor.render.text_layout import Palette, TextPage, clip, columns

NARROWEST = 40
"""The smallest width of the screen."""
_WITH_LABELS = 60
"""From this width on, values are next to their labels, and findings have columns."""
_MOST = {ALSO: 1, DEPENDS_ON: 2, CONFIDENCE: 2}
"""The facts about an answer that the screen shows besides what the user sees, and how many texts of each."""
_MOST_SCOPES = 8
"""Scopes that the screen names; the details have all."""
_NAME = 40
"""Columns of a name in the verdict, which is one line of a log."""
_MORE = "For everything else, add --details, or -o report.html for a page to forward."
_ATTENTION = (FindingOutcome.FAIL, FindingOutcome.UNKNOWN, FindingOutcome.WAIVED)


def render(report: Report, *, width: int = 80, colour: bool = False) -> str:
    """The screen in lines of at most `width` columns (at least 40), ending with a line break.

    Links are never broken, so only they can be wider. Colour adds nothing that the words don't say. The same report
    gives the same text.
    """
    page = TextPage(max(width, NARROWEST), Palette(colour))
    page.say(question(report), indent=0, style="strong")
    when = f"Data as of {readable_time(report.taken)}." if report.taken else "When the data was read isn't recorded."
    page.say(when, indent=0, style="quiet")
    groups = grouped_answers(report)
    if not groups:
        _rules_only(page, report)
    for number, group in enumerate(groups, start=1):
        page.blank()
        _answer(page, report, group, number if len(groups) > 1 else 0)
    for text in what_if_sentences(report):
        page.blank()
        page.say(text)
    _unread(page, report)
    _findings(page, report)
    page.blank()
    page.say(_MORE, indent=0)
    return str(page)


def ending(report: Report, code: int, fail_on: str, *, width: int = 80, colour: bool = False) -> str:
    """The last lines of a check, which stay when the screen scrolls: the verdict again, and what the exit code means.

    The text ends with a line break.
    """
    page = TextPage(max(width, NARROWEST), Palette(colour))
    page.say(verdict(report), indent=0, style="strong")
    page.say(exit_meaning(code, fail_on), indent=0)
    return str(page)


def verdict(report: Report) -> str:
    """``TrackerRMS in Contoso: NEEDS ADMIN. An administrator must approve the app first. 4 of 10 checks fail.``"""
    tenant = clip(report.tenant.name, _NAME) or report.tenant.id
    counts = failure_counts(report).sentence if report.findings else ""
    groups = grouped_answers(report)
    if len(groups) == 1:
        means = OUTCOMES[groups[0].first.outcome].means
        said = f"{_name(groups[0])} in {tenant}: {answer_word(groups[0].first)}. {means}"
    elif groups:
        answers = (f"{_name(group)} {answer_word(group.first)}" for group in groups)
        said = f"{tenant}: {', '.join(answers)}."
    else:
        return f"{tenant}: {counts or 'No checks were made.'}"
    return " ".join(filter(None, (said, counts)))


def exit_meaning(code: int, fail_on: str) -> str:
    """``Exit code 1: a check of severity medium or higher fails.``"""
    if code == 1:
        return f"Exit code 1: a check of severity {fail_on} {_or_higher(fail_on)}fails."
    if code == 4:
        return "Exit code 4: a verdict is unknown, because data is missing."
    if fail_on == "never":
        return "Exit code 0: --fail-on never ignores failures."
    return f"Exit code 0: no check of severity {fail_on} {_or_higher(fail_on)}fails."


def _or_higher(severity: str) -> str:
    return "" if severity == "critical" else "or higher "


def _name(group: AnswerGroup) -> str:
    app = clip(app_label(group.first), _NAME)
    variants = f" ({series(group.variants)})" if group.variants else ""
    user = f", for {clip(group.first.subject, NAME_WIDTH)}" if group.first.subject != ORDINARY_SUBJECT else ""
    return f"{app}{variants}{user}"


def _rules_only(page: TextPage, report: Report) -> None:
    """The verdict of an audit that is about no app."""
    failed, unknown = report.summary.failed, report.summary.unknown
    word, style = ("FAILS", "bad") if failed else ("UNKNOWN", "unsure") if unknown else ("PASSES", "good")
    page.blank()
    if report.findings:
        page.say(f">> {word}. {failure_counts(report).sentence}", indent=0, style=style)
    _first_thing(page, report, None)


def _answer(page: TextPage, report: Report, group: AnswerGroup, number: int) -> None:
    """One answer; `number` is 0 if there are no others."""
    decision = group.first
    if number:
        page.lead(f"{number}. ", _name(group), indent=0, style="strong")
    label = OUTCOMES[decision.outcome]
    page.say(f">> {answer_word(decision)}. {label.means}", indent=0, style=label.style)
    page.say(plain_reason(decision), style="strong")
    page.blank()
    for fact in answer_facts(decision):
        if fact.label == USER_SEES or fact.label in _MOST:
            _field(page, fact.label, _short_fact(report, fact))
    _field(page, AFTERWARDS, afterwards(report, decision))
    _field(page, "Stopped by", _stopping_scopes(decision))
    _field(page, "On its own", _roles_lacking(decision))
    _first_thing(page, report, decision)


def _short_fact(report: Report, fact: AnswerFact) -> str:
    """The first texts of a fact. What couldn't be read, which makes an answer only likely, has its own line."""
    if fact.label == CONFIDENCE and report.unread:
        return "Likely, not certain: see Not read."
    most = _MOST.get(fact.label, 1)
    more = f" ({len(fact.texts) - most} more)" if len(fact.texts) > most else ""
    texts = fact.texts[:most] if fact.label == USER_SEES else map(in_plain_words, fact.texts[:most])
    return f"{' '.join(texts)}{more}"


def _roles_lacking(decision: Decision) -> str:
    """The required application permissions that the app doesn't have, or may not have; nothing if it has all."""
    required = [one for one in decision.app_roles if one.required]
    # One without an id isn't known to be a permission that somebody can grant.
    lacking = [one.role for one in required if one.state is RoleState.NOT_GRANTED and one.role_id]
    nameless: dict[str, list[str]] = {}
    for one in required:
        if one.state is RoleState.NOT_GRANTED and not one.role_id:
            nameless.setdefault(one.detail, []).append(one.role)
    unread = [one.role for one in required if one.state is RoleState.UNKNOWN]
    texts = (
        f"It lacks {series(first_of(lacking, _MOST_SCOPES))}, which only an administrator can grant."
        if lacking
        else "",
        *(f"It lacks {series(first_of(names, _MOST_SCOPES))}: {reason}." for reason, names in nameless.items()),
        f"Whether it has {series(first_of(unread, _MOST_SCOPES))} is unknown." if unread else "",
    )
    return " ".join(filter(None, texts))


def _stopping_scopes(decision: Decision) -> str:
    """``Mail.ReadWrite and Contacts.ReadWrite (2 of 9 required scopes)``; nothing if no required scope stops users."""
    required = decision.required_scopes
    stopping = [scope.scope for scope in required if scope.verdict is Verdict.BLOCKED]
    if not stopping:
        return ""
    total = scope_count(required)
    if len(stopping) == len(required) and len(required) > 1:
        return f"All {total}."
    return f"{series(first_of(stopping, _MOST_SCOPES))} ({len(stopping)} of {total})."


def _first_thing(page: TextPage, report: Report, decision: Decision | None) -> None:
    first = first_thing(report, decision)
    if first is None:
        return
    page.blank()
    _field(page, "Do first", " ".join(first.sentences("the list below")))
    _field(page, "As", first.role)
    page.link(first.link)
    if packs := [pack for pack, _ in links_of_packs(report, first.fix)]:
        noun = "those" if len(packs) > 2 else "that"
        _field(page, "Link for", f"{packs[0]}. For {noun} of {series(packs[1:])}, add --details.")
    _field(page, "Result", first.result)


def _unread(page: TextPage, report: Report) -> None:
    """What couldn't be read, in a sentence: without it, a pass or a failure would be a guess."""
    if not report.unread:
        return
    first = unread_text(report.unread[0])
    more = len(report.unread) - 1
    needs = series(tuple(dict.fromkeys(part.needs[0] for part in report.unread if part.needs)))
    others = f" and {count(more, 'more part')}" if more else ""
    missing = f" The audit app lacks {needs}." if needs else ""
    _field(page, "Not read", f"{first.title}{others}.{missing}")


def _findings(page: TextPage, report: Report) -> None:
    """A line for each setting that needs attention, and one line for all the others with the same outcome."""
    cards = setting_cards(report)
    if not cards:
        return
    page.blank()
    # Without an app, the verdict above is this sentence.
    heading = failure_counts(report).sentence if report.decisions else "Findings by setting:"
    page.say(heading, indent=0, style="strong")
    attention = [card for card in cards if card.outcome in _ATTENTION]
    for card in attention:
        _card_line(page, card)
    for outcome in (FindingOutcome.PASS, FindingOutcome.NOT_APPLICABLE):
        if same := [card for card in cards if card.outcome is outcome]:
            _quiet_line(page, same)
    if split := [card.setting.label for card in cards if card.disagreements]:
        page.say(f"Benchmarks disagree about: {series(split)}.")


def _card_line(page: TextPage, card: SettingCard) -> None:
    """``fail     high      User consent setting: CIS-5.1.5.1, EIDSCA.AP08; 1 unknown``, with as many rules as fit."""
    rules = [chip.label for chip in card.deciding]
    unknown = card.counts.get(FindingOutcome.UNKNOWN, 0) if card.outcome is FindingOutcome.FAIL else 0
    also = f"; {unknown} unknown" if unknown else ""
    label = clip(card.setting.label, max(NARROWEST, page.width // 2))
    if page.width < _WITH_LABELS:
        number = f" ({count(len(rules), 'rule')}{also})" if len(rules) > 1 or unknown else ""
        page.lead("- ", f"{card.word}, {card.severity.value}: {label}{number}", indent=0, style=card.style)
        return
    start = f"{card.word:<8} {card.severity.value:<9} "
    page.lead(start, _that_fit(f"{label}: ", rules, page.width - 2 - columns(start), also), style=card.style)


def _that_fit(start: str, rules: list[str], width: int, end: str = "") -> str:
    """As many names as fit on the line, and how many more there are; the end is left out if no name fits before it."""
    for shown in range(len(rules), 0, -1):
        more = f" and {len(rules) - shown} more" if shown < len(rules) else ""
        line = f"{start}{', '.join(rules[:shown])}{more}{end}"
        if columns(line) <= width:
            return line
    return _that_fit(start, rules, width) if end else f"{start}{count(len(rules), 'rule')}"


def _quiet_line(page: TextPage, cards: Sequence[SettingCard]) -> None:
    """The settings with one outcome that needs no attention, in one line."""
    word, style = cards[0].word, cards[0].style
    if page.width < _WITH_LABELS:
        page.lead("- ", f"{word}: {count(len(cards), 'setting')}", indent=0, style=style)
        return
    start = f"{word:<18} "
    labels = [card.setting.label for card in cards]
    page.lead(start, _that_fit("", labels, page.width - 2 - columns(start)), style=style)


def _field(page: TextPage, label: str, text: str) -> None:
    """A value next to its label, or after it on a narrow screen; nothing if the value is empty."""
    if not text:
        return
    if page.width < _WITH_LABELS:
        page.say(f"{label}: {text}", indent=0)
    else:
        page.field(label, text)
