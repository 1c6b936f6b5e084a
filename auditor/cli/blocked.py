"""``blocked``: who was stopped and who waits, per app, with the verdict now and the fix."""

from __future__ import annotations

from typing import Any

import click

from auditor.cli.document_output import PIPE, destinations, output_options, write_document
from auditor.cli.history_options import time_or_hours_back
from auditor.cli.options import (
    FilesOption,
    abused_option,
    complete_samples,
    redact_options,
    redaction_of,
    refuse_empty,
    source_of,
    tenant_options,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction
from auditor.model.errors import FAILING, OK, UNKNOWN

MEANING = {
    OK: "nobody is stopped who couldn't connect now, and nobody waits",
    FAILING: "users are stopped, or wait for approval",
    UNKNOWN: "not all that decides could be read",
}
"""What the exit codes mean; the others are those of every command."""


@click.command(
    "blocked",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor blocked --sample stopped-users
  consent-auditor blocked --since 7d
  consent-auditor blocked --user tom@contoso.com --app TrackerRMS
  consent-auditor blocked --correlation 39aa2a82-6af6-527f-844c-6ce7bf495587
  consent-auditor blocked --compare --earlier last-month.json
  consent-auditor blocked --snapshot tenant.json -o blocked.html -o blocked.csv

Exit codes: 0 nobody is stopped now, 1 users are stopped or wait, 2 usage error, 3 the tenant couldn't be read,
4 not all that decides could be read.""",
)
@click.option("--user", metavar="UPN|OBJECT-ID|NAME", default="", help="Only this user, and decide for this user.")
@click.option("--app", metavar="NAME|CLIENT_ID", default="", help="Only this app: its client ID, or part of its name.")
@click.option(
    "--since",
    metavar="TIME",
    default="",
    help="Only from then on: days or hours back from the read (7d, 12h), a date or a time. Requests that wait are"
    " always shown. Default: everything in a snapshot, 30 days of a live tenant.",
)
@click.option(
    "--correlation",
    "correlation_id",
    metavar="ID",
    default="",
    help="Only the sign-in or consent with this correlation ID, as error pages show it.",
)
@abused_option
@click.option("--details", is_flag=True, help="Show all apps with people, requests and permissions.")
@click.option(
    "--compare",
    "compares",
    is_flag=True,
    help="Also compare this program's decisions with what the logs say happened: consents, refused consents, and"
    " sign-ins that lacked consent.",
)
@click.option(
    "--earlier",
    "earlier",
    cls=FilesOption,
    help="With --compare: an earlier snapshot of the tenant, whose policies held then. Repeatable.",
)
@click.option(
    "--history",
    metavar="FILE",
    default="",
    help="With --compare: use the policies of the runs that nightly keeps in this history.",
)
@click.option(
    "--config", metavar="FILE", default="", help="With --compare: use the history of this nightly configuration."
)
@click.option(
    "--snapshot",
    "snapshots",
    cls=FilesOption,
    help="Use a snapshot (collect --full), a bundle, or files of other tools, instead of a live tenant. Repeatable.",
)
@click.option("--sample", metavar="NAME", help="Use a bundled sample tenant.", shell_complete=complete_samples)
@output_options
@redact_options()
@tenant_options
def command(
    user: str,
    app: str,
    since: str,
    correlation_id: str,
    abused_files: tuple[str, ...],
    details: bool,
    compares: bool,
    earlier: tuple[str, ...],
    history: str,
    config: str,
    snapshots: tuple[str, ...],
    sample: str | None,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    redact: bool,
    redact_key: str | None,
    **tenant: Any,
) -> int:
    """Show who was stopped and who waits: per app the users, the error codes, the verdict now and the fix.

    It reads the requests for admin consent (ConsentRequest.Read.All), the sign-in log and the audit log
    (AuditLog.Read.All; sign-ins also need a Microsoft Entra ID P1 or P2 license), and what decides about the apps in
    them. What can't be read is listed, and no number is 0 because of it. With --compare, each person's consent or
    failed sign-in is decided again without the grant that it left, and with the policies of that time.
    """
    refuse_empty()
    if (earlier or history or config) and not compares:
        raise click.UsageError("--earlier, --history and --config say which policies held before: add --compare.")
    places = destinations(formats, outputs)
    redaction = redaction_of(redact, redact_key)
    from auditor.jobs.audit_request import refuse_overwriting
    from auditor.jobs.blocked import BlockedRequest, blocked_exit_code, blocked_users
    from auditor.jobs.prediction_reads import EarlierReads
    from auditor.render.blocked_view import ON_SCREEN

    refuse_overwriting([place for _, place in places], redact_key, (*snapshots, *earlier))
    at, hours = time_or_hours_back(since)
    request = BlockedRequest(
        source=source_of(snapshots, sample, tenant),
        user=user,
        app=app,
        correlation_id=_correlation(correlation_id),
        since=at,
        hours=hours,
        redaction=redaction,
        abused=abused_files,
        compares=compares,
        earlier=EarlierReads(files=earlier, history=history, config=config),
        # One screen has the fixes of the first apps, and those of thousands of apps take minutes.
        most_fixed=None if details or places != [("text", PIPE)] else ON_SCREEN,
    )
    with interaction() as person:
        found = blocked_users(request, person)
    code = blocked_exit_code(found)
    from auditor.render.blocked import as_text, render_blocked

    def text(columns: int, colour: bool) -> str:
        whole = details or len(found.apps) == 1
        shown = as_text(found, width=columns, colour=colour, whole=whole).decode()
        return f"{shown}\nExit code {code}: {MEANING[code]}.\n"

    write_document(places, lambda form: render_blocked(found, form), text)
    return code


def _correlation(text: str) -> str:
    """The correlation ID in lower case. Raises click.BadParameter for something else."""
    from auditor.facts.ids import is_guid

    found = text.strip().strip("{}").lower()
    if found and not is_guid(found):
        message = f"{text!r} isn't a correlation ID, which looks like 39aa2a82-6af6-527f-844c-6ce7bf495587."
        raise click.BadParameter(message, param_hint="'--correlation'")
    return found
