"""A snapshot is read from a file, and errors of the operating system are reported with what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from auditor.model.snapshot import Snapshot, Tenant
from auditor.snapshot import SnapshotError
from auditor.snapshot.read import load
from auditor.snapshot.write import dumps

SNAPSHOT = Snapshot(tenant=Tenant(id="72f38f0a-3a0e-4fbb-a9c2-04a5d6c5a5c1"))


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "tenant.json"
    file.write_bytes(dumps(SNAPSHOT))
    assert load(file) == load(str(file)) == SNAPSHOT


def test_the_error_for_a_missing_file_says_how_to_create_it(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError) as caught:
        load(tmp_path / "none.json")
    assert str(caught.value) == (
        f"{tmp_path / 'none.json'}: there is no such file\nCreate one with: consent-auditor collect -o FILE"
    )


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{tmp_path}: is a directory\nSpecify the snapshot file in it."


def refusing(error: OSError) -> Any:
    def opened(_: Path, mode: str) -> Any:
        raise error

    return opened


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        pytest.param(
            PermissionError(13, "Permission denied"),
            "cannot be read by this user\n"
            "Only its owner can read a snapshot: run as the user who created it, or ask for a copy.",
            id="no permission",
        ),
        pytest.param(
            OSError(5, "Input/output error"),
            "cannot be read: Input/output error\nCheck the path and the disk, then try again.",
            id="a broken disk",
        ),
    ],
)
def test_the_error_for_an_unreadable_file_gives_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, reported: str
) -> None:
    file = tmp_path / "tenant.json"
    file.touch()
    monkeypatch.setattr(Path, "open", refusing(error))
    with pytest.raises(SnapshotError) as caught:
        load(file)
    assert str(caught.value) == f"{file}: {reported}"


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.json"
    with file.open("wb") as out:
        os.truncate(out.fileno(), 3 * 2**30)
    with pytest.raises(SnapshotError) as caught:
        load(file)
    assert str(caught.value) == (
        f"{file}: is too large for a snapshot (3072 MiB; the limit is 512 MiB)\nCheck that this is the right file."
    )
