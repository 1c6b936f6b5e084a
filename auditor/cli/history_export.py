"""``history export``: everything about the runs as JSON Lines."""

from __future__ import annotations

import sys

import click

from auditor.cli.history_options import history_options, since_option
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say
from auditor.model.errors import OK


@click.command(
    "export",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor history export > runs.jsonl
  consent-auditor history export --tenant contoso --since 2026-11-01 -o runs.jsonl""",
)
@history_options
@since_option
@click.option("-o", "--output", metavar="FILE", default="-", help="File to write. Default: standard output.")
def command(history: str, config: str, tenant: str, since: str, output: str) -> int:
    """Print everything about the runs except their reports and snapshots, one run on each line, the oldest first.

    Each line is a JSON object with the decisions and their scopes, the findings and since when they last, and what
    changed.
    """
    refuse_empty()
    from auditor.atomic import written_whole
    from auditor.jobs.audit_request import PIPE, must_be_writable
    from auditor.jobs.kept_runs import exported, must_be_known, named_history

    if output != PIPE:
        must_be_writable(output)
    with named_history(history, config).open() as kept:
        must_be_known(kept, tenant)
        if output == PIPE:
            sys.stdout.buffer.writelines(exported(kept, tenant, since))
            sys.stdout.buffer.flush()
            return OK
        with written_whole(output, keep_mode=True) as file:
            file.writelines(exported(kept, tenant, since))
    say(f"Wrote {output}")
    return OK
