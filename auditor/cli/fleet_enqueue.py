"""``fleet enqueue``: put the tenants of a configuration into the queue of the workers."""

from __future__ import annotations

import click

from auditor.cli.nightly_run import clock_of_run, config_option, tenant_options
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import printable, say
from auditor.model.errors import NO_AUDIT, OK


@click.command(
    "enqueue",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor fleet enqueue --config /etc/consent-auditor/fleet.yaml
  consent-auditor fleet enqueue --now --tag gold
  consent-auditor fleet enqueue --now --tenant contoso

Exit codes: 0 the tenants are in the queue, 2 a usage or configuration error, or a database that can't be
opened, 3 the queue can't be used, or a list of customers can't be read.""",
)
@config_option
@tenant_options
@click.option("--now", "is_new", is_flag=True, help="Open a new night, also if the present one has these tenants.")
def command(config: str, tenants: tuple[str, ...], tags: tuple[str, ...], is_new: bool) -> int:
    """Put the tenants of the configuration into the queue, from which workers take them.

    A scheduler can run it as often as it likes: up to half of the interval of the schedule after a night was opened,
    the tenants belong to that night, and each of them is audited once in it. --now opens a new one.
    """
    refuse_empty()
    from auditor.jobs.fleet_queue import prepare_queue, queue_place, run_with_queue
    from auditor.jobs.fleet_slots import FleetConfiguration, enqueue_present
    from auditor.jobs.nightly import open_configured_history
    from auditor.jobs.nightly_config import configuration_path, load_configuration
    from auditor.jobs.secret_references import Secrets
    from auditor.render.labels import readable_time

    path, secrets = configuration_path(config), Secrets()
    configuration = load_configuration(path)
    server = queue_place(configuration, secrets)
    with open_configured_history(configuration.history, secrets) as history:
        prepare_queue(server)
        source = FleetConfiguration(path, secrets, history)
        made, lists = run_with_queue(
            enqueue_present(server, source, clock_of_run().now(), tenants, tags, is_new=is_new)
        )
    noun = "tenant" if made.new == 1 else "tenants"
    known = f", {made.known} were in it before" if made.known else ""
    click.echo(printable(f"The night of {readable_time(made.slot)} has {made.new} new {noun}{known}."))
    if made.known and not made.new:
        click.echo("To audit them again, open a new night: consent-auditor fleet enqueue --now")
    unread = [one for one in lists if one.error]
    for one in unread:
        say(f"Error: {printable(one.error)}\nWhat to do: {printable(one.advice)}")
    return NO_AUDIT if unread else OK
