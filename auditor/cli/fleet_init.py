"""``fleet init``: write what to register once for all customers, and a configuration that lists them."""

from __future__ import annotations

import sys

import click

from auditor.cli.nightly_run import config_option
from auditor.cli.options import complete_apps, pack_option, refuse_empty
from auditor.cli.program import AuditCommand
from auditor.cli.terminal import say, wants_colour, width
from auditor.facts.ids import CLOUDS
from auditor.model.errors import OK


@click.command(
    "init",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor fleet init --pack trackerrms-uk
  consent-auditor fleet init --pack trackerrms-uk --provider "Fabrikam IT" -o fleet/
  consent-auditor fleet init --app thunderbird --customers gdap --partner fabrikam.onmicrosoft.com -o fleet/""",
)
@config_option
@pack_option
@click.option(
    "--app",
    "apps",
    multiple=True,
    metavar="NAME|CLIENT_ID",
    shell_complete=complete_apps,
    help="An app of the catalogue (apps list) that customers use. Repeatable.",
)
@click.option(
    "--customers",
    type=click.Choice(("csv", "gdap", "contracts")),
    help="Where the list of customers is: a CSV file, or the delegated admin relationships or contracts in your own"
    " tenant. Default: what the configuration has, else csv.",
)
@click.option("--partner", metavar="ID|DOMAIN", default="", help="Your own tenant, for --customers gdap or contracts.")
@click.option("--provider", metavar="NAME", default="", help="Your company, as the messages to customers name it.")
@click.option("--name", metavar="NAME", default="", help="The name of the app registration. Default: consent-auditor.")
@click.option(
    "--redirect-uri",
    metavar="URL",
    default="",
    help="Where the browser goes after consent, such as a page of yours. Default: a blank page of Microsoft's.",
)
@click.option("--cloud", type=click.Choice(tuple(CLOUDS)), help="National cloud of the tenants. Default: global.")
@click.option("-o", "--output", "folder", metavar="FOLDER", help="Write files. Default: print the steps.")
@click.option("--force", is_flag=True, help="Overwrite files that exist already.")
def command(
    config: str,
    packs: tuple[str, ...],
    apps: tuple[str, ...],
    customers: str | None,
    partner: str,
    provider: str,
    name: str,
    redirect_uri: str,
    cloud: str | None,
    folder: str | None,
    force: bool,
) -> int:
    """Write what to register once for all customers: one app for many tenants, with the least permissions.

    The permissions are those that the packs and apps need, and those of the configuration's packs; without any, those
    of the shipped packs about an app. The files are the steps, scripts for the Azure CLI and PowerShell, the
    permissions as JSON, and, unless there is one, a configuration. Nothing is registered and nothing is sent.
    """
    refuse_empty()
    from auditor.jobs.app_catalog import app_named, pack_reference
    from auditor.jobs.registration import found_configuration, notes_on, registration_for, steps, write_files

    found = found_configuration(config)
    named = tuple(dict.fromkeys((*packs, *(pack_reference(app_named(app)) for app in apps))))
    registration = registration_for(
        named,
        found,
        customers=customers or "",
        partner=partner,
        name=name,
        redirect=redirect_uri,
        provider=provider,
        cloud=cloud or "",
    )
    if folder is None:
        from auditor.render.documents import as_text
        from auditor.render.text_layout import for_encoding

        text = as_text(steps(registration, has_files=False), width=width(), colour=wants_colour())
        click.echo(for_encoding(text, sys.stdout.encoding), nl=False, color=wants_colour())
        for note in notes_on(found, registration, named):
            say(note)
        return OK
    from pathlib import Path

    place = Path(folder).expanduser()
    for file in write_files(registration, place, force=force, configuration=not found.file):
        say(f"Wrote {place / file}")
    for note in notes_on(found, registration, named):
        say(note)
    say(f"Now follow {place / 'register.md'}.")
    return OK
