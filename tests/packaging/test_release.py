"""A release can be built again, says what is in it, and never takes a database that didn't answer for good news."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

import auditor
from tests.packaging.release import RUN_LOCK, advisories, build_wheel, copy_sources, write_sbom


@pytest.mark.skipif(os.name == "nt", reason="there is no umask")
def test_two_builds_of_the_same_sources_have_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    sources = copy_sources(tmp_path / "elsewhere" / "under another name")
    for file in sources.rglob("*"):
        os.utime(file, (1_000_000_000, 1_000_000_000))
    before = os.umask(0o077)
    try:
        again = build_wheel(sources, tmp_path / "out")
    finally:
        os.umask(before)
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_the_time_in_a_wheel_is_the_one_that_was_given(sources: Path, wheel: Path, tmp_path: Path) -> None:
    assert build_wheel(sources, tmp_path, epoch=1_700_000_000).read_bytes() != wheel.read_bytes()


@pytest.fixture(scope="module")
def sbom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sbom(tmp_path_factory.mktemp("sbom"))


def test_the_sbom_lists_each_locked_package_with_its_version(sbom: Path) -> None:
    document = json.loads(sbom.read_text("utf-8"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    program = document["metadata"]["component"]
    assert (program["name"], program["version"]) == ("consent-auditor", auditor.__version__)
    locked = dict(re.findall(r"^([\w.-]+)==([^\s;]+)", RUN_LOCK.read_text("utf-8"), re.MULTILINE))
    assert {one["name"]: one["version"] for one in document["components"]} == locked
    assert "msgraph-sdk" in locked


def test_the_sbom_has_the_same_bytes_each_time(sbom: Path, tmp_path: Path) -> None:
    assert write_sbom(tmp_path, validate=False).read_bytes() == sbom.read_bytes()


SOUND = {"name": "click", "version": "8.2.0", "vulns": []}
HARMFUL = {"name": "jinja2", "version": "3.1.0", "vulns": [{"id": "PYSEC-2024-1", "fix_versions": ["3.1.5"]}]}
SKIPPED = {"name": "httpx", "skip_reason": "Dependency not found on PyPI and could not be audited: httpx (0.28.1)"}


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        pytest.param([SOUND], 0, ["No known vulnerabilities in 1 packages."], id="all looked up"),
        pytest.param([SOUND, HARMFUL], 1, ["jinja2 3.1.0: PYSEC-2024-1"], id="one has a known vulnerability"),
        pytest.param([SOUND, SKIPPED], 0, ["Not checked", "1 of 2 packages"], id="one could not be looked up"),
        pytest.param([HARMFUL, SKIPPED], 1, ["PYSEC-2024-1", "Not checked"], id="one known, one not looked up"),
        pytest.param([], 0, ["Not checked"], id="nothing was looked up"),
    ],
)
def test_what_was_not_looked_up_is_never_called_sound(
    answer: list[dict[str, Any]], code: int, words: list[str]
) -> None:
    got, text = advisories(answer)
    assert got == code
    assert all(word in text for word in words)
    assert ("No known" in text) == (words[0].startswith("No known"))
