"""``check``: audit a tenant, live or from a snapshot, and say what to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from auditor.cli import exits
from auditor.cli.asked import asked_app, asked_packs, refuse_empty
from auditor.cli.fix_script import SHELLS, script_place, write_fix_script
from auditor.cli.key_place import refuse_overwriting, warn_of_key_in
from auditor.cli.options import app_options, pack_option, source_options, tenant_options
from auditor.cli.output import Place, place_for, write_report
from auditor.cli.redaction import answered_without_names, redact_options, refuse_key_alone, without_names
from auditor.cli.tenant import read_tenant, refuse_two_tenants
from auditor.cli.trend import earlier_reports, history
from auditor.model.finding import Severity, WaiverFile
from auditor.render import FORMATS

if TYPE_CHECKING:
    from auditor.jobs.question import Question
    from auditor.model.report import Report

LIVE_HELP = (
    "To audit your own tenant, set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or\n"
    "AZURE_CLIENT_CERTIFICATE_PATH) and leave --sample out. docs/app-registration.md shows how to get them."
)


@click.command(
    "check",
    epilog="""\b
Examples:
  consent-auditor check --pack trackerrms-uk
  consent-auditor check --sample low-classified --pack trackerrms-uk
  consent-auditor check --app 5353a3d2-8ca9-42d2-b567-ea399ccb5e38 --scopes "Mail.Read offline_access"
  consent-auditor check --from-url "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?…"
  consent-auditor check --snapshot tenant.json --pack trackerrms-us -f text -f json -o reports/
  consent-auditor check --pack trackerrms-uk -o report.html -o report.json
  consent-auditor check --pack trackerrms-uk --redact -o to-send.html
  consent-auditor check --pack cisa-scuba --waivers waivers.yaml --fail-on high
  consent-auditor check --pack cisa-scuba --trend reports/ -o reports/today.json -o today.html
  consent-auditor check --snapshot tenant.json --pack trackerrms-uk --assume setting=low
  consent-auditor check --snapshot tenant.json --pack trackerrms-uk --fix-script powershell -o fix.ps1

\b
Exit codes: 0 nothing failing, 1 something failing, 2 usage or rule error,
3 the audit could not be made, 4 a verdict is unknown.""",
)
@pack_option
@app_options
@source_options
@tenant_options
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(tuple(FORMATS)),
    help="Report format; several need -o FOLDER/. Default: by the file's ending, else text.",
)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE|FOLDER/",
    help="Where to write the report; several files by their endings. Default: the terminal.",
)
@click.option(
    "--fail-on",
    type=click.Choice((*[s.value for s in Severity], "never")),
    default=Severity.MEDIUM.value,
    show_default=True,
    help="Least severity of a failing rule that makes the exit code 1.",
)
@click.option(
    "--assume",
    "assumed",
    multiple=True,
    metavar="WHAT",
    help="Decide again as if it were so, beside the tenant as it is: fix:R1, publisher-verified=true,"
    ' setting=low, workflow=on, classified="…" and the like. Repeatable.',
)
@click.option(
    "--fix-script",
    type=click.Choice(SHELLS),
    help="Write a script for a proven fix instead of the report. Nothing is run.",
)
@click.option("--fix", "route", metavar="ROUTE", default="", help="Which fix --fix-script is for. Default: the first.")
@click.option(
    "--waivers",
    "waiver_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(),
    envvar="CONSENT_AUDITOR_WAIVERS",
    help="Failures that somebody answers for, for a time; counted apart and never as a pass. Repeatable."
    " Default: the files in CONSENT_AUDITOR_WAIVERS.",
)
@click.option(
    "--trend",
    "earlier",
    multiple=True,
    metavar="FILE|FOLDER",
    type=click.Path(),
    help="Earlier JSON reports of this tenant by the same packs: HTML and PDF then show how the counts changed."
    " Repeatable.",
)
@redact_options()
@click.option("--strict", is_flag=True, help="Exit with 4 for any unknown finding, not only for decisions.")
def command(
    packs: tuple[str, ...],
    client_id: str | None,
    scopes: str | None,
    redirect_uri: str,
    name: str,
    from_url: str | None,
    user: str,
    snapshot: str | None,
    sample: str | None,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    fail_on: str,
    assumed: tuple[str, ...],
    fix_script: str | None,
    route: str,
    waiver_files: tuple[str, ...],
    earlier: tuple[str, ...],
    redact: bool,
    redact_key: str | None,
    strict: bool,
    **tenant: Any,
) -> int:
    """Audit a tenant: can users connect the app, and if not, why, and what to change.

    Without --snapshot and --sample it reads the tenant live, and changes nothing in it.
    """
    refuse_empty()
    refuse_two_tenants(snapshot, sample)
    refuse_key_alone(redact)
    if fix_script and redact:
        raise click.UsageError(
            "--fix-script writes commands for your tenant, which need its real ids: leave --redact out"
        )
    script_file = script_place(formats, outputs) if fix_script else ""
    place = Place() if fix_script else place_for(formats, outputs)
    refuse_overwriting((*outputs, *(path for _, path in place.files)), redact_key, snapshot)
    if place.folder is not None:
        warn_of_key_in(place.folder, redact_key)
    asked = asked_app(client_id, scopes, redirect_uri, name, from_url)
    chosen = asked_packs(packs, asked.app)
    waivers = _waivers(waiver_files)
    before = earlier_reports(earlier, place)
    read, source = read_tenant(chosen, snapshot, sample, user, asked.tenant, tenant)
    from auditor.jobs.question import Question
    from auditor.jobs.tool import TOOL
    from auditor.jobs.verdict import exit_code

    question = Question(read, chosen, user, source, TOOL, tuple(waivers), () if fix_script else assumed)
    report = _redacted(question, packs, redact_key) if redact else question.answered()
    if fix_script:
        write_fix_script(report, fix_script, route, script_file)
        return exits.OK
    if sample and place.has_standard_output:
        click.echo(f"This is the sample tenant {sample!r}, bundled with consent-auditor: no tenant was read.")
        click.echo(f"{LIVE_HELP}\n")
    write_report(report, place, history(report, before))
    return exit_code(report, fail_on=fail_on, strict=strict)


def _redacted(question: Question, names: tuple[str, ...], key_file: str | None) -> Report:
    """The report without names. Raises click.UsageError where it would say something else."""
    from auditor.cli.pack_texts import texts_for

    told, _ = without_names(question, texts_for(question.packs, names), key_file)
    return answered_without_names(question, told)


def _waivers(files: tuple[str, ...]) -> Sequence[WaiverFile]:
    """The waivers of the files, read before the tenant is. Raises PackError."""
    if not files:
        return ()
    from auditor.packs.waiver_files import load_waiver_files

    return load_waiver_files(files)
