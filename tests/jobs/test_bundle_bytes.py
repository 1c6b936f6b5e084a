"""Every byte of a bundle is the one that the program writes: a zip that holds or hides anything else is refused."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.jobs import bundle_reader, bundle_writer
from auditor.jobs.bundle_verifier import verify
from auditor.jobs.bundle_writer import MANIFEST, ZLIB, BundleError, deflated, zipped
from tests.jobs.conftest import PDF
from tests.jobs.test_bundle import TOOL, as_json, forged, listed_anew, made, members
from tests.jobs.test_bundle_forged import is_refused

END = 22
"""The bytes of the end of the directory."""


@cache
def small() -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("auditor.render.pdf.render", lambda _: PDF)
        return made(packs=("cisa-scuba",))


def why_refused(data: bytes) -> str:
    try:
        result = verify(data, TOOL)
    except BundleError as error:
        return str(error)
    return " ".join((*result.problems, *result.differences))


def test_the_bundle_of_these_tests_is_accepted() -> None:
    assert not is_refused(small())


def test_a_bundle_has_the_bytes_that_the_standard_library_writes() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, data in sorted(members(small()).items()):
            member = zipfile.ZipInfo(path)
            member.compress_type, member.create_system, member.external_attr = 8, 3, 0o100600 << 16
            archive.writestr(member, data, compresslevel=9)
    assert out.getvalue() == small()


STEP = 1 if settings().max_examples > 100 else 251
"""In ``make soak`` every byte is tried, in ``make test`` every 251st."""
WAYS: dict[str, Callable[[bytes, int], bytes]] = {
    "changed": lambda data, at: data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :],
    "repeated": lambda data, at: data[:at] + data[at : at + 1] + data[at:],
    "inserted": lambda data, at: data[:at] + bytes([at % 256]) + data[at:],
    "removed": lambda data, at: data[:at] + data[at + 1 :],
}


@pytest.mark.parametrize("way", WAYS)
def test_a_byte_that_is_changed_anywhere_is_refused(way: str) -> None:
    data, other = small(), WAYS[way]
    headers = data.index(b"PK\1\2")
    places = sorted({*range(0, len(data), STEP), *range(40), *range(headers, len(data), 1 if STEP == 1 else 25)})
    assert [at for at in places if not is_refused(other(data, at))] == []


def repacked(change: Callable[[zipfile.ZipInfo, int], object] | None = None, level: int = 9) -> bytes:
    """The members, packed by the standard library; `change` changes the entry of each."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, (path, data) in enumerate(sorted(members(small()).items())):
            member = zipfile.ZipInfo(path)
            member.compress_type, member.create_system, member.external_attr = 8, 3, 0o100600 << 16
            if change is not None:
                change(member, number)
            archive.writestr(member, data, compresslevel=level)
    return out.getvalue()


def with_orphan() -> bytes:
    """The bundle with the entry of a file that its directory doesn't list, in front of the directory."""
    data = small()
    size, start = struct.unpack("<2L", data[-10:-2])
    orphan = zipped({"orphan.txt": b"hidden"})[: -END - 46 - len("orphan.txt")]
    end = data[start + size : -6] + struct.pack("<LH", start + len(orphan), 0)
    return data[:start] + orphan + data[start : start + size] + end


def with_two_directories() -> bytes:
    """The bundle behind another one, whose entries only a program that reads from the start sees."""
    return zipped({"report.html": b"<h1>CONNECTS</h1>"}) + small()


def with_padding_in_a_stream() -> bytes:
    """The bundle with bytes after the end of a compressed file."""
    return zipped(members(small()), lambda path, data: deflated(path, data) + b"hidden" * (path == "paste.txt"))


def with_another_local_size() -> bytes:
    """The bundle whose first local header has other sizes than its directory."""
    data = bytearray(small())
    data[18:22] = struct.pack("<L", 1)
    return bytes(data)


FORGERIES: dict[str, tuple[Callable[[], bytes], str]] = {
    "bytes before it": (lambda: b"#!/bin/sh\n" + small(), "before or after it"),
    "bytes after it": (lambda: small() + b"more", "before or after it"),
    "a comment": (lambda: small()[:-2] + b"\x05\x00hello", "before or after it"),
    "two bundles": (lambda: small() + small(), "before or after it"),
    "two directories": (with_two_directories, "before or after it"),
    "an orphan": (with_orphan, "bytes that belong to none of its files"),
    "bytes in a stream": (with_padding_in_a_stream, "paste.txt is compressed in another way"),
    "other sizes in a local header": (with_another_local_size, ""),
    "a lower level": (lambda: repacked(level=1), "README.txt is compressed in another way"),
    "stored": (lambda: repacked(lambda m, _: setattr(m, "compress_type", 0)), "README.txt is stored in another way"),
    "an extra field": (
        lambda: repacked(lambda m, _: setattr(m, "extra", b"\x99\x99\x01\x00x")),
        "README.txt has an extra",
    ),
    "a comment of a file": (
        lambda: repacked(lambda m, n: setattr(m, "comment", b"x" * (n == 1))),
        "manifest.json has a comment",
    ),
    "a date": (lambda: repacked(lambda m, _: setattr(m, "date_time", (2026, 1, 1, 0, 0, 0))), "README.txt has a date"),
    "executable": (lambda: repacked(lambda m, _: setattr(m, "external_attr", 0o100755 << 16)), "has other permissions"),
    "of Windows": (lambda: repacked(lambda m, _: setattr(m, "create_system", 0)), "names another system"),
    "bzip2": (
        lambda: repacked(lambda m, _: setattr(m, "compress_type", 12)),
        "compressed in a way that a bundle isn't",
    ),
    "lzma": (lambda: repacked(lambda m, _: setattr(m, "compress_type", 14)), "compressed in a way that a bundle isn't"),
    "a folder": (lambda: zipped({**members(small()), "packs/": b""}), "has other entries"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_zip_that_the_program_does_not_write_is_refused_with_what_differs(name: str) -> None:
    forge, why = FORGERIES[name]
    data = forge()
    assert data != small()
    assert is_refused(data)
    assert why in why_refused(data)


def test_an_entry_that_is_streamed_or_encrypted_is_refused() -> None:
    for flag in (0x1, 0x8, 0x800):
        data = bytearray(small())
        directory = struct.unpack("<L", data[-6:-2])[0]
        data[6:8] = data[directory + 8 : directory + 10] = struct.pack("<H", flag)
        assert is_refused(bytes(data)), flag


def test_a_zip64_is_refused_before_its_directory_is_read() -> None:
    data = small()
    end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 9, 9, 0, 0)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(data) - END, 1)
    assert "far more than a bundle" in why_refused(data[:-END] + end + locator + data[-END:])


def test_a_directory_that_is_far_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_reader, "MOST_IN_DIRECTORY", 100)
    assert "far more than a bundle" in why_refused(small())


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../report.html", id="out of the folder"),
        pytest.param("..\\report.html", id="a backslash"),
        pytest.param("REPORT.html", id="another letter case"),
        pytest.param("packs/CISA-scuba.yaml", id="a pack in another letter case"),
        pytest.param("rep\u043ert.html", id="a Cyrillic letter"),
        pytest.param("report.html ", id="a blank"),
        pytest.param("report.html\0.txt", id="a NUL"),
        pytest.param("/report.html", id="absolute"),
        pytest.param("", id="no name"),
    ],
)
def test_another_name_is_refused(path: str) -> None:
    out = io.BytesIO(small())
    with zipfile.ZipFile(out, "a") as archive:
        info = zipfile.ZipInfo("x")
        info.filename = path
        archive.writestr(info, b"x")
    assert is_refused(out.getvalue())


def test_a_bundle_of_another_library_is_accepted_and_that_is_said() -> None:
    def with_library(library: str, level: int) -> bytes:
        files = members(small())
        files[MANIFEST] = files[MANIFEST].replace(ZLIB.encode(), library.encode())

        def compress(path: str, data: bytes) -> bytes:
            compressor = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
            return compressor.compress(data) + compressor.flush() + b"x" * (level == 2 and path == "paste.txt")

        return zipped(files, compress)

    result = verify(with_library("zlib 9.9.zlib-ng", 6), TOOL)
    assert not is_refused(with_library("zlib 9.9.zlib-ng", 6))
    assert any("compressed with zlib 9.9.zlib-ng, and this machine has zlib" in note for note in result.notes)
    assert is_refused(with_library(ZLIB, 6)), "the same library compresses in the same way"
    assert is_refused(with_library("zlib 9.9.zlib-ng", 2)), "bytes after a stream are nobody's"
    assert is_refused(with_library("a library of mine", 6))


def test_a_bundle_that_nobody_could_verify_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.render.pdf.render", lambda _: PDF)
    for name, message in (("MOST_TOGETHER", "larger than"), ("MOST_MEMBERS", "more than 5 files")):
        with monkeypatch.context() as patch:
            patch.setattr(bundle_writer, name, 5)
            with pytest.raises(BundleError, match=message):
                made.__wrapped__()


@settings(max_examples=200)
@given(st.binary(max_size=400), st.integers(0, 3))
def test_whatever_the_bytes_are_the_answer_is_a_refusal(data: bytes, how: int) -> None:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(data), 0, 0)
    assert is_refused((data, data + end, small()[: len(data)] + data, b"PK\3\4" + data + end)[how])


@settings(max_examples=100)
@given(st.data())
def test_whatever_a_members_json_is_nothing_else_is_raised(data: st.DataObject) -> None:
    """A value of the manifest, the report or the snapshot is replaced; the last holds facts, which may be others."""
    files = members(small())
    name = data.draw(st.sampled_from([MANIFEST, "report.json", "snapshot.json"]))
    document = json.loads(files[name])
    place = document
    key = data.draw(st.sampled_from(sorted(place)))
    while isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans()):
        place = place[key]
        keys = sorted(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
    values: st.SearchStrategy[Any] = (
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just([]) | st.just({})
    )
    before = place[key]
    place[key] = data.draw(values)
    if json.dumps(place[key]) == json.dumps(before):
        return
    files[name] = as_json(document) if not isinstance(place[key], float) else json.dumps(document).encode()
    assert is_refused(zipped(files) if name == MANIFEST else forged(files)) or name == "snapshot.json"


Change = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda t: t.replace(b'"cloud": "global"', b'"cloud": "china", "cloud": "global"'), id="twice"),
        pytest.param(lambda t: t.replace(b'"cloud": "global"', b'"cloud": "global",\n  "note": "x"'), id="unknown key"),
        pytest.param(
            lambda t: t.replace(
                b'"format": "consent-auditor/snapshot",\n  "version": 1',
                b'"version": 1,\n  "format": "consent-auditor/snapshot"',
            ),
            id="another order",
        ),
        pytest.param(lambda t: t.replace(b'"global"', b'"gl\\u006fbal"'), id="an escape"),
        pytest.param(lambda t: t.replace(b": true", b":  true", 1), id="a blank"),
        pytest.param(
            lambda t: t.replace(b'"sections": {', b'"sections": {\n    "Unknown": 1,', 1), id="unknown section"
        ),
        pytest.param(lambda t: t.replace(b'"id"', b'"ID"', 1), id="a key in capitals"),
    ],
)
def test_a_snapshot_in_another_form_is_found(change: Change) -> None:
    files = members(made())
    text = change(files["snapshot.json"])
    assert text != files["snapshot.json"]
    (difference,) = verify(forged({**files, "snapshot.json": text}), TOOL).differences
    assert difference.startswith("snapshot.json isn't in the form in which this program writes it")
    assert "Line " in difference or "line " in difference


@pytest.mark.parametrize(
    "number", [b"1.0", b"1e0", b"true", b"-1", b"99999999999999999999999", b"NaN", b"null", b'"1"']
)
def test_another_version_of_the_format_is_refused(number: bytes) -> None:
    files = members(made())
    forgery = listed_anew(files)
    forgery[MANIFEST] = forgery[MANIFEST].replace(b'"version": 1,', b'"version": ' + number + b",", 1)
    assert is_refused(zipped(forgery))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(
            lambda m: m.replace(b'"redacted": false', b'"redacted": true, "redacted": false'), id="a key twice"
        ),
        pytest.param(
            lambda m: m.replace(b'"redacted": false', b'"redacted": false, "note": "checked"'), id="a new key"
        ),
        pytest.param(lambda m: json.dumps(json.loads(m)).encode(), id="on one line"),
        pytest.param(lambda m: m + b" ", id="a blank at the end"),
        pytest.param(lambda m: m.replace(b'"left_out": []', b'"left_out": ["report.csv: all is fine"]'), id="left out"),
        pytest.param(lambda m: re.sub(rb'"compressed_with": ".*"', b'"compressed_with": ""', m), id="not compressed"),
        pytest.param(lambda m: re.sub(rb'"size": (\d+)', rb'"size": \1.0', m, count=1), id="a size with a fraction"),
    ],
)
def test_a_manifest_in_another_form_is_refused(change: Change) -> None:
    forgery = members(made())
    manifest = change(forgery[MANIFEST])
    assert manifest != forgery[MANIFEST]
    assert is_refused(zipped({**forgery, MANIFEST: manifest}))
