"""Every error is one clear message with what to do next, the right exit code, and no traceback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.program import AuditCommand, LazyGroup
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import Done, all_of, at, run
from tests.docs.commands import every_command
from tests.golden import check_section
from tests.graphserver import GraphServer, HtmlPage, Status
from tests.systems import needs_bash

GOLDEN = Path(__file__).parent / "golden/error-messages.txt"
VENDOR = ("--pack", "trackerrms-uk")
CHECK = ("check", *VENDOR)
DOCUMENT: dict[str, Any] = json.loads(dumps(sample("admin-consented")))

BROKEN_FILES = {
    "not-json.json": "hello",
    "cut.json": json.dumps(DOCUMENT, indent=1)[:900],
    "newer.json": json.dumps({**DOCUMENT, "version": 2}),
    "shape.json": json.dumps({**DOCUMENT, "sections": {"servicePrincipals": [{"id": 1, "appId": "x"}]}}),
    "empty.json": "",
    "misspelt.yaml": "format: consent-auditor/pack\nformat-version: 1\npack: mine\nversion: '1'\ntitle: Mine\n"
    "extends: vendor-app\napp:\n  name: X\n  client-id: 5353a3d2-8ca9-42d2-b567-ea399ccb5e38\n"
    "  redirect-uris: [https://x.example/cb]\n  scopes:\n    microsoft-graph: [Mail.Reed]\nrulez: []\n",
}
OFFLINE: dict[str, tuple[str, ...]] = {
    **{name: (*CHECK, "--snapshot", name) for name in BROKEN_FILES if name.endswith(".json")},
    "missing-file": (*CHECK, "--snapshot", "nowhere.json"),
    "folder": (*CHECK, "--snapshot", "."),
    "misspelt-pack": ("check", "--sample", "managed-default", "--pack", "misspelt.yaml"),
    "unknown-pack": ("check", "--sample", "managed-default", "--pack", "trackerms-uk"),
    "unknown-sample": (*CHECK, "--sample", "managed"),
    "nothing-to-check": ("check", "--sample", "managed-default"),
    "app-without-scopes": ("check", "--sample", "managed-default", "--app", "11111111-2222-4333-8444-555555555555"),
    "misspelt-app": ("check", "--sample", "managed-default", "--app", "thunderbrid"),
    "misspelt-variant": ("check", "--sample", "managed-default", "--app", "Thunderbird/EWZ"),
    "app-of-microsoft": ("check", "--sample", "managed-default", "--app", "outlook"),
    "bad-client-id": ("check", "--sample", "managed-default", "--app", "12", "--scopes", "Mail.Read"),
    "bad-url": ("check", "--sample", "managed-default", "--from-url", "https://example.com/"),
    "unknown-user": (*CHECK, "--sample", "managed-default", "--user", "nobody@contoso.example"),
    "formats-without-folder": (*CHECK, "--sample", "managed-default", "-f", "text", "-f", "json"),
    "no-such-folder": (*CHECK, "--sample", "managed-default", "-o", "no/such/folder/report.json"),
    "unknown-ending": (*CHECK, "--sample", "managed-default", "-o", "report.docx"),
    "no-ending": (*CHECK, "--sample", "managed-default", "-o", "report"),
    "files-and-format": (*CHECK, "--sample", "managed-default", "-f", "json", "-o", "a.txt", "-o", "b.json"),
    "script-and-format": (*CHECK, "--sample", "managed-default", "--fix-script", "az", "-f", "json"),
    "message-and-format": (*CHECK, "--sample", "managed-default", "--message", "-f", "json"),
    "message-and-script": (*CHECK, "--sample", "managed-default", "--message", "--fix-script", "az"),
    "script-and-wait": (*CHECK, "--fix-script", "az", "--wait-until", "connects"),
    "wait-with-sample": (*CHECK, "--sample", "managed-default", "--wait-until", "connects"),
    "wait-without-app": ("check", "--pack", "cisa-scuba", "--wait-until", "connects"),
    "wait-with-device-code": (*CHECK, "--auth", "device-code", "--wait-until", "connects"),
    "wait-for-something-else": (*CHECK, "--wait-until", "passes"),
    "timeout-without-a-known-unit": (*CHECK, "--timeout", "2d"),
    "timeout-too-long": (*CHECK, "--timeout", "25h"),
    "unknown-command": ("chekc",),
    "no-credential": CHECK,
}
CODES = {"no-credential": 3, "unknown-user": 3}


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Done]]:
    folder = tmp_path_factory.mktemp("told")
    for name, text in BROKEN_FILES.items():
        (folder / name).write_text(text)
    with all_of({name: partial(run, *words, cwd=folder) for name, words in OFFLINE.items()}) as done:
        yield done


@pytest.mark.parametrize("name", OFFLINE)
def test_a_mistake_is_reported_with_what_to_do_next(offline: Callable[[str], Done], name: str) -> None:
    done = offline(name)
    assert (done.code, done.out) == (CODES.get(name, 2), "")
    check_section(GOLDEN, name, done.session)


@pytest.mark.parametrize(
    "group", ["", "apps", "fleet", "history", "nightly", "packs"], ids=lambda name: name or "program"
)
def test_without_a_command_the_help_is_shown_once_and_is_no_success(group: str, tmp_path: Path) -> None:
    words = group.split()
    bare, asked = run(*words, cwd=tmp_path), run(*words, "--help", cwd=tmp_path)
    assert (bare.code, bare.out, bare.err) == (2, "", asked.out)


def test_a_missing_argument_lists_its_values_without_escapes(tmp_path: Path) -> None:
    done = run("completion", cwd=tmp_path)
    assert done.code == 2
    assert "Choose from:\n  bash,\n  zsh," in done.err
    assert "\\t" not in done.err


def test_every_command_shows_a_mistake_with_its_own_usage(tmp_path: Path) -> None:
    assert run("apps", "list", "--category", "nope", cwd=tmp_path).err.startswith("Usage: consent-auditor apps list ")
    assert run("apps", "show", "nope", cwd=tmp_path).err.startswith("Usage: consent-auditor apps show ")
    for found in every_command():
        assert isinstance(found.command, AuditCommand | LazyGroup), found.command_path


def wrong_secret(server: GraphServer) -> dict[str, str]:
    return {**server.env(), "AZURE_CLIENT_SECRET": "not-the-secret-of-this-app"}


def expired(server: GraphServer) -> dict[str, str]:
    server.client.secret_expired = True
    return server.env()


def unknown_tenant(server: GraphServer) -> dict[str, str]:
    return {**server.env(), "AZURE_TENANT_ID": "0badbad0-0000-4000-8000-000000000000"}


def unknown_app(server: GraphServer) -> dict[str, str]:
    return {**server.env(), "AZURE_CLIENT_ID": "0badbad0-0000-4000-8000-00000000000a"}


def proxy_page(server: GraphServer) -> dict[str, str]:
    server.fault("", HtmlPage(), times=None)
    return server.env()


def refused_batch(server: GraphServer) -> dict[str, str]:
    server.fault("/$batch", Status(404), times=None)
    return server.env()


def graph_asks_to_wait(server: GraphServer) -> dict[str, str]:
    server.fault("/$batch", Status(429, retry_after=3600), times=None)
    return server.env()


def sign_in_asks_to_wait(server: GraphServer) -> dict[str, str]:
    server.token_fault(Status(429, retry_after=3600), times=None)
    return server.env()


def no_trust(server: GraphServer) -> dict[str, str]:
    trusted = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    return {name: value for name, value in server.env().items() if name not in trusted}


def missing_ca(server: GraphServer) -> dict[str, str]:
    return {**server.env(), "SSL_CERT_FILE": "/nowhere/ca.pem", "REQUESTS_CA_BUNDLE": "/nowhere/ca.pem"}


LIVE: dict[str, Callable[[GraphServer], dict[str, str]]] = {
    "wrong-secret": wrong_secret,
    "expired-secret": expired,
    "unknown-tenant": unknown_tenant,
    "unknown-app": unknown_app,
    "proxy-page": proxy_page,
    "refused-batch": refused_batch,
    "graph-asks-to-wait": graph_asks_to_wait,
    "sign-in-asks-to-wait": sign_in_asks_to_wait,
    "untrusted-certificate": no_trust,
    "missing-ca-file": missing_ca,
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Done]]:
    folder = tmp_path_factory.mktemp("told-live")

    def case(prepare: Callable[[GraphServer], dict[str, str]]) -> Done:
        with GraphServer(DOCUMENT) as server:
            return run(*CHECK, *at(server), cwd=folder, env=prepare(server))

    with all_of({name: partial(case, prepare) for name, prepare in LIVE.items()}) as done:
        yield done


@pytest.mark.parametrize("name", LIVE)
def test_an_audit_that_cannot_be_made_says_why_and_exits_with_3(live: Callable[[str], Done], name: str) -> None:
    done = live(name)
    assert (done.code, done.out) == (3, "")
    assert "What to do:" in done.err
    check_section(GOLDEN, name, done.session.replace(_options(done), "@@SERVER@@"))


def _options(done: Done) -> str:
    """The addresses of the server, as the session shows them."""
    words = list(done.arguments)
    start = words.index("--authority-host")
    shown = " ".join(words[start : start + 4])
    return shown.replace(words[start + 1].rsplit(":", 1)[1], "@@PORT@@").replace(
        words[start + 3].rsplit(":", 1)[1], "@@PORT@@"
    )


def test_an_app_without_any_permission_gets_a_report_that_claims_nothing(tmp_path: Path) -> None:
    with GraphServer(DOCUMENT, roles=()) as server:
        done = run(*CHECK, "-f", "json", *at(server), cwd=tmp_path, env=server.env())
    report = json.loads(done.out)
    assert done.code == 4
    assert (report["summary"]["passed"], report["summary"]["failed"]) == (0, 0)
    assert all(part["request_id"] and part["needs"] for part in report["unread"])


def test_a_missing_license_for_sign_ins_is_reported_and_the_rest_is_read(tmp_path: Path) -> None:
    with GraphServer(DOCUMENT, premium=False) as server:
        done = run("collect", "--full", "-o", "tenant.json", *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 0
    assert "license" in done.err
    document = json.loads((tmp_path / "tenant.json").read_text())
    assert set(document["unread"]) == {"signIns"}
    assert document["sections"]["oauth2PermissionGrants"]


def test_a_collected_snapshot_is_its_owners_alone_and_gives_the_report_of_the_live_tenant(tmp_path: Path) -> None:
    with GraphServer(DOCUMENT) as server:
        live = run(*CHECK, "-f", "json", *at(server), cwd=tmp_path, env=server.env())
        run("collect", *VENDOR, "-o", "tenant.json", *at(server), cwd=tmp_path, env=server.env())
        assert server.refused_writes == []
    assert (tmp_path / "tenant.json").stat().st_mode & 0o777 == 0o600
    again = run(*CHECK, "-f", "json", "--snapshot", "tenant.json", cwd=tmp_path)
    assert again.code == live.code == 0
    first, second = json.loads(live.out), json.loads(again.out)
    for report in (first, second):
        report.pop("source"), report.pop("taken")
        for call in report["provenance"]["calls"]:
            call.pop("at")
    assert first == second


def test_a_failed_collect_leaves_the_old_snapshot_alone(tmp_path: Path) -> None:
    (tmp_path / "tenant.json").write_text("yesterday's")
    with GraphServer(DOCUMENT) as server:
        done = run("collect", *VENDOR, "-o", "tenant.json", *at(server), cwd=tmp_path, env=wrong_secret(server))
    assert done.code == 3
    assert (tmp_path / "tenant.json").read_text() == "yesterday's"


@pytest.mark.parametrize(
    "roles",
    [
        pytest.param(("Policy.Read.All",), id="policies only"),
        pytest.param(("Application.Read.All", "Directory.Read.All"), id="apps and the directory"),
    ],
)
def test_doctor_names_each_missing_permission_its_cost_and_how_to_grant_it(
    tmp_path: Path, roles: tuple[str, ...]
) -> None:
    with GraphServer(DOCUMENT, roles=roles) as server:
        done = run("doctor", *VENDOR, *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 1
    assert "Policy.Read.PermissionGrant is missing" in done.out
    assert "9e640839-a198-48fb-8b9a-013fd6f6cbcd=Role" in done.out


def test_doctor_tells_a_clock_that_is_wrong(tmp_path: Path) -> None:
    with GraphServer(DOCUMENT, clock_skew_seconds=900) as server:
        done = run("doctor", *VENDOR, *at(server), cwd=tmp_path, env=server.env())
    assert "clock" in done.out
    assert "behind" in done.out


@needs_bash
def test_a_reader_that_stops_early_gets_no_traceback(tmp_path: Path) -> None:
    import subprocess

    from tests.cli.program import COMMAND, environment

    line = f"'{COMMAND}' {' '.join(CHECK)} --sample managed-default | head -n 1"
    ended = subprocess.run(
        ["sh", "-c", line], cwd=tmp_path, env=environment(tmp_path), capture_output=True, check=False
    )
    assert b"Traceback" not in ended.stderr
    assert ended.stdout.startswith(b"This is a sample.")


@pytest.mark.parametrize(
    ("more", "coloured"),
    [
        pytest.param({}, False, id="neither"),
        pytest.param({"FORCE_COLOR": "1"}, True, id="FORCE_COLOR"),
        pytest.param({"NO_COLOR": "1"}, False, id="NO_COLOR"),
    ],
)
def test_colour_is_for_terminals_and_for_those_who_ask(tmp_path: Path, more: dict[str, str], coloured: bool) -> None:
    done = run(*CHECK, "--sample", "managed-default", cwd=tmp_path, env=more)
    assert ("\x1b[" in done.out) == coloured


def test_a_console_of_an_old_code_page_still_gets_the_report(tmp_path: Path) -> None:
    document = {**DOCUMENT, "tenant": {**DOCUMENT["tenant"], "name": "株式会社コンサルト"}}
    document["sections"] = {k: v for k, v in DOCUMENT["sections"].items() if k != "organization"}
    (tmp_path / "tenant.json").write_text(json.dumps(document), encoding="utf-8")
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = run(*CHECK, "--snapshot", "tenant.json", cwd=tmp_path, env=ascii_only)
    assert done.code == 0
    assert "\\u682a" in done.out


def test_a_snapshot_comes_from_standard_input_and_formats_go_to_a_folder(tmp_path: Path) -> None:
    words = (*CHECK, "--snapshot", "-", "-f", "text", "-f", "json", "-o", "out")
    done = run(*words, cwd=tmp_path, stdin=json.dumps(DOCUMENT).encode())
    assert done.code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"report.txt", "report.json"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_scripts_are_printed(tmp_path: Path, shell: str) -> None:
    done = run("completion", shell, cwd=tmp_path)
    assert "_CONSENT_AUDITOR_COMPLETE" in done.out


def test_packs_and_samples_complete(tmp_path: Path) -> None:
    words = {"COMP_WORDS": "consent-auditor check --pack track", "COMP_CWORD": "3"}
    done = run(cwd=tmp_path, env={"_CONSENT_AUDITOR_COMPLETE": "bash_complete", **words})
    assert "trackerrms-uk" in done.out


def completed(tmp_path: Path, *before: str, word: str) -> list[str]:
    """What PowerShell is offered for `word` after the words `before`."""
    asked = {"COMP_WORDS": "\n".join(("consent-auditor", *before)), "COMP_CWORD": word}
    done = run(cwd=tmp_path, env={"_CONSENT_AUDITOR_COMPLETE": "powershell_complete", **asked})
    return [line.partition("\t")[0] for line in done.out.splitlines() if line]


def test_powershell_completes_verbs_options_and_names(tmp_path: Path) -> None:
    assert completed(tmp_path, word="co") == ["collect", "completion"]
    assert completed(tmp_path, "check", word="--sna") == ["--snapshot"]
    assert completed(tmp_path, "check", "--snapshot", "'C:\\my tenants\\t.json'", "-p", word='"trackerrms-u') == [
        "trackerrms-uk",
        "trackerrms-us",
    ]


def test_powershell_is_left_to_complete_files_itself(tmp_path: Path) -> None:
    assert completed(tmp_path, "check", "--snapshot", word="t") == []


def test_the_powershell_script_is_powershell(tmp_path: Path) -> None:
    tree_sitter = pytest.importorskip("tree_sitter")
    grammar = pytest.importorskip("tree_sitter_powershell")
    script = run("completion", "powershell", cwd=tmp_path).out
    assert not tree_sitter.Parser(tree_sitter.Language(grammar.language())).parse(script.encode()).root_node.has_error
