"""The first screen: which tenant, which app, the answer, what the user sees, and the first thing to do."""

from __future__ import annotations

from auditor.model.decision import Confidence, Decision, Outcome
from auditor.model.finding import Finding, FindingOutcome
from auditor.model.fix import Fix
from auditor.model.report import Report
from auditor.render.layout import clip
from auditor.render.page import Page
from auditor.render.words import (
    NAME,
    ORDINARY_MEMBER,
    OUTCOMES,
    answer_word,
    app_and_id,
    app_label,
    click_path,
    code,
    could_be,
    count,
    flat,
    is_path,
    meaning,
    screen,
    sentence,
    series,
    tally,
    utc,
)

FIRST = 2
"""How many missing facts or further gates the first screen names; the rest is told under it."""

FIRST_DOUBT = 1
"""How many doubts: they are long, and much alike."""


ASSIGNED = "assigned member"
"""The subject of a proof that holds for those who are assigned to the app only."""


def headline(page: Page, report: Report) -> None:
    """Write the first screen: one block for the answer, or a short one for each of several."""
    page.say(_question(report), indent=0, style="strong")
    page.blank()
    _facts(page, report)
    page.blank()
    if not report.decisions:
        page.say(sentence(report.summary.answer), style="strong")
        _first_thing(page, report, None)
    elif len(report.decisions) == 1:
        _answer(page, report.decisions[0])
        _first_thing(page, report, report.decisions[0])
    else:
        for number, decision in enumerate(report.decisions, start=1):
            page.blank()
            earlier = report.decisions.index(decision) + 1
            if earlier < number:
                page.lead(f"{number}. ", f"{app_and_id(decision)}: the same as {earlier}.", style="strong")
            else:
                _short_answer(page, number, decision)


def _question(report: Report) -> str:
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


def _facts(page: Page, report: Report) -> None:
    tenant = clip(report.tenant.name, NAME)
    page.field("Tenant", f"{tenant} ({report.tenant.id})" if tenant else report.tenant.id)
    if len(report.decisions) == 1:
        page.field("App", app_and_id(report.decisions[0]))
    page.field("Time", utc(report.taken))
    page.field("Source", report.source)
    if report.findings and not report.decisions:
        page.field("Rules", f"{tally(report.summary)}.")


def _answer(page: Page, decision: Decision) -> None:
    page.say(f">> {answer_word(decision)}", style=OUTCOMES[decision.outcome].style)
    page.say(sentence(decision.because), indent=5, style="strong")
    page.blank()
    page.field("User sees", screen(decision))
    page.items("Also", _first(decision.also, FIRST))
    page.items("Depends on", _first(decision.depends_on, FIRST))
    if decision.outcomes:
        page.field("Could be", could_be(decision))
    if decision.confidence is Confidence.LIKELY:
        page.field("Confidence", " ".join(("Likely, not certain.", *_first(decision.doubts, FIRST_DOUBT))))


def _first(texts: tuple[str, ...], most: int) -> list[str]:
    """As many of the texts as the first screen has room for; the last says how many more there are."""
    shown = [sentence(text) for text in texts[:most]]
    if len(texts) > most:
        shown[-1] += f" ({len(texts) - most} more below.)"
    return shown


def _short_answer(page: Page, number: int, decision: Decision) -> None:
    page.lead(f"{number}. ", app_and_id(decision), style="strong")
    if decision.subject != ORDINARY_MEMBER:
        page.say(f"For {decision.subject}:", indent=5)
    page.say(f">> {answer_word(decision)}", indent=5, style=OUTCOMES[decision.outcome].style)
    page.say(sentence(decision.because), indent=5)
    page.field("Code", sentence(code(decision.code)), indent=5)
    if decision.fixes:
        page.field("First", sentence(decision.fixes[0].title), indent=5)
        page.link(decision.fixes[0].link, indent=5)


def _first_thing(page: Page, report: Report, decision: Decision | None) -> None:
    """The fix that opens least; without one, what brings the answer nearer."""
    failing = [finding for finding in report.findings if finding.outcome is FindingOutcome.FAIL]
    needs = tuple(dict.fromkeys(part.needs[0] for part in report.unread if part.needs))
    if not (decision or report.findings or needs):
        return
    page.blank()
    page.say("First thing to do:", style="strong")
    if decision and decision.outcome.connects:
        _nothing(page, decision, len(failing))
    elif decision and decision.fixes:
        _first_fix(page, decision.fixes[0])
    elif decision and decision.advice:
        # What a failed rule advises cannot help where the cause is outside the tenant's consent settings.
        for text in decision.advice:
            page.say(sentence(text), indent=4)
    elif needs and (decision is None or decision.outcome is Outcome.DEPENDS):
        noun = "permission" if len(needs) == 1 else "permissions"
        page.say(f"Give the audit's own app the {noun} {series(needs)}, and run the audit again.", indent=4)
        page.say('The command "consent-auditor doctor" tells how.', indent=4)
    elif failing:
        _first_remedy(page, next((one for one in failing if one.remediation.link), failing[0]))
    else:
        page.say("Nothing." if decision is None else "No fix was found: read what follows.", indent=4)


def _nothing(page: Page, decision: Decision, failed: int) -> None:
    probably = "probably " if decision.confidence is Confidence.LIKELY else ""
    more = f" {count(failed, 'rule')} failed, though: see What to do." if failed else ""
    page.say(f"Nothing. Users can {probably}connect.{more}", indent=4)


def _first_fix(page: Page, fix: Fix) -> None:
    page.say(sentence(fix.title), indent=4)
    page.link(fix.link, indent=4)
    page.field("Role", sentence(fix.role), indent=4)
    proof = "(proven on a copy)" if fix.proven.confidence == Confidence.CERTAIN else "(likely; tried on a copy)"
    means = meaning(fix.proven.outcome).rstrip(".")
    if fix.proven.subject == ASSIGNED:
        means = means.replace("Users", "Users who are assigned to the app", 1)
    page.field("After it", f"{means} {proof}.", indent=4)


def _first_remedy(page: Page, finding: Finding) -> None:
    remedy = finding.remediation
    page.say(_action(finding), indent=4)
    page.link(remedy.link, indent=4)
    page.field("Role", sentence(remedy.role), indent=4)


def _action(finding: Finding) -> str:
    """The first step; where the author gives a path to click along, all of it."""
    portal = finding.remediation.portal
    if portal and not is_path(portal):
        return sentence(flat(portal[0]))
    if portal:
        return f"In the portal: {click_path(portal)}."
    return sentence(flat(finding.remediation.note) or finding.reason)
