"""``apps survey``: every app of a tenant, whether users can connect it, and what it holds."""

from __future__ import annotations

import re
from typing import Any

import click

from auditor.cli.document_output import destinations, output_options, say_ending, write_document
from auditor.cli.options import (
    abused_option,
    complete_apps,
    complete_packs,
    redact_options,
    redaction_of,
    refuse_empty,
    snapshot_options,
    source_of,
    tenant_options,
    waiting,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction
from auditor.model.errors import FAILING, OK, UNKNOWN

_MEANS = {
    OK: "users are stopped at none of these apps.",
    FAILING: "users are stopped at one of these apps or more.",
    UNKNOWN: "of some apps it isn't known whether users are stopped.",
}


def days(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """A number of whole days: ``90d``, ``12w`` or ``90``. Raises click.BadParameter."""
    if text is None:
        return None
    found = re.fullmatch(r"([0-9]{1,5})([dw]?)", text.strip().lower())
    number = int(found[1]) * (7 if found[2] == "w" else 1) if found else 0
    if not number:
        raise click.BadParameter(f"{text!r} isn't a number of days: give for example 90d or 12w.")
    return number


@click.command(
    "survey",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor apps survey
  consent-auditor apps survey --stopped
  consent-auditor apps survey --unverified --unused 90d -o apps.html -o apps.csv
  consent-auditor apps survey --snapshot tenant.json --assume setting=managed
  consent-auditor apps survey --snapshot tenant.json --app doodle --app calendly -f json
  consent-auditor apps survey --sample managed-default --catalog

Exit codes: 0 users are stopped at no app that is shown, 1 users are stopped at one,
2 usage error, 3 the tenant could not be read, 4 it isn't known of an app.""",
)
@snapshot_options
@click.option(
    "--app",
    "names",
    multiple=True,
    metavar="NAME|CLIENT_ID",
    help="Only this app, by its client ID or a part of its name. Repeatable.",
)
@click.option(
    "--with",
    "chosen",
    multiple=True,
    metavar="NAME|CLIENT_ID",
    shell_complete=complete_apps,
    help="Also this app of the catalogue, although the tenant may not have it yet. Repeatable.",
)
@click.option("--catalog", "whole_catalogue", is_flag=True, help="Also every app of the catalogue.")
@click.option(
    "-p",
    "--pack",
    "packs",
    multiple=True,
    metavar="NAME|FILE|DIR",
    help="A pack that describes an app of the tenant, such as your own. Repeatable.",
    shell_complete=complete_packs,
)
@click.option("--stopped", is_flag=True, help="Only apps at which users are stopped, now or with --assume.")
@click.option("--unverified", is_flag=True, help="Only apps of others whose publisher isn't verified.")
@click.option("--unused", callback=days, metavar="DAYS", help="Only apps without a sign-in for so long, such as 90d.")
@click.option("--third-party", is_flag=True, help="Without the apps that your own tenant registered.")
@click.option(
    "--assume",
    "assumed",
    multiple=True,
    metavar="WHAT",
    help="Also decide with this change of the tenant: setting=managed, setting=none, step-up=on, workflow=on,"
    ' classified="…". Repeatable.',
)
@click.option(
    "--since",
    callback=days,
    default="30d",
    show_default=True,
    metavar="DAYS",
    help="How far back to read the sign-in log of a live tenant.",
)
@abused_option
@click.option("--details", is_flag=True, help="Print all apps on the terminal, not one screen of them.")
@output_options
@redact_options()
@tenant_options
def command(
    snapshots: tuple[str, ...],
    sample: str | None,
    names: tuple[str, ...],
    chosen: tuple[str, ...],
    whole_catalogue: bool,
    packs: tuple[str, ...],
    stopped: bool,
    unverified: bool,
    unused: int | None,
    third_party: bool,
    assumed: tuple[str, ...],
    since: int,
    abused_files: tuple[str, ...],
    details: bool,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    redact: bool,
    redact_key: str | None,
    **tenant: Any,
) -> int:
    """List the apps of a tenant: can users connect them, who may approve them, what do they hold, when were they used.

    An app is listed if it holds a permission, if users ask for its approval, or if sign-ins to it failed because of
    consent. Microsoft's own apps are left out, unless --app names one. With --assume, the survey shows before you make
    a change which apps would stop, and how many users keep working.
    """
    refuse_empty()
    redaction = redaction_of(redact, redact_key)
    places = destinations(formats, outputs)
    from auditor.jobs.app_survey import SurveyRequest, survey_exit_code, survey_of
    from auditor.jobs.audit_request import refuse_overwriting
    from auditor.model.survey import Filters

    refuse_overwriting(outputs, redact_key, snapshots)
    request = SurveyRequest(
        source=source_of(snapshots, sample, waiting(tenant)),
        packs=packs,
        abused=abused_files,
        chosen=chosen,
        whole_catalogue=whole_catalogue,
        filters=Filters(
            stopped=stopped, unverified=unverified, third_party=third_party, unused_days=unused, names=names
        ),
        assumptions=assumed,
        redaction=redaction,
        log_days=since,
    )
    with interaction(is_long=True) as person:
        survey = survey_of(request, person)
    from auditor.render.survey import as_text, render_survey

    write_document(
        places,
        lambda form: render_survey(survey, form),
        lambda columns, colour: as_text(survey, width=columns, colour=colour, whole=details).decode(),
    )
    code = survey_exit_code(survey)
    say_ending(places, f"Exit code {code}: {_MEANS[code]}")
    return code
