"""What every format says about a report: the answer, the first thing to do, the findings, and what follows consent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from auditor.model.decision import (
    ORDINARY_SUBJECT,
    Access,
    Confidence,
    Decision,
    NamedUnknown,
    RoleVerdict,
    ScopeVerdict,
)
from auditor.model.document import sentence, series
from auditor.model.report import (
    Calibration,
    Disagreement,
    Evidence,
    Finding,
    Report,
    Stand,
    Waiver,
)
from auditor.model.rule import FindingOutcome
from auditor.render.labels import (
    FINDINGS,
    NAME_WIDTH,
    OUTCOMES,
    ROLE_STATES,
    VERDICTS,
    answer_word,
    app_and_id,
    app_label,
    encoded,
    flat,
    plain_sentence,
    resource_label,
    screen,
    setting_name,
)
from auditor.render.text_layout import clip

ABOUT_WHAT_IF = "Nothing was changed. The rest of this report describes the tenant as it is."

_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Decider = tuple[str, str | None]
"""A consent policy and the condition set of it that decided."""


def question(report: Report) -> str:
    """The question that the report answers."""
    tenant = clip(report.tenant.name, NAME_WIDTH)
    if not report.decisions:
        return f"Consent audit of {tenant or 'a tenant'}"
    subjects = {decision.subject for decision in report.decisions}
    apps = {decision.app.client_id for decision in report.decisions}
    what = app_label(report.decisions[0]) if len(apps) == 1 else f"these {len(apps)} apps"
    if len(subjects) > 1:
        return f"Who in {tenant or 'the tenant'} can connect {what}?"
    subject = clip(report.decisions[0].subject, NAME_WIDTH)
    if subject != ORDINARY_SUBJECT:
        return f"Can {subject} connect {what}?"
    return f"Can users{f' of {tenant}' if tenant else ''} connect {what}?"


def tenant_label(report: Report) -> str:
    """The tenant's name and ID."""
    name = clip(report.tenant.name, NAME_WIDTH)
    return f"{name} ({report.tenant.id})" if name else report.tenant.id


def numbered(report: Report) -> list[tuple[int, Decision]]:
    """The decisions with their numbers on the first screen; of equal decisions only the first."""
    return [
        (number, decision)
        for number, decision in enumerate(report.decisions, start=1)
        if report.decisions.index(decision) + 1 == number
    ]


def numbered_label(number: int, decision: Decision) -> str:
    """Which of several answers: its number, the app, and the user unless it's about no particular user."""
    label = f"{number}. {app_and_id(decision)}"
    return label if decision.subject == ORDINARY_SUBJECT else f"{label}, for {decision.subject}"


class AnswerFact(NamedTuple):
    """Something to know about an answer: a label, and sentences."""

    label: str
    texts: tuple[str, ...]


USER_SEES, ALSO, DEPENDS_ON, CONFIDENCE = "User sees", "Also", "Depends on", "Confidence"
WORKS_FOR, NOT_KNOWN, VENDOR_SAYS = "Works for", "Not known", "Vendor says"


def answer_facts(decision: Decision) -> tuple[AnswerFact, ...]:
    """What the user sees, what else blocks, what isn't known, and how certain the answer is; only what there is.

    Also whom the app still works for, and the vendor's advice with a judgement of it.
    """
    likely = decision.confidence is Confidence.LIKELY
    facts = (
        AnswerFact(USER_SEES, (screen(decision),) if screen(decision) else ()),
        AnswerFact(ALSO, tuple(map(plain_sentence, decision.also))),
        AnswerFact(DEPENDS_ON, tuple(map(plain_sentence, decision.depends_on))),
        AnswerFact("Could be", (possible_outcomes(decision),) if decision.outcomes else ()),
        AnswerFact(CONFIDENCE, ("Likely, not certain.", *map(plain_sentence, decision.caveats)) if likely else ()),
        AnswerFact(WORKS_FOR, decision.works_for),
        AnswerFact(NOT_KNOWN, tuple(text for one in decision.unknowns for text in unknown_texts(one))),
        AnswerFact(VENDOR_SAYS, decision.vendor_says),
    )
    return tuple(fact for fact in facts if fact.texts)


def unknown_texts(unknown: NamedUnknown) -> tuple[str, ...]:
    """The fact and why it matters; what its failure looks like; how to look it up."""
    look_up = f"To look it up in Exchange Online PowerShell: {unknown.verify}"
    return f"{unknown.name}. {unknown.why}", unknown.symptom, look_up


def possible_outcomes(decision: Decision) -> str:
    """The possible outcomes of an answer that depends on something, in the words of the first screen."""
    words = dict.fromkeys(OUTCOMES[outcome].word for outcome in decision.outcomes)
    return sentence(series(tuple(words), "or"))


def verdict_word(scope: ScopeVerdict) -> str:
    """The verdict on a scope, marked if it's only likely."""
    word, _ = VERDICTS[scope.verdict]
    return f"{word}, likely" if scope.confidence is Confidence.LIKELY else word


def finding_word(finding: Finding) -> str:
    """The outcome of a rule, marked if it's only likely."""
    word, _ = FINDINGS[finding.outcome]
    return f"{word}, likely" if finding.confidence is Confidence.LIKELY else word


def are_assumed(decision: Decision) -> bool:
    """Whether the pack assumes every scope that the app requests, so that the table's header can say it once."""
    requested = [scope for scope in decision.scopes if not scope.implicit]
    return bool(requested) and all(scope.assumed for scope in requested)


def shared_resource(decision: Decision) -> str:
    """The resource of all scopes; nothing if there are several."""
    names = {resource_label(scope.resource, scope.resource_name) for scope in decision.scopes}
    return names.pop() if len(names) == 1 else ""


def scope_reason(scope: ScopeVerdict, detail: str, all_assumed: bool) -> str:
    """Why a scope has its verdict, after marks such as Optional; `detail` is the reason itself."""
    marks = (
        "" if scope.required or scope.implicit else "Optional.",
        "Assumed." if scope.assumed and not all_assumed else "",
        "Added automatically." if scope.implicit else "",
    )
    return " ".join(filter(None, (*marks, plain_sentence(detail))))


APP_ROLES = "Application permissions: what the app needs to work without a user"


class RoleLine(NamedTuple):
    """An application permission that the app needs, whether it has it, and why, in words."""

    name: str
    resource: str
    word: str
    style: str
    why: str


def role_lines(decision: Decision) -> tuple[RoleLine, ...]:
    """The application permissions that the app needs."""
    return tuple(
        RoleLine(
            name=one.role,
            resource=resource_label(one.resource, one.resource_name),
            word=ROLE_STATES[one.state][0],
            style=ROLE_STATES[one.state][1],
            why=" ".join(filter(None, (*_role_marks(one), plain_sentence(one.detail), sentence(one.plain)))),
        )
        for one in decision.app_roles
    )


def _role_marks(role: RoleVerdict) -> tuple[str, str]:
    return "" if role.required else "Optional.", "Assumed." if role.assumed else ""


def deciders(decision: Decision) -> dict[Decider, str]:
    """A letter for each policy and condition set that decided, in the order of the scopes."""
    pairs = dict.fromkeys((scope.policy, scope.condition_set) for scope in decision.scopes if scope.policy)
    return {(policy, inner): _letter(place) for place, (policy, inner) in enumerate(pairs) if policy}


def _letter(place: int) -> str:
    """a to z, then a2, b2 and so on."""
    again, letter = divmod(place, len(_LETTERS))
    return _LETTERS[letter] + (str(again + 1) if again else "")


def decider_label(decision: Decision, decider: Decider) -> str:
    """``policy ID, include condition set ID``."""
    policy, condition_set = decider
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


def detail_with_letter(scope: ScopeVerdict, letters: dict[Decider, str]) -> str:
    """The reason for a scope's verdict, with the decider's letter in place of the policy's long ID."""
    if not scope.policy:
        return scope.detail
    mark = f"[{letters[scope.policy, scope.condition_set]}]"
    for named in (f"policy {scope.policy}", scope.policy):
        if named in scope.detail:
            return scope.detail.replace(named, mark)
    return f"{scope.detail.rstrip('.')} {mark}"


class WhatIfAnswer(NamedTuple):
    """One answer as it is (none if the app wasn't evaluated), and as it would be with the assumptions."""

    now: Decision | None
    then: Decision

    @property
    def words(self) -> tuple[str, str]:
        """The two answers in a word each."""
        return answer_word(self.now) if self.now else "not evaluated", answer_word(self.then)


def what_if_answers(report: Report) -> tuple[WhatIfAnswer, ...]:
    """Every answer that was decided again, with the one that holds now."""
    if report.what_if is None:
        return ()
    now = {one.app: one for one in reversed(report.decisions) if one.subject == ORDINARY_SUBJECT}
    any_pack = {app.client_id: decision for app, decision in now.items()}
    return tuple(
        WhatIfAnswer(now.get(then.app) or any_pack.get(then.app.client_id), then) for then in report.what_if.decisions
    )


def assumptions(report: Report) -> str:
    """The assumptions as they were typed; empty if there are none."""
    return flat(", ".join(report.what_if.assumed)) if report.what_if else ""


def what_if_sentences(report: Report) -> Iterator[str]:
    """``With setting=low, APP changes from NEEDS ADMIN to CONNECTS. Why.`` for each answer."""
    for answer in what_if_answers(report):
        now, then = answer.words
        change = f"stays {now}" if now == then else f"changes from {now} to {then}"
        yield f"With {assumptions(report)}, {app_and_id(answer.then)} {change}. {plain_sentence(answer.then.because)}"


class ScopeComparison(NamedTuple):
    """What a pack assumes about an app compared with what the tenant granted: a sentence, and what differs."""

    sentence: str
    differences: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]
    """Resource, scopes that are assumed but not granted, scopes that are granted but not assumed."""


def compare_scopes(one: Calibration) -> ScopeComparison:
    """The comparison in words."""
    app = one.app or f"app {one.client_id}"
    differences = tuple(
        (resource_label(each.resource, each.resource_name), each.assumed_not_granted, each.granted_not_assumed)
        for each in one.differences
        if each.assumed_not_granted or each.granted_not_assumed
    )
    verb = "differ from those" if differences else "are exactly those"
    return ScopeComparison(
        f"The scopes that the pack {one.pack} assumes {verb} that this tenant granted to {app}.", differences
    )


VALUE_WIDTH = 160
"""Columns of a value in the evidence; the JSON report has all of it."""

DISAGREEMENTS = "Where the benchmarks disagree"
ABOUT_DISAGREEMENTS = "These rules check the same control and disagree. You decide which view applies."

_DIGEST_LENGTH = 12
"""Characters of a digest: enough to distinguish two, few enough to read aloud."""


def with_outcome(findings: Iterable[Finding], *wanted: FindingOutcome) -> list[Finding]:
    """The findings with one of these outcomes, in their order."""
    return [finding for finding in findings if finding.outcome in wanted]


def from_several_packs(report: Report) -> bool:
    """Whether a rule's ID needs its pack next to it."""
    return len({finding.pack for finding in report.findings}) > 1


def waiver_sentence(waiver: Waiver) -> str:
    """``Waived for X by OWNER until DAY (TICKET): reason.``"""
    subject = f" for {waiver.subject}" if waiver.subject else ""
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    return f"Waived{subject} by {waiver.owner} until {waiver.expires}{ticket}: {sentence(waiver.reason)}"


def reason_with_waivers(finding: Finding) -> str:
    """The finding's reason, and the waivers that cover it."""
    return " ".join((plain_sentence(finding.reason), *map(waiver_sentence, finding.waivers)))


def evidence_text(one: Evidence, width: int = VALUE_WIDTH) -> str:
    """``SETTING: VALUE; expected VALUE``, each value as JSON and cut to `width` columns."""
    expected = "" if one.expected is None else f"; expected {json_value(one.expected, width)}"
    return f"{setting_name(one.path)}: {json_value(one.actual, width)}{expected}"


def json_value(value: Any, width: int = VALUE_WIDTH) -> str:
    """A value of the snapshot as JSON, on one line, safe to print."""
    return clip(encoded(value, str).decode(), width)


def disagreement_sentence(one: Disagreement) -> str:
    """``EIDSCA.AP08 passes; CIS-5.1.5.1 and ZTA-21776 fail.``"""
    passing, failing = ([s for s in one.stands if s.outcome is o] for o in (FindingOutcome.PASS, FindingOutcome.FAIL))
    return f"{_rules_do(passing, 'passes', 'pass')}; {_rules_do(failing, 'fails', 'fail')}."


def _rules_do(stands: list[Stand], one: str, many: str) -> str:
    return f"{series([stand.rule for stand in stands])} {one if len(stands) == 1 else many}"


def short_digest(digest: str) -> str:
    """The start of a digest, in brackets; nothing if there is none."""
    return f"(digest {digest.removeprefix('sha256:')[:_DIGEST_LENGTH]})" if digest else ""


AFTERWARDS = "Afterwards"
"""The label of the one fact that belongs to the answer itself."""


def afterwards(report: Report, decision: Decision) -> str:
    """Why users are stopped, or may be, although they may have consent, as a sentence; nothing if neither is so."""
    return next(
        (
            plain_sentence(one.because)
            for one in report.after_consent
            if (one.app.client_id, one.subject) == (decision.app.client_id, decision.subject)
            and one.access in (Access.STOPS, Access.MAY_STOP)
        ),
        "",
    )
