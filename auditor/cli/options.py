"""Options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from auditor.cli.pack_names import NAMES_HELP, VARIABLE, PackName, complete_packs, resolved
from auditor.facts.clouds import CLOUDS

Command = TypeVar("Command", bound=Callable[..., Any])

AUTH = (
    "auto",
    "secret",
    "certificate",
    "workload-identity",
    "managed-identity",
    "az-cli",
    "device-code",
)


def pack_option(command: Command) -> Command:
    """``--pack``, any number of times."""
    return click.option(
        "-p",
        "--pack",
        "packs",
        multiple=True,
        type=PackName(),
        metavar="NAME|FILE|DIR",
        envvar=VARIABLE,
        callback=lambda ctx, _, names: names if ctx.resilient_parsing else resolved(names),
        help=f"Rule pack: {NAMES_HELP}. Repeatable. Default: what {VARIABLE} names, with commas between.",
        shell_complete=complete_packs,
    )(command)


def tenant_options(command: Command) -> Command:
    """How to reach a tenant live."""
    options = (
        click.option(
            "--auth",
            type=click.Choice(AUTH),
            default="auto",
            show_default=True,
            help="Which credential to use. auto: what the AZURE_… variables describe; az-cli and device-code"
            " are for an administrator at a desk.",
        ),
        click.option("--tenant", metavar="ID|DOMAIN", help="Tenant to read. Default: AZURE_TENANT_ID."),
        click.option(
            "--cloud",
            type=click.Choice(tuple(CLOUDS)),
            default="global",
            show_default=True,
            help="National cloud of the tenant.",
        ),
        click.option(
            "--authority-host", metavar="URL", callback=_https, help="Sign-in host, for a proxy or a test server."
        ),
        click.option(
            "--graph-endpoint", metavar="URL", callback=_https, help="Graph host, for a proxy or a test server."
        ),
        click.option(
            "--timeout",
            type=click.IntRange(1, 86_400),
            default=120,
            show_default=True,
            metavar="SECONDS",
            help="Deadline for all of Microsoft's answers together.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _https(_: click.Context, __: click.Parameter, address: str | None) -> str | None:
    if address and "://" in address and not address.startswith("https://"):
        raise click.BadParameter(f"{address} is not https: tokens are sent over TLS only. Write https://… instead.")
    return address


def app_options(command: Command) -> Command:
    """The app of a question without a pack: --app with --scopes, or --from-url, and what goes with them."""
    for option in reversed(
        (
            click.option("--app", "client_id", metavar="CLIENT_ID", help="Audit this app, without a pack of its own."),
            click.option("--scopes", metavar='"SCOPE …"', help="What --app asks for. No prefix means Microsoft Graph."),
            click.option("--redirect-uri", metavar="URL", default="", help="Redirect URI of --app."),
            click.option("--name", metavar="NAME", default="", help="What to call the app of --app or --from-url."),
            click.option(
                "--from-url", metavar="URL", help="Take app and scopes from an authorize or adminconsent address."
            ),
        )
    ):
        command = option(command)
    return command


def source_options(command: Command) -> Command:
    """Which tenant is judged, and for whom: --user, --snapshot and --sample."""
    for option in reversed(
        (
            click.option("--user", metavar="UPN|OBJECT-ID", default="", help="Decide for this user, too."),
            click.option(
                "--snapshot", metavar="FILE", type=click.Path(), help="Judge a snapshot file instead of a live tenant."
            ),
            click.option(
                "--sample", metavar="NAME", help="Judge a bundled sample tenant.", shell_complete=complete_samples
            ),
        )
    ):
        command = option(command)
    return command


def complete_samples(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Names of the bundled sample tenants."""
    from auditor.snapshot.samples import sample_names

    return [name for name in sample_names() if name.startswith(incomplete)]
