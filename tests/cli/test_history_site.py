"""``history site``: where it writes, what it says, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from auditor.cli.program import program
from auditor.history import open_history
from auditor.model.errors import OK, USAGE
from tests.history.nights import keep, night


@pytest.fixture
def history(tmp_path: Path) -> str:
    """A history with two nights."""
    place = str(tmp_path / "history.db")
    with open_history(place) as opened:
        for number in range(2):
            keep(opened, night("managed-default"), number)
    return place


def site(*arguments: str) -> Result:
    return CliRunner().invoke(program, ["history", "site", *arguments])


def test_the_second_time_it_says_that_nothing_had_to_be_written(history: str, tmp_path: Path) -> None:
    folder = str(tmp_path / "site")
    first = site("--history", history, "-o", folder)
    assert first.output == f"Wrote {Path(folder) / 'index.html'}: 4 files written, 0 unchanged.\n"
    again = site("--history", history, "-o", folder)
    assert again.output == f"Wrote {Path(folder) / 'index.html'}: 0 files written, 4 unchanged.\n"


def test_without_a_folder_it_says_what_to_add(history: str) -> None:
    result = site("--history", history)
    assert result.exit_code == USAGE
    assert "Add -o FOLDER, or 'site: FOLDER' to the configuration" in result.output


def test_the_configuration_names_the_history_and_the_folder(history: str, tmp_path: Path) -> None:
    config = tmp_path / "nightly.yaml"
    config.write_text(
        f"version: 1\nhistory: {{file: {Path(history).name}}}\nsite: pages\n"
        "tenants: [{name: contoso, snapshot: c.json, packs: [trackerrms-uk]}]\n"
    )
    result = site("--config", str(config))
    assert result.exit_code == OK, result.output
    assert (tmp_path / "pages" / "index.html").is_file()


def test_a_folder_with_another_index_is_refused(history: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("mine")
    result = site("--history", history, "-o", str(tmp_path))
    assert result.exit_code == USAGE
    assert "choose another folder, or move the file away" in result.output
    assert (tmp_path / "index.html").read_text() == "mine"
