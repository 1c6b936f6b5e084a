"""``fleet report``: in which tenants users can't connect which app, why, and what to send to whom."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from auditor.cli.document_output import (
    FORMATS_WITH_WORKBOOK,
    destinations,
    output_options_with_workbook,
    say_ending,
    write_document,
)
from auditor.cli.history_options import time_or_hours_back
from auditor.cli.nightly_run import clock_of_run, config_option, tenant_options
from auditor.cli.options import (
    FilesOption,
    complete_apps,
    complete_packs,
    redact_options,
    redaction_of,
    refuse_empty,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN
from auditor.model.history import HISTORY_VARIABLE
from auditor.render.fleet import CSV_TABLES

MEANING = {
    OK: "users of every tenant can connect every app",
    FAILING: "somewhere users can't connect an app",
    NO_AUDIT: "no tenant has an audit that counts",
    UNKNOWN: "nothing fails, but something isn't known",
}
"""What the exit codes mean; 2 is a usage error."""
_RULE_FAILS = "no app was asked about, and somewhere a rule fails"


@click.command(
    "report",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor fleet report
  consent-auditor fleet report --tag gold --since 7d -o fleet.html -o fleet.xlsx
  consent-auditor fleet report --app trackerrms-uk -f csv -o fleet/
  consent-auditor fleet report --live --app "Acme Mail"
  consent-auditor fleet report --app trackerrms-uk --snapshot from-customers/

Exit codes: 0 users of every tenant can connect every app, 1 somewhere they can't, 2 usage error,
3 no tenant has an audit that counts, 4 nothing fails, but something isn't known.""",
)
@config_option
@click.option(
    "--history",
    metavar="FILE",
    default="",
    help=f"The history with the last run of each tenant. Default: {HISTORY_VARIABLE}, else that of the configuration,"
    " else the one in the platform's state folder.",
)
@click.option("--live", is_flag=True, help="Read the tenants of the configuration now, and keep nothing.")
@click.option(
    "--snapshot",
    "snapshots",
    cls=FilesOption,
    help="Snapshots, bundles and JSON reports that customers sent, or folders with them, each about one tenant: no"
    " access to the tenants is needed. Repeatable.",
)
@tenant_options
@click.option(
    "--app",
    "apps",
    multiple=True,
    metavar="NAME|CLIENT_ID",
    shell_complete=complete_apps,
    help="Only this app; with --live and --snapshot, decide about this app of the catalogue. Repeatable.",
)
@click.option(
    "-p",
    "--pack",
    "packs",
    multiple=True,
    metavar="NAME|FILE|DIR",
    shell_complete=complete_packs,
    help="With --live and --snapshot: judge the tenants by this pack. Repeatable.",
)
@click.option(
    "--since",
    metavar="DATE|DAYS",
    default="",
    help="What changed since then: a date, a time, or days back (7d). Default: since each tenant's audit before the"
    " last one.",
)
@click.option("--details", is_flag=True, help="Print all of it on the terminal, not one screen.")
@output_options_with_workbook
@redact_options()
def command(
    config: str,
    history: str,
    live: bool,
    snapshots: tuple[str, ...],
    tenants: tuple[str, ...],
    tags: tuple[str, ...],
    apps: tuple[str, ...],
    packs: tuple[str, ...],
    since: str,
    details: bool,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    redact: bool,
    redact_key: str | None,
) -> int:
    """Report over all tenants: in which users can't connect which app, which setting decides, and what to send to whom.

    The tenants are those of the configuration, as the last nightly run of each found them. A tenant without a current
    audit counts as unknown. The HTML page, the workbook, JSON and Markdown have the consent link and a ready message
    for each tenant; -f csv -o FOLDER/ writes a file for each table.
    """
    refuse_empty()
    _refuse_two_sources(live, snapshots, config, history, tenants, tags, since)
    places = destinations(formats, outputs, FORMATS_WITH_WORKBOOK, CSV_TABLES)
    redaction = redaction_of(redact, redact_key)
    from auditor.jobs.audit_request import refuse_overwriting
    from auditor.jobs.fleet_audits import FleetRequest
    from auditor.jobs.fleet_report import report_on_fleet

    refuse_overwriting([place for _, place in places], redact_key, snapshots)
    at = clock_of_run().now()
    request = FleetRequest(
        at=at,
        config=config,
        history=history,
        snapshots=snapshots,
        live=live,
        tenants=tenants,
        tags=tags,
        apps=apps,
        packs=packs,
        since=_since(since, at),
        redaction=redaction,
    )
    with interaction(is_long=True) as person:
        report = report_on_fleet(request, person)
    from auditor.render.fleet import as_text, render_fleet

    write_document(
        places,
        lambda form: render_fleet(report, form),
        lambda columns, colour: as_text(report, width=columns, colour=colour, whole=details).decode(),
    )
    code = report.exit_code
    ending = f"Exit code {code}: {_RULE_FAILS if code == FAILING and not report.apps else MEANING[code]}."
    say_ending(places, ending, report.answer)
    return code


def _refuse_two_sources(live: bool, snapshots: tuple[str, ...], *others: Any) -> None:
    """Raise click.UsageError for options that say different things about where the tenants are."""
    config, history, tenants, tags, since = others
    if live and snapshots:
        raise click.UsageError("--live and --snapshot exclude each other: leave out one of them")
    if snapshots and (config or history or tenants or tags):
        raise click.UsageError(
            "with --snapshot, the tenants are those of the files: leave out --config, --history, --tenant and --tag"
        )
    if since and (live or snapshots):
        raise click.UsageError("--since compares runs of the history: leave out --live and --snapshot")
    if live and history:
        raise click.UsageError("--live reads the tenants now: leave out --history")


def _since(text: str, at: str) -> str:
    """The UTC time that the option means at the time `at`. Raises click.BadParameter."""
    from auditor.model.document import parse_time

    time, hours = time_or_hours_back(text)
    now = parse_time(at)
    return (now - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ") if now and hours else time
