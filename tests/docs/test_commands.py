"""A command that a page shows is a command that the program understands."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from auditor.cli.program import program
from auditor.snapshot.samples import sample_names
from tests.docs.pages import PROGRAM, arguments, commands, guides, read, title

SHOWN = [(path, command) for path in guides() for command in dict.fromkeys(commands(read(path)))]


def understood(words: list[str]) -> click.Context:
    """The context of the verb that a command line calls; nothing is run. Raises UsageError if it does not parse."""
    command: click.Command | None = program
    name: str | None = PROGRAM
    above: click.Context | None = None
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        above = click.Context(command, info_name=name, parent=above)
        name, command, words = command.resolve_command(above, words)
    assert command is not None
    return command.make_context(name, list(words), parent=above)


@pytest.mark.parametrize(("path", "command"), SHOWN, ids=[f"{title(path)}: {command}" for path, command in SHOWN])
def test_every_command_that_is_shown_parses(path: Path, command: str) -> None:
    try:
        context = understood(arguments(command))
    except click.exceptions.Exit as done:
        assert done.exit_code == 0
        return
    assert context.params.get("sample") in (None, *sample_names())


def test_pages_show_commands() -> None:
    assert {"check", "collect", "doctor", "packs"} <= {arguments(command)[0] for _, command in SHOWN}


def test_a_misspelt_option_is_found() -> None:
    with pytest.raises(click.UsageError):
        understood(arguments(f"{PROGRAM} check --sampel managed-default"))


def test_what_follows_a_command_is_no_part_of_it() -> None:
    assert arguments(f"{PROGRAM} check -f json 2>/dev/null | jq .") == ["check", "-f", "json"]
    assert arguments(f"{PROGRAM} collect -o t.json && echo done") == ["collect", "-o", "t.json"]


def test_a_command_is_told_from_a_word() -> None:
    page = f"```sh\n$ {PROGRAM} check \\\n  --strict\nname {PROGRAM} x\n# {PROGRAM} y\n```\nAsk `{PROGRAM} doctor`."
    assert [arguments(command) for command in commands(page)] == [["check", "--strict"], ["doctor"]]
