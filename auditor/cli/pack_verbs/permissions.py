"""``packs permissions``: the least permissions that packs need, for people and for an app registration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from auditor.atomic import write_whole
from auditor.cli import exits
from auditor.cli.asked import refuse_empty
from auditor.cli.options import pack_option
from auditor.cli.output import must_be_writable

if TYPE_CHECKING:
    from auditor.checks.reads import Needed

TABLE, ACCESS = "table", "requiredResourceAccess"


@click.command(
    "permissions",
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
    help="table, or the JSON that az and the manifest of an app registration take."
    f" Default: {ACCESS} for a file that ends in .json, else {TABLE}.",
)
@click.option("-o", "--output", metavar="FILE", help="Where to write. Default: the terminal.")
def command(packs: tuple[str, ...], form: str | None, output: str | None) -> int:
    """Print the least application permissions that the packs' reads need.

    Without --pack, those of the shipped packs that are about an app.
    """
    refuse_empty()
    to_file = output is not None and output != "-"
    if to_file:
        must_be_writable(str(output))
    from auditor.checks.reads import permissions_for, plan_for
    from auditor.packs.find import list_packs, load_packs

    names = packs or tuple(pack.name for pack in list_packs())
    needed = permissions_for(plan_for(load_packs(names)))
    by_ending = ACCESS if str(output or "").lower().endswith(".json") else TABLE
    text = _access(needed) if (form or by_ending) == ACCESS else _table(needed)
    if to_file:
        write_whole(str(output), text.encode(), keep_mode=True)
        click.echo(f"Wrote {output}", err=True)
    else:
        click.echo(text, nl=False)
    return exits.OK


def _access(needed: tuple[Needed, ...]) -> str:
    from auditor.checks.reads import required_resource_access

    return json.dumps(required_resource_access(needed), indent=2) + "\n"


def _table(needed: tuple[Needed, ...]) -> str:
    from tabulate import tabulate

    from auditor.model.permissions import PERMISSIONS

    rows = [
        (n.permission, PERMISSIONS[n.permission].id, ", ".join(n.alternatives) or "-", ", ".join(n.sections))
        for n in needed
    ]
    heads = ("Microsoft Graph permission", "App role id", "Or instead", "Reads")
    return tabulate(rows, heads, tablefmt="simple", maxcolwidths=[None, None, 20, 40]) + "\n"
