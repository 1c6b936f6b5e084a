"""``apps``: the catalogue of apps, and the apps of a tenant."""

from __future__ import annotations

import click

from auditor.cli.program import LazyGroup


class AppCommands(LazyGroup):
    """The commands below ``apps``."""

    modules = {
        "list": ("apps_list", "List the apps whose permissions are known, by category or by text"),
        "show": ("apps_show", "Print what is known about one app, with sources"),
        "survey": ("apps_survey", "List the apps of a tenant: can users connect them, what do they hold"),
    }


@click.group(
    "apps",
    cls=AppCommands,
    epilog="""\b
Examples:
  consent-auditor apps list mail
  consent-auditor apps show thunderbird
  consent-auditor apps survey --sample stopped-users""",
)
def command() -> None:
    """List the apps that the program knows, and survey those that a tenant has: which of them users can connect."""
