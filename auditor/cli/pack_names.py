"""What people call packs on the command line: shipped names, files, folders, and names of their own packs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from auditor.packs.sources import Source

VARIABLE = "CONSENT_AUDITOR_PACKS"
NAMES_HELP = "a shipped one by name, a YAML file, or a folder of them"


class PackName(click.types.StringParamType):
    """A pack as people call it. In the environment several stand in one variable."""

    name = "pack"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """The entries of the variable: as `auditor.packs.find` splits a search path."""
        from auditor.packs.find import entries

        return entries(rv, os.pathsep)


def named_in_environment() -> tuple[str, ...]:
    """What CONSENT_AUDITOR_PACKS names: packs to use by default, and places where packs are found by name."""
    return tuple(PackName().split_envvar_value(os.environ.get(VARIABLE, "")))


def resolved(names: Iterable[str]) -> tuple[str, ...]:
    """The names with those of people's own packs turned into their files. Raises PackError."""
    names = tuple(names)
    if not names:
        return ()
    from auditor.packs.find import place_of

    places = named_in_environment()
    return tuple(place_of(name, places) if name else name for name in names)


def asked_sources(names: Iterable[str]) -> Iterator[tuple[Source, ...]]:
    """The texts behind each name; without any, of what the environment names, else of every shipped pack.

    Raises PackError for a name that leads nowhere, at its turn.
    """
    from auditor.packs.find import find
    from auditor.packs.sources import shipped_names

    for name in tuple(names) or named_in_environment() or shipped_names():
        (place,) = resolved((name,))
        yield find(place)


def packs_argument(*, required: bool = False) -> click.Argument:
    """``PACK…``: any number of packs, by name, file or folder."""
    return click.Argument(
        ["packs"], nargs=-1, required=required, metavar="[PACK|FILE|FOLDER]...", shell_complete=complete_packs
    )


def complete_packs(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of shipped packs and of one's own, and files."""
    from auditor.packs.sources import is_path

    if is_path(incomplete):
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(name) for name in known_names() if name.startswith(incomplete)]


def known_names(*, abstract: bool = False) -> tuple[str, ...]:
    """The names of the shipped packs, then those of one's own that the environment leads to."""
    from auditor.packs.find import list_packs, own_packs
    from auditor.packs.pack_errors import PackError

    shipped = [pack.name for pack in list_packs(benchmarks=True, abstract=abstract)]
    try:
        own = [pack.name for pack in own_packs(named_in_environment())]
    except PackError:
        own = []
    return tuple(dict.fromkeys([*shipped, *own]))
