"""``packs list``: list the shipped rule packs and those in CONSENT_AUDITOR_PACKS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import PACKS_VARIABLE
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say, wants_colour, width
from auditor.model.errors import OK, USAGE

if TYPE_CHECKING:
    from auditor.model.rule import Pack


@click.command(
    "list",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor packs list
  consent-auditor packs list -f json""",
)
@click.option(
    "-f", "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="Format."
)
def command(form: str) -> int:
    """List the rule packs that you can use; the packs of the catalogue of apps are in "apps list".

    The packs that ship with the program come first, then those in the files and folders that CONSENT_AUDITOR_PACKS
    names. If a pack is broken, it is named on standard error, and the exit code is 2.
    """
    from auditor.jobs.pack_selection import shipped_packs

    packs = list(shipped_packs())
    broken: list[str] = []
    own = list(_own(broken))
    if form == "json":
        click.echo(json.dumps([*map(_fields, packs), *map(_fields, own)], indent=2, ensure_ascii=False))
    else:
        _print(packs, own)
        click.echo("\nFor apps of other vendors: consent-auditor apps list")
    for line in broken:
        say(line)
    return USAGE if broken else OK


def _own(broken: list[str]) -> Iterator[Pack]:
    """The packs in CONSENT_AUDITOR_PACKS; messages about broken ones are added to `broken`."""
    from auditor.jobs.pack_selection import PackError, load, names_in_environment, own_pack_files

    for place in names_in_environment():
        try:
            found = own_pack_files(place)
        except PackError as error:
            broken.append(f"A path in {PACKS_VARIABLE} has no pack: {error}")
            continue
        for own in found:
            try:
                pack = load(own.source)
            except PackError:
                label = own.source.label
                broken.append(
                    f"Broken and not listed: {label}. To see why: consent-auditor packs lint {_quoted(label)}"
                )
                continue
            if not pack.abstract:
                yield pack


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path


def _print(packs: list[Pack], own: list[Pack]) -> None:
    from auditor.render.text_layout import Palette, TableCell, TableColumn, safe, table

    rows = [
        [
            TableCell(pack.name, below=pack.origin if pack in own else ""),
            TableCell(pack.version),
            TableCell(str(len(pack.rules))),
            TableCell(safe(pack.title), below=f"app {pack.app.client_id}" if pack.app else _cost(pack)),
        ]
        for pack in (*packs, *own)
    ]
    heads = [
        TableColumn("Pack", 10),
        TableColumn("Version", 7),
        TableColumn("Rules", 5, align="right"),
        TableColumn("For", 20, wish=30),
    ]
    for line in table(heads, rows, width(), Palette(wants_colour())):
        click.echo(line)


def _cost(pack: Pack) -> str:
    from auditor.jobs.pack_selection import reads_whole_directory

    return "reads the whole directory" if reads_whole_directory(pack) else ""


def _fields(pack: Pack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "version": pack.version,
        "title": pack.title,
        "about": pack.about,
        "app": pack.app.client_id if pack.app else None,
        "rules": len(pack.rules),
        "origin": pack.origin,
        "digest": pack.digest,
    }
