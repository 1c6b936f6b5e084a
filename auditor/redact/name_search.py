"""The names and ids of one tenant, and texts without them: everything found in one pass, the longest first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from auditor.redact.common_words import ORDINARY
from auditor.redact.hosts import host_key, names_customer
from auditor.redact.text_folding import Folded, fold, folded
from auditor.redact.tokens import GUID, TOKEN

_ALONE = 6
"""Shorter names count only where they stand alone: a group named Mail is not meant by every Mail.Read."""
_SHORTEST = 2
_PREFIX = 3

_EMAIL = re.compile(r"(?<![\w.+#~-])[\w.+#~-][\w.+#'~-]*@[\w-]+(?:\.[\w-]+)+")
"""A quote may stand inside (``o'neil@…``); one before it is no part of it."""
_HOST = re.compile(r"(?<![\w-])(?:[\w-]+\.)+(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-])")
_TWO_LETTERS = re.compile(r"(?<![^\W_])[^\W_]{2}(?![^\W_])")
_GUID_INSIDE = re.compile(rf"(?<![0-9a-z])(?:{GUID.pattern})(?![0-9a-z])")


class Found(NamedTuple):
    """A piece of a text that must go, and what stands for it."""

    start: int
    end: int
    token: str


class Shapes(NamedTuple):
    """What to put for things that show by their shape: the same text back means that they stay.

    `kept` finds what is published, and stays where a group or person has that name.
    """

    guid: Callable[[str], str]
    person: Callable[[str], str]
    host: Callable[[str], str]
    kept: Callable[[str], Iterable[tuple[int, int]]] = lambda _: ()


class Dictionary:
    """What was learned of a tenant."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._whole: dict[str, str] = {}
        self._by_prefix: dict[str, dict[str, tuple[str, bool]]] = defaultdict(dict)
        self._two_letters: dict[str, str] = {}
        self._hosts: set[str] = set()

    def learn(self, value: str, token: str, *, alone: bool = False) -> None:
        """Replace `value` by `token` wherever it stands; with `alone` only where it is no part of a longer word."""
        self._whole.setdefault(value.lower(), token)
        name = fold(value)
        if len(name) < _SHORTEST or value.lower().strip() in ORDINARY:
            return
        if len(name) < _PREFIX:
            self._two_letters.setdefault(name, token)
            return
        known = self._by_prefix[name[:_PREFIX]]
        if name not in known or not alone:
            first = known.get(name, (token, alone))[0]
            known[name] = (first, alone or len(name) < _ALONE)

    def learn_exact(self, value: str, token: str) -> None:
        """Know `value` by its token where it stands alone; texts are searched for its shape instead."""
        self._whole.setdefault(value.lower(), token)

    def learn_host(self, host: str) -> None:
        """Replace this domain and every name below it."""
        self._hosts.add(host_key(host))

    def exact(self, value: str) -> str | None:
        """The token of something learned, if the value is that and nothing more."""
        return self._whole.get(value.lower())

    def is_secret_host(self, host: str) -> bool:
        """Whether the host is the tenant's, or has a customer's name in it."""
        key = host_key(host)
        labels = key.split(".")
        return any(".".join(labels[i:]) in self._hosts for i in range(len(labels))) or names_customer(key)

    def scrubbed(self, text: str) -> str:
        """The text with tokens for all that is learned, and for every address and id that is not public."""
        if not text:
            return text
        out, last = [], 0
        for found in _united(self._all(text)):
            out += [text[last : found.start], found.token]
            last = found.end
        return "".join([*out, text[last:]])

    def _all(self, text: str) -> Iterator[Found]:
        whole = folded(text)
        taken = [*((m.start(), m.end()) for m in TOKEN.finditer(text)), *self._shapes.kept(text)]
        for found in (*self._by_shape(text, whole), *self._by_name(whole)):
            if not any(start <= found.start and found.end <= end for start, end in taken):
                yield found

    def _by_shape(self, text: str, whole: Folded) -> Iterator[Found]:
        for match in _GUID_INSIDE.finditer(whole.text):
            if (token := self._shapes.guid(match[0])) != match[0]:
                yield _place(whole, match.start(), match.end(), token)
        for match in _EMAIL.finditer(whole.text):
            yield _place(whole, match.start(), match.end(), self._shapes.person(match[0]))
        for match in _HOST.finditer(whole.text):
            if self.is_secret_host(match[0]):
                yield _place(whole, match.start(), match.end(), self._shapes.host(match[0]))

    def _by_name(self, whole: Folded) -> Iterator[Found]:
        for match in _TWO_LETTERS.finditer(whole.text) if self._two_letters else ():
            if (short := self._two_letters.get(match[0])) is not None:
                yield _place(whole, match.start(), match.end(), short)
        letters = whole.letters()
        for start in range(len(letters.text) - _PREFIX + 1):
            candidates = self._by_prefix.get(letters.text[start : start + _PREFIX])
            for name, (token, alone) in candidates.items() if candidates else ():
                end = start + len(name)
                if letters.text.startswith(name, start) and not (alone and _inside_a_word(whole, letters, start, end)):
                    yield _place(letters, start, end, token)


def _place(where: Folded, start: int, end: int, token: str) -> Found:
    return Found(where.starts[start], where.ends[end - 1], token)


def _inside_a_word(whole: Folded, letters: Folded, start: int, end: int) -> bool:
    """Whether a letter or digit touches the piece on either side."""
    before = start > 0 and letters.ends[start - 1] == letters.starts[start]
    after = end < len(letters.text) and letters.starts[end] == letters.ends[end - 1]
    return before or after


def _united(found: Iterator[Found]) -> Iterator[Found]:
    """Pieces in their order; where some overlap, all of it goes, under the token of the longest."""
    longest: Found | None = None
    start = end = 0
    for piece in sorted(found, key=lambda f: (f.start, f.start - f.end)):
        if longest is not None and piece.start < end:
            end = max(end, piece.end)
            if piece.end - piece.start > longest.end - longest.start:
                longest = piece
            continue
        if longest is not None:
            yield Found(start, end, longest.token)
        longest, start, end = piece, piece.start, piece.end
    if longest is not None:
        yield Found(start, end, longest.token)
