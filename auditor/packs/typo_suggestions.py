"""Slips of the hand: which known name or id a text was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from auditor.consent.request import is_guid
from auditor.packs.pack_errors import nearest

SURE = 0.8
"""How alike two texts must be for one to be taken for a slip of the other, where unknown texts may be meant."""
_FEWEST = 3
"""Letters that an abbreviation has."""
_MOST = 0.6
"""How much of a name must be there for it to be one that breaks off."""
_SHORT = 4
_SHORT_SURE = 0.65
"""Letters of a short word, and how alike it must be: ``Rd`` to ``Read``, but not ``ReadWrite``."""
_SERIES = re.compile(r"0000[0-9a-f]{4}-0000-(0000-c000|0ff1-ce00)-000000000000")
"""Ids that Microsoft gave to its first services in a row: neighbours differ in one digit and are all real."""
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
"""Services of that row whose scopes no table lists."""


def slip_of(text: str, known: Iterable[str], sure: float = SURE) -> str:
    """The known text of which `text` is a misspelling or an abbreviation, or nothing; case does not count."""
    words, low = tuple(known), text.lower()
    if found := nearest(low, words, sure):
        return found
    short = [word for word in words if len(low) >= _FEWEST and word.lower().startswith(low)]
    return short[0] if len(short) == 1 else ""


def slip_of_name(text: str, known: Iterable[str], *, is_plausible: bool) -> str:
    """The known name, of words with dots between, of which `text` is a slip; nothing where it may be another name.

    One letter is a slip, and so is a known name that breaks off. A name that is plausible is no other slip; of others
    each word must be like the one that stands in its place, for ``Report.Reshare`` is not ``Report.Read``.
    """
    names, low = tuple(known), text.lower()
    for name in names:
        whole = name.lower()
        if is_one_slip(low, whole) or (whole.startswith(low) and len(low) >= len(whole) * _MOST):
            return name
    if "." in low and (name := next((name for name in names if name.lower().startswith(f"{low}.")), "")):
        return name
    return "" if is_plausible else next((name for name in names if _are_alike(low, name.lower())), "")


def _are_alike(a: str, b: str) -> bool:
    """Whether the names have as many words, each like the other's; of a short word fewer letters are enough."""
    pairs = list(zip(a.split("."), b.split("."), strict=False))
    alike = all(nearest(x, (y,), SURE if len(y) > _SHORT else _SHORT_SURE) for x, y in pairs)
    return alike and a.count(".") == b.count(".")


def is_one_slip(a: str, b: str) -> bool:
    """Whether one letter was added, lost or changed, or two neighbours swapped."""
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    return max(len(a), len(b)) <= 1 or (len(a) == 2 and a == b[::-1])


def slip_of_guid(text: str, known: Iterable[str]) -> str:
    """The known id from which `text` differs in one or two digits; nothing where it is known itself."""
    return next((one for one in _almost(text, known) if not _are_neighbours(text.lower(), one)), "")


def neighbour_of_guid(text: str, known: Iterable[str]) -> str:
    """The known id beside which `text` stands in a row of Microsoft's own ids, so that it may be meant."""
    beside = (one for one in _almost(text, known) if _are_neighbours(text.lower(), one))
    return "" if text.lower() in _OTHERS else next(beside, "")


def _almost(text: str, known: Iterable[str]) -> tuple[str, ...]:
    low, ids = text.lower(), tuple(known)
    if low in ids or not is_guid(low):
        return ()
    return tuple(one for one in ids if sum(a != b for a, b in zip(low, one, strict=True)) <= 2)


def _are_neighbours(a: str, b: str) -> bool:
    return bool(_SERIES.fullmatch(a) and _SERIES.fullmatch(b)) and a[8:] == b[8:]
