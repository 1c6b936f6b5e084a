"""Every text of a snapshot says what it holds: a new field cannot be forgotten."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
import pytest

from auditor.model.field_types import FieldKind, FieldText, Id, field_kinds
from auditor.model.snapshot import Snapshot


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
    if origin is Annotated:
        return holds_text(kind.__origin__)
    if origin in (Union, types.UnionType) or origin is tuple:
        return any(holds_text(inner) for inner in get_args(kind))
    if origin in (dict, Mapping):
        return holds_text(get_args(kind)[1])
    if kind is Any:
        return True
    return isinstance(kind, type) and issubclass(kind, str) and not issubclass(kind, Enum)


def table_with_keys(kind: Any) -> bool:
    """Whether a value of this type is a mapping other than free JSON."""
    if get_origin(kind) is Annotated:
        return False
    return get_origin(kind) is Mapping or any(table_with_keys(inner) for inner in get_args(kind))


CLASSES = sorted(classes(Snapshot, set()), key=lambda kind: kind.__name__)
FIELDS = [(kind, field) for kind in CLASSES for field in msgspec.structs.fields(kind)]
TEXTS = [(kind, field.name) for kind, field in FIELDS if holds_text(field.type)]
TABLES = [(kind, field.name) for kind, field in FIELDS if table_with_keys(field.type)]


def says_what_it_holds(hint: Any) -> bool:
    """Whether an annotation has a kind of text in it."""
    if get_origin(hint) is Annotated:
        return any(isinstance(one, FieldText) for one in hint.__metadata__)
    return any(says_what_it_holds(inner) for inner in get_args(hint))


@pytest.mark.parametrize(("kind", "name"), TEXTS, ids=[f"{kind.__name__}.{name}" for kind, name in TEXTS])
def test_every_text_says_what_it_holds(kind: type[msgspec.Struct], name: str) -> None:
    (hint,) = (field.type for field in msgspec.structs.fields(kind) if field.name == name)
    assert says_what_it_holds(hint)
    assert isinstance(field_kinds(kind)[name].text, FieldText)


@pytest.mark.parametrize(("kind", "name"), TABLES, ids=[f"{kind.__name__}.{name}" for kind, name in TABLES])
def test_every_table_says_what_its_keys_are(kind: type[msgspec.Struct], name: str) -> None:
    assert field_kinds(kind)[name].keys is not FieldText.FREE_TEXT


def test_the_walk_reaches_every_class_of_a_snapshot() -> None:
    assert len(CLASSES) > 30
    assert len(TEXTS) > 90
    assert len(TABLES) == 5


class Undeclared(msgspec.Struct):
    """A class whose author forgot to say what a text holds."""

    nickname: str
    others: tuple[str, ...] | None = None
    friends: Mapping[str, tuple[str, ...]] = {}
    lent: Mapping[Id, tuple[Id, ...]] | None = None


def test_a_text_that_does_not_say_what_it_holds_is_free_text() -> None:
    assert field_kinds(Undeclared) == {
        "nickname": FieldKind(),
        "others": FieldKind(),
        "friends": FieldKind(),
        "lent": FieldKind(FieldText.ID, FieldText.ID),
    }
