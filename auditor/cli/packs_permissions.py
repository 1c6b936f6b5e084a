"""``packs permissions``: print the least privileged permissions for packs, as a table or for an app registration."""

from __future__ import annotations

import json

import click

from auditor.cli.options import pack_option, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say
from auditor.model.errors import OK

TABLE, ACCESS = "table", "requiredResourceAccess"


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
        text = _table(permission_rows(needed))
    if not file:
        click.echo(text, nl=False)
        return OK
    from auditor.atomic import write_whole

    write_whole(file, text.encode(), keep_mode=True)
    say(f"Wrote {file}")
    return OK


def _table(rows: list[tuple[str, str, str, str]]) -> str:
    from tabulate import tabulate

    heads = ("Microsoft Graph permission", "App role ID", "Or instead", "Reads")
    return tabulate(rows, heads, tablefmt="simple", maxcolwidths=[None, None, 20, 40]) + "\n"
