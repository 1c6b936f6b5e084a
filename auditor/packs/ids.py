"""The ids in the tenants of cases: a permission's id belongs to its resource, and to the name beside it."""

from __future__ import annotations

from auditor.packs import words
from auditor.packs.errors import Problems
from auditor.packs.positions import Items, Node, Scalar, Table, child


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
