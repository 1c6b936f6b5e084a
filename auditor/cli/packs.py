"""``packs``: the rule packs that there are, and the permissions that they need."""

from __future__ import annotations

import click

from auditor.cli.options import pack_option


@click.group("packs")
def command() -> None:
    """List the rule packs, and the permissions that they need."""


@command.command("list")
def list_() -> None:
    """List the shipped packs."""
    from auditor.packs.find import list_packs

    listed = list_packs(benchmarks=True)
    width = max(len(pack.name) for pack in listed)
    for pack in listed:
        about = f"{pack.rules} rules" + (f", app {pack.app.client_id}" if pack.app else "")
        click.echo(f"{pack.name:<{width}}  {pack.version:<6} {pack.title} ({about})")


@command.command(
    "permissions",
    short_help="Print the least permissions that they need.",
    epilog="\b\nExample:\n  consent-auditor packs permissions --pack trackerrms-uk",
)
@pack_option
def permissions(packs: tuple[str, ...]) -> None:
    """Print the least application permissions that the packs' reads need."""
    from tabulate import tabulate

    from auditor.model.permissions import PERMISSIONS
    from auditor.packs.find import list_packs, load_packs
    from auditor.packs.plan import permissions_for, plan_for

    names = packs or tuple(pack.name for pack in list_packs())
    needed = permissions_for(plan_for(load_packs(names)))
    rows = [
        (n.permission, PERMISSIONS[n.permission].id, ", ".join(n.alternatives) or "-", ", ".join(n.sections))
        for n in needed
    ]
    heads = ("Microsoft Graph permission", "App role id", "Or instead", "Reads")
    click.echo(tabulate(rows, heads, tablefmt="simple", maxcolwidths=[None, None, 20, 40]))
