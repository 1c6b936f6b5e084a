"""An exposure in one or two plain sentences, counted by what an attacker would get."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from auditor.consent.explanation import listed
from auditor.facts.ids import BASIC_SCOPES, RESOURCE_NAMES
from auditor.fixes.exposure.classes import verifies_publishers
from auditor.fixes.exposure.opening import Change
from auditor.fixes.exposure.result import AppClass, ClassExposure, ScopeRef, Use, by_kind
from auditor.fixes.exposure.scopes import from_table

_FOR = {
    AppClass.UNVERIFIED: "every app of an unverified publisher",
    AppClass.VERIFIED: "every app of a verified publisher",
    AppClass.OWN: "every app registered in this tenant",
    AppClass.NAMED: "other apps that a policy names",
}
_SHORT = {
    AppClass.UNVERIFIED: "unverified apps",
    AppClass.VERIFIED: "apps of verified publishers",
    AppClass.OWN: "apps of this tenant",
}


_Refs = tuple[ScopeRef, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the summary is made from."""

    change: Change
    classes: Mapping[AppClass, ClassExposure]
    use: Use

    @property
    def others(self) -> dict[AppClass, ClassExposure]:
        """The classes of apps but this one."""
        return {kind: self.classes[kind] for kind in _FOR}

    @property
    def generic(self) -> dict[AppClass, ClassExposure]:
        """The classes that every app belongs to one of, in this cloud."""
        verified = verifies_publishers(self.change.after)
        return {kind: self.classes[kind] for kind in _SHORT if verified or kind is not AppClass.VERIFIED}


def summary(told: Told) -> str:
    """What opens for other apps, then for this one; said also where it is nothing."""
    return " ".join((*_other_apps(told), *_this_app(told)))


def _other_apps(told: Told) -> Iterator[str]:
    audiences = _audiences(told, lambda one: one.opened)
    if not audiences and not any(one.not_known for one in told.others.values()):
        yield "Nothing for other apps."
    if audiences:
        (who, first), *rest = audiences
        clauses = [f"Users could then consent to {_more(first)} for {who}: {_kinds(first)}"]
        clauses += [f"{_more(refs)} for {also}: {_kinds(refs)}" for also, refs in rest]
        spared = [_SHORT[kind] for kind, one in told.generic.items() if not one.opened and not one.not_known]
        clauses += [f"nothing more for {listed(spared, 'or')}"] if spared else []
        yield "; ".join(clauses) + "."
    for who, refs in _audiences(told, lambda one: one.not_known):
        yield f"Whether {_more(refs)} {_open(refs)} for {who} is not known: {_kinds(refs)}."
    if closed := _audiences(told, lambda one: one.closed):
        lost = "; or to ".join(f"{_scopes(refs)} for {who}" for who, refs in closed)
        yield f"Users could no longer consent to {lost}."
    yield from _step_up(told)


def _step_up(told: Told) -> Iterator[str]:
    if told.change.shield_falls:
        yield "Risk-based step-up consent would no longer stand between users and unverified apps."
    elif told.change.shield_stands and any(
        ref.scope.lower() not in BASIC_SCOPES for ref in told.classes[AppClass.UNVERIFIED].opened
    ):
        yield "Risk-based step-up consent would likely still ask for an administrator where an app is unverified."


def _audiences(told: Told, part: Callable[[ClassExposure], _Refs]) -> list[tuple[str, _Refs]]:
    """Who gets which scopes, those who get the same ones together, the most scopes first."""
    same: dict[_Refs, list[AppClass]] = {}
    for kind, one in told.others.items():
        if refs := part(one):
            same.setdefault(refs, []).append(kind)
    each = [(_who(told, kinds), refs) for refs, kinds in same.items()]
    return sorted(each, key=lambda pair: -len(pair[1]))


def _who(told: Told, kinds: list[AppClass]) -> str:
    if set(told.generic) <= set(kinds):
        return "any app"
    return listed(_FOR[kind] for kind in kinds)


def _this_app(told: Told) -> Iterator[str]:
    app, used = told.change.app.label, told.use
    everybody = "Every user who is assigned to it" if used.restricted else "Every user of the tenant"
    if used.granted:
        yield f"{everybody} could use {app} with {_more(used.granted)}: {_kinds(used.granted)}."
    before = f" with {_scopes(used.reached)} granted before: {_kinds(used.reached)}" if used.reached else ""
    if used.opened_to_all:
        yield f"Every user of the tenant could use {app}, not only those assigned to it{',' if before else ''}{before}."
    elif used.switched_on:
        yield f"{everybody} could use {app} again{before}."
    if used.users:
        yield f"{_count(used.users, 'user')} could use {app} with more scopes of their own."
    if used.assigned:
        yield f"{_count(used.assigned, 'more user or group', 'more users or groups')} could use {app}."
    yield from _consent_to_this_app(told)


def _consent_to_this_app(told: Told) -> Iterator[str]:
    app, this = told.change.app.label, told.classes[AppClass.THIS]
    generic = told.generic.values()
    alone = _without(this.opened, *(one.opened for one in generic))
    if alone and (told.use.switched_on or told.use.opened_to_all):
        yield f"The tenant's policies then let users consent to {_scopes(alone)} for it."
    elif alone:
        yield f"Users could consent to {_more(alone)} for {app} alone: {_kinds(alone)}."
    if unknown := _without(this.not_known, *(one.not_known for one in generic)):
        yield f"Whether {_more(unknown)} {_open(unknown)} for {app} is not known."
    if closed := _without(this.closed, *(one.closed for one in generic)):
        yield f"Users could no longer consent to {_scopes(closed)} for {app}."


def _without(refs: _Refs, *others: _Refs) -> _Refs:
    told = {ref for other in others for ref in other}
    return tuple(ref for ref in refs if ref not in told)


def notes(told: Told) -> tuple[str, ...]:
    """What the counts rest on where the tenant itself did not say."""
    return tuple(_notes(told))


def _notes(told: Told) -> Iterator[str]:
    after = told.change.after
    touched = {ref.resource for one in told.classes.values() for ref in (*one.opened, *one.closed, *one.not_known)}
    for resource in from_table(after):
        if resource in touched:
            yield f"The scopes of {RESOURCE_NAMES[resource]} were not read; the published list stands in."
    wide = any(one.opened or one.not_known for one in told.others.values())
    if wide and (after.sections.servicePrincipals is None or "servicePrincipals" in after.covers):
        yield "The scopes of other resources were not read and are not counted."
    if touched and any(policy.documented for policy in told.change.policies):
        yield "Microsoft's documented text stands in for consent policies that were not read."


def _kinds(refs: _Refs) -> str:
    return ", ".join(f"{kind} ({count})" for kind, count in by_kind(refs).items())


def _more(refs: _Refs) -> str:
    return _count(len(refs), "more scope")


def _scopes(refs: _Refs) -> str:
    return _count(len(refs), "scope")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _open(refs: _Refs) -> str:
    return "opens" if len(refs) == 1 else "open"
