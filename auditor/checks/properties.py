"""Checks on properties of a snapshot: one value, a list of text, every item of a list, the number of items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from auditor.checks.kind import (
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    CheckTable,
    Invalid,
    SchemaPart,
    as_list,
    compared,
    failed,
    first_names,
    not_applicable,
    passed,
    require_entries,
    section_plan,
    shown,
    unknown,
)
from auditor.checks.property_tests import (
    BOUNDS,
    LIST_TESTS,
    SCALAR_TESTS,
    Match,
    PropertyTest,
    Value,
    all_hold,
    bound_problems,
    expected_phrase,
    expected_value,
    holds,
    matching,
    narrow_tests,
    property_phrase,
    property_problems,
    test_problems,
)
from auditor.checks.snapshot_paths import (
    ITEMS,
    TABLE,
    TEXTS,
    Missing,
    PathTarget,
    item_paths,
    items_at,
    items_target,
    name_of,
    property_of,
    section_paths,
    target_at,
    value_at,
)
from auditor.consent import Truth
from auditor.consent.explanation import listed
from auditor.consent.snapshot_index import NotRead
from auditor.facts.ids import setting_at
from auditor.model.document import Point, code
from auditor.model.report import Evidence
from auditor.model.resources import Resource
from auditor.model.rule import App, Setting
from auditor.model.snapshot import Plan

SHOWN = 25
"""Items that the evidence names; the reason gives their number."""


class _PropertyCheck(CheckKind, frozen=True):
    """Base of the checks on the property at `path`."""

    path: str

    def reads(self, app: App | None) -> Plan:
        return section_plan(self.path.partition(".")[0], app)

    def setting(self, app: App | None) -> Setting:
        return setting_at(self.path)

    def sentence(self) -> Point:
        return Point(f"{property_phrase(self.path, self)}.")


class PropertyIs(_PropertyCheck, frozen=True, tag="setting"):
    """One property of a section has a value: `path` and exactly one test."""

    equals: Value | UnsetType = UNSET
    one_of: tuple[Value, ...] | UnsetType = UNSET
    at_most: int | UnsetType = UNSET
    at_least: int | UnsetType = UNSET
    present: bool | UnsetType = UNSET
    missing_means: Value | UnsetType = UNSET

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from property_problems(arguments, SCALAR_TESTS)

    def judge(self, context: CheckContext) -> CheckResult:
        value = value_at(context.snapshot, self.path)
        return unknown(value.why) if isinstance(value, NotRead) else judged_value(self.path, value, self)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        narrow_tests(definition, SCALAR_TESTS)
        definition["properties"]["path"]["enum"] = list(_value_paths())


def _value_paths() -> Iterator[str]:
    for path in section_paths():
        if isinstance(found := target_at(path), PathTarget) and found.kind not in (ITEMS, TABLE):
            yield path


def judged_value(path: str, value: Any, check: msgspec.Struct) -> CheckResult:
    """The result of a check with one test on the value at `path`, or on its absence."""
    truth = holds(check, value)
    actual = None if isinstance(value, Missing) else value
    evidence = compared(path, actual, expected_value(check, actual))
    if truth is Truth.UNKNOWN:
        return unknown(f"{path} was missing in the data, and Microsoft doesn't document what that means", evidence)
    clause = f"{path} is {shown(actual)}"
    if isinstance(value, Missing):
        default = getattr(check, "missing_means", UNSET)
        clause = f"{path} is not set{'' if isinstance(default, UnsetType) else f' (defaults to {shown(default)})'}"
    if truth is Truth.TRUE:
        return passed(clause, evidence)
    return failed(f"{clause}; expected {expected_phrase(check)}", evidence)


class ListContains(_PropertyCheck, frozen=True, tag="list"):
    """A list of text contains none, all or any of some values, compared by `match`.

    ``id`` (the default) and ``prefix`` ignore letter case, ``exact`` doesn't.
    """

    none_of: tuple[str, ...] | UnsetType = UNSET
    all_of: tuple[str, ...] | UnsetType = UNSET
    any_of: tuple[str, ...] | UnsetType = UNSET
    match: Match = "id"

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from property_problems(arguments, LIST_TESTS)

    def judge(self, context: CheckContext) -> CheckResult:
        value = value_at(context.snapshot, self.path)
        if isinstance(value, NotRead):
            return unknown(value.why)
        if isinstance(value, Missing):
            return unknown(f"{self.path} was not read")
        wanted = next(w for w in (self.none_of, self.all_of, self.any_of) if not isinstance(w, UnsetType))
        found = sorted(matching(value, wanted, self.match))
        evidence = compared(self.path, sorted(value), expected_phrase(self))
        clause = f"{self.path} contains {listed(found) if found else f'none of {listed(wanted)}'}"
        return (passed if holds(self, value) is Truth.TRUE else failed)(clause, evidence)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        narrow_tests(definition, LIST_TESTS)
        lists = [path for path in section_paths() if isinstance(t := target_at(path), PathTarget) and t.kind == TEXTS]
        definition["properties"]["path"]["enum"] = lists


class _ItemsCheck(CheckKind, frozen=True):
    """Base of the checks on the items of the list `of`."""

    tables: ClassVar[tuple[type[CheckTable], ...]] = (PropertyTest,)
    of: str

    def reads(self, app: App | None) -> Plan:
        return section_plan(self.of.partition(".")[0], app)

    def setting(self, app: App | None) -> Setting:
        return setting_at(self.of)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        definition["properties"]["of"]["enum"] = list(item_paths())


class EveryItem(_ItemsCheck, frozen=True, tag="every"):
    """Every item of the list `of` that passes the tests in `where` passes those in `has`."""

    has: tuple[PropertyTest, ...]
    where: tuple[PropertyTest, ...] = ()

    def sentence(self) -> Point:
        has = tuple(Point(f"{property_phrase(test.path, test)}.") for test in self.has)
        return Point(f"In every item of {_items_phrase(self.of, self.where)}:", has)

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from _item_problems(arguments)
        if arguments.get("has") == []:
            yield ArgumentProblem(("has",), "has is an empty list", "at least one test")
        conditions = as_list(arguments.get("where"))
        for number, test in enumerate(as_list(arguments.get("has"))):
            if isinstance(test, dict) and test in conditions:
                message = "has repeats a test in where, so it never fails"
                yield ArgumentProblem(("has", number), message, "another test")

    def judge(self, context: CheckContext) -> CheckResult:
        found = items_at(context.snapshot, self.of)
        if isinstance(found, NotRead):
            return unknown(found.why)
        meant = [(row, all_hold(self.where, row)) for row in found.rows]
        has = {id(row): all_hold(self.has, row) for row, truth in meant if truth is not Truth.FALSE}
        bad = [row for row, truth in meant if truth is Truth.TRUE and has[id(row)] is Truth.FALSE]
        if bad:
            names = sorted(name_of(row) for row in bad)
            verb = "doesn't" if len(names) == 1 else "don't"
            evidence = sorted((e for row in bad for e in self._lacking(row)), key=lambda e: e.path)[:SHOWN]
            return failed(f"in {self.of}, {first_names(names)} {verb} meet the rule", *evidence)
        unsure = [row for row, truth in meant if truth is not Truth.FALSE and has[id(row)] is Truth.UNKNOWN]
        unsure += [row for row, truth in meant if truth is Truth.UNKNOWN and has[id(row)] is Truth.FALSE]
        if unsure:
            name = min(name_of(row) for row in unsure)
            return unknown(
                f"in {self.of}, a property that the rule needs was not read for {name} ({len(unsure)} in all)"
            )
        if found.partial:
            return unknown(found.partial)
        if self.where and not has:
            return not_applicable(f"{self.of} has no item that the rule applies to")
        number = sum(truth is Truth.TRUE for _, truth in meant)
        return passed(f"all {number} items in {self.of} that the rule applies to meet it")

    def _lacking(self, row: Resource) -> Iterator[Evidence]:
        """What the item should have, for each test that it doesn't pass."""
        for test in self.has:
            value = property_of(row, test.path)
            if holds(test, value) is Truth.FALSE:
                actual = None if isinstance(value, Missing) else value
                path = f"{self.of}[{name_of(row)}].{test.path}"
                yield compared(path, actual, expected_value(test, actual))

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        super().narrow_schema(definition)
        require_entries(definition, "has")


class ItemCount(_ItemsCheck, frozen=True, tag="count"):
    """The number of items of the list `of` that pass the tests in `where` is within a bound."""

    where: tuple[PropertyTest, ...] = ()
    at_most: int | UnsetType = UNSET
    at_least: int | UnsetType = UNSET

    def sentence(self) -> Point:
        bound = (
            f"at most {code(str(self.at_most))}"
            if self.at_most is not UNSET
            else f"at least {code(str(self.at_least))}"
        )
        return Point(f"The number of items of {_items_phrase(self.of, self.where)} is {bound}.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        yield from _item_problems(arguments)
        yield from test_problems(arguments, BOUNDS)
        for name in BOUNDS:
            if name in arguments:
                yield from bound_problems(name, arguments[name])

    def judge(self, context: CheckContext) -> CheckResult:
        """The number lies between the items that certainly count and those that may."""
        found = items_at(context.snapshot, self.of)
        if isinstance(found, NotRead):
            return unknown(found.why)
        truths = [all_hold(self.where, row) for row in found.rows]
        sure = truths.count(Truth.TRUE)
        possible = sure + truths.count(Truth.UNKNOWN)
        most, least = self.at_most, self.at_least
        evidence = compared(self.of, sure, expected_phrase(self))
        clause = f"{self.of} has {sure} item{'' if sure == 1 else 's'}{' that the rule counts' if self.where else ''}"
        too_few_or_many = f"{clause}; expected {expected_phrase(self)}"
        if not isinstance(most, UnsetType) and sure > most:
            return failed(too_few_or_many, evidence)
        if not isinstance(least, UnsetType) and sure >= least:
            return passed(clause, evidence)
        if found.partial:
            return unknown(found.partial, evidence)
        if not isinstance(most, UnsetType) and possible <= most:
            return passed(clause, evidence)
        if not isinstance(least, UnsetType) and possible < least:
            return failed(too_few_or_many, evidence)
        return unknown(f"in {self.of}, whether the rule counts {possible - sure} of the items is unknown", evidence)

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        super().narrow_schema(definition)
        narrow_tests(definition, BOUNDS)


def _items_phrase(of: str, where: tuple[PropertyTest, ...]) -> str:
    """The list, and which of its items."""
    return f"{code(of)} (where {listed(property_phrase(test.path, test) for test in where)})" if where else code(of)


def _item_problems(arguments: Arguments) -> Iterator[ArgumentProblem]:
    """`of` isn't a list of items, or a test is about something else than a property of those."""
    of = arguments.get("of")
    if not isinstance(of, str) or not (of := of.strip()):
        return
    found = items_target(of)
    if isinstance(found, Invalid):
        yield ArgumentProblem(("of",), f"of: {found.message}", found.expected, found.near)
    elif found.kind != ITEMS:
        yield ArgumentProblem(("of",), f"of: {of} is {found.kind}", "a list of items")
    else:
        for name in ("where", "has"):
            for number, test in enumerate(as_list(arguments.get(name))):
                if isinstance(test, dict):
                    for problem in property_problems(test, (*SCALAR_TESTS, *LIST_TESTS), found.item):
                        yield problem.below(name, number)
