"""``explain`` as people run it: codes, pasted texts and addresses, with and without a tenant, in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import jsonschema
import pytest

from auditor.jobs.audit_request import GivenSnapshot, Redaction, SampleTenant
from auditor.jobs.explain import ExplainRequest, explain, explain_exit_code
from auditor.model.access_resources import SignIn, SignInStatus
from auditor.model.errors import InvalidRequest
from auditor.model.snapshot import Snapshot
from auditor.render.explanation import CSV_COLUMNS, FORMATS, render_explanation, schema
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps, save
from tests.cli.program import at, run
from tests.explain.pasted_texts import APP, AUTHORIZE, CASES, CORRELATION, OTHER, SECRETS
from tests.fixes.tenants import with_sections
from tests.graphserver import GraphServer


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


def test_a_text_in_utf_16_is_read_without_its_mark_too(tmp_path: Path) -> None:
    done = run("explain", "-", cwd=tmp_path, stdin="AADSTS90094".encode("utf-16-le"))
    assert done.out.startswith("AADSTS90094: Only an administrator can consent\n")


def test_every_format_is_made_and_json_follows_its_schema() -> None:
    explanation = explain(
        ExplainRequest(text="50105 12345", source=SampleTenant("admin-consented"), app_name="trackerrms-uk")
    )
    made = {form: render_explanation(explanation, form) for form in FORMATS}
    written = json.loads(made["json"])
    jsonschema.validate(written, schema())
    assert {one["code"]: one["known"] for one in written["codes"]} == {"AADSTS50105": True, "AADSTS12345": False}
    assert written["codes"][0]["fixer"] == "admin"
    assert written["tenant_says"]["agrees"] is False
    rows = list(csv.reader(io.StringIO(made["csv"].decode("utf-8-sig"))))
    assert rows[0] == list(CSV_COLUMNS)
    assert len(rows) == 3
    assert all("AADSTS50105" in made[form].decode() for form in ("text", "markdown", "html"))
    assert "https://learn.microsoft.com/" in made["markdown"].decode()
    assert explain_exit_code(explanation) == 0


def test_redaction_leaves_no_name_of_the_tenant_and_no_person() -> None:
    snapshot = with_failed_sign_in("consent-off")
    text = CASES["the details with a message"].text.replace("50105", "90094")
    explanation = explain(ExplainRequest(text=text, source=GivenSnapshot(snapshot), redaction=Redaction()))
    written = render_explanation(explanation, "json").decode()
    assert "adele" not in written
    assert snapshot.tenant.name not in written
    assert explanation.tenant_says is not None
    assert explanation.tenant_says.agrees is True
    assert [entry.code for entry in explanation.tenant_says.log] == ["90094"]


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


def test_no_format_shows_a_secret_of_a_text() -> None:
    for name, case in CASES.items():
        explanation = explain(ExplainRequest(text=case.text))
        shown = b"".join(render_explanation(explanation, form) for form in ("text", "json", "markdown", "csv")).decode()
        assert [secret for secret in SECRETS if secret in shown] == [], name


REFUSED = {
    "a text without a code": (ExplainRequest(text="it does not work"), "there is no code and no address"),
    "a correlation id without a tenant": (ExplainRequest(text=f"Correlation ID: {CORRELATION}"), "add the tenant"),
    "an address that the shell cut at the first &": (
        ExplainRequest(text=AUTHORIZE.replace(APP, OTHER).partition("&")[0]),
        "put it in quotation marks",
    ),
    "an app that the catalogue lacks": (ExplainRequest(text="90094", app_name="thunderbrd"), "thunderbird"),
    "an app that the tenant lacks, too": (
        ExplainRequest(text="90094", app_name="nothing", source=SampleTenant("consent-off")),
        "neither the catalogue nor this tenant",
    ),
}


@pytest.mark.parametrize(("request_", "said"), [pytest.param(*case, id=name) for name, case in REFUSED.items()])
def test_a_question_without_an_answer_says_what_is_missing(request_: ExplainRequest, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        explain(request_)
    assert said in str(refused.value)


def test_another_client_id_with_a_known_redirect_uri_is_not_the_known_app() -> None:
    text = CASES["a redirect URI"].text.replace(APP, OTHER)
    explanation = explain(ExplainRequest(text=text))
    assert explanation.app is not None
    assert explanation.app.client_id == OTHER
    assert explanation.app.name != "TrackerRMS"


def test_an_empty_standard_input_is_a_usage_error(tmp_path: Path) -> None:
    done = run("explain", cwd=tmp_path)
    assert done.code == 2
    assert "standard input is empty" in done.err


def test_codes_are_completed_in_the_spelling_that_was_typed(tmp_path: Path) -> None:
    env = {
        "_CONSENT_AUDITOR_COMPLETE": "bash_complete",
        "COMP_WORDS": "consent-auditor explain AADSTS6500",
        "COMP_CWORD": "2",
    }
    assert "plain,AADSTS65001" in run(cwd=tmp_path, env=env).out.splitlines()
