"""Every registered kind of check has all its parts, so that a new kind can't be half finished."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

import auditor.checks
from auditor.checks import KINDS, every_kind, kind_named, nested_arguments
from auditor.checks.kind import CheckKind, kind_of, with_inner
from auditor.facts.ids import setting_named
from auditor.jobs.pack_authoring import CaseResult, run_cases
from auditor.model.rule import App, FindingOutcome, Pack, Rule
from auditor.packs.load import file_source, load, shipped_names, shipped_source
from auditor.packs.pack_schema import schema
from auditor.snapshot.samples import sample_names

ROOT = Path(auditor.checks.__file__).parents[2]
APP = App(client_id="5353a3d2-8ca9-42d2-b567-ea399ccb5e38", name="TrackerRMS")
PARTS = ("reads", "sentence", "judge")
"""What no kind can inherit from the base of all kinds."""

OTHER = load(file_source(Path(__file__).with_name("other-kinds.yaml")), samples=sample_names())
PACKS = (*(load(shipped_source(name)) for name in shipped_names()), OTHER)

KIND = pytest.mark.parametrize("kind", every_kind(), ids=list(KINDS))


def own(kind: type[CheckKind], part: str) -> bool:
    """Whether the kind, or the base of its family, defines the part."""
    return any(part in base.__dict__ for base in kind.__mro__ if issubclass(base, CheckKind) and base is not CheckKind)


def is_closed(type_: Any) -> bool:
    """Whether the type itself rules out every wrong value: true or false, or a choice of words."""
    return all(one in (bool, msgspec.UnsetType) or get_origin(one) is Literal for one in get_args(type_) or (type_,))


def uses(rule: Rule, kind: type[CheckKind]) -> bool:
    return any(type(check) is kind for check in with_inner(rule.check))


def test_every_class_of_a_kind_is_registered_under_its_tag() -> None:
    assert {str(kind.__struct_config__.tag): kind for kind in every_kind()} == {n: kind_named(n) for n in KINDS}
    defined = {
        f"{path.stem}.{line.split('(')[0].removeprefix('class ')}"
        for path in Path(auditor.checks.__file__).parent.glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("class ") and ", tag=" in line
    }
    assert defined == set(KINDS.values())


def test_a_name_that_is_not_registered_is_no_kind() -> None:
    assert kind_named("user-can-connect") is None
    assert kind_named(None) is None


@KIND
def test_a_kind_says_what_it_reads_and_asks_and_judges(kind: type[CheckKind]) -> None:
    assert [part for part in PARTS if not own(kind, part)] == []


@KIND
def test_a_kind_says_which_setting_it_is_about(kind: type[CheckKind]) -> None:
    assert own(kind, "setting") or setting_named(kind.setting_id, APP).label


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_rule_of_a_pack_is_about_a_setting(pack: Pack) -> None:
    assert all(kind_of(rule.check).setting(pack.app or APP).label for rule in pack.rules)


@KIND
def test_a_kind_validates_arguments_that_its_types_leave_open(kind: type[CheckKind]) -> None:
    types = get_type_hints(kind)
    is_open = [field for field in kind.__struct_fields__ if not is_closed(types[field])]
    assert own(kind, "problems") or not is_open


@KIND
def test_a_kind_is_documented(kind: type[CheckKind]) -> None:
    tag = str(kind.__struct_config__.tag)
    assert inspect.getdoc(kind) != inspect.getdoc(CheckKind)
    assert f"`{tag}`" in (ROOT / "docs" / "writing-rules.md").read_text(encoding="utf-8")


@KIND
def test_a_kind_is_in_the_schema_without_further_keys(kind: type[CheckKind]) -> None:
    assert schema()["$defs"][kind.__name__]["additionalProperties"] is False


@KIND
def test_cases_show_a_kind_passing_failing_and_unknown(kind: type[CheckKind]) -> None:
    shown = {case.expect for pack in PACKS for rule in pack.rules if uses(rule, kind) for case in rule.cases}
    assert shown >= {FindingOutcome.PASS, FindingOutcome.FAIL, FindingOutcome.UNKNOWN}


@pytest.mark.parametrize("result", tuple(run_cases(OTHER)), ids=lambda result: f"{result.rule.id}: {result.case.name}")
def test_a_kind_that_no_shipped_pack_uses_has_the_outcomes_of_its_cases(result: CaseResult) -> None:
    assert result.problem == ""


def test_nested_arguments_have_paths() -> None:
    inner = {"kind": "app-enabled"}
    arguments = {"kind": "any", "checks": [inner, {"kind": "not", "check": inner}, "text"]}
    assert [(path, one["kind"]) for path, one in nested_arguments(arguments)] == [
        ((), "any"),
        (("checks", 0), "app-enabled"),
        (("checks", 1), "not"),
        (("checks", 1, "check"), "app-enabled"),
    ]
