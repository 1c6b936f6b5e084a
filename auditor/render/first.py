"""What every report says first, whatever its format: the question, and the first thing to do."""

from __future__ import annotations

from typing import NamedTuple

from auditor.model.decision import Confidence, Decision, Outcome
from auditor.model.finding import Finding, FindingOutcome
from auditor.model.fix import Fix
from auditor.model.report import Report
from auditor.render.layout import clip
from auditor.render.words import (
    NAME,
    ORDINARY_MEMBER,
    app_label,
    click_path,
    count,
    flat,
    is_path,
    meaning,
    sentence,
    series,
)

ASSIGNED = "assigned member"
"""The subject of a proof that holds for those who are assigned to the app only."""


class FirstThing(NamedTuple):
    """The first thing to do: sentences, the address to open, who may do it, what it brings, and whose it is.

    `fix` is the fix that it is, `finding` the failed rule whose author advises it.
    """

    says: tuple[str, ...]
    link: str = ""
    role: str = ""
    after: str = ""
    fix: Fix | None = None
    finding: Finding | None = None


def question(report: Report) -> str:
    """What the report answers."""
    tenant = clip(report.tenant.name, NAME)
    if not report.decisions:
        return f"Consent audit of {tenant or 'a tenant'}"
    subjects = {decision.subject for decision in report.decisions}
    apps = {decision.app.client_id for decision in report.decisions}
    what = app_label(report.decisions[0]) if len(apps) == 1 else f"these {len(apps)} apps"
    if len(subjects) > 1:
        return f"Who in {tenant or 'the tenant'} can connect {what}?"
    subject = clip(report.decisions[0].subject, NAME)
    if subject != ORDINARY_MEMBER:
        return f"Can {subject} connect {what}?"
    return f"Can users{f' of {tenant}' if tenant else ''} connect {what}?"


def first_thing(report: Report, decision: Decision | None, *, more: str = "What to do") -> FirstThing | None:
    """The fix that opens least; without one, what brings the answer nearer; none where there is nothing to say.

    `more` is the part of the report that tells of failed rules.
    """
    failing = [finding for finding in report.findings if finding.outcome is FindingOutcome.FAIL]
    needs = tuple(dict.fromkeys(part.needs[0] for part in report.unread if part.needs))
    if not (decision or report.findings or needs):
        return None
    if decision and decision.outcome.connects:
        return _nothing(decision, len(failing), more)
    if decision and decision.fixes:
        return _first_fix(decision.fixes[0])
    if decision and decision.advice:
        # What a failed rule advises cannot help where the cause is outside the tenant's consent settings.
        return FirstThing(tuple(sentence(text) for text in decision.advice))
    if needs and (decision is None or decision.outcome is Outcome.DEPENDS):
        noun = "permission" if len(needs) == 1 else "permissions"
        return FirstThing(
            (
                f"Give the audit's own app the {noun} {series(needs)}, and run the audit again.",
                'The command "consent-auditor doctor" tells how.',
            )
        )
    if failing:
        return _first_remedy(next((one for one in failing if one.remediation.link), failing[0]))
    return FirstThing(("Nothing." if decision is None else "No fix was found: read what follows.",))


def _nothing(decision: Decision, failed: int, where: str) -> FirstThing:
    probably = "probably " if decision.confidence is Confidence.LIKELY else ""
    more = f" {count(failed, 'rule')} failed, though: see {where}." if failed else ""
    return FirstThing((f"Nothing. Users can {probably}connect.{more}",))


def _first_fix(fix: Fix) -> FirstThing:
    proof = "(proven on a copy)" if fix.proven.confidence == Confidence.CERTAIN else "(likely; tried on a copy)"
    means = meaning(fix.proven.outcome).rstrip(".")
    if fix.proven.subject == ASSIGNED:
        means = means.replace("Users", "Users who are assigned to the app", 1)
    return FirstThing((sentence(fix.title),), fix.link, sentence(fix.role), f"{means} {proof}.", fix)


def _first_remedy(finding: Finding) -> FirstThing:
    """What to set and for which rule, then where."""
    remedy, says = finding.remediation, [action(finding)]
    if remedy.note and remedy.portal:
        says.insert(0, f"For rule {finding.rule}: {sentence(flat(remedy.note))}")
    return FirstThing(tuple(says), remedy.link, sentence(remedy.role), finding=finding)


def action(finding: Finding) -> str:
    """The first step; where the author gives a path to click along, all of it."""
    portal = finding.remediation.portal
    if portal and not is_path(portal):
        return sentence(flat(portal[0]))
    if portal:
        return f"In the portal: {click_path(portal)}."
    return sentence(flat(finding.remediation.note) or finding.reason)
