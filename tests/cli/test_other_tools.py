"""Commands that read a snapshot also read files and folders of other tools, and bundles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.program import run, without_pdf

IMPORTS = Path(__file__).parent.parent / "snapshot" / "imports"
GRAPH = IMPORTS / "graph"
TENANT = "4c1f8a52-93d7-4e0b-a6c8-5d21f07b9e34"
APP = ("--app", "5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "--scopes", "Mail.ReadWrite User.Read")
FILES = tuple(
    str(GRAPH / f"{name}.json") for name in ("authorization-policy", "policies", "client", "resource", "grants")
)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--snapshot", *FILES), id="after each other"),
        pytest.param(tuple(word for file in FILES for word in ("--snapshot", file)), id="each with the option"),
        pytest.param((f"--snapshot={FILES[0]}", *FILES[1:]), id="the first with an equals sign"),
        pytest.param(("--snapshot", str(GRAPH)), id="a folder"),
    ],
)
def test_several_files_are_judged_together(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run("check", *arguments, *APP, "-f", "json", cwd=tmp_path)
    report = json.loads(done.out)
    assert report["tenant"]["id"] == TENANT
    assert [(d["outcome"], d["confidence"]) for d in report["decisions"]] == [("connects-silently", "certain")]


def test_an_option_after_the_files_ends_them(tmp_path: Path) -> None:
    done = run("check", "--snapshot", *FILES, "-f", "json", *APP, cwd=tmp_path)
    assert json.loads(done.out)["decisions"][0]["outcome"] == "connects-silently"


@pytest.mark.parametrize("folder", ["graph", "entraexporter-2.0.1", "entraexporter-batch"])
def test_collect_writes_a_snapshot_that_gives_the_same_report(folder: str, tmp_path: Path) -> None:
    made = run("collect", "--from", str(IMPORTS / folder), "-o", "tenant.json", cwd=tmp_path)
    assert (made.code, made.err) == (0, "Wrote tenant.json: tenant Fabrikam Staffing.\n")
    direct, later = (
        json.loads(run("check", "--snapshot", path, *APP, "-f", "json", cwd=tmp_path).out)
        for path in (str(IMPORTS / folder), "tenant.json")
    )
    del direct["source"], later["source"]
    assert direct == later


def test_collect_needs_to_know_the_tenant(tmp_path: Path) -> None:
    files = (str(GRAPH / "policies.json"),)
    refused = run("collect", "--from", *files, "-o", "tenant.json", cwd=tmp_path)
    assert refused.code == 2
    assert "Add --tenant with its ID" in refused.err
    assert run("collect", "--from", *files, "--tenant", TENANT, "-o", "tenant.json", cwd=tmp_path).code == 0
    written = json.loads((tmp_path / "tenant.json").read_text(encoding="utf-8"))
    assert written["tenant"]["id"] == TENANT


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(("--tenant", "fabrikam.onmicrosoft.com"), "give --tenant the ID of the tenant", id="a domain"),
        pytest.param(("--full",), "--full says what to read of a live tenant", id="--full"),
        pytest.param(("--user", "a@fabrikam.com"), "--user says what to read of a live tenant", id="--user"),
    ],
)
def test_collect_from_files_refuses_options_that_it_cannot_follow(
    arguments: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    done = run("collect", "--from", str(GRAPH / "policies.json"), *arguments, "-o", "tenant.json", cwd=tmp_path)
    assert done.code == 2
    assert said in done.err


def test_the_files_of_a_snapshot_are_not_overwritten(tmp_path: Path) -> None:
    shutil.copy(GRAPH / "organization.json", tmp_path / "organization.json")
    done = run("collect", "--from", "organization.json", "-o", "organization.json", cwd=tmp_path)
    assert done.code == 2
    assert "would overwrite the snapshot" in done.err


def test_a_tenant_that_no_file_names_is_mentioned(tmp_path: Path) -> None:
    done = run("check", "--snapshot", str(GRAPH / "policies.json"), *APP, cwd=tmp_path)
    assert "Note: the files don't name the tenant. Add --tenant with its ID" in done.err
    given = run("check", "--snapshot", str(GRAPH / "policies.json"), "--tenant", TENANT, *APP, cwd=tmp_path)
    assert "don't name the tenant" not in given.err
    assert TENANT in given.out


def bundle(*read: str, folder: Path) -> None:
    words = ("bundle", *read, "--pack", "trackerrms-uk", "-o", "ticket.zip")
    run(*words, cwd=folder, env=without_pdf(folder))


def test_a_bundle_is_judged_by_its_snapshot(tmp_path: Path) -> None:
    bundle("--sample", "managed-default", folder=tmp_path)
    done = run("check", "--snapshot", "ticket.zip", "--pack", "trackerrms-uk", "-f", "json", cwd=tmp_path)
    sample = run("check", "--sample", "managed-default", "--pack", "trackerrms-uk", "-f", "json", cwd=tmp_path)
    decided, expected = (json.loads(one.out)["decisions"][0]["outcome"] for one in (done, sample))
    assert decided == expected == "needs-admin"


def test_a_bundle_that_was_changed_is_refused(tmp_path: Path) -> None:
    bundle("--sample", "managed-default", folder=tmp_path)
    shutil.unpack_archive(tmp_path / "ticket.zip", tmp_path / "ticket")
    (tmp_path / "ticket" / "snapshot.json").write_text("{}", encoding="utf-8")
    shutil.make_archive(str(tmp_path / "changed"), "zip", tmp_path / "ticket")
    done = run("check", "--snapshot", "changed.zip", "--pack", "trackerrms-uk", cwd=tmp_path)
    assert done.code == 2
    assert "is a bundle that was damaged or changed" in done.err


def test_another_archive_is_refused_with_what_to_do(tmp_path: Path) -> None:
    shutil.make_archive(str(tmp_path / "export"), "zip", IMPORTS / "entraexporter-batch")
    done = run("check", "--snapshot", "export.zip", *APP, cwd=tmp_path)
    assert done.code == 2
    assert "extract it and give the folder" in done.err


def test_standard_input_can_be_a_file_of_another_tool(tmp_path: Path) -> None:
    data = (IMPORTS / "scubagear-1.8.0" / "ProviderSettingsExport.json").read_bytes()
    done = run("check", "--snapshot", "-", "--pack", "cisa-scuba", "-f", "json", cwd=tmp_path, stdin=data)
    report = json.loads(done.out)
    assert (report["tenant"]["name"], report["source"]) == ("Fabrikam Staffing", "snapshot from standard input")


@pytest.mark.parametrize("verb", ["redact", "bundle"])
def test_files_of_other_tools_are_redacted(verb: str, tmp_path: Path) -> None:
    if verb == "redact":
        text = run("redact", *FILES, cwd=tmp_path).out
    else:
        bundle("--snapshot", *FILES, folder=tmp_path)
        shutil.unpack_archive(tmp_path / "ticket.zip", tmp_path / "ticket")
        text = (tmp_path / "ticket" / "snapshot.json").read_text(encoding="utf-8")
    assert json.loads(text)["sections"]["servicePrincipals"]
    assert TENANT not in text


def test_results_of_other_tools_say_what_to_export(tmp_path: Path) -> None:
    results = {"Result": "Failed", "FailedCount": 1, "TotalCount": 2, "Tests": []}
    (tmp_path / "TestResults.json").write_text(json.dumps(results), encoding="utf-8")
    done = run("check", "--snapshot", "TestResults.json", *APP, cwd=tmp_path)
    assert done.code == 2
    assert "is a result of Maester" in done.err
    assert "az rest" in done.err


def test_files_that_lack_something_or_do_not_exist_are_answered_without_advice_for_a_live_tenant(
    tmp_path: Path,
) -> None:
    by_hand = Path(__file__).parents[2] / "docs/examples/by-hand.json"
    made = run("collect", "--from", str(by_hand), "-o", "tenant.json", cwd=tmp_path)
    assert made.code == 0 and "Could not read the consent policies" in made.err
    assert made.err.endswith("and add the files: see docs/other-tools.md.\n") and "doctor" not in made.err
    missing = run("collect", "--from", "nowhere.json", "-o", "other.json", cwd=tmp_path)
    assert missing.code == 2 and "nowhere.json: there is no such file or folder" in missing.err
    assert "collect -o" not in missing.err
