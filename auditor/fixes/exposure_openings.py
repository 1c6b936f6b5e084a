"""Which scopes open and close for each class of apps: the consent decisions before and after, compared.

A resource has hundreds of scopes, but policies distinguish only a handful of kinds of them. Scopes that no condition
of any policy can distinguish are therefore decided together. Only what the change can affect is decided: if neither the
scope nor the app changed and the added and removed policies don't approve it, the answer is the same on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from auditor.consent import Truth, any_of
from auditor.consent.conditions import Restrictions
from auditor.consent.decision_facts import looks_risky, step_up
from auditor.consent.policies import GoverningPolicy, approval, governing
from auditor.consent.requested_access import Client, Permission, users_may_consent
from auditor.consent.snapshot_index import NotRead, index_of, kept
from auditor.facts.ids import BASIC_SCOPES, MAILBOX_RESOURCES, MICROSOFT_GRAPH
from auditor.facts.permissions import known_scopes
from auditor.fixes.exposure_classes import AppClass, RequestingApp, ScopeRef, requesting_apps, scope_weight
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot


class ClassExposure(msgspec.Struct, frozen=True, kw_only=True):
    """What changes for one class of apps.

    `opened`: users can consent afterwards; before, they could not or it was not known. `closed`: users could consent
    before and can't afterwards. `not_known`: possibly opened, depending on data that was not read.
    """

    opened: tuple[ScopeRef, ...] = ()
    closed: tuple[ScopeRef, ...] = ()
    not_known: tuple[ScopeRef, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.opened or self.closed or self.not_known)

    @property
    def weight(self) -> int:
        """The sum of the weights of all scopes that open or may open."""
        return sum(scope_weight(ref.scope) for ref in (*self.opened, *self.not_known))


class GovernanceChange(msgspec.Struct, frozen=True, kw_only=True):
    """The policies that govern ordinary users before and after a change, and the state of risk-based step-up.

    `was` and `now` are the policies of each side; `kept` are on both sides, `gone` and `new` on one side only.
    `step_up_on` is true if step-up is on afterwards, `step_up_turned_off` if it is certainly off and was not before.
    """

    before: Snapshot
    after: Snapshot
    app: App
    was: tuple[GoverningPolicy, ...] | NotRead
    now: tuple[GoverningPolicy, ...] | NotRead
    kept: tuple[GoverningPolicy, ...]
    gone: tuple[GoverningPolicy, ...]
    new: tuple[GoverningPolicy, ...]
    step_up_on: bool
    step_up_turned_off: bool

    @property
    def policies_differ(self) -> bool:
        """Whether the governing policies or their contents differ."""
        return bool(self.gone or self.new) or isinstance(self.was, NotRead) != isinstance(self.now, NotRead)

    @property
    def both_known(self) -> bool:
        """Whether the governing policies of both sides are known."""
        return not isinstance(self.was, NotRead) and not isinstance(self.now, NotRead)

    @property
    def policies(self) -> tuple[GoverningPolicy, ...]:
        """Every policy of both sides."""
        return (*_known(self.was), *self.new)

    @property
    def sets(self) -> tuple[Restrictions, ...]:
        """Every condition set of these policies."""
        return tuple(restrictions for policy in self.policies for restrictions in (*policy.includes, *policy.excludes))


def compare(before: Snapshot, after: Snapshot, app: App) -> GovernanceChange:
    """The differences between the two snapshots that consent depends on."""
    was, now = governing(before), governing(after)
    step_before, step_after = step_up(before).truth, step_up(after).truth
    return GovernanceChange(
        before=before,
        after=after,
        app=app,
        was=was,
        now=now,
        kept=tuple(a for a in _known(was) if a in _known(now)),
        gone=tuple(a for a in _known(was) if a not in _known(now)),
        new=tuple(a for a in _known(now) if a not in _known(was)),
        step_up_on=step_after is Truth.TRUE,
        step_up_turned_off=step_after is Truth.FALSE and step_before is not Truth.FALSE,
    )


def _known(policies: tuple[GoverningPolicy, ...] | NotRead) -> tuple[GoverningPolicy, ...]:
    return () if isinstance(policies, NotRead) else policies


class _Answer(msgspec.Struct, frozen=True):
    """Whether users can consent; `causes` are the missing facts that make an answer unknown."""

    truth: Truth
    causes: frozenset[str] = frozenset()


_YES, _NO = _Answer(Truth.TRUE), _Answer(Truth.FALSE)


class _Found:
    """The scopes found so far for one class of apps."""

    def __init__(self) -> None:
        self.opened: list[PublishedScope] = []
        self.closed: list[PublishedScope] = []
        self.not_known: list[PublishedScope] = []

    def add(self, scopes: list[PublishedScope], was: _Answer, now: _Answer) -> None:
        if now.truth is Truth.TRUE and was.truth is not Truth.TRUE:
            self.opened += scopes
        elif now.truth is Truth.FALSE and was.truth is Truth.TRUE:
            self.closed += scopes
        elif now.truth is Truth.UNKNOWN and was.truth is not Truth.TRUE and not now.causes <= was.causes:
            # Unknown on both sides is a change only if it depends on a new missing fact.
            self.not_known += scopes

    def leave_out(self, other: _Found) -> None:
        """Remove scopes that are the same for every app of another class."""
        for mine, theirs in zip(self._all, other._all, strict=True):
            mine[:] = set(mine) - set(theirs)

    @property
    def _all(self) -> tuple[list[PublishedScope], list[PublishedScope], list[PublishedScope]]:
        return self.opened, self.closed, self.not_known

    def named(self, snapshot: Snapshot) -> ClassExposure:
        return ClassExposure(
            opened=_refs(snapshot, self.opened),
            closed=_refs(snapshot, self.closed),
            not_known=_refs(snapshot, self.not_known),
        )


def openings(compared: GovernanceChange) -> Mapping[AppClass, ClassExposure]:
    """For each class of apps, what users can consent to afterwards but not before, and the reverse."""
    sets = compared.sets
    groups = _grouped(compared.before, compared.after, _listed_by(sets))
    found = {kind: _Found() for kind in AppClass}
    for requesting in requesting_apps(compared.before, compared.after, compared.app, sets):
        lifted = compared.step_up_turned_off and _may_look_risky(compared.after, requesting)
        for group, scopes in groups.items():
            was, now = _answers(compared, requesting, group, scopes[0].id, every=lifted)
            found[requesting.kind].add(scopes, was, now)
            if lifted and was.truth is now.truth is Truth.TRUE:
                found[requesting.kind].opened += (s for s in scopes if not s.is_basic)
    found[AppClass.NAMED].leave_out(found[AppClass.UNVERIFIED])
    return {kind: one.named(compared.after) for kind, one in found.items()}


def _answers(
    compared: GovernanceChange, requesting: RequestingApp, group: _Group, scope_id: str, *, every: bool
) -> tuple[_Answer, _Answer]:
    """The answers on both sides. If they can't differ, both are "no" without a decision, unless `every` is set."""

    def said(policies: tuple[GoverningPolicy, ...] | NotRead, facts: _Facts | None, client: Client) -> _Answer:
        return _NO if facts is None else _answer(policies, _permission(facts, scope_id), client)

    same = requesting.is_unchanged and group.before == group.after
    if compared.both_known:
        gone = said(compared.gone, group.before, requesting.before)
        new = said(compared.new, group.after, requesting.after)
        if same and not every and gone.truth is new.truth is Truth.FALSE:
            return _NO, _NO
        kept = said(compared.kept, group.before, requesting.before)
        still = kept if same else said(compared.kept, group.after, requesting.after)
        was, now = _either(kept, gone), _either(still, new)
    else:
        was = said(compared.was, group.before, requesting.before)
        now = said(compared.now, group.after, requesting.after)
    return _and_usable(was, requesting.usable_before), _and_usable(now, requesting.usable_after)


def _answer(policies: tuple[GoverningPolicy, ...] | NotRead, subject: Permission, client: Client) -> _Answer:
    if isinstance(policies, NotRead):
        return _Answer(Truth.UNKNOWN, frozenset({"the user consent setting"}))
    found = approval(subject, client, policies)
    if found.truth is not Truth.UNKNOWN:
        return _YES if found.truth is Truth.TRUE else _NO
    return _Answer(Truth.UNKNOWN, frozenset(need.lower() for need in found.needs))


def _either(one: _Answer, other: _Answer) -> _Answer:
    """What either of two sets of policies approves: one approval is enough."""
    truth = any_of((one.truth, other.truth))
    return _Answer(truth, one.causes | other.causes if truth is Truth.UNKNOWN else frozenset())


def _and_usable(answer: _Answer, usable: Truth) -> _Answer:
    if usable is Truth.TRUE or answer.truth is Truth.FALSE:
        return answer
    if usable is Truth.FALSE:
        return _NO
    return _Answer(Truth.UNKNOWN, answer.causes | {"whether users can use the app"})


def _may_look_risky(snapshot: Snapshot, requesting: RequestingApp) -> bool:
    beyond = Permission(resource=MICROSOFT_GRAPH, resource_name="", value="beyond the basics", exists=Truth.TRUE)
    return looks_risky(snapshot.tenant.id, requesting.app, requesting.after, (beyond,)) is not Truth.FALSE


class PublishedScope(NamedTuple):
    """An enabled scope of a resource. `user_type` says whether users may consent to a scope of its type."""

    resource: str
    value: str
    id: str
    user_type: Truth

    @property
    def is_basic(self) -> bool:
        """Whether it only lets the user sign in and the app read the user's own profile."""
        return self.resource == MICROSOFT_GRAPH and self.value.lower() in BASIC_SCOPES


_Scopes = Mapping[tuple[str, str], PublishedScope]
"""Scopes by resource and name, both in lower case."""
_Listed = Mapping[str, tuple[int, ...]]
"""For each permission id that condition sets list, the numbers of these sets."""


class _Facts(NamedTuple):
    """Every property of a scope that a condition set can test, except its id."""

    resource: str
    user_type: Truth
    classification: str | NotRead


class _Group(NamedTuple):
    """Scopes that have the same properties on each side and that the same condition sets list."""

    before: _Facts | None
    after: _Facts | None
    listed: tuple[int, ...]


def resources_from_table(snapshot: Snapshot) -> tuple[str, ...]:
    """The well-known resources whose scopes were not read, so that the published table is used instead."""
    index = index_of(snapshot)
    return tuple(resource for resource in MAILBOX_RESOURCES if isinstance(index.published_scopes(resource), NotRead))


@kept
def published_scopes(snapshot: Snapshot) -> _Scopes:
    """Every enabled scope of every resource in the tenant."""
    found: dict[tuple[str, str], PublishedScope] = {}
    for principal in snapshot.sections.servicePrincipals or ():
        resource = principal.appId.lower()
        for scope in principal.oauth2PermissionScopes or ():
            if scope.isEnabled is not False and scope.value:
                found[resource, scope.value.lower()] = PublishedScope(
                    resource, scope.value, scope.id.lower(), users_may_consent(scope.type)
                )
    for resource in resources_from_table(snapshot):
        for name, published in known_scopes(resource).items():
            if published.enabled:
                found[resource, name] = PublishedScope(
                    resource, published.value, published.id, users_may_consent(published.type)
                )
    return found


def _same_scopes(before: Snapshot, after: Snapshot) -> bool:
    """Whether both certainly have the same scopes, because they contain the same objects."""
    return (
        before.sections.servicePrincipals is after.sections.servicePrincipals
        and before.sections.absentServicePrincipals is after.sections.absentServicePrincipals
        and before.covers.get("servicePrincipals") == after.covers.get("servicePrincipals")
    )


def _listed_by(sets: Iterable[Restrictions]) -> _Listed:
    """The sets that list each permission id."""
    found: dict[str, tuple[int, ...]] = {}
    for number, conditions in enumerate(sets):
        for permission_id in conditions.permissions:
            found[permission_id] = (*found.get(permission_id, ()), number)
    return found


def _grouped(before: Snapshot, after: Snapshot, listed: _Listed) -> dict[_Group, list[PublishedScope]]:
    """The scopes of both snapshots, by group."""
    there = published_scopes(before)
    then = there if _same_scopes(before, after) else published_scopes(after)
    was, now = _Classified(before), _Classified(after)
    groups: dict[_Group, list[PublishedScope]] = {}
    for key in there if then is there else {**there, **then}:
        old, new = there.get(key), then.get(key)
        scope = new or old
        assert scope is not None
        group = _Group(was.facts(old), now.facts(new), listed.get(scope.id, ()))
        groups.setdefault(group, []).append(scope)
    return groups


class _Classified:
    """The classifications in one snapshot, looked up once for each resource."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._index = index_of(snapshot)

    def facts(self, scope: PublishedScope | None) -> _Facts | None:
        if scope is None:
            return None
        level = self._index.classification(scope.resource, scope.id)
        return _Facts(scope.resource, scope.user_type, level)


def _permission(facts: _Facts, scope_id: str) -> Permission:
    """One permission of a group, without its name, because no answer may depend on the name."""
    return Permission(
        resource=facts.resource,
        resource_name=facts.resource,
        value="a scope",
        exists=Truth.TRUE,
        id=scope_id,
        user_type=facts.user_type,
        classification=facts.classification,
    )


def _refs(snapshot: Snapshot, scopes: Iterable[PublishedScope]) -> tuple[ScopeRef, ...]:
    """The scopes as a report names them, once each, sorted by resource and name."""
    each = {(scope.resource, scope.value.lower()): scope for scope in scopes}
    index = index_of(snapshot)
    names = {resource: index.resource_name(resource) for resource, _ in each}
    return tuple(ScopeRef(each[key].resource, each[key].value, names[key[0]]) for key in sorted(each))
