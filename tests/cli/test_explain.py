"""``explain`` as people run it: codes, pasted texts and addresses, with and without a tenant, in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from auditor.model.access_resources import SignIn, SignInStatus
from auditor.model.snapshot import Snapshot
from auditor.render.explanation import CSV_COLUMNS, schema
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps, save
from tests.cli.program import at, run
from tests.explain.pasted_texts import APP, CASES, CORRELATION
from tests.fixes.tenants import with_sections
from tests.graphserver import GraphServer

TRACKERRMS = ("--app", "trackerrms-uk")


def with_failed_sign_in(name: str) -> Snapshot:
    """A sample tenant with a failed sign-in in its log."""
    entry = SignIn(
        id="1",
        createdDateTime="2026-11-21T10:33:11Z",
        appId=APP,
        appDisplayName="TrackerRMS",
        userPrincipalName="adele@contoso.example",
        correlationId=CORRELATION,
        status=SignInStatus(errorCode=90094, failureReason="Admin consent is required."),
    )
    return with_sections(sample(name), signIns=(entry,))


def test_a_code_is_explained_without_a_tenant(tmp_path: Path) -> None:
    done = run("explain", "AADSTS", "90094", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("AADSTS90094: Only an administrator can consent\n")
    assert len(done.out.splitlines()) <= 40
    assert done.out.endswith("Exit code 0: the code is known.\n")


def test_a_text_from_standard_input_is_compared_with_the_tenant_and_its_log(tmp_path: Path) -> None:
    save(with_failed_sign_in("consent-off"), tmp_path / "tenant.json")
    text = f"Correlation ID: {CORRELATION}\nTimestamp: 2026-11-21 10:33:11Z".encode("utf-16")
    done = run("explain", "-", "--snapshot", "tenant.json", cwd=tmp_path, stdin=text)
    assert done.code == 1, done.err
    words = " ".join(done.out.split())
    assert words.startswith("AADSTS90094 in Woodgrove Bank Yes: Woodgrove Bank would answer AADSTS90094.")
    assert "2026-11-21 10:33 UTC: adele@contoso.example at TrackerRMS, AADSTS90094, Admin consent is required." in words
    assert "HERE: User consent is switched off in the tenant." in words
    assert len(done.out.splitlines()) <= 45


def test_every_format_is_written_and_json_follows_its_schema(tmp_path: Path) -> None:
    files = ("e.json", "e.md", "e.html", "e.csv", "e.txt")
    outputs = [word for name in files for word in ("-o", name)]
    done = run("explain", "50105", "12345", *TRACKERRMS, "--sample", "admin-consented", *outputs, cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.err.endswith("Exit code 0: this tenant lets the user connect.\n")
    explanation = json.loads((tmp_path / "e.json").read_bytes())
    jsonschema.validate(explanation, schema())
    assert [(one["code"], one["known"]) for one in explanation["codes"]] == [
        ("AADSTS50105", True),
        ("AADSTS12345", False),
    ]
    assert explanation["codes"][0]["fixer"] == "admin"
    assert explanation["tenant_says"]["agrees"] is False
    rows = list(csv.reader(io.StringIO((tmp_path / "e.csv").read_text(encoding="utf-8-sig"))))
    assert rows[0] == list(CSV_COLUMNS)
    assert len(rows) == 3
    pages = [(tmp_path / name).read_text(encoding="utf-8") for name in files[1:]]
    assert all("AADSTS50105" in page for page in pages)
    assert "https://learn.microsoft.com/" in pages[0]


def test_redaction_leaves_no_name_of_the_tenant_and_no_person(tmp_path: Path) -> None:
    snapshot = with_failed_sign_in("consent-off")
    save(snapshot, tmp_path / "tenant.json")
    text = CASES["the details with a message"].text.replace("50105", "90094").encode()
    done = run("explain", "-", "--snapshot", "tenant.json", "--redact", "-f", "json", cwd=tmp_path, stdin=text)
    assert done.code == 1, done.err
    assert "adele" not in done.out
    assert snapshot.tenant.name not in done.out
    says = json.loads(done.out)["tenant_says"]
    assert says["agrees"] is True
    assert [entry["code"] for entry in says["log"]] == ["90094"]


def test_a_live_tenant_is_read_with_the_entry_of_the_log(tmp_path: Path) -> None:
    with GraphServer(json.loads(dumps(with_failed_sign_in("consent-off")))) as server:
        done = run(
            *("explain", "--live", "-f", "json", f"Correlation ID: {CORRELATION}", *at(server)),
            cwd=tmp_path,
            env=server.env(),
        )
        assert server.refused_writes == []
        asked = [request for request in server.requests if "signIns" in request.path]
    assert done.code == 1, done.err
    explanation = json.loads(done.out)
    assert [one["code"] for one in explanation["codes"]] == ["AADSTS90094"]
    assert explanation["app"]["client_id"] == APP
    assert explanation["tenant_says"]["agrees"] is True
    assert asked


REFUSED = {
    "a text without a code": (("explain", "it does not work"), "there is no code and no address"),
    "nothing": (("explain",), "standard input is empty"),
    "an app that nobody knows": (("explain", "90094", "--sample", "consent-off", "--app", "nothing"), "'nothing'"),
    "two tenants": (("explain", "90094", "--live", "--sample", "admin-consented"), "exclude each other"),
}


@pytest.mark.parametrize(("words", "said"), [pytest.param(*case, id=name) for name, case in REFUSED.items()])
def test_mistakes_are_usage_errors_that_say_what_to_do(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = run(*words, cwd=tmp_path)
    assert done.code == 2
    assert said in done.err


def test_codes_are_completed_in_the_spelling_that_was_typed(tmp_path: Path) -> None:
    env = {
        "_CONSENT_AUDITOR_COMPLETE": "bash_complete",
        "COMP_WORDS": "consent-auditor explain AADSTS6500",
        "COMP_CWORD": "2",
    }
    assert "plain,AADSTS65001" in run(cwd=tmp_path, env=env).out.splitlines()
