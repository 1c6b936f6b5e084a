"""``packs new``: a pack for an app, from what somebody knows of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from auditor.atomic import write_whole
from auditor.cli import exits
from auditor.cli.asked import asked_app, refuse_empty
from auditor.cli.options import complete_samples, tenant_options
from auditor.cli.output import must_be_writable
from auditor.cli.tenant import refuse_two_tenants

if TYPE_CHECKING:
    from auditor.model.app import App
    from auditor.model.snapshot import Snapshot


class _Known(NamedTuple):
    """The app, and where its scopes come from."""

    app: App
    source: str


@click.command(
    "new",
    epilog="""\b
Examples:
  consent-auditor packs new --app CLIENT_ID --scopes "Mail.Read offline_access" --name Acme -o acme.yaml
  consent-auditor packs new --from-url "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?…"
  consent-auditor packs new --app CLIENT_ID --from-grants -o acme.yaml
  consent-auditor packs new --app CLIENT_ID --from-grants --snapshot tenant.json -o acme.yaml""",
)
@click.option("--app", "client_id", metavar="CLIENT_ID", help="The app's client id.")
@click.option("--scopes", metavar='"SCOPE …"', help="What the app asks for. No prefix means Microsoft Graph.")
@click.option("--redirect-uri", metavar="URL", default="", help="Redirect URI of the app.")
@click.option("--from-url", metavar="URL", help="Take app and scopes from an authorize or adminconsent address.")
@click.option("--from-grants", is_flag=True, help="Take the scopes from the grants of a tenant where the app works.")
@click.option(
    "--snapshot", metavar="FILE", type=click.Path(), help="With --from-grants: a snapshot, not a live tenant."
)
@click.option("--sample", metavar="NAME", help="With --from-grants: a sample tenant.", shell_complete=complete_samples)
@click.option("--name", metavar="NAME", default="", help="What users call the app.")
@click.option("--pack-name", metavar="NAME", default="", help="Name of the pack. Default: made from the app's name.")
@click.option("-o", "--output", metavar="FILE", help="File to write. Default: the terminal.")
@click.option("--force", is_flag=True, help="Replace the file if there is one.")
@tenant_options
def command(
    client_id: str | None,
    scopes: str | None,
    redirect_uri: str,
    from_url: str | None,
    from_grants: bool,
    snapshot: str | None,
    sample: str | None,
    name: str,
    pack_name: str,
    output: str | None,
    force: bool,
    **tenant: Any,
) -> int:
    """Write a pack for an app, judged by the rules that suit any vendor's app.

    What the app asks for comes from --scopes, from a pasted address, or from the grants of a tenant where the app
    already works: live, or from a snapshot. The pack is checked before it is written.
    """
    refuse_empty()
    _must_be_new(output, force)
    _must_be_free(pack_name)
    if from_grants:
        if not client_id or scopes or from_url:
            raise click.UsageError("--from-grants needs --app CLIENT_ID, and neither --scopes nor --from-url")
        known = _granted(client_id, name, redirect_uri, snapshot, sample, tenant)
    else:
        if snapshot or sample:
            raise click.UsageError("--snapshot and --sample need --from-grants: whose grants are meant by --app")
        known = _told(client_id, scopes, redirect_uri, name, from_url)
    _write(known, pack_name, output)
    return exits.OK


def _must_be_new(output: str | None, force: bool) -> None:
    if output is None or output == "-":
        return
    must_be_writable(output)
    if Path(output).exists() and not force:
        raise click.UsageError(f"{output} is there already: add --force to replace it, or give -o another name")


def _told(client_id: str | None, scopes: str | None, redirect_uri: str, name: str, from_url: str | None) -> _Known:
    """The app as the options tell it; scopes may be added to an address that names none."""
    import msgspec

    from auditor.consent.request import request_from_url, scope_needs

    is_silent = bool(from_url and scopes) and not request_from_url(str(from_url)).app.scopes
    app = asked_app(client_id, None if is_silent else scopes, redirect_uri, name, from_url).app
    if app is None:
        raise click.UsageError(
            'name the app: --app CLIENT_ID --scopes "…", or --from-url URL, or --app CLIENT_ID --from-grants'
        )
    if is_silent:
        app = msgspec.structs.replace(app, scopes=scope_needs(str(scopes)))
    if not app.scopes:
        raise click.UsageError(
            "the request names no scope: the app asks for whatever its registration lists, which nobody outside can"
            f' read. Add --scopes "…" as its vendor tells them, or run packs new --app {app.client_id} --from-grants'
            " in a tenant where it works"
        )
    return _Known(app, "the address of its sign-in" if from_url and not is_silent else "")


def _granted(
    client_id: str, name: str, redirect_uri: str, file: str | None, sample: str | None, tenant: dict[str, Any]
) -> _Known:
    """The app as the tenant knows it."""
    refuse_two_tenants(file, sample)
    import msgspec

    from auditor.consent.app_from_grants import app_as_granted
    from auditor.consent.request import app_from_scopes

    asked = app_from_scopes(client_id, "")
    snapshot = _read(asked, file, sample, tenant)
    app = app_as_granted(snapshot, asked.client_id)
    if not name:
        _must_be_plain(app.name)
    uris = (redirect_uri,) if redirect_uri else app.redirect_uris
    app = _as_published(msgspec.structs.replace(app, name=name or app.name, redirect_uris=uris))
    return _Known(app, f"what it was granted in a tenant where it works, read on {snapshot.taken[:10]}")


def _must_be_plain(name: str) -> None:
    """Raise click.UsageError for a name of the tenant's that no pack may hold."""
    from auditor.packs.yaml_nodes import CONTROL

    if bad := CONTROL.search(name):
        raise click.UsageError(
            f"the name that the app has in this tenant holds the character U+{ord(bad.group()):04X}, which has no place"
            ' in a pack: give it another one with --name "…"'
        )


def _read(app: App, file: str | None, sample: str | None, tenant: dict[str, Any]) -> Snapshot:
    if sample:
        from auditor.cli.bundled import bundled

        return bundled(sample)
    if file:
        from auditor.snapshot.read import load

        return load(file)
    from auditor.cli.live import read_live, target_for
    from auditor.facts.ids import RESOURCE_NAMES
    from auditor.model.read_plan import Plan

    plan = Plan(sections=("organization",), clients=(app.client_id,), resources=tuple(RESOURCE_NAMES))
    return read_live(target_for(**tenant), plan, [app])


def _must_be_free(pack_name: str) -> None:
    """Raise click.UsageError for a name that a pack of one's own may not have."""
    from auditor.packs.load import is_reserved

    if is_reserved(pack_name):
        raise click.UsageError(f'--pack-name: "{pack_name}" is taken by the program: choose another name')


def _as_published(app: App) -> App:
    """The app without scopes that were granted once and that their resource does not publish any more."""
    import msgspec

    from auditor.checks.scope_names import scope_of

    gone = [need for need in app.scopes if scope_of(need.resource, need.value)]
    for need in gone:
        click.echo(f"Left out {need.value}: it was granted, but its resource publishes no such scope.", err=True)
    return msgspec.structs.replace(app, scopes=tuple(need for need in app.scopes if need not in gone))


def _write(known: _Known, pack_name: str, output: str | None) -> None:
    from auditor.consent.request import refuse_unnamed_resources
    from auditor.packs.load import load
    from auditor.packs.new_pack import name_for, pack_text
    from auditor.packs.sources import Source

    refuse_unnamed_resources(known.app)
    text = pack_text(known.app, name=pack_name or name_for(known.app), source=known.source)
    to_file = output is not None and output != "-"
    load(Source(str(output) if to_file else "the new pack", text.encode()))
    if not to_file:
        sys.stdout.buffer.write(text.encode())
        return
    write_whole(str(output), text.encode(), keep_mode=True)
    click.echo(f"Wrote {output}. Next:", err=True)
    click.echo(f"  consent-auditor packs test {output}", err=True)
    click.echo(f"  consent-auditor check --pack {output}", err=True)
