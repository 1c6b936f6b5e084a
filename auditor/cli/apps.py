"""``apps``: the apps of a tenant."""

from __future__ import annotations

import click

from auditor.cli.program import AuditCommand, LazyGroup


class AppCommands(AuditCommand, LazyGroup):
    """The commands below ``apps``."""

    modules = {
        "survey": ("apps_survey", "List the apps of a tenant: can users connect them, what do they hold"),
    }


@click.group("apps", cls=AppCommands)
def command() -> None:
    """Show which apps a tenant has, and which of them users can connect."""
