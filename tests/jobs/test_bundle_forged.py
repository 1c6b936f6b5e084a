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

from auditor import __version__
from auditor.jobs import bundle_verifier as bundle_verify
from auditor.jobs.bundle_reader import packs_of, read_bundle
from auditor.jobs.bundle_writer import MANIFEST, BundleError, bundle
from auditor.jobs.byte_differences import first_difference
from auditor.jobs.report_builder import build_report
from auditor.packs.load import file_source, shipped_source
from auditor.packs.pack_texts import PackText, in_one_folder, shipped_digests, texts_of
from auditor.render import how_to_install
from auditor.snapshot.samples import sample
from tests.jobs.conftest import PDF
from tests.jobs.test_bundle import TOOL, as_json, forged, made, members, zipped

pytestmark = pytest.mark.usefixtures("short_pdf")

Files = dict[str, bytes]
OWN = b'format: consent-auditor/pack\nformat-version: 1\npack: ours\nversion: "1"\ntitle: T\nextends: cisa-scuba\n'


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A bundle with a custom pack."""
    path = tmp_path_factory.mktemp("own") / "own.yaml"
    path.write_bytes(OWN)
    texts = in_one_folder([texts_of(file_source(path))])
    snapshot = sample("managed-default")
    report = build_report(snapshot, [text.pack for text in texts], tool=TOOL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("auditor.render.pdf.render", lambda _: PDF)
        return members(bundle(report, snapshot, texts, redacted=False)[0])


def found(files: Files) -> bundle_verify.Verification:
    return bundle_verify.verify(forged(files), TOOL)


def report_with(files: Files, change: Callable[[Any], object]) -> Files:
    report = json.loads(files["report.json"])
    change(report)
    return {**files, "report.json": as_json(report)}


def is_refused(data: bytes) -> bool:
    try:
        result = bundle_verify.verify(data, TOOL)
    except BundleError:
        return True
    return bool(result.problems or result.differences or result.not_evaluated)


def manifest_with(files: Files, /, **changes: Any) -> Files:
    return {**files, MANIFEST: as_json({**json.loads(files[MANIFEST]), **changes})}


@pytest.mark.parametrize(
    ("name", "first"),
    [
        pytest.param("report.html", "<!DOCTYPE html>", id="report.html"),
        pytest.param("paste.txt", "Can users of Contoso Talent connect TrackerRMS?", id="paste.txt"),
        pytest.param("README.txt", "A consent audit by consent-auditor 1.2.3, to attach to a tic…", id="README.txt"),
    ],
)
def test_a_forged_text_is_found_with_its_line(name: str, first: str) -> None:
    files = {**members(made()), name: b"ALL GOOD"}
    assert found(files).differences == (
        f"{name} differs from what the snapshot and the rules give. Line 1 is “ALL GOOD” instead of “{first}”",
    )


@pytest.mark.parametrize(
    "name", ["report.html", "report.json", "paste.txt", "message.txt", "README.txt", "snapshot.json"]
)
def test_one_changed_letter_or_line_end_is_found(name: str) -> None:
    files = members(made())
    text = files[name]
    for other in (text.replace(b"o", b"0", 1), text + b"\n", text[:-1], text.replace(b"\n", b"\r\n", 1)):
        assert is_refused(forged({**files, name: other}))


def test_forged_words_in_the_report_are_found() -> None:
    files = report_with(members(made()), lambda r: r["summary"].update(answer="All is fine."))
    assert found(files).differences == (
        "report.json has texts that don't follow from the snapshot and the rules. Line 9 is"
        ' “"answer": "All is fine.",” instead of “"answer": "An ordinary user cannot connect TrackerRMS: Mail.…”',
    )


def test_forged_evidence_is_found() -> None:
    def other_evidence(report: Any) -> None:
        one = next(one for one in report["findings"] if one["evidence"])
        one["evidence"][0]["actual"] = "what the forger wants"

    assert "what the forger wants" in found(report_with(members(made()), other_evidence)).differences[0]


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


def test_a_bundle_of_an_unknown_version_is_not_verifiable_here_and_says_with_what() -> None:
    for files in (members(made()), {**members(made()), "report.html": b"forged"}):
        result = bundle_verify.verify(forged(files), "consent-auditor 9.9.9")
        assert result.differences == ()
        assert result.not_evaluated
        assert result.not_verifiable == (
            "it was made by consent-auditor 1.2.3, and this is consent-auditor 9.9.9. Only consent-auditor 1.2.3 can"
            " write it again and compare every byte. Get the source code of version 1.2.3 where you got this program,"
            " run 'pipx install --suffix=-1.2.3 .' in its folder, then verify the file with consent-auditor-1.2.3"
        )


def test_a_bundle_that_names_no_version_is_refused() -> None:
    for tool in ("", "consent-auditor", "consent-auditor x", "another 1.0", "consent-auditor 1.0\nAll is fine"):
        result = found(manifest_with(members(made()), tool=tool))
        assert result.differences == ("the manifest doesn't say which version of this program made it",)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Version 1.2.3 is a release whose packs are those of this version."""
    path = tmp_path / "releases.json"
    path.write_text(json.dumps({"1.2.3": shipped_digests(__version__)}))
    monkeypatch.setattr("auditor.packs.pack_texts.RELEASES", path)


@pytest.mark.usefixtures("known")
def test_another_release_compares_packs_answers_and_findings_and_still_refers_to_it() -> None:
    files = {**members(made()), "report.html": b"in older words"}
    result = bundle_verify.verify(forged(files), "consent-auditor 9.9.9")
    assert result.differences == ()
    assert "but not the texts of the reports" in result.notes[0]
    assert "verify the file with consent-auditor-1.2.3" in result.not_verifiable
    other = report_with(files, lambda r: r["decisions"][0].update(outcome="connects-silently"))
    assert bundle_verify.verify(forged(other), "consent-auditor 9.9.9").differences
    other = {**files, "packs/cisa-scuba.yaml": files["packs/cisa-scuba.yaml"] + b"# changed\n"}
    assert bundle_verify.verify(forged(other), "consent-auditor 9.9.9").differences == (
        "packs/cisa-scuba.yaml isn't the pack that consent-auditor 1.2.3 ships, so these aren't its rules.",
    )


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("pack", "says"),
    [
        pytest.param("grants-hygiene", "this version has another list of known abused apps", id="a rule uses the list"),
        pytest.param("cisa-scuba", "", id="no rule uses it"),
    ],
)
def test_findings_of_another_release_are_not_compared_if_they_rest_on_another_list(pack: str, says: str) -> None:
    texts = in_one_folder([texts_of(shipped_source(pack))])
    report = build_report(sample("stopped-users"), [one.pack for one in texts], tool=TOOL)
    data, _ = bundle(report, sample("stopped-users"), texts, redacted=False)

    def with_other_list(document: Any) -> None:
        document["abused_apps"] = [{**one, "digest": "another"} for one in document["abused_apps"]]
        for one in document["findings"]:
            one["outcome"] = "pass" if one["rule"] == "HYG-ABUSED-LEGITIMATE" else one["outcome"]

    result = bundle_verify.verify(forged(report_with(members(data), with_other_list)), "consent-auditor 9.9.9")
    assert (result.not_evaluated, result.differences) == (says, ())


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


def test_a_pack_that_no_pack_of_the_manifest_uses_is_found(own: Files) -> None:
    other = OWN.replace(b"ours", b"other")
    assert found({**own, "packs/other.yaml": other}).differences == (
        "packs/other.yaml isn't used by any pack of the bundle",
    )
    assert (
        found({**own, "packs/eidsca.yaml": b"pack: eidsca"})
        .differences[0]
        .startswith("packs/eidsca.yaml isn't the pack that consent-auditor 1.2.3 ships")
    )


def test_a_shipped_pack_that_was_changed_is_found_even_where_no_rule_changes() -> None:
    files = members(made())
    for path in ("packs/cisa-scuba.yaml", "packs/vendor-app.yaml"):
        result = found({**files, path: files[path] + b"# a comment\n"})
        assert result.differences[0].startswith(f"{path} isn't the pack that consent-auditor 1.2.3 ships")


def test_an_own_pack_with_the_name_of_a_shipped_one_is_found(own: Files) -> None:
    """It could pass every rule, in a report that says that it is by the shipped pack."""
    text = OWN.replace(b"pack: ours", b"pack: cisa-scuba").replace(b"extends: cisa-scuba", b"extends: eidsca")
    snapshot = sample("managed-default")
    texts = packs_of_forger(text, own)
    report = build_report(snapshot, [one.pack for one in texts], tool=TOOL)
    assert [pack.name for pack in report.packs] == ["cisa-scuba"]
    (difference,) = bundle_verify.verify(bundle(report, snapshot, texts, redacted=False)[0], TOOL).differences
    assert "a pack can't be put into a bundle" in difference
    assert "cisa-scuba" in difference


def packs_of_forger(text: bytes, own: Files) -> tuple[PackText, ...]:
    """The pack in a bundle, loaded with any name."""
    files = manifest_with({**own, "packs/own.yaml": text})
    manifest, members_of_bundle = read_bundle(forged(files))
    return packs_of(manifest, members_of_bundle)


def test_a_pack_that_the_manifest_names_twice_is_found(own: Files) -> None:
    packs = json.loads(own[MANIFEST])["packs"]
    assert "manifest.json isn't the one" in found(manifest_with(own, packs=packs * 2)).differences[-1]


def test_a_changed_parent_next_to_a_pack_that_extends_it_by_name_is_found(own: Files) -> None:
    text = shipped_source("cisa-scuba").text.replace(b"severity: high", b"severity: low")
    both = json.loads(own[MANIFEST])["packs"] + json.loads(members(made())[MANIFEST])["packs"][1:]
    result = found(manifest_with({**own, "packs/cisa-scuba.yaml": text}, packs=both))
    assert result.differences[0].startswith("packs/cisa-scuba.yaml isn't the pack that consent-auditor 1.2.3 ships")


def test_a_parent_that_is_missing_is_found() -> None:
    files = members(made())
    del files["packs/vendor-app.yaml"]
    assert found(files).differences == ("packs/vendor-app.yaml isn't in the bundle, and the manifest doesn't say why",)


@pytest.mark.parametrize(
    ("reason", "is_ours"),
    [
        pytest.param(
            "report.pdf: the format pdf needs weasyprint, which isn't installed: " + how_to_install("weasyprint"),
            True,
            id="a missing package",
        ),
        pytest.param("report.pdf: the format pdf needs a break: all rules pass", False, id="other words"),
        pytest.param("report.html: it is boring", False, id="a report that is never left out"),
    ],
)
def test_a_missing_pdf_has_one_of_the_programs_reasons(reason: str, is_ours: bool) -> None:
    files = members(made())
    del files["report.pdf"]
    assert found(files).differences == ("report.pdf isn't in the bundle, and the manifest doesn't say why",)
    assert (found(manifest_with(files, left_out=[reason])).differences == ()) is is_ours


def test_a_pdf_is_not_written_again_and_that_is_said() -> None:
    files = {**members(made()), "report.pdf": b"%PDF-1.7 of a forger"}
    result = found(files)
    assert result.differences == ()
    assert "report.pdf wasn't written again" in result.notes[0]
    assert found({**files, "report.pdf": b"MZ"}).differences == ("report.pdf isn't a PDF: don't open it",)
    both = manifest_with(files, left_out=["report.pdf: gone"])
    assert "report.pdf is in the bundle, but the manifest says why it isn't" in found(both).differences


@pytest.mark.parametrize(
    "source", ["snapshot a\nb.json", "snapshot " + "x" * 5000, "sample managed-default (bundled, no real tenant)"]
)
def test_every_origin_that_the_program_writes_is_accepted(source: str) -> None:
    assert bundle_verify.verify(made(source=source), TOOL).differences == ()


def test_a_sample_that_does_not_exist_is_no_origin() -> None:
    result = bundle_verify.verify(made(source="sample of-the-forger (bundled, no real tenant)"), TOOL)
    assert any("where the snapshot came from" in one for one in result.differences)


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


def test_a_report_about_a_user_who_is_not_in_the_snapshot_is_found() -> None:
    result = found(manifest_with(members(made()), user="nobody@contoso.example"))
    assert result.differences == ("the report is about a user who isn't in the snapshot",)
    assert result.not_evaluated


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda text: text.replace(b",\n", b",  \n", 1), "Line 2 has other blanks at its end", id="line"),
        pytest.param(lambda text: text + b"  ", "only blanks", id="after the end"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), "Line 1 ends in another way", id="line breaks"),
        pytest.param(lambda text: text.replace(b"\n  ", b"\n   ", 1), "other blanks at its beginning", id="indented"),
        pytest.param(lambda text: text.rstrip(b"\n"), "ends in another way", id="no line break at the end"),
    ],
)
def test_blanks_in_a_manifest_are_named_as_blanks(change: Callable[[bytes], bytes], said: str) -> None:
    files = members(made())
    expected = files[MANIFEST]
    assert said in first_difference(change(expected), expected)
