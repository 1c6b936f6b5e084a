"""The Markdown pages of this repository, and the parts of a page that can be checked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

from auditor.model.document import Document, Paragraph, Title

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PROGRAM = "consent-auditor"

_FENCE = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_ENDS_A_COMMAND = re.compile(r"\s(?:[|&;]|[12&]?>)")


class Fence(NamedTuple):
    """A fenced block: its language, its text without a list's indentation, and where in the page it begins and ends."""

    language: str
    text: str
    start: int
    end: int


def for_readers(document: Document, sentence: str) -> Document:
    """A page with a first paragraph that says who it is for."""
    title, *rest = document
    assert isinstance(title, Title)
    return (title, Paragraph(sentence), *rest)


def first_paragraph(text: str) -> str:
    """The first text of a page below its title."""
    blocks = re.split(r"\n\s*\n", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL))
    return next((block.strip() for block in blocks if block.strip() and not block.strip().startswith("#")), "")


def guides() -> tuple[Path, ...]:
    """The pages for those who use the program: README and docs, without the reports of the gallery."""
    pages = (path for path in sorted(DOCS.rglob("*.md")) if path.parent.parent != DOCS / "gallery")
    return (ROOT / "README.md", *pages)


def pages() -> tuple[Path, ...]:
    """Every page of the repository."""
    return (*guides(), *(path for path in sorted(ROOT.glob("*.md")) if path.name != "README.md"))


def title(path: Path) -> str:
    """What to call a page in the name of a test."""
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    """The text of a page."""
    return path.read_text(encoding="utf-8")


def fences(text: str) -> Iterator[Fence]:
    """The fenced blocks of a page."""
    for match in _FENCE.finditer(text):
        yield Fence(match[2], dedent(match[3]), match.start(3), match.end(3))


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return _FENCE.sub("", text)


def spans(text: str) -> Iterator[str]:
    """The text between single backticks, each on one line."""
    for match in _SPAN.finditer(prose(text)):
        yield " ".join(match[1].split())


def commands(text: str) -> Iterator[str]:
    """Every call of the program that a page shows, in a block or within a sentence."""
    for fence in fences(text):
        for line in re.sub(r" \\\n", " ", fence.text).splitlines():
            # A prompt, a field of a cron table or a key of YAML may stand before it.
            before, found, rest = re.sub(rf"\b{PROGRAM}\.exe ", f"{PROGRAM} ", line).partition(f"{PROGRAM} ")
            if found and not before.strip().startswith("#") and _is_called(before):
                yield f"{PROGRAM} {rest}"
    for span in spans(text):
        if span.startswith(f"{PROGRAM} "):
            yield span


def arguments(command: str) -> list[str]:
    """The words after the program's name, up to a pipe, a redirection or the next command."""
    return shlex.split(_ENDS_A_COMMAND.split(f"{command} ", maxsplit=1)[0])[1:]


def _is_called(before: str) -> bool:
    """Whether the program's name after `before` is a command, and not a word of a sentence or an option's value."""
    words = before.split()
    last = words[-1] if words else ""
    return not words or last in ("$", "PS>", "-", "run:", "script:", "if", "!") or last[-1] in "/\\;|&*0123456789("
