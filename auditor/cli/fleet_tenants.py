"""``fleet tenants``: each tenant's last run, its place in the queue, and when it's due again."""

from __future__ import annotations

import click

from auditor.cli.document_output import destinations, output_options, write_document
from auditor.cli.nightly_run import clock_of_run, config_option, tenant_options
from auditor.cli.options import redact_options, redaction_of, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction
from auditor.model.errors import NO_AUDIT, OK


@click.command(
    "tenants",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor fleet tenants
  consent-auditor fleet tenants --failing --tag gold
  consent-auditor fleet tenants -f json
  consent-auditor fleet tenants -o tenants.csv

Exit codes: 0 the tenants were listed, 2 a usage or configuration error,
3 the history, the queue or a list of customers could not be read.""",
)
@config_option
@tenant_options
@click.option(
    "--failing", is_flag=True, help="Only tenants that fail, could not be audited, missed a run, or were given up."
)
@click.option(
    "--history", metavar="FILE", default="", help="The history, without a queue. Default: that of the configuration."
)
@redact_options()
@output_options
def command(
    config: str,
    tenants: tuple[str, ...],
    tags: tuple[str, ...],
    failing: bool,
    history: str,
    redact: bool,
    redact_key: str | None,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
) -> int:
    """List the tenants with their last run, its answers, when they are due again, and their place in the queue.

    It reads the history and the queue, and no tenant.
    """
    refuse_empty()
    places = destinations(formats, outputs)
    redaction = redaction_of(redact, redact_key)
    from auditor.jobs.fleet_tenants import fleet_state, redacted_state
    from auditor.jobs.nightly_config import configuration_path

    now = clock_of_run().now()
    found = fleet_state(
        configuration_path(config), now=now, history=history, tenants=tenants, tags=tags, failing=failing
    )
    is_whole = not found.problems
    if redaction is not None:
        with interaction() as person:
            found = redacted_state(found, redaction, person)
    from auditor.render.fleet_tenants import as_text, render_state

    write_document(
        places,
        lambda form: render_state(found, form),
        lambda columns, colour: as_text(found, width=columns, colour=colour).decode(),
    )
    return OK if is_whole else NO_AUDIT
