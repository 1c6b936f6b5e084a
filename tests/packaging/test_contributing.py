"""A checklist that names files that are gone sends people away; here it fails a test instead."""

from __future__ import annotations

import re

import pytest

from tests.packaging.tree import ROOT

GUIDES = ("CONTRIBUTING.md", "SECURITY.md", "README.md")
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
    assert {name: length for name, length in lengths.items() if length > int(limit)} == {}


def test_make_help_tells_of_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    listed = set(re.findall(r"^([a-z-]+):.* ## ", makefile, re.MULTILINE))
    assert set(phony.split()) - listed == {"system"}
