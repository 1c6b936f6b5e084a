"""Changes of decisions between two reports, per scope, and which changes of the tenant cause them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from auditor.compare.decided_again import DecidedAgain, EffectOfChange, effect_sentence, verdicts
from auditor.model.decision import ORDINARY_SUBJECT, Confidence, Decision, Outcome, ScopeVerdict, Verdict
from auditor.model.difference import Change, ChangeKind, NotCompared, Transition, Weight
from auditor.model.report import Report

_Key = tuple[str, str, str]
Causes = dict[str, EffectOfChange]
"""What changes do to the decision about an app, by the keys of the changes."""


def decision_changes(
    before: Report,
    after: Report,
    lacking: tuple[bool, bool],
    again: DecidedAgain | None,
    causes: Mapping[str, Causes],
) -> Iterator[Change]:
    """The changes of the decisions that both reports have.

    `lacking` says for each side whether it didn't read something that the other read; `causes` are the keys of the
    changes that change the decision about an app, by its client id, with their effects.
    """
    old, new = _by_key(before), _by_key(after)
    for key in (one for one in new if one in old):
        found = _change(key, old[key], new[key], lacking, again)
        if found is not None:
            because_of = _because_of(old[key], new[key], causes.get(key[0], {})) if key[1] == ORDINARY_SUBJECT else ()
            yield msgspec.structs.replace(found, because_of=because_of)


def _because_of(old: Decision, new: Decision, causes: Causes) -> tuple[str, ...]:
    """The changes that explain the decision's: of its outcome, if it has another one, or else of its scopes."""
    if old.outcome is not new.outcome:
        decisive = tuple(key for key, effect in causes.items() if effect.before.outcome is not effect.after.outcome)
        if decisive:
            return decisive
    return tuple(causes)


def decisions_not_compared(before: Report, after: Report) -> Iterator[NotCompared]:
    """The apps and users that only one report decides about."""
    old, new = _by_key(before), _by_key(after)
    only = sorted(
        {
            f"{side[key].app.name} ({key[1]})"
            for side, other in ((old, new), (new, old))
            for key in side
            if key not in other
        }
    )
    if only:
        yield NotCompared(section="decisions", why=f"only one report decides about {', '.join(only)}")


def _by_key(report: Report) -> dict[_Key, Decision]:
    return {(one.app.client_id.lower(), one.subject, one.app.variant): one for one in report.decisions}


def _change(
    key: _Key, old: Decision, new: Decision, lacking: tuple[bool, bool], again: DecidedAgain | None
) -> Change | None:
    if _shows_the_same(old, new) and _known(old, new) == _known(new, old):
        return _doubt(key, old, new)
    transition = _transition(key, old, new, lacking, again)
    means = effect_sentence(old, new)
    if not any(lacking) and _rests_on_reads(key, again):
        # Both states decide alike what the later report asks.
        means = f"The tenant decides as before, and the pack describes the app in another way. {means}"
    return _made(key, old, new, *transition, means)


def _doubt(key: _Key, old: Decision, new: Decision) -> Change | None:
    """A minor change where only the confidence, or the information about single scopes, differs."""
    unknown = [sum(one.verdict is Verdict.UNKNOWN for one in side.scopes) for side in (old, new)]
    likely = [side.confidence is Confidence.LIKELY for side in (old, new)]
    if unknown[0] == unknown[1] and likely[0] == likely[1]:
        return None
    is_worse = (unknown[1], likely[1]) > (unknown[0], likely[0])
    transition = Transition.BECAME_UNKNOWN if is_worse else Transition.BECAME_KNOWN
    means = f"The answer is the same, and {'less' if is_worse else 'more'} of what it rests on was read."
    return _made(key, old, new, transition, Weight.MINOR, means)


def _made(key: _Key, old: Decision, new: Decision, transition: Transition, weight: Weight, means: str) -> Change:
    client, subject, variant = key
    variant = f"/{variant}" if variant else ""
    who = "an ordinary user" if subject == ORDINARY_SUBJECT else subject
    return Change(
        kind=ChangeKind.DECISION,
        key=f"decision/{client}/{subject}{variant}",
        what=f"Whether {who} can connect {new.app.name}",
        transition=transition,
        before=_value(old, new),
        after=_value(new, old),
        means=means,
        weight=weight,
        client_id=client,
    )


def _shows_the_same(old: Decision, new: Decision) -> bool:
    """Whether the user gets the same outcome, and sees the same page if stopped, as far as both sides know it."""
    if old.outcome is not new.outcome:
        return False
    if not old.outcome.connects and old.reason is not new.reason:
        return False
    # Where the workflow wasn't read, a decision names the codes of both pages.
    codes = [frozenset(side.code.split(" or ")) for side in (old, new)]
    return bool(codes[0] & codes[1])


def _scope_key(one: ScopeVerdict) -> tuple[str, str]:
    return one.resource.lower(), one.scope.lower()


def _known(decision: Decision, other: Decision) -> dict[tuple[str, str], Verdict]:
    """The verdict on each scope that both decisions know."""
    theirs = {_scope_key(one) for one in other.scopes if one.verdict is not Verdict.UNKNOWN}
    return {
        _scope_key(one): one.verdict
        for one in decision.scopes
        if _scope_key(one) in theirs and one.verdict is not Verdict.UNKNOWN
    }


def _transition(
    key: _Key, old: Decision, new: Decision, lacking: tuple[bool, bool], again: DecidedAgain | None
) -> tuple[Transition, Weight]:
    """How the decision changed; only in a minor way where neither side rests on what both read."""
    doubtful = lacking if _rests_on_reads(key, again) else _likely(old, new, lacking)
    doubts = [
        2 if side.outcome is Outcome.DEPENDS else int(lacks) for side, lacks in zip((old, new), doubtful, strict=True)
    ]
    if doubts[0] == doubts[1]:
        return Transition.CHANGED, Weight.MINOR if doubts[0] else Weight.MAJOR
    return Transition.BECAME_UNKNOWN if doubts[1] > doubts[0] else Transition.BECAME_KNOWN, Weight.MAJOR


def _rests_on_reads(key: _Key, again: DecidedAgain | None) -> bool:
    """Whether the two decisions are the same if both rest only on what both sides read."""
    pairs = [pair for app, pair in again.decided.items() if app.client_id.lower() == key[0]] if again else []
    return key[1] == ORDINARY_SUBJECT and bool(pairs) and all(verdicts(one) == verdicts(other) for one, other in pairs)


def _likely(old: Decision, new: Decision, lacking: tuple[bool, bool]) -> tuple[bool, bool]:
    """Which sides lack a read that the other has, and may therefore rest on documentation."""
    first, second = (side.confidence is Confidence.LIKELY for side in (old, new))
    return lacking[0] and first, lacking[1] and second


def _value(decision: Decision, other: Decision) -> dict[str, Any]:
    """The decision, with the scopes on which the other one says something else."""
    theirs = {_scope_key(one): one.verdict for one in other.scopes}
    value: dict[str, Any] = {"outcome": decision.outcome.value, "because": decision.because}
    if decision.code:
        value["code"] = decision.code
    if decision.confidence is not other.confidence:
        value["confidence"] = decision.confidence.value
    scopes = [
        {
            "resource": one.resource_name,
            "scope": one.scope,
            "verdict": one.verdict.value,
            "reason": one.reason.value,
            "policy": one.policy,
            "condition_set": one.condition_set,
        }
        for one in decision.scopes
        if theirs.get(_scope_key(one)) is not one.verdict
    ]
    if scopes:
        value["scopes"] = scopes
    return value
