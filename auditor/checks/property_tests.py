"""Tests on one value: equals, one-of, at-most, … What they mean, their phrases, and the mistakes in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import msgspec
import msgspec.inspect as mi
from msgspec import UNSET, UnsetType

from auditor.checks.documented_values import assigned_policy_problems, value_problems
from auditor.checks.kind import (
    ArgumentProblem,
    Arguments,
    CheckTable,
    Invalid,
    SchemaPart,
    alternatives,
    as_list,
    require_entries,
    require_one_of,
    shown,
    text_at,
)
from auditor.checks.snapshot_paths import ITEMS, TABLE, TEXTS, Missing, PathTarget, property_of, target_at
from auditor.checks.typo_suggestions import nearest
from auditor.consent import Truth, all_of, known
from auditor.consent.explanation import listed
from auditor.consent.snapshot_index import NotRead
from auditor.model.document import code
from auditor.model.resources import DefaultUserRolePermissions

Value = str | int | bool
"""What a property is compared with; text is compared without regard to letter case."""

Match = Literal["id", "exact", "prefix"]

SCALAR_TESTS = ("equals", "one-of", "at-most", "at-least", "present")
LIST_TESTS = ("none-of", "all-of", "any-of")
BOUNDS = ("at-most", "at-least")
_OTHER_KEYS = ("kind", "path", "of", "where", "has", "name", "template", "match", "missing-means", "skip-when-missing")
_ASSIGNED = (DefaultUserRolePermissions, "permissionGrantPoliciesAssigned")


class PropertyTest(CheckTable, frozen=True):
    """One test on one property: `path` and exactly one test.

    `missing-means` is the value that Graph documents for a property that it leaves out; without it a missing
    property is unknown. `none-of`, `all-of` and `any-of` are for lists of text, compared by `match`.
    """

    noun: ClassVar[str] = "a test"
    path: str
    equals: Value | UnsetType = UNSET
    one_of: tuple[Value, ...] | UnsetType = UNSET
    at_most: int | UnsetType = UNSET
    at_least: int | UnsetType = UNSET
    present: bool | UnsetType = UNSET
    none_of: tuple[str, ...] | UnsetType = UNSET
    all_of: tuple[str, ...] | UnsetType = UNSET
    any_of: tuple[str, ...] | UnsetType = UNSET
    match: Match = "id"
    missing_means: Value | UnsetType = UNSET

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        narrow_tests(definition, (*SCALAR_TESTS, *LIST_TESTS))
        definition["if"] = {"required": ["match"]}
        definition["then"] = {"anyOf": [{"required": [name]} for name in LIST_TESTS]}


def all_hold(tests: Iterable[PropertyTest], item: Any) -> Truth:
    """Whether the item passes every test."""
    return all_of(holds(test, property_of(item, test.path)) for test in tests)


def holds(test: msgspec.Struct, value: Any) -> Truth:
    """Whether a value passes the one test of `test`: a `PropertyTest`, or a check with some of its fields."""
    if isinstance(value, NotRead):
        return Truth.UNKNOWN
    missing_means = getattr(test, "missing_means", UNSET)
    if isinstance(value, Missing):
        value = value.means if isinstance(missing_means, UnsetType) else missing_means
        if value is UNSET:
            return Truth.UNKNOWN
    for name, compare in _TESTS.items():
        wanted = getattr(test, name, UNSET)
        if wanted is not UNSET:
            return compare(value, wanted, getattr(test, "match", "id"))
    return Truth.UNKNOWN


def matching(entries: Iterable[str], wanted: Iterable[str], match: Match) -> tuple[str, ...]:
    """The entries that match any of the wanted ones."""
    candidates = tuple(wanted)
    return tuple(entry for entry in entries if any(_matches(entry, one, match) for one in candidates))


def _matches(entry: str, wanted: str, match: Match) -> bool:
    if match == "exact":
        return entry == wanted
    entry, wanted = entry.lower(), wanted.lower()
    return entry.startswith(wanted) if match == "prefix" else entry == wanted


def _same(a: Any, b: Any) -> bool:
    """Whether two values are equal: letter case doesn't matter, and Graph's text ``"True"`` is true."""
    return str(a).strip().lower() == str(b).strip().lower()


def _number(value: Any, within: Callable[[int], bool]) -> Truth:
    return known(within(value)) if type(value) is int else Truth.UNKNOWN


_TESTS: Mapping[str, Callable[[Any, Any, Match], Truth]] = {
    "equals": lambda value, wanted, _: known(_same(value, wanted)),
    "one_of": lambda value, wanted, _: known(any(_same(value, one) for one in wanted)),
    "at_most": lambda value, wanted, _: _number(value, lambda n: n <= wanted),
    "at_least": lambda value, wanted, _: _number(value, lambda n: n >= wanted),
    "present": lambda value, wanted, _: known((value not in (None, "", ())) == wanted),
    "none_of": lambda value, wanted, match: known(not matching(value or (), wanted, match)),
    "any_of": lambda value, wanted, match: known(bool(matching(value or (), wanted, match))),
    "all_of": lambda value, wanted, match: known(all(matching(value or (), (one,), match) for one in wanted)),
}


def expected_phrase(test: msgspec.Struct) -> str:
    """What the test expects, for evidence: ``one of none, everyone``."""
    name, wanted = _given(test)
    if name == "present":
        return "a value" if wanted else "no value"
    words = "" if name == "equals" else f"{name.replace('_', ' ')} "
    return f"{words}{shown(wanted)}"


def expected_value(test: msgspec.Struct, actual: Any) -> Any:
    """What evidence expects: the value itself if it has the type of the actual value, else a phrase."""
    equals = getattr(test, "equals", UNSET)
    return equals if type(equals) is type(actual) else expected_phrase(test)


def test_phrase(test: msgspec.Struct) -> str:
    """The test as the second half of a sentence about a property: ``is one of `none` or `everyone` ``."""
    name, wanted = _given(test)
    if name == "present":
        return "has a value" if wanted else "has no value"
    last = "or" if name in ("one_of", "any_of", "none_of") else "and"
    values = listed((code(shown(one)) for one in (wanted if isinstance(wanted, tuple) else (wanted,))), last)
    how = f" ({_MATCH[getattr(test, 'match', 'id')]})" if name in ("none_of", "all_of", "any_of") else ""
    return f"{_VERBS[name]} {values}{how}"


def property_phrase(path: str, test: msgspec.Struct) -> str:
    """The property and its test, as a sentence without a full stop."""
    return f"{code(path)} {test_phrase(test)}{missing_phrase(test)}"


def missing_phrase(test: msgspec.Struct) -> str:
    """What a missing value means, in brackets; empty where the test doesn't say so."""
    value = getattr(test, "missing_means", UNSET)
    return "" if isinstance(value, UnsetType) else f" (if missing, it counts as {code(shown(value))})"


def _given(test: msgspec.Struct) -> tuple[str, Any]:
    """The name and the value of the one test."""
    return next(
        ((name, value) for name in _TESTS if (value := getattr(test, name, UNSET)) is not UNSET), ("equals", "")
    )


_MATCH = MappingProxyType(
    {
        "id": "letter case doesn't matter",
        "exact": "letter case matters",
        "prefix": "compared with the start of an entry",
    }
)
_VERBS = MappingProxyType(
    {
        "equals": "is",
        "one_of": "is one of",
        "at_most": "is at most",
        "at_least": "is at least",
        "none_of": "contains none of",
        "all_of": "contains all of",
        "any_of": "contains at least one of",
    }
)


def property_problems(
    arguments: Arguments, tests: tuple[str, ...], root: mi.StructType | None = None
) -> Iterator[ArgumentProblem]:
    """Mistakes in a path and its test: the path exists, and the test fits the property and can pass and fail.

    `root` is the type of the items that the path starts from; without it the path starts from the sections.
    """
    given = tuple(name for name in tests if name in arguments)
    yield from test_problems(arguments, tests)
    yield from missing_problems(arguments)
    match = text_at(arguments, "match") or "id"
    if "match" in arguments and given and given[0] not in LIST_TESTS:
        message = f"match has no effect on {given[0]}"
        yield ArgumentProblem(("match",), message, f"match with {alternatives(LIST_TESTS)}")
    path = arguments.get("path")
    if not isinstance(path, str) or not (path := path.strip()):
        return
    found = target_at(path, root)
    if isinstance(found, Invalid):
        yield ArgumentProblem(("path",), f"path: {found.message}", found.expected, found.near)
    elif found.kind in (ITEMS, TABLE):
        hint = "every or count" if found.kind == ITEMS else "a path to one of its properties"
        yield ArgumentProblem(("path",), f"path: {path} is {found.kind}", hint)
    else:
        for name in (*given, "missing-means"):
            if name in arguments:
                yield from _type_problems(name, arguments[name], found, path)
                yield from _meaning_problems(name, arguments[name], found, match)


def test_problems(arguments: Arguments, tests: tuple[str, ...]) -> Iterator[ArgumentProblem]:
    """No test, or more than one."""
    given = [name for name in tests if name in arguments]
    has_typo = any(nearest(key, (*SCALAR_TESTS, *LIST_TESTS)) for key in arguments if key not in _OTHER_KEYS)
    if not given and not has_typo:
        yield ArgumentProblem((), "there is no test", f"exactly one of {alternatives(tests)}")
    for name in given[1:]:
        yield ArgumentProblem((name,), f"{name} is a second test next to {given[0]}", "exactly one test", at_key=True)


def missing_problems(arguments: Arguments) -> Iterator[ArgumentProblem]:
    """`present`, which tests whether there is a value, with a default for a missing value."""
    if "present" in arguments and "missing-means" in arguments:
        message = "missing-means gives a missing value a default, and present tests whether the value is missing"
        yield ArgumentProblem(("missing-means",), message, "one of the two")


def bound_problems(name: str, value: Any) -> Iterator[ArgumentProblem]:
    """Bounds below zero: no number in a tenant is negative, so the test would always or never pass."""
    least = 1 if name == "at-least" else 0
    for path, number in _values(name, value):
        if type(number) is int and number < least and name != "present":
            effect = "always passes" if name == "at-least" else "never passes"
            yield ArgumentProblem(path, f"{name}: {number} {effect}", f"{least} or more")


def _values(name: str, value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The value, or each entry of a list, with its path."""
    if isinstance(value, list):
        yield from (((name, number), entry) for number, entry in enumerate(value))
    else:
        yield (name,), value


def _type_problems(name: str, value: Any, found: PathTarget, path: str) -> Iterator[ArgumentProblem]:
    """The test, or the value that it compares with, doesn't fit the type of the property."""
    if found.kind == TEXTS:
        yield from _list_type_problems(name, value, path)
    elif name in LIST_TESTS:
        message = f"{name} is for a list, and {path} is {found.kind}"
        yield ArgumentProblem((name,), message, alternatives(SCALAR_TESTS))
    elif name in BOUNDS and found.kind != "a whole number":
        yield ArgumentProblem((name,), f"{name} doesn't fit {path}, which is {found.kind}", "equals or one-of")
    elif name != "present":
        if value == []:
            yield ArgumentProblem((name,), f"{name} is an empty list", "at least one value")
        for where, one in _values(name, value):
            if isinstance(one, Value | float) and (kind := _kind_of(one)) != found.kind:
                yield ArgumentProblem(where, f"{name}: {path} is {found.kind}, but this is {kind}", found.kind)


def _list_type_problems(name: str, value: Any, path: str) -> Iterator[ArgumentProblem]:
    if name not in (*LIST_TESTS, "present"):
        message = f"{name} doesn't fit {path}, which is a list of text"
        yield ArgumentProblem((name,), message, alternatives(LIST_TESTS))
    elif value == []:
        yield ArgumentProblem((name,), f"{name} is an empty list", "at least one text")


def _meaning_problems(name: str, value: Any, found: PathTarget, match: str) -> Iterator[ArgumentProblem]:
    """The property can never have the value, or the values are all that it can have."""
    if (found.owner, found.name) == _ASSIGNED and name in LIST_TESTS:
        yield from assigned_policy_problems(name, value, match)
    elif not (name in LIST_TESTS and match == "prefix"):
        yield from value_problems(found, name, value)
    if found.kind == "a whole number":
        yield from bound_problems(name, value)
    if {one for one in as_list(value) if isinstance(one, bool)} == {True, False} and name == "one-of":
        yield ArgumentProblem((name,), "one-of allows true and false, so it never fails", "equals, or present: true")


def _kind_of(value: Value | float) -> str:
    if isinstance(value, bool):
        return "true or false"
    return "a whole number" if isinstance(value, int) else "a number" if isinstance(value, float) else "text"


def narrow_tests(definition: SchemaPart, tests: tuple[str, ...]) -> None:
    """In a JSON Schema, require exactly one of the tests, and values that can pass and fail."""
    require_one_of(definition, tests)
    require_entries(definition, *(name for name in tests if name in (*LIST_TESTS, "one-of")))
    for name in BOUNDS:
        if name in tests:
            definition["properties"][name]["minimum"] = 1 if name == "at-least" else 0
    if "missing-means" in definition["properties"]:
        definition["not"] = {"required": ["present", "missing-means"]}
