"""The names that people give to packs → packs: shipped ones by name, files and folders by path."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from auditor.model.app import App
from auditor.model.rule import Pack
from auditor.packs.errors import PackError, Problem
from auditor.packs.load import load
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
