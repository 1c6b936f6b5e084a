"""``explain``: what an error code, a pasted error or an address of Microsoft's sign-in means, and what would fix it."""

from __future__ import annotations

import sys
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from auditor.cli.document_output import PIPE, destinations, output_options, say_ending, write_document
from auditor.cli.options import (
    complete_apps,
    complete_samples,
    redact_options,
    redaction_of,
    refuse_empty,
    source_of,
    tenant_options,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, say
from auditor.model.errors import FAILING, OK, UNKNOWN, InvalidRequest

_MOST = 1_000_000
"""The bytes of standard input that are read."""

_MEANS = {
    (OK, False): "the code is known.",
    (UNKNOWN, False): "a code isn't known.",
    (OK, True): "this tenant lets the user connect.",
    (FAILING, True): "this tenant stops the user.",
    (UNKNOWN, True): "it isn't known whether this tenant stops the user.",
}


def complete_codes(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The known codes, with what they mean."""
    from auditor.facts.sign_in_codes import sign_in_codes

    typed = incomplete.upper().removeprefix("AADSTS")
    prefix = incomplete[: len(incomplete) - len(typed)]
    return [
        CompletionItem(f"{prefix}{code}", help=one.title)
        for code, one in sign_in_codes().items()
        if code.startswith(typed)
    ]


@click.command(
    "explain",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor explain AADSTS90094
  consent-auditor explain "https://vendor.example/callback?error=access_denied&error_description=AADSTS65004…"
  consent-auditor explain "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=…"
  consent-auditor explain 90094 --sample managed-default --app trackerrms-uk
  consent-auditor explain 50105 --live --app 5353a3d2-8ca9-42d2-b567-ea399ccb5e38 --user adele@contoso.com
  cat error.txt | consent-auditor explain - --snapshot tenant.json

\b
Put a text or an address in quotation marks, because of its spaces and & signs. In PowerShell, use
single ones, or pipe what you copied:
  Get-Clipboard | consent-auditor explain -
  pbpaste | consent-auditor explain -                    (macOS)
  xclip -selection clipboard -o | consent-auditor explain -    (Linux)

Exit codes: 0 known, or the tenant lets the user connect; 1 the tenant stops the user;
2 usage error; 3 the tenant could not be read; 4 not known.""",
)
@click.argument("text", nargs=-1, metavar="CODE|TEXT|URL|-", shell_complete=complete_codes)
@click.option(
    "--app",
    metavar="NAME|CLIENT_ID",
    default="",
    help="The app. Default: the one that the text names.",
    shell_complete=complete_apps,
)
@click.option("--scopes", metavar='"SCOPE …"', help="The scopes that --app requests. Default: those of its pack.")
@click.option(
    "--user", metavar="UPN|OBJECT-ID", default="", help="Decide for this user. Default: the one that the text names."
)
@click.option(
    "--snapshot",
    "snapshots",
    multiple=True,
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="Would this tenant answer so? A snapshot, a bundle, or files of other tools. Repeatable.",
)
@click.option(
    "--sample", metavar="NAME", help="Would this bundled sample tenant answer so?", shell_complete=complete_samples
)
@click.option("--live", is_flag=True, help="Would the live tenant answer so? Also with --tenant or --auth.")
@click.option("--details", is_flag=True, help="Print everything on the terminal, not one screen of it.")
@output_options
@redact_options()
@tenant_options
def command(
    text: tuple[str, ...],
    app: str,
    scopes: str | None,
    user: str,
    snapshots: tuple[str, ...],
    sample: str | None,
    live: bool,
    details: bool,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    redact: bool,
    redact_key: str | None,
    **tenant: Any,
) -> int:
    """Explain an error of Microsoft's sign-in: what it means, who can fix it, and how.

    It takes a code, the text of an error page or message, the address to which a failed sign-in led, or the address
    that an app sends users to. With --snapshot, --sample or --live it also says whether that tenant would answer so,
    which setting does it and what fixes it; where it wouldn't, what that can mean. Without them, it reads no tenant.
    """
    refuse_empty()
    redaction = redaction_of(redact, redact_key)
    places = destinations(formats, outputs)
    if scopes and not app:
        raise click.UsageError("--scopes needs --app NAME or --app CLIENT_ID")
    is_live = live or _was_given("tenant") or _was_given("auth")
    if live and (snapshots or sample):
        raise click.UsageError("--live and --snapshot or --sample exclude each other: leave out one of them")
    from auditor.jobs.app_catalog import app_described
    from auditor.jobs.audit_request import refuse_overwriting
    from auditor.jobs.explain import ExplainRequest, explain, explain_exit_code

    refuse_overwriting(outputs, redact_key, snapshots)
    request = ExplainRequest(
        text=_text(text, snapshots),
        source=source_of(snapshots, sample, tenant) if snapshots or sample or is_live else None,
        app=app_described(app, scopes) if scopes else None,
        app_name="" if scopes else app,
        user=user,
        redaction=redaction,
    )
    with interaction() as person:
        explanation = explain(request, person)
    from auditor.render.explanation import as_text, render_explanation

    write_document(
        places,
        lambda form: render_explanation(explanation, form),
        lambda columns, colour: as_text(explanation, width=columns, colour=colour, whole=details).decode(),
    )
    code = explain_exit_code(explanation)
    ending = f"Exit code {code}: {_MEANS[code, explanation.tenant_says is not None]}"
    say_ending(places, ending)
    return code


def _was_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def _text(arguments: tuple[str, ...], snapshots: tuple[str, ...]) -> str:
    """The text of the arguments, or of standard input. Raises click.UsageError, and InvalidRequest for an empty one."""
    if not arguments and sys.stdin.isatty():
        raise click.UsageError('give a code, a text or an address: consent-auditor explain AADSTS90094, or "…", or -')
    if arguments and arguments != (PIPE,):
        return " ".join(arguments)
    if PIPE in snapshots:
        raise click.UsageError("standard input can't be the text and the snapshot: give one of them as a file")
    if sys.stdin.isatty():
        say("Paste the text, then press Ctrl+D (on Windows: Ctrl+Z, then Enter).")
    data = sys.stdin.buffer.read(_MOST)
    if not data.strip():
        raise InvalidRequest("standard input is empty: pipe in the text of the error, or give it in quotation marks")
    return _decoded(data)


def _decoded(data: bytes) -> str:
    """The text of a file or a pipe: UTF-8, or UTF-16 as Windows PowerShell writes files, also without its mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", "replace")
    return data.decode("utf-8-sig", "replace")
