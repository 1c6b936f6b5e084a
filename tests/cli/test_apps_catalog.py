"""``apps list`` and ``apps show``: what they print of the catalogue, and how an app that isn't in it is answered."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from auditor.cli import apps_list, apps_show, collect
from auditor.cli.program import program
from auditor.jobs.app_catalog import AppDetails, AppsList, every_app, schema
from auditor.jobs.audit_request import AuditRequest
from auditor.model.errors import InvalidRequest

THUNDERBIRD = "9e5f94bc-e8a4-4e73-b8be-63364c29d753"
NOBODY = "11111111-2222-4333-8444-555555555555"


def printed(command: click.Command, *words: str) -> str:
    """What the command prints on a terminal of 80 columns."""
    done = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def names(*words: str) -> list[str]:
    """The names of the apps in the list as JSON."""
    return [app["name"] for app in listed(*words)["apps"]]


def listed(*words: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(printed(apps_list.command, *words, "-f", "json"))
    Draft202012Validator(schema(AppsList)).validate(document)
    return document


def test_a_list_shows_every_app_by_category_within_the_terminal() -> None:
    page = printed(apps_list.command)
    assert all(re.search(rf"(?m)^ +{re.escape(app.name)} ", page) for app in every_app())
    assert "\nEmail\n" in page
    assert "Otter (Outlook calendar)" in page
    assert f"{len(every_app())} apps." in page
    assert max(map(len, page.splitlines())) <= 80
    assert "## Email" in printed(apps_list.command, "-f", "markdown")


def test_a_list_is_searched_by_words_and_by_category() -> None:
    assert "thunderbird" in names("mail")
    assert set(names("MOZILLA")) >= {"thunderbird", "k-9-mail"}
    assert set(names("--category", "email")) < set(names())
    assert names("no such words") == []
    assert "ecff17cf-5629-49ba-a629-7f575496aeac" in printed(apps_list.command, "adobe", "acrobat")
    found = listed("otter")
    assert [app["name"] for app in found["without_client_id"]] == ["Otter (Outlook calendar)"]
    assert 'No app contains "thunderbrid". Did you mean thunderbird?' in printed(apps_list.command, "thunderbrid")


def test_an_app_with_several_packs_is_listed_once_and_its_page_names_the_packs() -> None:
    (app,) = listed("trackerrms")["apps"]
    assert (app["name"], app["vendor"], app["category"]) == ("trackerrms", "TrackerRMS", "recruiting")
    assert [uri.split(".")[0] for uri in app["redirect_uris"]] == ["https://ukevo", "https://usevo"]
    assert "trackerrms" in names("--category", "recruiting")
    page = " ".join(printed(apps_show.command, "trackerrms").split())
    assert "This is trackerrms-uk; for another, use --pack trackerrms-us." in page
    assert "Client ID and redirect URIs, read on 2026-11-28" in page


def test_a_page_has_the_facts_their_sources_and_what_to_run_next() -> None:
    page = printed(apps_show.command, "Thunder Bird")
    for part in ("Mozilla", THUNDERBIRD, "thunderbird/ews", "Exchange (EWS)", "EWS.AccessAsUser.All"):
        assert part in page
    assert re.search(r"Client ID.*, read on 2026-1\d-\d\d:\n\n +https://", page)
    assert "consent-auditor check --app thunderbird\n" in page
    assert "`thunderbird/ews`" in printed(apps_show.command, THUNDERBIRD, "-f", "markdown")


def test_the_vendors_advice_is_shown_with_our_judgment() -> None:
    page = printed(apps_show.command, "trackerrms")
    assert "The vendor says: After the admin consent link" in page
    assert "Our judgment: Skip that part" in page


def test_a_page_says_that_attackers_are_known_to_use_the_app() -> None:
    page = " ".join(printed(apps_show.command, "em client").split())
    assert (
        "Known abused app The list of known abused apps names it: a legitimate product that attackers use, too." in page
    )
    assert "Known abused app" not in printed(apps_show.command, "thunderbird")


def test_an_app_as_json_is_described_by_a_schema() -> None:
    document = json.loads(printed(apps_show.command, THUNDERBIRD, "-f", "json"))
    Draft202012Validator(schema(AppDetails)).validate(document)
    assert (document["format"], document["pack"]) == ("consent-auditor/app", "thunderbird")
    assert [one["name"] for one in document["app"]["variants"]][:2] == ["imap", "pop"]
    assert all(source["read"] for source in document["app"]["sources"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("otter", "How to get the client ID", id="without a client ID"),
        pytest.param("Adobe Acrobat", '--scopes "SCOPE …"', id="without permissions"),
        pytest.param(
            "ecff17cf-5629-49ba-a629-7f575496aeac", "Adobe Acrobat", id="without permissions, by its client ID"
        ),
        pytest.param("outlook", "one of Microsoft's own apps", id="of Microsoft"),
    ],
)
def test_what_is_known_of_other_apps_is_shown_with_what_to_do(name: str, said: str) -> None:
    assert said in " ".join(printed(apps_show.command, name).split())
    assert json.loads(printed(apps_show.command, name, "-f", "json"))["name"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("thunderbrid", id="a typo"),
        pytest.param("11111111-2222-4333-8444-555555555555", id="an unknown client ID"),
        pytest.param("thunderbird/ewz", id="a misspelt variant"),
    ],
)
def test_an_app_that_nothing_knows_is_an_error(name: str) -> None:
    with pytest.raises(click.UsageError):
        apps_show.command.main([name], standalone_mode=False)


@pytest.mark.parametrize(
    ("words", "typed", "offered"),
    [
        pytest.param(["check", "--app"], "thunderb", "thunderbird", id="a name"),
        pytest.param(["check", "--app"], "THUNDERBIRD/", "thunderbird/ews", id="a variant"),
        pytest.param(["collect", "--app"], "em-", "em-client", id="of collect"),
        pytest.param(["apps", "show"], "k-9", "k-9-mail", id="of show"),
        pytest.param(["apps", "list", "--category"], "ema", "email", id="a category"),
    ],
)
def test_names_are_completed(words: list[str], typed: str, offered: str) -> None:
    found = ShellComplete(program, {}, "consent-auditor", "_CONSENT_AUDITOR_COMPLETE").get_completions(words, typed)
    assert offered in [item.value for item in found]


@pytest.mark.parametrize(
    ("named", "packs", "client_id"),
    [
        pytest.param("Thunderbird", ("thunderbird",), None, id="an app of the catalogue"),
        pytest.param("thunderbird/ews", ("thunderbird/ews",), None, id="a variant"),
        pytest.param(NOBODY, (), NOBODY, id="another app"),
    ],
)
def test_collect_reads_for_an_app_by_name_and_for_any_client_id(
    named: str, packs: tuple[str, ...], client_id: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[AuditRequest] = []

    def stop(request: AuditRequest, _: object) -> None:
        asked.append(request)
        raise InvalidRequest("nothing is read here")

    monkeypatch.setattr("auditor.jobs.tenant_reader.collect_snapshot", stop)
    with pytest.raises(click.UsageError, match="nothing is read"):
        collect.command.main(["--app", named, "-o", str(tmp_path / "tenant.json")], standalone_mode=False)
    (request,) = asked
    assert request.packs == packs
    assert (request.app.client_id if request.app else None) == client_id
