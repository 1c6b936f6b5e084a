"""``packs``: the commands about rule packs, each in its own file."""

from __future__ import annotations

import click

from auditor.cli.program import LazyGroup


class PackCommands(LazyGroup):
    """The commands below ``packs``."""

    modules = {
        "lint": ("packs_lint", "Check rule packs for mistakes, and list what they lack"),
        "list": ("packs_list", "List the rule packs"),
        "new": ("packs_new", "Write a pack for an app from its scopes, its sign-in URL or a tenant"),
        "permissions": ("packs_permissions", "Print the least privileged permissions that packs need"),
        "show": ("packs_show", "Print a page about a pack, or about one of its rules"),
        "test": ("packs_test", "Run the cases in rule packs"),
    }


@click.group(
    "packs",
    cls=PackCommands,
    epilog="""\b
Examples:
  consent-auditor packs list
  consent-auditor packs show trackerrms-uk
  consent-auditor packs permissions --pack trackerrms-uk""",
)
def command() -> None:
    """Show, write, check and test rule packs, and print the permissions that they need."""
