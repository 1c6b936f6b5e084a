"""The fixes as the page shows them, and the findings: what is required, why, the evidence, and which data is missing.

Each fix is shown once, under its own number; equal answers share theirs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from auditor.facts.ids import RESOURCE_NAMES
from auditor.model.decision import Confidence, Decision, Fix, GraphRequest, Reason
from auditor.model.document import sentence, series
from auditor.model.report import Evidence, Finding, NotCollected, Report
from auditor.model.rule import FindingOutcome
from auditor.model.sections import missing_parts, permissions_to_read
from auditor.render.fix_view import (
    FixNumbers,
    fix_minutes,
    fix_opens,
    fix_result,
    fix_reversible,
    grouped_answers,
    grouped_fixes,
    needs_action,
    outcome_after,
    script_hint,
)
from auditor.render.html.parts import (
    AddressView,
    CodeView,
    LinkedText,
    address,
    addresses,
    clickable,
    code,
    linked,
    tone,
)
from auditor.render.labels import (
    FINDINGS,
    SEVERE,
    click_path,
    data_label,
    encoded,
    flat,
    is_click_path,
    plain_sentence,
    setting_name,
)
from auditor.render.report_view import finding_word, waiver_sentence
from auditor.render.setting_view import setting_cards
from auditor.render.text_layout import clip


class FixView(NamedTuple):
    """A fix in full, and its row in the table of fixes: `result`, `opens`, `role`, `effort` and `reversible`.

    `verify` and `undo` are sentences, or empty if they are lines to copy in `*_ways`."""

    number: int
    title: str
    route: str
    result: str
    effort: str
    reversible: str
    after: str
    tone: str
    doubts: tuple[str, ...]
    role: str
    opens: tuple[str, ...]
    expect: str
    fill_in: tuple[str, ...]
    script: str
    portal: tuple[tuple[LinkedText, ...], ...]
    links: tuple[AddressView, ...]
    ways: tuple[CodeView, ...]
    verify: str
    undo: str
    verify_ways: tuple[CodeView, ...]
    undo_ways: tuple[CodeView, ...]


class FixGroup(NamedTuple):
    """What to do about one answer: how to read its fixes, the numbers of those shown before, and the new ones."""

    introduction: str
    advice: tuple[str, ...]
    known: tuple[int, ...]
    fixes: tuple[FixView, ...]


class FixViews:
    """The views of fixes. Whoever asks for a fix first gets its view; all others get its number to refer to."""

    def __init__(self, report: Report) -> None:
        self._numbers = FixNumbers(report)

    def split(self, fixes: Sequence[Fix]) -> tuple[tuple[int, ...], tuple[FixView, ...]]:
        """The numbers of fixes that were shown before, and the views of new ones."""
        known, new = self._numbers.split(fixes)
        return known, tuple(fix_view(fix, number, self.links(fix)) for number, fix in new)

    def links(self, fix: Fix) -> tuple[tuple[str, str], ...]:
        """The links of a fix, with the pack of each if there are several."""
        return self._numbers.links(fix)


def fix_groups(report: Report, views: FixViews) -> tuple[FixGroup, ...]:
    """What to do about each answer that needs it; of equal answers, the first."""
    answers = (group.first for group in grouped_answers(report) if needs_action(group.first))
    return tuple(group for decision in answers for group in _groups(decision, views))


def _groups(decision: Decision, views: FixViews) -> Iterator[FixGroup]:
    """The groups of one answer, the first of them with the advice; if the advice comes first, it is on its own."""
    advice = tuple(map(sentence, decision.advice))
    if decision.reason is Reason.CONSENT_FORCED:
        yield FixGroup(" ".join(advice), (), (), ())
        advice = ()
    for group in grouped_fixes(decision):
        yield FixGroup(group.introduction, advice, *views.split(group.fixes))
        advice = ()


_LIKELY = " (likely)"


def fix_view(fix: Fix, number: int, links: Sequence[tuple[str, str]]) -> FixView:
    """The fix in full, under this number."""
    name = f"fix-{number}"
    return FixView(
        number=number,
        title=sentence(fix.title),
        route=fix.key or fix.route,
        result=f"{outcome_after(fix)[0]}{_LIKELY if fix.proven.confidence != Confidence.CERTAIN else ''}",
        effort=f"{fix_minutes(fix)} min",
        reversible=fix_reversible(fix),
        after=fix_result(fix),
        tone=tone(outcome_after(fix)[1]),
        doubts=tuple(plain_sentence(doubt) for doubt in fix.proven.doubts),
        role=sentence(fix.role),
        opens=tuple(fix_opens(fix.opens)),
        expect=sentence(fix.expect),
        fill_in=tuple(map(sentence, fix.fill_in)),
        script=script_hint(fix, number),
        portal=tuple(linked(step, fix.steps.portal_links) for step in fix.steps.portal),
        links=addresses(links, f"{name}-link"),
        ways=ways(fix, name),
        verify="" if _iscode(fix.verify) else sentence(fix.verify),
        undo="" if _iscode(fix.undo) else sentence(fix.undo),
        verify_ways=code(f"{name}-verify", "Commands to verify it", fix.verify if _iscode(fix.verify) else ""),
        undo_ways=(
            *code(f"{name}-undo", "Commands to undo it", fix.undo if _iscode(fix.undo) else ""),
            *code(f"{name}-undo-graph", "Requests to undo it with Microsoft Graph", requests(fix.undo_graph)),
        ),
    )


def ways(fix: Fix, name: str) -> tuple[CodeView, ...]:
    """Every way to apply the fix that is lines to copy."""
    return (
        *code(f"{name}-powershell", "PowerShell", fix.steps.powershell),
        *code(f"{name}-az", "Azure CLI", fix.steps.az),
        *code(f"{name}-graph", "Microsoft Graph", requests(fix.steps.graph)),
    )


def requests(several: Sequence[GraphRequest]) -> str:
    """Requests in the order to send them, each with its body."""
    return "\n\n".join(map(_request, several))


def _request(request: GraphRequest) -> str:
    line = f"{request.method} {request.url}"
    if request.body is None:
        return line
    return f"{line}\n{msgspec.json.format(encoded(request.body), indent=2).decode()}"


def _iscode(text: str) -> bool:
    return "\n" in text.strip()


_ROOM = 400
"""Columns of a value; the JSON report has all of it."""
_MOST = 40
"""Values of one finding that are shown; the rest are counted."""
_SETTINGS = frozenset({"authorizationPolicy", "adminConsentRequestPolicy", "directorySettings"})
"""Sections whose evidence is a setting, which can be restored. Other evidence is computed from several values."""


class ValueView(NamedTuple):
    """A value as text; `prose` is whether it describes the value in words."""

    text: str
    prose: bool


class EvidenceView(NamedTuple):
    """A value and the expected one; none if no single value is expected."""

    path: str
    actual: ValueView
    expected: ValueView | None


class AdviceView(NamedTuple):
    """What the rule's author advises: a note, steps or a path to click along, the link, and who can do it.

    If a fix has the same link, the fix shows it with the role that it needs, which can be a different one.
    """

    note: str
    portal: tuple[tuple[LinkedText, ...], ...]
    path: tuple[LinkedText, ...]
    link: AddressView | None
    role: str


class FindingView(NamedTuple):
    """One finding. `asks` is its outcome if it needs action, `news` what changed about it since the last report."""

    number: int
    rule: str
    pack: str
    title: str
    outcome: str
    word: str
    tone: str
    severity: str
    severe: bool
    reason: str
    lacks: tuple[Lack, ...]
    asks: str
    why: str
    note: str
    evidence: tuple[EvidenceView, ...]
    expects: bool
    more_evidence: int
    advice: AdviceView
    verify: str
    undo: tuple[tuple[str, str], ...]
    known: tuple[int, ...]
    fixes: tuple[FixView, ...]
    frameworks: tuple[tuple[str, str], ...]
    references: tuple[tuple[str, str], ...]
    place: str
    fingerprint: str
    waived: tuple[str, ...]
    subjects: tuple[tuple[str, str], ...]
    more_subjects: int
    perhaps_more: str
    news: str = ""


def finding_views(report: Report, fixes: FixViews) -> tuple[FindingView, ...]:
    """The findings in the order of their numbers."""
    return tuple(_view(report, finding, number, fixes) for number, finding in enumerate(ranked(report), start=1))


def ranked(report: Report) -> list[Finding]:
    """The findings in the order of their numbers: setting by setting, what needs attention first."""
    return [chip.finding for card in setting_cards(report) for chip in card.chips]


def _view(report: Report, finding: Finding, number: int, views: FixViews) -> FindingView:
    outcome = finding.outcome
    failed, unknown = outcome is FindingOutcome.FAIL, outcome is FindingOutcome.UNKNOWN
    known, fixes = views.split(finding.fixes if failed or unknown else ())
    seen = tuple(dict.fromkeys(map(_evidence, finding.evidence)))
    return FindingView(
        number=number,
        rule=finding.rule,
        pack=finding.pack,
        title=finding.title.rstrip("."),
        outcome=outcome.value,
        word=finding_word(finding),
        tone="waived" if outcome is FindingOutcome.WAIVED else tone(FINDINGS[outcome][1]),
        severity=finding.severity.value,
        severe=finding.severity in SEVERE and failed,
        reason=plain_sentence(finding.reason),
        lacks=lacks(report, finding),
        asks="fail" if failed else "unknown" if unknown else "",
        why=sentence(flat(finding.why)),
        note=flat(finding.note),
        evidence=seen[:_MOST],
        expects=any(one.expected for one in seen),
        more_evidence=max(0, len(seen) - _MOST),
        advice=_advice(finding, number),
        verify=f"Run the audit again and check that {finding.rule} passes." if failed else "",
        undo=_undo(finding.evidence) if failed and not finding.fixes else (),
        known=known,
        fixes=fixes,
        frameworks=tuple(finding.frameworks.items()),
        references=tuple((each, clickable(each)) for each in finding.references),
        place=f"{finding.place.file}, line {finding.place.line}" if finding.place else "",
        fingerprint=finding.fingerprint,
        waived=tuple(map(waiver_sentence, finding.waivers)),
        subjects=tuple((one.name, one.id) for one in finding.subjects[:_MOST]),
        more_subjects=max(0, len(finding.subjects) - _MOST),
        perhaps_more=sentence(finding.unread),
    )


def _advice(finding: Finding, number: int) -> AdviceView:
    advice = finding.remediation
    path = is_click_path(advice.portal)
    in_fix = bool(advice.link) and any(fix.link == advice.link for fix in finding.fixes)
    return AdviceView(
        note=sentence(flat(advice.note)),
        portal=() if path else tuple(linked(step, advice.portal_links) for step in advice.portal),
        path=linked(sentence(click_path(advice.portal)), advice.portal_links) if path else (),
        link=None if in_fix else address(advice.link, f"finding-{number}-link"),
        role="" if in_fix else sentence(advice.role),
    )


def _evidence(one: Evidence) -> EvidenceView:
    expected = None if one.expected is None else _shown(one.expected, prose=one.expected != one.actual)
    return EvidenceView(setting_name(one.path), _shown(one.actual, prose=expected is None or expected.prose), expected)


def _shown(found: Any, *, prose: bool) -> ValueView:
    """The value as JSON; without the marks of JSON if it can be prose ("at most 30") and looks like it."""
    if prose and isinstance(found, str) and " " in found:
        return ValueView(clip(found, _ROOM), prose=True)
    return ValueView(_value(found), prose=False)


def _undo(evidence: Sequence[Evidence]) -> tuple[tuple[str, str], ...]:
    """The values to restore, each once: those of settings that differ from what is expected."""
    settings = [each for each in evidence if re.split(r"[./\[]", each.path, maxsplit=1)[0] in _SETTINGS]
    found = [each for each in settings if each.expected is not None and each.actual != each.expected]
    return tuple(dict.fromkeys((setting_name(each.path), _value(each.actual)) for each in found))[:_MOST]


def _value(found: Any) -> str:
    """A value of the snapshot as JSON, with blanks where a line can break."""
    return clip(msgspec.json.format(encoded(found, str), indent=0).decode(), _ROOM)


class Lack(NamedTuple):
    """Data that a rule needs: what it is, what allows reading it, if a read failed, and where the page says more."""

    what: str
    section: str
    allowed_by: str
    asked: bool
    anchor: str


class NotCollectedView(NamedTuple):
    """Data that wasn't collected, and the rules that need it, by number and ID."""

    lack: Lack
    rules: tuple[tuple[int, str], ...]


class CollectAgain(NamedTuple):
    """The data that wasn't collected, and the commands that collect it."""

    parts: tuple[NotCollectedView, ...]
    command: CodeView


def lacks(report: Report, finding: Finding) -> tuple[Lack, ...]:
    """The data that an unknown rule says is missing; nothing if the rule is unknown for another reason."""
    if finding.outcome is not FindingOutcome.UNKNOWN:
        return ()
    missing = missing_parts(f"{finding.reason} {finding.unread}")
    return tuple(_lack(report, section, name) for section, name in missing)


def _lack(report: Report, section: str, name: str) -> Lack:
    places = [n for n, part in enumerate(report.unread, start=1) if part.section.partition("/")[0] == section]
    needs = report.unread[places[0] - 1].needs if places else ()
    return Lack(
        what=data_label(section, name),
        section=section,
        allowed_by=series(needs or permissions_to_read(section), "or"),
        asked=bool(places),
        anchor=f"unread-{places[0]}" if places else _anchor(section, name),
    )


def collect_again(report: Report) -> CollectAgain | None:
    """The data that rules need and that wasn't collected; none if there is none."""
    if not report.not_collected:
        return None
    numbers = {finding.rule: number for number, finding in reversed(list(enumerate(ranked(report), start=1)))}
    return CollectAgain(tuple(_not_collected(one, numbers) for one in report.not_collected), _command(report))


def _not_collected(one: NotCollected, numbers: Mapping[str, int]) -> NotCollectedView:
    section, _, part = one.section.partition("/")
    anchor = _anchor(section, RESOURCE_NAMES.get(part, ""))
    lack = Lack(data_label(section, part), section, series(one.needs, "or"), False, anchor)
    return NotCollectedView(lack, tuple((numbers[rule], rule) for rule in one.rules if rule in numbers))


def _anchor(section: str, name: str) -> str:
    """Where the page says how to collect the data; only known resources have their own place."""
    return f"unasked-{section}{f'-{name}'.replace(' ', '-') if name in RESOURCE_NAMES.values() else ''}"


def _command(report: Report) -> CodeView:
    packs = " ".join(f"--pack {shlex.quote(pack.name)}" for pack in report.packs)
    lines = (
        f"consent-auditor collect {packs} -o tenant.json",
        f"consent-auditor check --snapshot tenant.json {packs} -o report.html",
    )
    return CodeView("collect-again", "Commands to collect the data again and check it", "\n".join(lines))
