"""``collect --full``: the same snapshot in both forms, after a kill too, and what the command says on the way."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.cli.program import COMMAND, at, environment, run
from tests.graph.live_tenants import tenant
from tests.graphserver import GraphServer, HtmlPage, Silence, Status
from tests.graphserver.call import Call
from tests.limits import HUNG_AFTER

GRANTS = "/oauth2PermissionGrants"
COLLECT = ("collect", "--full", "-o")


def content(path: Path) -> dict[str, Any]:
    """The members of a packed snapshot, without what differs between two reads: when, and with which requests."""
    with ZipFile(path) as archive:
        document = json.loads(archive.read("snapshot.json"))
        rows = {name: gzip.decompress(archive.read(name)) for name in archive.namelist()[1:]}
    return {"document": without_times(document), **rows}


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in ("taken", "provenance")}


def test_both_forms_and_a_redacted_or_piped_read_hold_the_same(tmp_path: Path) -> None:
    # The command asks for the log of the last days, by the clock of this machine.
    of_today = {"activityDisplayName": "Consent to application", "activityDateTime": datetime.now(UTC).isoformat()}
    with GraphServer(tenant(directoryAudits=[{"id": "d1", **of_today}]), page_size=2) as server:
        done = {
            name: run(*COLLECT, name, *at(server), cwd=tmp_path, env=server.env())
            for name in ("tenant.zip", "tenant.json", "-")
        }
    assert [one.code for one in done.values()] == [0, 0, 0], done["tenant.zip"].err
    piped = without_times(json.loads(done["-"].out))
    assert without_times(json.loads((tmp_path / "tenant.json").read_text())) == piped
    packed = content(tmp_path / "tenant.zip")
    assert packed["document"].pop("files")["oauth2PermissionGrants"] == {
        "file": "oauth2PermissionGrants.jsonl.gz",
        "rows": 5,
    }
    assert packed["oauth2PermissionGrants.jsonl.gz"].count(b"\n") == len(piped["sections"]["oauth2PermissionGrants"])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tenant.json", "tenant.zip"], "no folder is left"
    assert done["tenant.zip"].err.splitlines()[-1] == (
        "Wrote tenant.zip: tenant Fabrikam, 2 enterprise applications, 5 permission grants, 2 role assignments,"
        " 0 sign-ins, 2 last-use dates, 1 audit log record."
    )


def test_a_redacted_full_read_also_says_how_much_it_read(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        done = run(*COLLECT, "tenant.zip", "--redact", *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 0, done.err
    assert ", 2 enterprise applications, 5 permission grants, " in done.err.splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX")
@pytest.mark.parametrize("name", [pytest.param("tenant.zip", id="packed"), pytest.param("tenant.json", id="document")])
def test_a_killed_read_continues_and_gives_what_an_undisturbed_one_does(tmp_path: Path, name: str) -> None:
    held = threading.Event()

    def is_third_page(call: Call) -> bool:
        if call.path == GRANTS and "skiptoken" in call.text:
            tokens.add(call.query["$skiptoken"])
        if len(tokens) == 2:
            held.set()
        return held.is_set()

    tokens: set[str] = set()
    with GraphServer(tenant(), page_size=2) as server:
        undisturbed = run(*COLLECT, f"whole-{name}", *at(server), cwd=tmp_path, env=server.env())
        assert undisturbed.code == 0, undisturbed.err
        server.fault(is_third_page, Silence(), times=None)
        killed = subprocess.Popen(
            [COMMAND, *COLLECT, name, *at(server)], cwd=tmp_path, env=environment(tmp_path, server.env())
        )
        assert held.wait(HUNG_AFTER)
        killed.kill()
        killed.wait(HUNG_AFTER)
        assert not (tmp_path / name).exists()
        server.heal()
        server.forget()
        done = run(*COLLECT, name, *at(server), cwd=tmp_path, env=server.env())
        asked = [request.query.get("$skiptoken") for request in server.requests if request.path == GRANTS]
    assert done.code == 0, done.err
    assert "Continuing the read that started at 20" in done.err
    assert None not in asked, "the first page was not read again"
    one, other = tmp_path / name, tmp_path / f"whole-{name}"
    if name.endswith(".zip"):
        assert content(one) == content(other)
    else:
        assert without_times(json.loads(one.read_text())) == without_times(json.loads(other.read_text()))
    assert not (tmp_path / f"{name}.partial").exists()


def test_a_next_link_that_expired_meanwhile_is_said_and_the_list_read_again(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        server.fault(lambda call: call.path == GRANTS and "skiptoken" in call.text, Status(410))
        done = run(*COLLECT, "tenant.zip", *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 0
    assert "Microsoft Graph no longer knows where oauth2PermissionGrants was to go on after 2 rows" in done.err
    assert content(tmp_path / "tenant.zip")["oauth2PermissionGrants.jsonl.gz"].count(b"\n") == 5


def test_a_list_without_an_answer_can_be_continued_with_the_same_command(tmp_path: Path) -> None:
    with GraphServer(tenant(), page_size=2) as server:
        server.fault(lambda call: call.path == GRANTS and "skiptoken" in call.text, HtmlPage(), times=None)
        first = run(*COLLECT, "tenant.zip", *at(server), cwd=tmp_path, env=server.env())
        assert first.code == 0
        assert "is not complete. To continue with it, run the same command again." in first.err
        assert "oauth2PermissionGrants" in content(tmp_path / "tenant.zip")["document"]["unread"]
        server.heal()
        second = run(*COLLECT, "tenant.zip", *at(server), cwd=tmp_path, env=server.env())
    assert second.code == 0 and "Continuing" in second.err
    assert content(tmp_path / "tenant.zip")["document"]["unread"] == {}


@pytest.mark.parametrize(
    ("status", "next_step"),
    [
        pytest.param(403, 'Run "consent-auditor doctor"', id="refused"),
        pytest.param(429, "try again later, or add --wait", id="busy"),
    ],
)
@pytest.mark.parametrize("full", [pytest.param((), id="as planned"), pytest.param(("--full",), id="in full")])
def test_sections_that_one_cause_costs_are_named_in_one_line(
    tmp_path: Path, full: tuple[str, ...], status: int, next_step: str
) -> None:
    with GraphServer(tenant()) as server:
        server.fault("appId=", Status(status, 600), times=None)
        arguments = ("collect", *full, "--pack", "trackerrms-uk", "-o", "tenant.json", *at(server), "--timeout", "60")
        done = run(*arguments, cwd=tmp_path, env=server.env())
    assert done.code == 0, done.err
    lost = [line for line in done.err.splitlines() if line.startswith("Could not read")]
    unread = json.loads((tmp_path / "tenant.json").read_text())["unread"]
    assert len({line.rpartition(": ")[2] for line in lost}) == len(lost) < len(unread)
    assert max(line.count("the permission classifications") for line in lost) == 1, "dozens of parts have one name"
    assert not any(f" {section}" in line for line in lost for section in unread if not section.islower())
    assert next_step in done.err and "verdicts that need it will be unknown" in done.err


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: text.replace(b'"tenant":"', b'"tenant":"0'), id="another tenant"),
        pytest.param(lambda text: b"not a checkpoint", id="no checkpoint"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused_with_what_to_do(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    checkpoint = tmp_path / "tenant.zip.partial" / "checkpoint.jsonl"
    with GraphServer(tenant(), page_size=2) as server:
        server.fault(lambda call: call.path == GRANTS and "skiptoken" in call.text, HtmlPage(), times=None)
        run(*COLLECT, "tenant.zip", *at(server), cwd=tmp_path, env=server.env())
        checkpoint.write_bytes(damage(checkpoint.read_bytes()))
        done = run(*COLLECT, "tenant.zip", *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 2
    assert "delete" in done.err and "tenant.zip.partial, or give -o another name" in done.err


def test_what_a_grant_means_is_asked_of_its_resource(tmp_path: Path) -> None:
    sections = tenant()["sections"]
    scope = {"id": "99999999-1111-4111-8111-111111111111", "value": "Everything.All", "type": "Admin"}
    api = {"id": "sp-api", "appId": "88888888-1111-4111-8111-111111111111", "oauth2PermissionScopes": [scope]}
    grant = {"id": "g9", "clientId": "sp-client", "consentType": "AllPrincipals", "resourceId": "sp-api"}
    document = tenant(
        servicePrincipals=[*sections["servicePrincipals"], api],
        oauth2PermissionGrants=[*sections["oauth2PermissionGrants"], {**grant, "scope": "Everything.All"}],
    )
    with GraphServer(document, page_size=2) as server:
        words = (*COLLECT, "tenant.zip", "--pack", "grants-hygiene", *at(server))
        assert run(*words, cwd=tmp_path, env=server.env()).code == 0
    principals = content(tmp_path / "tenant.zip")["document"]["sections"]["servicePrincipals"]
    assert [row["oauth2PermissionScopes"][0]["value"] for row in principals if row["id"] == "sp-api"] == [
        "Everything.All"
    ]
