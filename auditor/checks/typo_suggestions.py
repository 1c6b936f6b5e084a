"""Which known name or id a mistyped text was probably meant to be, and how to say so."""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.facts.ids import is_guid

LIKELY_TYPO = 0.8
"""The least similarity, from 0 to 1, of a typo to the known text, where unknown texts may be valid too."""
_ABBREVIATION_LETTERS = 3
"""The least letters of an abbreviation."""
_TRUNCATED = 0.6
"""The least part of a name that counts as the name cut off."""
_SHORT_WORD = 4
_SHORT_WORD_SIMILARITY = 0.65
"""The letters of a short word, and the least similarity of a typo of one: ``Rd`` to ``Read``, but not ``ReadWrite``."""
_SERIES = re.compile(r"0000[0-9a-f]{4}-0000-(0000-c000|0ff1-ce00)-000000000000")
"""Microsoft numbered the ids of its first services consecutively: neighbors differ in one digit, and all exist."""
_OTHERS = frozenset(
    {
        "00000001-0000-0000-c000-000000000000",  # Azure ESTS Service
        "00000002-0000-0000-c000-000000000000",  # Azure AD Graph, retired, and in every old tenant
        "0000000a-0000-0000-c000-000000000000",  # Microsoft Intune
        "0000000c-0000-0000-c000-000000000000",  # Microsoft App Access Panel
        "00000012-0000-0000-c000-000000000000",  # Microsoft Rights Management Services
        "00000014-0000-0000-c000-000000000000",  # Microsoft.Azure.SyncFabric
        "00000015-0000-0000-c000-000000000000",  # Microsoft Dynamics ERP
        "00000004-0000-0ff1-ce00-000000000000",  # Skype for Business Online
        "00000005-0000-0ff1-ce00-000000000000",  # Office 365 Yammer
        "00000006-0000-0ff1-ce00-000000000000",  # Microsoft Office 365 Portal
    }
)
"""Services of that series whose scopes no table lists."""


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word that `word` was probably meant to be, or an empty text; letter case doesn't matter.

    `cutoff` is the least similarity, from 0 to 1.
    """
    from difflib import get_close_matches

    by_lower = {name.lower(): name for name in known}
    close = get_close_matches(word.lower()[:80], by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else ""


def likely_names(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """Every known name that begins with `word`, or else all names that are equally near to it, in their order."""
    from difflib import SequenceMatcher

    names, low = tuple(known), word.lower()[:80]
    if longer := tuple(name for name in names if low and name.lower().startswith(low)):
        return longer
    similarity = {name: SequenceMatcher(None, low, name.lower()).ratio() for name in names if nearest(low, (name,))}
    return tuple(name for name in similarity if similarity[name] == max(similarity.values()))


def typo_of(text: str, known: Iterable[str]) -> str:
    """The known text that `text` misspells or abbreviates, or an empty text; letter case doesn't matter."""
    words, low = tuple(known), text.lower()
    if found := nearest(low, words, LIKELY_TYPO):
        return found
    short = [word for word in words if len(low) >= _ABBREVIATION_LETTERS and word.lower().startswith(low)]
    return short[0] if len(short) == 1 else ""


def typo_of_name(text: str, known: Iterable[str], *, is_plausible: bool) -> str:
    """The known name, of words joined by dots, that `text` misspells; empty where it may be another name.

    A name with one wrong letter is a typo, and so is a known name that is cut off. Any other change to a plausible
    name isn't a typo. In other names each word must resemble the word in its place: ``Report.Reshare`` isn't
    ``Report.Read``.
    """
    names, low = tuple(known), text.lower()
    for name in names:
        whole = name.lower()
        if is_one_typo(low, whole) or (whole.startswith(low) and len(low) >= len(whole) * _TRUNCATED):
            return name
    if "." in low and (name := next((name for name in names if name.lower().startswith(f"{low}.")), "")):
        return name
    return "" if is_plausible else next((name for name in names if _are_similar(low, name.lower())), "")


def _are_similar(a: str, b: str) -> bool:
    """Whether the names have the same number of words, each similar to the other's; a short word may differ more."""
    pairs = list(zip(a.split("."), b.split("."), strict=False))
    similar = all(nearest(x, (y,), LIKELY_TYPO if len(y) > _SHORT_WORD else _SHORT_WORD_SIMILARITY) for x, y in pairs)
    return similar and a.count(".") == b.count(".")


def is_one_typo(a: str, b: str) -> bool:
    """Whether one letter was added, removed or changed, or two neighboring letters were swapped."""
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return max(len(a), len(b)) <= 1 or (len(a) == 2 and a == b[::-1])


def typo_of_guid(text: str, known: Iterable[str]) -> str:
    """The known id that differs from `text` in one or two digits; empty if `text` is known."""
    return next((one for one in _almost(text, known) if not _are_neighbors(text.lower(), one)), "")


def neighbor_of_guid(text: str, known: Iterable[str]) -> str:
    """The known id next to `text` in a series of Microsoft's ids, where both may exist."""
    beside = (one for one in _almost(text, known) if _are_neighbors(text.lower(), one))
    return "" if text.lower() in _OTHERS else next(beside, "")


def _almost(text: str, known: Iterable[str]) -> tuple[str, ...]:
    low, ids = text.lower(), tuple(known)
    if low in ids or not is_guid(low):
        return ()
    return tuple(one for one in ids if sum(a != b for a, b in zip(low, one, strict=True)) <= 2)


def _are_neighbors(a: str, b: str) -> bool:
    return bool(_SERIES.fullmatch(a) and _SERIES.fullmatch(b)) and a[8:] == b[8:]
