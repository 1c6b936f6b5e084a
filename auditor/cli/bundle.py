"""``bundle`` packs one zip for a ticket; ``bundle verify`` checks that it is complete and evaluates it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import (
    app_options,
    environment_names,
    named_app,
    pack_option,
    packs_to_apply,
    redact_options,
    redaction_of,
    refuse_empty,
    source_of,
    source_options,
    tenant_options,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, say
from auditor.model.errors import FAILING, OK, UNKNOWN

if TYPE_CHECKING:
    from auditor.jobs.bundle_verifier import Verification
    from auditor.jobs.bundle_writer import BundleManifest


class _BundleGroup(AuditCommand, click.Group):
    """A group that is also a command: ``bundle`` packs a file, and does nothing if a subcommand follows it."""


@click.group(
    "bundle",
    cls=_BundleGroup,
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
    snapshots: tuple[str, ...],
    sample: str | None,
    output: str,
    redact: bool,
    redact_key: str | None,
    **tenant: Any,
) -> int:
    """Pack one zip for a ticket: the report in HTML, PDF and JSON, the snapshot, the rules, and their checksums.

    Names of the tenant, its people and its objects are redacted unless you give --no-redact. Whoever receives the
    bundle can evaluate it again.
    """
    if ctx.invoked_subcommand:
        return OK
    refuse_empty()
    redaction = redaction_of(redact, redact_key)
    from auditor.jobs.audit_request import PIPE, AuditRequest, must_be_writable, refuse_overwriting
    from auditor.jobs.bundle_writer import bundle_for

    if output == PIPE:
        raise click.UsageError("a bundle can't go to standard output: give -o the name of a file")
    must_be_writable(output)
    refuse_overwriting([output], redact_key, snapshots)
    if environment_names("CONSENT_AUDITOR_WAIVERS"):
        say("Note: a bundle ignores waivers, so its report shows the failures that they cover.")
    if environment_names("CONSENT_AUDITOR_ABUSED"):
        say("Note: a bundle ignores your own lists of abused apps. Only the list of the program is applied.")
    named = named_app(client_id, scopes, redirect_uri, name, from_url)
    request = AuditRequest(
        source=source_of(snapshots, sample, tenant, named.tenant),
        packs=packs_to_apply(packs, named),
        app=named.app,
        user=user,
        redaction=redaction,
    )
    with interaction() as person:
        data, manifest = bundle_for(request, person)
    from auditor.atomic import write_whole

    write_whole(output, data, keep_mode=True)
    _print_result(output, manifest)
    return OK


def _print_result(output: str, manifest: BundleManifest) -> None:
    from auditor.jobs.bundle_writer import MESSAGE, PASTE
    from auditor.model.document import count

    say(f"Wrote {output}: {count(len(manifest.files) + 1, 'file')}, names {_names(manifest)}.")
    for why in manifest.left_out:
        say(f"Left out {why}")
    say(f"Attach it to the ticket. {PASTE} in it is a short text for the ticket itself.")
    say(f"{MESSAGE} in it is a message to send to the person who must act.")


def _names(manifest: BundleManifest) -> str:
    return "redacted" if manifest.redacted else "not redacted"


@command.command(
    "verify",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor bundle verify ticket.zip

Exit codes: 0 what the program writes for this snapshot and these rules; 1 damaged, changed or
different; 2 not a bundle; 4 complete, but it couldn't be verified with this version.""",
)
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
def verify(file: str) -> int:
    """Check a bundle: evaluate its snapshot again, write the bundle again, and compare every byte.

    Only the version that wrote a bundle can verify it; another version says which one. The PDF isn't written again: its
    checksum is compared.
    """
    if not file:
        raise click.UsageError("FILE is empty: is a variable not set?")
    from auditor.jobs.audit_request import TOOL
    from auditor.jobs.bundle_reader import bundle_bytes
    from auditor.jobs.bundle_verifier import verify as verify_bundle

    found = verify_bundle(bundle_bytes(file), TOOL)
    for line in _result_lines(found):
        click.echo(line)
    if found.problems or found.differences:
        return FAILING
    return UNKNOWN if found.not_evaluated or found.not_verifiable else OK


def _result_lines(found: Verification) -> list[str]:
    from auditor.model.document import count
    from auditor.render.labels import readable_time
    from auditor.render.text_layout import safe

    manifest = found.manifest
    tenant = safe(manifest.tenant.name or manifest.tenant.id)
    time = safe(readable_time(manifest.taken))
    lines = [f"{tenant}, read {time} by {safe(manifest.tool)}, names {_names(manifest)}"]
    if found.problems:
        lines += ["", "DAMAGED OR CHANGED: ask the sender for the file again."]
        return [*lines, *(f"  {safe(problem)}" for problem in found.problems)]
    lines.append(f"Complete: {count(len(manifest.files), 'file')}, as the manifest lists them.")
    if found.differences and found.not_verifiable:
        lines += ["Evaluated again by this version, with different results:"]
        lines += [f"  {safe(one)}" for one in found.differences]
    elif found.differences:
        lines += ["", "NOT WHAT THE PROGRAM WRITES: don't rely on it, and ask the sender for the original file."]
        lines += [f"  {safe(one)}" for one in found.differences]
    if found.not_verifiable:
        return [*lines, f"Not verifiable here: {safe(found.not_verifiable)}."]
    if found.differences:
        return lines
    if found.not_evaluated:
        lines.append(f"Not evaluated again: {safe(found.not_evaluated)}")
    else:
        lines.append("Evaluated again: the same decisions and the same findings.")
        lines.append(f"Written again: the same bytes{', except as noted' if found.notes else ''}.")
    return [*lines, *(f"Note: {safe(note)}." for note in found.notes)]
