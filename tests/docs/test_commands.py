"""A command that a page shows is a command that the program understands."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from auditor.snapshot.samples import sample_names
from tests.docs.commands import understood
from tests.docs.pages import PROGRAM, arguments, commands, pages, read, title

# The changelog is history: it may name what is gone.
CURRENT = [path for path in pages() if path.name != "CHANGELOG.md"]
SHOWN = [(path, command) for path in CURRENT for command in dict.fromkeys(commands(read(path)))]


@pytest.mark.parametrize(("path", "command"), SHOWN, ids=[f"{title(path)}: {command}" for path, command in SHOWN])
def test_every_command_that_is_shown_parses(path: Path, command: str) -> None:
    try:
        context = understood(arguments(command))
    except click.exceptions.Exit as done:
        assert done.exit_code == 0
        return
    assert context.params.get("sample") in (None, *sample_names())


def test_pages_show_commands() -> None:
    assert {"check", "collect", "completion", "doctor", "packs"} <= {arguments(command)[0] for _, command in SHOWN}


def test_a_misspelt_option_is_found() -> None:
    with pytest.raises(click.UsageError):
        understood(arguments(f"{PROGRAM} check --sampel managed-default"))


def test_what_follows_a_command_is_no_part_of_it() -> None:
    assert arguments(f"{PROGRAM} check -f json 2>/dev/null | jq .") == ["check", "-f", "json"]
    assert arguments(f"{PROGRAM} collect -o t.json && echo done") == ["collect", "-o", "t.json"]


def test_a_command_is_distinguished_from_a_word() -> None:
    page = f"```sh\n$ {PROGRAM} check \\\n  --strict\nname {PROGRAM} x\n# {PROGRAM} y\n```\nAsk `{PROGRAM} doctor`."
    assert [arguments(command) for command in commands(page)] == [["check", "--strict"], ["doctor"]]
