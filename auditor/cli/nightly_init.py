"""``nightly init``: write a configuration with comments."""

from __future__ import annotations

import os

import click

from auditor.cli.options import refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say
from auditor.model.errors import OK, InvalidRequest


@click.command(
    "init",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor nightly init
  consent-auditor nightly init /etc/consent-auditor/nightly.yaml""",
)
@click.argument("file", required=False, default="consent-auditor.yaml")
def command(file: str) -> int:
    """Write a configuration with comments to FILE, by default consent-auditor.yaml in this folder.

    It never overwrites a file. The tenant is that of AZURE_TENANT_ID if the variable is set.
    """
    refuse_empty()
    from pathlib import Path

    from auditor.atomic import create_private, make_folder
    from auditor.jobs.nightly_template import configuration_template

    path = Path(os.path.expanduser(file))
    if path.is_dir():
        raise InvalidRequest(f"{file} is a folder: give the name of a file in it")
    make_folder(path.parent)
    if not create_private(path, configuration_template(os.environ.get("AZURE_TENANT_ID", "")).encode()):
        raise InvalidRequest(f"{file} exists already, and isn't overwritten: give another name, or move it away")
    say(f"Wrote {file}. Edit it, then test it: consent-auditor nightly check --config {file}")
    return OK
