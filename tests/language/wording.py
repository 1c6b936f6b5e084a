"""Find the constructions of ``words.yaml`` in the prose of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec

from tests.language.prose import BARRIER, Prose, prose_of

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("words.yaml")


class Construction(msgspec.Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """One construction to avoid: the pattern that finds it, why, what to write, and an example of each."""

    pattern: str
    why: str
    write: str
    bad: str
    good: str

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern on whole words, in any letter case; a space in it matches any white space."""
        return re.compile(rf"(?<!\w)(?:{self.pattern})(?!\w)", re.IGNORECASE)


class Exemption(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A construction that a path may hold, and the reason."""

    path: str
    reason: str
    text: str = ""
    """The words that are exempt; empty for the whole file."""


class WordList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``words.yaml``."""

    checked: tuple[str, ...]
    exemptions: tuple[Exemption, ...]
    constructions: tuple[Construction, ...]


class Problem(NamedTuple):
    """A construction where it was found; line and column count from 1."""

    path: str
    line: int
    column: int
    found: str
    construction: Construction

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}"
        return f'{place}: "{self.found}": {self.construction.why}. Write: {self.construction.write}'


@cache
def word_list() -> WordList:
    """The list that ships; raises msgspec.ValidationError where an entry lacks a part."""
    return msgspec.yaml.decode(LIST.read_bytes(), type=WordList)


def files_of(patterns: Iterable[str], root: Path = ROOT) -> Iterator[Path]:
    """The files that paths or patterns name below `root`, each once; raises ValueError if one names none."""
    seen: set[Path] = set()
    for pattern in patterns:
        files = sorted(path for path in root.glob(pattern) if path.is_file())
        if not files:
            raise ValueError(f"{pattern}: no such file")
        yield from (path for path in files if path not in seen)
        seen.update(files)


def problems_in(path: Path, words: WordList, root: Path = ROOT) -> list[Problem]:
    """The constructions of the list in one file, in the order of their places."""
    name = path.relative_to(root).as_posix()
    exempt = [exemption for exemption in words.exemptions if fnmatchcase(name, exemption.path)]
    if any(not exemption.text for exemption in exempt):
        return []
    allowed = {exemption.text.lower() for exemption in exempt}
    return [problem for problem in problems_of(prose_of(path), name, words) if problem.found.lower() not in allowed]


def problems_of(prose: Prose, name: str, words: WordList) -> list[Problem]:
    """The constructions of the list in a text, in the order of their places."""
    found = [
        Problem(name, *prose.position(match.start()), match[0].replace(BARRIER, "…"), construction)
        for construction in words.constructions
        for match in construction.compiled.finditer(prose.text)
    ]
    return sorted(found, key=lambda problem: (problem.line, problem.column))
