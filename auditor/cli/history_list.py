"""``history list``: list the runs that are kept, and the nights that are missing."""

from __future__ import annotations

import sys

import click

from auditor.cli.history_options import history_options, since_option
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say, wants_colour, width
from auditor.model.errors import OK


@click.command(
    "list",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor history list
  consent-auditor history list --tenant contoso --limit 30
  consent-auditor history list --since 2026-11-01 -f csv > runs.csv""",
)
@history_options
@since_option
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="List at most this many runs.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(("text", "json", "csv")),
    default="text",
    show_default=True,
    help="Format.",
)
def command(history: str, config: str, tenant: str, since: str, limit: int | None, form: str) -> int:
    """List the runs, the latest first, and the nights that are missing.

    A night is missing if a run was due and none started: by the schedule of the configuration, or else by the usual
    time between two runs of the tenant.
    """
    refuse_empty()
    from auditor.jobs import now
    from auditor.jobs.kept_runs import missing_runs, must_be_known, named_history
    from auditor.render import run_history

    named = named_history(history, config)
    with named.open() as kept:
        must_be_known(kept, tenant)
        runs = kept.runs(tenant, since, limit)
        place, ids = kept.place, kept.run_ids()
    if form != "text":
        sys.stdout.buffer.write(run_history.json(runs) if form == "json" else run_history.csv(runs))
        sys.stdout.buffer.flush()
        return OK
    if not runs:
        say(f"The history {place} has no runs{' since then' if since else ' yet'}.")
        return OK
    from auditor.render.text_layout import for_encoding

    # A tenant that was taken out of the configuration misses no night.
    due = [run for run in runs if not named.tenants or run.name in named.tenants]
    missing = missing_runs(due, now(), named.schedule_hours, ids)
    page = run_history.table(runs, missing, width=width(), colour=wants_colour())
    click.echo(for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())
    return OK
