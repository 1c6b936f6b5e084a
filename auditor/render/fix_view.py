"""What to do about a report: the first thing, the fixes of each answer under their numbers, and a rule's advice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from auditor.facts.ids import FILL_IN_TENANT, TENANT_PLACEHOLDER
from auditor.model.decision import Confidence, Decision, Fix, Outcome, Reason
from auditor.model.document import count, first_of, sentence, series
from auditor.model.report import Finding, Report
from auditor.model.rule import FindingOutcome, PortalLink
from auditor.render.labels import (
    FINDINGS,
    NAME_WIDTH,
    OUTCOMES,
    app_label,
    click_path,
    encoded,
    flat,
    is_click_path,
    outcome_meaning,
    plain_sentence,
)
from auditor.render.report_view import afterwards, numbered_label
from auditor.render.text_layout import clip

_ASSIGNED = frozenset({"assigned member", "newly assigned member"})
"""The subjects of proofs that hold only for users who are assigned to the app."""

IF_IT_FAILS = "The following steps apply only if this check fails."
"""What stands before the advice of a rule whose outcome is unknown."""

CONNECTING_FIX = frozenset(outcome.value for outcome in Outcome if outcome.connects)
"""The outcomes of fixes that let users connect, as proofs name them."""


class FirstThing(NamedTuple):
    """The first thing to do.

    `says` are sentences, `link` the address to open, `role` who can do it, `result` what it brings. `fix` is the fix
    that it is, `finding` the failed rule whose author advises it. `failed` counts rules that failed although there is
    nothing to do about the answer.
    """

    says: tuple[str, ...]
    link: str = ""
    role: str = ""
    result: str = ""
    fix: Fix | None = None
    finding: Finding | None = None
    failed: int = 0

    @property
    def failing_checks(self) -> str:
        """``2 checks fail``, in the words of the counts of checks."""
        return f"{count(self.failed, 'check')} {'fails' if self.failed == 1 else 'fail'}"

    def sentences(self, heading: str) -> tuple[str, ...]:
        """What to print; `heading` names the part of the report that describes the failing checks."""
        if not self.failed:
            return self.says
        return (*self.says[:-1], f"{self.says[-1]} However, {self.failing_checks}: see {heading}.")


def first_thing(report: Report, decision: Decision | None) -> FirstThing | None:
    """The fix with the least access; without a fix, what brings the answer nearer; none if nothing can be said."""
    failing = [finding for finding in report.findings if finding.outcome is FindingOutcome.FAIL]
    needs = tuple(dict.fromkeys(part.needs[0] for part in report.unread if part.needs))
    if not (decision or report.findings or needs):
        return None
    if decision and decision.outcome.connects:
        probably = "probably " if decision.confidence is Confidence.LIKELY else ""
        says = f"Nothing. Users can {probably}connect."
        if afterwards(report, decision):
            says = "Nothing about consent. Check whether these users can meet the Conditional Access policy."
        return FirstThing((says,), failed=len(failing))
    if decision and (fix := first_fix(decision)):
        return _first_fix(fix)
    if decision and decision.advice:
        # The advice of a failed rule can't help if the cause is outside the tenant's consent settings.
        return FirstThing(tuple(sentence(text) for text in decision.advice))
    if decision and decision.fixes:
        return _first_request(decision, decision.fixes[0])
    if needs and (decision is None or decision.outcome is Outcome.DEPENDS):
        noun = "permission" if len(needs) == 1 else "permissions"
        return FirstThing(
            (
                f"Grant the audit app the {noun} {series(needs)}, and run the audit again.",
                'Run "consent-auditor doctor" to see how.',
            )
        )
    if decision and decision.outcome is Outcome.DEPENDS:
        # The advice of a failed rule would answer another question than the one that is open.
        return FirstThing(
            (
                "Find out the facts under Depends on: the answer rests on them.",
                "To read those that the data lacks, run:"
                f" consent-auditor collect --app {decision.app.client_id} -o tenant.json",
            )
        )
    if failing:
        return _first_advice(next((one for one in failing if one.remediation.link), failing[0]))
    if decision:
        return FirstThing(("No fix was found. See the details that follow.",))
    return _after_no_failure(report)


def _after_no_failure(report: Report) -> FirstThing:
    """Nothing to do, unless a rule is unknown: a rule that wasn't decided can still fail."""
    undecided = sum(finding.outcome is FindingOutcome.UNKNOWN for finding in report.findings)
    if not undecided:
        return FirstThing(("Nothing.",))
    says = f"No rule failed, but {count(undecided, 'rule')} could not be decided: see the reason that each one gives."
    again = ("Read the tenant again to get the data that could not be read.",) if report.unread else ()
    return FirstThing((says, *again))


def first_fix(decision: Decision) -> Fix | None:
    """The fix to begin with, if there is one that lets users connect and nothing to ask of the vendor first."""
    if decision.reason is Reason.CONSENT_FORCED:
        return None
    return next((fix for fix in decision.fixes if fix.proven.outcome in CONNECTING_FIX), None)


def _first_request(decision: Decision, fix: Fix) -> FirstThing:
    """A fix after which users can only ask for approval."""
    says = (f"No change was proven to let users connect {app_label(decision)}.", sentence(fix.title))
    return FirstThing(says, fix.link, sentence(fix.role), "Users can ask for approval (proven on a copy).", fix)


def _first_fix(fix: Fix) -> FirstThing:
    proof = "(proven on a copy)" if fix.proven.confidence == Confidence.CERTAIN else "(likely; tested on a copy)"
    means = outcome_meaning(fix.proven.outcome).rstrip(".")
    if fix.proven.subject in _ASSIGNED:
        means = means.replace("Users", "Users who are assigned to the app", 1)
    says = (sentence(fix.title), *_fill_in(fix.link), *((_AFTER_ACCEPT,) if fix.link else ()))
    return FirstThing(says, fix.link, sentence(fix.role), f"{means} {proof}.", fix)


def _fill_in(link: str) -> tuple[str, ...]:
    """How to fill in the tenant, if the link lacks it."""
    return (FILL_IN_TENANT,) if TENANT_PLACEHOLDER in link else ()


_AFTER_ACCEPT = "The page that opens after Accept may be an error although consent was given."
"""Every link of a fix is for an administrator's consent."""


def _first_advice(finding: Finding) -> FirstThing:
    """What to set and for which rule, then where."""
    advice, says = finding.remediation, [first_step(finding)]
    if advice.note and advice.portal:
        about = f", about {names}" if (names := subject_names(finding)) else ""
        says.insert(0, f"For rule {finding.rule}{about}: {sentence(flat(advice.note))}")
    return FirstThing(tuple(says), advice.link, sentence(advice.role), finding=finding)


_SUBJECTS_NAMED = 3


def subject_names(finding: Finding) -> str:
    """The first of the things that make the rule fail, and how many more there are; empty for one about a setting."""
    names = [clip(flat(one.name), NAME_WIDTH) for one in finding.subjects]
    return series(first_of(names, _SUBJECTS_NAMED))


def first_step(finding: Finding) -> str:
    """The first step that a rule's author advises; all steps if they are a path to click along."""
    portal = finding.remediation.portal
    if portal and not is_click_path(portal):
        return sentence(flat(portal[0]))
    if portal:
        return f"In the portal: {click_path(portal)}."
    return sentence(flat(finding.remediation.note)) or plain_sentence(finding.reason)


class StepPart(NamedTuple):
    """A part of a step in the portal, and the address of the page that it names; empty for other text."""

    text: str
    address: str = ""


def step_parts(step: str, links: Sequence[PortalLink]) -> tuple[StepPart, ...]:
    """The step in one line, divided into the pages that have an address and the text around them."""
    return tuple(_step_parts(flat(step), links))


def _step_parts(text: str, links: Sequence[PortalLink]) -> Iterator[StepPart]:
    for link in links:
        before, found, after = text.partition(link.path) if link.path else (text, "", "")
        if found:
            yield from _step_parts(before, links)
            yield StepPart(found, link.address)
            yield from _step_parts(after, links)
            return
    if text:
        yield StepPart(text)


def needs_action(decision: Decision) -> bool:
    """Whether the report says what to do about the answer."""
    return bool(decision.fixes) or not decision.outcome.connects


def fix_key(fix: Fix) -> bytes:
    """What distinguishes one fix from another: the same change can fix an answer and several rules."""
    return encoded((fix.route, fix.title, fix.link, fix.steps))


class NumberedFixes(NamedTuple):
    """Fixes that were described before, by number, and those that are new, with their numbers."""

    known: tuple[int, ...]
    new: tuple[tuple[int, Fix], ...]


class FixNumbers:
    """The number of each fix in a report, which is the same in every format.

    Fixes are numbered in reading order: those of the answers, then those of the rules that failed or are unknown.
    Fixes of equal answers that differ only in their links share a number.
    """

    def __init__(self, report: Report) -> None:
        self._shared = _shared_fixes(report)
        self._fixes: dict[bytes, tuple[int, Fix]] = {}
        self._described: set[int] = set()
        for fix in _in_reading_order(report):
            self._fixes.setdefault(self._key(fix), (len(self._fixes) + 1, fix))

    @property
    def all(self) -> tuple[tuple[int, Fix], ...]:
        """Every fix with its number."""
        return tuple(self._fixes.values())

    def number(self, fix: Fix) -> int:
        """The number of a fix of the report."""
        return self._fixes[self._key(fix)][0]

    def split(self, fixes: Sequence[Fix]) -> NumberedFixes:
        """The fixes, divided into known and new; from now on the new ones are known."""
        numbered = {self.number(fix): fix for fix in fixes}
        known = tuple(number for number in numbered if number in self._described)
        new = tuple((number, fix) for number, fix in numbered.items() if number not in self._described)
        self._described.update(numbered)
        return NumberedFixes(known, new)

    def links(self, fix: Fix) -> tuple[tuple[str, str], ...]:
        """The links of a fix, each after the name of its pack if there are several."""
        shared = self._shared.get(fix_key(fix))
        return shared.links if shared else (("", fix.link),)

    def _key(self, fix: Fix) -> bytes:
        key = fix_key(fix)
        return self._shared[key].key if key in self._shared else key


def _in_reading_order(report: Report) -> Iterator[Fix]:
    for decision in filter(needs_action, report.decisions):
        for group in grouped_fixes(decision):
            yield from group.fixes
    for finding in report.findings:
        yield from finding.fixes if finding.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN) else ()


def script_hint(fix: Fix, number: int) -> str:
    """How to get the fix as a script; empty if it has no commands."""
    if not fix.steps.graph:
        return ""
    return (
        f"Run the check again with --fix-script powershell --fix {number}, or with az instead of powershell, for a"
        " script that checks the tenant first, and before each change what is set."
    )


class AnswerGroup(NamedTuple):
    """Equal answers of several packs that describe the same app, with their numbers in the report."""

    numbers: tuple[int, ...]
    decisions: tuple[Decision, ...]

    @property
    def first(self) -> Decision:
        """The answer that is shown."""
        return self.decisions[0]

    @property
    def variants(self) -> tuple[str, ...]:
        """The packs that give this answer, if packs describe the app in several ways."""
        return tuple(dict.fromkeys(clip(one.app.variant, NAME_WIDTH) for one in self.decisions if one.app.variant))

    @property
    def label(self) -> str:
        """``1 and 2. TrackerRMS (...), packs trackerrms-uk and trackerrms-us``."""
        shown = _without_variant(self.first) if len(self.variants) > 1 else self.first
        app = numbered_label(self.numbers[0], shown).removeprefix(str(self.numbers[0]))
        packs = f", packs {series(self.variants)}" if len(self.variants) > 1 else ""
        return f"{series([str(number) for number in self.numbers])}{app}{packs}"


def grouped_answers(report: Report) -> tuple[AnswerGroup, ...]:
    """The answers; those that differ only in the pack's name and the links of their fixes form one group."""
    groups: list[tuple[Decision, list[int]]] = []
    for number, decision in enumerate(report.decisions, start=1):
        comparable = _comparable(decision)
        numbers = next((numbers for known, numbers in groups if known == comparable), None)
        if numbers is None:
            groups.append((comparable, [number]))
        else:
            numbers.append(number)
    return tuple(AnswerGroup(tuple(n), tuple(report.decisions[each - 1] for each in n)) for _, n in groups)


def _comparable(decision: Decision) -> Decision:
    fixes = tuple(msgspec.structs.replace(fix, link="") for fix in decision.fixes)
    return msgspec.structs.replace(_without_variant(decision), fixes=fixes)


def _without_variant(decision: Decision) -> Decision:
    return msgspec.structs.replace(decision, app=msgspec.structs.replace(decision.app, variant=""))


class SharedFix(NamedTuple):
    """Fixes of equal answers that differ only in their links: the key of the first, and the links with their packs."""

    key: bytes
    links: tuple[tuple[str, str], ...]


def links_of_packs(report: Report, fix: Fix | None) -> tuple[tuple[str, str], ...]:
    """The name of each pack and its link of the fix, if equal answers have several links; else nothing."""
    shared = _shared_fixes(report).get(fix_key(fix)) if fix else None
    return shared.links if shared and len(shared.links) > 1 else ()


def _shared_fixes(report: Report) -> dict[bytes, SharedFix]:
    """For each fix of an answer, by its key: what it shares with the same fix of equal answers."""
    shared: dict[bytes, SharedFix] = {}
    for group in grouped_answers(report):
        for fixes in zip(*(one.fixes for one in group.decisions), strict=True):
            links: dict[str, str] = {}
            for decision, fix in zip(group.decisions, fixes, strict=True):
                links.setdefault(fix.link, decision.app.variant)
            pairs = tuple((variant if len(links) > 1 else "", link) for link, variant in links.items())
            for fix in fixes:
                shared.setdefault(fix_key(fix), SharedFix(fix_key(fixes[0]), pairs))
    return shared


class GroupedFixes(NamedTuple):
    """Fixes with the same purpose: how to read them, and the clause that names the purpose."""

    introduction: str
    purpose: str
    fixes: tuple[Fix, ...]


def grouped_fixes(decision: Decision) -> tuple[GroupedFixes, ...]:
    """The fixes that let users connect, or why there are none; then those that only let them ask for approval."""
    app = app_label(decision)
    connecting = tuple(fix for fix in decision.fixes if fix.proven.outcome in CONNECTING_FIX)
    asking = tuple(fix for fix in decision.fixes if fix not in connecting)
    groups = [GroupedFixes(_introduction(decision, connecting), f"To let users connect {app}", connecting)]
    if asking:
        introduction = (
            f"This fix doesn't let users connect {app}, but they can then ask for approval. It was {_TESTED}"
            if len(asking) == 1
            else f"These {len(asking)} fixes don't let users connect {app}, but they can then ask for approval."
            f" Each was {_TESTED}"
        )
        groups.append(GroupedFixes(introduction, f"To let users ask for approval of {app}", asking))
    return tuple(groups)


_TESTED = "tested on a copy of the settings; nothing in the tenant was changed."


def _introduction(decision: Decision, connecting: Sequence[Fix]) -> str:
    app = app_label(decision)
    if not connecting:
        return _no_fix(decision, app)
    if len(connecting) == 1:
        choice = f"To let users connect {app}, use this fix. It was"
    else:
        choice = f"Any one of these {len(connecting)} fixes lets users connect {app}, least access first. Each was"
    return f"{choice} {_TESTED}"


def _no_fix(decision: Decision, app: str) -> str:
    if decision.outcome is Outcome.DEPENDS:
        return f"No fix is offered for {app} until it's known whether one is needed."
    if decision.advice:
        return f"No change in this tenant lets users connect {app}."
    return f"No change was proven to let users connect {app}. The advice for the failed rules might help."


def outcome_after(fix: Fix) -> tuple[str, str]:
    """The word and the style of the outcome after the fix: that of an answer, or of the rule that it fixes."""
    if fix.proven.outcome == FindingOutcome.PASS:
        return "The rule passes", FINDINGS[FindingOutcome.PASS][1]
    label = next((OUTCOMES[outcome] for outcome in Outcome if outcome == fix.proven.outcome), None)
    return (label.word, label.style) if label else (fix.proven.outcome, "quiet")


def fix_result(fix: Fix) -> str:
    """The outcome after the fix, and the sentence that goes with it."""
    word, _ = outcome_after(fix)
    likely = " (likely)" if fix.proven.confidence != Confidence.CERTAIN else ""
    return f"{word}{likely}. {plain_sentence(fix.proven.because)}"


_MINUTES_TO_SIGN_IN = 3
_MINUTES_A_STEP = 1
_MINUTES_FOR_COMMANDS = 10
"""To read the commands, to install the modules that they need, and to run them."""


def fix_minutes(fix: Fix) -> int:
    """How long the fix takes an administrator, in minutes, rounded up to five: this project's own estimate.

    Steps in the portal take a minute each; without them, there are commands to run. Waiting for an approval or until
    a change takes effect isn't counted.
    """
    if fix.minutes:
        return fix.minutes
    work = len(fix.steps.portal) * _MINUTES_A_STEP if fix.steps.portal else _MINUTES_FOR_COMMANDS
    return -(-(_MINUTES_TO_SIGN_IN + work) // 5) * 5


def fix_reversible(fix: Fix) -> str:
    """Whether the fix can be undone: with requests that restore what is set now, or only by hand."""
    if fix.undo_graph:
        return "Yes"
    return "Yes, by hand" if fix.undo else "Not known"


def fix_opens(opens: Mapping[str, Any]) -> list[str]:
    """What else becomes possible, in words; JSON has the scopes by name. Silence would look like an oversight."""
    notes = opens.get("notes") or ()
    parts = [plain_sentence(str(text)) for text in (opens.get("summary"), *notes) if text]
    return parts or ["Nothing else."]
