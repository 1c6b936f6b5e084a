"""Text folded for the search for names: letter case, accents, width and URL escapes do not count.

``Müller``, ``MULLER``, ``M%C3%BCller`` and the same in full-width letters all fold to ``muller``. Every folded
character keeps its position in the original, so that a match can be cut out there.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_ROUNDS = 3
"""How many times a text may have been URL-encoded."""
_ESCAPES = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
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
    """The folded text with the original positions."""
    if text.isascii() and "%" not in text:
        positions = range(len(text) + 1)
        return Folded(text.lower(), tuple(positions[:-1]), tuple(positions[1:]))
    characters: list[_Character] = [(c, i, i + 1) for i, c in enumerate(text)]
    for _ in range(_ROUNDS):
        decoded = _decoded(characters)
        if decoded is characters:
            break
        characters = decoded
    out: list[_Character] = []
    for character, start, end in characters:
        small = _fold(character)
        if not small and out:  # a combining accent belongs to the preceding letter
            out[-1] = (out[-1][0], out[-1][1], end)
        out.extend((c, start, end) for c in small)
    return Folded("".join(c for c, _, _ in out), tuple(s for _, s, _ in out), tuple(e for _, _, e in out))


def fold(text: str) -> str:
    """The folded letters and digits of a text: the form in which names are stored."""
    return folded(text).letters().text


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(c for c in plain if unicodedata.category(c) not in ("Mn", "Cf"))


def _decoded(characters: list[_Character]) -> list[_Character]:
    """The characters with URL escapes decoded once; the same list if there are none."""
    text = "".join(c for c, _, _ in characters)
    if len(text) != len(characters) or "%" not in text:
        return characters
    out: list[_Character] = []
    last = 0
    for run in _ESCAPES.finditer(text):
        out += characters[last : run.start()]
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        begun = run.start()
        for place in range(run.start(), run.end(), 3):
            made = decoder.decode(bytes([int(text[place + 1 : place + 3], 16)]))
            if made:
                out += [(c, characters[begun][1], characters[place + 2][2]) for c in made]
                begun = place + 3
        last = run.end()
    if not last:
        return characters
    return [*out, *characters[last:]]
