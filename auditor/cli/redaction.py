"""``--redact`` and ``--redact-key``: names become tokens before anything is judged or written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from auditor.jobs.question import Question
    from auditor.model.app import App
    from auditor.model.report import Report
    from auditor.model.rule import Pack
    from auditor.model.snapshot import Snapshot
    from auditor.packs.pack_texts import PackText
    from auditor.redact.redactor import Redactor

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


def redactor_for(
    snapshot: Snapshot, apps: Iterable[App], key_file: str | None, texts: Iterable[PackText] = ()
) -> Redactor:
    """What replaces names in the snapshot and in what is said about it; `texts` are of the packs to judge by.

    Raises SnapshotError and OSError.
    """
    from auditor.jobs.redact_packs import published_apps
    from auditor.redact.redactor import Redactor

    return Redactor(_key(key_file), snapshot, apps, published_apps(texts))


def without_names(
    question: Question, texts: Sequence[PackText], key_file: str | None
) -> tuple[Question, list[PackText]]:
    """The same question with tokens for names, and the texts of its packs.

    Raises click.UsageError where the packs hold names that cannot go.
    """
    from auditor.jobs.question import names_of

    apps = [pack.app for pack in question.packs if pack.app is not None]
    redactor = redactor_for(question.snapshot, apps, key_file, texts)
    told = _packs(redactor, texts)
    by_name = {old.pack.name: new.pack for old, new in zip(texts, told, strict=True)}
    packs = tuple(by_name.get(pack.name) or _asked(redactor, pack) for pack in question.packs)
    names = names_of(question.packs, packs)
    return (
        question._replace(
            snapshot=redactor.snapshot,
            packs=packs,
            user=redactor.part(question.user),
            source=source_of(question.source),
            waivers=tuple(redactor.waived(file, i, names) for i, file in enumerate(question.waivers, start=1)),
            assumed=tuple(map(redactor.assumption, question.assumed)),
        ),
        told,
    )


def answered_without_names(plain: Question, redacted: Question) -> Report:
    """The report on the redacted question, if it says what the one with names says. Raises click.UsageError."""
    from auditor.jobs.alike import said_otherwise

    before = plain.answered()  # first, so that an error speaks of what was typed
    report = redacted.answered()
    if differences := said_otherwise(before, report):
        raise click.UsageError(
            "without names the verdict would be another one, because a rule depends on a name:\n  "
            + "\n  ".join(differences)
            + f"\nJudge with names ({_plainly()}), or take the names out of the rules."
        )
    return report


def _plainly() -> str:
    """How this command is told to leave names in."""
    return "--no-redact" if click.get_current_context().command.name == "bundle" else "without --redact"


def _packs(redactor: Redactor, texts: Sequence[PackText]) -> list[PackText]:
    from auditor.jobs.redact_packs import NameInRule, redacted_packs
    from auditor.packs.pack_errors import PackError

    try:
        return redacted_packs(texts, redactor)
    except NameInRule as error:
        raise click.UsageError(f"{error}, or judge with names ({_plainly()})") from error
    except PackError as error:
        raise click.UsageError(
            "a pack holds names of the tenant where it needs them: take them out of the pack, or judge with names"
            f" ({_plainly()})\n{error}"
        ) from error


def _asked(redactor: Redactor, pack: Pack) -> Pack:
    """The vendor rules for an app of the command line."""
    import msgspec

    return pack if pack.app is None else msgspec.structs.replace(pack, app=redactor.app(pack.app))


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


def source_of(source: str) -> str:
    """Where the snapshot came from, without the path of a file."""
    return source if source.startswith("sample ") else f"{source.partition(' ')[0].rstrip(',')}, redacted"
