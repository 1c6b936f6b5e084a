"""The summary: one page that needs no other, for a person who decides and doesn't know Entra.

The question, the answer, what is or would be approved in plain words, the risk in one sentence, who must act and how
long it takes, and what changed since the last report. Every format takes these values from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from auditor.facts.ids import OPENID_SCOPES
from auditor.facts.permissions import plain_words
from auditor.model.decision import Confidence, Decision, Fix, Outcome, ScopeVerdict, Verdict
from auditor.model.document import count, sentence
from auditor.model.report import Report
from auditor.render.fix_view import FirstThing, first_thing, fix_opens, grouped_answers, links_of_packs
from auditor.render.labels import (
    NAME_WIDTH,
    OUTCOMES,
    answer_word,
    app_label,
    plain_reason,
    readable_time,
    resource_label,
)
from auditor.render.report_view import afterwards, question
from auditor.render.setting_view import failure_counts
from auditor.render.text_layout import clip

if TYPE_CHECKING:
    from auditor.model.difference import SinceLast

TITLE = "Summary on one page"
GRANTED, WOULD_BE, USERS_MAY = "approved", "would be approved", "users can approve it"
NOT_APPROVED, NOT_KNOWN = "not approved", "not known"
"""What is so about one permission."""
SHOWN = 14
"""Permissions of one app that fit on the page; a line counts the rest."""


class PermissionLine(NamedTuple):
    """One permission: what the app can do with it, its name, and whether it is or would be approved."""

    plain: str
    scope: str
    resource: str
    state: str


class ConsentLink(NamedTuple):
    """A page where an administrator consents, with the pack if there are several."""

    text: str
    href: str


class AppSummary(NamedTuple):
    """The answer about one app. `todo` says what to do, `act` who must, `time` how long it takes; empty if unknown.

    A link that must be filled in first is left out.
    """

    app: str
    word: str
    style: str
    answer: str
    permissions: tuple[PermissionLine, ...]
    more: str
    risk: str
    todo: str
    links: tuple[ConsentLink, ...]
    act: str
    time: str
    undo: str


class SummaryView(NamedTuple):
    """The page. `changed` are sentences on what changed since the last report; empty without one."""

    question: str
    tenant: str
    taken: str
    apps: tuple[AppSummary, ...]
    rules: str
    changed_title: str
    changed: tuple[str, ...]
    lists: tuple[tuple[str, tuple[str, ...]], ...]
    answer: str
    act: tuple[str, ...]
    """The result and what to do in a report without an app."""


def summary_view(report: Report, since_last: SinceLast | None = None) -> SummaryView:
    """The summary of a report."""
    title, changed, lists = _changed(report, since_last)
    first = first_thing(report, None) if not report.decisions else None
    role = (f"Who must act: {first.role}",) if first and first.role else ()
    return SummaryView(
        question=question(report),
        tenant=clip(report.tenant.name, NAME_WIDTH) or report.tenant.id,
        taken=readable_time(report.taken),
        apps=tuple(_app(report, group.first) for group in grouped_answers(report)),
        rules=failure_counts(report).sentence if report.findings else "",
        changed_title=title,
        changed=changed,
        lists=lists,
        answer="" if report.decisions else sentence(report.summary.answer),
        act=(*first.says, *role) if first else (),
    )


def _changed(
    report: Report, since_last: SinceLast | None
) -> tuple[str, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    if since_last is None:
        return "", (), ()
    # Only for a report with earlier ones.
    from auditor.render.html.news_view import news_view

    news = news_view(report, since_last)
    return (news.title, (news.counts, *news.means), news.lists) if news else ("", (), ())


def _app(report: Report, decision: Decision) -> AppSummary:
    first = first_thing(report, decision)
    lines = tuple(_permissions(decision, first.fix if first else None))
    more = len(lines) - SHOWN
    return AppSummary(
        app=app_label(decision),
        word=answer_word(decision),
        style=OUTCOMES[decision.outcome].style,
        answer=f"{OUTCOMES[decision.outcome].means} {plain_reason(decision)}",
        permissions=lines[:SHOWN],
        more=f"And {count(more, 'more permission')}, which the report lists under Scopes." if more > 0 else "",
        risk=_risk(report, decision, first),
        todo=" ".join(first.says) if first else "",
        links=tuple(_links(report, first)),
        act=_who(decision, first),
        time=_time(first.fix) if first and first.fix else "",
        undo=_undo(first.fix) if first and first.fix else "",
    )


def _permissions(decision: Decision, fix: Fix | None) -> Iterator[PermissionLine]:
    """Each requested permission, those that give access to data first."""
    granted = (
        {scope.lower() for scopes in (fix.opens.get("granted") or {}).values() for scope in scopes} if fix else set()
    )
    for scope in sorted(decision.scopes, key=lambda one: one.scope.lower() in OPENID_SCOPES):
        if scope.implicit:
            continue
        state = _state(scope, granted, fix)
        if state:
            said = scope.plain or plain_words(scope.resource, scope.scope) or scope.scope
            plain = said if said == scope.scope else said[:1].upper() + said[1:]
            yield PermissionLine(plain, scope.scope, resource_label(scope.resource, scope.resource_name), state)


def _state(scope: ScopeVerdict, granted: set[str], fix: Fix | None) -> str:
    """Whether it is or would be approved; nothing for an optional one that neither is."""
    if scope.verdict is Verdict.GRANTED:
        return GRANTED
    if scope.scope.lower() in granted:
        return WOULD_BE
    if scope.verdict is Verdict.CONSENTABLE:
        return USERS_MAY
    if scope.verdict is Verdict.UNKNOWN:
        return NOT_KNOWN
    if not scope.required:
        return ""
    return WOULD_BE if fix else NOT_APPROVED


def _links(report: Report, first: FirstThing | None) -> Iterator[ConsentLink]:
    """The links of the first fix that can be opened as they are."""
    if first is None or first.fix is None:
        return
    for pack, link in links_of_packs(report, first.fix) or (("", first.link),):
        if link.startswith("https://") and not set(link) & _TO_FILL_IN:
            yield ConsentLink(f"Open the consent page{f' for pack {pack}' if pack else ''}", link)


_TO_FILL_IN = frozenset(" \\`{}")
"""Characters that no address has; braces surround what must be filled in first."""


def _risk(report: Report, decision: Decision, first: FirstThing | None) -> str:
    """What can go wrong, in one sentence; delegated permissions never exceed the user's own access."""
    app = app_label(decision)
    limit = "each user's own data, and only for users who sign in to it"
    if decision.outcome.connects:
        then = afterwards(report, decision)
        return then or f"{app} can reach {limit}."
    if decision.outcome is Outcome.DEPENDS:
        return "Not known until the missing facts are read."
    fix = first.fix if first else None
    if fix is None:
        return "Nothing is approved, so nothing new can be read; users can't work with the app."
    if not fix.opens.get("consent_policy_changes", True):
        reach = f"{app} can then reach {limit}" if fix.opens.get("granted") else _first_effect(fix)
        return f"{reach.rstrip('.')}; no other app gets more."
    return sentence(fix_opens(fix.opens)[0])


def _first_effect(fix: Fix) -> str:
    """The first sentence on what the fix opens, other than that it opens nothing for other apps."""
    said = fix_opens(fix.opens)[0].removeprefix("Nothing for other apps.").strip()
    return said.partition(". ")[0] or "Nothing opens for this app either"


def _who(decision: Decision, first: FirstThing | None) -> str:
    if decision.outcome.connects:
        return "Nobody."
    if first and first.role:
        return first.role
    return "Whoever runs this audit." if decision.outcome is Outcome.DEPENDS else ""


def _time(fix: Fix) -> str:
    """``About 5 minutes.``, and that the proof is only likely, if so."""
    likely = "" if fix.proven.confidence == Confidence.CERTAIN else " It probably works, but that isn't certain."
    return f"About {fix.minutes} minutes.{likely}" if fix.minutes else likely.strip()


def _undo(fix: Fix) -> str:
    if fix.reversible:
        return "Yes, the previous state is known and can be restored."
    return "In part: the previous values weren't read." if fix.undo else "No."
