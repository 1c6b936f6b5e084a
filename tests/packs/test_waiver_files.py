"""Every mistake in a waiver file is reported at its place, and the schema of the file agrees with the loader."""

from __future__ import annotations

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from auditor.packs import PackError, PackProblems
from auditor.packs.load import Source, list_packs, load_packs
from auditor.packs.waiver_files import load_waiver_files, load_waivers, schema
from auditor.packs.yaml_nodes import plain, read

ROOT = Path(__file__).parents[2]
HEAD = "format: consent-auditor/waivers\nformat-version: 1\n"
SOUND = HEAD + 'waivers:\n  - {rule: R-1, reason: why, owner: who, expires: "2027-03-31"}\n'


def problems_of(text: str) -> str:
    with pytest.raises(PackError) as caught:
        load_waivers(Source("w.yaml", text.encode()))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        pytest.param(
            "",
            "w.yaml:1:1: the file is empty; expected a pack of rules, or waivers",
            id="an empty file",
        ),
        pytest.param(
            "[]\n",
            "w.yaml:1:1: this isn't a waiver file: it has another format or none;"
            " expected format: consent-auditor/waivers",
            id="a list",
        ),
        pytest.param(
            SOUND.replace("waivers\nformat", "pack\nformat"),
            "w.yaml:1:9: this isn't a waiver file: it has another format or none;"
            " expected format: consent-auditor/waivers",
            id="another format",
        ),
        pytest.param(
            SOUND.replace("version: 1", "version: 2"),
            "w.yaml:2:17: this file has format-version 2, but this program only reads version 1; expected a newer"
            " consent-auditor",
            id="a later version",
        ),
        pytest.param(
            SOUND.replace("owner: who, ", ""),
            'w.yaml:4:5: a waiver lacks the key "owner"',
            id="no owner",
        ),
        pytest.param(
            SOUND.replace("owner", "ownr"),
            'w.yaml:4:30: unknown key "ownr" in a waiver; did you mean "owner"?',
            id="a typo in a key",
        ),
        pytest.param(
            SOUND.replace("reason: why", 'reason: " "'),
            "w.yaml:4:25: reason is empty; expected text",
            id="a blank reason",
        ),
        pytest.param(
            SOUND.replace('"2027-03-31"', "2027-03-31"),
            'w.yaml:4:51: unquoted 2027-03-31 is a date in YAML; expected "2027-03-31" in quotes',
            id="a date without quotes",
        ),
        pytest.param(
            SOUND.replace("2027-03-31", "2027-02-30"),
            'w.yaml:4:51: expires "2027-02-30" isn\'t a date; expected year, month and day in quotes,'
            ' as in "2027-03-31"',
            id="no such day",
        ),
        pytest.param(
            SOUND.replace("2027-03-31", "31.3.2027"),
            'w.yaml:4:51: expires "31.3.2027" isn\'t a date; expected year, month and day in quotes,'
            ' as in "2027-03-31"',
            id="another form of date",
        ),
        pytest.param(
            SOUND + '  - {rule: r-1, reason: other, owner: who, expires: "2028-03-31"}\n',
            "w.yaml:5:5: the same rule and subject are already waived on line 4",
            id="waived twice",
        ),
        pytest.param(
            SOUND.replace("rule: R-1", "rule: [R-1]"),
            "w.yaml:4:12: rule is a list; expected text",
            id="a list for text",
        ),
        pytest.param(
            SOUND.replace("waivers:\n  -", "waivers:\n   "),
            "w.yaml:4:5: waivers is a table; expected a list",
            id="a table for a list",
        ),
        pytest.param(
            SOUND.replace("owner: who", "owner: who, owner: she"),
            'w.yaml:4:42: the key "owner" is already on line 4',
            id="a key twice",
        ),
    ],
)
def test_a_mistake_is_reported_in_full(text: str, reported: str) -> None:
    assert problems_of(text) == reported


def test_every_mistake_is_reported_in_one_run() -> None:
    assert (
        len(problems_of(SOUND.replace("owner: who, ", "").replace("2027", "20").replace("R-1", "R 1")).splitlines())
        == 3
    )


def test_the_example_of_the_docs_is_sound_and_speaks_of_rules_that_ship() -> None:
    (file,) = load_waiver_files([str(ROOT / "docs/examples/waivers.yaml")])
    rules = {rule.id for pack in load_packs([p.name for p in list_packs(benchmarks=True)]) for rule in pack.rules}
    assert {one.rule for one in file.waivers} <= rules
    assert [one.expires for one in file.waivers] == ["2027-03-31", "2026-12-31"]
    assert [one.place.line for one in file.waivers if one.place] == [9, 16]
    assert len(file.digest) == 64


def test_several_files_are_read_and_the_problems_of_all_are_reported(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(SOUND.replace("owner: who, ", ""))
    with pytest.raises(PackError) as caught:
        load_waiver_files([str(tmp_path / "a.yaml"), str(tmp_path / "none.yaml")])
    assert "lacks the key" in str(caught.value)
    assert "none.yaml: can't be read" in str(caught.value)


def accepted(text: str) -> bool:
    node = read(text.encode(), "w.yaml", PackProblems())
    return node is not None and Draft202012Validator(schema()).is_valid(plain(node))


def test_the_schema_accepts_what_the_loader_accepts() -> None:
    example = (ROOT / "docs/examples/waivers.yaml").read_text(encoding="utf-8")
    for text in (SOUND, example, HEAD + "waivers: []\n"):
        load_waivers(Source("w.yaml", text.encode()))
        assert accepted(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(SOUND.replace("owner: who, ", ""), id="no owner"),
        pytest.param(SOUND.replace("owner", "ownr"), id="a typo in a key"),
        pytest.param(SOUND.replace("2027-03-31", "31.3.2027"), id="another form of date"),
        pytest.param(SOUND.replace("version: 1", "version: 2"), id="a later version"),
        pytest.param(SOUND.replace("rule: R-1", "rule: [R-1]"), id="a list for text"),
        pytest.param(SOUND.replace("rule: R-1", "rule: R 1"), id="a space in the rule"),
    ],
)
def test_what_an_editor_underlines_the_loader_refuses(text: str) -> None:
    assert not accepted(text)
    problems_of(text)
