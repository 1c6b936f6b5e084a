"""``bundle`` and ``bundle verify``, as the installed command answers them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from auditor import __version__
from auditor.jobs.bundle_writer import zipped
from auditor.snapshot.samples import sample
from auditor.snapshot.write import save
from tests.cli.program import Done, run, without_pdf

APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
SECRETS = ("contoso", "anna.smith", sample("custom-policy").tenant.id)


def without_a_pdf(folder: Path, *more: str) -> Done:
    """The run that makes t.zip, where the PDF is not what a test is about."""
    return run("bundle", "-o", "t.zip", *more, cwd=folder, env=without_pdf(folder))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a bundle and the key of its tokens."""
    folder = tmp_path_factory.mktemp("bundle")
    save(sample("custom-policy"), folder / "contoso-tenant.json")
    asked = ("--snapshot", "contoso-tenant.json", "--pack", "trackerrms-uk", "--redact-key", "key.txt")
    done = run("bundle", *asked, "-o", "t.zip", cwd=folder)
    assert (done.code, done.out) == (0, "")
    assert "names redacted" in done.err
    assert "Created the key file key.txt" in done.err
    return folder


def members(folder: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(folder / "t.zip") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_bundle_is_redacted_completely_and_evaluated_again(made: Path) -> None:
    files = members(made)
    assert {"report.html", "report.pdf", "report.json", "snapshot.json", "paste.txt", "manifest.json"} <= set(files)
    for name, data in files.items():
        assert not any(secret.encode() in data.lower() for secret in SECRETS), name
    verified = run("bundle", "verify", "t.zip", cwd=made)
    assert verified.code == 0
    assert "Evaluated again: the same decisions and the same findings." in verified.out
    assert "Note: report.pdf wasn't written again" in verified.out


OURS = """\
format: consent-auditor/pack
format-version: 1
pack: ours
version: "1.0"
title: What Contoso asks for
extends: cisa-scuba
rules:
  - {id: MS.AAD.5.1v1, severity: critical}
"""


@pytest.mark.parametrize("redact", ["--redact", "--no-redact"])
def test_a_pack_in_a_file_that_is_called_like_a_shipped_one_is_not_taken_for_that(tmp_path: Path, redact: str) -> None:
    (tmp_path / "cisa-scuba.yaml").write_text(OURS, encoding="utf-8")
    save(sample("custom-policy"), tmp_path / "t.json")
    made = without_a_pdf(tmp_path, "--snapshot", "t.json", "--pack", "./cisa-scuba.yaml", redact)
    assert made.code == 0, made.err
    files = members(tmp_path)
    (own,) = {name for name in files if name.startswith("packs/own-")}
    assert b"pack: ours" in files[own]
    assert (b"Contoso" in files[own]) is (redact == "--no-redact")
    assert [pack["name"] for pack in json.loads(files["report.json"])["packs"]] == ["ours"]
    assert run("bundle", "verify", "t.zip", cwd=tmp_path).code == 0


def test_support_can_judge_what_is_in_it_by_the_command_of_its_readme(made: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(made / "t.zip") as archive:
        archive.extractall(tmp_path / "out")
    readme = (tmp_path / "out/README.txt").read_text()
    (command,) = (line.split()[1:] for line in readme.splitlines() if line.startswith("  consent-auditor check"))
    again = run(*command, "-f", "json", cwd=tmp_path / "out")
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert json.loads(again.out)["decisions"] == report["decisions"]
    assert json.loads(again.out)["findings"] == report["findings"]


def test_without_redaction_the_names_are_there_and_it_says_so(tmp_path: Path) -> None:
    save(sample("custom-policy"), tmp_path / "t.json")
    done = without_a_pdf(tmp_path, "--snapshot", "t.json", "--pack", "trackerrms-uk", "--no-redact")
    assert done.code == 0
    assert "names not redacted" in done.err
    assert b"Contoso" in members(tmp_path)["snapshot.json"]
    assert json.loads(members(tmp_path)["manifest.json"])["redacted"] is False


def test_an_app_without_a_pack_gets_one(tmp_path: Path) -> None:
    asked = ("--app", APP, "--scopes", "Mail.Read", "--name", "Acme")
    made = without_a_pdf(tmp_path, "--sample", "consent-off", *asked)
    assert made.code == 0
    assert "packs/own-1.yaml" in members(tmp_path)
    assert run("bundle", "verify", "t.zip", cwd=tmp_path).code == 0


def test_a_changed_bundle_is_reported_and_exits_with_1(made: Path, tmp_path: Path) -> None:
    files = members(made) | {"report.html": b"<p>CONNECTS</p>"}
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    done = run("bundle", "verify", "t.zip", cwd=tmp_path)
    assert done.code == 1
    assert "report.html was changed" in done.out


def test_names_in_a_pack_of_ones_own_are_redacted_and_it_is_still_judged_the_same(tmp_path: Path) -> None:
    text = (
        'format: consent-auditor/pack\nformat-version: 1\npack: ours\nversion: "1"\ntitle: Rules of Contoso\n'
        "extends: cisa-scuba\nabout: What Contoso Search & Selection wants.\n"
    )
    (tmp_path / "contoso.yaml").write_text(text)
    save(sample("custom-policy"), tmp_path / "t.json")
    without_a_pdf(tmp_path, "--snapshot", "t.json", "--pack", "contoso.yaml")
    shipped = ("packs/cisa-scuba.yaml", "report.pdf")  # the first mentions an invented Contoso, the second is packed
    assert [n for n, data in members(tmp_path).items() if b"contoso" in data.lower() and n not in shipped] == []
    assert run("bundle", "verify", "t.zip", cwd=tmp_path).code == 0


@pytest.mark.parametrize("name", ["no.zip", "text.zip", ""])
def test_what_is_no_bundle_is_a_clear_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "text.zip").write_text("hello")
    done = run("bundle", "verify", name, cwd=tmp_path)
    assert done.code == 2
    assert done.err.strip()


def test_a_bundle_that_was_packed_again_is_refused_with_the_reason_and_its_snapshot_can_still_be_used(
    made: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("packs/", b"")
        for name, data in members(made).items():
            archive.writestr(name, data)
    done = run("bundle", "verify", "t.zip", cwd=tmp_path)
    assert done.code == 1
    assert "NOT WHAT THE PROGRAM WRITES" in done.out
    assert "it has other entries, or has them in another order" in done.out
    assert run("check", "--snapshot", "t.zip", "--pack", "trackerrms-uk", cwd=tmp_path).code == 0


def test_a_bundle_of_an_unknown_version_exits_with_4_and_says_how_to_install_it(made: Path, tmp_path: Path) -> None:
    files = members(made)
    now = f"consent-auditor {__version__}".encode()
    files["manifest.json"] = files["manifest.json"].replace(now, b"consent-auditor 0.0.9")
    (tmp_path / "t.zip").write_bytes(zipped(files))
    done = run("bundle", "verify", "t.zip", cwd=tmp_path)
    assert done.code == 4
    assert f"it was made by consent-auditor 0.0.9, and this is consent-auditor {__version__}." in done.out
    assert "pipx install --suffix=-0.0.9 ." in done.out


def test_another_zip_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "foreign.zip", "w") as archive:
        archive.writestr("folder/policy.json", b"{}")
    (tmp_path / "broken.zip").write_bytes(zipped({"manifest.json": b"{"}))
    foreign = run("check", "--snapshot", "foreign.zip", "--pack", "cisa-scuba", cwd=tmp_path)
    assert (foreign.code, foreign.err) == (
        2,
        "Error: foreign.zip: is a zip archive without a snapshot of this program\n"
        "What to do: To use the files in it, extract it and give the folder.\n",
    )
    broken = run("check", "--snapshot", "broken.zip", "--pack", "cisa-scuba", cwd=tmp_path)
    assert (broken.code, broken.err) == (
        2,
        "Error: broken.zip: can't be read as a bundle, because manifest.json can't be read (Input data was truncated)\n"
        "What to do: Ask the sender for the file again. If another tool wrote the files in it, extract it and give the"
        " folder.\n",
    )


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the system has no such device")
def test_a_file_without_end_is_not_read_to_the_end(tmp_path: Path) -> None:
    done = run("bundle", "verify", "/dev/zero", cwd=tmp_path)
    assert (done.code, done.err) == (
        2,
        "Error: the file is larger than any bundle (301 MiB): check that it's the right one.\n",
    )
