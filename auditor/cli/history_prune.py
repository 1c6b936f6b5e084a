"""``history prune``: delete old runs, or everything about a tenant."""

from __future__ import annotations

import click
import msgspec

from auditor.cli.history_options import history_option
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import printable, say
from auditor.model.errors import OK


@click.command(
    "prune",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor history prune --dry-run
  consent-auditor history prune --days 90
  consent-auditor history prune --forget contoso""",
)
@history_option
@click.option("--days", type=click.IntRange(min=0), metavar="NUMBER", help="Keep the runs of so many days.")
@click.option("--runs", type=click.IntRange(min=0), metavar="NUMBER", help="Keep so many runs of each tenant.")
@click.option("--forget", metavar="TENANT", help="Delete everything about this tenant instead, also runs with changes.")
@click.option("--dry-run", is_flag=True, help="List what would be deleted, and delete nothing.")
def command(history: str, config: str, days: int | None, runs: int | None, forget: str | None, dry_run: bool) -> int:
    """Delete the runs that are too old or too many: those of 'keep' in the configuration, or of --days and --runs.

    Runs in which something changed stay, and so does the latest finished run of each tenant, with which the next run
    is compared. What only deleted runs held is no longer in the database afterwards.
    """
    refuse_empty()
    if forget and (days is not None or runs is not None):
        raise click.UsageError("--forget deletes every run of a tenant: leave out --days and --runs")
    from auditor.jobs import now
    from auditor.jobs.kept_runs import must_be_known, named_history

    named = named_history(history, config)
    keep = msgspec.structs.replace(
        named.keep,
        **{name: value for name, value in (("days", days), ("runs", runs)) if value is not None},
    )
    with named.open() as kept:
        if forget:
            must_be_known(kept, forget, "--forget")
            number = len(kept.runs(forget)) if dry_run else kept.forget(forget)
            say(f"{'Would delete' if dry_run else 'Deleted'} everything about {forget}: {_count(number)}.")
            return OK
        deleted = kept.prune(keep, now(), dry_run)
    for run in deleted:
        click.echo(printable(f"{run.id}  {run.started}  {run.name}"))
    verb = "Would delete" if dry_run else "Deleted"
    say(f"{verb} {_count(len(deleted))}: older than {_count(keep.days, 'day')}, or beyond {keep.runs} of a tenant.")
    return OK


def _count(number: int, noun: str = "run") -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
