"""``--redact`` as the installed command does it: nothing of the tenant is left, and the key stays with its owner."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor.model.resources import VerifiedDomain
from auditor.render import FORMATS
from auditor.snapshot.samples import sample
from auditor.snapshot.write import save
from tests.cli.program import Done, run, without_pdf
from tests.systems import needs_links

replace = msgspec.structs.replace
APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
URI = "https://connect.zyxquorp.com/cb"
ASKED = ("--app", APP, "--scopes", "Mail.ReadWrite", "--name", "Zyxquorp Tracker", "--redirect-uri", URI)
PACK = f"""\
format: consent-auditor/pack
format-version: 1
pack: zyxquorp-rules
version: "1.0"
title: Rules of Zyxquorp
extends: trackerrms-uk
app: {{redirect-uris: ["{URI}"]}}
"""
WAIVERS = """\
format: consent-auditor/waivers
format-version: 1
waivers:
  - {rule: VENDOR-WORKFLOW, pack: zyxquorp-rules, reason: zyxquorp, owner: Anna Secretson, expires: "2027-03-31"}
  - {rule: VENDOR-SCOPES, subject: secretson thing, reason: r, owner: Ben, expires: "2027-03-31", ticket: SECRETSON-1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tenant called Zyxquorp, whose TrackerRMS answers on the tenant's own domain, and rules and waivers for it."""
    before = sample("custom-policy")
    organization = before.sections.organization
    assert organization is not None
    domains = (VerifiedDomain(name="zyxquorp.com"), VerifiedDomain(name="zyxquorp.onmicrosoft.com"))
    principals = tuple(
        replace(one, replyUrls=(URI, "https://app.trackerrms.com/cb")) if one.appId == APP else one
        for one in before.sections.servicePrincipals or ()
    )
    sections = replace(
        before.sections,
        organization=replace(organization, displayName="Zyxquorp Holdings", verifiedDomains=domains),
        servicePrincipals=principals,
    )
    save(
        replace(before, tenant=replace(before.tenant, name="Zyxquorp Holdings"), sections=sections), tmp_path / "t.json"
    )
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "zyxquorp.yaml").write_text(PACK.replace("zyxquorp-rules", f"zyxquorp-{name}"))
    (tmp_path / "zyxquorp.yaml").write_text(PACK)
    (tmp_path / "secretson.yaml").write_text(WAIVERS)
    return tmp_path


def check(folder: Path, *more: str) -> Done:
    return run("check", "--snapshot", "t.json", "--redact", *more, cwd=folder)


def bundle(folder: Path, *more: str) -> Done:
    return run("bundle", "--snapshot", "t.json", *more, cwd=folder, env=without_pdf(folder))


def report_of(done: Done) -> Any:
    return json.loads(done.out)


def outcomes(report: Any) -> Any:
    return [(d["outcome"], d["confidence"]) for d in report["decisions"]], [
        (f["rule"], f["outcome"]) for f in report["findings"]
    ]


def members(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def is_clean(files: dict[str, bytes]) -> bool:
    secrets = (b"zyxquorp", b"secretson")
    return not [n for n, data in files.items() if n != "report.pdf" and any(s in data.lower() for s in secrets)]


def test_the_app_of_the_command_line_is_reported_without_names(folder: Path) -> None:
    done = check(folder, *ASKED, "-f", "json")
    assert is_clean({"out": done.out.encode(), "err": done.err.encode()})
    plain = run("check", "--snapshot", "t.json", *ASKED, "-f", "json", cwd=folder)
    assert outcomes(report_of(done)) == outcomes(report_of(plain))
    assert bundle(folder, *ASKED, "-o", "t.zip").code == 0
    assert is_clean(members(folder / "t.zip"))
    assert run("bundle", "verify", "t.zip", cwd=folder).code == 0


def test_an_address_on_the_tenants_domain_goes_on_both_sides_and_a_vendors_stays(folder: Path) -> None:
    key = ("--redact-key", "key.txt")
    made = bundle(folder, "--pack", "zyxquorp.yaml", *key, "-o", "t.zip")
    assert made.code == 0
    files = members(folder / "t.zip")
    assert is_clean(files)
    assert b"https://app.trackerrms.com/cb" in files["snapshot.json"]
    assert run("bundle", "verify", "t.zip", cwd=folder).code == 0
    plain = report_of(run("check", "--snapshot", "t.json", "--pack", "zyxquorp.yaml", "-f", "json", cwd=folder))
    redacted = report_of(check(folder, "--pack", "zyxquorp.yaml", *key, "-f", "json"))
    assert outcomes(plain) == outcomes(redacted) == outcomes(json.loads(files["report.json"]))
    assert redacted["packs"] == json.loads(files["report.json"])["packs"]
    assert redacted["packs"][0]["digest"] != plain["packs"][0]["digest"]


@pytest.mark.parametrize("redact", ["--redact", "--no-redact"])
def test_two_packs_of_one_file_name_are_both_in_the_bundle(folder: Path, redact: str) -> None:
    packs = ("--pack", "one/zyxquorp.yaml", "--pack", "two/zyxquorp.yaml")
    assert bundle(folder, *packs, redact, "-o", "t.zip").code == 0
    assert run("bundle", "verify", "t.zip", cwd=folder).code == 0
    with zipfile.ZipFile(folder / "t.zip") as archive:
        archive.extractall(folder / "out")
    readme = (folder / "out/README.txt").read_text()
    (command,) = (line.split()[1:] for line in readme.splitlines() if line.startswith("  consent-auditor check"))
    assert command.count("--pack") == 2
    again = report_of(run(*command, "-f", "json", cwd=folder / "out"))
    assert outcomes(again) == outcomes(json.loads((folder / "out/report.json").read_text()))
    assert len({pack["digest"] for pack in again["packs"]}) == 2


def test_waivers_tell_no_name_and_no_file(folder: Path) -> None:
    asked = ("--pack", "zyxquorp.yaml", "--waivers", "secretson.yaml", "-o", "out/")
    forms = [word for form in ("json", "sarif", "html", "text", "markdown", "junit", "csv") for word in ("-f", form)]
    assert check(folder, *asked, *forms).code in (0, 1)
    files = {path.name: path.read_bytes() for path in (folder / "out").iterdir()}
    assert len(files) == len(forms) // 2 - 1 + len(FORMATS["csv"].tables)
    assert is_clean(files)
    report = json.loads(files["report.json"])
    assert report["waivers"][0]["name"] == "waivers-1.yaml"
    assert report["summary"]["waived"] == 1


def test_a_verdict_that_depends_on_a_name_is_refused_with_what_to_do(folder: Path) -> None:
    rule = (
        "rules:\n  - {id: OWN-1, title: t, severity: low, why: w, check: {kind: list, none-of:"
        " [ManagePermissionGrantsForSelf.contoso-], match: prefix, path:"
        " authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned}}\n"
    )
    (folder / "zyxquorp.yaml").write_text(PACK + rule)
    done = check(folder, "--pack", "zyxquorp.yaml")
    assert (done.code, done.out) == (2, "")
    assert "the rule OWN-1: fail with names, pass without" in done.err
    assert "leave out --redact" in done.err
    made = run("bundle", "--snapshot", "t.json", "--pack", "zyxquorp.yaml", "-o", "t.zip", cwd=folder)
    assert made.code == 2
    assert "--no-redact" in made.err
    assert not (folder / "t.zip").exists()


def test_assumptions_are_reported_without_names_and_mistakes_in_them_as_typed(folder: Path) -> None:
    done = check(folder, "--pack", "trackerrms-uk", "--assume", "setting=contoso-allow-trackerrms", "-f", "json")
    assert "contoso" not in done.out
    assert report_of(done)["what_if"]["assumed"][0].startswith("setting=policy-")
    wrong = check(folder, "--pack", "trackerrms-uk", "--assume", "setting=no-such-policy")
    assert (wrong.code, "'no-such-policy'" in wrong.err) == (2, True)


def test_a_script_of_a_fix_needs_the_real_ids(folder: Path) -> None:
    done = check(folder, "--pack", "trackerrms-uk", "--fix-script", "powershell")
    assert (done.code, done.out) == (2, "")
    assert "leave out --redact" in done.err


@needs_links
@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(
            ("check", "--snapshot", "t.json", "--pack", "trackerrms-uk", "--redact", "-f", "json", "-o", "key.json"),
            id="a report over it",
        ),
        pytest.param(
            ("check", "--snapshot", "t.json", "--pack", "trackerrms-uk", "--redact", "-f", "json", "-o", "link.json"),
            id="a report over a link to it",
        ),
        pytest.param(
            ("check", "--snapshot", "t.json", "--pack", "trackerrms-uk", "--redact", "-f", "json", "-o", "kept/"),
            id="a report over its other name in a folder",
        ),
        pytest.param(
            ("bundle", "--snapshot", "t.json", "--pack", "trackerrms-uk", "-o", "key.json"), id="a bundle over it"
        ),
        pytest.param(("redact", "t.json", "-o", "key.json"), id="a redacted snapshot over it"),
    ],
)
def test_the_key_is_never_overwritten(folder: Path, asked: tuple[str, ...]) -> None:
    assert run("redact", "t.json", "--redact-key", "key.json", "-o", "r.json", cwd=folder).code == 0
    key = (folder / "key.json").read_bytes()
    (folder / "link.json").symlink_to("key.json")
    (folder / "kept").mkdir()
    (folder / "kept/report.json").hardlink_to(folder / "key.json")
    done = run(*asked, "--redact-key", "key.json", cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert "would overwrite the redaction key" in done.err
    assert (folder / "key.json").read_bytes() == key


def test_the_snapshot_is_never_overwritten(folder: Path) -> None:
    before = (folder / "t.json").read_bytes()
    for asked in (
        ("redact", "t.json", "-o", "./t.json"),
        ("check", "--snapshot", "t.json", "--pack", "trackerrms-uk", "-o", "t.json"),
        ("bundle", "--snapshot", "t.json", "--pack", "trackerrms-uk", "-o", "t.json"),
    ):
        done = run(*asked, cwd=folder)
        assert done.code == 2
        assert "would overwrite the snapshot" in done.err
    assert (folder / "t.json").read_bytes() == before


def test_a_key_in_the_folder_of_the_reports_is_warned_of(folder: Path) -> None:
    (folder / "out").mkdir()
    warned = check(folder, "--pack", "trackerrms-uk", "--redact-key", "out/key", "-f", "json", "-o", "out/")
    assert "don't send it with the reports" in warned.err
    assert "The key file out/key is in out" in warned.err
    elsewhere = check(folder, "--pack", "trackerrms-uk", "--redact-key", "key", "-f", "json", "-o", "out/")
    assert "The key file" not in elsewhere.err


def test_a_key_that_is_not_there_reveals_nothing_and_is_not_made(folder: Path) -> None:
    done = run("redact", "t.json", "--redact-key", "gone", "--reveal", "User 0123456789", cwd=folder)
    assert done.code == 2
    assert "the key file gone doesn't exist" in done.err
    assert not (folder / "gone").exists()


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(("-o", "-"), id="a bundle to standard output"),
        pytest.param(("-o", "t.zip", "--redact-key", "-"), id="a key to standard output"),
    ],
)
def test_a_bundle_and_a_key_are_files(folder: Path, asked: tuple[str, ...]) -> None:
    done = run("bundle", "--snapshot", "t.json", "--pack", "trackerrms-uk", *asked, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert not (folder / "-").exists()


def test_a_user_who_does_not_exist_is_reported_as_typed(folder: Path) -> None:
    done = check(folder, "--pack", "trackerrms-uk", "--user", "nobody@zyxquorp.com")
    assert done.code == 3
    assert "nobody@zyxquorp.com" in done.err
