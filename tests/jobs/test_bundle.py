"""A bundle is whole or says what is wrong, and what is in it can be judged again with the same result."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
import pytest

from auditor.jobs import bundle_verifier as bundle_verify
from auditor.jobs import bundle_writer
from auditor.jobs.bundle_writer import MANIFEST, BundleError, bundle
from auditor.jobs.report_builder import build_report
from auditor.packs.load import shipped_source
from auditor.packs.pack_texts import texts_of
from auditor.render import FormatUnavailable
from auditor.snapshot.samples import sample, sample_names

PACKS = ("trackerrms-uk", "cisa-scuba")
TOOL = "consent-auditor 1.2.3"


pytestmark = pytest.mark.usefixtures("short_pdf")


@cache
def made(name: str = "managed-default", packs: tuple[str, ...] = PACKS, source: str = "") -> bytes:
    texts = [texts_of(shipped_source(pack)) for pack in packs]
    snapshot = sample(name)
    report = build_report(snapshot, [text.pack for text in texts], source=source, tool=TOOL)
    return bundle(report, snapshot, texts, redacted=False)[0]


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Mapping[str, bytes]) -> bytes:
    """The zip as any other tool makes it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def as_json(value: Any) -> bytes:
    """The JSON in the form in which the program writes it."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def listed_anew(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with a manifest that lists them as they are: what somebody who forges a bundle would make."""
    manifest = json.loads(files[MANIFEST])
    manifest["files"] = [
        {"path": path, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for path, data in sorted(files.items())
        if path != MANIFEST
    ]
    return {**files, MANIFEST: as_json(manifest)}


def forged(files: dict[str, bytes]) -> bytes:
    """The bundle that somebody makes who has the program's source code."""
    return bundle_writer.zipped(listed_anew(files))


def test_a_bundle_holds_what_support_needs() -> None:
    files = members(made())
    assert {"report.json", "report.html", "snapshot.json", "paste.txt", "message.txt", "README.txt", MANIFEST} <= set(
        files
    )
    assert {name for name in files if name.startswith("packs/")} == {
        "packs/cisa-scuba.yaml",
        "packs/trackerrms-uk.yaml",
        "packs/trackerrms.yaml",
        "packs/vendor-app.yaml",
    }
    assert "NEEDS ADMIN" in files["paste.txt"].decode()
    assert files["message.txt"].decode().startswith("Subject: Please approve TrackerRMS")
    lines = files["paste.txt"].decode().splitlines()
    assert max(len(line) for line in lines if not line.strip().startswith("https://")) < 220
    assert (
        "check --snapshot snapshot.json --pack packs/trackerrms-uk.yaml --pack packs/cisa-scuba.yaml"
        in files["README.txt"].decode()
    )


@pytest.mark.parametrize("name", sample_names())
def test_what_is_in_a_bundle_is_judged_again_with_the_same_result(name: str) -> None:
    found = bundle_verify.verify(made(name), TOOL)
    assert (found.is_complete, found.differences, found.not_evaluated) == (True, (), "")


def test_the_same_inputs_give_the_same_bytes() -> None:
    assert made() == made.__wrapped__()


def test_a_report_that_cannot_be_made_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object, name: str) -> bytes:
        if name == "html":
            raise FormatUnavailable("needs something: run pip install it")
        return b"{}"

    monkeypatch.setattr("auditor.jobs.bundle_writer.render", refuse)
    files = members(made.__wrapped__())
    assert "report.html" not in files
    assert json.loads(files[MANIFEST])["left_out"] == ["report.html: needs something: run pip install it"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda files: {**files, "report.html": b"<h1>CONNECTS</h1>"}, "report.html was changed", id="changed"
        ),
        pytest.param(
            lambda files: {name: data for name, data in files.items() if name != "snapshot.json"},
            "snapshot.json is missing",
            id="removed",
        ),
        pytest.param(lambda files: {**files, "install.exe": b"MZ"}, "install.exe isn't in the manifest", id="added"),
    ],
)
def test_damage_is_reported_for_each_file(change: Callable[[dict[str, bytes]], dict[str, bytes]], message: str) -> None:
    found = bundle_verify.verify(zipped(change(members(made()))), TOOL)
    assert not found.is_complete
    assert any(problem.startswith(message) for problem in found.problems)


def test_a_report_that_says_something_else_than_the_snapshot_is_seen_even_with_a_sound_manifest() -> None:
    files = members(made())
    files["report.json"] = files["report.json"].replace(b'"outcome": "needs-admin"', b'"outcome": "user-may-consent"')
    found = bundle_verify.verify(forged(files), TOOL)
    assert found.is_complete
    assert found.differences == ("TrackerRMS: user-may-consent for ordinary member in the report, now needs-admin",)


def test_rules_that_were_changed_are_seen() -> None:
    files = members(made())
    text = files["packs/cisa-scuba.yaml"]
    files["packs/cisa-scuba.yaml"] = text.replace(b"equals: false}", b"equals: true}", 1)
    found = bundle_verify.verify(forged(files), TOOL)
    assert any("MS.AAD.5.1v1: fail in the report, now pass" in one for one in found.differences)
    assert any("cisa-scuba" in one for one in found.differences)


def test_a_snapshot_that_cannot_be_read_is_not_evaluated_and_not_called_wrong() -> None:
    files = members(made())
    files["snapshot.json"] = b"{}"
    found = bundle_verify.verify(forged(files), TOOL)
    assert (found.is_complete, found.differences) == (True, ())
    assert found.not_evaluated


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"", "isn't a zip", id="empty"),
        pytest.param(b"PK\x03\x04 and more", "isn't a zip", id="the start of a zip"),
        pytest.param(zipped({"a.txt": b"a"}), "has no manifest.json", id="no manifest"),
        pytest.param(zipped({MANIFEST: b"{"}), "can't be read", id="a manifest cut off"),
        pytest.param(zipped({MANIFEST: b"[]"}), "can't be read", id="a manifest that is a list"),
        pytest.param(
            zipped({"../../etc/passwd": b"x", MANIFEST: b"{}"}),
            "paths that a bundle doesn't have",
            id="a path out of the folder",
        ),
        pytest.param(
            zipped({"C:\\x": b"x", MANIFEST: b"{}"}), "paths that a bundle doesn't have", id="a path on a drive"
        ),
        pytest.param(zipped({f"{n}": b"" for n in range(300)}), "far more than a bundle", id="too many files"),
    ],
)
def test_a_file_that_is_not_a_bundle_is_refused_with_what_to_do(data: bytes, message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        bundle_verify.verify(data, TOOL)
    assert str(caught.value) == f"{caught.value.why}: {caught.value.todo}"
    assert caught.value.todo.startswith(("ask the sender", "don't open it", "give one"))


def test_a_newer_bundle_asks_for_a_newer_program() -> None:
    files = members(made())
    files[MANIFEST] = files[MANIFEST].replace(b'"version": 1', b'"version": 2', 1)
    with pytest.raises(BundleError, match="install a newer consent-auditor"):
        bundle_verify.verify(zipped(files), TOOL)


def test_bytes_cut_off_anywhere_never_raise_anything_else() -> None:
    whole = made(packs=("cisa-scuba",))
    for end in range(0, len(whole), max(1, len(whole) // 60)):
        for data in (whole[:end], whole[:end] + b"\x00" * 50 + whole[end + 50 :]):
            try:
                found = bundle_verify.verify(data, TOOL)
            except BundleError as error:
                assert str(error)
            else:
                assert isinstance(found, msgspec.Struct)
