"""Paths to properties of a snapshot: parsed, checked against the resource types, and read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import msgspec.inspect as mi
from msgspec import UNSET

from auditor.checks.kind import Invalid, alternatives
from auditor.checks.typo_suggestions import nearest
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.model.resources import OAuth2PermissionGrant, Resource, ServicePrincipal, VerifiedPublisher
from auditor.model.sections import SECTIONS, TENANT_SECTIONS, Sections
from auditor.model.snapshot import Snapshot

_NOT_OF_THE_TENANT = frozenset(SECTIONS) - frozenset(TENANT_SECTIONS)
"""Sections that say nothing about the tenant, so that no rule can use them."""

_KINDS: dict[type, str] = {mi.StrType: "text", mi.BoolType: "true or false", mi.IntType: "a whole number"}


_LOOSE = 0.4
"""The least similarity of a property to a typo of it, after a correct beginning: there are few candidates."""


class PathTarget(NamedTuple):
    """What a path leads to: ``text``, ``true or false``, ``a whole number``, ``a list of text``, or a list of items.

    `item` is the shape of the items; `owner` is the type that has the property, and `name` what it calls it.
    """

    kind: str
    item: mi.StructType | None = None
    owner: type | None = None
    name: str = ""


TEXTS, ITEMS, TABLE = "a list of text", "a list of items", "a table"


def target_at(path: str, root: mi.Type | None = None, *, through_lists: bool = False) -> PathTarget | Invalid:
    """What the path leads to from the sections, or from an item of the type `root`; `Invalid` if it doesn't exist."""
    if root is None and path.partition(".")[0] in _NOT_OF_THE_TENANT:
        message = f"{path} only lists apps that Graph did not find, and says nothing about the tenant"
        return Invalid(message, near="servicePrincipals")
    start = _sections() if root is None else root
    here, walked = _bare(start), list[str]()
    owner: type = Sections
    for name in path.split("."):
        if through_lists:
            here = _target(here).item or here
        if not isinstance(here, mi.StructType):
            whole = ".".join(walked)
            return Invalid(f'"{path}" continues after {whole}, which is {_target(here).kind}', f"{whole} alone")
        field = next((field for field in here.fields if field.encode_name == name), None)
        if field is None:
            near = _nearest(path, start, walked, here)
            where = (
                f"{'.'.join(walked)} has no property"
                if walked
                else f"there is no {'section' if root is None else 'property'}"
            )
            expected = alternatives(field.encode_name for field in here.fields)
            return Invalid(f'"{path}" doesn\'t exist: {where} "{name}"', expected, near)
        walked.append(name)
        owner, here = here.cls, _bare(field.type)
    return _target(here)._replace(owner=owner, name=walked[-1])


def items_target(path: str) -> PathTarget | Invalid:
    """What a path leads to that may pass through lists and by-app tables, as in the checks ``every`` and ``count``."""
    return target_at(path, through_lists=True)


@cache
def _sections() -> mi.Type:
    return mi.type_info(Sections)


def _nearest(path: str, start: mi.Type, walked: list[str], here: mi.StructType) -> str:
    """A path with the same last property, or else one with a similar property where this path goes wrong."""
    steps = path.split(".")
    every = _paths(start)
    same_end = [p for p in every if p.lower().endswith(f".{steps[-1].lower()}") and p.startswith(steps[0])]
    if same_end and len(steps) > 1:
        return same_end[0]
    if not walked:
        return nearest(path, every)
    name = nearest(steps[len(walked)], [field.encode_name for field in here.fields], _LOOSE)
    return ".".join([*walked, name]) if name else ""


def _target(shape: mi.Type) -> PathTarget:
    match shape:
        case mi.VarTupleType():
            item = _bare(shape.item_type)
            if isinstance(item, mi.StructType):
                return PathTarget(ITEMS, item)
            return PathTarget(TEXTS if isinstance(item, mi.StrType) else TABLE)
        case mi.DictType():
            rows = _bare(shape.value_type)
            return _target(rows) if isinstance(rows, mi.VarTupleType) else PathTarget(TABLE)
    return PathTarget(_KINDS.get(type(shape), TABLE))


def _bare(shape: mi.Type) -> mi.Type:
    """The type without null."""
    if isinstance(shape, mi.UnionType):
        return next(member for member in shape.types if not isinstance(member, mi.NoneType))
    return shape


def _paths(root: mi.Type) -> tuple[str, ...]:
    return tuple(_walk(_bare(root), ""))


def _walk(shape: mi.Type, before: str) -> Iterator[str]:
    """Every path below; lists end a path, because only some checks look into them."""
    for field in shape.fields if isinstance(shape, mi.StructType) else ():
        if field.encode_name in _NOT_OF_THE_TENANT:
            continue
        path = f"{before}{field.encode_name}"
        yield path
        yield from _walk(_bare(field.type), f"{path}.")


@cache
def section_paths() -> tuple[str, ...]:
    """Every path that a ``setting`` or a ``list`` may name, for completion and documents."""
    return _paths(_sections())


@cache
def item_paths() -> tuple[str, ...]:
    """Every list of items that an ``every`` or a ``count`` may be about, through lists and by-app tables."""
    return tuple(_lists_of_items(_bare(_sections()), ""))


def _lists_of_items(shape: mi.Type, before: str) -> Iterator[str]:
    for field in shape.fields if isinstance(shape, mi.StructType) else ():
        if field.encode_name in _NOT_OF_THE_TENANT:
            continue
        path, below = f"{before}{field.encode_name}", _bare(field.type)
        if item := _target(below).item:
            yield path
        yield from _lists_of_items(item or below, f"{path}.")


class Missing(NamedTuple):
    """A property that Graph left out; `means` is the value that this documents, if Microsoft says so."""

    means: Any = UNSET


_NULL: Mapping[tuple[type, str], Any] = {
    (VerifiedPublisher, "verifiedPublisherId"): None,
    (VerifiedPublisher, "displayName"): None,
    (ServicePrincipal, "isDisabled"): False,
    (ServicePrincipal, "disabledByMicrosoftStatus"): None,
    (OAuth2PermissionGrant, "principalId"): None,
}
"""Properties whose null is documented, as their classes say; every other null is an unknown value."""

_NAMES = ("displayName", "name", "permissionName", "appDisplayName", "userPrincipalName", "query", "id", "appId")


class ItemRows(NamedTuple):
    """The items of a list; `partial` says why there may be more of them."""

    rows: tuple[Resource, ...]
    partial: str = ""


def value_at(snapshot: Snapshot, path: str) -> Any:
    """The value at a dotted path that starts with a section, `Missing`, or `NotRead`.

    In an object that lacks what Graph always returns, a property that isn't there was lost, whatever Graph leaves out.
    """
    section, _, rest = path.partition(".")
    found = getattr(snapshot.sections, section)
    if found is None:
        return index_of(snapshot).not_read(section)
    value = property_of(found, rest)
    if isinstance(value, Missing) and (gap := index_of(snapshot).gap(section)):
        return gap
    return NotRead(section, f"{value.why} of {section}") if isinstance(value, NotRead) else value


def property_of(item: Any, path: str) -> Any:
    """The property of an item at a dotted path, `Missing`, or `NotRead` where a property on the way is unknown."""
    steps = path.split(".") if path else []
    for number, name in enumerate(steps):
        parent, item = item, getattr(item, name)
        if item is None and number < len(steps) - 1:
            return NotRead("", f"{'.'.join(steps[: number + 1])} was not read")
        if item is None:
            return Missing(_NULL.get((type(parent), name), UNSET))
    return item


def items_at(snapshot: Snapshot, path: str) -> ItemRows | NotRead:
    """The items of the list at a dotted path, through lists and by-app tables alike."""
    section, _, rest = path.partition(".")
    found = getattr(snapshot.sections, section)
    if found is None:
        return index_of(snapshot).not_read(section)
    partial = index_of(snapshot).why_partial(section)
    rows: list[Any] = list(_flat(found))
    for name in rest.split(".") if rest else []:
        deeper: list[Any] = []
        for row in rows:
            if (value := getattr(row, name)) is None:
                partial = partial or f"{name} was not read for every entry of {section}"
            else:
                deeper += _flat(value)
        rows = deeper
    return ItemRows(tuple(rows), partial)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        for rows in value.values():
            yield from rows
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from value
    else:
        yield value


def name_of(item: Any) -> str:
    """The name of an item in evidence."""
    for name in _NAMES:
        if text := getattr(item, name, None):
            return str(text)
    return " ".join(str(v) for name in ("clientId", "principalId", "appRoleId") if (v := getattr(item, name, None)))
