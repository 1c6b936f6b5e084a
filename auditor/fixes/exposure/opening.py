"""Which scopes open and close for each class of apps: the engine's own verdicts before and after, side by side.

Only what the change can have touched is judged: where neither the scope nor the app changed, and the policies
that came or went say no, the ones that stayed say what they said.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor.consent.approval import approval
from auditor.consent.client import Client
from auditor.consent.lookup import NotRead
from auditor.consent.permission import Permission
from auditor.consent.policies import Assigned, governing
from auditor.consent.tenant_settings import looks_risky, step_up
from auditor.consent.truth import Truth, any_of
from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.fixes.exposure.classes import Asker, askers
from auditor.fixes.exposure.result import AppClass, ClassExposure
from auditor.fixes.exposure.scopes import Facts, Group, Offered, grouped, listed_by, permission, refs
from auditor.model.app import App
from auditor.model.resources import ConditionSet
from auditor.model.snapshot import Snapshot


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The policies that govern ordinary users before and after, and what risk-based step-up does.

    `kept` are the policies on both sides, `gone` and `new` those on one side only. `shield_stands` is true
    where step-up is on afterwards, `shield_falls` where it is surely off and was not before.
    """

    before: Snapshot
    after: Snapshot
    app: App
    was: tuple[Assigned, ...] | NotRead
    now: tuple[Assigned, ...] | NotRead
    kept: tuple[Assigned, ...]
    gone: tuple[Assigned, ...]
    new: tuple[Assigned, ...]
    shield_stands: bool
    shield_falls: bool

    @property
    def of_policies(self) -> bool:
        """Whether other policies govern afterwards, or they say something else."""
        return bool(self.gone or self.new) or isinstance(self.was, NotRead) != isinstance(self.now, NotRead)

    @property
    def both_known(self) -> bool:
        """Whether it is known on both sides which policies govern."""
        return not isinstance(self.was, NotRead) and not isinstance(self.now, NotRead)

    @property
    def policies(self) -> tuple[Assigned, ...]:
        """Every policy of both sides."""
        return (*_known(self.was), *self.new)

    @property
    def sets(self) -> tuple[ConditionSet, ...]:
        """Every condition set of these policies."""
        contents = (a.policy for a in self.policies)
        return tuple(s for p in contents if p for s in (*(p.includes or ()), *(p.excludes or ())))


def change(before: Snapshot, after: Snapshot, app: App) -> Change:
    """What changes between the two snapshots that consent rests on."""
    was, now = governing(before), governing(after)
    shield, shield_after = step_up(before).truth, step_up(after).truth
    return Change(
        before=before,
        after=after,
        app=app,
        was=was,
        now=now,
        kept=tuple(a for a in _known(was) if a in _known(now)),
        gone=tuple(a for a in _known(was) if a not in _known(now)),
        new=tuple(a for a in _known(now) if a not in _known(was)),
        shield_stands=shield_after is Truth.TRUE,
        shield_falls=shield_after is Truth.FALSE and shield is not Truth.FALSE,
    )


def _known(policies: tuple[Assigned, ...] | NotRead) -> tuple[Assigned, ...]:
    return () if isinstance(policies, NotRead) else policies


class _Answer(msgspec.Struct, frozen=True):
    """Whether users may consent; `causes` are the missing facts that an unknown answer hangs on."""

    truth: Truth
    causes: frozenset[str] = frozenset()


_YES, _NO = _Answer(Truth.TRUE), _Answer(Truth.FALSE)


class _Found:
    """The scopes of one class of apps, as they are found."""

    def __init__(self) -> None:
        self.opened: list[Offered] = []
        self.closed: list[Offered] = []
        self.not_known: list[Offered] = []

    def add(self, scopes: list[Offered], was: _Answer, now: _Answer) -> None:
        if now.truth is Truth.TRUE and was.truth is not Truth.TRUE:
            self.opened += scopes
        elif now.truth is Truth.FALSE and was.truth is Truth.TRUE:
            self.closed += scopes
        elif now.truth is Truth.UNKNOWN and was.truth is not Truth.TRUE and not now.causes <= was.causes:
            # Unknown on both sides is a change only where it hangs on something new.
            self.not_known += scopes

    def leave_out(self, other: _Found) -> None:
        """Drop what is the same for every app of another class, too."""
        for mine, theirs in zip(self._all, other._all, strict=True):
            mine[:] = set(mine) - set(theirs)

    @property
    def _all(self) -> tuple[list[Offered], list[Offered], list[Offered]]:
        return self.opened, self.closed, self.not_known

    def named(self, snapshot: Snapshot) -> ClassExposure:
        return ClassExposure(
            opened=refs(snapshot, self.opened),
            closed=refs(snapshot, self.closed),
            not_known=refs(snapshot, self.not_known),
        )


def openings(changed: Change) -> Mapping[AppClass, ClassExposure]:
    """For every class of apps, what users can consent to afterwards and could not before, and the reverse."""
    sets = changed.sets
    groups = grouped(changed.before, changed.after, listed_by(sets))
    found = {kind: _Found() for kind in AppClass}
    for asker in askers(changed.before, changed.after, changed.app, sets):
        lifted = changed.shield_falls and _may_look_risky(changed.after, asker)
        for group, scopes in groups.items():
            was, now = _answers(changed, asker, group, scopes[0].id, every=lifted)
            found[asker.kind].add(scopes, was, now)
            if lifted and was.truth is now.truth is Truth.TRUE:
                found[asker.kind].opened += (s for s in scopes if not s.is_basic)
    found[AppClass.NAMED].leave_out(found[AppClass.UNVERIFIED])
    return {kind: one.named(changed.after) for kind, one in found.items()}


def _answers(changed: Change, asker: Asker, group: Group, scope_id: str, *, every: bool) -> tuple[_Answer, _Answer]:
    """The answers on both sides; no twice, instead of the real ones, where they are the same (but for `every`)."""

    def said(policies: tuple[Assigned, ...] | NotRead, facts: Facts | None, client: Client) -> _Answer:
        return _NO if facts is None else _answer(policies, permission(facts, scope_id), client)

    same = asker.is_the_same and group.before == group.after
    if changed.both_known:
        gone = said(changed.gone, group.before, asker.before)
        new = said(changed.new, group.after, asker.after)
        if same and not every and gone.truth is new.truth is Truth.FALSE:
            return _NO, _NO
        kept = said(changed.kept, group.before, asker.before)
        still = kept if same else said(changed.kept, group.after, asker.after)
        was, now = _either(kept, gone), _either(still, new)
    else:
        was, now = said(changed.was, group.before, asker.before), said(changed.now, group.after, asker.after)
    return _and_usable(was, asker.usable_before), _and_usable(now, asker.usable_after)


def _answer(policies: tuple[Assigned, ...] | NotRead, subject: Permission, client: Client) -> _Answer:
    if isinstance(policies, NotRead):
        return _Answer(Truth.UNKNOWN, frozenset({"the user consent setting"}))
    found = approval(subject, client, policies)
    if found.truth is not Truth.UNKNOWN:
        return _YES if found.truth is Truth.TRUE else _NO
    return _Answer(Truth.UNKNOWN, frozenset(need.lower() for need in found.needs))


def _either(one: _Answer, other: _Answer) -> _Answer:
    """One approval is enough, so two sets of policies approve what either approves."""
    truth = any_of((one.truth, other.truth))
    return _Answer(truth, one.causes | other.causes if truth is Truth.UNKNOWN else frozenset())


def _and_usable(answer: _Answer, usable: Truth) -> _Answer:
    if usable is Truth.TRUE or answer.truth is Truth.FALSE:
        return answer
    if usable is Truth.FALSE:
        return _NO
    return _Answer(Truth.UNKNOWN, answer.causes | {"whether users can use the app"})


def _may_look_risky(snapshot: Snapshot, asker: Asker) -> bool:
    beyond = Permission(resource=MICROSOFT_GRAPH, resource_name="", value="beyond the basics", exists=Truth.TRUE)
    return looks_risky(snapshot, asker.app, asker.after, (beyond,)) is not Truth.FALSE
