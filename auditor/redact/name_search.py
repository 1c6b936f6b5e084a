"""Find the names and ids of one tenant in texts and replace them, in one pass, the longest match first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from auditor.redact.hosts import host_key, names_customer
from auditor.redact.text_folding import Folded, folded, name_forms, spellings, without_spelt_out_letters
from auditor.redact.tokens import GUID, TOKEN
from auditor.redact.word_lists import word_lists

_ALONE = 6
"""A shorter name is replaced only where it is a whole word: Mail.Read does not mean a group named Mail."""
_SHORTEST = 2
_PREFIX = 3
_SPELT_OUT = 5
"""The shortest name that is also searched with one letter for ``ae``, ``oe``, ``ue`` and ``aa``."""

_EMAIL = re.compile(r"(?<![\w.+#~-])[\w.+#~-][\w.+#'~-]*@[\w-]+(?:\.[\w-]+)+")
"""An apostrophe can be part of it (``o'neil@…``); a quotation mark before it is not."""
_HOST = re.compile(r"(?<![\w-])(?:[\w-]+\.)+(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w-])")
_TWO_LETTERS = re.compile(r"(?<![^\W_])[^\W_]{2}(?![^\W_])")
_GUID_INSIDE = re.compile(rf"(?<![0-9a-z])(?:{GUID.pattern})(?![0-9a-z])")


class Replacement(NamedTuple):
    """A piece of a text, and the token that replaces it."""

    start: int
    end: int
    token: str


class FormRules(NamedTuple):
    """Replacements for what is recognised by its form: GUIDs, addresses and hosts. The same text back keeps it.

    `published` finds published names, which stay even where a group or a person has that name.
    """

    guid: Callable[[str], str]
    person: Callable[[str], str]
    host: Callable[[str], str]
    published: Callable[[str], Iterable[tuple[int, int]]] = lambda _: ()


class KnownNames:
    """The names, ids and domains of one tenant with their tokens."""

    def __init__(self, rules: FormRules) -> None:
        self._rules = rules
        self._whole: dict[str, str] = {}
        self._names: dict[str, tuple[str, bool]] = {}
        self._lengths: dict[str, set[int]] = defaultdict(set)
        self._two_letters: dict[str, str] = {}
        self._hosts: set[str] = set()

    def learn(self, value: str, token: str, *, alone: bool = False) -> None:
        """Replace `value` by `token` in every text; with `alone` only where it is a whole word."""
        self._whole.setdefault(value.lower(), token)
        if value.lower().strip() in word_lists().common_words:
            return
        for name in name_forms(value):
            self._learn_form(name, token, alone)
            short = without_spelt_out_letters(name)
            if short != name and len(short) >= _SPELT_OUT:
                self._learn_form(short, token, alone=True)

    def _learn_form(self, name: str, token: str, alone: bool) -> None:
        if len(name) < _SHORTEST or name in word_lists().common_words:
            return
        if len(name) < _PREFIX:
            self._two_letters.setdefault(name, token)
        elif name not in self._names or not alone:
            first = self._names.get(name, (token, alone))[0]
            self._names[name] = (first, alone or len(name) < _ALONE)
            self._lengths[name[:_PREFIX]].add(len(name))

    def learn_exact(self, value: str, token: str) -> None:
        """Replace `value` by `token` where it is the whole text; inside texts it is recognised by its form."""
        self._whole.setdefault(value.lower(), token)

    def learn_host(self, host: str) -> None:
        """Replace this domain and every host below it."""
        self._hosts.add(host_key(host))

    def addresses(self, text: str) -> list[str]:
        """The mail addresses in the text, folded."""
        return _EMAIL.findall(folded(text).text) if "@" in text or "%40" in text or "&#" in text else []

    def exact(self, value: str) -> str | None:
        """The token of the value, if the whole value was learned."""
        return self._whole.get(value.lower())

    def is_secret_host(self, host: str) -> bool:
        """Whether the host is the tenant's or contains a customer's name."""
        key = host_key(host)
        labels = key.split(".")
        return any(".".join(labels[i:]) in self._hosts for i in range(len(labels))) or names_customer(key)

    def scrubbed(self, text: str) -> str:
        """The text with tokens for everything learned, and for every address and id that is not public."""
        if not text:
            return text
        out, last = [], 0
        for found in _united(self._all(text)):
            out += [text[last : found.start], found.token]
            last = found.end
        return "".join([*out, text[last:]])

    def _all(self, text: str) -> Iterator[Replacement]:
        whole, *others = spellings(text)
        taken = [*((m.start(), m.end()) for m in TOKEN.finditer(text)), *self._rules.published(text)]
        for found in (*self._by_form(whole), *(piece for one in (whole, *others) for piece in self._by_name(one))):
            if not any(start <= found.start and found.end <= end for start, end in taken):
                yield found

    def _by_form(self, whole: Folded) -> Iterator[Replacement]:
        for match in _GUID_INSIDE.finditer(whole.text):
            if (token := self._rules.guid(match[0])) != match[0]:
                yield _at(whole, match.start(), match.end(), token)
        for match in _EMAIL.finditer(whole.text):
            yield _at(whole, match.start(), match.end(), self._rules.person(match[0]))
        for match in _HOST.finditer(whole.text):
            if self.is_secret_host(match[0]):
                yield _at(whole, match.start(), match.end(), self._rules.host(match[0]))

    def _by_name(self, whole: Folded) -> Iterator[Replacement]:
        for match in _TWO_LETTERS.finditer(whole.text) if self._two_letters else ():
            if (short := self._two_letters.get(match[0])) is not None:
                yield _at(whole, match.start(), match.end(), short)
        letters = whole.letters()
        text = letters.text
        for start in range(len(text) - _PREFIX + 1):
            for length in self._lengths.get(text[start : start + _PREFIX], ()):
                end = start + length
                found = self._names.get(text[start:end]) if end <= len(text) else None
                if found is not None and not (found[1] and _inside_a_word(letters, start, end)):
                    yield _at(letters, start, end, found[0])


def _at(where: Folded, start: int, end: int, token: str) -> Replacement:
    return Replacement(where.starts[start], where.ends[end - 1], token)


def _inside_a_word(letters: Folded, start: int, end: int) -> bool:
    """Whether a letter or digit is directly before or after the piece."""
    before = start > 0 and letters.ends[start - 1] == letters.starts[start]
    after = end < len(letters.text) and letters.starts[end] == letters.ends[end - 1]
    return before or after


def _united(found: Iterator[Replacement]) -> Iterator[Replacement]:
    """The pieces in order. Pieces that overlap become one, with the token of the longest."""
    longest: Replacement | None = None
    start = end = 0
    for piece in sorted(found, key=lambda f: (f.start, f.start - f.end)):
        if longest is not None and piece.start < end:
            end = max(end, piece.end)
            if piece.end - piece.start > longest.end - longest.start:
                longest = piece
            continue
        if longest is not None:
            yield Replacement(start, end, longest.token)
        longest, start, end = piece, piece.start, piece.end
    if longest is not None:
        yield Replacement(start, end, longest.token)
