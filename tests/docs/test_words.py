"""Every word that the program uses is explained, and every value that it takes is named."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import click
import pytest

from auditor.facts.sign_in_codes import credential_advice, sign_in_codes
from auditor.graph.network import TRUST_VARIABLES
from auditor.jobs.app_catalog import listed_apps
from auditor.model import errors
from auditor.model.decision import Confidence, Outcome, Reason, Verdict
from auditor.model.rule import FindingOutcome, Severity
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import AUTH_METHODS
from auditor.packs.load import list_packs
from auditor.render import FORMATS
from auditor.render.labels import OUTCOMES
from auditor.snapshot.samples import sample_names
from tests.docs.commands import every_command, registered
from tests.docs.generate import PARTS
from tests.docs.pages import DOCS, ROOT, first_paragraph, guides, read, spans, title

REPORT = read(DOCS / "reading-the-report.md")
_CODE = re.compile(r"AADSTS(\d{5,7})")
_VARIABLE = re.compile(r'"((?:AZURE|CONSENT_AUDITOR|MSI|IDENTITY)_[A-Z_]+)"')


def unnamed(values: Iterable[str], page: str) -> set[str]:
    """The values that the page does not name in code."""
    return {str(value) for value in values if f"`{value}`" not in page}


@pytest.mark.parametrize("words", [Outcome, Confidence, Verdict, Reason, FindingOutcome, Severity])
def test_every_word_of_a_report_is_explained(words: type[StrEnum]) -> None:
    assert unnamed(words, REPORT) == set()


def test_every_answer_is_explained() -> None:
    assert {said.word for said in OUTCOMES.values() if f"`{said.word}`" not in REPORT} == set()


def test_every_code_is_explained() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "auditor" / "consent").rglob("*.py"))
    assert set(_CODE.findall(sources)) - set(re.findall(r"^\| `(\d+)`", REPORT, re.MULTILINE)) == set()
    assert set(_CODE.findall(sources)) <= set(sign_in_codes())


def test_the_codes_of_a_failed_sign_in_are_those_with_advice() -> None:
    documented = set(re.findall(r"^\| AADSTS(\d+) \|", read(DOCS / "app-registration.md"), re.MULTILINE))
    assert documented
    assert [code for code in documented if not credential_advice(code)] == []


def test_the_words_of_a_failed_connection_are_those_of_the_program() -> None:
    sources = "".join(read(path) for path in sorted((ROOT / "auditor").rglob("*.py")))
    rows = re.findall(r'^\| "([^"]+)"', read(DOCS / "network.md"), re.MULTILINE)
    assert rows
    said = {piece.strip() for row in rows for piece in row.split("…") if piece.strip()}
    assert {piece for piece in said if piece not in sources} == set()


def test_every_section_of_a_snapshot_is_explained() -> None:
    missing = unnamed(SECTIONS, read(DOCS / "snapshot.md"))
    assert missing == set(), "run: UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs"


def test_every_exit_code_is_explained() -> None:
    codes = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    rows = re.findall(r"^\| (\d+) \|", read(DOCS / "exit-codes.md"), re.MULTILINE)
    assert {int(code) for code in rows} == codes


def test_every_way_to_sign_in_is_explained() -> None:
    assert unnamed(AUTH_METHODS, read(DOCS / "app-registration.md")) == set()


def test_every_variable_is_explained() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "auditor").rglob("*.py")))
    listed = "".join(read(path) for path in sorted(DOCS.glob("*.md")))
    assert {name for name in _VARIABLE.findall(sources) if f"`{name}`" not in listed} == set()
    assert unnamed(TRUST_VARIABLES, read(DOCS / "network.md")) == set()


@pytest.mark.parametrize("name", ["README.md", "docs/get-an-answer.md"])
def test_the_number_of_known_apps_is_that_of_the_catalogue(name: str) -> None:
    stated = re.findall(r"(\d+) (?:vendors' )?apps\b", (ROOT / name).read_text(encoding="utf-8"))
    assert stated == [str(len(listed_apps().apps))]


def test_every_format_pack_and_sample_is_listed() -> None:
    assert unnamed(tuple(FORMATS), read(DOCS / "formats.md")) == set(), "describe these formats in docs/formats.md"
    packs = read(DOCS / "rules/README.md")
    missing = {pack.name for pack in list_packs() if f"[{pack.name}](" not in packs}
    assert missing == set(), "run: UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs"
    assert unnamed(sample_names(), read(DOCS / "samples.md")) == set(), "describe these samples in docs/samples.md"


COMMANDS = tuple((here.command_path, here.command) for here in every_command())
FLAGS = {
    flag for _, command in COMMANDS for param in command.params for flag in (*param.opts, *param.secondary_opts)
} | {"--help"}


@pytest.mark.parametrize("path", guides(), ids=title)
def test_every_option_that_a_sentence_names_exists(path: Path) -> None:
    named = {span.split()[0] for span in spans(read(path)) if span.startswith("--")}
    assert named - FLAGS == set()


def test_every_module_with_a_command_is_listed_and_every_listed_one_has_a_command() -> None:
    modules = (ROOT / "auditor" / "cli").glob("*.py")
    commands = {path.stem for path in modules if re.search(r"^def command\(", read(path), re.MULTILINE)}
    assert commands - set(registered()) == set(), "list them in auditor/cli/program.py, or in the module of their group"
    assert set(registered()) - commands == set(), "they need a function with the name command"


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_every_command_and_option_has_help_and_is_documented(name: str, command: click.Command) -> None:
    assert command.help, f"{name} needs a docstring"
    _, found, rest = read(DOCS / "commands.md").partition(f"## {name}\n")
    assert found, f"docs/commands.md lacks {name}; run: UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs"
    its_own = rest.partition("\n## ")[0]
    options = [param for param in command.params if isinstance(param, click.Option)]
    assert [option.name for option in options if not option.help] == []
    assert [flag for option in options for flag in option.opts if flag not in its_own] == []


def test_the_parts_have_names_for_marks() -> None:
    assert all(re.fullmatch(r"[\w-]+", name) for name in PARTS)


@pytest.mark.parametrize("path", [path for path in guides() if path.parent != ROOT], ids=title)
def test_a_page_says_first_who_it_is_for(path: Path) -> None:
    assert first_paragraph(read(path)).startswith("For ")
