"""Changes of consent policies: new and deleted ones, and another content under the same id, by condition set.

Microsoft changes the content of its managed policies without a new id, so that a comparison of ids sees nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from auditor.compare.both_reads import BothReads
from auditor.compare.found_change import FoundChange, Move, change_of, with_section, with_transition
from auditor.consent.conditions import Restrictions, restrictions_of
from auditor.consent.explanation import policy_name
from auditor.consent.snapshot_index import NotRead
from auditor.facts.permissions import known_scope_ids
from auditor.model.difference import ChangeKind
from auditor.model.document import first_of, series
from auditor.model.resources import ConditionSet, PermissionGrantPolicy
from auditor.model.snapshot import Snapshot

_SECTION = "permissionGrantPolicies"
_NAMED = 8
"""How many permissions and how many condition sets a sentence names."""
_KINDS = ("includes", "excludes")


def policy_changes(both: BothReads) -> Iterator[FoundChange]:
    """The changes of every consent policy that both reads have."""
    pair = both.values(_SECTION)
    if pair is None:
        return
    before, after = (_by_id(policies) for policies in pair)
    for policy_id in dict.fromkeys((*before, *after)):
        if not both.covers(_SECTION, policy_id):
            continue
        old, new = before.get(policy_id), after.get(policy_id)
        move = _move_policy(policy_id)
        if old is None or new is None:
            yield from _one_sided(both, policy_id, old, new, move)
        elif old != new:
            yield from _contents(both, old, new, move)


def _one_sided(
    both: BothReads, policy_id: str, old: PermissionGrantPolicy | None, new: PermissionGrantPolicy | None, move: Move
) -> Iterator[FoundChange]:
    lacking = both.before if old is None else both.after
    if isinstance(why := lacking.grant_policy(policy_id), NotRead):
        both.note(_SECTION, why.why)
        return
    what = f"The consent policy {policy_id}"
    if found := change_of(ChangeKind.POLICY, f"policy/{policy_id}", what, _plain(old), _plain(new)):
        means = f"The tenant {'has a new' if old is None else 'no longer has the'} consent policy {policy_id}."
        yield FoundChange(with_transition(msgspec.structs.replace(found, means=means)), move)


def _contents(
    both: BothReads, old: PermissionGrantPolicy, new: PermissionGrantPolicy, move: Move
) -> Iterator[FoundChange]:
    key = f"policy/{new.id.lower()}"
    missing = [f"the {kind} of policy {new.id} were not read" for kind in _KINDS if None in _pair(old, new, kind)]
    for why in missing:
        both.note(_SECTION, why)
    if missing:
        return
    with_beta = not any(one.certifiedClientApplicationsOnly is None for policy in (old, new) for one in _sets(policy))
    differing = {kind: _compared(*_pair(old, new, kind), with_beta) for kind in _KINDS}
    scope = _beta_property_changes(old, new)
    what = f"The content of the consent policy {new.id}"
    if any(differing.values()) or scope:
        sides = [
            {kind: [each[n] for each in sets if each[n]] for kind, sets in differing.items() if sets} for n in (0, 1)
        ]
        values = [{**side, **{name: pair[n] for name, pair in scope.items()}} for n, side in enumerate(sides)]
        found = change_of(ChangeKind.POLICY, key, what, *values)
        if found:
            sentences = [_said(kind, one) for kind, sets in differing.items() for one in sets]
            subject = policy_name(new.id)
            means = f"{subject[0].upper()}{subject[1:]} {_joined(sentences)}." if sentences else ""
            yield FoundChange(msgspec.structs.replace(found, means=means), move)
        return
    plain = _plain(old), _plain(new)
    changed = [name for name in plain[0] if plain[0][name] != plain[1].get(name)]
    changed += [name for name in plain[1] if name not in plain[0]]
    values = [{name: side.get(name) for name in changed} for side in plain]
    if found := change_of(ChangeKind.POLICY, key, f"{what}: its order, spelling, names or ids", *values, minor=True):
        yield FoundChange(found)


class _SetPair(NamedTuple):
    """A condition set before and after; none where there was none."""

    old: ConditionSet | None
    new: ConditionSet | None


def _compared(old: tuple[ConditionSet, ...], new: tuple[ConditionSet, ...], with_beta: bool) -> tuple[_SetPair, ...]:
    """The condition sets that differ: those with the same id together, the others alone."""
    left, right = list(old), list(new)
    for one in old:
        twin = next((other for other in right if _content(one, with_beta) == _content(other, with_beta)), None)
        if twin is not None:
            left.remove(one)
            right.remove(twin)
    found = []
    for one in left:
        same = next((other for other in right if one.id and (other.id or "").lower() == one.id.lower()), None)
        if same is not None:
            right.remove(same)
        found.append(_SetPair(one, same))
    return (*found, *(_SetPair(None, other) for other in right))


def _content(conditions: ConditionSet, with_beta: bool) -> Restrictions:
    """What a set restricts, without its id and, unless both reads have them, without what only beta shows."""
    plain = {} if with_beta else {"certifiedClientApplicationsOnly": None, "scopeSensitivityLabels": None}
    return restrictions_of(msgspec.structs.replace(conditions, id=None, **plain))


def _said(kind: str, pair: _SetPair) -> str:
    """A clause on what a condition set does now, or no longer does."""
    verb = "approves" if kind == "includes" else "excludes"
    old, new = pair
    if old is None or new is None:
        one = old or new or ConditionSet()
        how = f"now also {verb}" if old is None else f"no longer {verb}"
        return f"{how} {_describe(restrictions_of(one))}{_set_name(one)}"
    before, after = restrictions_of(old), restrictions_of(new)
    parts = []
    if before.permissions and after.permissions:
        if more := after.permissions - before.permissions:
            parts.append(f"now also {verb} {_permissions(more)}")
        if fewer := before.permissions - after.permissions:
            parts.append(f"no longer {verb} {_permissions(fewer)}")
    if not parts or msgspec.structs.replace(before, permissions=after.permissions) != after:
        now, earlier = _describe(after), _describe(before)
        # The lists of apps, of their tenants and of publishers are only named, so that both can read the same.
        how = f"{now}, with other conditions" if now == earlier else f"{now} instead of {earlier}"
        parts.append(f"{verb} {how}")
    return f"{series(parts)}{_set_name(new)}"


def _set_name(conditions: ConditionSet) -> str:
    return f" (condition set {conditions.id})" if conditions.id else ""


def _describe(r: Restrictions) -> str:
    """The permissions and apps that a set is about."""
    listed = f"{_permissions(r.permissions)}" if r.permissions else "every permission"
    kind = " that publishers leave to users" if r.permission_type == "delegateduserconsentable" else ""
    classified = f" classified {r.classification}" if r.classification else ""
    apps = []
    if r.clients:
        apps.append(f"{len(r.clients)} listed {'app' if len(r.clients) == 1 else 'apps'}")
    if r.client_tenants:
        apps.append("apps of listed tenants")
    if r.publishers:
        apps.append("apps of listed publishers")
    if r.verified_only:
        apps.append("apps of verified publishers")
    return f"{listed}{kind}{classified}{f' for {series(apps)}' if apps else ''}"


def _permissions(ids: Iterable[str]) -> str:
    known = known_scope_ids()
    names = sorted({known[one][1].value if one in known else one for one in ids}, key=str.lower)
    return series(first_of(names, _NAMED, "more permissions"))


def _joined(sentences: list[str]) -> str:
    return "; ".join(first_of(sentences, _NAMED, "more condition sets differ"))


def _beta_property_changes(old: PermissionGrantPolicy, new: PermissionGrantPolicy) -> dict[str, tuple[Any, Any]]:
    """The properties that only beta shows, where both reads have them."""
    found = {}
    for name in ("includeAllPreApprovedApplications", "resourceScopeType"):
        pair = getattr(old, name), getattr(new, name)
        if None not in pair and str(pair[0]).lower() != str(pair[1]).lower():
            found[name] = pair
    return found


def _pair(old: PermissionGrantPolicy, new: PermissionGrantPolicy, kind: str) -> tuple[Any, Any]:
    return getattr(old, kind), getattr(new, kind)


def _sets(policy: PermissionGrantPolicy) -> tuple[ConditionSet, ...]:
    return (*(policy.includes or ()), *(policy.excludes or ()))


def _plain(policy: PermissionGrantPolicy | None) -> Any:
    return None if policy is None else msgspec.to_builtins(policy)


def _by_id(policies: tuple[PermissionGrantPolicy, ...]) -> dict[str, PermissionGrantPolicy]:
    found: dict[str, PermissionGrantPolicy] = {}
    for policy in policies:
        if policy.id:
            found.setdefault(policy.id.lower(), policy)
    return found


def _move_policy(policy_id: str) -> Move:
    def move(to: Snapshot, donor: Snapshot) -> Snapshot:
        kept = tuple(one for one in to.sections.permissionGrantPolicies or () if one.id.lower() != policy_id)
        given = tuple(one for one in donor.sections.permissionGrantPolicies or () if one.id.lower() == policy_id)
        return with_section(to, _SECTION, (*kept, *given))

    return move
