"""``check``: audit a tenant, live or from a snapshot, and report what to change."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import (
    abused_option,
    app_options,
    named_app,
    pack_option,
    packs_to_apply,
    redact_options,
    redaction_of,
    refuse_empty,
    source_of,
    source_options,
    tenant_options,
    waiting,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, say, wants_colour, width
from auditor.model.document import series
from auditor.model.errors import EXIT_CODES, OK
from auditor.model.report import Report
from auditor.model.rule import Severity
from auditor.render import FORMATS

if TYPE_CHECKING:
    from auditor.jobs.audit_request import Outputs
    from auditor.model.difference import SinceLast
    from auditor.model.report import Summary
    from auditor.model.snapshot import Snapshot


def print_sample_notice() -> None:
    """Print that no tenant was read, and how to read one."""
    notice = "This is a sample. To read your own tenant: docs/app-registration.md"
    click.echo(f"{click.wrap_text(notice, width())}\n")


def binary_needs_file(outputs: Outputs) -> None:
    """Raise click.UsageError for a binary format on a terminal."""
    name = outputs.formats[0]
    if outputs.is_standard_output and FORMATS[name].is_binary and sys.stdout.isatty():
        raise click.UsageError(f"{name} can't be shown on a terminal: add -o report{FORMATS[name].ending}")


def trend_needs_format(earlier: Sequence[str], outputs: Outputs) -> None:
    """Raise click.UsageError for --trend if none of the formats shows a trend."""
    if earlier and not any(FORMATS[name].shows_trend for name in outputs.formats):
        shown = series([name for name, form in FORMATS.items() if form.shows_trend])
        raise click.UsageError(f"only {shown} show a trend: add -o report.html, or leave out --trend")


def summary_needs_format(outputs: Outputs) -> None:
    """Raise click.UsageError for --summary if one of the formats has no such page."""
    without = [name for name in outputs.formats if not FORMATS[name].has_summary]
    if without:
        having = series([name for name, form in FORMATS.items() if form.has_summary], "or")
        raise click.UsageError(f"--summary writes one page as {having}, not as {without[0]}: add -o summary.pdf")


def write_report(
    report: Report,
    outputs: Outputs,
    history: Sequence[tuple[str, Summary]] = (),
    since_last: SinceLast | None = None,
    *,
    details: bool = False,
) -> None:
    """Write the report to the outputs of the request: on a terminal one screen, or all of it with `details`.

    Raises OSError and FormatUnavailable.
    """
    if outputs.is_text_on_standard_output:
        _print_text(report, details)
        return
    from auditor.jobs.audit_request import rendered, write_files, write_page

    silent = [name for name in outputs.formats if not FORMATS[name].shows_what_if]
    if report.what_if and silent:
        verb = "doesn't" if len(silent) == 1 else "don't"
        say(f"Note: {' and '.join(silent)} {verb} show --assume, because the change wasn't made.")
    if sys.stderr.isatty():
        _say_what_is_written(report, outputs)
    pages = rendered(report, outputs, history, since_last)
    if outputs.is_standard_output:
        write_page(report, outputs.formats[0], pages, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    for path in write_files(report, pages, outputs):
        say(f"Wrote {path}")


_MANY_GRANTS = 20_000
"""Grants with which every format takes a second or more to write."""
_MOST_NAMED = 3


def _say_what_is_written(report: Report, outputs: Outputs) -> None:
    """Name the files that take long to write; nothing for a second's work."""
    is_large = report.granted is not None and len(report.granted.rows) > _MANY_GRANTS
    slow = [str(path) for name, path in outputs.files if is_large or FORMATS[name.partition("/")[0]].is_binary]
    if len(slow) > _MOST_NAMED:
        slow = [f"{len(slow)} files"]
    if slow:
        say(f"Writing {series(slow)}…")


def _print_text(report: Report, details: bool) -> None:
    if details:
        from auditor.render.text import render
    else:
        from auditor.render.terminal_screen import render
    _print_page(render(report, width=width(), colour=wants_colour()))
    if details:
        click.echo()  # the screen's own last line is about these lines, too


def _print_page(page: str) -> None:
    from auditor.render.text_layout import for_encoding

    click.echo(for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())


def print_verdict(report: Report, outputs: Outputs, code: int, fail_on: str) -> None:
    """Repeat the verdict where the person looks last: below the report, or of files on standard error, in one line.

    A program that reads the report from standard output gets nothing else.
    """
    from auditor.render.terminal_screen import ending, exit_meaning, verdict

    if outputs.is_text_on_standard_output:
        _print_page(ending(report, code, fail_on, width=width(), colour=wants_colour()))
    elif not outputs.is_standard_output:
        say(f"{verdict(report)} {exit_meaning(code, fail_on)}")


SHELLS = ("powershell", "az")


def single_file(option: str, what: str, formats: tuple[str, ...], outputs: tuple[str, ...]) -> str:
    """The file to write `what` to, or ``-`` for standard output. Raises click.UsageError and InvalidRequest.

    `option` writes it instead of the report.
    """
    if formats:
        raise click.UsageError(f"{option} writes {what} instead of the report: leave out -f")
    if len(outputs) > 1:
        raise click.UsageError(f"{option} writes one file: give one -o FILE")
    (output,) = outputs or ("-",)
    if output != "-":
        from auditor.jobs.audit_request import must_be_writable

        must_be_writable(output)
    return output


def write_fix_script(report: Report, shell: str, which: str, output: str) -> None:
    """Write the script of the fix with this number, key or route (or of fix 1) to `output`.

    Raises InvalidRequest if the report has no such fix, or if it can't be written as a script.
    """
    from auditor.jobs.fix_scripts import fix_script

    script = fix_script(report, shell, which)
    if _write_text(script.text, output):
        say(f"Wrote {output}: fix {script.number}, {script.title}. Read it before you run it.")


def write_message(report: Report, output: str) -> None:
    """Write the message for the person who must act to `output`. Raises OSError."""
    from auditor.render.message import render

    if _write_text(render(report), output):
        say(f"Wrote {output}: the message for the person who must act. Read it before you send it.")


def _write_text(text: str, output: str) -> bool:
    """Whether the text was written to a file; else it was written to standard output."""
    if output == "-":
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
        return False
    from auditor.atomic import write_whole

    write_whole(output, text.encode(), keep_mode=True)
    return True


def say_if_other_tenant(named: str, snapshot: Snapshot) -> None:
    """Say that the address of --from-url signs in to another tenant than the one that the answer is about."""
    is_other = snapshot.is_other_tenant(named)
    if is_other:
        say(
            f"Note: the address signs in to the tenant {named}, and this answer is about {snapshot.tenant.id}."
            " Check the snapshot of that tenant to learn what its users see there."
        )
    elif is_other is None:
        say(
            f"Note: the address signs in to {named}, and the data doesn't say whether that's the tenant that this"
            " answer is about."
        )


@click.command(
    "check",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor check --pack trackerrms-uk
  consent-auditor check --sample low-classified --pack trackerrms-uk
  consent-auditor check --app thunderbird
  consent-auditor check --app 11111111-2222-3333-4444-555555555555 --scopes "Mail.Read offline_access"
  consent-auditor check --from-url "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?…"
  consent-auditor check --snapshot tenant.json --pack trackerrms-us -f text -f json -o audit-results/
  consent-auditor check --pack trackerrms-uk --details
  consent-auditor check --pack trackerrms-uk -o report.html -o report.json
  consent-auditor check --pack trackerrms-uk --redact -o to-send.html
  consent-auditor check --pack cisa-scuba --waivers waivers.yaml --fail-on high
  consent-auditor check --pack grants-hygiene --abused our-list.yaml
  consent-auditor check --pack cisa-scuba --trend audit-results/ -o audit-results/today.json -o audit-results/today.html
  consent-auditor check --snapshot tenant.json --pack trackerrms-uk --assume setting=low
  consent-auditor check --snapshot tenant.json --pack trackerrms-uk --fix-script powershell --fix 2 -o fix.ps1
  consent-auditor check --pack trackerrms-uk --summary -o summary.pdf
  consent-auditor check --pack trackerrms-uk --message
  consent-auditor check --pack trackerrms-uk --wait-until connects --timeout 30m

"""
    + EXIT_CODES,
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
    help="Report format; several need -o FOLDER/. Default: by the file's ending, else one screen of text.",
)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE|FOLDER/",
    help="Where to write the report. Repeatable: each file gets the format of its ending. Default: the terminal.",
)
@click.option(
    "--details",
    is_flag=True,
    help="Print the whole report on the terminal, not one screen of it. Files have all of it.",
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
    help="Also decide with this change: fix:R1, publisher-verified=true, setting=low, workflow=on,"
    ' classified="…" and so on. Repeatable.',
)
@click.option(
    "--fix-script",
    type=click.Choice(SHELLS),
    help="Write a script for a proven fix instead of the report. Nothing is run.",
)
@click.option(
    "--fix",
    "which_fix",
    metavar="NUMBER|ROUTE",
    default="",
    help="The fix that --fix-script writes: 2 for Fix 2 of the report, or its route, such as R3. Default: Fix 1.",
)
@click.option(
    "--summary",
    "only_summary",
    is_flag=True,
    help="Write only the first page, for a person who decides: question, answer, permissions in plain words, risk, who"
    " must act and how long it takes. For html, pdf and markdown.",
)
@click.option(
    "--message",
    "wants_message",
    is_flag=True,
    help="Write a short e-mail or ticket note for the person who must act instead of the report.",
)
@click.option(
    "--waivers",
    "waiver_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(),
    envvar="CONSENT_AUDITOR_WAIVERS",
    help="Failures that you accept for a limited time; counted separately, never as a pass. Repeatable."
    " Default: the files in CONSENT_AUDITOR_WAIVERS.",
)
@abused_option
@click.option(
    "--trend",
    "earlier",
    multiple=True,
    metavar="FILE|FOLDER",
    type=click.Path(),
    help="Earlier JSON reports on this tenant with the same packs, so that HTML, PDF and Markdown show what changed."
    " Repeatable.",
)
@click.option(
    "--wait-until",
    "wait_until",
    type=click.Choice(("connects",)),
    help="Read the live tenant again until a change has arrived: connects waits until each decision is"
    " connects-silently or user-may-consent. --timeout then limits the whole run (default: 1h), and the last read"
    " decides the report and the exit code.",
)
@redact_options()
@click.option(
    "--strict", is_flag=True, help="Exit with 4 for any unknown finding, not only for an unknown decision or pack."
)
def command(
    packs: tuple[str, ...],
    client_id: str | None,
    scopes: str | None,
    redirect_uri: str,
    name: str,
    from_url: str | None,
    user: str,
    snapshots: tuple[str, ...],
    sample: str | None,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    details: bool,
    fail_on: str,
    assumed: tuple[str, ...],
    fix_script: str | None,
    which_fix: str,
    only_summary: bool,
    wants_message: bool,
    waiver_files: tuple[str, ...],
    abused_files: tuple[str, ...],
    earlier: tuple[str, ...],
    wait_until: str | None,
    redact: bool,
    redact_key: str | None,
    strict: bool,
    **tenant: Any,
) -> int:
    """Audit a tenant: can users connect the app, and if not, why, and what to change.

    Without --snapshot and --sample, it reads the live tenant. It changes nothing in it.
    """
    refuse_empty()
    redaction = redaction_of(redact, redact_key)
    if which_fix and not fix_script:
        raise click.UsageError(
            f"--fix chooses what --fix-script writes: add --fix-script {SHELLS[0]} or leave out --fix"
        )
    if fix_script and redact:
        raise click.UsageError(
            "--fix-script writes commands for your tenant, which contain its real ids: leave out --redact"
        )
    if fix_script and wants_message:
        raise click.UsageError("--fix-script and --message each write something else than the report: leave out one")
    if fix_script and wait_until:
        raise click.UsageError("--fix-script writes how to make a change, and --wait-until waits for it: leave out one")
    from auditor.jobs.audit import audit, exit_code
    from auditor.jobs.audit_request import AuditRequest, Outputs, is_inside, outputs_for, refuse_overwriting

    instead = ("--fix-script", "a script") if fix_script else ("--message", "a message") if wants_message else None
    file = single_file(*instead, formats, outputs) if instead else ""
    if instead and only_summary:
        raise click.UsageError(f"{instead[0]} writes something else than the report: leave out --summary")
    destination = Outputs() if instead else outputs_for(formats, outputs)
    if only_summary:
        summary_needs_format(destination)
        destination = Outputs(
            formats=destination.formats, files=destination.files, folder=destination.folder, only_summary=True
        )
    if details and (instead or not destination.is_text_on_standard_output):
        raise click.UsageError("--details is for the report on the terminal, and files have all of it: leave it out")
    binary_needs_file(destination)
    trend_needs_format(earlier, destination)
    refuse_overwriting((*outputs, *(path for _, path in destination.files)), redact_key, snapshots)
    if destination.folder is not None and redact_key and is_inside(redact_key, destination.folder):
        say(f"The key file {redact_key} is in {destination.folder}: don't send it with the reports.")
    named = named_app(client_id, scopes, redirect_uri, name, from_url)
    request = AuditRequest(
        source=source_of(snapshots, sample, waiting(tenant) if wait_until else tenant, named.tenant),
        packs=packs_to_apply(packs, named),
        app=named.app,
        user=user,
        waivers=waiver_files,
        abused=abused_files,
        assumptions=() if fix_script else assumed,
        redaction=redaction,
        outputs=destination,
        earlier=earlier,
        waits=wait_until is not None,
    )
    with interaction() as person:
        audited = audit(request, person)
    say_if_other_tenant(named.tenant, audited.snapshot)
    if fix_script:
        write_fix_script(audited.report, fix_script, which_fix, file)
        return OK
    if wants_message:
        write_message(audited.report, file)
        return exit_code(audited.report, fail_on=fail_on, strict=strict)
    if sample and destination.is_text_on_standard_output:
        print_sample_notice()
    write_report(audited.report, destination, audited.history, audited.since_last, details=details or "text" in formats)
    code = exit_code(audited.report, fail_on=fail_on, strict=strict)
    print_verdict(audited.report, destination, code, fail_on)
    return code
