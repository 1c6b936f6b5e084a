"""Files that are small and mean something enormous are refused at the cost of reading them."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auditor.jobs.bundle_verifier import verify
from auditor.jobs.bundle_writer import MOST_BYTES, BundleError
from auditor.jobs.earlier_reports import NotAReport, earlier_reports
from auditor.jobs.snapshot_files import read_snapshot
from auditor.packs import PackError
from auditor.packs.load import Source, load
from auditor.packs.waiver_files import load_waivers
from auditor.snapshot import SnapshotError
from tests.fuzz.mutations import zipped
from tests.jobs.test_bundle import TOOL

MIB = 2**20
DEEP = 100_000

HEAD = b"format: consent-auditor/pack\nformat-version: 1\npack: p\nversion: '1'\ntitle: T\n"
LAUGHS = b"a0: &a0 [lol, lol, lol]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (n, n, b", ".join([b"*a%d" % (n - 1)] * 10)) for n in range(1, 30)
)
"""Ten to the power of 29 texts, if aliases were followed."""


@contextmanager
def at_most(limit: int) -> Iterator[None]:
    """Fail if the block allocates more than `limit` bytes at any moment."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("read", [pytest.param(load, id="pack"), pytest.param(load_waivers, id="waivers")])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LAUGHS, id="aliases of aliases"),
        pytest.param(b"a: &a [*a, *a]\n", id="an alias to itself"),
        pytest.param(b"a: &a {b: 1}\nc: {<<: *a}\n", id="merge keys"),
        pytest.param(b"[" * DEEP, id="deep lists"),
        pytest.param(b"{a: " * DEEP, id="deep tables"),
        pytest.param(b"".join(b" " * n + b"a:\n" for n in range(600)), id="deep indentation"),
        pytest.param(b"- " * DEEP, id="deep lists in one line"),
        pytest.param(b"? " * DEEP, id="deep keys"),
        pytest.param(b"a: !!python/object/apply:os.system ['id']\n", id="a tag that constructs an object"),
        pytest.param(b"a: !!binary " + b"A" * 200_000, id="a binary tag"),
        pytest.param(b"a: " + b"9" * 200_000, id="a number of many digits"),
        pytest.param(b"a: 1e999999999\n", id="a number with a large exponent"),
        pytest.param(b"a: 1" + b":59" * 50_000, id="a number to the base of 60"),
        pytest.param(b"? [a, b]\n: c\n", id="a list as a key"),
        pytest.param(b"a: 1\n" * 5_000, id="a key five thousand times"),
        pytest.param(b"- x\n" * 10_000, id="a long list"),
        pytest.param(b"%TAG ! tag:x,2000:\n--- !a\nb: 1\n", id="a directive"),
        pytest.param(b"---\n" * 50_000, id="many documents"),
        pytest.param(b"x" * 300_000, id="a file that is too large"),
        pytest.param(b"a: |\n" + b"  x\n" * 60_000, id="a long text"),
        pytest.param(b'a: "' + b"\\u202e" * 40_000 + b'"\n', id="many reversals of the text"),
    ],
)
def test_a_text_that_grows_is_refused(read: Callable[[Source], Any], text: bytes) -> None:
    for head in (b"", HEAD):
        with at_most(200 * MIB), pytest.raises(PackError) as caught:
            read(Source("bomb.yaml", head + text))
        assert len(str(caught.value)) < 100_000


def snapshot_with(sections: str) -> bytes:
    return f'{{"format": "consent-auditor/snapshot", "version": 1, "tenant": {{"id": "t"}}, {sections}}}'.encode()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"[" * 5 * DEEP, id="deep lists"),
        pytest.param(b'{"value":' * DEEP + b"1" + b"}" * DEEP, id="deep objects"),
        pytest.param(snapshot_with('"sections": ' + '{"a":' * DEEP + "1" + "}" * DEEP), id="deep sections"),
        pytest.param(snapshot_with('"sections": {}, "x": ' + "[" * DEEP + "]" * DEEP), id="deep unknown value"),
        pytest.param(snapshot_with('"sections": {"signIns": ' + "[" * 900 + "]" * 900 + "}"), id="deep section"),
        pytest.param(snapshot_with('"sections": {}, "version": ' + "9" * 100_000), id="a version of many digits"),
        pytest.param(snapshot_with('"sections": {"signIns": ' + "9" * 100_000 + "}"), id="a number of many digits"),
        pytest.param(snapshot_with('"sections": {"signIns": 1e999999}'), id="a number with a large exponent"),
        pytest.param(snapshot_with('"sections": {"signIns": NaN}'), id="a number that isn't one"),
        pytest.param(snapshot_with('"sections": {}, "taken": "9999-12-31T23:59:59-23:59"'), id="after the last day"),
        pytest.param(snapshot_with('"sections": {}, "taken": "0001-01-01T00:00:00+23:59"'), id="before the first day"),
    ],
)
def test_a_document_that_is_too_deep_or_too_large_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "bomb.json").write_bytes(data)
    with at_most(200 * MIB), pytest.raises(SnapshotError) as caught:
        read_snapshot([str(tmp_path / "bomb.json")])
    assert len(str(caught.value)) < 100_000


def test_an_endless_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.snapshot.read.MAX_BYTES", MIB)
    with at_most(20 * MIB), pytest.raises(SnapshotError, match="is too large for a snapshot"):
        read_snapshot(["/dev/zero"])


def test_an_endless_standard_input_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.snapshot.read.MAX_BYTES", MIB)
    with open("/dev/zero", encoding="latin-1") as endless:
        monkeypatch.setattr("sys.stdin", endless)
        with at_most(20 * MIB), pytest.raises(SnapshotError, match="standard input: is too large for a snapshot"):
            read_snapshot(["-"])


def zeros(size: int) -> bytes:
    """A ZIP file with a member of this many zeros, without ever holding them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("snapshot.json", "w") as member:
        for _ in range(size // MIB):
            member.write(bytes(MIB))
    return out.getvalue()


def lying(data: bytes, size: int) -> bytes:
    """The ZIP file, with a directory that says that each member has `size` bytes."""
    found = data
    at = found.find(b"PK\x01\x02")
    while at >= 0:
        found = found[: at + 24] + size.to_bytes(4, "little") + found[at + 28 :]
        at = found.find(b"PK\x01\x02", at + 4)
    return found


ARCHIVES = [
    pytest.param(lambda: zeros(MOST_BYTES + MIB), id="one large member"),
    pytest.param(lambda: lying(zeros(64 * MIB), 10), id="a directory that lies"),
    pytest.param(lambda: zipped({f"packs/{n}.yaml": b"" for n in range(5000)}), id="many members"),
    pytest.param(lambda: zipped({"a.zip": zipped({"b.zip": zeros(8 * MIB)})}), id="archives in archives"),
    pytest.param(lambda: zipped({f"{n:03}.json": b"" for n in range(150)}), id="members without content"),
    pytest.param(lambda: zipped({"snapshot.json": b"[" * DEEP, "manifest.json": b"[" * DEEP}), id="deep members"),
    pytest.param(lambda: b"PK\x03\x04" + b"\xff" * 1000, id="a header alone"),
    pytest.param(lambda: zipped({"snapshot.json": b"x"}, zipfile.ZIP_LZMA), id="another compression"),
]


@pytest.mark.parametrize("archive", ARCHIVES)
def test_an_archive_that_grows_is_refused(archive: Callable[[], bytes], tmp_path: Path) -> None:
    data = archive()
    (tmp_path / "bomb.zip").write_bytes(data)
    with at_most(40 * MIB), pytest.raises(BundleError):
        verify(data, TOOL)
    with at_most(40 * MIB), pytest.raises(SnapshotError):
        read_snapshot([str(tmp_path / "bomb.zip")])


def packed(rows: bytes, count: int) -> bytes:
    """A packed snapshot with one section in a separate file."""
    document: dict[str, Any] = {
        "format": "consent-auditor/snapshot",
        "version": 1,
        "tenant": {"id": "t"},
        "sections": {},
        "files": {"servicePrincipals": {"file": "servicePrincipals.jsonl.gz", "rows": count}},
    }
    members = {"snapshot.json": json.dumps(document).encode(), "servicePrincipals.jsonl.gz": rows}
    return zipped(members, zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(gzip.compress(bytes(64 * MIB)), id="zeros"),
        pytest.param(gzip.compress(b"[" * 64 * MIB), id="deep rows"),
        pytest.param(gzip.compress(b'{"id": "' + b"x" * 64 * MIB), id="a row without an end"),
        pytest.param(gzip.compress(b"{}\n")[:-4], id="cut off"),
        pytest.param(zlib.compress(b"{}\n"), id="another compression"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_packed_snapshot_whose_rows_grow_is_refused(rows: bytes, tmp_path: Path) -> None:
    (tmp_path / "bomb.zip").write_bytes(packed(rows, 3))
    with at_most(400 * MIB), pytest.raises(SnapshotError):
        read_snapshot([str(tmp_path / "bomb.zip")])


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"[" * DEEP, id="deep lists"),
        pytest.param(b'{"format": "consent-auditor/report", "x": ' + b"[" * DEEP, id="a deep unknown value"),
        pytest.param(b'{"format": "consent-auditor/report", "summary": {"passed": ' + b"9" * DEEP, id="many digits"),
    ],
)
def test_an_earlier_report_that_is_too_deep_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "bomb.json").write_bytes(data)
    with pytest.raises(NotAReport):
        earlier_reports([tmp_path / "bomb.json"])
    assert earlier_reports([tmp_path]) == ()
