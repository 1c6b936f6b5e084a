"""A checklist that names files that are gone sends people away; here it fails a test instead."""

from __future__ import annotations

import ast
import re

import pytest
import yaml

from tests.packaging.tree import ROOT

GUIDES = ("CONTRIBUTING.md", "docs/security.md", "README.md")
PATH = re.compile(r"`((?:\.ci|auditor|benchmarks|docs|reports|requirements|rules|tests)/[\w./-]*)`")
TARGET = re.compile(r"\bmake (?:[A-Z]+=\S+ )*([a-z]+)\b(?=[^`\n]*`|$)")


@pytest.mark.parametrize("guide", GUIDES)
def test_every_path_that_is_named_exists(guide: str) -> None:
    named = {name for name in PATH.findall((ROOT / guide).read_text(encoding="utf-8")) if "NAME" not in name}
    assert {name for name in named if not (ROOT / name).exists()} == set()


@pytest.mark.parametrize("guide", GUIDES)
def test_every_make_target_that_is_named_exists(guide: str) -> None:
    spans = re.findall(r"`(make [^`]+)`", (ROOT / guide).read_text(encoding="utf-8"))
    named = {match[1] for span in spans if (match := TARGET.match(f"{span}`"))}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets


def test_no_module_is_longer_than_the_guide_allows() -> None:
    (limit,) = re.findall(r"never more than (\d+)\.", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    lengths = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8").count("\n")
        for path in (ROOT / "auditor").rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > int(limit)} == {}, (
        "move one subject to a new or a shorter module: CONTRIBUTING.md, The layout"
    )


def test_no_two_classes_have_one_name() -> None:
    places: dict[str, list[str]] = {}
    for path in sorted((ROOT / "auditor").rglob("*.py")):
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    twice = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert twice == {}, "a reader takes one for the other: give one of them a name that says what it is"


def test_make_help_tells_of_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    listed = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    assert set(phony.split()) - listed == {"system"}


def test_a_commit_runs_every_linter_of_make_lint() -> None:
    (recipe,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    entries = " ".join(hook["entry"] for hook in hooks).replace("lint-imports", "-m importlinter")
    linters = re.findall(r"\$\(PY\) -(?:m ([\w.]+(?: check| format)?)|c 'from (\w+))", recipe)
    assert len(linters) == recipe.count("\n")
    assert [name or module for name, module in linters if f"-m {name or module}" not in entries] == []
