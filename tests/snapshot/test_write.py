"""A snapshot file is whole or not there, and only its owner may read it."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.model.resources import AuthorizationPolicy, OAuth2PermissionGrant
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot, Tenant, Unread
from auditor.snapshot import SnapshotError
from auditor.snapshot.read import load
from auditor.snapshot.write import dumps, save

SNAPSHOT = Snapshot(
    tenant=Tenant(id="72f38f0a", name="Contoso"),
    taken="2026-11-22T02:00:00Z",
    tool="consent-auditor 0.1.0",
    sections=Sections(
        directorySettings=(),
        authorizationPolicy=AuthorizationPolicy(blockMsolPowerShell=False),
        oauth2PermissionGrants=(
            OAuth2PermissionGrant(clientId="c", resourceId="r", consentType="AllPrincipals", scope=" é"),
        ),
        appRoleAssignedTo={"b": (), "a": ()},
    ),
    covers={"users": ("x",), "roleDefinitions": ("custom",)},
    unread={"signIns": Unread(status=403, needs=("AuditLog.Read.All",))},
)

TEXT = """\
{
  "format": "consent-auditor/snapshot",
  "version": 1,
  "tenant": {
    "id": "72f38f0a",
    "name": "Contoso"
  },
  "cloud": "global",
  "taken": "2026-11-22T02:00:00Z",
  "tool": "consent-auditor 0.1.0",
  "sections": {
    "authorizationPolicy": {
      "blockMsolPowerShell": false
    },
    "directorySettings": [],
    "oauth2PermissionGrants": [
      {
        "clientId": "c",
        "resourceId": "r",
        "consentType": "AllPrincipals",
        "scope": " é"
      }
    ],
    "appRoleAssignedTo": {
      "a": [],
      "b": []
    }
  },
  "covers": {
    "roleDefinitions": [
      "custom"
    ],
    "users": [
      "x"
    ]
  },
  "unread": {
    "signIns": {
      "status": 403,
      "needs": [
        "AuditLog.Read.All"
      ]
    }
  }
}
"""

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions and links of POSIX")


def test_a_snapshot_is_written_in_the_order_in_which_it_is_read() -> None:
    assert dumps(SNAPSHOT).decode() == TEXT


def test_a_saved_snapshot_can_be_loaded_and_nothing_else_is_left_behind(tmp_path: Path) -> None:
    save(SNAPSHOT, tmp_path / "tenant.json")
    save(SNAPSHOT, str(tmp_path / "tenant.json"))
    assert load(tmp_path / "tenant.json") == SNAPSHOT
    assert [file.name for file in tmp_path.iterdir()] == ["tenant.json"]


@posix
def test_only_the_owner_may_read_it_even_where_everybody_could_before(tmp_path: Path) -> None:
    file = tmp_path / "tenant.json"
    file.write_text("old")
    file.chmod(0o644)
    save(SNAPSHOT, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "tenant.json"
    link.symlink_to(tmp_path / "real" / "tenant.json")
    save(SNAPSHOT, link)
    assert link.is_symlink()
    assert load(tmp_path / "real" / "tenant.json") == SNAPSHOT


@posix
def test_a_device_is_written_into_and_not_replaced() -> None:
    save(SNAPSHOT, os.devnull)
    assert Path(os.devnull).is_char_device()


def failing(*_: Any) -> Any:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "broken", [pytest.param((os, "fsync"), id="fsync"), pytest.param((Path, "replace"), id="replace")]
)
def test_a_failed_save_leaves_the_old_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: tuple[Any, str]
) -> None:
    file = tmp_path / "tenant.json"
    file.write_text("old")
    monkeypatch.setattr(*broken, failing)
    with pytest.raises(SnapshotError) as caught:
        save(SNAPSHOT, file)
    assert str(caught.value) == (
        f"{file}: cannot be written: No space left on device\nCheck the disk, or choose another path with -o."
    )
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_an_interrupted_save_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(SNAPSHOT, tmp_path / "tenant.json")
    assert list(tmp_path.iterdir()) == []


def test_the_error_for_a_missing_directory_says_how_to_create_it(tmp_path: Path) -> None:
    file = tmp_path / "none" / "tenant.json"
    with pytest.raises(SnapshotError) as caught:
        save(SNAPSHOT, file)
    assert str(caught.value) == f"{file}: there is no such directory\nCreate it first: mkdir {file.parent}"


def test_a_directory_is_not_written_over(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError) as caught:
        save(SNAPSHOT, tmp_path)
    assert str(caught.value) == f"{tmp_path}: is a directory\nSpecify a file in it."


def test_the_error_for_an_unwritable_path_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(**_: object) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", denied)
    with pytest.raises(SnapshotError) as caught:
        save(SNAPSHOT, tmp_path / "t.json")
    assert str(caught.value) == (f"{tmp_path / 't.json'}: cannot be written by this user\nChoose another path with -o.")
