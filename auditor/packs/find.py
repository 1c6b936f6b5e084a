"""Find packs by name, file, folder, or name on a search path."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from auditor.model.rule import App, Pack
from auditor.packs.load import load
from auditor.packs.pack_errors import PackError, Problem
from auditor.packs.sources import (
    Source,
    exists,
    file_source,
    folder_sources,
    is_path,
    path_of,
    shipped_names,
    shipped_source,
    unknown_pack,
)


class PackSummary(NamedTuple):
    """A shipped pack, as a list shows it."""

    name: str
    version: str
    title: str
    about: str
    app: App | None
    rules: int


def find(name: str) -> tuple[Source, ...]:
    """The text of the pack that `name` means, or of every pack in a folder. Raises PackError."""
    if not is_path(name):
        if name not in shipped_names():
            raise PackError([unknown_pack(name, (pack.name for pack in list_packs(benchmarks=True)))])
        return (shipped_source(name),)
    path = path_of(name)
    if exists(path) and path.is_dir():
        return folder_sources(path)
    return (file_source(path),)


def load_packs(
    names: Iterable[str], *, samples: Collection[str] | None = None, any_name: bool = False
) -> tuple[Pack, ...]:
    """The packs to check a tenant by, each once. Raises PackError with the problems of all of them.

    An abstract pack in a folder is skipped; an abstract pack named by itself is a mistake. With `any_name` a
    file may contain another version of a shipped pack.
    """
    packs: dict[str, Pack] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            sources = find(name)
        except PackError as error:
            problems.extend(error.problems)
            continue
        for source in sources:
            try:
                pack = load(source, samples=samples, any_name=any_name)
            except PackError as error:
                problems.extend(error.problems)
                continue
            if not pack.abstract:
                problems.extend(clash(pack, packs.setdefault(pack.name, pack)))
            elif len(sources) == 1:
                problems.append(_is_abstract(pack))
    if problems:
        raise PackError(problems)
    return tuple(packs.values())


def list_packs(*, abstract: bool = False, benchmarks: bool = False) -> tuple[PackSummary, ...]:
    """The shipped packs about an app, by name: the packs that a command without ``--pack`` uses.

    With `benchmarks` also those about the tenant alone, of which some read the whole directory; with
    `abstract` also those that only exist for others to extend.
    """
    packs = (load(shipped_source(name)) for name in shipped_names())
    wanted = (pack for pack in packs if (abstract or not pack.abstract) and (benchmarks or pack.app or pack.abstract))
    return tuple(_listed(pack) for pack in wanted)


def _listed(pack: Pack) -> PackSummary:
    return PackSummary(pack.name, pack.version, pack.title, pack.about, pack.app, len(pack.rules))


def clash(pack: Pack, first: Pack) -> Iterator[Problem]:
    """The problem of two different packs with one name: their findings could not be distinguished."""
    if pack.digest != first.digest:
        yield Problem(
            pack.origin, 0, 0, f'the pack "{pack.name}" is different from the pack of that name in {first.origin}'
        )


def _is_abstract(pack: Pack) -> Problem:
    others = [load(shipped_source(name)) for name in shipped_names()]
    heirs = [other.name for other in others if other.extends == pack.name and not other.abstract]
    instead = f" ({', '.join(heirs)})" if heirs else ""
    message = f'the pack "{pack.name}" is abstract: it only exists for others to extend{instead}'
    return Problem(pack.origin, 0, 0, message, expected="a pack that extends it")


class OwnPack(NamedTuple):
    """A pack on a search path, with the name in its text; the name is empty if the text has none."""

    name: str
    source: Source


def entries(text: str, separator: str) -> tuple[str, ...]:
    """The entries of a search path: packs, files and folders.

    They are separated by a comma, a line break or `separator` (``;`` on Windows, ``:`` elsewhere, as in PATH). A path
    may contain spaces; pack names can't, so spaces separate them too.
    """
    found: list[str] = []
    # The colon after a Windows drive letter isn't a separator, on any system.
    for part in re.split(rf"[,\r\n]|{re.escape(separator)}(?!\\)", text):
        entry = part.strip().strip('"')
        found.extend([entry] if is_path(entry) else entry.split())
    return tuple(dict.fromkeys(entry for entry in found if entry))


def own_packs(places: Iterable[str]) -> tuple[OwnPack, ...]:
    """The packs in the files and folders in `places`. Raises PackError for one that can't be read."""
    return tuple(own for own in own_files(places) if own.name)


def own_files(places: Iterable[str]) -> Iterator[OwnPack]:
    """The same, and every other file that isn't another kind of document: it may be a broken pack."""
    from auditor.packs.extend import is_other, pack_name

    for place in places:
        if is_path(place):
            path = path_of(place)
            sources = folder_sources(path) if exists(path) and path.is_dir() else (file_source(path),)
            yield from (OwnPack(pack_name(source), source) for source in sources if not is_other(source))


def place_of(name: str, places: Iterable[str]) -> str:
    """The path of the pack that `name` means, or `name` itself where it is a path or a shipped pack's name.

    Shipped packs come first, so that a name always means the same pack. Raises PackError.
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
