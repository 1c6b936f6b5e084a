"""Build the typed sections of a snapshot from the results of reads, with what they cover and what is unread."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec

from auditor.facts.ids import RESOURCE_NAMES
from auditor.graph.fetch import ReadResult
from auditor.graph.reads import BLUEPRINT_OF_AGENT, Read
from auditor.model.resources import BETA_CONDITION, ConditionSet, PermissionGrantPolicy, merged_row
from auditor.model.sections import SECTIONS, Sections
from auditor.model.snapshot import Snapshot, Unread
from auditor.model.unread_messages import BETA_LACKS_SET, BETA_ONLY_POLICY
from auditor.snapshot import ShapeError
from auditor.snapshot.graph_json import decode_section

T = TypeVar("T", ConditionSet, PermissionGrantPolicy)

_ORDER = {"": 0, "beta": 1, "memberOf": 1, "userConsentRequests": 1, "agentIdentity": 1, "inheritablePermissions": 1}
"""Reads that extend a row come after the read of the row."""
_OF_AGENTS = ("agentIdentity", "inheritablePermissions")
"""Reads without which a service principal is still whole, so that a failure leaves only their property unknown."""

_BETA_CONDITIONS = (BETA_CONDITION, "scopeSensitivityLabels")
_BETA_PROPERTIES = ("includeAllPreApprovedApplications", "resourceScopeType")


class SnapshotBuilder:
    """Collects results, starting empty or from an earlier snapshot."""

    def __init__(self, onto: Snapshot | None = None) -> None:
        sections = onto.sections if onto else Sections()
        self._sections: dict[str, Any] = {
            name: value for name in Sections.__struct_fields__ if (value := getattr(sections, name)) is not None
        }
        self._covers: dict[str, tuple[str, ...]] = dict(onto.covers) if onto else {}
        self._unread: dict[str, Unread] = dict(onto.unread) if onto else {}

    def add(self, results: Iterable[ReadResult]) -> None:
        """Add every result to its section. A result that does not have Graph's documented form is unread."""
        results = sorted(results, key=lambda result: _ORDER[result.read.aspect])
        absent = {r.read.part.lower() for r in results if r.absent and r.read.section == "servicePrincipals"}
        failed: dict[str, Unread] = {}
        for result in results:
            read = result.read
            try:
                if result.absent and read.part.lower() in absent:
                    self._add_absent(read)
                elif result.unread is None:
                    self._add_value(read, result.value)
                else:
                    _note(failed, read, result.unread)
                    continue
            except ShapeError as error:
                _note(failed, read, Unread(message=str(error)))
                continue
            self._mark_read(read)
        self._unread |= failed

    def build(self) -> tuple[Sections, dict[str, tuple[str, ...]], dict[str, Unread]]:
        """Sections, covers and unread, the latter two in the order of their names."""
        return (
            Sections(**self._sections),
            dict(sorted(self._covers.items())),
            dict(sorted(self._unread.items())),
        )

    def _add_absent(self, read: Read) -> None:
        """Note that the app has no service principal; lists that belong to it are then empty."""
        if read.section == "servicePrincipals":
            absent = decode_section("absentServicePrincipals", [read.part])
            self._sections["absentServicePrincipals"] = _joined(
                "absentServicePrincipals", self._sections.get("absentServicePrincipals", ()), absent
            )
            self._put(read, ())
        else:
            self._add_value(read, [])

    def _add_value(self, read: Read, raw: Any) -> None:
        match read.aspect:
            case "beta":
                self._overlay_policy(decode_section(read.section, [raw])[0])
            case "memberOf":
                (user,) = decode_section("users", [{"id": read.part, "memberOf": raw}])
                self._extend("users", read.part, memberOf=user.memberOf)
            case "userConsentRequests":
                (request,) = decode_section("appConsentRequests", [{"appId": read.part, "userConsentRequests": raw}])
                self._extend("appConsentRequests", read.part, userConsentRequests=request.userConsentRequests)
            case "agentIdentity":
                self._extend_app(read.part, {BLUEPRINT_OF_AGENT: raw.get(BLUEPRINT_OF_AGENT)})
            case "inheritablePermissions":
                self._extend_app(read.part, {read.aspect: raw})
            case _:
                self._put(read, _typed(read, raw))

    def _put(self, read: Read, value: Any) -> None:
        """Add `value` to its section, and note what the section now covers."""
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
        """Set properties of the row that `part` names, if it was read."""
        self._sections[name] = tuple(
            msgspec.structs.replace(row, **properties) if part.lower() in _names(row) else row
            for row in self._sections.get(name, ())
        )

    def _extend_app(self, app_id: str, more: dict[str, Any]) -> None:
        """Set properties of the service principal of an app."""
        (read,) = decode_section("servicePrincipals", [{"id": "", "appId": app_id, **more}])
        self._extend("servicePrincipals", app_id, **{name: getattr(read, name) for name in more})

    def _overlay_policy(self, beta: PermissionGrantPolicy) -> None:
        """Add the properties that exist only in beta to the consent policy that v1.0 returned."""
        policies = self._sections.get("permissionGrantPolicies", ())
        if beta.id not in {policy.id for policy in policies}:
            raise ShapeError("permissionGrantPolicies", BETA_ONLY_POLICY.format(policy=beta.id))
        self._sections["permissionGrantPolicies"] = tuple(
            _with_beta(policy, beta) if policy.id == beta.id else policy for policy in policies
        )

    def _mark_read(self, read: Read) -> None:
        """Remove the read from what is unread; a whole section includes its parts."""
        self._unread.pop(read.name, None)
        if read.whole:
            for name in [name for name in self._unread if name.startswith(f"{read.section}/")]:
                del self._unread[name]


def _note(failed: dict[str, Unread], read: Read, why: Unread) -> None:
    if read.aspect not in _OF_AGENTS:
        failed.setdefault(read.name, why)


def _typed(read: Read, raw: Any) -> Any:
    """The typed value of one read, in the form of its section."""
    row = SECTIONS[read.section]
    if read.section == "servicePrincipals":
        raw = [_without_part(one) for one in raw] if isinstance(raw, list) else _without_part(raw)
        is_known = _SCOPES in read.url and read.part.lower() in RESOURCE_NAMES
        if is_known and isinstance(raw, dict) and raw.get(_SCOPES) is None:
            raise ShapeError("servicePrincipals", f"the answer about {read.part} has no {_SCOPES}")
    if row.only_by_app:
        return decode_section(read.section, {read.part: raw})
    return decode_section(read.section, [raw] if row.merges_rows and not read.is_list else raw)


_SCOPES = "oauth2PermissionScopes"
"""A property that an audit selects of resources, and that Graph then returns.

If it is missing from the data of one of Microsoft's resources, decisions use the published list of scopes. That is
meant for files made by hand, and not for an answer that lost it.
"""


def _without_part(principal: Any) -> Any:
    """The service principal without a publisher that lost its id.

    Graph returns each property of ``verifiedPublisher``, with null if there is none, or none of them: an empty object
    says that the app has no verified publisher.
    """
    publisher = principal.get("verifiedPublisher") if isinstance(principal, dict) else None
    if not isinstance(publisher, dict) or not publisher or "verifiedPublisherId" in publisher:
        return principal
    return {name: value for name, value in principal.items() if name != "verifiedPublisher"}


def _joined(name: str, known: Iterable[Any], new: Iterable[Any], *, drop: bool = False) -> tuple[Any, ...]:
    """The rows of both, the new ones first choice; with `drop` only rows that are in `new`."""
    row = SECTIONS[name]
    earlier = {row.key(one): one for one in known}
    later = {row.key(one): one for one in new}
    if row.merges_rows:
        later = {at: merged_row(earlier[at], one) if at in earlier else one for at, one in later.items()}
    return tuple(later.values()) if drop else tuple((earlier | later).values())


def _names(row: Any) -> set[str]:
    names = (row.id, *(getattr(row, name, None) for name in ("userPrincipalName", "appId")))
    return {str(name).lower() for name in names if name}


def _with_beta(policy: PermissionGrantPolicy, beta: PermissionGrantPolicy) -> PermissionGrantPolicy:
    """The policy of v1.0 with what only beta has. Raise `ShapeError` if beta lacks one of its condition sets."""

    def completed(
        known: tuple[ConditionSet, ...] | None, more: tuple[ConditionSet, ...] | None
    ) -> tuple[ConditionSet, ...] | None:
        by_id = {one.id or place: one for place, one in enumerate(more or ())}
        if any((one.id or place) not in by_id for place, one in enumerate(known or ())):
            raise ShapeError("permissionGrantPolicies", BETA_LACKS_SET.format(policy=policy.id))
        return known and tuple(_with_conditions(one, by_id[one.id or place]) for place, one in enumerate(known))

    includes, excludes = completed(policy.includes, beta.includes), completed(policy.excludes, beta.excludes)
    policy = msgspec.structs.replace(policy, includes=includes, excludes=excludes)
    return _with(policy, beta, _BETA_PROPERTIES)


def _with_conditions(known: ConditionSet, beta: ConditionSet) -> ConditionSet:
    """The condition set of v1.0 with the conditions that only beta has, also those that are new to this program."""
    unknown = dict.fromkeys((*known.unknownConditions, *beta.unknownConditions))
    return msgspec.structs.replace(_with(known, beta, _BETA_CONDITIONS), unknownConditions=tuple(unknown))


def _with(known: T, more: T | None, names: Iterable[str]) -> T:
    """`known` with those of the named properties that `more` has."""
    found = {name: getattr(more, name, None) for name in names}
    return msgspec.structs.replace(known, **{name: value for name, value in found.items() if value is not None})
