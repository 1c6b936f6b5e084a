"""``fleet onboard``: which customers have consented to the app, and the link and message for each that hasn't."""

from __future__ import annotations

import click

from auditor.cli.document_output import destinations, output_options, say_ending, write_document
from auditor.cli.nightly_run import clock_of_run, config_option, tenant_options
from auditor.cli.options import redact_options, redaction_of, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN

_MEANS = {
    OK: "all customers have consented",
    FAILING: "some customers haven't consented",
    NO_AUDIT: "no customer could be asked",
    UNKNOWN: "all that could be asked have consented, but not all could be asked",
}


@click.command(
    "onboard",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor fleet onboard
  consent-auditor fleet onboard -o onboarding.html -o onboarding.csv
  consent-auditor fleet onboard --tenant contoso --details

Exit codes: 0 all customers have consented, 1 some haven't, 2 a usage or configuration error,
3 no customer could be asked, 4 all that could be asked have consented.""",
)
@config_option
@tenant_options
@click.option(
    "--history",
    metavar="FILE",
    default="",
    help="The history, which knows who had consented before. Default: that of the configuration.",
)
@click.option("--details", is_flag=True, help="Print all customers and every message as text.")
@redact_options()
@output_options
def command(
    config: str,
    tenants: tuple[str, ...],
    tags: tuple[str, ...],
    history: str,
    details: bool,
    redact: bool,
    redact_key: str | None,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
) -> int:
    """Show which customers have consented to the app, and write the link and the message for the others.

    It asks for a token in each customer's tenant, and reads nothing there. The permissions in the token are compared
    with those that the packs need. The history keeps who has consented, so that a lost consent is noticed.
    """
    refuse_empty()
    places = destinations(formats, outputs)
    redaction = redaction_of(redact, redact_key)
    from auditor.jobs.fleet_onboarding import onboard_fleet
    from auditor.jobs.nightly_config import configuration_path

    with interaction(is_long=True) as person:
        found = onboard_fleet(
            configuration_path(config),
            tenants=tenants,
            tags=tags,
            history=history,
            now=clock_of_run().now(),
            interaction=person,
        )
        if redaction is not None:
            from auditor.jobs.fleet_onboarding import redacted_onboarding

            found = redacted_onboarding(found, redaction, person)
    from auditor.render.onboarding import as_text, render_onboarding

    write_document(
        places,
        lambda form: render_onboarding(found, form),
        lambda columns, colour: as_text(found, width=columns, colour=colour, whole=details).decode(),
    )
    say_ending(places, f"Exit code {found.exit_code}: {_MEANS[found.exit_code]}.", found.answer)
    return found.exit_code
