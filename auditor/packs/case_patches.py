"""The tenants of cases: merge patches, with every unknown name and misplaced id reported."""

from __future__ import annotations

from collections.abc import Callable

import msgspec.inspect as mi

from auditor.checks.scope_names import permission_id
from auditor.checks.typo_suggestions import alternatives, nearest
from auditor.consent.request import is_guid
from auditor.model.sections import Sections
from auditor.packs.decode_nodes import described, shape_of
from auditor.packs.pack_errors import PackProblems
from auditor.packs.yaml_nodes import Broken, Items, Node, Scalar, Table, child, items_of, tables_of

_Step = Callable[[Node, mi.Type, str], None]


def check_patch(node: Node, problems: PackProblems) -> None:
    """Report names that no section has, and values of a type that Graph doesn't return there."""
    _Patch(problems).merge(node, shape_of(Sections), "set")


class _Patch:
    def __init__(self, problems: PackProblems) -> None:
        self.problems = problems

    def merge(self, node: Node, shape: mi.Type, what: str) -> None:
        """A patch of a value that may exist: null removes it, and a table only needs the keys that it changes."""
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
        """A complete value, such as an entry of a list, which a merge patch replaces as a whole."""
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
            self.problems.add(entry.at, message, expected=alternatives(fields), near=nearest(key, fields))

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
    """The type without null; Graph's properties have no other unions."""
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


def check_ids(patch: Table, problems: PackProblems) -> None:
    """Report permission ids of classifications and condition sets that belong to another resource or name."""
    classified = child(patch, "delegatedPermissionClassifications")
    for resource, entry in classified.entries.items() if isinstance(classified, Table) else ():
        for row in tables_of(entry.value):
            _check(resource.lower(), child(row, "permissionId"), child(row, "permissionName"), problems)
    for policy in tables_of(child(patch, "permissionGrantPolicies")):
        for name in ("includes", "excludes"):
            for conditions in tables_of(child(policy, name)):
                _condition_set(conditions, problems)


def _condition_set(conditions: Table, problems: PackProblems) -> None:
    resource = child(conditions, "resourceApplication")
    if isinstance(resource, Scalar) and is_guid(resource.text):
        for node in items_of(child(conditions, "permissions")):
            _check(resource.text.lower(), node, None, problems)


def _check(resource: str, node: Node | None, name: Node | None, problems: PackProblems) -> None:
    if not (isinstance(node, Scalar) and is_guid(node.text)):
        return
    text = name.text if isinstance(name, Scalar) and isinstance(name.value, str) else ""
    if wrong := permission_id(resource, node.text, text):
        problems.add(node.at, f"the permission id {wrong.message}", expected=wrong.expected, near=wrong.near)
