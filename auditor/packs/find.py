"""Find packs by what people call them: shipped names, files, folders, and names on a search path."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from auditor.model.app import App
from auditor.model.rule import Pack
from auditor.packs.extend import is_other, pack_name
from auditor.packs.load import load
from auditor.packs.pack_errors import PackError, Problem
from auditor.packs.plan import plan_for
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


class Listed(NamedTuple):
    """A shipped pack, as a list shows it."""

    name: str
    version: str
    title: str
    about: str
    app: App | None
    rules: int
    directory_wide: bool
    """Whether it reads sections page by page, so that its cost grows with the tenant."""


def find(name: str) -> tuple[Source, ...]:
    """The texts that `name` means: one, or those of every pack in a folder."""
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
    """The packs to check a tenant by, each once; a `PackError` tells the problems of all of them.

    An abstract pack of a folder is left out; one asked for by its own name or file is a mistake. With `any_name` a
    file may hold another version of a shipped pack.
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


def list_packs(*, abstract: bool = False, benchmarks: bool = False) -> tuple[Listed, ...]:
    """The shipped packs by name: those about an app, which is what a command without ``--pack`` means.

    With `benchmarks` also those about the tenant alone, of which some read the whole directory; with
    `abstract` also those that only serve others.
    """
    packs = (load(shipped_source(name)) for name in shipped_names())
    wanted = (pack for pack in packs if (abstract or not pack.abstract) and (benchmarks or pack.app or pack.abstract))
    return tuple(_listed(pack) for pack in wanted)


def _listed(pack: Pack) -> Listed:
    return Listed(
        pack.name, pack.version, pack.title, pack.about, pack.app, len(pack.rules), bool(plan_for([pack]).whole)
    )


def clash(pack: Pack, first: Pack) -> Iterator[Problem]:
    """Two different packs of one name would make findings that nobody can tell apart."""
    if pack.digest != first.digest:
        yield Problem(pack.origin, 0, 0, f'the pack "{pack.name}" is another one than that of {first.origin}')


def _is_abstract(pack: Pack) -> Problem:
    others = [load(shipped_source(name)) for name in shipped_names()]
    heirs = [other.name for other in others if other.extends == pack.name and not other.abstract]
    instead = f" ({', '.join(heirs)})" if heirs else ""
    message = f'the pack "{pack.name}" is abstract: it only serves others{instead} and has no tenant to judge'
    return Problem(pack.origin, 0, 0, message, expected="a pack that extends it")


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
