"""What ``doctor`` says of the audit's own credential."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor.history import open_history
from auditor.jobs.audit import audit
from auditor.jobs.audit_request import AuditRequest, GivenSnapshot
from auditor.model.snapshot import Provenance
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import at, run
from tests.graphserver import AUDIT_ROLES, CLIENT_ID, CLIENT_SECRET, GraphServer

VENDOR = ("--pack", "trackerrms-uk")
DOCUMENT: dict[str, Any] = json.loads(dumps(sample("admin-consented")))


@pytest.mark.parametrize(
    ("days", "mark"),
    [pytest.param(200, "ok", id="in a while"), pytest.param(12, "note", id="soon")],
)
def test_doctor_says_when_the_client_secret_ends(tmp_path: Path, days: int, mark: str) -> None:
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    secret = {"keyId": "k1", "hint": CLIENT_SECRET[:3], "endDateTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    own = {"id": "own", "appId": CLIENT_ID, "passwordCredentials": [secret]}
    document = {**DOCUMENT, "sections": {**DOCUMENT["sections"], "applications": [own]}}
    with GraphServer(document) as server:
        done = run("doctor", *VENDOR, *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 0
    assert f"{mark:<6}The client secret ends on {end.day} {end:%B %Y}, in {days} days." in " ".join(
        done.out.split("\n")
    )
    assert ("use it here, then remove the old one" in " ".join(done.out.split())) == (mark == "note")
    assert CLIENT_SECRET[:3] not in done.out


def test_doctor_says_that_the_end_of_the_client_secret_is_not_known(tmp_path: Path) -> None:
    with GraphServer(DOCUMENT) as server:
        done = run("doctor", *VENDOR, *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 0
    assert "note  It isn't known when the client secret ends. The app is registered in" in done.out


def test_doctor_says_which_permissions_the_commands_about_logs_and_requests_need(tmp_path: Path) -> None:
    with GraphServer(DOCUMENT, roles=set(AUDIT_ROLES) - {"ConsentRequest.Read.All"}) as server:
        done = run("doctor", *VENDOR, *at(server), cwd=tmp_path, env=server.env())
    assert done.code == 0, "no pack needs it"
    text = " ".join(done.out.split())
    assert "ok AuditLog.Read.All, for blocked, apps survey and explain" in text
    assert "note ConsentRequest.Read.All is missing; no chosen pack needs it" in text
    assert "in blocked, apps survey and explain: requests for admin consent" in text
    assert "AuditLog" not in text.partition("These packs don't need:")[2]


def a_night(folder: Path, reader: str, permissions: tuple[str, ...]) -> None:
    """A run of the tenant in the history of this folder, by an app with these permissions."""
    snapshot = msgspec.structs.replace(
        sample("admin-consented"), provenance=Provenance(reader=reader, permissions=permissions)
    )
    result = audit(AuditRequest(source=GivenSnapshot(snapshot, "a test"), packs=("trackerrms-uk",)))
    with open_history(str(folder / "history.db")) as history:
        run_id = history.begin(snapshot.tenant.id, "contoso", "2026-11-21T02:17:00Z")
        history.finish(
            run_id,
            report=result.report,
            snapshot=snapshot,
            difference=None,
            exit_code=0,
            finished="2026-11-21T02:17:09Z",
        )


@pytest.mark.parametrize(
    ("reader", "then", "expected"),
    [
        pytest.param(CLIENT_ID, AUDIT_ROLES, ("ok    The permissions are the same as in the last run",), id="the same"),
        pytest.param(
            CLIENT_ID,
            (*AUDIT_ROLES[1:], "Mail.Read"),
            ("note  Removed since the last run (2026-11-21 02:17 UTC): Mail.Read", f"): {AUDIT_ROLES[0]}"),
            id="one removed and one added",
        ),
        pytest.param("00000000-0000-0000-0000-000000000001", ("Mail.Read",), (), id="of another app"),
    ],
)
def test_doctor_says_whether_its_permissions_changed_since_the_last_run(
    tmp_path: Path, reader: str, then: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    a_night(tmp_path, reader, then)
    with GraphServer(DOCUMENT) as server:
        env = {**server.env(), "CONSENT_AUDITOR_STATE": str(tmp_path)}
        done = run("doctor", *VENDOR, *at(server), cwd=tmp_path, env=env)
    assert done.code == 0
    printed = " ".join(done.out.split("\n")).replace("      ", "")
    assert all(text in printed for text in expected)
    assert ("last run" in printed) == bool(expected)


def test_a_history_that_cannot_be_read_costs_the_doctor_nothing(tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"not a database")
    with GraphServer(DOCUMENT) as server:
        env = {**server.env(), "CONSENT_AUDITOR_STATE": str(tmp_path)}
        done = run("doctor", *VENDOR, *at(server), cwd=tmp_path, env=env)
    assert (done.code, done.err) == (0, "")
    assert "last run" not in done.out
