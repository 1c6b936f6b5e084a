"""A file that is missing, cut or only one page makes an answer less firm, never another one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.consent.decide import decide
from auditor.jobs.audit import check
from auditor.jobs.snapshot_files import read_snapshot
from auditor.model.decision import Confidence, Outcome
from auditor.model.rule import App, FindingOutcome
from auditor.packs.load import load_packs
from tests.snapshot.test_import_files import CLIENT_ID, IMPORTS

PACKS = load_packs(["trackerrms-uk", "cisa-scuba", "grants-hygiene", "microsoft-recommended"])
APP: App = next(pack.app for pack in PACKS if pack.app is not None)
GRAPH = IMPORTS / "graph"
FILES = sorted(path.name for path in GRAPH.iterdir())
PAGED = [name for name in FILES if isinstance(json.loads((GRAPH / name).read_text("utf-8-sig")).get("value"), list)]


def cut(value: Any, depth: int) -> Any:
    """The value as ConvertTo-Json prints it with this depth."""
    if not isinstance(value, list | dict):
        return value
    if depth < 0:
        return " ".join(map(str, value)) if isinstance(value, list) else "@{id=1}"
    if isinstance(value, list):
        return [cut(item, depth - 1) for item in value]
    return {key: cut(item, depth - 1) for key, item in value.items()}


NO_GRANT = {
    "@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#servicePrincipals('{CLIENT_ID}')/oauth2PermissionGrants",
    "value": [],
}


def copied(folder: Path, is_granted: bool, name: str = "", how: str = "") -> str:
    """A copy of the folder, with the file `name` changed or left out; without the grant unless it `is_granted`."""
    folder.mkdir()
    for path in GRAPH.iterdir():
        document = json.loads(path.read_text("utf-8-sig"))
        if path.name == "grants.json" and not is_granted:
            document = dict(NO_GRANT)
        if path.name == name:
            if how == "removed":
                continue
            if how == "one page":
                document["@odata.nextLink"] = "https://graph.microsoft.com/v1.0/next"
            elif how.startswith("depth"):
                document = cut(document, int(how.removeprefix("depth ")))
        (folder / path.name).write_text(json.dumps(document), encoding="utf-8")
    return str(folder)


CHANGES = [
    *(pytest.param(name, "removed", id=f"{name} removed") for name in FILES),
    *(pytest.param(name, "one page", id=f"{name} one page") for name in PAGED),
    *(pytest.param(name, f"depth {n}", id=f"{name} depth {n}") for name in FILES for n in (1, 2, 3)),
]


@pytest.mark.parametrize(
    ("is_granted", "outcome"),
    [
        pytest.param(True, Outcome.CONNECTS_SILENTLY, id="granted"),
        pytest.param(False, Outcome.NEEDS_ADMIN, id="not granted"),
    ],
)
@pytest.mark.parametrize(("name", "how"), CHANGES)
def test_lost_data_makes_no_answer_firmer_or_another_one(
    name: str, how: str, is_granted: bool, outcome: Outcome, tmp_path: Path
) -> None:
    before = read_snapshot([copied(tmp_path / "before", is_granted)])
    after = read_snapshot([copied(tmp_path / "after", is_granted, name, how)], before.tenant.id)
    was, now = decide(before, APP), decide(after, APP)
    assert was.outcome is outcome
    assert now.outcome in (was.outcome, Outcome.DEPENDS)
    assert now.confidence is was.confidence or now.confidence is Confidence.LIKELY or now.outcome is Outcome.DEPENDS
    outcomes = {(one.pack, one.rule): one.outcome for one in check(before, PACKS).findings}
    for finding in check(after, PACKS).findings:
        allowed = (outcomes[finding.pack, finding.rule], FindingOutcome.UNKNOWN)
        assert finding.outcome in allowed, (finding.rule, finding.reason)
