"""``redact``: a snapshot without names, and what a token stands for."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from auditor.cli import exits
from auditor.cli.asked import refuse_empty
from auditor.cli.key_place import refuse_overwriting
from auditor.cli.options import pack_option
from auditor.cli.output import must_be_writable
from auditor.cli.pack_texts import texts_for
from auditor.cli.redaction import KEY_VARIABLE, redactor_for


@click.command(
    "redact",
    epilog="""\b
Examples:
  consent-auditor redact tenant.json -o redacted.json --redact-key key.txt
  consent-auditor redact tenant.json --redact-key key.txt --reveal "User 3fa9c21b07\"""",
)
@click.argument("snapshot", metavar="SNAPSHOT", type=click.Path(allow_dash=True))
@click.option("-o", "--output", metavar="FILE", help="Where to write. Default: standard output.")
@click.option(
    "--redact-key", metavar="FILE", type=click.Path(), envvar=KEY_VARIABLE, help="File with the key of the tokens."
)
@click.option("--reveal", metavar="TOKEN", default="", help="Print what a token stands for, instead of a snapshot.")
@pack_option
def command(snapshot: str, output: str | None, redact_key: str | None, reveal: str, packs: tuple[str, ...]) -> int:
    """Write a snapshot without names of the tenant, its people and its objects.

    It can be judged again with the same verdicts. Ids of Microsoft and of vendors stay; those of the apps of --pack
    stay in any case. With the key, --reveal looks a token of a report up in the snapshot that it was made of.
    """
    refuse_empty()
    if not snapshot:
        raise click.UsageError("SNAPSHOT is empty: is a variable not set?")
    if reveal and not redact_key:
        raise click.UsageError("--reveal needs the key that the token was made with: --redact-key FILE")
    if output and output != "-":
        must_be_writable(output)
    refuse_overwriting([output] if output else [], redact_key, snapshot)
    if reveal and not Path(redact_key or "").is_file():
        raise click.UsageError(f"there is no key file {redact_key}: give the one that the token was made with")
    from auditor.packs.find import list_packs, load_packs
    from auditor.snapshot.read import load, loads
    from auditor.snapshot.write import dumps, save

    read = loads(sys.stdin.buffer.read(), "standard input") if snapshot == "-" else load(snapshot)
    names = packs or tuple(pack.name for pack in list_packs())
    chosen = load_packs(names)
    apps = [pack.app for pack in chosen if pack.app is not None]
    redactor = redactor_for(read, apps, redact_key, texts_for(chosen, names))
    if reveal:
        return _reveal(redactor.originals, reveal)
    if output is None or output == "-":
        sys.stdout.buffer.write(dumps(redactor.snapshot))
    else:
        save(redactor.snapshot, output)
        click.echo(f"Wrote {output}: {len(redactor.originals)} names and ids were replaced.", err=True)
    return exits.OK


def _reveal(originals: dict[str, str], token: str) -> int:
    from auditor.render.layout import safe

    known = {one.lower(): original for one, original in originals.items()}
    original = known.get(token.strip().lower())
    if original is None:
        click.echo(
            f"{safe(token)} is no token of this snapshot under this key: give the snapshot and the key of that report.",
            err=True,
        )
        return exits.USAGE
    click.echo(safe(original))
    return exits.OK
