"""Arbitrary snapshots, as reading makes them: nothing that only another spelling could hold."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from hypothesis import strategies as st

from auditor.model.field_types import NEVER_EMPTY
from auditor.model.resources import ConditionSet, Resource
from auditor.model.sections import Sections
from auditor.model.snapshot import Provenance, Snapshot, Tenant, Unread

NAMES = [field.name for field in msgspec.structs.fields(Sections)]
GUIDS = st.uuids().map(str)
NOT_BLANK = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(str.strip)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
KEYS = st.from_regex(r"[a-z][A-Za-z0-9]{0,6}", fullmatch=True)
LEAVES = st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
FREE = st.dictionaries(
    KEYS,
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2)),
    max_size=2,
)


def of(kind: Any, *, min_size: int = 0) -> st.SearchStrategy[Any]:
    """Values of one annotated type of the model."""
    if get_origin(kind) is Annotated:
        never_empty = kind.__origin__ is str and NEVER_EMPTY.intersection(kind.__metadata__)
        return NOT_BLANK if never_empty else of(kind.__origin__, min_size=min_size)
    if get_origin(kind) in (Union, types.UnionType):
        return st.none() | of(next(k for k in get_args(kind) if k is not type(None)), min_size=min_size)
    if get_origin(kind) is tuple:
        return st.lists(_entry(get_args(kind)[0]), min_size=min_size, max_size=2).map(tuple)
    if get_origin(kind) is Mapping:
        value = get_args(kind)[1]
        return FREE if value is Any else st.dictionaries(GUIDS, of(value), max_size=2)
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return struct(kind)
    return {str: TEXTS, bool: st.booleans(), int: st.integers(-(2**31), 2**31)}[kind]


def _entry(kind: Any) -> st.SearchStrategy[Any]:
    """Entries of a list: never an empty text, because a list with one isn't complete."""
    bare = kind.__origin__ if get_origin(kind) is Annotated else kind
    return NOT_BLANK if bare is str else of(kind)


def struct(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Objects of the model, some of which lack what they need.

    An empty list in a condition set would be the same as its default.
    """
    min_size = 1 if kind is ConditionSet else 0
    fields = {field.name: of(field.type, min_size=min_size) for field in msgspec.structs.fields(kind)}
    if issubclass(kind, Resource):
        required = [field.name for field in msgspec.structs.fields(kind) if field.required]
        fields |= {name: st.just("") | fields[name] for name in required}
    if kind is ConditionSet:
        fields["unknownConditions"] = st.just(()) | fields["unknownConditions"]
    if kind is Sections:
        fields["absentServicePrincipals"] = st.none() | st.lists(GUIDS, max_size=2).map(tuple)
    return st.builds(kind, **fields)


def _reasons() -> st.SearchStrategy[Any]:
    parts = st.sampled_from(NAMES) | st.builds("{}/{}".format, st.sampled_from(NAMES), GUIDS)
    return st.dictionaries(parts, struct(Unread), max_size=2)


SNAPSHOTS = st.builds(
    Snapshot,
    tenant=st.builds(Tenant, id=GUIDS, name=TEXTS),
    cloud=st.sampled_from(["global", "china"]),
    taken=st.sampled_from(["", "2026-11-22T02:00:00Z"]),
    tool=TEXTS,
    sections=struct(Sections),
    covers=st.dictionaries(st.sampled_from(NAMES), st.lists(GUIDS, max_size=2).map(tuple), max_size=2),
    unread=_reasons(),
    provenance=st.none() | struct(Provenance),
)
