"""Paths into a snapshot: held against the types that a snapshot is made of, with the nearest path that exists."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import msgspec.inspect as mi

from auditor.model.sections import SECTIONS, TENANT_SECTIONS, Sections
from auditor.packs.decode import Wrong, shape_of
from auditor.packs.pack_errors import listed, nearest

_NOT_OF_THE_TENANT = frozenset(SECTIONS) - frozenset(TENANT_SECTIONS)
"""Sections that record only what was looked for: no rule can be judged by them."""

KINDS: dict[type, str] = {mi.StrType: "text", mi.BoolType: "true or false", mi.IntType: "a whole number"}


_LOOSE = 0.4
"""How alike a property must be, of the few that can follow what is right already."""


class Leaf(NamedTuple):
    """What a path leads to: ``text``, ``true or false``, ``a whole number``, ``a list of text``, or a list of items.

    `item` is the shape of the items; `owner` is the type that has the property, and `name` what it calls it.
    """

    kind: str
    item: mi.StructType | None = None
    owner: type | None = None
    name: str = ""


TEXTS, ITEMS, TABLE = "a list of text", "a list of items", "a table"


def leaf_at(path: str, root: mi.Type | None = None, *, through_lists: bool = False) -> Leaf | Wrong:
    """What the path leads to from a section, or from the item that `root` is; `Wrong` where it leads nowhere."""
    if root is None and path.partition(".")[0] in _NOT_OF_THE_TENANT:
        return Wrong(f"{path} holds only what was looked for, and says nothing of the tenant", "", "servicePrincipals")
    start = shape_of(Sections) if root is None else root
    here, walked = _bare(start), list[str]()
    owner: type = Sections
    for name in path.split("."):
        if through_lists:
            here = _leaf(here).item or here
        if not isinstance(here, mi.StructType):
            whole = ".".join(walked)
            return Wrong(f'"{path}" goes on after {whole}, which is {_leaf(here).kind}', f"{whole} alone")
        field = next((field for field in here.fields if field.encode_name == name), None)
        if field is None:
            near = _nearest(path, start, walked, here)
            where = f"after {'.'.join(walked)}" if walked else "there"
            expected = listed(field.encode_name for field in here.fields)
            return Wrong(f'"{path}" leads nowhere: {where} is no {name or "name"}', expected, near)
        walked.append(name)
        owner, here = here.cls, _bare(field.type)
    return _leaf(here)._replace(owner=owner, name=walked[-1])


def items_at(path: str) -> Leaf | Wrong:
    """What a path leads to that may pass through lists and by-app tables, as that of ``every`` and ``count`` may."""
    return leaf_at(path, through_lists=True)


def _nearest(path: str, start: mi.Type, walked: list[str], here: mi.StructType) -> str:
    """A path with the same end, then one that goes on rightly from where this one goes wrong."""
    steps = path.split(".")
    every = _paths(start)
    same_end = [p for p in every if p.lower().endswith(f".{steps[-1].lower()}") and p.startswith(steps[0])]
    if same_end and len(steps) > 1:
        return same_end[0]
    if not walked:
        return nearest(path, every)
    name = nearest(steps[len(walked)], [field.encode_name for field in here.fields], _LOOSE)
    return ".".join([*walked, name]) if name else ""


def _leaf(shape: mi.Type) -> Leaf:
    match shape:
        case mi.VarTupleType():
            item = _bare(shape.item_type)
            if isinstance(item, mi.StructType):
                return Leaf(ITEMS, item)
            return Leaf(TEXTS if isinstance(item, mi.StrType) else TABLE)
        case mi.DictType():
            rows = _bare(shape.value_type)
            return _leaf(rows) if isinstance(rows, mi.VarTupleType) else Leaf(TABLE)
    return Leaf(KINDS.get(type(shape), TABLE))


def _bare(shape: mi.Type) -> mi.Type:
    """The shape without its null."""
    if isinstance(shape, mi.UnionType):
        return next(member for member in shape.types if not isinstance(member, mi.NoneType))
    return shape


def _paths(root: mi.Type) -> tuple[str, ...]:
    return tuple(_walk(_bare(root), ""))


def _walk(shape: mi.Type, before: str) -> Iterator[str]:
    """Every path below; lists are ends, for only some checks look into them."""
    for field in shape.fields if isinstance(shape, mi.StructType) else ():
        if field.encode_name in _NOT_OF_THE_TENANT:
            continue
        path = f"{before}{field.encode_name}"
        yield path
        yield from _walk(_bare(field.type), f"{path}.")


@cache
def section_paths() -> tuple[str, ...]:
    """Every path that a ``setting`` or a ``list`` may name, for completion and documents."""
    return _paths(shape_of(Sections))


@cache
def item_paths() -> tuple[str, ...]:
    """Every list of items that an ``every`` or a ``count`` may be about, through lists and by-app tables."""
    return tuple(_lists_of_items(_bare(shape_of(Sections)), ""))


def _lists_of_items(shape: mi.Type, before: str) -> Iterator[str]:
    for field in shape.fields if isinstance(shape, mi.StructType) else ():
        if field.encode_name in _NOT_OF_THE_TENANT:
            continue
        path, below = f"{before}{field.encode_name}", _bare(field.type)
        if item := _leaf(below).item:
            yield path
        yield from _lists_of_items(item or below, f"{path}.")
