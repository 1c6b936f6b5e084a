"""``history``: the commands about the runs that are kept, each in its own file, and the options that they share."""

from __future__ import annotations

import click

from auditor.cli.program import LazyGroup


class HistoryCommands(LazyGroup):
    """The commands below ``history``."""

    modules = {
        "export": ("history_export", "Print everything about the runs as JSON Lines"),
        "list": ("history_list", "List the runs, and the nights that are missing"),
        "prune": ("history_prune", "Delete old runs, or everything about a tenant"),
        "show": ("history_show", "Show a run: its answers, what changed, its findings; or its report again"),
        "site": ("history_site", "Write a dashboard of all tenants and nights as static pages"),
    }


@click.group(
    "history",
    cls=HistoryCommands,
    epilog="""\b
Examples:
  consent-auditor history list
  consent-auditor history show last
  consent-auditor history site""",
)
def command() -> None:
    """List, show, export and delete the runs that nightly runs keep, and write a dashboard of them."""
