"""What each single change does to each decision, found by deciding again: nothing about an effect is guessed.

A change has an effect on an app if the earlier snapshot with this change alone is decided in another way, or if the
later snapshot without it is. The second finds changes that have an effect only together with others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from auditor.compare.found_change import FoundChange
from auditor.consent.decide import decide
from auditor.consent.snapshot_index import index_of
from auditor.model.decision import ORDINARY_SUBJECT, Decision, Outcome, ScopeVerdict, Verdict
from auditor.model.difference import NO_LONGER_KNOWN
from auditor.model.document import first_of, series
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot

_NAMED = 6
"""How many scopes a sentence names."""


class EffectOfChange(NamedTuple):
    """The decision for an ordinary member without and with one change; `alone` is false if others are needed, too.

    `is_outcome` is false if the tenant has another outcome now, because of other changes.
    """

    app: App
    before: Decision
    after: Decision
    alone: bool = True
    is_outcome: bool = True


class DecidedAgain:
    """Decisions on two snapshots that rest on the same reads, and on each of them with single changes."""

    def __init__(self, before: Snapshot, after: Snapshot, apps: Sequence[App]) -> None:
        self._before, self._after = before, after
        self.apps = apps
        self.decided = {app: (decide(before, app), decide(after, app)) for app in apps}
        self._concerned = frozenset(name for app in apps for name in _named_by(app, (before, after)))

    def effects(self, found: FoundChange) -> tuple[EffectOfChange, ...]:
        """What the change does to the decisions of the apps."""
        if found.move is None or (found.concerns is not None and not found.concerns & self._concerned):
            return ()
        # One changed snapshot at a time, so that the tables of its sections are built once for all apps.
        effects = dict(self._with(found.move(self._before, self._after)))
        missing = [app for app in self.apps if app not in effects]
        if missing:
            effects.update(self._without(found.move(self._after, self._before), missing))
        return tuple(effects[app] for app in self.apps if app in effects)

    def decides_by(self, found: FoundChange) -> bool:
        """Whether the change is of a kind that can affect one of the apps, so that its having no effect is news."""
        return found.move is not None and (found.concerns is None or bool(found.concerns & self._concerned))

    def _with(self, changed: Snapshot) -> Iterable[tuple[App, EffectOfChange]]:
        for app in self.apps:
            now = decide(changed, app)
            if verdicts(now) != verdicts(self.decided[app][0]):
                before, after = self.decided[app]
                yield app, EffectOfChange(app, before, now, is_outcome=now.outcome is after.outcome)

    def _without(self, changed: Snapshot, apps: Sequence[App]) -> Iterable[tuple[App, EffectOfChange]]:
        for app in apps:
            then = decide(changed, app)
            if verdicts(then) != verdicts(self.decided[app][1]):
                yield app, EffectOfChange(app, then, self.decided[app][1], alone=False)


def _named_by(app: App, snapshots: Iterable[Snapshot]) -> Iterable[str]:
    """The app ids on which the decision about an app can depend."""
    yield app.client_id.lower()
    yield from (need.resource.lower() for need in app.scopes)
    yield from (name.lower() for name in app.default_resources)
    yield from (one.client_id.lower() for one in app.also_needs)
    for snapshot in snapshots:
        # An agent inherits what is granted to its blueprint.
        found = index_of(snapshot).service_principal(app.client_id)
        if isinstance(found, ServicePrincipal) and found.agentIdentityBlueprintId:
            yield found.agentIdentityBlueprintId.lower()


def verdicts(decision: Decision) -> tuple[Outcome, str, frozenset[tuple[str, str, Verdict]]]:
    """What matters of a decision: its outcome, what a user is shown, and the verdict on each scope."""
    scopes = frozenset((one.resource.lower(), one.scope.lower(), one.verdict) for one in decision.scopes)
    return decision.outcome, decision.code, scopes


def effect_sentence(before: Decision, after: Decision) -> str:
    """One sentence on what a user notices, with the setting and the condition set that does it."""
    if after.outcome is Outcome.DEPENDS:
        return f"{NO_LONGER_KNOWN}{_lower_first(after.because)}"
    return f"{_lead(before, after)}: {_cause(before, after)}."


def _lower_first(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _lead(before: Decision, after: Decision) -> str:
    app = after.app.name
    old, new = before.outcome, after.outcome
    who = "Users" if after.subject == ORDINARY_SUBJECT else after.subject
    has = "have" if who == "Users" else "has"
    if old is Outcome.DEPENDS:
        can = "can" if new.connects else "can't"
        return f"It is now known that {who.lower() if has == 'have' else who} {can} connect {app}"
    if old is new:
        return _same(who, app, before, after)
    if old.connects and not new.connects and new is not Outcome.CONNECTS_BUT_LACKS_SCOPES:
        return f"{who} can no longer connect {app}"
    match new:
        case Outcome.CONNECTS_SILENTLY:
            return f"{who} can now connect {app} without being asked for consent"
        case Outcome.USER_MAY_CONSENT if old is Outcome.CONNECTS_SILENTLY:
            return (
                f"{who} must now consent to {app} themselves" if has == "have" else f"{who} must now consent to {app}"
            )
        case Outcome.USER_MAY_CONSENT:
            return f"{who} can now connect {app} and consent to it"
        case Outcome.CONNECTS_BUT_LACKS_SCOPES:
            return f"{who} can still sign in to {app}, but it lacks scopes that it needs"
        case Outcome.NEEDS_ADMIN:
            return f"{app} is no longer blocked, but {who} still {_need(has)} an administrator to connect it"
        case _:
            return f"{app} is now blocked for {who}"


def _need(has: str) -> str:
    return "need" if has == "have" else "needs"


def _same(who: str, app: str, before: Decision, after: Decision) -> str:
    """The sentence where the outcome stays, and scopes or the page that a user sees differ."""
    connects = "can still connect" if after.outcome.connects else "still can't connect"
    gained = [s.scope for s in _changed(before, after) if s.verdict in (Verdict.CONSENTABLE, Verdict.GRANTED)]
    lost = [s.scope for s in _changed(before, after) if s.verdict is Verdict.BLOCKED]
    parts = []
    if gained:
        parts.append(_now(gained, "allowed"))
    if lost:
        parts.append(_now(lost, "blocked"))
    if not parts and before.code != after.code:
        parts.append(f"they see {after.code or 'another page'} instead of {before.code or 'the page of before'}")
    return f"{who} {connects} {app}{'; ' if parts else ''}{' and '.join(parts)}"


def _now(scopes: list[str], what: str) -> str:
    return f"{_some(scopes)} {_is(scopes)} now {what}"


def _is(scopes: list[str]) -> str:
    return "is" if len(scopes) == 1 else "are"


def _some(names: list[str]) -> str:
    return series(first_of(names, _NAMED))


def _changed(before: Decision, after: Decision) -> list[ScopeVerdict]:
    """The scopes of the later decision with another verdict than before."""
    old = {(one.resource.lower(), one.scope.lower()): one.verdict for one in before.scopes}
    return [one for one in after.scopes if old.get((one.resource.lower(), one.scope.lower())) is not one.verdict]


def _cause(before: Decision, after: Decision) -> str:
    """The reason of the later decision, and the condition sets by which scopes have another verdict now."""
    _, _, rest = after.because.partition(after.app.name)
    reason = (rest.partition(": ")[2] or after.because).rstrip(".")
    deciding = [one for one in _changed(before, after) if one.condition_set] or [
        one for one in after.scopes if one.condition_set and one.verdict is not Verdict.GRANTED
    ]
    sets = list(dict.fromkeys(f"{one.condition_set} of {one.policy}" for one in deciding if one.required))[:2]
    word = "condition set" if len(sets) == 1 else "condition sets"
    return f"{reason}{f' ({word} {series(sets)})' if sets else ''}"


def _effect_text(effect: EffectOfChange) -> str:
    text = effect_sentence(effect.before, effect.after)
    inside = _lower_first(text) if text.startswith(("Users ", "It ")) else text
    if not effect.alone:
        return f"Together with other changes: {inside}"
    if effect.is_outcome:
        return text
    if effect.after.outcome is Outcome.DEPENDS:
        inside = _lower_first(effect.after.because)
    return f"With this change alone, {inside}"


def means_of(effects: Sequence[EffectOfChange], apps: Sequence[App], structural: str) -> str:
    """What a change means for the users of the apps: its effects, or that it has none, and what it changed."""
    if effects:
        first = effects[0]
        text = _effect_text(first)
        more = series([one.app.label for one in effects[1:]])
        text = f"{text[:-1]}; the same change also affects {more}." if more else text
        return f"{text} {structural}" if structural else text
    if not apps:
        return structural
    names = _some([app.label for app in dict.fromkeys(apps)])
    nothing = f"This doesn't change who can connect {names}."
    return f"{structural} {nothing}" if structural else nothing
