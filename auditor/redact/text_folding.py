"""Text folded for the search for names: letter case, accents, width, escapes and national spellings do not count.

``Müller``, ``MULLER``, ``M%C3%BCller``, ``M&uuml;ller`` and the same in full-width letters all fold to ``muller``, and
``Ødegård`` to ``odegard``. `spellings` and `name_forms` also find ``Mueller`` and ``Oedegaard``.
Every folded character keeps its position in the original, so that a match can be cut out there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from auditor.redact.word_lists import word_lists

_ROUNDS = 3
"""How many times a text may have been escaped."""
_ESCAPE = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|(?P<unicode>(?:\\u[0-9A-Fa-f]{4})+)"
    r"|&(?:#[0-9]{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};"
    r"|(?:[A-Za-z](?:uml|acute|grave|circ|tilde|cedil|ring|slash)|(?:AE|ae|sz)lig|eth|ETH|thorn|THORN))"
)
"""Escapes of URLs, of JSON, and of HTML, where the old names of letters need no semicolon."""
_MOST_FORMS = 16
_Character = tuple[str, int, int]


class Folded(NamedTuple):
    """A folded text; `starts` and `ends` are the positions of its characters in the original."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def letters(self) -> Folded:
        """The letters and digits only, so that blanks, dashes and dots between the words of a name do not count."""
        kept = [i for i, c in enumerate(self.text) if c.isalnum()]
        return Folded(
            "".join(self.text[i] for i in kept),
            tuple(self.starts[i] for i in kept),
            tuple(self.ends[i] for i in kept),
        )


def folded(text: str) -> Folded:
    """The folded text with the original positions; a letter with a mark is the letter without it."""
    if _is_plain(text):
        return _lower(text)
    return _folded(_characters(text), _fold)


def spellings(text: str) -> tuple[Folded, ...]:
    """The folded text, and, if it is another one, the text folded as Germans and Danes write it in ASCII."""
    if _is_plain(text):
        return (_lower(text),)
    characters = _characters(text)
    plain, long = _folded(characters, _fold), _folded(characters, _spell_out)
    return (plain,) if plain.text == long.text else (plain, long)


def fold(text: str) -> str:
    """The folded letters and digits of a text: the form by which a name is known."""
    return folded(text).letters().text


def name_forms(name: str) -> frozenset[str]:
    """Every form in which the letters and digits of a name may be found in a text that `spellings` folded.

    Marks are left out (``odegard``) or letters spelt out (``oedegaard``), each letter for itself. If there are too many
    combinations, it is all letters in one way or all in the other.
    """
    if _is_plain(name):
        return frozenset((_letters(name.lower()),))
    ways = [tuple(dict.fromkeys((_fold(c), _spell_out(c)))) for c, _, _ in _characters(name)]
    combinations = 1
    for way in ways:
        combinations *= len(way)
    if combinations <= _MOST_FORMS:
        return frozenset(_letters("".join(form)) for form in product(*ways))
    return frozenset(_letters("".join(way[end] for way in ways)) for end in (0, -1))


def without_spelt_out_letters(form: str) -> str:
    """The form with one letter for each that may be spelt out: ``muller`` for ``mueller``."""
    return re.sub("|".join(sorted(set(word_lists().spelt_out_letters.values()))), lambda found: found[0][0], form)


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


def _is_plain(text: str) -> bool:
    """Whether only letter case has to be folded."""
    return text.isascii() and not (("%" in text or "&" in text or "\\" in text) and _ESCAPE.search(text))


def _lower(text: str) -> Folded:
    positions = tuple(range(len(text) + 1))
    return Folded(text.lower(), positions[:-1], positions[1:])


def _characters(text: str) -> list[_Character]:
    """The unescaped characters with their positions, each letter together with its marks."""
    characters: list[_Character] = [(c, i, i + 1) for i, c in enumerate(text)]
    for _ in range(_ROUNDS):
        decoded = _decoded(characters)
        if decoded is characters:
            break
        characters = decoded
    return _composed(characters)


def _composed(characters: list[_Character]) -> list[_Character]:
    out: list[_Character] = []
    for character, start, end in characters:
        if out and unicodedata.combining(character):
            before, first, _ = out[-1]
            out[-1] = (unicodedata.normalize("NFC", before + character), first, end)
        else:
            out.append((character, start, end))
    return out


def _folded(characters: list[_Character], way: Callable[[str], str]) -> Folded:
    out: list[_Character] = []
    for character, start, end in characters:
        out.extend((c, start, end) for c in way(character))
    return Folded("".join(c for c, _, _ in out), tuple(s for _, s, _ in out), tuple(e for _, _, e in out))


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    letters = word_lists().letters
    return "".join(letters.get(c, c) for c in plain if unicodedata.category(c) not in ("Mn", "Cf"))


@lru_cache(maxsize=4096)
def _spell_out(character: str) -> str:
    small = unicodedata.normalize("NFC", character.casefold())
    return word_lists().spelt_out_letters.get(small) or _fold(character)


def _decoded(characters: list[_Character]) -> list[_Character]:
    """The characters with escapes decoded once; the same list if there are none."""
    text = "".join(c for c, _, _ in characters)
    out: list[_Character] = []
    last = 0
    for found in _ESCAPE.finditer(text):
        out += characters[last : found.start()]
        for decoded, first, end in _unescaped(found):
            start, stop = found.start() + first, found.start() + end
            out.append((decoded, characters[start][1], characters[stop - 1][2]))
        last = found.end()
    return [*out, *characters[last:]] if last else characters


def _unescaped(found: re.Match[str]) -> Iterator[_Character]:
    """The characters of an escape, each with its positions in it."""
    text = found[0]
    if found["percent"]:
        yield from _of_bytes(bytes.fromhex(text.replace("%", "")))
    elif found["unicode"]:
        units = bytes.fromhex(text.replace("\\u", "")).decode("utf-16-be", "replace")
        place = 0
        for c in units:
            width = 12 if ord(c) > 0xFFFF else 6
            yield c, place, min(place + width, len(text))
            place += width
    else:
        from html import unescape

        for c in unescape(text):
            yield c, 0, len(text)


def _of_bytes(data: bytes) -> Iterator[_Character]:
    """The characters of percent-encoded bytes: UTF-8, and Latin-1 for a byte that isn't."""
    place = 0
    while place < len(data):
        for length in (1, 2, 3, 4):
            try:
                character = data[place : place + length].decode("utf-8")
            except UnicodeDecodeError:
                continue
            break
        else:
            character, length = chr(data[place]), 1
        length = min(length, len(data) - place)
        yield character, 3 * place, 3 * (place + length)
        place += length
