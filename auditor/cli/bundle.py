"""``bundle``: one zip for a ticket. ``bundle verify``: is it whole, and do the rules say the same again?"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli import exits
from auditor.cli.asked import asked_app, asked_packs, refuse_empty
from auditor.cli.key_place import PIPE, refuse_overwriting
from auditor.cli.options import app_options, pack_option, source_options, tenant_options
from auditor.cli.output import must_be_writable
from auditor.cli.pack_texts import text_for_app, texts_for
from auditor.cli.redaction import answered_without_names, redact_options, refuse_key_alone, without_names
from auditor.cli.tenant import read_tenant, refuse_two_tenants

if TYPE_CHECKING:
    from auditor.jobs.bundle import Manifest
    from auditor.jobs.bundle_check import Verified


@click.group(
    "bundle",
    invoke_without_command=True,
    epilog="""\b
Examples:
  consent-auditor bundle --pack trackerrms-uk -o ticket.zip
  consent-auditor bundle --snapshot tenant.json --pack trackerrms-uk -o ticket.zip
  consent-auditor bundle verify ticket.zip""",
)
@pack_option
@app_options
@source_options
@tenant_options
@click.option("-o", "--output", metavar="FILE", default="consent-audit.zip", show_default=True, help="File to write.")
@redact_options(default=True)
@click.pass_context
def command(
    ctx: click.Context,
    /,
    packs: tuple[str, ...],
    client_id: str | None,
    scopes: str | None,
    redirect_uri: str,
    name: str,
    from_url: str | None,
    user: str,
    snapshot: str | None,
    sample: str | None,
    output: str,
    redact: bool,
    redact_key: str | None,
    **tenant: Any,
) -> int:
    """Make one zip for a ticket: the report in HTML, PDF and JSON, the snapshot, the rules, and their SHA-256 sums.

    Names of the tenant, its people and its objects are redacted unless --no-redact is given. What is in the bundle
    can be judged again by whoever gets it.
    """
    if ctx.invoked_subcommand:
        return exits.OK
    refuse_empty()
    refuse_two_tenants(snapshot, sample)
    refuse_key_alone(redact)
    if output == PIPE:
        raise click.UsageError("a bundle is a file to attach: give -o the name of one")
    must_be_writable(output)
    refuse_overwriting([output], redact_key, snapshot)
    if os.environ.get("CONSENT_AUDITOR_WAIVERS"):
        click.echo("Waivers are no part of a bundle: its findings stand as they are.", err=True)
    asked = asked_app(client_id, scopes, redirect_uri, name, from_url)
    texts = texts_for(asked_packs(packs, asked.app), packs)
    if asked.app is not None:
        texts.append(text_for_app(asked.app))
    read, source = read_tenant([text.pack for text in texts], snapshot, sample, user, asked.tenant, tenant)
    from auditor.atomic import write_whole
    from auditor.jobs.bundle import bundle
    from auditor.jobs.question import Question
    from auditor.jobs.tool import TOOL
    from auditor.packs.pack_texts import laid_out

    asked_now = Question(read, tuple(text.pack for text in texts), user, source, TOOL)
    if redact:
        told, texts = without_names(asked_now, texts, redact_key)
        report = answered_without_names(asked_now, told)
    else:
        texts = laid_out(texts)
        told = asked_now._replace(packs=tuple(text.pack for text in texts))
        report = told.answered()
    data, manifest = bundle(report, told.snapshot, texts, redacted=redact, user=told.user)
    write_whole(output, data, keep_mode=True)
    _say(output, manifest)
    return exits.OK


def _say(output: str, manifest: Manifest) -> None:
    from auditor.jobs.bundle import PASTE
    from auditor.render.labels import count

    click.echo(f"Wrote {output}: {count(len(manifest.files) + 1, 'file')}, names {_names(manifest)}.", err=True)
    for why in manifest.left_out:
        click.echo(f"Left out {why}", err=True)
    click.echo(f"Attach it to the ticket; {PASTE} in it is a text to paste.", err=True)


def _names(manifest: Manifest) -> str:
    return "redacted" if manifest.redacted else "not redacted"


@command.command(
    "verify",
    epilog="""\b
Examples:
  consent-auditor bundle verify ticket.zip

\b
Exit codes: 0 whole, and the rules say the same again; 1 damaged or changed, or the rules
say something else; 2 no bundle; 4 whole, but it could not be judged again.""",
)
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
def verify(file: str) -> int:
    """Check a bundle: every file against its SHA-256, and the snapshot judged again by the bundle's rules.

    The version that made the bundle makes its reports again, too, and compares them to the byte.
    """
    if not file:
        raise click.UsageError("FILE is empty: is a variable not set?")
    from auditor.jobs import bundle_check
    from auditor.jobs.tool import TOOL

    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    found = bundle_check.verify(data, TOOL)
    for line in _told(found):
        click.echo(line)
    if found.problems or found.differences:
        return exits.FAILING
    return exits.UNKNOWN if found.not_judged else exits.OK


def _told(found: Verified) -> list[str]:
    from auditor.render.labels import count, readable_time
    from auditor.render.layout import safe

    manifest = found.manifest
    tenant = safe(manifest.tenant.name or manifest.tenant.id)
    lines = [f"{tenant}, read {readable_time(manifest.taken)} by {safe(manifest.tool)}, names {_names(manifest)}"]
    if found.problems:
        lines += ["", "NOT WHOLE: ask the sender for the file again.", *(f"  {safe(one)}" for one in found.problems)]
        return lines
    lines.append(f"Whole: {count(len(manifest.files), 'file')} as the manifest lists them.")
    if found.not_judged:
        lines.append(f"Not judged again: {safe(found.not_judged)}")
    elif found.differences:
        lines += ["Judged again, and it says something else:", *(f"  {safe(one)}" for one in found.differences)]
    else:
        lines.append("Judged again: the same answers and the same findings.")
    return [*lines, *(f"Note: {safe(note)}." for note in found.notes)]
