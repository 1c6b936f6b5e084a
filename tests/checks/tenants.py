"""Small tenants for one check at a time, and what a check says of them."""

from __future__ import annotations

from typing import Any

from auditor.checks.kind import CheckContext, CheckKind
from auditor.model.snapshot import Snapshot
from tests.consent.from_oracle import snapshot_of
from tests.oracle import pool

GRAPH_SP = pool.resource(pool.GRAPH)
PART = {"servicePrincipals": [pool.CLIENT]}
"""What a section covers that was read for one app only."""


def tenant(covers: dict[str, Any] | None = None, cloud: str = "global", **sections: Any) -> Snapshot:
    return snapshot_of(pool.snapshot(sections, covers=covers or {}, cloud=cloud))


def says(check: CheckKind, snapshot: Snapshot) -> str:
    return check.judge(CheckContext(snapshot)).outcome.value


def principal(app: str = pool.CLIENT, **properties: Any) -> dict[str, Any]:
    return {**pool.client(**properties), "id": pool.OBJECT_IDS[app], "appId": app}
