"""Decode YAML nodes into typed structs, reporting every unknown key and every value of a wrong type.

The type of a document is a tree of msgspec structs, from which its JSON Schema is generated too.
``Meta(extra={"must": function})`` on a text adds a condition: the function returns why a value is invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, ClassVar

import msgspec
import msgspec.inspect as mi

from auditor.checks import KINDS, kind_named
from auditor.checks.kind import CheckKind, Invalid, alternatives
from auditor.checks.typo_suggestions import nearest
from auditor.packs import PackProblems, Position
from auditor.packs.yaml_nodes import Broken, Entry, Items, Node, Scalar, Table, child, plain


class StrictForm(msgspec.Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """Base of the types of a pack's tables: keys in kebab case, and no other than the declared ones."""

    noun: ClassVar[str] = "this table"


Must = Callable[[str], Invalid | None]

SKIP: Any = msgspec.UNSET
"""The result for a value that was reported and must not be used."""


@cache
def shape_of(kind: Any) -> mi.Type:
    """The description of a type, from its annotations."""
    return mi.type_info(kind)


def decode(node: Node, kind: Any, problems: PackProblems, what: str, *, is_complete: bool = True) -> Any:
    """The node as a value of type `kind`. Mistakes go to `problems`, and make the value ``UNSET``.

    If the node isn't complete, because a pack that it extends could not be read, missing keys aren't reported.
    """
    return _Decoder(problems, is_complete).value(node, shape_of(kind), what)


def decode_document(node: Node, kind: type[StrictForm], problems: PackProblems) -> Any:
    """The document as a value of type `kind`, or ``UNSET`` if it is another document, or of a newer version.

    The only values that the type allows for `format` and `format_version` say which ones it reads.
    """
    types = {field.name: field.type for field in mi.type_info(kind).fields}  # type: ignore[attr-defined]
    (name,), (newest,) = types["format"].values, types["format_version"].values
    given, version = child(node, "format"), child(node, "format-version")
    if not (isinstance(given, Scalar) and given.value == name):
        at = given.at if given is not None else Position(node.at.file, 1, 1)
        problems.add(at, f"this isn't {kind.noun}: it has another format or none", expected=f"format: {name}")
        return SKIP
    match version:
        case Scalar(value=int(number)) if number > newest and not isinstance(number, bool):
            newer = f"this file has format-version {number}, but this program only reads version {newest}"
            problems.add(version.at, newer, expected="a newer consent-auditor")
            return SKIP
    return decode(node, kind, problems, kind.noun)


def noun_of(shape: mi.StructType) -> str:
    """What a message calls the table."""
    if shape.tag_field is not None:
        return f"a check of kind {shape.tag}"
    return str(getattr(shape.cls, "noun", "this table"))


def described(node: Node) -> str:
    """What the node is, as the end of a message about it."""
    match node:
        case Items():
            return "is a list" if node.nodes else "is an empty list"
        case Table():
            return "is a table"
        case Scalar(value=None) | Scalar(text=""):
            return "is empty"
        case Scalar(value=bool()):
            return f"is {node.text}"
        case Scalar(value=str()):
            return f'is the text "{node.text[:40]}"' if node.text.strip() else "is empty"
        case Scalar():
            return f"is the number {node.text}"
        case Broken():
            return "is not readable"


class _Decoder:
    """Decodes nodes, and collects the problems in them."""

    def __init__(self, problems: PackProblems, is_complete: bool) -> None:
        self.problems = problems
        self.is_complete = is_complete

    def value(self, node: Node, shape: mi.Type, what: str) -> Any:
        """The node as a value of the type, or ``UNSET``."""
        if isinstance(node, Broken):
            return SKIP
        match shape:
            case mi.Metadata():
                return self._annotated(node, shape, what)
            case mi.StructType() if shape.cls is CheckKind:
                return self._check(node, what)
            case mi.StructType():
                return self._struct(node, shape, what)
            case mi.UnionType():
                return self._union(node, shape, what)
            case mi.VarTupleType() | mi.ListType():
                return self._items(node, shape.item_type, what)
            case mi.DictType():
                return self._mapping(node, shape, what)
            case mi.EnumType():
                names = {str(member.value): member for member in shape.cls}
                return self._choice(node, names, what)
            case mi.LiteralType():
                return self._choice(node, {str(value): value for value in shape.values}, what)
            case mi.AnyType():
                return plain(node)
            case _:
                return self._leaf(node, shape, what)

    def _leaf(self, node: Node, shape: mi.Type, what: str) -> Any:
        if isinstance(node, Scalar) and _fits(node, shape):
            return node.value.strip() if isinstance(node.value, str) else node.value
        expected = _NAMES[type(shape)]
        if isinstance(node, Scalar) and node.value is not None:
            if isinstance(shape, mi.StrType) and not isinstance(node.value, str):
                expected += f': put it in quotes, "{node.text}"'
            elif isinstance(shape, mi.BoolType) and node.text in ("true", "false"):
                expected += ", without quotes"
        self.problems.add(node.at, f"{what} {described(node)}", expected=expected)
        return SKIP

    def _choice(self, node: Node, names: dict[str, Any], what: str) -> Any:
        if isinstance(node, Scalar) and type(node.value) is int and node.value in names.values():
            return node.value
        if not (isinstance(node, Scalar) and isinstance(node.value, str)):
            self.problems.add(node.at, f"{what} {described(node)}", expected=alternatives(names))
            return SKIP
        if node.value not in names:
            message = f'unknown {what.removeprefix("an ")} "{node.value[:80]}"'
            self.problems.add(node.at, message, expected=alternatives(names), near=nearest(node.value, names))
            return SKIP
        return names[node.value]

    def _annotated(self, node: Node, shape: mi.Metadata, what: str) -> Any:
        value = self.value(node, shape.type, what)
        must: Must | None = (shape.extra or {}).get("must")
        if value is SKIP or must is None or not isinstance(value, str):
            return value
        if (wrong := must(value)) is None:
            return value
        self.problems.add(node.at, f"{what} {wrong.message}", expected=wrong.expected, near=wrong.near)
        return SKIP

    def _union(self, node: Node, shape: mi.UnionType, what: str) -> Any:
        for member in shape.types:
            if _takes(node, member):
                return self.value(node, member, what)
        literals = [str(v) for m in shape.types if isinstance(m, mi.LiteralType) for v in m.values]
        kinds = [_NAMES[type(_bare(m))] for m in shape.types if not isinstance(_bare(m), mi.LiteralType | mi.NoneType)]
        self.problems.add(node.at, f"{what} {described(node)}", expected=alternatives([*kinds, *literals]))
        return SKIP

    def _check(self, node: Node, what: str) -> Any:
        """A check: a table whose `kind` names its type."""
        if not isinstance(node, Table):
            self.problems.add(node.at, f"{what} {described(node)}", expected="a table with a kind")
            return SKIP
        if (kind := node.entries.get("kind")) is None:
            self.problems.add(node.at, f'{what} lacks the key "kind"')
            return SKIP
        name = self._choice(kind.value, {name: name for name in sorted(KINDS)}, f"kind of {what}")
        found = None if name is SKIP else kind_named(name)
        shape = shape_of(found) if found else None
        return self._struct(node, shape, what) if isinstance(shape, mi.StructType) else SKIP

    def _items(self, node: Node, item: mi.Type, what: str) -> Any:
        if not isinstance(node, Items):
            self.problems.add(node.at, f"{what} {described(node)}", expected="a list")
            return SKIP
        return tuple(value for n in node.nodes if (value := self.value(n, item, f"an entry of {what}")) is not SKIP)

    def _mapping(self, node: Node, shape: mi.DictType, what: str) -> Any:
        if not isinstance(node, Table):
            self.problems.add(node.at, f"{what} {described(node)}", expected="a table")
            return SKIP
        found: dict[str, Any] = {}
        for key, entry in node.entries.items():
            self.value(Scalar(entry.at, key, key), shape.key_type, f"a key of {what}")
            if (value := self.value(entry.value, shape.value_type, key)) is not SKIP:
                found[key] = value
        return found

    def _struct(self, node: Node, shape: mi.StructType, what: str) -> Any:
        if not isinstance(node, Table):
            self.problems.add(node.at, f"{what} {described(node)}", expected=f"a table ({noun_of(shape)})")
            return SKIP
        fields = {field.encode_name: field for field in shape.fields}
        meant = set(self._unknown_keys(node, shape, fields))
        for name, field in fields.items() if self.is_complete else ():
            if field.required and name not in node.entries and name not in meant:
                self.problems.add(node.at, f'{noun_of(shape)} lacks the key "{name}"')
        values = {
            field.name: self.value(node.entries[name].value, field.type, name)
            for name, field in fields.items()
            if name in node.entries
        }
        if any(field.required and values.get(field.name, SKIP) is SKIP for field in fields.values()):
            return SKIP
        return shape.cls(**{name: value for name, value in values.items() if value is not SKIP})

    def _unknown_keys(self, node: Table, shape: mi.StructType, known: dict[str, Any]) -> Iterator[str]:
        """Report unknown keys, and yield the keys that were probably meant."""
        names = [*known, *([shape.tag_field] if shape.tag_field else [])]
        unknown: list[Entry] = [entry for key, entry in node.entries.items() if key not in names]
        for entry in unknown:
            near = nearest(entry.key, [name for name in names if name not in node.entries])
            message = f'unknown key "{entry.key[:80]}" in {noun_of(shape)}'
            self.problems.add(entry.at, message, expected=alternatives(names) if names else "none", near=near)
            yield near


_NAMES: dict[type, str] = {
    mi.StrType: "text",
    mi.BoolType: "true or false",
    mi.IntType: "a whole number",
    mi.FloatType: "a number",
    mi.NoneType: "nothing",
    mi.StructType: "a table",
    mi.DictType: "a table",
    mi.VarTupleType: "a list",
    mi.ListType: "a list",
}


def _bare(shape: mi.Type) -> mi.Type:
    return shape.type if isinstance(shape, mi.Metadata) else shape


def _takes(node: Node, shape: mi.Type) -> bool:
    """Whether the node is of this kind of value, correct or not."""
    match _bare(shape):
        case mi.StructType() | mi.DictType():
            return isinstance(node, Table)
        case mi.VarTupleType() | mi.ListType():
            return isinstance(node, Items)
        case mi.LiteralType() as literal:
            return isinstance(node, Scalar) and node.value in literal.values
        case mi.EnumType():
            return isinstance(node, Scalar) and isinstance(node.value, str)
        case other:
            return isinstance(node, Scalar) and _fits(node, other)


def _fits(node: Scalar, shape: mi.Type) -> bool:
    value = node.value
    match shape:
        case mi.StrType():
            return isinstance(value, str) and bool(value.strip())
        case mi.BoolType():
            return isinstance(value, bool)
        case mi.IntType():
            return isinstance(value, int) and not isinstance(value, bool)
        case mi.FloatType():
            return isinstance(value, int | float) and not isinstance(value, bool)
        case mi.NoneType():
            return value is None
    return False
