"""Terminal sessions in the docs: what the program says, shortened with lines of […] only.

A block ``console`` is a session. Lines after ``$`` are commands; what follows a command is its output, all of
it or, between lines that hold nothing but […], whole runs of its lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from tests.docs.pages import Fence, fences

CUT = "[…]"


class Shown(NamedTuple):
    """One command of a session and the runs of output lines that are shown of it."""

    command: str
    runs: tuple[tuple[str, ...], ...]
    cut_before: bool
    cut_after: bool


class Outdated(AssertionError):
    """The page shows what the program does not say."""


def sessions(page: str) -> Iterator[Shown]:
    """Every command of a page's sessions."""
    for fence in fences(page):
        if fence.language == "console":
            yield from _of(fence)


def page_renewed(page: str, said: Callable[[str], tuple[str, ...]]) -> str:
    """The page with the output of today in all of its sessions."""
    for fence in reversed(tuple(fences(page))):
        if fence.language == "console":
            fresh = "".join(renewed(shown, said(shown.command)) for shown in _of(fence))
            page = page[: fence.start] + fresh + page[fence.end :]
    return page


def _of(fence: Fence) -> Iterator[Shown]:
    return map(_shown, re.split(r"^\$ ", fence.text, flags=re.MULTILINE)[1:])


def _shown(part: str) -> Shown:
    command, _, rest = part.partition("\n")
    lines = rest.rstrip("\n").split("\n") if rest.strip() else []
    runs: list[list[str]] = [[]]
    for line in lines:
        if line == CUT:
            runs.append([])
        else:
            runs[-1].append(line)
    cut_before, cut_after = len(runs) > 1 and not runs[0], len(runs) > 1 and not runs[-1]
    return Shown(command, tuple(tuple(run) for run in runs if run), cut_before, cut_after)


def check(shown: Shown, said: tuple[str, ...]) -> None:
    """Raise Outdated unless `said` contains every run, in order, and only […] hides anything."""
    place = 0
    for number, run in enumerate(shown.runs):
        found = _find(run, said, place)
        if found is None or (number == 0 and not shown.cut_before and found):
            raise Outdated(f"$ {shown.command}\ndoes not say (any more):\n" + "\n".join(run))
        place = found + len(run)
    if not shown.cut_after and place != len(said):
        raise Outdated(f"$ {shown.command}\nsays more than is shown: {said[place]!r} …")


def renewed(shown: Shown, said: tuple[str, ...]) -> str:
    """The session with the output of today: each run from the line that it began with to the one it ended with.

    Of several such lines, the one counts that leaves the length most alike. If that line is gone, the run keeps its
    length.
    """
    text, place = [f"$ {shown.command}"], 0
    if shown.cut_before:
        text.append(CUT)
    for number, run in enumerate(shown.runs):
        first = _find(run[:1], said, place) if shown.cut_before or number else 0
        if first is None:
            raise Outdated(f"$ {shown.command}\nno longer says {run[0]!r}: choose other lines by hand")
        to_end = number == len(shown.runs) - 1 and not shown.cut_after
        expected = min(first + len(run), len(said)) - 1
        # The nearest one: a blank line, for example, is in many places.
        ends = [place for place in range(first, len(said)) if said[place] == run[-1]]
        last = len(said) - 1 if to_end else min(ends, key=lambda end: abs(end - expected), default=expected)
        text.extend([CUT] if number else [])
        text.extend(said[first : last + 1])
        place = last + 1
    if shown.cut_after:
        text.append(CUT)
    return "\n".join(text) + "\n"


def _find(run: tuple[str, ...], said: tuple[str, ...], start: int) -> int | None:
    size = len(run)
    return next((i for i in range(start, len(said) - size + 1) if said[i : i + size] == run), None)
