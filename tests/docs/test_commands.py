"""A command that a page shows is a command that the program understands."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from auditor.snapshot.samples import sample_names
from tests.docs.commands import WIDTH, every_command, understood
from tests.docs.pages import PROGRAM, ROOT, arguments, commands, pages, read, title
from tests.limits import HUNG_AFTER

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


def left_behind(command: str) -> list[str]:
    """The files and folders in the working folder in which a command leaves something about a tenant, or a key."""
    try:
        context = understood(arguments(command))
    except (click.exceptions.Exit, click.MissingParameter):
        return []
    if context.command_path.endswith(" new"):
        return []  # a rule pack, which is meant to be kept
    outputs = context.params.get("outputs") or (context.params.get("output"),)
    named = [str(path) for path in (*outputs, context.params.get("redact_key")) if path]
    return [path for path in named if path != "-" and not re.match(r"/|[$][{(]|[A-Z]:", path)]


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="only a clone has ignored files")
def test_git_ignores_what_the_commands_of_the_docs_leave_behind() -> None:
    paths = sorted({path for _, command in SHOWN for path in left_behind(command)})
    assert {"audit-results/", "redaction-key.txt", "tenant.json", "ticket.zip", "report.html"} <= set(paths)
    command = ["git", "-c", "safe.directory=*", "check-ignore", "--no-index", *paths]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HUNG_AFTER)
    assert set(paths) - set(listed.stdout.splitlines()) == set()


def test_no_command_of_the_docs_writes_to_the_folder_of_the_templates() -> None:
    assert [command for _, command in SHOWN if "reports/" in command] == []


def test_pages_show_commands() -> None:
    assert {"check", "collect", "completion", "doctor", "packs"} <= {arguments(command)[0] for _, command in SHOWN}


def test_what_a_help_says_of_exit_codes_fits_the_terminal() -> None:
    helps = [found.get_help() for found in every_command()]
    explained = [text[text.index("  Exit codes:") :] for text in helps if "  Exit codes:" in text]
    assert len(explained) > 10
    assert [line for text in explained for line in text.splitlines() if len(line) > WIDTH] == []


def test_every_command_and_group_has_an_example() -> None:
    assert [one.command_path for one in every_command() if "  Examples:" not in one.get_help()] == []


def test_a_misspelt_option_is_found() -> None:
    with pytest.raises(click.UsageError):
        understood(arguments(f"{PROGRAM} check --sampel managed-default"))


def test_what_follows_a_command_is_no_part_of_it() -> None:
    assert arguments(f"{PROGRAM} check -f json 2>/dev/null | jq .") == ["check", "-f", "json"]
    assert arguments(f"{PROGRAM} collect -o t.json && echo done") == ["collect", "-o", "t.json"]


def test_a_command_is_distinguished_from_a_word() -> None:
    page = f"```sh\n$ {PROGRAM} check \\\n  --strict\nname {PROGRAM} x\n# {PROGRAM} y\n```\nAsk `{PROGRAM} doctor`."
    assert [arguments(command) for command in commands(page)] == [["check", "--strict"], ["doctor"]]
