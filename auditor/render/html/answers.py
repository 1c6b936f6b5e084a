"""The answers as the page shows them: the first screen of each, its scopes, and how they were decided."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from auditor.model.decision import Confidence, Decision, ScopeVerdict
from auditor.model.report import Calibration, Report
from auditor.render.html.alike import Alike, together
from auditor.render.html.charts import Chart, by_verdict
from auditor.render.html.first import First, first
from auditor.render.html.missing import in_words
from auditor.render.html.picture import Picture, picture
from auditor.render.html.tones import tone
from auditor.render.layout import clip
from auditor.render.scopes import are_assumed, verdict_word, why
from auditor.render.words import (
    NAME,
    ORDINARY_MEMBER,
    OUTCOMES,
    VERDICTS,
    answer_word,
    could_be,
    resource,
    screen,
    sentence,
    series,
)


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
    """One condition set held against the scopes that it was asked about in the same way."""

    scopes: str
    policy: str
    kind: str
    condition_set: str
    matched: str
    why: str


class Answer(NamedTuple):
    """Everything about one answer, or about several that are alike: `number` is that of the first."""

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
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    first: First | None
    picture: Picture
    scopes: tuple[ScopeRow, ...]
    shared_resource: str
    assumed: bool
    notes: tuple[str, ...]
    steps: tuple[StepRow, ...]
    chart: Chart | None


class Difference(NamedTuple):
    """What a pack assumes of an app, against what the tenant granted."""

    sentence: str
    rows: tuple[tuple[str, str, str], ...]


def answers(report: Report) -> tuple[Answer, ...]:
    """Each different answer, under its number."""
    return tuple(_answer(report, alike) for alike in together(report))


def _answer(report: Report, alike: Alike) -> Answer:
    decision, number = alike.first, alike.numbers[0]
    said = OUTCOMES[decision.outcome]
    names = {resource(scope.resource, scope.resource_name) for scope in decision.scopes}
    assumed = are_assumed(decision)
    return Answer(
        number=number,
        whose=_with_short_name(decision, alike.whose),
        app_name=clip(decision.app.name, NAME) or "App",
        app_id=decision.app.client_id,
        variants=alike.variants,
        subject="" if decision.subject == ORDINARY_MEMBER else decision.subject,
        word=answer_word(decision),
        tone=tone(said.style),
        means=said.means,
        because=sentence(_with_short_name(decision, decision.because)),
        sees=_with_short_name(decision, screen(decision)),
        facts=_facts(decision),
        first=first(report, alike),
        picture=picture(decision),
        scopes=tuple(_scope(scope, assumed) for scope in decision.scopes),
        shared_resource=names.pop() if len(names) == 1 else "",
        assumed=assumed,
        notes=tuple(map(sentence, decision.notes)),
        steps=_steps(decision),
        chart=by_verdict(decision),
    )


def _facts(decision: Decision) -> tuple[tuple[str, tuple[str, ...]], ...]:
    likely = decision.confidence is Confidence.LIKELY
    facts = (
        ("Also in the way", _told(decision, decision.also)),
        ("Depends on", _told(decision, decision.depends_on)),
        ("Could be", (could_be(decision),) if decision.outcomes else ()),
        ("Confidence", ("Likely, not certain.", *_told(decision, decision.caveats)) if likely else ()),
    )
    return tuple((label, texts) for label, texts in facts if texts)


def _told(decision: Decision, texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(sentence(in_words(_with_short_name(decision, text))) for text in texts)


def _with_short_name(decision: Decision, text: str) -> str:
    """The text with the app's name as long as everywhere on the page."""
    short = clip(decision.app.name, NAME)
    return text.replace(decision.app.name, short) if len(short) < len(decision.app.name) else text


def _scope(scope: ScopeVerdict, assumed: bool) -> ScopeRow:
    return ScopeRow(
        name=scope.scope,
        permission_id=scope.permission_id or "",
        resource=resource(scope.resource, scope.resource_name),
        verdict=verdict_word(scope),
        tone="done" if VERDICTS[scope.verdict][0] == "granted" else tone(VERDICTS[scope.verdict][1]),
        why=why(scope, scope.detail, assumed),
        decider=f"Condition set {scope.condition_set}" if scope.condition_set else "",
    )


def _steps(decision: Decision) -> tuple[StepRow, ...]:
    """What every condition set said, set by set; scopes of which it said the same share a row."""
    alike: dict[tuple[str, str, str], dict[tuple[str, str], list[str]]] = {}
    for scope in decision.scopes:
        for step in scope.steps:
            sets = alike.setdefault((step.policy, step.kind, step.condition_set), {})
            sets.setdefault((step.matched, _of_the_scope(step.why, scope.scope)), []).append(scope.scope)
    return tuple(
        StepRow(series(tuple(dict.fromkeys(names))), *which, *said)
        for which, sets in alike.items()
        for said, names in sets.items()
    )


def _of_the_scope(why: str, name: str) -> str:
    """The reason without the scope's name, which stands beside it."""
    return re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", "the scope", why) if name else why


def differences(report: Report) -> tuple[Difference, ...]:
    """Every comparison of assumed with granted scopes."""
    return tuple(map(_difference, report.calibrations))


def _difference(one: Calibration) -> Difference:
    app = one.app or f"app {one.client_id}"
    rows = tuple(
        (resource(each.resource, each.resource_name), ", ".join(each.assumed_not_granted) or "-", granted or "-")
        for each in one.differences
        if (granted := ", ".join(each.granted_not_assumed)) or each.assumed_not_granted
    )
    what = "other scopes than" if rows else "exactly the scopes that"
    return Difference(f"The pack {one.pack} assumes {what} this tenant granted to {app}.", rows)
