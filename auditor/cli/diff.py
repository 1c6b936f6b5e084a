"""``diff``: what changed between two reports, snapshots or nights, and what it means for users."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import app_options, history_options, named_app, pack_option, packs_to_apply, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, say, wants_colour, width
from auditor.model.errors import InvalidRequest
from auditor.model.rule import Severity

if TYPE_CHECKING:
    from auditor.model.difference import Difference

FORMATS = ("text", "json", "markdown", "html", "csv")
_PIPE = "-"


@click.command(
    "diff",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor diff monday.json tuesday.json
  consent-auditor diff before.json after.json --pack trackerrms-uk
  consent-auditor diff previous last --tenant contoso -o audit-results/changes.html
  consent-auditor diff 41 42 -f json
  consent-auditor diff monday.json tuesday.json --fail-on-new high

\b
Exit codes: 0 compared, 1 something that --fail-on-new or --fail-on-change names, 2 usage error.""",
)
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@pack_option
@app_options
@history_options
@click.option("-f", "--format", "formats", multiple=True, type=click.Choice(FORMATS), help="Format. Default: text.")
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Where to write it. Repeatable: each file gets the format of its ending. Default: the terminal.",
)
@click.option(
    "--fail-on-new",
    type=click.Choice([one.value for one in Severity]),
    default=None,
    help="Exit with 1 if a rule of this severity or a worse one fails in B that didn't fail in A.",
)
@click.option("--fail-on-change", is_flag=True, help="Exit with 1 if anything but noise changed.")
def command(
    before: str,
    after: str,
    packs: tuple[str, ...],
    client_id: str | None,
    scopes: str | None,
    redirect_uri: str,
    name: str,
    from_url: str | None,
    history: str,
    config: str,
    tenant: str,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    fail_on_new: str | None,
    fail_on_change: bool,
) -> int:
    """Show what changed from A to B, and what it means for users.

    A and B are reports (written with -f json), snapshots, or nights of a history: the id of a run, last, previous, or
    the name of a tenant, which means its last run. With --pack or --app, two snapshots are also judged by the rules.
    Only what both sides read is compared; what one of them didn't read is listed.
    """
    refuse_empty()
    destinations = _destinations(formats, outputs)
    app, _ = named_app(client_id, scopes, redirect_uri, name, from_url)
    from auditor.jobs.differences import DifferenceRequest, difference_exit_code, difference_of

    request = DifferenceRequest(
        before=before,
        after=after,
        packs=packs_to_apply(packs, app),
        app=app,
        history=history,
        config=config,
        tenant=tenant,
    )
    with interaction() as person:
        difference = difference_of(request, person)
    _write(difference, destinations)
    return difference_exit_code(difference, fail_on_new=fail_on_new or "", fail_on_change=fail_on_change)


def _destinations(formats: tuple[str, ...], outputs: tuple[str, ...]) -> list[tuple[str, str]]:
    """Format and file of each output. Raises click.UsageError, and InvalidRequest for a file that can't be written."""
    if not outputs or outputs == (_PIPE,):
        if len(formats) > 1:
            raise click.UsageError("several formats need several files: add -o FILE for each, or leave out -f")
        return [((formats or ("text",))[0], _PIPE)]
    if formats and (len(formats) > 1 or len(outputs) > 1):
        raise click.UsageError("with several -o files, the endings choose the formats: leave out -f")
    from auditor.jobs.audit_request import must_be_writable
    from auditor.render.difference import ENDINGS

    found = []
    for output in dict.fromkeys(outputs):
        must_be_writable(output)
        form = formats[0] if formats else ENDINGS.get(Path(output).suffix.lower(), "")
        if not form:
            raise InvalidRequest(f"{output} has no ending of {', '.join(ENDINGS)}: change it, or add -f FORMAT")
        found.append((form, output))
    return found


def _write(difference: Difference, destinations: list[tuple[str, str]]) -> None:
    from auditor.render import difference as render

    for form, output in destinations:
        if output != _PIPE:
            from auditor.atomic import write_whole

            write_whole(output, render.render_difference(difference, form), keep_mode=True)
            say(f"Wrote {output}")
        elif form == "text":
            from auditor.render.text_layout import for_encoding

            page = render.as_text(difference, width=width(), colour=wants_colour()).decode()
            click.echo(for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())
        else:
            sys.stdout.buffer.write(render.render_difference(difference, form))
            sys.stdout.buffer.flush()
