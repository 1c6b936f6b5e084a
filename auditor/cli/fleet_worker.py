"""``fleet worker``: take tenants from the queue and audit them, on as many machines as you like."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.nightly_run import clock_of_run, config_option, log_format_option
from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import printable, say
from auditor.model.errors import OK

if TYPE_CHECKING:
    from auditor.jobs.fleet_worker import FleetWorker, WorkerTimes
    from auditor.model.night import TenantNight

_TIMES_VARIABLE = "_CONSENT_AUDITOR_TEST_TIMES"
"""How often a worker does what, for the tests of this program: they can't wait for minutes."""


@click.command(
    "worker",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor fleet worker --config /etc/consent-auditor/fleet.yaml
  consent-auditor fleet worker --concurrency 20 --log-format json 2>> worker.log
  consent-auditor fleet worker --drain

Exit codes: 0 the worker was asked to end, or nothing waits any more, 2 a usage or configuration error,
or a database that can't be opened, 3 the queue can't be used, or was lost for minutes.""",
)
@config_option
@click.option(
    "--concurrency",
    type=click.IntRange(1, 1000),
    metavar="NUMBER",
    help="The most tenants that this worker audits at the same time. Default: that of the configuration.",
)
@click.option("--drain", is_flag=True, help="End when no tenant waits and every night is closed.")
@log_format_option
def command(config: str, concurrency: int | None, drain: bool, log_format: str) -> int:
    """Take tenants from the queue and audit them, open nights by the schedule, and close them.

    The queue is in the PostgreSQL database of the history. Start as many workers as you like, on as many machines, each
    with the same configuration and its own access to the secrets. A tenant is never audited twice at once, and the
    tenants of a worker that was killed go to another one. For one machine you need neither queue nor worker:
    consent-auditor nightly run.

    SIGTERM and Ctrl+C end a worker: the tenants in progress are marked as stopped and go back into the queue.
    """
    refuse_empty()
    from auditor.jobs.fleet_queue import prepare_queue, queue_place, run_with_queue
    from auditor.jobs.night_log import NightLog
    from auditor.jobs.nightly import open_configured_history
    from auditor.jobs.nightly_config import configuration_path, load_configuration
    from auditor.jobs.secret_references import Secrets

    path, clock, secrets = configuration_path(config), clock_of_run(), Secrets()
    configuration = load_configuration(path)
    server = queue_place(configuration, secrets)
    as_json = log_format == "json"
    with open_configured_history(configuration.history, secrets) as history:
        prepare_queue(server)
        from auditor.jobs.fleet_worker import FleetWorker, WorkerParts

        parts = WorkerParts(
            server,
            history,
            secrets,
            lambda night: NightLog(say, clock.now, as_json=as_json, night=night),
            (lambda _: None) if as_json else _show,
            clock,
            _times(),
        )
        worker = FleetWorker(path, parts, concurrency=concurrency or 0, drain=drain)
        if not as_json:
            ends = "It ends when nothing waits." if drain else "Stop it with Ctrl+C."
            say(f"The worker takes tenants from the queue in {server.label}. {ends}")
        with _ending(worker):
            run_with_queue(worker.run())
    if worker.is_stopping:
        say("Stopped. The tenants in progress went back into the queue, and nothing was changed in a tenant.")
    return OK


def _show(tenant: TenantNight) -> None:
    click.echo(printable(f"{tenant.name}: {tenant.error or tenant.answer}"))


def _times() -> WorkerTimes:
    import msgspec

    from auditor.jobs.fleet_worker import WorkerTimes

    given = os.environ.get(_TIMES_VARIABLE, "")
    return msgspec.json.decode(given, type=WorkerTimes) if given else WorkerTimes()


@contextmanager
def _ending(worker: FleetWorker) -> Iterator[None]:
    """End the worker when the process is asked to end; a second Ctrl+C ends it at once."""

    def stop(number: int, _: Any) -> None:
        if number == signal.SIGINT and worker.is_stopping:
            raise KeyboardInterrupt
        worker.stop()

    signals = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, stop) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
