"""``--timeout`` takes seconds or a time with a unit, and is an hour for a run that waits for a change."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from auditor.cli.options import tenant_options, waiting


def limit(*arguments: str, waits: bool = False) -> Result:
    """What a command with the options of a tenant makes of its time limit."""

    @click.command()
    @tenant_options
    def command(**tenant: Any) -> None:
        click.echo(f"{(waiting(tenant) if waits else tenant)['timeout']:g}")

    return CliRunner().invoke(command, arguments)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("1", "1", id="the shortest"),
        pytest.param("1800", "1800", id="seconds without a unit"),
        pytest.param("90s", "90", id="seconds"),
        pytest.param("10m", "600", id="minutes"),
        pytest.param("1h", "3600", id="hours"),
        pytest.param(" 2H ", "7200", id="capitals and blanks"),
        pytest.param("24h", "86400", id="the longest"),
    ],
)
def test_a_time_may_have_a_unit(text: str, seconds: str) -> None:
    assert limit("--timeout", text).output == f"{seconds}\n"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("0", id="nothing"),
        pytest.param("-5", id="negative"),
        pytest.param("25h", id="too long"),
        pytest.param("9" * 5000, id="too many digits"),
        pytest.param("1d", id="unknown unit"),
        pytest.param("1.5h", id="a fraction"),
        pytest.param("h", id="no number"),
        pytest.param("½h", id="a fraction sign"),
        pytest.param("1h30m", id="two units"),
    ],
)
def test_anything_else_is_refused_with_examples(text: str) -> None:
    refused = limit("--timeout", text)
    assert refused.exit_code == 2
    assert "isn't a time from 1s to 24h: give seconds, or for example 90s, 10m or 1h." in refused.output


def test_a_read_has_two_minutes_and_a_wait_an_hour() -> None:
    assert limit().output == "120\n"
    assert limit(waits=True).output == "3600\n"
    assert limit("--timeout", "30m", waits=True).output == "1800\n"
