"""Packed snapshots that are damaged, cut off or of another kind say so, and never pass for complete ones."""

from __future__ import annotations

import gzip
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import msgspec
import pytest

from auditor.snapshot import SnapshotError
from auditor.snapshot.packed_read import load_packed
from auditor.snapshot.read import loads

ROWS = [{"id": f"p{number}", "appId": f"a{number}"} for number in range(4)]
LINES = b"".join(msgspec.json.encode(row) + b"\n" for row in ROWS)
NAME = "servicePrincipals.jsonl.gz"


def archive(rows: bytes = gzip.compress(LINES), number: int = 4, **changes: Any) -> bytes:
    """A packed snapshot with these rows of service principals."""
    document = {
        "format": "consent-auditor/snapshot",
        "version": 1,
        "tenant": {"id": "11111111-2222-3333-4444-555555555555"},
        "sections": {},
        "files": {"servicePrincipals": {"file": NAME, "rows": number}},
    } | changes
    out = BytesIO()
    with ZipFile(out, "w") as made:
        made.writestr("snapshot.json", msgspec.json.encode(document))
        made.writestr(NAME, rows)
    return out.getvalue()


def test_rows_can_be_in_several_gzip_streams_and_an_empty_file_is_an_empty_list() -> None:
    halves = gzip.compress(LINES[:40]) + gzip.compress(LINES[40:])
    found = load_packed(BytesIO(archive(halves)), "tenant.zip")
    assert found and [row.appId for row in found.sections.servicePrincipals or ()] == ["a0", "a1", "a2", "a3"]
    empty = load_packed(BytesIO(archive(b"", 0)), "tenant.zip")
    assert empty and empty.sections.servicePrincipals == ()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(archive(number=5), "has 4 rows of 5", id="a row is missing"),
        pytest.param(archive(number=3), "has 4 rows of 3", id="there is a row more"),
        pytest.param(archive(gzip.compress(LINES)[:-12]), "cut off", id="the gzip stream was cut off"),
        pytest.param(archive(gzip.compress(LINES[:-1])), "cut off", id="the last line was cut off"),
        pytest.param(archive(b"no gzip"), "damaged", id="the rows are not compressed"),
        pytest.param(archive(gzip.compress(b"{no json}\n" * 4)), "not JSON", id="a row is not JSON"),
        pytest.param(archive(gzip.compress(b"[" * 9000 + b"\n"), 1), "not JSON", id="a row is nested too deeply"),
        pytest.param(archive(gzip.compress(b'"text"\n'), 1), "one value is not valid", id="a row is a text"),
        pytest.param(archive()[:-30], "damaged", id="the archive was cut off"),
        pytest.param(archive(files={"users": {"file": "users.jsonl.gz", "rows": 1}}), "it has no", id="no such file"),
        pytest.param(archive(files={"newSection": {"file": NAME, "rows": 4}}), "newSection", id="a new section"),
        pytest.param(archive(files={"servicePrincipals": {"file": NAME}}), "rows", id="the number isn't known"),
        pytest.param(archive(version=2), "version 2", id="a newer version"),
    ],
)
def test_an_archive_that_is_not_whole_is_refused_with_what_to_do(data: bytes, says: str) -> None:
    with pytest.raises(SnapshotError, match=says) as caught:
        load_packed(BytesIO(data), "tenant.zip")
    assert caught.value.hint


def test_a_problem_in_a_row_names_its_place() -> None:
    rows = gzip.compress(LINES + b'{"id": "p5", "appId": "a5", "accountEnabled": "yes"}\n')
    with pytest.raises(SnapshotError, match=r"servicePrincipals\[4\]\.accountEnabled"):
        load_packed(BytesIO(archive(rows, 5)), "tenant.zip")


def test_another_archive_is_none() -> None:
    out = BytesIO()
    with ZipFile(out, "w") as made:
        made.writestr("manifest.json", "{}")
        made.writestr("snapshot.json", "{}")
    assert load_packed(out, "bundle.zip") is None


def test_the_document_alone_is_refused() -> None:
    with ZipFile(BytesIO(archive())) as packed:
        document = packed.read("snapshot.json")
    with pytest.raises(SnapshotError, match="a part of a packed snapshot") as refused:
        loads(document)
    assert "without a folder around them" in str(refused.value)
