"""Each night says when the audit's own credential ends, and which of its permissions changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from auditor.history import open_history
from tests.cli.program import run
from tests.cli.test_doctor import DOCUMENT
from tests.graphserver import AUDIT_ROLES, CLIENT_ID, CLIENT_SECRET, GraphServer

LOST = "Organization.Read.All"


def a_tenant(days: int) -> dict[str, Any]:
    """The tenant with the audit's own app, whose secret ends in so many days."""
    end = datetime.now(UTC) + timedelta(days=days, hours=1)
    secret = {"keyId": "k1", "hint": CLIENT_SECRET[:3], "endDateTime": f"{end:%Y-%m-%dT%H:%M:%SZ}"}
    own = {"id": "own", "appId": CLIENT_ID, "passwordCredentials": [secret]}
    return {**DOCUMENT, "sections": {**DOCUMENT["sections"], "applications": [own]}}


def test_a_night_keeps_the_end_of_its_credential_and_compares_its_permissions(tmp_path: Path) -> None:
    with GraphServer(a_tenant(days=12)) as server:
        entry = {
            "name": "contoso",
            "tenant": server.tenant.id,
            "packs": ["trackerrms-uk"],
            "authority-host": server.authority,
            "graph-endpoint": server.graph,
        }
        (tmp_path / "consent-auditor.yaml").write_text(json.dumps({"version": 1, "tenants": [entry]}))
        env = {**server.env(), "CONSENT_AUDITOR_STATE": str(tmp_path / "state")}
        first = run("nightly", "run", cwd=tmp_path, env=env)
        requests = len(server.requests)
        server.roles = frozenset(AUDIT_ROLES) - {LOST}
        second = run("nightly", "run", cwd=tmp_path, env=env)
    assert "in 12 days" in first.out and "credential" in first.out
    assert requests <= 3, "the app registration is read in a batch that is sent anyway"
    assert LOST in second.out
    with open_history(str(tmp_path / "state/history.db"), must_exist=True) as history:
        last, _ = history.runs("contoso")
        difference = history.difference(last.id)
    assert last.credential_expires
    assert difference is not None
    assert f"permission/{LOST.lower()}" in {change.key for change in difference.changes}
    assert CLIENT_SECRET not in first.out + first.err + second.out + second.err
