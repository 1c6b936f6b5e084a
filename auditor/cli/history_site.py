"""``history site``: write the dashboard, a folder of static pages."""

from __future__ import annotations

import click

from auditor.cli.history_options import history_option
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say
from auditor.model.errors import OK


@click.command(
    "site",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor history site -o audit-results/site/
  consent-auditor history site --config nightly.yaml""",
)
@history_option
@click.option(
    "-o",
    "--output",
    metavar="FOLDER",
    help="Where to write. Created if it doesn't exist. Default: 'site' of the configuration.",
)
def command(history: str, config: str, output: str | None) -> int:
    """Write a dashboard of all tenants: which need attention and why, every night, and what changed.

    It's a folder of pages that need no server and no script: open index.html, or publish the folder. Only pages that
    changed are written, and pages of runs that are no longer kept are removed. Only you can read a new dashboard.
    """
    refuse_empty()
    from auditor.jobs.history_site import update_site
    from auditor.jobs.kept_runs import named_history
    from auditor.jobs.night_setup import Clock

    named = named_history(history, config)
    folder = output or named.site
    if not folder:
        raise click.UsageError("where to write the dashboard? Add -o FOLDER, or 'site: FOLDER' to the configuration")
    with named.open() as kept:
        made = update_site(kept, folder, now=Clock().now(), schedule_hours=named.schedule_hours)
    removed = f", {made.removed} removed" if made.removed else ""
    say(f"Wrote {made.path}: {made.written} files written, {made.unchanged} unchanged{removed}.")
    return OK
