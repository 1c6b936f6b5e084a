"""A packed snapshot: a document, and a file of rows for each large section."""

from __future__ import annotations

import gzip
import json
import os
import stat
import sys
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile

import pytest

from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal
from auditor.model.sections import SECTIONS, Sections
from auditor.model.snapshot import Snapshot, Tenant
from auditor.snapshot import SnapshotError
from auditor.snapshot.packed_files import DOCUMENT, RowsWriter, compressed, is_packed, pack, rows_file, save_packed
from auditor.snapshot.write import SectionFile, dumps

GRANTS = tuple(
    OAuth2PermissionGrant(id=f"g{number}", clientId="c", resourceId="r", consentType="AllPrincipals", scope=" é\n")
    for number in range(2500)
)
SNAPSHOT = Snapshot(
    tenant=Tenant(id="72f38f0a", name="Contoso"),
    taken="2026-11-22T02:00:00Z",
    sections=Sections(
        directorySettings=(),
        servicePrincipals=(ServicePrincipal(id="c", appId="app"),),
        oauth2PermissionGrants=GRANTS,
        roleAssignments=(),
        appRoleAssignedTo={"app": ()},
    ),
    covers={"roleAssignments": ("role",)},
)


def test_large_sections_are_files_and_the_others_stay_in_the_document(tmp_path: Path) -> None:
    path = tmp_path / "tenant.zip"
    save_packed(SNAPSHOT, path)
    with ZipFile(path) as archive:
        names = [DOCUMENT, *map(rows_file, ("servicePrincipals", "oauth2PermissionGrants", "roleAssignments"))]
        assert [member.filename for member in archive.infolist()] == names
        assert {member.compress_type for member in archive.infolist()} == {ZIP_STORED}
        document = json.loads(archive.read(DOCUMENT))
        lines = gzip.decompress(archive.read("oauth2PermissionGrants.jsonl.gz")).decode().splitlines()
        nothing = archive.read("roleAssignments.jsonl.gz")
    assert (document["format"], document["version"]) == ("consent-auditor/snapshot", 1)
    assert document["sections"] == {"directorySettings": [], "appRoleAssignedTo": {"app": []}}
    assert document["files"] == {
        "servicePrincipals": {"file": "servicePrincipals.jsonl.gz", "rows": 1},
        "oauth2PermissionGrants": {"file": "oauth2PermissionGrants.jsonl.gz", "rows": 2500},
        "roleAssignments": {"file": "roleAssignments.jsonl.gz", "rows": 0},
    }
    assert document["covers"] == {"roleAssignments": ["role"]}
    whole = json.loads(dumps(SNAPSHOT))
    assert [json.loads(line) for line in lines] == whole["sections"]["oauth2PermissionGrants"]
    assert nothing == b""


def test_equal_snapshots_give_equal_bytes_that_only_the_owner_reads(tmp_path: Path) -> None:
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    save_packed(SNAPSHOT, one)
    os.utime(one, (0, 0))
    save_packed(SNAPSHOT, other)
    assert one.read_bytes() == other.read_bytes()
    if sys.platform != "win32":
        assert stat.S_IMODE(one.stat().st_mode) == 0o600


def test_a_file_of_rows_can_be_cut_after_every_append(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    writer = RowsWriter(path)
    writer.append(b'{"id":"1"}\n{"id":"2"}\n')
    kept = writer.size
    writer.append(b'{"id":"lost"}\n')
    writer.close()
    again = RowsWriter(path, kept)
    again.append(b"")
    assert again.size == kept
    again.append(b'{"id":"3"}\n')
    again.close()
    assert gzip.decompress(path.read_bytes()) == b'{"id":"1"}\n{"id":"2"}\n{"id":"3"}\n'
    assert path.stat().st_size == again.size
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform == "win32", reason="needs links and a folder's permissions")
def test_rows_are_never_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl.gz").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        RowsWriter(tmp_path / "rows.jsonl.gz")
    assert not (tmp_path / "elsewhere").exists()


def test_files_are_packed_as_they_are(tmp_path: Path) -> None:
    rows = tmp_path / "signIns.jsonl.gz"
    rows.write_bytes(compressed(b"{}\n") * 3)
    document = dumps(SNAPSHOT, {"signIns": SectionFile(file=rows_file("signIns"), rows=3)})
    pack(document, {"signIns": rows}, tmp_path / "tenant.zip")
    with ZipFile(tmp_path / "tenant.zip") as archive:
        assert archive.read(DOCUMENT) == document
        assert archive.read(rows_file("signIns")) == rows.read_bytes()
        assert archive.testzip() is None


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "tenant.zip"
    path.write_bytes(b"before")
    with pytest.raises(SnapshotError, match="cannot be written"):
        pack(b"{}", {"signIns": tmp_path}, path)
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["tenant.zip"]


@pytest.mark.parametrize(
    ("name", "packed"),
    [
        pytest.param("tenant.zip", True, id="zip"),
        pytest.param("a/Tenant.ZIP", True, id="upper case"),
        pytest.param("tenant.json", False, id="json"),
        pytest.param("zip", False, id="no ending"),
    ],
)
def test_the_name_decides_the_form(name: str, packed: bool) -> None:
    assert is_packed(name) is packed


def test_every_section_that_grows_is_a_list() -> None:
    growing = [name for name, section in SECTIONS.items() if section.grows]
    assert "oauth2PermissionGrants" in growing and "permissionGrantPolicies" not in growing
    assert not any(SECTIONS[name].only_by_app for name in growing)
