"""``nightly``: the commands about scheduled runs, each in its own file."""

from __future__ import annotations

import click

from auditor.cli.program import LazyGroup


class NightlyCommands(LazyGroup):
    """The commands below ``nightly``."""

    modules = {
        "check": ("nightly_check", "Test a configuration with its credentials and permissions, without a run"),
        "init": ("nightly_init", "Write a configuration with comments"),
        "run": ("nightly_run", "Check every tenant, keep the runs, report what changed, and notify"),
    }


@click.group(
    "nightly",
    cls=NightlyCommands,
    epilog="""\b
Examples:
  consent-auditor nightly init
  consent-auditor nightly check
  consent-auditor nightly run""",
)
def command() -> None:
    """Run scheduled checks of one or many tenants from a configuration file.

    Each run is kept, compared with the last one, and reported to the people that the configuration names. cron,
    systemd, a pipeline or another scheduler starts it.
    """
