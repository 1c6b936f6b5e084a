"""Every registered kind of check has all its parts, so that a new kind can't be half finished."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

import auditor.checks
from auditor.checks import KINDS, every_kind, kind_named, nested_arguments
from auditor.checks.kind import CheckKind, CheckTable, kind_of
from auditor.facts.ids import setting_named
from auditor.jobs.pack_authoring import run_cases
from auditor.model.rule import App, FindingOutcome
from auditor.packs.pack_schema import schema
from tests.checks.example_packs import OTHER, PACKS, examples_of, pack_named

ROOT = Path(auditor.checks.__file__).parents[2]
BROKEN = ROOT / "tests" / "packs" / "broken"
APP = App(client_id="5353a3d2-8ca9-42d2-b567-ea399ccb5e38", name="TrackerRMS")
PARTS = ("reads", "sentence", "judge")
"""What no kind can inherit from the base of all kinds."""
VALIDATED_INSIDE = {"not"}
"""The kinds whose only argument is a check, which is validated by itself."""
OUTCOMES = {FindingOutcome.PASS, FindingOutcome.FAIL, FindingOutcome.UNKNOWN}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> type[CheckKind]:
    """Each kind, imported when its tests run."""
    found = kind_named(request.param)
    assert found is not None
    return found


def tag_of(kind: type[CheckKind]) -> str:
    return str(kind.__struct_config__.tag)


def own(kind: type[CheckKind], part: str) -> bool:
    """Whether the kind, or the base of its family, defines the part."""
    return any(part in base.__dict__ for base in kind.__mro__ if issubclass(base, CheckKind) and base is not CheckKind)


def is_closed(type_: Any) -> bool:
    """Whether the type itself rules out every wrong value: true or false, or a choice of words."""
    return all(one in (bool, msgspec.UnsetType) or get_origin(one) is Literal for one in get_args(type_) or (type_,))


def narrows(type_: type[msgspec.Struct]) -> bool:
    """Whether the type adds to the JSON Schema."""
    return any("narrow_schema" in base.__dict__ for base in type_.__mro__ if base not in (CheckKind, CheckTable))


def test_every_class_of_a_kind_is_registered_under_its_tag() -> None:
    assert {tag_of(kind): kind for kind in every_kind()} == {n: kind_named(n) for n in KINDS}
    defined = {
        f"{path.stem}.{line.split('(')[0].removeprefix('class ')}"
        for path in Path(auditor.checks.__file__).parent.glob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("class ") and ", tag=" in line
    }
    assert defined == set(KINDS.values()), "each class needs a line in KINDS in auditor/checks/__init__.py"


def test_a_name_that_is_not_registered_is_no_kind() -> None:
    assert kind_named("user-can-connect") is None
    assert kind_named(None) is None


def test_a_kind_says_what_it_reads_and_asks_and_judges(kind: type[CheckKind]) -> None:
    missing = [part for part in PARTS if not own(kind, part)]
    assert missing == [], f"{kind.__name__} lacks these methods"


def test_a_kind_says_which_setting_it_is_about(kind: type[CheckKind]) -> None:
    if own(kind, "setting"):
        return
    assert getattr(kind, "setting_id", ""), f"{kind.__name__} needs a setting_id, from auditor/facts/settings.json"
    assert setting_named(kind.setting_id, APP).label


@pytest.mark.parametrize("name", PACKS)
def test_every_rule_of_a_pack_is_about_a_setting(name: str) -> None:
    pack = pack_named(name)
    assert all(kind_of(rule.check).setting(pack.app or APP).label for rule in pack.rules)


def test_a_kind_validates_arguments_that_its_types_leave_open(kind: type[CheckKind]) -> None:
    types = get_type_hints(kind)
    is_open = [field for field in kind.__struct_fields__ if not is_closed(types[field])]
    assert own(kind, "problems") or not is_open, f"{kind.__name__} needs a method problems, for {is_open}"


def test_a_kind_that_rejects_values_narrows_its_schema(kind: type[CheckKind]) -> None:
    if own(kind, "problems") and tag_of(kind) not in VALIDATED_INSIDE:
        assert narrows(kind) or any(map(narrows, kind.tables)), f"{kind.__name__} needs a method narrow_schema"


def test_a_broken_pack_shows_what_a_kind_rejects(kind: type[CheckKind]) -> None:
    shown = re.compile(rf"\bkind: {tag_of(kind)}\b(?!-)".encode())
    found = any(shown.search(path.read_bytes()) for path in BROKEN.glob("*.yaml"))
    assert found or not own(kind, "problems"), f"no pack in {BROKEN} has a wrong argument of {tag_of(kind)}"


def test_a_kind_is_documented(kind: type[CheckKind]) -> None:
    assert inspect.getdoc(kind) != inspect.getdoc(CheckKind), f"{kind.__name__} needs a docstring"
    documented = f"`{tag_of(kind)}`" in (ROOT / "docs" / "writing-rules.md").read_text(encoding="utf-8")
    assert documented, "run UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs"


def test_a_kind_is_in_the_schema_without_further_keys(kind: type[CheckKind]) -> None:
    assert schema()["$defs"][kind.__name__]["additionalProperties"] is False


def test_cases_show_a_kind_passing_failing_and_unknown(kind: type[CheckKind]) -> None:
    shown = {case.expect for rule, _ in examples_of(kind) for case in rule.cases}
    assert OUTCOMES - shown == set(), f"add cases of {tag_of(kind)} to a pack, or to tests/checks/{OTHER}.yaml"


def test_kinds_that_no_shipped_pack_uses_have_the_outcomes_of_their_cases() -> None:
    problems = {f"{result.rule.id}: {result.case.name}": result.problem for result in run_cases(pack_named(OTHER))}
    assert {name: problem for name, problem in problems.items() if problem} == {}


def test_nested_arguments_have_paths() -> None:
    inner = {"kind": "app-enabled"}
    arguments = {"kind": "any", "checks": [inner, {"kind": "not", "check": inner}, "text"]}
    assert [(path, one["kind"]) for path, one in nested_arguments(arguments)] == [
        ((), "any"),
        (("checks", 0), "app-enabled"),
        (("checks", 1), "not"),
        (("checks", 1, "check"), "app-enabled"),
    ]
