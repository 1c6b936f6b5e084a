"""Assembling: outcomes of reads into the typed sections of a snapshot, its covers and its unread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from auditor.graph.fetch import Outcome
from auditor.graph.reads import Read
from auditor.model.resources import ConditionSet, PermissionGrantPolicy
from auditor.model.sections import SECTIONS, Sections
from auditor.model.snapshot import Snapshot, Unread
from auditor.snapshot.graph_json import section
from auditor.snapshot.snapshot_errors import ShapeError

T = TypeVar("T", ConditionSet, PermissionGrantPolicy)

_ORDER = {"": 0, "beta": 1, "memberOf": 1, "userConsentRequests": 1}
"""Additions come after what they are added to."""

_BETA_CONDITIONS = ("certifiedClientApplicationsOnly", "scopeSensitivityLabels")
_BETA_PROPERTIES = ("includeAllPreApprovedApplications", "resourceScopeType")


class Assembly:
    """A snapshot in the making: starts from nothing, or from an earlier snapshot that is added to."""

    def __init__(self, onto: Snapshot | None = None) -> None:
        sections = onto.sections if onto else Sections()
        self._sections: dict[str, Any] = {
            name: value for name in Sections.__struct_fields__ if (value := getattr(sections, name)) is not None
        }
        self._covers: dict[str, tuple[str, ...]] = dict(onto.covers) if onto else {}
        self._unread: dict[str, Unread] = dict(onto.unread) if onto else {}

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Put every outcome where it belongs. What came in a wrong shape is unread; everything else stays."""
        outcomes = sorted(outcomes, key=lambda outcome: _ORDER[outcome.read.aspect])
        absent = {o.read.part.lower() for o in outcomes if o.absent and o.read.section == "servicePrincipals"}
        failed: dict[str, Unread] = {}
        for outcome in outcomes:
            read = outcome.read
            try:
                if outcome.absent and read.part.lower() in absent:
                    self._take_absent(read)
                elif outcome.unread is None:
                    self._take(read, outcome.value)
                else:
                    failed.setdefault(read.name, outcome.unread)
                    continue
            except ShapeError as error:
                failed.setdefault(read.name, Unread(message=str(error)))
                continue
            self._forgive(read)
        self._unread |= failed

    def finish(self) -> tuple[Sections, dict[str, tuple[str, ...]], dict[str, Unread]]:
        """Sections, covers and unread as they now are; the latter in the order of their names."""
        return (
            Sections(**self._sections),
            dict(sorted(self._covers.items())),
            dict(sorted(self._unread.items())),
        )

    def _take_absent(self, read: Read) -> None:
        """There is no such service principal; and then nothing hangs on it: an empty list is the answer."""
        if read.section == "servicePrincipals":
            absent = section("absentServicePrincipals", [read.part])
            self._sections["absentServicePrincipals"] = _joined(
                "absentServicePrincipals", self._sections.get("absentServicePrincipals", ()), absent
            )
            self._put(read, ())
        else:
            self._take(read, [])

    def _take(self, read: Read, raw: Any) -> None:
        match read.aspect:
            case "beta":
                self._overlay_policy(section(read.section, [raw])[0])
            case "memberOf":
                (user,) = section("users", [{"id": read.part, "memberOf": raw}])
                self._extend("users", read.part, memberOf=user.memberOf)
            case "userConsentRequests":
                (request,) = section("appConsentRequests", [{"appId": read.part, "userConsentRequests": raw}])
                self._extend("appConsentRequests", read.part, userConsentRequests=request.userConsentRequests)
            case _:
                self._put(read, _typed(read, raw))

    def _put(self, read: Read, value: Any) -> None:
        """Add `value` to its section, and note how far the section now reaches."""
        name = read.section
        before = self._sections.get(name)
        complete = before is not None and name not in self._covers
        if isinstance(value, tuple):
            if read.covers or read.whole:
                value = _joined(name, before or (), value, drop=read.whole)
        elif isinstance(value, dict):
            self._sections[name] = {**(before or {}), **value}
            return
        self._sections[name] = value
        if not read.covers:
            self._covers.pop(name, None)
        elif not complete:
            self._covers[name] = tuple(dict.fromkeys((*self._covers.get(name, ()), *read.covers)))

    def _extend(self, name: str, part: str, **properties: Any) -> None:
        """Add to the row that `part` names, where that row was read."""
        self._sections[name] = tuple(
            msgspec.structs.replace(row, **properties) if part.lower() in _names(row) else row
            for row in self._sections.get(name, ())
        )

    def _overlay_policy(self, beta: PermissionGrantPolicy) -> None:
        """Add what only beta tells of a consent policy to the policy that v1.0 told of."""
        policies = self._sections.get("permissionGrantPolicies", ())
        if beta.id not in {policy.id for policy in policies}:
            raise ShapeError("permissionGrantPolicies", f"v1.0 lists no policy {beta.id}, which beta knows")
        self._sections["permissionGrantPolicies"] = tuple(
            _overlaid(policy, beta) if policy.id == beta.id else policy for policy in policies
        )

    def _forgive(self, read: Read) -> None:
        """What was read now is not unread any more; a whole section takes its parts along."""
        self._unread.pop(read.name, None)
        if read.whole:
            for name in [name for name in self._unread if name.startswith(f"{read.section}/")]:
                del self._unread[name]


def _typed(read: Read, raw: Any) -> Any:
    """The value of one read, as its section holds it."""
    row = SECTIONS[read.section]
    if row.only_by_app:
        return section(read.section, {read.part: raw})
    return section(read.section, [raw] if row.merges_rows and not read.is_list else raw)


def _joined(name: str, known: Iterable[Any], new: Iterable[Any], *, drop: bool = False) -> tuple[Any, ...]:
    """Rows of both, the newer ones winning; `drop` leaves out what only the older has."""
    row = SECTIONS[name]
    earlier = {row.key(one): one for one in known}
    later = {row.key(one): one for one in new}
    if row.merges_rows:
        later = {at: _completed(earlier[at], one) if at in earlier else one for at, one in later.items()}
    return tuple(later.values()) if drop else tuple((earlier | later).values())


def _completed(old: Any, new: Any) -> Any:
    """`new`, with what it leaves unsaid taken from `old`."""
    unsaid = {
        field.name: getattr(old, field.name)
        for field in msgspec.structs.fields(new)
        if not field.required and getattr(new, field.name) == field.default
    }
    return msgspec.structs.replace(new, **unsaid)


def _names(row: Any) -> set[str]:
    return {str(name).lower() for name in (row.id, getattr(row, "userPrincipalName", None)) if name}


def _overlaid(policy: PermissionGrantPolicy, beta: PermissionGrantPolicy) -> PermissionGrantPolicy:
    sets = {one.id: one for one in (*(beta.includes or ()), *(beta.excludes or ())) if one.id}

    def told(conditions: tuple[ConditionSet, ...] | None) -> tuple[ConditionSet, ...] | None:
        return (
            None
            if conditions is None
            else tuple(_with(one, sets.get(one.id or ""), _BETA_CONDITIONS) for one in conditions)
        )

    policy = msgspec.structs.replace(policy, includes=told(policy.includes), excludes=told(policy.excludes))
    return _with(policy, beta, _BETA_PROPERTIES)


def _with(known: T, more: T | None, names: Iterable[str]) -> T:
    """`known` with those properties of `more` that `more` has."""
    found = {name: getattr(more, name, None) for name in names}
    return msgspec.structs.replace(known, **{name: value for name, value in found.items() if value is not None})
