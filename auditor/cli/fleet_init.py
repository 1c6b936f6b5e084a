"""``fleet init``: write what to register once for all customers, and a configuration that lists them."""

from __future__ import annotations

import json

import click

from auditor.cli.options import pack_option, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say
from auditor.model.errors import OK, InvalidRequest


@click.command(
    "init",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor fleet init -o fleet/ --pack trackerrms-uk""",
)
@pack_option
@click.option("-o", "--output", "folder", metavar="FOLDER", required=True, help="Where to write the files.")
@click.option("--force", is_flag=True, help="Overwrite files that exist already.")
def command(packs: tuple[str, ...], folder: str, force: bool) -> int:
    """Write what to register once for all customers: one app of many tenants with the least permissions.

    The permissions are those that the packs need; without --pack, those of the shipped packs about an app.
    """
    refuse_empty()
    from pathlib import Path

    from auditor.atomic import create_private, make_folder, write_whole
    from auditor.jobs.pack_authoring import needed_permissions, permissions_manifest

    text = json.dumps(permissions_manifest(needed_permissions(packs)), indent=2) + "\n"
    path = Path(folder).expanduser() / "required-resource-access.json"
    make_folder(path.parent)
    if force:
        write_whole(path, text.encode(), keep_mode=True)
    elif not create_private(path, text.encode()):
        raise InvalidRequest(f"{path} exists already: add --force to overwrite it, or choose another folder")
    say(f"Wrote {path}")
    return OK
