"""Every word that the program uses is explained, and every value that it takes is named."""

from __future__ import annotations

import re

import pytest

from auditor.cli import exits
from auditor.cli.options import AUTH
from auditor.graph.catalogue import CONSENT_CODES
from auditor.graph.network import TRUST_VARIABLES
from auditor.model.decision import Confidence, Outcome, Reason, Verdict
from auditor.model.finding import FindingOutcome, Severity
from auditor.packs.find import list_packs
from auditor.render import FORMATS
from auditor.render.words import OUTCOMES
from auditor.snapshot.document import SECTIONS
from auditor.snapshot.samples import sample_names
from tests.docs.generate import PARTS
from tests.docs.pages import DOCS, ROOT, read

REPORT = read(DOCS / "reading-the-report.md")
_CODE = re.compile(r"AADSTS(\d{5,7})")
_VARIABLE = re.compile(r'"((?:AZURE|CONSENT_AUDITOR|MSI|IDENTITY)_[A-Z_]+)"')


def unnamed(values: object, page: str) -> set[str]:
    """The values that the page does not name in code."""
    assert isinstance(values, tuple | list | frozenset | type)
    return {str(value) for value in values if f"`{value}`" not in page}


@pytest.mark.parametrize("words", [Outcome, Confidence, Verdict, Reason, FindingOutcome, Severity])
def test_every_word_of_a_report_is_explained(words: type) -> None:
    assert unnamed(words, REPORT) == set()


def test_every_answer_is_explained() -> None:
    assert {said.word for said in OUTCOMES.values() if f"`{said.word}`" not in REPORT} == set()


def test_every_code_is_explained() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "auditor" / "consent").rglob("*.py"))
    codes = set(_CODE.findall(sources)) | {str(code) for code in CONSENT_CODES}
    assert codes - set(re.findall(r"^\| `(\d+)`", REPORT, re.MULTILINE)) == set()


def test_every_section_of_a_snapshot_is_explained() -> None:
    assert unnamed(SECTIONS, read(DOCS / "snapshot.md")) == set()


def test_every_exit_code_is_explained() -> None:
    codes = {value for name, value in vars(exits).items() if name.isupper()}
    rows = re.findall(r"^\| (\d+) \|", read(ROOT / "README.md"), re.MULTILINE)
    assert {int(code) for code in rows} == codes


def test_every_way_to_sign_in_is_explained() -> None:
    assert unnamed(AUTH, read(DOCS / "app-registration.md")) == set()


def test_every_variable_is_explained() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "auditor").rglob("*.py")))
    told = "".join(read(path) for path in sorted(DOCS.glob("*.md")))
    assert {name for name in _VARIABLE.findall(sources) if f"`{name}`" not in told} == set()
    assert unnamed(TRUST_VARIABLES, read(DOCS / "network.md")) == set()


def test_every_format_pack_and_sample_is_listed() -> None:
    readme = read(ROOT / "README.md")
    assert unnamed(tuple(FORMATS), readme) == set()
    assert unnamed(tuple(pack.name for pack in list_packs()), readme) == set()
    assert unnamed(sample_names(), readme) == set()


def test_every_command_and_option_is_in_the_help_page() -> None:
    page = read(DOCS / "commands.md")
    from auditor.cli.program import command_tree

    for verb, command in command_tree().items():
        assert f"## consent-auditor {verb}\n" in page
        assert {
            option for p in command.params for option in p.opts if option.startswith("-") and option not in page
        } == (set())


def test_every_option_has_help() -> None:
    import click

    from auditor.cli.program import command_tree

    def all_of(command: click.Command) -> list[click.Command]:
        below = command.commands.values() if isinstance(command, click.Group) else ()
        return [command, *(each for one in below for each in all_of(one))]

    for command in (each for one in command_tree().values() for each in all_of(one)):
        assert command.help, command.name
        assert [p.name for p in command.params if isinstance(p, click.Option) and not p.help] == []


def test_the_parts_have_names_for_marks() -> None:
    assert all(re.fullmatch(r"[\w-]+", name) for name in PARTS)
