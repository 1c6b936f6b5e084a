"""What to do, as text: the proven fixes of each answer, then the advice for each failed rule.

Nothing is described twice: what was printed before is named by its number or rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from auditor.model.decision import Decision, Fix, GraphRequest, Reason
from auditor.model.document import count, sentence, series
from auditor.model.report import Evidence, Finding, Report
from auditor.model.rule import FindingOutcome, PortalLink
from auditor.render.fix_view import (
    IF_IT_FAILS,
    FixNumbers,
    NumberedFixes,
    fix_opens,
    fix_result,
    grouped_fixes,
    needs_action,
    script_hint,
)
from auditor.render.labels import click_path, encoded, flat, is_click_path, plain_sentence
from auditor.render.report_view import evidence_text, from_several_packs
from auditor.render.text_layout import TextPage, columns

_MOST_EVIDENCE = 4


class _Printed:
    """What was printed already, and where: fixes by number, advice and links by their first rule or fix."""

    def __init__(self, report: Report) -> None:
        self._several_packs = from_several_packs(report)
        self.numbers = FixNumbers(report)
        self.links: dict[str, str] = {}
        self.advice: dict[tuple[tuple[str, ...], str], str] = {}
        self.references: set[str] = set()
        self.pages: set[str] = set()

    def split(self, fixes: Sequence[Fix]) -> NumberedFixes:
        """The fixes, divided into those printed before and new ones, which now count as printed."""
        divided = self.numbers.split(fixes)
        for number, fix in divided.new:
            self.pages.update(link.address for link in fix.steps.portal_links)
            for _, link in self.numbers.links(fix):
                self.links.setdefault(link, f"fix {number}")
        return divided

    def name(self, finding: Finding) -> str:
        """What to call a finding: with its pack if several packs could have the same rule."""
        return f"rule {finding.rule} ({finding.pack})" if self._several_packs else f"rule {finding.rule}"


def what_to_do(page: TextPage, report: Report) -> None:
    """Write everything that can be done, each thing once."""
    findings = [one for one in report.findings if one.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN)]
    decisions = list(filter(needs_action, report.decisions))
    if not (findings or decisions):
        return
    page.heading("What to do")
    printed = _Printed(report)
    for place, decision in enumerate(decisions):
        if decision not in decisions[:place]:
            _fixes_of(page, decision, printed)
    for finding in findings:
        _finding(page, finding, printed)


def _fixes_of(page: TextPage, decision: Decision, printed: _Printed) -> None:
    """The fixes of one answer that weren't printed for an earlier one."""
    forced = decision.reason is Reason.CONSENT_FORCED
    advice = [sentence(text) for text in decision.advice]
    if forced:
        page.blank()
        page.items("First", advice)
    for group in grouped_fixes(decision):
        known, new = printed.split(group.fixes)
        page.blank()
        if group.fixes and not new:
            page.say(f"{group.purpose}, use {_numbers(known)}, above.")
        else:
            page.say(group.introduction)
            if known:
                page.say(f"{sentence(_numbers(known)).rstrip('.')}, above, also works.")
        if not forced:
            page.items("Also note" if decision.fixes else "Ask", advice)
        advice = []
        for number, fix in new:
            _fix(page, fix, number, printed)


def _numbers(numbers: Sequence[int]) -> str:
    """``fix 1``, ``fix 1 or 2``."""
    return f"fix {series([str(number) for number in numbers], 'or')}"


def _fix(page: TextPage, fix: Fix, number: int, printed: _Printed) -> None:
    page.blank()
    page.lead(f"Fix {number}. ", f"{fix.title.rstrip('.')} (route {fix.key or fix.route})", style="strong")
    page.field("Result", fix_result(fix), indent=4)
    page.items("Caveats", [plain_sentence(doubt) for doubt in fix.proven.doubts], indent=4)
    page.field("Role", sentence(fix.role), indent=4)
    page.items("Opens", fix_opens(fix.opens), indent=4)
    page.field("Expect", sentence(fix.expect), indent=4)
    page.items("Fill in", [sentence(note) for note in fix.fill_in], indent=4)
    _ways(page, fix, printed.numbers.links(fix))
    page.field("Script", script_hint(fix, number), indent=4)
    _to_run_or_read(page, "Verify", fix.verify)
    _to_run_or_read(page, "Undo", fix.undo)
    _requests(page, "To undo it with Microsoft Graph:", fix.undo_graph)


def _ways(page: TextPage, fix: Fix, links: Sequence[tuple[str, str]]) -> None:
    """Each way to make the fix; `links` are its addresses, each after the name of its pack if there are several."""
    steps = fix.steps
    if steps.portal:
        page.say("In the portal:", indent=4)
        page.steps(steps.portal, indent=6)
        _pages(page, steps.portal_links, indent=6)
    elif fix.link:
        page.say("Open this address:", indent=4)
    for pack, link in links:
        if pack:
            page.say(f"For pack {pack}:", indent=6)
        page.link(link, indent=6)
    _command(page, "In PowerShell:", steps.powershell)
    _command(page, "With the Azure CLI:", steps.az)
    _requests(page, "With Microsoft Graph:", steps.graph)


def _command(page: TextPage, label: str, text: str) -> None:
    """A command to copy. It gets no margin if it has a here-string, which PowerShell ends only at a line's start."""
    if not text:
        return
    page.say(label, indent=4)
    here_string = any(line.startswith(("'@", '"@')) for line in text.splitlines())
    page.verbatim(text, indent=0 if here_string else 6)


def _requests(page: TextPage, label: str, requests: Sequence[GraphRequest]) -> None:
    """Requests in the order to send them, each with its body, which takes one line if it fits."""
    if requests:
        page.say(label, indent=4)
    for request in requests:
        page.verbatim(f"{request.method} {request.url}", indent=6)
        if request.body is not None:
            body = encoded(request.body)
            fits = columns(body.decode()) <= page.width - 6
            page.verbatim((body if fits else msgspec.json.format(body, indent=2)).decode(), indent=6)


def _to_run_or_read(page: TextPage, label: str, text: str) -> None:
    """How to verify or undo: a sentence, or several lines of commands."""
    if "\n" in text.strip():
        _command(page, f"{label}:", text)
    else:
        page.field(label, text, indent=4)


def _finding(page: TextPage, finding: Finding, printed: _Printed) -> None:
    """The advice of a rule's author, and the fixes for it."""
    failed = finding.outcome is FindingOutcome.FAIL
    name = printed.name(finding)
    page.blank()
    page.say(f"{name[:1].upper()}{name[1:]} {'failed' if failed else 'is unknown'}", style="strong")
    page.field("Expected", sentence(finding.title), indent=4)
    page.field("Why", sentence(flat(finding.why)), indent=4)
    page.field("Note", flat(finding.note), indent=4)
    if not failed:
        page.field("If it fails", IF_IT_FAILS, indent=4)
    _evidence(page, finding.evidence)
    _advice(page, finding, printed)
    known, new = printed.split(finding.fixes)
    if known:
        page.field("Fixed by", sentence(_numbers(known)), indent=4)
    for number, fix in new:
        _fix(page, fix, number, printed)
    _references(page, finding, printed)


def _advice(page: TextPage, finding: Finding, printed: _Printed) -> None:
    """The advice, or the rule for which the same steps were printed.

    A path to click along is printed again: rules on one page of the portal ask for different settings of it, and the
    fix of the earlier rule may follow its path.
    """
    advice = finding.remediation
    page.field("How", sentence(flat(advice.note)), indent=4)
    if not (advice.portal or advice.link):
        return
    name = printed.name(finding)
    earlier = printed.advice.setdefault((advice.portal, advice.link), name)
    if earlier != name and (advice.link or not is_click_path(advice.portal)):
        page.field("Steps", f"The same as for {earlier}, above.", indent=4)
        return
    page.field("Role", sentence(advice.role), indent=4)
    _address(page, advice.link, printed.links.setdefault(advice.link, name), name)
    if is_click_path(advice.portal):
        page.field("Portal", sentence(click_path(advice.portal)), indent=4)
    else:
        page.steps(map(flat, advice.portal), indent=4)
    _pages(page, [one for one in advice.portal_links if one.address not in printed.pages], indent=4)
    printed.pages.update(one.address for one in advice.portal_links)


def _pages(page: TextPage, links: Iterable[PortalLink], indent: int) -> None:
    """The addresses of the portal's pages that the steps above name."""
    for one in links:
        page.link(one.address, indent=indent)


def _address(page: TextPage, link: str, first: str, name: str) -> None:
    """The link, or where it was printed: `first` is the rule or fix that printed it, `name` is this rule."""
    if link and first != name:
        page.field("Address", f"The same as for {first}, above.", indent=4)
    elif link:
        page.say("Open this address:", indent=4)
        page.link(link, indent=4)


def _evidence(page: TextPage, evidence: Sequence[Evidence]) -> None:
    shown = [evidence_text(each) for each in evidence[:_MOST_EVIDENCE]]
    if len(evidence) > _MOST_EVIDENCE:
        shown.append(f"{count(len(evidence) - _MOST_EVIDENCE, 'more value')} in the JSON report.")
    page.items("Evidence", shown, indent=4)


def _references(page: TextPage, finding: Finding, printed: _Printed) -> None:
    """Frameworks by their numbers, and each address once in the whole report."""
    page.field("Frameworks", series([f"{name} {number}" for name, number in finding.frameworks.items()]), indent=4)
    new = [address for address in finding.references if address not in printed.references]
    printed.references.update(new)
    if new:
        page.say("References:", indent=4)
    for address in new:
        page.link(address, indent=4)
