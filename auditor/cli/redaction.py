"""``--redact`` and ``--redact-key``: names become tokens before anything is judged or written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from auditor.model.app import App
    from auditor.model.rule import Pack
    from auditor.model.snapshot import Snapshot
    from auditor.snapshot.redact import Redactor

Command = TypeVar("Command", bound=Callable[..., Any])
KEY_VARIABLE = "CONSENT_AUDITOR_REDACT_KEY_FILE"


def redact_options(*, default: bool = False) -> Callable[[Command], Command]:
    """--redact (or --no-redact where it is done by default) and --redact-key."""
    what = "names of the tenant, its people and its objects with tokens"
    if default:
        switch = click.option("--redact/--no-redact", default=True, show_default=True, help=f"Replace {what}.")
    else:
        switch = click.option("--redact", is_flag=True, help=f"Replace {what}.")
    key = click.option(
        "--redact-key",
        metavar="FILE",
        type=click.Path(),
        envvar=KEY_VARIABLE,
        help="File with the key of the tokens, which stays with you: the same key gives the same tokens, and looks"
        f" them up. Made if it is not there. Default: {KEY_VARIABLE}, else a key for this run alone.",
    )
    return lambda command: switch(key(command))


def refuse_key_alone(redact: bool) -> None:
    """Raise click.UsageError for --redact-key where nothing is redacted."""
    source = click.get_current_context().get_parameter_source("redact_key")
    if source is ParameterSource.COMMANDLINE and not redact:
        raise click.UsageError("--redact-key is for --redact: add --redact, or leave --redact-key out")


def redactor_for(snapshot: Snapshot, apps: Iterable[App], key_file: str | None) -> Redactor:
    """What replaces names in the snapshot and in what is said about it. Raises SnapshotError and OSError."""
    from auditor.snapshot.redact import Redactor

    return Redactor(_key(key_file), snapshot, apps)


def _key(file: str | None) -> bytes:
    """The key, and on stderr what becomes of it."""
    from auditor.jobs.redact_key import is_open_to_others, key_from, key_of_this_run

    if not file:
        click.echo("Redacted with a key for this run alone: nobody can look the tokens up later.", err=True)
        return key_of_this_run()
    key, is_new = key_from(file)
    if is_new:
        click.echo(f"Made the key {file}. Keep it: it looks the tokens up. Do not send it along.", err=True)
    elif is_open_to_others(file):
        click.echo(f"Others than you may read {file}, and look the tokens up with it: chmod 600 {file}", err=True)
    return key


def own_words(redactor: Redactor, packs: Iterable[Pack]) -> tuple[Pack, ...]:
    """The packs, without the tenant's names in those that are not shipped."""
    from auditor.packs.sources import is_shipped

    return tuple(pack if is_shipped(pack.origin) else redactor.words_of(pack) for pack in packs)


def source_of(source: str) -> str:
    """Where the snapshot came from, without the path of a file."""
    return source if source.startswith("sample ") else f"{source.partition(' ')[0].rstrip(',')}, redacted"
