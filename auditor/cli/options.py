"""The options that several commands share, and the parts of the request that they fill."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from auditor.cli.terminal import say
from auditor.facts.ids import CLOUDS
from auditor.model.snapshot import AUTH_METHODS, DEFAULT_TIMEOUT, DEFAULT_WAIT, LiveTenant

if TYPE_CHECKING:
    from auditor.jobs.audit_request import AddressedApp, Redaction, Source
    from auditor.model.rule import App

Command = TypeVar("Command", bound=Callable[..., Any])

PACKS_VARIABLE = "CONSENT_AUDITOR_PACKS"
KEY_VARIABLE = "CONSENT_AUDITOR_REDACT_KEY_FILE"


# ---- Packs ----------------------------------------------------------------------------------------------------------


class PackName(click.types.StringParamType):
    """A pack by name, file or folder. The environment variable lists several."""

    name = "pack"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """The packs that the variable lists."""
        from auditor.jobs.pack_selection import split_names

        return split_names(rv)


def pack_option(command: Command) -> Command:
    """``--pack``, any number of times."""
    return click.option(
        "-p",
        "--pack",
        "packs",
        multiple=True,
        type=PackName(),
        metavar="NAME|FILE|DIR",
        envvar=PACKS_VARIABLE,
        callback=_resolved,
        help="Rule pack: a shipped one by name, a YAML file, or a folder of them. Repeatable."
        f" Default: the packs that {PACKS_VARIABLE} lists, separated by commas.",
        shell_complete=complete_packs,
    )(command)


def _resolved(ctx: click.Context, _: click.Parameter, names: Iterable[str]) -> tuple[str, ...]:
    given = tuple(names)
    if ctx.resilient_parsing or not given:
        return given
    from auditor.jobs.pack_selection import resolved_names

    return resolved_names(given)


def packs_argument() -> click.Argument:
    """``[PACK|FILE|FOLDER]...``: any number of packs."""
    return click.Argument(["packs"], nargs=-1, metavar="[PACK|FILE|FOLDER]...", shell_complete=complete_packs)


def complete_packs(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of shipped packs and of your packs, once a letter is typed those of the catalogue, and files."""
    if any(sign in incomplete for sign in "/\\") or incomplete.startswith("."):
        return [CompletionItem(incomplete, type="file")]
    from auditor.jobs.pack_selection import catalog_names, known_names

    names = (*known_names(), *(catalog_names() if incomplete else ()))
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


# ---- The app --------------------------------------------------------------------------------------------------------


from_url_option = click.option(
    "--from-url", metavar="URL", help="Take the app and its scopes from an authorize or adminconsent URL."
)


def complete_apps(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the catalogue's apps with what they are; after a name and a slash, its variants."""
    from auditor.jobs.app_catalog import every_app

    name, slash, _rest = incomplete.lower().partition("/")
    if slash:
        found = (
            (f"{app.name}/{one.name}", one.title) for app in every_app() if app.name == name for one in app.variants
        )
    else:
        found = ((app.name, app.title) for app in every_app())
    return [CompletionItem(value, help=title) for value, title in found if value.startswith(incomplete.lower())]


def app_option(help: str) -> Callable[[Command], Command]:
    """``--app``: an app by its name in the catalogue or by its client id."""
    return click.option("--app", "client_id", metavar="NAME|CLIENT_ID", help=help, shell_complete=complete_apps)


def app_options(command: Command) -> Command:
    """The options that describe an app: --app, with --scopes if nothing knows them, or --from-url; their companions."""
    return combined(
        command,
        app_option("Audit this app: one of the catalogue (apps list) by its name or client ID, or any other one."),
        click.option(
            "--scopes",
            metavar='"SCOPE …"',
            help="The scopes that --app requests. Default: those in the catalogue. No prefix means Microsoft Graph.",
        ),
        click.option("--redirect-uri", metavar="URL", default="", help="Redirect URI of --app."),
        click.option("--name", metavar="NAME", default="", help="Name of the app of --app or --from-url."),
        from_url_option,
    )


class NamedApp(NamedTuple):
    """The app that the options describe, if any: by itself, or as the name or file of the pack that is about it.

    `tenant` is the one that a pasted URL names.
    """

    app: App | None = None
    tenant: str = ""
    pack: str = ""


def named_app(
    client_id: str | None,
    scopes: str | None,
    redirect_uri: str,
    name: str,
    from_url: str | None,
    *,
    use_packs: bool = True,
) -> NamedApp:
    """The app that --app and its companions, or --from-url, describe.

    With `use_packs`, what a pack says about the app of a URL is added to it. Raises click.UsageError, RequestError, and
    InvalidRequest for an app that nothing knows.
    """
    if from_url and (client_id or scopes or redirect_uri):
        raise click.UsageError(
            "--from-url contains the app, its scopes and its redirect URI: leave out --app, --scopes and --redirect-uri"
        )
    if not from_url and not client_id:
        for option, value in (("--scopes", scopes), ("--redirect-uri", redirect_uri)):
            if value:
                raise click.UsageError(f"{option} needs --app NAME or --app CLIENT_ID")
        if name:
            raise click.UsageError("--name needs --app or --from-url: a pack contains the name of its app")
        return NamedApp()
    if from_url:
        from auditor.jobs.audit_request import app_from_address

        found = app_from_address(from_url, name, use_packs=use_packs)
        if found.pack is not None:
            say(_recognized(found))
        return NamedApp(found.app, found.tenant)
    from auditor.jobs.app_catalog import app_described, app_named, note_on, pack_reference

    if scopes or redirect_uri or name:
        return NamedApp(app_described(str(client_id), scopes or "", name=name, redirect_uri=redirect_uri))
    pack = app_named(str(client_id))
    if note := note_on(pack):
        say(note)
    return NamedApp(pack=pack_reference(pack))


def _recognized(found: AddressedApp) -> str:
    """What a pack knows about the app of a pasted URL."""
    pack = found.pack
    assert pack is not None and pack.app is not None, "a pack about an app"
    by = "client ID" if pack.app.client_id == found.app.client_id else "redirect URI, not by its client ID"
    used = "" if not pack.app.scopes or found.app.scopes != pack.app.scopes else " and lists its permissions"
    from auditor.jobs.app_catalog import variant_note

    known = f"The pack {pack.name} knows this app by its {by}{used}: {pack.app.name}."
    return f"{known} {variant_note(pack, found.app)}".rstrip()


def packs_to_apply(packs: tuple[str, ...], named: NamedApp) -> tuple[str, ...]:
    """The packs to evaluate. If the options describe an app, the packs of the environment variable are left out."""
    source = click.get_current_context().get_parameter_source("packs")
    describes = named.app is not None or bool(named.pack)
    given = () if describes and source is ParameterSource.ENVIRONMENT else packs
    return (*given, named.pack) if named.pack and named.pack not in given else given


# ---- The tenant -----------------------------------------------------------------------------------------------------


def tenant_options(command: Command) -> Command:
    """The options that say how to reach a live tenant."""
    return combined(
        command,
        click.option(
            "--auth",
            type=click.Choice(AUTH_METHODS),
            default="auto",
            show_default=True,
            help="Which credential to use. auto: the one that the AZURE_… variables describe; az-cli and device-code:"
            " your own sign-in.",
        ),
        click.option(
            "--tenant",
            metavar="ID|DOMAIN",
            help="Tenant to read. Default: AZURE_TENANT_ID. With files of other tools: the tenant's ID.",
        ),
        click.option(
            "--cloud",
            type=click.Choice(tuple(CLOUDS)),
            default="global",
            show_default=True,
            help="National cloud of the tenant.",
        ),
        click.option(
            "--authority-host",
            metavar="URL",
            callback=_https,
            help="Sign-in host, if you use a proxy or a test server.",
        ),
        click.option(
            "--graph-endpoint", metavar="URL", callback=_https, help="Graph host, if you use a proxy or a test server."
        ),
        click.option(
            "--timeout",
            callback=_seconds,
            default=f"{DEFAULT_TIMEOUT}s",
            show_default=True,
            metavar="TIME",
            help="Time limit for all requests to Microsoft together: seconds, or with a unit, such as 90s, 10m or 1h.",
        ),
        click.option(
            "--wait",
            is_flag=True,
            help="If Microsoft is busy, wait as long as it asks, even if that is longer than --timeout.",
        ),
    )


_UNITS = {"s": 1, "m": 60, "h": 3600}


def _seconds(_: click.Context, __: click.Parameter, time: str) -> float:
    """The seconds of a time from 1 second to 24 hours: a number of seconds, or a number with the unit s, m or h."""
    text = time.strip().lower()
    number, unit = (text[:-1], text[-1]) if text[-1:] in _UNITS else (text, "s")
    is_number = number.isascii() and number.isdigit() and len(number) <= len("86400")
    seconds = int(number) * _UNITS[unit] if is_number else 0
    if not 1 <= seconds <= 86_400:
        raise click.BadParameter(f"{time!r} isn't a time from 1s to 24h: give seconds, or for example 90s, 10m or 1h.")
    return float(seconds)


def waiting(tenant: dict[str, Any]) -> dict[str, Any]:
    """The options of the tenant for a run that waits for a change: without --timeout, it has an hour."""
    source = click.get_current_context().get_parameter_source("timeout")
    return tenant if source is ParameterSource.COMMANDLINE else {**tenant, "timeout": float(DEFAULT_WAIT)}


def _https(_: click.Context, __: click.Parameter, address: str | None) -> str | None:
    """The endpoint as ``https://host``; a usage error doesn't quote an address, which can contain a password."""
    if not address:
        return address
    from auditor.model.host_names import InvalidAddress, https_endpoint

    try:
        return https_endpoint(address)
    except InvalidAddress as error:
        raise click.BadParameter(f"the address {error}.") from None


def live_tenant(
    *,
    auth: str,
    tenant: str | None,
    cloud: str,
    authority_host: str | None,
    graph_endpoint: str | None,
    timeout: float,
    wait: bool,
    address_tenant: str = "",
) -> LiveTenant:
    """The live tenant that the options describe; without --tenant, the one that a pasted URL names."""
    return LiveTenant(
        tenant=tenant or address_tenant,
        cloud=cloud,
        auth=auth,
        authority_host=authority_host or "",
        graph_endpoint=graph_endpoint or "",
        timeout=timeout,
        waits_as_asked=wait,
    )


class FilesOption(click.Option):
    """An option that takes several files, also after each other: ``--snapshot *.json`` works as people expect."""

    def __init__(self, param_decls: Sequence[str], **attributes: Any) -> None:
        super().__init__(param_decls, multiple=True, type=click.Path(allow_dash=True), metavar="FILE…", **attributes)


def source_options(command: Command) -> Command:
    """The options that name the tenant and the user: --user, --snapshot and --sample."""
    user = click.option("--user", metavar="UPN|OBJECT-ID", default="", help="Also decide for this user.")
    return user(snapshot_options(command))


def snapshot_options(command: Command) -> Command:
    """The options that name another tenant than the live one: --snapshot and --sample."""
    return combined(
        command,
        click.option(
            "--snapshot",
            "snapshots",
            cls=FilesOption,
            help="Evaluate a snapshot, a bundle, or files and folders of other tools (saved answers of Graph,"
            " EntraExporter, ScubaGear, Azure CLI, PowerShell) instead of a live tenant. Repeatable.",
        ),
        click.option(
            "--sample", metavar="NAME", help="Evaluate a bundled sample tenant.", shell_complete=complete_samples
        ),
    )


def source_of(
    snapshots: tuple[str, ...], sample: str | None, tenant: dict[str, Any], address_tenant: str = ""
) -> Source:
    """The tenant that the options name: a sample, a snapshot or the live one. Raises click.UsageError for both."""
    from auditor.jobs.audit_request import SampleTenant, SnapshotFiles

    refuse_two_tenants(snapshots, sample)
    if sample:
        return SampleTenant(sample)
    if snapshots:
        return SnapshotFiles(snapshots, tenant["tenant"] or "")
    return live_tenant(**tenant, address_tenant=address_tenant)


def refuse_two_tenants(snapshots: tuple[str, ...], sample: str | None) -> None:
    """Raise click.UsageError if both a snapshot and a sample are named."""
    if snapshots and sample:
        raise click.UsageError("--snapshot and --sample exclude each other: leave out one of them")


def complete_samples(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The names of the bundled sample tenants."""
    from auditor.jobs.snapshot_files import sample_names

    return [name for name in sample_names() if name.startswith(incomplete)]


# ---- Redaction ------------------------------------------------------------------------------------------------------


def redact_options(*, default: bool = False) -> Callable[[Command], Command]:
    """--redact (with --no-redact if `default` is true) and --redact-key."""
    what = "Replace names of the tenant, its people and its objects with tokens."
    if default:
        switch = click.option("--redact/--no-redact", default=True, show_default=True, help=what)
    else:
        switch = click.option("--redact", is_flag=True, help=what)
    key = click.option(
        "--redact-key",
        metavar="FILE",
        type=click.Path(),
        envvar=KEY_VARIABLE,
        help="File with the key of the tokens. The same key gives the same tokens, and whoever has it can look them up:"
        f" keep it. Created if it doesn't exist. Default: {KEY_VARIABLE}, else a key for this run only.",
    )
    return lambda command: switch(key(command))


def redaction_of(redact: bool, key_file: str | None) -> Redaction | None:
    """The redaction that the options request. Raises click.UsageError for --redact-key without --redact."""
    source = click.get_current_context().get_parameter_source("redact_key")
    if source is ParameterSource.COMMANDLINE and not redact:
        raise click.UsageError("--redact-key needs --redact: add --redact, or leave out --redact-key")
    from auditor.jobs.audit_request import Redaction

    return Redaction(key_file or "") if redact else None


# ---- All options ----------------------------------------------------------------------------------------------------


def refuse_empty() -> None:
    """Raise click.UsageError for an empty value: ``--snapshot "$FILE"`` must not mean a live audit."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        value = context.params.get(name)
        if given and (value == "" or (isinstance(value, tuple) and "" in value)):
            what = parameter.opts[-1] if isinstance(parameter, click.Option) else parameter.human_readable_name
            raise click.UsageError(f"{what} is empty: is a variable not set?")


def environment_names(variable: str) -> bool:
    """Whether the environment variable is set and not empty."""
    return bool(os.environ.get(variable))


def combined(command: Command, *options: Callable[[Command], Command]) -> Command:
    """The command with these options, in their order."""
    for option in reversed(options):
        command = option(command)
    return command


abused_option = click.option(
    "--abused",
    "abused_files",
    multiple=True,
    metavar="FILE",
    type=click.Path(),
    envvar="CONSENT_AUDITOR_ABUSED",
    help="Your own list of apps that attackers use, added to the one that ships with the program. Repeatable."
    " Default: the files in CONSENT_AUDITOR_ABUSED.",
)
"""Your own lists of known abused apps, as `abused_files`."""
