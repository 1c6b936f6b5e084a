"""``nightly run``: check every tenant of a configuration, keep the runs, report what changed, and notify."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, printable, say
from auditor.model.errors import TERMINATED

if TYPE_CHECKING:
    from auditor.jobs.night_setup import Clock, Stopping

CONFIG_VARIABLE = "CONSENT_AUDITOR_CONFIG"
_CLOCK_VARIABLE = "_CONSENT_AUDITOR_TEST_NOW"
"""The time of a simulated night, for the tests of this program."""


def config_option(command: click.decorators.FC) -> click.decorators.FC:
    """``--config``."""
    return click.option(
        "--config",
        metavar="FILE",
        default="",
        help=f"The configuration. Default: {CONFIG_VARIABLE}, else consent-auditor.yaml in this folder, else in the"
        " user's configuration folder.",
    )(command)


def tenant_options(command: click.decorators.FC) -> click.decorators.FC:
    """``--tenant`` and ``--tag`` of a command about the tenants of a fleet."""
    tag = click.option(
        "--tag", "tags", multiple=True, metavar="TAG", help="Only tenants with this tag. Repeatable: any of them."
    )
    name = click.option("--tenant", "tenants", multiple=True, metavar="NAME", help="Only this tenant. Repeatable.")
    return name(tag(command))


def log_format_option(command: click.decorators.FC) -> click.decorators.FC:
    """``--log-format``."""
    return click.option(
        "--log-format",
        type=click.Choice(("text", "json")),
        default="text",
        show_default=True,
        help="Format of the log on standard error: text has warnings and errors, json one object for each event.",
    )(command)


@click.command(
    "run",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor nightly run
  consent-auditor nightly run --config /etc/consent-auditor/nightly.yaml
  consent-auditor nightly run --tenant contoso -f json
  consent-auditor nightly run --log-format json 2>> nightly.log

Exit codes: 2 a usage or configuration error, before anything runs; else 1 if a tenant fails,
else 3 if a tenant could not be audited or there is none, else 4 if a verdict is unknown, else 0.""",
)
@config_option
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    metavar="NAME",
    help="Run only this tenant, by its name in the configuration. Repeatable.",
)
@click.option(
    "-f",
    "--format",
    "output_format",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Format of the result on standard output.",
)
@log_format_option
@click.option(
    "--metrics",
    metavar="FILE",
    default="",
    help="Write metrics in the text format of Prometheus into this file. Default: metrics of the configuration.",
)
def command(config: str, tenants: tuple[str, ...], output_format: str, log_format: str, metrics: str) -> int:
    """Check every tenant of the configuration, keep the runs, report what changed, and notify.

    A tenant that can't be audited doesn't stop the others. Reports, notifications, metrics and the heartbeat are those
    of the configuration. It changes nothing in a tenant.
    """
    refuse_empty()
    from auditor.jobs.audit_request import SILENT, must_be_writable
    from auditor.jobs.night_log import NightLog
    from auditor.jobs.night_setup import NightParts, Stopped, Stopping
    from auditor.jobs.nightly import new_night_id, open_configured_history, run_night
    from auditor.jobs.nightly_config import configuration_path, load_configuration
    from auditor.jobs.secret_references import Secrets
    from auditor.render import night as night_format

    configuration = load_configuration(configuration_path(config))
    if metrics:
        must_be_writable(metrics, "--metrics")
    clock, secrets, night = clock_of_run(), Secrets(), new_night_id()
    log = NightLog(say, clock.now, as_json=log_format == "json", night=night)
    stopping = Stopping()
    try:
        with (
            _terminable(stopping),
            open_configured_history(configuration.history, secrets) as history,
            interaction() as person,
        ):
            parts = NightParts(history, log, secrets, clock, SILENT if log_format == "json" else person, stopping)
            result = run_night(configuration, parts, night=night, only=tenants, metrics=metrics)
    except Stopped:
        say("Stopped. The runs in progress were marked, and nothing was changed in a tenant.")
        return TERMINATED
    if output_format == "json":
        sys.stdout.buffer.write(night_format.json(result))
        sys.stdout.buffer.flush()
    else:
        click.echo(printable(night_format.text(result)), nl=False)
    return result.exit_code


@contextmanager
def _terminable(stopping: Stopping) -> Iterator[None]:
    """End the run cleanly when the process is asked to end, as systemd and Kubernetes do."""
    before = signal.signal(signal.SIGTERM, stopping.request)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def clock_of_run() -> Clock:
    """The clock of this run; the tests of this program stop it."""
    from auditor.jobs.night_setup import Clock

    simulated = os.environ.get(_CLOCK_VARIABLE, "")
    return Clock(now=lambda: simulated) if simulated else Clock()
