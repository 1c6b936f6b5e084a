"""Every text of a snapshot has its place in the list of what fields hold: a new field is not forgotten."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest

from auditor.model.snapshot import Snapshot
from auditor.redact.fields import FIELDS, Holds


def classes(kind: Any, seen: set[Any]) -> Iterator[type[msgspec.Struct]]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        if kind in seen:
            return
        seen.add(kind)
        yield kind
        for field in msgspec.structs.fields(kind):
            yield from classes(field.type, seen)
    for inner in get_args(kind):
        yield from classes(inner, seen)


def holds_text(kind: Any) -> bool:
    """Whether a value of this type is text, or a list or table of texts."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType) or origin is tuple:
        return any(holds_text(inner) for inner in get_args(kind))
    if origin in (dict, Mapping):
        return holds_text(get_args(kind)[1])
    if kind is Any:
        return True
    return isinstance(kind, type) and issubclass(kind, str) and not issubclass(kind, Enum)


CLASSES = sorted(classes(Snapshot, set()), key=lambda kind: kind.__name__)
TEXTS = [(kind, field.name) for kind in CLASSES for field in msgspec.structs.fields(kind) if holds_text(field.type)]


@pytest.mark.parametrize(("kind", "name"), TEXTS, ids=[f"{kind.__name__}.{name}" for kind, name in TEXTS])
def test_every_text_says_what_it_holds(kind: type[msgspec.Struct], name: str) -> None:
    assert isinstance(FIELDS[kind][name], Holds)


def test_nothing_is_listed_that_is_not_there() -> None:
    listed = {(kind, name) for kind, fields in FIELDS.items() for name in fields}
    there = {(kind, field.name) for kind in CLASSES for field in msgspec.structs.fields(kind)}
    assert listed <= there
    assert len(CLASSES) > 30
    assert len(TEXTS) > 90
