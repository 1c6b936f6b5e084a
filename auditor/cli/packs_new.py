"""``packs new``: write a pack for an app from its scopes, its sign-in URL or a tenant where it works."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from auditor.cli.options import (
    FilesOption,
    app_option,
    complete_samples,
    from_url_option,
    named_app,
    refuse_empty,
    source_of,
    tenant_options,
)
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import interaction, say
from auditor.facts.ids import app_categories
from auditor.model.errors import OK

if TYPE_CHECKING:
    from auditor.jobs.pack_authoring import DescribedApp


@click.command(
    "new",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor packs new --app CLIENT_ID --scopes "Mail.Read offline_access" --name Acme -o acme.yaml
  consent-auditor packs new --app CLIENT_ID --scopes "…" --vendor Acme --category email --source URL -o acme.yaml
  consent-auditor packs new --from-url "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?…"
  consent-auditor packs new --app CLIENT_ID --from-grants -o acme.yaml
  consent-auditor packs new --app CLIENT_ID --from-grants --snapshot tenant.json -o acme.yaml""",
)
@app_option("The app: its client ID, or the name of one in the catalogue to start from.")
@click.option(
    "--scopes", metavar='"SCOPE …"', help="The scopes that the app requests. No prefix means Microsoft Graph."
)
@click.option("--redirect-uri", metavar="URL", default="", help="Redirect URI of the app.")
@from_url_option
@click.option("--from-grants", is_flag=True, help="Take the scopes from the grants of a tenant where the app works.")
@click.option(
    "--snapshot",
    "snapshots",
    cls=FilesOption,
    help="With --from-grants: read a snapshot or files of other tools, not a live tenant. Repeatable.",
)
@click.option(
    "--sample", metavar="NAME", help="With --from-grants: read a sample tenant.", shell_complete=complete_samples
)
@click.option("--name", metavar="NAME", default="", help="Name of the app, as users know it.")
@click.option("--vendor", metavar="NAME", default="", help="Who publishes the app.")
@click.option("--category", type=click.Choice(tuple(app_categories())), help="What the app is for, as in apps list.")
@click.option(
    "--source", metavar="ADDRESS", default="", help="Where the vendor states the scopes. Written with today's date."
)
@click.option("--pack-name", metavar="NAME", default="", help="Name of the pack. Default: derived from the app's name.")
@click.option("-o", "--output", metavar="FILE", help="File to write. Default: the terminal.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@tenant_options
def command(
    client_id: str | None,
    scopes: str | None,
    redirect_uri: str,
    from_url: str | None,
    from_grants: bool,
    snapshots: tuple[str, ...],
    sample: str | None,
    name: str,
    vendor: str,
    category: str | None,
    source: str,
    pack_name: str,
    output: str | None,
    force: bool,
    **tenant: Any,
) -> int:
    """Write a pack for an app, with the rules that fit any vendor's app.

    The app's scopes come from --scopes, from a pasted URL, from the catalogue, or from its grants in a tenant where it
    already works (live or a snapshot). With --vendor, --category and --source, the pack is an entry for the catalogue
    of apps. It is checked before it is written.
    """
    refuse_empty()
    from auditor.jobs.app_catalog import app_described
    from auditor.jobs.audit_request import PIPE
    from auditor.jobs.pack_authoring import DescribedApp, app_of_address, app_of_grants, refuse_reserved_name

    file = "" if output in (None, PIPE) else str(output)
    _must_be_new(file, force)
    refuse_reserved_name(pack_name)
    if from_grants:
        if not client_id or scopes or from_url:
            raise click.UsageError("--from-grants needs --app CLIENT_ID, and neither --scopes nor --from-url")
        read_from = source_of(snapshots, sample, tenant)
        with interaction() as person:
            described = app_of_grants(client_id, read_from, name=name, redirect_uri=redirect_uri, interaction=person)
    elif snapshots or sample:
        raise click.UsageError(
            "--snapshot and --sample need --from-grants, which reads the grants of --app in that tenant"
        )
    elif from_url:
        described = app_of_address(
            from_url,
            scopes,
            lambda scopes: named_app(client_id, scopes, redirect_uri, name, from_url, use_packs=False).app,
        )
    else:
        app = app_described(client_id, scopes or "", name=name, redirect_uri=redirect_uri) if client_id else None
        if app is None:
            raise click.UsageError(
                'name the app: --app CLIENT_ID --scopes "…", or --from-url URL, or --app CLIENT_ID --from-grants'
            )
        described = DescribedApp(app, "")
    app = msgspec.structs.replace(
        described.app, vendor=vendor or described.app.vendor, category=category or described.app.category
    )
    described = DescribedApp(app, source or described.source)
    _write(described, pack_name, file, datetime.now(UTC).date().isoformat() if source else "")
    return OK


def _must_be_new(file: str, force: bool) -> None:
    if not file:
        return
    from auditor.jobs.audit_request import must_be_writable

    must_be_writable(file)
    if Path(file).exists() and not force:
        raise click.UsageError(f"{file} already exists: add --force to replace it, or give -o another name")


def _write(described: DescribedApp, pack_name: str, file: str, read: str) -> None:
    from auditor.jobs.pack_authoring import text_of_new_pack

    text = text_of_new_pack(described, name=pack_name, label=file or "the new pack", read=read)
    if not file:
        sys.stdout.buffer.write(text.encode())
        return
    from auditor.atomic import write_whole

    write_whole(file, text.encode(), keep_mode=True)
    say(f"Wrote {file}. Next, run:")
    say(f"  consent-auditor packs test {file}")
    say(f"  consent-auditor check --pack {file}")
