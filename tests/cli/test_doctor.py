"""What ``doctor`` says of the audit's own credential."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import at, run
from tests.graphserver import CLIENT_ID, CLIENT_SECRET, GraphServer

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
