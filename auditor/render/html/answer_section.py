"""The answers as the page shows them: the first thing to do, the facts, the scopes, and how they were decided."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from auditor.model.decision import ORDINARY_SUBJECT, Decision, RequestedAs, ScopeVerdict, Verdict
from auditor.model.document import sentence, series
from auditor.model.report import Finding, Report
from auditor.render.fix_view import AnswerGroup, FirstThing, first_thing, grouped_answers, subject_names
from auditor.render.html.finding_section import FixViews, ranked, ways
from auditor.render.html.parts import (
    AddressView,
    CodeView,
    LinkedText,
    address,
    addresses,
    clickable,
    in_portal_words,
    linked,
    tone,
)
from auditor.render.html.pictures import BarChart, VerdictPath, chart_by_verdict, verdict_path
from auditor.render.labels import (
    NAME_WIDTH,
    OUTCOMES,
    VERDICTS,
    answer_word,
    click_path,
    flat,
    is_click_path,
    plain_reason,
    plain_sentence,
    resource_label,
    scope_count,
    screen,
)
from auditor.render.report_view import (
    AFTERWARDS,
    USER_SEES,
    VENDOR_SAYS,
    AnswerFact,
    RoleLine,
    afterwards,
    answer_facts,
    are_assumed,
    compare_scopes,
    role_lines,
    scope_reason,
    shared_resource,
    verdict_word,
)
from auditor.render.text_layout import clip


class FirstThingView(NamedTuple):
    """The first thing to do, with its links or, if it has none, its first commands or steps.

    `path` is what to click on in the portal, `rule` the number and ID of the failed rule that requires it, and `about`
    the first of the things that make it fail. `failed` counts rules that failed although there is nothing to do about
    the answer.
    """

    says: tuple[str, ...]
    links: tuple[AddressView, ...] = ()
    path: AddressView | None = None
    command: CodeView | None = None
    steps: tuple[tuple[LinkedText, ...], ...] = ()
    role: str = ""
    after: str = ""
    rule: tuple[int, str] | None = None
    about: str = ""
    failed: str = ""


class ScopeRow(NamedTuple):
    """One requested scope."""

    name: str
    permission_id: str
    resource: str
    verdict: str
    tone: str
    why: str
    decider: str


class StepRow(NamedTuple):
    """One condition set, and the scopes for which it gave the same result."""

    scopes: str
    policy: str
    kind: str
    condition_set: str
    matched: str
    why: str


class AnswerView(NamedTuple):
    """Everything about one answer or a group of equal ones; `number` is that of the first.

    `stopping` are the scopes that users can't consent to or whose verdict is unknown, the required ones first;
    `passing` are the others, and `passing_words` says how many they are. `required` is the number of required
    scopes, and `scope_words` counts all.
    """

    number: int
    whose: str
    app_name: str
    app_id: str
    variants: tuple[str, ...]
    subject: str
    word: str
    tone: str
    means: str
    because: str
    sees: str
    facts: tuple[AnswerFact, ...]
    first: FirstThingView | None
    picture: VerdictPath
    required: int
    scope_words: str
    scopes: tuple[ScopeRow, ...]
    stopping: tuple[ScopeRow, ...]
    passing: tuple[ScopeRow, ...]
    passing_words: str
    shared_resource: str
    assumed: bool
    roles: tuple[RoleLine, ...]
    notes: tuple[str, ...]
    steps: tuple[StepRow, ...]
    chart: BarChart | None


class ScopeComparisonView(NamedTuple):
    """What a pack assumes about an app compared with what the tenant granted."""

    sentence: str
    rows: tuple[tuple[str, str, str], ...]


def answer_views(report: Report, fixes: FixViews) -> tuple[AnswerView, ...]:
    """Each different answer, under its number."""
    return tuple(_answer(report, group, fixes) for group in grouped_answers(report))


def _answer(report: Report, group: AnswerGroup, fixes: FixViews) -> AnswerView:
    decision, number = group.first, group.numbers[0]
    label = OUTCOMES[decision.outcome]
    assumed = are_assumed(decision)
    return AnswerView(
        number=number,
        whose=_with_short_name(decision, group.label),
        app_name=clip(decision.app.name, NAME_WIDTH) or "App",
        app_id=decision.app.client_id,
        variants=group.variants,
        subject="" if decision.subject == ORDINARY_SUBJECT else decision.subject,
        word=answer_word(decision),
        tone=tone(label.style),
        means=label.means,
        because=_with_short_name(decision, plain_reason(decision)),
        sees=_with_short_name(decision, screen(decision)),
        facts=_facts(report, decision),
        first=_first_view(report, first_thing(report, decision), fixes, f"first-{number}"),
        picture=verdict_path(decision),
        required=len(decision.required_scopes),
        scope_words=scope_count(decision.scopes),
        scopes=tuple(_scope(scope, assumed) for scope in decision.scopes),
        stopping=tuple(_scope(scope, assumed) for scope in sorted(filter(_stops, decision.scopes), key=_is_optional)),
        passing=tuple(_scope(scope, assumed) for scope in decision.scopes if not _stops(scope)),
        passing_words=_passing_words(decision),
        shared_resource=shared_resource(decision),
        assumed=assumed,
        roles=role_lines(decision),
        notes=tuple(map(sentence, decision.notes)),
        steps=_steps(decision),
        chart=chart_by_verdict(decision),
    )


def _stops(scope: ScopeVerdict) -> bool:
    return scope.verdict in (Verdict.BLOCKED, Verdict.UNKNOWN)


def _is_optional(scope: ScopeVerdict) -> bool:
    return scope.requested_as is RequestedAs.OPTIONAL


def _passing_words(decision: Decision) -> str:
    """``6 required scopes and 1 optional don't stop users: 4 granted and 3 allowed``."""
    passing = [scope for scope in decision.scopes if not _stops(scope)]
    verdicts = Counter(VERDICTS[scope.verdict][0] for scope in passing)
    verb = "doesn't" if len(passing) == 1 else "don't"
    return f"{scope_count(passing)} {verb} stop users: {series([f'{n} {word}' for word, n in verdicts.items()])}"


def _facts(report: Report, decision: Decision) -> tuple[AnswerFact, ...]:
    """All facts except what the user sees, which the page shows separately, and the reason in the terms of Entra."""
    then, because = afterwards(report, decision), plain_sentence(decision.because)
    detail = (because,) if because != plain_reason(decision) else ()
    facts = [AnswerFact("In detail", detail), *answer_facts(decision), AnswerFact(AFTERWARDS, (then,) if then else ())]
    facts.sort(key=lambda fact: fact.label == VENDOR_SAYS)  # what happens to users comes before what the vendor advises
    return tuple(
        AnswerFact(label, tuple(sentence(_with_short_name(decision, text)) for text in texts))
        for label, texts in facts
        if label != USER_SEES
    )


def _with_short_name(decision: Decision, text: str) -> str:
    """The text with the app's name cut as everywhere on the page."""
    short = clip(decision.app.name, NAME_WIDTH)
    return text.replace(decision.app.name, short) if len(short) < len(decision.app.name) else text


def _scope(scope: ScopeVerdict, assumed: bool) -> ScopeRow:
    return ScopeRow(
        name=scope.scope,
        permission_id=scope.permission_id or "",
        resource=resource_label(scope.resource, scope.resource_name),
        verdict=verdict_word(scope),
        tone="done" if VERDICTS[scope.verdict][0] == "granted" else tone(VERDICTS[scope.verdict][1]),
        why=in_portal_words(scope_reason(scope, scope.detail, assumed)),
        decider=f"Condition set {scope.condition_set}" if scope.condition_set else "",
    )


def _steps(decision: Decision) -> tuple[StepRow, ...]:
    """The result of every condition set; scopes with the same result share a row."""
    alike: dict[tuple[str, str, str], dict[tuple[str, str], list[str]]] = {}
    for scope in decision.scopes:
        for step in scope.steps:
            sets = alike.setdefault((step.policy, step.kind, step.condition_set), {})
            sets.setdefault((step.matched, _of_the_scope(step.why, scope.scope)), []).append(scope.scope)
    return tuple(
        StepRow(series(tuple(dict.fromkeys(names))), *which, *result)
        for which, sets in alike.items()
        for result, names in sets.items()
    )


def _of_the_scope(why: str, name: str) -> str:
    """The reason without the scope's name, which is next to it."""
    return re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", "the scope", why) if name else why


def scope_comparisons(report: Report) -> tuple[ScopeComparisonView, ...]:
    """Every comparison of assumed with granted scopes."""
    return tuple(
        ScopeComparisonView(
            comparison.sentence,
            tuple(
                (name, ", ".join(lack) or "-", ", ".join(more) or "-") for name, lack, more in comparison.differences
            ),
        )
        for comparison in map(compare_scopes, report.calibrations)
    )


def first_thing_without_answers(report: Report, fixes: FixViews) -> FirstThingView | None:
    """The first thing to do in a report that doesn't answer a question about an app."""
    return None if report.decisions else _first_view(report, first_thing(report, None), fixes, "first-0")


def _first_view(report: Report, first: FirstThing | None, fixes: FixViews, name: str) -> FirstThingView | None:
    if first is None:
        return None
    if first.finding:
        return _first_advice(report, first, first.finding, name)
    fix = first.fix
    commands = ways(fix, name) if fix and not first.link else ()
    return FirstThingView(
        says=first.says,
        links=addresses(fixes.links(fix) if fix else (("", first.link),), f"{name}-link"),
        command=commands[0] if commands else None,
        steps=(
            tuple(linked(step, fix.steps.portal_links) for step in fix.steps.portal)
            if fix and not first.link and not commands
            else ()
        ),
        role=first.role,
        after=first.result,
        failed=first.failing_checks if first.failed else "",
    )


def _first_advice(report: Report, first: FirstThing, finding: Finding, name: str) -> FirstThingView:
    """The advice of the rule's author: what to set and where, and which rule it is."""
    advice = finding.remediation
    path = click_path(advice.portal) if is_click_path(advice.portal) else ""
    steps = () if path else tuple(linked(step, advice.portal_links) for step in advice.portal)
    shown = address(path, f"{name}-path")
    if shown and advice.portal_links:
        shown = shown._replace(href=clickable(advice.portal_links[0].address))
    note = sentence(flat(advice.note))
    return FirstThingView(
        says=(note,) if note else first.says if steps else (sentence(finding.title),),
        links=addresses((("", advice.link),), f"{name}-link"),
        path=shown,
        steps=steps,
        role=first.role,
        rule=(ranked(report).index(finding) + 1, finding.rule),
        about=subject_names(finding),
    )
