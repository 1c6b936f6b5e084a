"""``packs permissions``: print the least privileged permissions for packs, as a table or for an app registration."""

from __future__ import annotations

import json

import click

from auditor.cli.options import pack_option, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say, width
from auditor.model.errors import OK

TABLE, ACCESS = "table", "requiredResourceAccess"
_IN_A_FILE = 120
"""The width of a table that is written to a file, in columns."""


@click.command(
    "permissions",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor packs permissions --pack trackerrms-uk
  consent-auditor packs permissions -f requiredResourceAccess -o access.json
  az ad app create --display-name Audit --required-resource-accesses @access.json""",
)
@pack_option
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice((TABLE, ACCESS), case_sensitive=False),
    help="A table, or the JSON that az and the manifest of an app registration accept."
    f" Default: {ACCESS} if the file ends in .json, else {TABLE}.",
)
@click.option("-o", "--output", metavar="FILE", help="Where to write. Default: the terminal.")
def command(packs: tuple[str, ...], form: str | None, output: str | None) -> int:
    """Print the least privileged application permissions that the packs need to read a tenant.

    Without --pack, it prints the permissions for the shipped packs about an app.
    """
    refuse_empty()
    from auditor.jobs.audit_request import PIPE, must_be_writable
    from auditor.jobs.pack_authoring import needed_permissions, permission_rows, permissions_manifest

    file = "" if output in (None, PIPE) else str(output)
    if file:
        must_be_writable(file)
    needed = needed_permissions(packs)
    by_ending = ACCESS if file.lower().endswith(".json") else TABLE
    if (form or by_ending) == ACCESS:
        text = json.dumps(permissions_manifest(needed), indent=2) + "\n"
    else:
        text = _table(permission_rows(needed), _IN_A_FILE if file else width())
    if not file:
        click.echo(text, nl=False)
        return OK
    from auditor.atomic import write_whole

    write_whole(file, text.encode(), keep_mode=True)
    say(f"Wrote {file}")
    return OK


def _table(rows: list[tuple[str, str, str, str]], columns: int) -> str:
    from auditor.render.text_layout import Palette, TableCell, TableColumn, table

    heads = (
        # As wide as an ID, so that it can be copied whole.
        TableColumn("Graph permission and app role ID", 36, wish=36),
        TableColumn("Reads", 10, wish=40),
    )
    cells = [
        [TableCell(name if other == "-" else f"{name}, or {other}", below=role), TableCell(reads)]
        for name, role, other, reads in rows
    ]
    lines = table(heads, cells, columns, Palette(colour=False))
    return "".join(f"{line}\n" for line in lines)
