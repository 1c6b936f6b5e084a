"""``redact``: write a snapshot without names, or look up what a token means."""

from __future__ import annotations

import click

from auditor.cli.options import KEY_VARIABLE, pack_option, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, say
from auditor.model.errors import OK, USAGE


@click.command(
    "redact",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor redact tenant.json -o redacted.json --redact-key key.txt
  consent-auditor redact tenant.json --redact-key key.txt --reveal "User 3fa9c21b07\"""",
)
@click.argument("snapshots", metavar="SNAPSHOT...", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("-o", "--output", metavar="FILE", help="Where to write. Default: standard output.")
@click.option(
    "--redact-key", metavar="FILE", type=click.Path(), envvar=KEY_VARIABLE, help="File with the key of the tokens."
)
@click.option(
    "--reveal", metavar="TOKEN", default="", help="Print what this token means instead of writing a snapshot."
)
@pack_option
def command(
    snapshots: tuple[str, ...], output: str | None, redact_key: str | None, reveal: str, packs: tuple[str, ...]
) -> int:
    """Write a snapshot without names of the tenant, its people and its objects.

    An audit of the new file gives the same verdicts. The ids of Microsoft's and vendors' apps stay, and so do those of
    the apps of --pack. With the key, --reveal looks up a token of a report in the snapshot that the report is about.
    """
    refuse_empty()
    if reveal and not redact_key:
        raise click.UsageError("--reveal needs the key with which the token was created: add --redact-key FILE")
    from auditor.jobs.audit_request import PIPE, Redaction, must_be_writable, refuse_overwriting
    from auditor.jobs.snapshot_files import must_be_key_file, read_snapshot, redactor_of_file, revealed, write_snapshot

    place = output or PIPE
    if place != PIPE:
        must_be_writable(place)
    refuse_overwriting([place], redact_key, snapshots)
    if reveal:
        must_be_key_file(redact_key or "")
    with interaction() as person:
        redactor = redactor_of_file(
            read_snapshot(snapshots, interaction=person), Redaction(redact_key or ""), packs, person
        )
    if reveal:
        return _print_original(reveal, revealed(redactor.originals, reveal))
    write_snapshot(redactor.snapshot, place)
    if place != PIPE:
        say(f"Wrote {place}: {len(redactor.originals)} names and ids replaced.")
    return OK


def _print_original(token: str, original: str | None) -> int:
    from auditor.render.text_layout import safe

    if original is None:
        say(f"{safe(token)} isn't a token of this snapshot and key: give the snapshot and the key of the report.")
        return USAGE
    click.echo(safe(original))
    return OK
