"""What to do about a report: the first thing, the fixes of each answer under their numbers, and a rule's advice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from auditor.model.decision import Confidence, Decision, Fix, Outcome, Reason
from auditor.model.document import series
from auditor.model.finding import Finding, FindingOutcome
from auditor.model.report import Report
from auditor.render.after_consent_view import afterwards
from auditor.render.labels import (
    FINDINGS,
    OUTCOMES,
    app_label,
    click_path,
    count,
    encoded,
    flat,
    is_click_path,
    outcome_meaning,
    sentence,
)

ASSIGNED = "assigned member"
"""The subject of a proof that holds only for users who are assigned to the app."""

IF_IT_FAILS = "The following steps apply only if this check fails."
"""What stands before the advice of a rule whose outcome is unknown."""

_CONNECTING = frozenset(outcome.value for outcome in Outcome if outcome.connects)


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

    def sentences(self, heading: str) -> tuple[str, ...]:
        """What to print; `heading` names the part of the report that describes the failed rules."""
        if not self.failed:
            return self.says
        return (*self.says[:-1], f"{self.says[-1]} However, {count(self.failed, 'rule')} failed: see {heading}.")


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
    if failing:
        return _first_advice(next((one for one in failing if one.remediation.link), failing[0]))
    return FirstThing(("Nothing." if decision is None else "No fix was found. See the details that follow.",))


def first_fix(decision: Decision) -> Fix | None:
    """The fix to begin with, if there is one that lets users connect and nothing to ask of the vendor first."""
    if decision.reason is Reason.CONSENT_FORCED:
        return None
    return next((fix for fix in decision.fixes if fix.proven.outcome in _CONNECTING), None)


def _first_request(decision: Decision, fix: Fix) -> FirstThing:
    """A fix after which users can only ask for approval."""
    says = (f"No change was proven to let users connect {app_label(decision)}.", sentence(fix.title))
    return FirstThing(says, fix.link, sentence(fix.role), "Users can ask for approval (proven on a copy).", fix)


def _first_fix(fix: Fix) -> FirstThing:
    proof = "(proven on a copy)" if fix.proven.confidence == Confidence.CERTAIN else "(likely; tested on a copy)"
    means = outcome_meaning(fix.proven.outcome).rstrip(".")
    if fix.proven.subject == ASSIGNED:
        means = means.replace("Users", "Users who are assigned to the app", 1)
    says = (sentence(fix.title), *((_AFTER_ACCEPT,) if fix.link else ()))
    return FirstThing(says, fix.link, sentence(fix.role), f"{means} {proof}.", fix)


_AFTER_ACCEPT = "The page that opens after Accept may be an error although consent was given."
"""Every link of a fix is for an administrator's consent."""


def _first_advice(finding: Finding) -> FirstThing:
    """What to set and for which rule, then where."""
    advice, says = finding.remediation, [first_step(finding)]
    if advice.note and advice.portal:
        says.insert(0, f"For rule {finding.rule}: {sentence(flat(advice.note))}")
    return FirstThing(tuple(says), advice.link, sentence(advice.role), finding=finding)


def first_step(finding: Finding) -> str:
    """The first step that a rule's author advises; all steps if they are a path to click along."""
    portal = finding.remediation.portal
    if portal and not is_click_path(portal):
        return sentence(flat(portal[0]))
    if portal:
        return f"In the portal: {click_path(portal)}."
    return sentence(flat(finding.remediation.note) or finding.reason)


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
    """Gives each fix one number in the order in which fixes are first asked for.

    `same` maps the key of a fix to the key of another fix that counts as the same.
    """

    def __init__(self, same: Mapping[bytes, bytes] = MappingProxyType({})) -> None:
        self._same = same
        self._numbers: dict[bytes, int] = {}

    def split(self, fixes: Sequence[Fix]) -> NumberedFixes:
        """The fixes, divided into known and new; from now on the new ones are known."""
        known = [self._numbers[key] for fix in fixes if (key := self._key(fix)) in self._numbers]
        new = [fix for fix in fixes if self._key(fix) not in self._numbers]
        numbered = tuple((self._numbers.setdefault(self._key(fix), len(self._numbers) + 1), fix) for fix in new)
        return NumberedFixes(tuple(dict.fromkeys(known)), numbered)

    def _key(self, fix: Fix) -> bytes:
        key = fix_key(fix)
        return self._same.get(key, key)


class GroupedFixes(NamedTuple):
    """Fixes with the same purpose: how to read them, and the clause that names the purpose."""

    introduction: str
    purpose: str
    fixes: tuple[Fix, ...]


def grouped_fixes(decision: Decision) -> tuple[GroupedFixes, ...]:
    """The fixes that let users connect, or why there are none; then those that only let them ask for approval."""
    app = app_label(decision)
    connecting = tuple(fix for fix in decision.fixes if fix.proven.outcome in _CONNECTING)
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
    return f"{word}{likely}. {sentence(fix.proven.because)}"


def fix_opens(opens: Mapping[str, Any]) -> list[str]:
    """What else becomes possible, in words; JSON has the scopes by name. Silence would look like an oversight."""
    notes = opens.get("notes") or ()
    parts = [sentence(str(text)) for text in (opens.get("summary"), *notes) if text]
    return parts or ["Nothing else."]
