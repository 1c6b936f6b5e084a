"""One row per requested scope, what decided it, and what else is to be said of the answer."""

from __future__ import annotations

from string import ascii_lowercase

from auditor.model.decision import Confidence, Decision, ScopeVerdict
from auditor.model.report import Calibration, Report
from auditor.render.headline import FIRST, FIRST_DOUBT
from auditor.render.page import Page
from auditor.render.tables import Cell, Column, table
from auditor.render.words import ORDINARY_MEMBER, VERDICTS, app_and_id, could_be, resource, screen, sentence, series

_NARROW = 80
"""Below this width the resource stands under the scope instead of in a column of its own."""

_Decider = tuple[str, str | None]
"""A policy and its condition set."""


def more_about(page: Page, report: Report) -> None:
    """What the first screen had no room for: further doubts, missing facts and gates."""
    alone = len(report.decisions) == 1
    told = [(number, decision, _rest(decision, alone)) for number, decision in numbered(report)]
    if not any(rest for _, _, rest in told):
        return
    page.heading("More about this answer" if len(told) == 1 else "More about these answers")
    for number, decision, rest in told:
        if rest and len(report.decisions) > 1:
            page.blank()
            page.say(whose(number, decision), style="strong")
        for label, texts in rest:
            page.items(label, [sentence(text) for text in texts])


def numbered(report: Report) -> list[tuple[int, Decision]]:
    """The decisions with their numbers on the first screen; of equal ones the first alone."""
    return [
        (number, decision)
        for number, decision in enumerate(report.decisions, start=1)
        if report.decisions.index(decision) + 1 == number
    ]


def _rest(decision: Decision, alone: bool) -> list[tuple[str, tuple[str, ...]]]:
    """By label, the texts after those that the first screen showed: of one answer among several, none."""
    texts = (
        ("Also", decision.also[FIRST * alone :]),
        ("Depends on", decision.depends_on[FIRST * alone :]),
        ("Doubts", decision.caveats[FIRST_DOUBT * alone :]),
    )
    rest = [(label, each) for label, each in texts if each]
    if decision.screen and not alone:
        rest.insert(0, ("User sees", (screen(decision),)))
    if decision.outcomes and not alone:
        rest.append(("Could be", (could_be(decision),)))
    return rest


def scope_tables(page: Page, report: Report) -> None:
    """The scopes of each decision, and notes on them."""
    told = [(number, decision) for number, decision in numbered(report) if decision.scopes or decision.notes]
    if told:
        page.heading("Scopes: the permissions that the app asks for")
    for number, decision in told:
        if len(report.decisions) > 1:
            page.blank()
            page.say(whose(number, decision), style="strong")
            page.blank()
        if decision.scopes:
            _scopes(page, decision)
        if decision.scopes and decision.notes:
            page.blank()
        for note in decision.notes:
            page.say(sentence(note))


def whose(number: int, decision: Decision) -> str:
    """Which of several answers: its number, the app, and the user unless it is about nobody in particular."""
    label = f"{number}. {app_and_id(decision)}"
    return label if decision.subject == ORDINARY_MEMBER else f"{label}, for {decision.subject}"


def _scopes(page: Page, decision: Decision) -> None:
    """The table; what is true of every row stands in its header instead."""
    deciders = _deciders(decision)
    names = [resource(scope.resource, scope.resource_name) for scope in decision.scopes]
    shared = names[0] if len(set(names)) == 1 else ""
    all_assumed = are_assumed(decision)
    told = ", ".join(filter(None, (shared, "assumed" if all_assumed else "")))
    heads = [Column(f"Scope ({told})" if told else "Scope", 12), Column("Verdict", 8), Column("Why", 20, wish=30)]
    beside, below = not shared and page.width >= _NARROW, not shared and page.width < _NARROW
    rows = [
        [
            Cell(scope.scope, below=f"({name})" if below else ""),
            _verdict(scope),
            Cell(_why(scope, deciders, all_assumed)),
        ]
        for scope, name in zip(decision.scopes, names, strict=True)
    ]
    if beside:
        heads.insert(1, Column("Resource", 8))
        for row, name in zip(rows, names, strict=True):
            row.insert(1, Cell(name))
    page.lines(table(heads, rows, width=page.width - 2, palette=page.palette))
    if deciders:
        page.blank()
    for (policy, condition_set), mark in deciders.items():
        page.lead(f"[{mark}] ", _decider(decision, policy, condition_set))


def _deciders(decision: Decision) -> dict[_Decider, str]:
    """A letter for each policy and condition set that decided, in the order of the rows."""
    pairs = dict.fromkeys((scope.policy, scope.condition_set) for scope in decision.scopes if scope.policy)
    return {(policy, inner): _letter(place) for place, (policy, inner) in enumerate(pairs) if policy}


def _letter(place: int) -> str:
    """a to z, then a2, b2 and so on."""
    again, letter = divmod(place, len(ascii_lowercase))
    return ascii_lowercase[letter] + (str(again + 1) if again else "")


def _decider(decision: Decision, policy: str, condition_set: str | None) -> str:
    if not condition_set:
        return f"policy {policy}"
    kinds = {
        step.kind
        for scope in decision.scopes
        for step in scope.steps
        if (step.policy, step.condition_set) == (policy, condition_set)
    }
    kind = f"{kinds.pop()} " if len(kinds) == 1 else ""
    return f"policy {policy}, {kind}condition set {condition_set}"


def are_assumed(decision: Decision) -> bool:
    """Whether every scope that the app asks for is an assumption of the pack, so that one word in the head tells it."""
    asked_for = [scope for scope in decision.scopes if not scope.implicit]
    return bool(asked_for) and all(scope.assumed for scope in asked_for)


def _verdict(scope: ScopeVerdict) -> Cell:
    return Cell(verdict_word(scope), VERDICTS[scope.verdict][1])


def verdict_word(scope: ScopeVerdict) -> str:
    """The verdict, with its doubt."""
    word, _ = VERDICTS[scope.verdict]
    return f"{word}, likely" if scope.confidence is Confidence.LIKELY else word


def _why(scope: ScopeVerdict, deciders: dict[_Decider, str], all_assumed: bool) -> str:
    return why(scope, _with_mark(scope, deciders), all_assumed)


def why(scope: ScopeVerdict, detail: str, all_assumed: bool) -> str:
    """Why a scope has its verdict, after what is to be said of the scope itself."""
    marks = (
        "" if scope.required or scope.implicit else "Optional.",
        "Assumed." if scope.assumed and not all_assumed else "",
        "Added automatically." if scope.implicit else "",
    )
    return " ".join(filter(None, (*marks, sentence(detail))))


def _with_mark(scope: ScopeVerdict, deciders: dict[_Decider, str]) -> str:
    """The detail, with the letter of the list below in place of a policy's long id."""
    if not scope.policy:
        return scope.detail
    mark = f"[{deciders[scope.policy, scope.condition_set]}]"
    for named in (f"policy {scope.policy}", scope.policy):
        if named in scope.detail:
            return scope.detail.replace(named, mark)
    return f"{scope.detail.rstrip('.')} {mark}"


def calibrations(page: Page, report: Report) -> None:
    """What packs assume, against what the tenant granted."""
    if not report.calibrations:
        return
    page.heading("Scopes assumed and granted")
    for one in report.calibrations:
        _calibration(page, one)


def _calibration(page: Page, one: Calibration) -> None:
    app = one.app or f"app {one.client_id}"
    differing = [each for each in one.differences if each.assumed_not_granted or each.granted_not_assumed]
    page.blank()
    if not differing:
        page.say(f"The pack {one.pack} assumes exactly the scopes that this tenant granted to {app}.")
        return
    page.say(f"The pack {one.pack} assumes other scopes than this tenant granted to {app}.")
    for each in differing:
        name = resource(each.resource, each.resource_name)
        for verb, scopes in (
            ("assumed but not granted", each.assumed_not_granted),
            ("granted but not assumed", each.granted_not_assumed),
        ):
            if scopes:
                page.lead("- ", f"{name}, {verb}: {series(scopes)}.")
