"""Paths and the tests on what stands there, in the checks ``setting``, ``list``, ``every`` and ``count``."""

from __future__ import annotations

from auditor.model.resources import DefaultUserRolePermissions
from auditor.packs.decode import Wrong
from auditor.packs.pack_errors import Problems, listed, nearest
from auditor.packs.paths import ITEMS, TEXTS, Leaf, items_at, leaf_at
from auditor.packs.policy_ids import check_assigned
from auditor.packs.vocabularies import check_values
from auditor.packs.yaml_nodes import (
    Items,
    Node,
    Scalar,
    Table,
    child,
    is_empty_list,
    items_of,
    plain,
    tables_of,
    text_of,
)

SCALAR_TESTS = ("equals", "one-of", "at-most", "at-least", "present")
LIST_TESTS = ("none-of", "all-of", "any-of")
BOUNDS = ("at-most", "at-least")
_OTHER_KEYS = ("kind", "path", "of", "where", "has", "name", "template", "match", "missing-means", "skip-when-missing")
_ASSIGNED = (DefaultUserRolePermissions, "permissionGrantPoliciesAssigned")


def check_condition(check: Table, problems: Problems, tests: tuple[str, ...], root: Leaf | None = None) -> None:
    """The path exists, and the one test that is given fits what stands there and can come out either way."""
    given = one_test(check, problems, tests)
    check_missing(check, problems)
    if (match := child(check, "match")) is not None and given and given[0] not in LIST_TESTS:
        problems.add(match.at, f"match says nothing beside {given[0]}", expected=f"it beside {listed(LIST_TESTS)}")
    path = child(check, "path")
    if not (isinstance(path, Scalar) and isinstance(path.value, str) and path.value.strip()):
        return
    found = leaf_at(path.value.strip(), root.item if root else None)
    if isinstance(found, Wrong):
        problems.add(path.at, f"path: {found.message}", expected=found.expected, near=found.near)
        return
    if found.kind == ITEMS or found.kind == "a table":
        hint = "every or count" if found.kind == ITEMS else "a path that goes on to one of its properties"
        problems.add(path.at, f"path: {path.text} is {found.kind}", expected=hint)
        return
    for name in (*given, "missing-means"):
        if (value := child(check, name)) is not None:
            _fits(name, value, found, path.text, problems)
            _means(name, value, found, text_of(match) or "id", problems)


def one_test(check: Table, problems: Problems, tests: tuple[str, ...]) -> list[str]:
    """The tests that are given, of which there must be exactly one."""
    given = [name for name in tests if name in check.entries]
    anything = any(nearest(key, (*SCALAR_TESTS, *LIST_TESTS)) for key in check.entries if key not in _OTHER_KEYS)
    if not given and not anything:
        problems.add(check.at, "no test is given", expected=f"exactly one of {listed(tests)}")
    for name in given[1:]:
        at = check.entries[name].at
        problems.add(at, f"{name} is a second test beside {given[0]}", expected="exactly one test")
    return given


def check_missing(check: Table, problems: Problems) -> None:
    """Report `present`, which asks whether there is a value, beside a value for where there is none."""
    present, means = child(check, "present"), child(check, "missing-means")
    if present is not None and means is not None:
        message = "missing-means gives a value where there is none, and present asks whether there is one"
        problems.add(means.at, message, expected="one of the two")


def check_items(check: Table, problems: Problems, kind: str) -> None:
    """`of` is a list of items, and every test in it is about a property of those."""
    found = _list(child(check, "of"), problems)
    if kind == "count":
        for name in one_test(check, problems, BOUNDS):
            _within(name, check.entries[name].value, problems)
    if (has := child(check, "has")) is not None and is_empty_list(has):
        problems.add(has.at, "has is an empty list", expected="at least one test")
    for name in ("where", "has"):
        for test in tables_of(child(check, name)) if found else ():
            check_condition(test, problems, (*SCALAR_TESTS, *LIST_TESTS), found)
    meant = [plain(test) for test in items_of(child(check, "where"))]
    for test in tables_of(has):
        if plain(test) in meant:
            problems.add(test.at, "has asks what where says already, so it never fails", expected="another test")


def _list(of: Node | None, problems: Problems) -> Leaf | None:
    """What the items are, if `of` leads to some."""
    if not (isinstance(of, Scalar) and isinstance(of.value, str) and of.value.strip()):
        return None
    found = items_at(of.value.strip())
    if isinstance(found, Wrong):
        problems.add(of.at, f"of: {found.message}", expected=found.expected, near=found.near)
    elif found.kind != ITEMS:
        problems.add(of.at, f"of: {of.text} is {found.kind}", expected="a list of items")
    else:
        return found
    return None


def _fits(name: str, value: Node, found: Leaf, path: str, problems: Problems) -> None:
    """The test, and the value that it compares with, are of the kind that stands at the path."""
    if name in LIST_TESTS and found.kind != TEXTS:
        problems.add(value.at, f"{name} is for a list, and {path} is {found.kind}", expected=listed(SCALAR_TESTS))
        return
    if found.kind == TEXTS:
        if name not in (*LIST_TESTS, "present"):
            problems.add(value.at, f"{name} does not fit {path}, which is a list of text", expected=listed(LIST_TESTS))
        elif is_empty_list(value):
            problems.add(value.at, f"{name} is an empty list", expected="at least one text")
        return
    if name in BOUNDS and found.kind != "a whole number":
        problems.add(value.at, f"{name} does not fit {path}, which is {found.kind}", expected="equals or one-of")
        return
    if name == "present":
        return
    if is_empty_list(value):
        problems.add(value.at, f"{name} is an empty list", expected="at least one value")
    for node in value.nodes if isinstance(value, Items) else (value,):
        if isinstance(node, Scalar) and node.value is not None and _kind_of(node) != found.kind:
            problems.add(node.at, f"{name}: {path} is {found.kind}, and this is {_kind_of(node)}", expected=found.kind)


def _means(name: str, value: Node, found: Leaf, match: str, problems: Problems) -> None:
    """The value is one that can stand there, and not all that can."""
    if (found.owner, found.name) == _ASSIGNED and name in LIST_TESTS:
        check_assigned(value, match, problems)
    elif not (name in LIST_TESTS and match == "prefix"):
        check_values(found, name, value, problems)
    if found.kind == "a whole number":
        _within(name, value, problems)
    if {plain(node) for node in items_of(value) if isinstance(node, Scalar)} >= {True, False} and name == "one-of":
        problems.add(value.at, "one-of allows true and false, so it never fails", expected="equals, or present: true")


def _within(name: str, value: Node, problems: Problems) -> None:
    """No number of a tenant is negative, so that a bound below it holds always or never."""
    least = 1 if name == "at-least" else 0
    for node in value.nodes if isinstance(value, Items) else (value,):
        if isinstance(node, Scalar) and type(node.value) is int and node.value < least and name != "present":
            always = "always holds" if name == "at-least" else "never holds"
            problems.add(node.at, f"{name}: {node.value} {always}", expected=f"{least} or more")


def _kind_of(node: Scalar) -> str:
    if isinstance(node.value, bool):
        return "true or false"
    return "a whole number" if isinstance(node.value, int) else "text"
