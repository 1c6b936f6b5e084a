"""What the command line asks about: an app by its id or a pasted address, and the packs to judge it by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from auditor.model.app import App
    from auditor.model.rule import Pack


class AskedApp(NamedTuple):
    """The app of the command line, if any, and the tenant that a pasted address names."""

    app: App | None = None
    tenant: str = ""


def refuse_empty() -> None:
    """Raise for an option given without a value: ``--snapshot "$FILE"`` must not mean a live audit."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        value = context.params.get(name)
        if given and (value == "" or (isinstance(value, tuple) and "" in value)):
            raise click.UsageError(f"{parameter.opts[-1]} is empty: is a variable not set?")


def asked_app(
    client_id: str | None, scopes: str | None, redirect_uri: str, name: str, from_url: str | None
) -> AskedApp:
    """What --app and its companions, or --from-url, say. Raises click.UsageError and RequestError."""
    if from_url and (client_id or scopes or redirect_uri):
        raise click.UsageError(
            "--from-url names app, scopes and redirect URI itself: leave --app, --scopes and --redirect-uri out"
        )
    if not from_url and not client_id:
        for option, value in (("--scopes", scopes), ("--redirect-uri", redirect_uri)):
            if value:
                raise click.UsageError(f"{option} needs --app CLIENT_ID")
        if name:
            raise click.UsageError("--name needs --app CLIENT_ID or --from-url URL; a pack has a name of its own")
        return AskedApp()
    import msgspec

    from auditor.consent.request import app_from_scopes, request_from_url

    if from_url:
        request = request_from_url(from_url)
        app = msgspec.structs.replace(request.app, name=name) if name else request.app
        return AskedApp(app, request.tenant)
    if not scopes:
        raise click.UsageError('--app needs --scopes "…": the scopes that the app asks for')
    return AskedApp(app_from_scopes(str(client_id), scopes, name=name, redirect_uri=redirect_uri))


def asked_packs(names: tuple[str, ...], app: App | None, *, otherwise_all: bool = False) -> tuple[Pack, ...]:
    """The packs to go by, and for an `app` the vendor rules applied to it.

    Packs of the environment stand back where an app is named. Without any, all packs that are shipped are meant
    if `otherwise_all`; else the error says what there is. What is odd in them is told on stderr.
    """
    source = click.get_current_context().get_parameter_source("packs")
    if app is not None and source is ParameterSource.ENVIRONMENT:
        names = ()
    if not names and app is None:
        from auditor.packs.find import list_packs

        listed = list_packs(benchmarks=True)
        if not otherwise_all:
            raise click.UsageError(
                'name what to check: --pack NAME, or --app CLIENT_ID --scopes "…", or --from-url URL.\n\n'
                "The packs are:\n" + "\n".join(f"  {pack.name:<16} {pack.title}" for pack in listed)
            )
        names = tuple(pack.name for pack in listed)
    from auditor.jobs.choose import chosen_packs

    chosen = chosen_packs(names, app)
    tell_doubts(chosen)
    return chosen


def tell_doubts(packs: Iterable[Pack]) -> None:
    """Say on stderr what is odd in the packs and may be meant: a rule may rest on it."""
    for pack in packs:
        for doubt in pack.warnings:
            click.echo(f"Warning: {doubt}", err=True)
