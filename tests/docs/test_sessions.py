"""A terminal session in the docs is what the program says today."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.live import output
from tests.docs.pages import ROOT, guides, read, title
from tests.docs.sessions import CUT, Outdated, check, page_renewed, renewed, sessions

UPDATE = bool(os.environ.get("UPDATE_DOCS"))


@pytest.mark.parametrize("path", guides(), ids=title)
def test_every_session_is_current(path: Path) -> None:
    text = read(path)
    if UPDATE:
        path.write_text(page_renewed(text, output), encoding="utf-8", newline="\n")
        return
    for shown in sessions(text):
        check(shown, output(shown.command))


def test_the_readme_shows_a_tenant_that_fails_and_its_fix() -> None:
    failing, fixed = [shown for shown in sessions(read(ROOT / "README.md")) if "check" in shown.command][:2]
    first = "\n".join(line for run in failing.runs for line in run)
    assert ">> NEEDS ADMIN" in first
    assert "Exit code 1" in first
    assert "/adminconsent?client_id=" in first
    assert "CONNECTS" in "\n".join(line for run in fixed.runs for line in run)


SAID = ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "text",
    [
        f"$ x\na\n{CUT}\nd\n",
        f"$ x\n{CUT}\nb\nc\n{CUT}\n",
        "$ x\na\nb\nc\nd\n",
        f"$ x\na\nb\n{CUT}\n",
    ],
)
def test_what_is_left_out_is_marked(text: str) -> None:
    (shown,) = sessions(f"```console\n{text}```\n")
    check(shown, SAID)
    assert renewed(shown, SAID) == text


@pytest.mark.parametrize(
    "text",
    [
        "$ x\na\nb\n",
        f"$ x\nb\n{CUT}\n",
        f"$ x\na\nc\n{CUT}\n",
        f"$ x\n{CUT}\nc\n{CUT}\nb\n{CUT}\n",
        "$ x\nA\nb\nc\nd\n",
    ],
)
def test_what_is_left_out_without_a_mark_is_found(text: str) -> None:
    (shown,) = sessions(f"```console\n{text}```\n")
    with pytest.raises(Outdated):
        check(shown, SAID)


def test_a_session_is_renewed_between_its_first_and_last_lines() -> None:
    (shown,) = sessions(f"```console\n$ x\n{CUT}\na\nold\nc\n{CUT}\n```\n")
    assert renewed(shown, SAID) == f"$ x\n{CUT}\na\nb\nc\n{CUT}\n"
    assert renewed(shown, ("a", "b", "d", "e")) == f"$ x\n{CUT}\na\nb\nd\n{CUT}\n"
    with pytest.raises(Outdated, match="by hand"):
        renewed(shown, ("b", "c"))


def test_a_session_that_ends_with_a_line_that_occurs_often_keeps_its_length() -> None:
    said = ("title", "", "one", "two", "", "three", "", "end")
    (shown,) = sessions(f"```console\n$ x\ntitle\n\none\nold\n\n{CUT}\n```\n")
    assert renewed(shown, said) == f"$ x\ntitle\n\none\ntwo\n\n{CUT}\n"


def test_each_session_of_a_page_is_renewed_in_its_place() -> None:
    page = f"```console\n$ x\n{CUT}\nb\nold\n{CUT}\n```\ntext\n```console\n$ x\n{CUT}\nd\n$ y\na\n{CUT}\n```\n"
    fresh = f"```console\n$ x\n{CUT}\nb\nc\n{CUT}\n```\ntext\n```console\n$ x\n{CUT}\nd\n$ y\na\n{CUT}\n```\n"
    assert page_renewed(page, lambda _: SAID) == fresh
