"""Somebody who makes new sums can still not make a bundle say what does not follow from its snapshot."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.jobs import bundle_reader as bundle_verify
from auditor.jobs.bundle_writer import MANIFEST, BundleError, bundle
from auditor.jobs.report_builder import build_report
from auditor.packs.load import file_source
from auditor.packs.pack_texts import in_one_folder, texts_of
from auditor.snapshot.samples import sample
from tests.jobs.test_bundle import TOOL, listed_anew, made, members, zipped

Files = dict[str, bytes]
OWN = b'format: consent-auditor/pack\nformat-version: 1\npack: ours\nversion: "1"\ntitle: T\nextends: cisa-scuba\n'


@pytest.fixture(autouse=True)
def _without_pdf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.jobs.bundle_writer.REPORTS", {"json": "report.json", "html": "report.html"})


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A bundle with a custom pack."""
    path = tmp_path_factory.mktemp("own") / "own.yaml"
    path.write_bytes(OWN)
    texts = in_one_folder([texts_of(file_source(path))])
    snapshot = sample("managed-default")
    report = build_report(snapshot, [text.pack for text in texts], tool=TOOL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("auditor.jobs.bundle_writer.REPORTS", {"json": "report.json", "html": "report.html"})
        return members(bundle(report, snapshot, texts, redacted=False)[0])


def found(files: Files) -> bundle_verify.Verification:
    return bundle_verify.verify(zipped(listed_anew(files)), TOOL)


def report_with(files: Files, change: Callable[[Any], object]) -> Files:
    report = json.loads(files["report.json"])
    change(report)
    return {**files, "report.json": json.dumps(report).encode()}


def manifest_with(files: Files, /, **changes: Any) -> Files:
    return {**files, MANIFEST: json.dumps({**json.loads(files[MANIFEST]), **changes}).encode()}


@pytest.mark.parametrize("name", ["report.html", "paste.txt", "README.txt"])
def test_a_forged_text_is_found(name: str) -> None:
    files = {**members(made()), name: b"ALL GOOD"}
    assert found(files).differences == (f"{name} differs from what the snapshot and the rules give",)


def test_forged_words_in_the_report_are_found() -> None:
    files = report_with(members(made()), lambda r: r["summary"].update(answer="All is fine."))
    assert found(files).differences == ("report.json has texts that don't follow from the snapshot and the rules",)


def test_findings_that_are_missing_or_added_are_found() -> None:
    def without_failures(report: Any) -> None:
        report["findings"] = [one for one in report["findings"] if one["outcome"] != "fail"]

    def with_another(report: Any) -> None:
        report["findings"].append({**report["findings"][0], "rule": "X-1", "outcome": "pass"})

    assert any(
        "not in the report, now fail" in one
        for one in found(report_with(members(made()), without_failures)).differences
    )
    assert "X-1: pass in the report, now not evaluated" in found(report_with(members(made()), with_another)).differences


def test_a_failure_that_is_called_waived_is_found() -> None:
    def waived(report: Any) -> None:
        for one in report["findings"]:
            one["outcome"] = "waived" if one["outcome"] == "fail" else one["outcome"]

    assert any(
        "waived in the report, now fail" in one for one in found(report_with(members(made()), waived)).differences
    )


def test_another_tenant_time_or_redaction_is_found() -> None:
    files = members(made())
    result = found(
        manifest_with(files, tenant={"id": "x", "name": "Other"}, taken="2020-01-01T00:00:00Z", redacted=True)
    )
    assert {
        "the manifest names another tenant than the snapshot",
        "the manifest names another time than the snapshot",
        "the manifest says that names were redacted, but the snapshot contains the tenant's id",
    } <= set(result.differences)
    other = report_with(files, lambda r: r.update(tenant={"id": "x", "name": "y"}))
    assert "the report names another tenant than the snapshot" in found(other).differences
    where = report_with(files, lambda r: r.update(source="checked by Microsoft"))
    assert any("where the snapshot came from" in one for one in found(where).differences)


def test_another_version_compares_answers_and_findings_and_says_so() -> None:
    files = {**members(made()), "report.html": b"in older words"}
    result = bundle_verify.verify(zipped(listed_anew(files)), "consent-auditor 9.9.9")
    assert result.differences == ()
    assert "but not the texts of the reports" in result.notes[0]
    forged = report_with(files, lambda r: r["decisions"][0].update(outcome="connects-silently"))
    assert bundle_verify.verify(zipped(listed_anew(forged)), "consent-auditor 9.9.9").differences


@pytest.mark.parametrize(
    "parent",
    ["/etc/passwd", "./../../../etc/passwd", "..\\x.yaml", "\\\\host\\share\\x.yaml", "~/x.yaml", "./gone.yaml"],
)
def test_a_pack_that_extends_a_file_outside_the_bundle_is_refused_and_the_file_is_not_looked_at(
    own: Files, parent: str
) -> None:
    text = OWN.replace(b"extends: cisa-scuba", f"extends: {parent}".encode())
    with pytest.raises(BundleError, match="extends a file that isn't in the bundle"):
        found({**own, "packs/own.yaml": text})


def test_a_pack_may_extend_its_neighbour(own: Files) -> None:
    child = OWN.replace(b"cisa-scuba", b"./base.yaml").replace(b"ours", b"child")
    result = found({**own, "packs/own.yaml": child, "packs/base.yaml": OWN})
    assert result.differences  # it is another pack than the report's, and was evaluated
    assert found(own).differences == ()


@pytest.mark.parametrize(
    "file", ["", "packs/", "..", "/etc/passwd", "packs/gone.yaml", "trackerrms-us", "snapshot.json"]
)
def test_the_manifest_names_only_packs_of_the_bundle(own: Files, file: str) -> None:
    packs = [{**json.loads(own[MANIFEST])["packs"][0], "file": file}]
    with pytest.raises(BundleError, match="names a pack that isn't in the bundle"):
        found(manifest_with(own, packs=packs))


@pytest.mark.parametrize(
    "path", ["packs/a/own.yaml", "packs/..", "packs/.yaml", "packs/x.exe", "packs/a:b.yaml", "a/b.txt"]
)
def test_members_lie_beside_each_other(own: Files, path: str) -> None:
    with pytest.raises(BundleError, match="paths that a bundle doesn't have"):
        found({**own, path: b"x"})


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(("report.json",), id="no report"),
        pytest.param(("snapshot.json",), id="no snapshot"),
        pytest.param(("report.json", "snapshot.json", "README.txt"), id="neither, and no README"),
    ],
)
def test_a_manifest_without_report_or_snapshot_is_none(gone: tuple[str, ...]) -> None:
    with pytest.raises(BundleError, match="the file isn't a bundle"):
        found({name: data for name, data in members(made()).items() if name not in gone})


@pytest.mark.parametrize("name", ["report.json", "snapshot.json"])
@pytest.mark.parametrize("data", [b"x", b"[" * 300_000, b"\xff"])
def test_what_is_no_json_is_no_bundle(name: str, data: bytes) -> None:
    with pytest.raises(BundleError, match=f"{name} can't be read"):
        found({**members(made()), name: data})


def test_doubles_by_letter_case_links_and_strange_bytes_are_refused() -> None:
    files = members(made())
    with pytest.raises(BundleError, match="paths that a bundle doesn't have"):
        found({**files, "Report.JSON": b"{}"})
    for data in (made() + b"more", b"#!/bin/sh\n" + made()):
        with pytest.raises(BundleError, match="before or after"):
            bundle_verify.verify(data, TOOL)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = (stat.S_IFLNK | 0o777) << 16 if name == "report.html" else 0
            archive.writestr(member, data)
    with pytest.raises(BundleError, match="paths that a bundle doesn't have"):
        bundle_verify.verify(out.getvalue(), TOOL)


def test_a_size_that_is_not_the_files_is_damage_and_so_is_a_file_that_no_bundle_holds() -> None:
    files = members(made())
    listed = json.loads(files[MANIFEST])["files"]
    wrong = manifest_with(files, files=[{**one, "size": one["size"] + 1} for one in listed])
    assert not bundle_verify.verify(zipped(wrong), TOOL).is_complete
    assert found({**files, "install.exe": b"MZ"}).problems == ("install.exe isn't a file of a bundle",)


def test_a_small_file_that_unpacks_to_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.jobs.bundle_reader.MOST_BYTES", 1000)
    with pytest.raises(BundleError, match="far more than a bundle"):
        bundle_verify.verify(made(), TOOL)


def test_a_bundle_that_nobody_could_check_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.jobs.bundle_writer.MOST_BYTES", 1000)
    with pytest.raises(BundleError, match=r"would be larger than .*: read less"):
        made.__wrapped__()


def test_errors_in_packs_speak_of_the_bundle(own: Files) -> None:
    result = found({**own, "packs/own.yaml": OWN.replace(b"cisa-scuba", b"no-such-pack")})
    assert result.not_evaluated.startswith("packs/own.yaml:")
    assert str(Path("/tmp")) not in result.not_evaluated
