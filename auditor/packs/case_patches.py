"""The tenants of cases: merge patches with every misspelt name and misplaced id reported."""

from __future__ import annotations

from collections.abc import Callable

import msgspec.inspect as mi

from auditor.model.sections import Sections
from auditor.packs import value_validators as words
from auditor.packs.decode import described, shape_of
from auditor.packs.pack_errors import Problems, listed, nearest
from auditor.packs.yaml_nodes import Broken, Items, Node, Scalar, Table, child

_Step = Callable[[Node, mi.Type, str], None]


def check_patch(node: Node, problems: Problems) -> None:
    """Report names that no section has and values that Graph would not send there."""
    _Patch(problems).merge(node, shape_of(Sections), "set")


class _Patch:
    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def merge(self, node: Node, shape: mi.Type, what: str) -> None:
        """A patch of something that may exist: null takes away, and a table may name only what it changes."""
        if isinstance(node, Scalar) and node.value is None:
            return
        shape = _not_null(shape)
        if isinstance(shape, mi.StructType) and isinstance(node, Table):
            self._fields(node, shape, self.merge)
        elif isinstance(shape, mi.DictType) and isinstance(node, Table):
            for key, entry in node.entries.items():
                self.merge(entry.value, shape.value_type, key)
        else:
            self.whole(node, shape, what)

    def whole(self, node: Node, shape: mi.Type, what: str) -> None:
        """A complete value: an entry of a list, which a merge patch replaces as a whole."""
        if isinstance(node, Broken) or (isinstance(node, Scalar) and node.value is None and _may_be_null(shape)):
            return
        shape = _not_null(shape)
        match shape, node:
            case mi.StructType(), Table():
                self._fields(node, shape, self.whole)
                self._required(node, shape)
            case mi.DictType(), Table():
                for key, entry in node.entries.items():
                    self.whole(entry.value, shape.value_type, key)
            case mi.VarTupleType(), Items():
                for item in node.nodes:
                    self.whole(item, shape.item_type, f"an entry of {what}")
            case mi.AnyType(), _:
                return
            case _, Scalar() if _is_of(node, shape):
                return
            case _:
                self.problems.add(node.at, f"{what} {described(node)}", expected=_EXPECTED[type(shape)])

    def _fields(self, node: Table, shape: mi.StructType, go_on: _Step) -> None:
        fields = {field.encode_name: field.type for field in shape.fields}
        for key, entry in node.entries.items():
            if key in fields:
                go_on(entry.value, fields[key], key)
                continue
            message = f'unknown name "{key[:80]}" in {_noun(shape)}'
            self.problems.add(entry.at, message, expected=listed(fields), near=nearest(key, fields))

    def _required(self, node: Table, shape: mi.StructType) -> None:
        for field in shape.fields:
            if field.required and field.encode_name not in node.entries:
                self.problems.add(node.at, f'{_noun(shape)} lacks "{field.encode_name}"')


_EXPECTED: dict[type, str] = {
    mi.StrType: "text",
    mi.BoolType: "true or false",
    mi.IntType: "a whole number",
    mi.StructType: "a table",
    mi.DictType: "a table",
    mi.VarTupleType: "a list",
}


def _noun(shape: mi.StructType) -> str:
    return "the sections of a snapshot" if shape.cls is Sections else f"a Graph {shape.cls.__name__}"


def _may_be_null(shape: mi.Type) -> bool:
    return isinstance(shape, mi.UnionType) and any(isinstance(member, mi.NoneType) for member in shape.types)


def _not_null(shape: mi.Type) -> mi.Type:
    """The shape without its null; Graph's properties are unions in no other way."""
    if isinstance(shape, mi.UnionType):
        return next(member for member in shape.types if not isinstance(member, mi.NoneType))
    return shape


def _is_of(node: Scalar, shape: mi.Type) -> bool:
    match shape:
        case mi.StrType():
            return isinstance(node.value, str)
        case mi.BoolType():
            return isinstance(node.value, bool)
        case mi.IntType():
            return isinstance(node.value, int) and not isinstance(node.value, bool)
    return False


def check_ids(patch: Table, problems: Problems) -> None:
    """Report ids of classifications and of condition sets that belong elsewhere."""
    classified = child(patch, "delegatedPermissionClassifications")
    for resource, entry in classified.entries.items() if isinstance(classified, Table) else ():
        for row in _tables(entry.value):
            _check(resource.lower(), child(row, "permissionId"), child(row, "permissionName"), problems)
    for policy in _tables(child(patch, "permissionGrantPolicies")):
        for name in ("includes", "excludes"):
            for conditions in _tables(child(policy, name)):
                _condition_set(conditions, problems)


def _condition_set(conditions: Table, problems: Problems) -> None:
    resource, listed = child(conditions, "resourceApplication"), child(conditions, "permissions")
    if isinstance(resource, Scalar) and words.is_guid(resource.text):
        for node in listed.nodes if isinstance(listed, Items) else ():
            _check(resource.text.lower(), node, None, problems)


def _check(resource: str, node: Node | None, name: Node | None, problems: Problems) -> None:
    if not (isinstance(node, Scalar) and words.is_guid(node.text)):
        return
    text = name.text if isinstance(name, Scalar) and isinstance(name.value, str) else ""
    if wrong := words.permission_id(resource, node.text, text):
        problems.add(node.at, f"the permission id {wrong.message}", expected=wrong.expected, near=wrong.near)


def _tables(node: Node | None) -> tuple[Table, ...]:
    return tuple(n for n in node.nodes if isinstance(n, Table)) if isinstance(node, Items) else ()
