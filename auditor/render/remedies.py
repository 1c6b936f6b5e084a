"""What to do: the proven fixes of each decision, then what each failing rule's author advises.

Nothing is told twice: what was printed before is named by its number.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditor.model.decision import Decision, Outcome
from auditor.model.finding import Evidence, Finding, FindingOutcome
from auditor.model.fix import Fix
from auditor.model.report import Report
from auditor.render.encoded import encoded
from auditor.render.evidence import said
from auditor.render.fixes import write_fix
from auditor.render.page import Page
from auditor.render.words import app_label, click_path, count, flat, is_path, sentence, series

_MOST_EVIDENCE = 4

_CONNECTING = frozenset(outcome.value for outcome in Outcome if outcome.connects)


class _Told:
    """What was printed already, and under which name; fixes by their numbers, advice by its rule."""

    def __init__(self, several_packs: bool) -> None:
        self.several_packs = several_packs
        self.fixes: dict[bytes, int] = {}
        self.links: dict[str, str] = {}
        self.advice: dict[tuple[tuple[str, ...], str], str] = {}
        self.references: set[str] = set()

    def known(self, fixes: Sequence[Fix]) -> list[int]:
        """The numbers of those of the fixes that were printed."""
        return [self.fixes[key(fix)] for fix in fixes if key(fix) in self.fixes]

    def fresh(self, fixes: Sequence[Fix]) -> list[tuple[int, Fix]]:
        """Those of the fixes that were not printed, with new numbers; from now on they count as printed."""
        unseen = [fix for fix in fixes if key(fix) not in self.fixes]
        for fix in unseen:
            number = self.fixes.setdefault(key(fix), len(self.fixes) + 1)
            self.links.setdefault(fix.link, f"fix {number}")
        return [(self.fixes[key(fix)], fix) for fix in unseen]

    def name(self, finding: Finding) -> str:
        """What to call a finding: the pack is named where the same rule may be in several."""
        return f"rule {finding.rule} ({finding.pack})" if self.several_packs else f"rule {finding.rule}"


def key(fix: Fix) -> bytes:
    """What tells one fix from another: the same change may mend an answer and several rules."""
    return encoded((fix.route, fix.title, fix.link, fix.steps))


def what_to_do(page: Page, report: Report) -> None:
    """Everything that can be done, each thing once."""
    wanting = [one for one in report.findings if one.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN)]
    deciding = [one for one in report.decisions if one.fixes or not one.outcome.connects]
    if not (wanting or deciding):
        return
    page.heading("What to do")
    told = _Told(several_packs=len({one.pack for one in report.findings}) > 1)
    for place, decision in enumerate(deciding):
        if decision not in deciding[:place]:
            _fixes_of(page, decision, told)
    for finding in wanting:
        _finding(page, finding, told)


def _fixes_of(page: Page, decision: Decision, told: _Told) -> None:
    """The fixes of one decision that were not printed for an earlier one."""
    known, fresh = told.known(decision.fixes), told.fresh(decision.fixes)
    app = app_label(decision)
    page.blank()
    if not decision.fixes:
        page.say(no_fix(decision, app))
    elif not fresh:
        page.say(f"To let users connect {app}: {named(known)}, above.")
    else:
        page.say(introduction(app, decision.fixes))
        if known:
            page.say(f"{named(known)}, above, would do as well.")
    page.items("Besides" if decision.fixes else "Ask", [sentence(text) for text in decision.advice])
    for number, fix in fresh:
        write_fix(page, fix, number)


def no_fix(decision: Decision, app: str) -> str:
    """Why there is no fix."""
    if decision.outcome is Outcome.DEPENDS:
        return f"No fix is offered for {app} before it is known whether one is needed."
    if decision.advice:
        return f"No change in this tenant lets users connect {app}."
    return f"No change was proven to let users connect {app}. What the failed rules advise may help."


def introduction(app: str, fixes: Sequence[Fix]) -> str:
    """How to read the fixes: not every one need end in a connection, a request to an admin is progress too."""
    if len(fixes) == 1:
        choice = "there is one fix. It was"
    elif all(fix.proven.outcome in _CONNECTING for fix in fixes):
        choice = f"any one of these {len(fixes)} fixes is enough; what opens least comes first. Each was"
    else:
        choice = "any one fix that ends in CONNECTS is enough; what opens least comes first. Each was"
    return f"To let users connect {app}, {choice} tried on a copy of the settings; nothing in the tenant was changed."


def named(numbers: Sequence[int]) -> str:
    """``fix 1``, ``fix 1 or 2``."""
    return f"fix {series([str(number) for number in numbers], 'or')}"


def _finding(page: Page, finding: Finding, told: _Told) -> None:
    """What one rule's author says, and which fixes mend it."""
    failed = finding.outcome is FindingOutcome.FAIL
    name = told.name(finding)
    page.blank()
    page.say(f"{name[:1].upper()}{name[1:]} {'failed' if failed else 'is unknown'}", style="strong")
    page.field("Expected", sentence(finding.title), indent=4)
    page.field("Why", sentence(flat(finding.why)), indent=4)
    page.field("Note", flat(finding.note), indent=4)
    if not failed:
        page.field("Unknown", "What follows is for the case that the rule turns out to fail.", indent=4)
    _evidence(page, finding.evidence)
    _advice(page, finding, told)
    known, fresh = told.known(finding.fixes), told.fresh(finding.fixes)
    if known:
        page.field("Mended by", sentence(named(known)), indent=4)
    for number, fix in fresh:
        write_fix(page, fix, number)
    _references(page, finding, told)


def _advice(page: Page, finding: Finding, told: _Told) -> None:
    """The remediation, or the name of the rule under which the same one stands."""
    remedy = finding.remediation
    page.field("How", sentence(flat(remedy.note)), indent=4)
    if not (remedy.portal or remedy.link):
        return
    name = told.name(finding)
    earlier = told.advice.setdefault((remedy.portal, remedy.link), name)
    if earlier != name:
        page.field("Steps", f"The same as for {earlier}, above.", indent=4)
        return
    page.field("Role", sentence(remedy.role), indent=4)
    _address(page, remedy.link, told.links.setdefault(remedy.link, name), name)
    if is_path(remedy.portal):
        page.field("Portal", sentence(click_path(remedy.portal)), indent=4)
    else:
        page.steps(map(flat, remedy.portal), indent=4)


def _address(page: Page, link: str, place: str, name: str) -> None:
    """The link, or where it stands already: `place` is its first, `name` is this one."""
    if link and place != name:
        page.field("Address", f"That of {place}, above.", indent=4)
    elif link:
        page.say("Open this address:", indent=4)
        page.link(link, indent=4)


def _evidence(page: Page, evidence: Sequence[Evidence]) -> None:
    shown = [said(each) for each in evidence[:_MOST_EVIDENCE]]
    if len(evidence) > _MOST_EVIDENCE:
        shown.append(f"{count(len(evidence) - _MOST_EVIDENCE, 'more value')} in the JSON report.")
    page.items("Evidence", shown, indent=4)


def _references(page: Page, finding: Finding, told: _Told) -> None:
    """Where to read on: frameworks by their numbers, and each address once in the whole report."""
    page.field("Frameworks", series([f"{name} {number}" for name, number in finding.frameworks.items()]), indent=4)
    fresh = [address for address in finding.references if address not in told.references]
    told.references.update(fresh)
    if fresh:
        page.say("Read on:", indent=4)
    for address in fresh:
        page.link(address, indent=4)
