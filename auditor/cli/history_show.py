"""``history show``: one run that is kept, or its report in any format."""

from __future__ import annotations

import sys

import click

from auditor.cli.history_options import history_options
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say, wants_colour, width
from auditor.model.errors import OK
from auditor.render import FORMATS


@click.command(
    "show",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor history show last
  consent-auditor history show last --tenant contoso --details
  consent-auditor history show 17 -o report.html
  consent-auditor history show 17 -f json""",
)
@click.argument("run", metavar="RUN|last")
@history_options
@click.option("--details", is_flag=True, help="List every finding, also those that pass.")
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(tuple(FORMATS)),
    help="Write the report of the run again, in this format; several need -o FOLDER/.",
)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE|FOLDER/",
    help="Where to write the report. Repeatable: each file gets the format of its ending. Default: the terminal.",
)
def command(
    run: str,
    history: str,
    config: str,
    tenant: str,
    details: bool,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
) -> int:
    """Show a run: its answers, what changed since the run before, and since when each finding lasts.

    RUN is the number of a run in 'history list', or 'last': the latest that finished. With -f or -o, the report of the
    run is written again, as it was.
    """
    refuse_empty()
    from auditor.jobs.kept_runs import LAST, must_be_known, named_history, run_named

    if formats or outputs:
        from auditor.cli.check import binary_needs_file, write_report
        from auditor.jobs.audit_request import outputs_for

        destination = outputs_for(formats, outputs)
        binary_needs_file(destination)
    with named_history(history, config).open() as kept:
        must_be_known(kept, tenant)
        found = run_named(kept, run, tenant)
        if run.lower() == LAST and (latest := kept.runs(found.tenant, limit=1)[0]).id != found.id:
            how = f"consent-auditor history show {latest.id}"
            say(f"Note: run {latest.id} started later and has no report. To see why: {how}")
        if formats or outputs:
            report = kept.report(found.id)
            write_report(report, destination)
            return OK
        findings, difference = kept.findings(found.id), kept.difference(found.id)
    from auditor.render import run_history
    from auditor.render.text_layout import for_encoding

    page = run_history.details(found, findings, difference, width=width(), colour=wants_colour(), all_findings=details)
    click.echo(for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())
    return OK
