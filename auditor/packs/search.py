"""Packs of one's own by name: those that a search path of files and folders holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from auditor.packs.errors import PackError, Problem
from auditor.packs.extend import is_other, pack_name
from auditor.packs.sources import (
    Source,
    exists,
    file_source,
    folder_sources,
    is_path,
    path_of,
    shipped_names,
    unknown_pack,
)


class Own(NamedTuple):
    """A pack of a search path, under the name that its text gives it; without one where that cannot be told."""

    name: str
    source: Source


def entries(text: str, separator: str) -> tuple[str, ...]:
    """What a search path names: packs, files and folders.

    A comma, a line break or `separator` (``;`` on Windows, ``:`` elsewhere, as in PATH) stands between them. A path
    may hold blanks; names of packs cannot, so that blanks between names separate them, too.
    """
    found: list[str] = []
    # The colon of a Windows drive separates nothing, wherever the text came from.
    for part in re.split(rf"[,\r\n]|{re.escape(separator)}(?!\\)", text):
        entry = part.strip().strip('"')
        found.extend([entry] if is_path(entry) else entry.split())
    return tuple(dict.fromkeys(entry for entry in found if entry))


def own_packs(places: Iterable[str]) -> tuple[Own, ...]:
    """The packs in the files and folders among `places`. Raises PackError for a place that cannot be read."""
    return tuple(own for own in own_files(places) if own.name)


def own_files(places: Iterable[str]) -> Iterator[Own]:
    """The same, and every file besides that is no other kind of document: it may be a pack that is broken."""
    for place in places:
        if is_path(place):
            path = path_of(place)
            sources = folder_sources(path) if exists(path) and path.is_dir() else (file_source(path),)
            yield from (Own(pack_name(source), source) for source in sources if not is_other(source))


def place_of(name: str, places: Iterable[str]) -> str:
    """The path of the pack that `name` means, or `name` itself where it is a path or a shipped pack's name.

    Shipped packs come first, so that nobody is audited by another pack than its name says. Raises PackError.
    """
    if is_path(name) or name in (shipped := shipped_names()):
        return name
    own = own_packs(places)
    labels = tuple(dict.fromkeys(pack.source.label for pack in own if pack.name == name))
    if len(labels) == 1:
        return labels[0]
    if labels:
        message = f'several packs are called "{name}": {", ".join(labels)}'
        raise PackError([Problem("", 0, 0, message, expected="the path of one of them")])
    if own:
        raise PackError([unknown_pack(name, (*shipped, *(pack.name for pack in own)))])
    return name
