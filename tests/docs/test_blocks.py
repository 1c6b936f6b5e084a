"""Scripts and settings in the docs are at least well-formed."""

from __future__ import annotations

import shutil
import subprocess

import pytest
import yaml

from auditor.jobs.pack_authoring import run_cases
from auditor.packs.load import Source, load
from auditor.snapshot.samples import sample_names
from tests.docs.pages import fences, guides, pages, read, title

LANGUAGES = {"console", "ini", "json", "powershell", "python", "sh", "text", "yaml"}
BLOCKS = [(path, fence.language, fence.text) for path in guides() for fence in fences(read(path))]


def of(language: str) -> list[object]:
    """The blocks of one language, each with the name of its page."""
    return [pytest.param(text, id=title(path)) for path, found, text in BLOCKS if found == language]


def test_every_block_says_its_language() -> None:
    assert {(title(path), language) for path, language, _ in BLOCKS if language not in LANGUAGES} == set()


@pytest.mark.skipif(shutil.which("sh") is None, reason="no POSIX shell")
@pytest.mark.parametrize("text", of("sh"))
def test_a_shell_understands_every_script(text: str) -> None:
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("text", of("yaml"))
def test_every_pipeline_is_yaml(text: str) -> None:
    assert isinstance(yaml.safe_load(text), dict)


@pytest.mark.parametrize("text", of("python"))
def test_every_example_in_python_runs(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(text, "example", "exec"), {})
    assert "NEEDS ADMIN" in capsys.readouterr().out


def braces(text: str) -> bool:
    """Whether every bracket that is opened outside of quotes is closed, in the right order."""
    closing, waiting, quote = {"(": ")", "[": "]", "{": "}"}, [""], ""
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        elif sign in closing:
            waiting.append(closing[sign])
        elif sign in closing.values() and waiting.pop() != sign:
            return False
    return waiting == [""] and not quote


@pytest.mark.parametrize("text", of("powershell"))
def test_brackets_and_quotes_of_powershell_are_closed(text: str) -> None:
    assert braces(text)


def test_an_open_bracket_is_found() -> None:
    assert braces('@{ a = @(1); b = "}" }')
    assert not braces("@{ a = @(1 }")
    assert not braces("'a")


def test_no_page_is_left_with_an_open_block() -> None:
    for path in guides():
        assert read(path).count("\n```") % 2 == 0, title(path)


def test_every_pack_that_is_shown_loads_and_its_cases_come_out_as_they_say() -> None:
    blocks = (fence for path in pages() for fence in fences(read(path)) if fence.language == "yaml")
    shown = [block.text for block in blocks if "consent-auditor/pack\n" in block.text]
    assert len(shown) > 1
    for text in shown:
        pack = load(Source("shown.yaml", text.encode()), samples=sample_names())
        assert [result.problem for result in run_cases(pack) if result.problem] == []
