"""``blocked --compare`` as a user runs it: earlier reads from files and a history, redaction, and a live tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from auditor.cli.blocked import command
from auditor.history import open_history
from auditor.jobs.audit_request import Redaction, SampleTenant, Source
from auditor.jobs.blocked import BlockedRequest, blocked_users
from auditor.jobs.prediction_reads import EarlierReads
from auditor.jobs.report_builder import build_report
from auditor.model.errors import InvalidRequest
from auditor.model.prediction import PredictionComparison
from auditor.model.snapshot import LiveTenant, Snapshot, Tenant
from auditor.snapshot.samples import patched, sample
from auditor.snapshot.write import dumps
from tests.graphserver import GraphServer
from tests.jobs.test_blocked_live import EVERYTHING, document

SAMPLE = SampleTenant(name="stopped-users")
SENTENCE = "8 of 8 consents and failed sign-ins of the last 27 days came out as predicted."


def before() -> Snapshot:
    """The sample's tenant three weeks before the change of its settings: users consent to any app."""
    policy = {
        "defaultUserRolePermissions": {
            "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]
        },
        "allowUserConsentForRiskyApps": True,
    }
    made = patched(sample("stopped-users"), {"authorizationPolicy": policy})
    return msgspec.structs.replace(made, taken="2026-10-24T02:00:00Z")


def compared(source: Source = SAMPLE, **request: Any) -> PredictionComparison:
    found = blocked_users(BlockedRequest(source=source, compares=True, **request))
    assert found.comparison is not None
    return found.comparison


def test_an_earlier_snapshot_decides_about_the_events_before_a_change(tmp_path: Path) -> None:
    file = tmp_path / "october.json"
    file.write_bytes(dumps(before()))
    assert compared().sentence == f"{SENTENCE} Nothing can be said about 2 more."
    found = compared(earlier=EarlierReads(files=(str(file),)))
    assert (found.earlier_reads, found.agrees, found.cannot_tell) == (("2026-10-24T02:00:00Z",), 9, 0)
    wino = next(app for app in found.apps if app.app.name == "Wino Mail")
    assert (wino.agrees, wino.events[0].policies_of) == (1, "2026-10-24T02:00:00Z")


def test_so_does_a_run_that_a_history_keeps_even_without_people(tmp_path: Path) -> None:
    place, kept = tmp_path / "history.db", before()
    with open_history(str(place)) as history, history.lock(kept.tenant.id):
        run = history.begin(kept.tenant.id, "relecloud", kept.taken)
        report = build_report(kept, ())
        history.finish(run, report=report, snapshot=kept, difference=None, exit_code=0, finished=kept.taken)
    found = compared(earlier=EarlierReads(history=str(place)))
    assert (found.earlier_reads, found.agrees, found.cannot_tell) == ((kept.taken,), 9, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"tenant": Tenant(id="11111111-2222-4333-8444-555555555555")}, "of another tenant", id="other"),
        pytest.param({"taken": ""}, "doesn't say when it was read", id="no time"),
    ],
)
def test_an_earlier_snapshot_that_cannot_be_used_says_why(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    file = tmp_path / "other.json"
    file.write_bytes(dumps(msgspec.structs.replace(before(), **change)))
    with pytest.raises(InvalidRequest, match=message):
        compared(earlier=EarlierReads(files=(str(file),)))


def test_redaction_keeps_the_numbers_and_hides_the_people(tmp_path: Path) -> None:
    file = tmp_path / "october.json"
    file.write_bytes(dumps(before()))
    earlier = EarlierReads(files=(str(file),))
    plain, redacted = compared(earlier=earlier), compared(earlier=earlier, redaction=Redaction())
    assert redacted.sentence == plain.sentence
    text = msgspec.json.encode(redacted).decode().lower()
    assert not [name for name in ("relecloud", "sofia", "grace", "priya") if name in text]


def test_options_of_the_comparison_need_it_and_the_answer_is_one_screen() -> None:
    done = CliRunner().invoke(command, ["--sample", "stopped-users", "--earlier", "a.json"])
    assert (done.exit_code, "add --compare" in done.output) == (2, True)
    shown = CliRunner().invoke(command, ["--sample", "stopped-users", "--compare"], standalone_mode=False)
    assert SENTENCE in " ".join(shown.output.split())
    assert len(shown.output.splitlines()) <= 46


def test_a_live_tenant_is_read_with_the_users_of_the_events(monkeypatch: pytest.MonkeyPatch) -> None:
    with GraphServer(document(), roles=EVERYTHING) as server:
        for name, value in server.env().items():
            monkeypatch.setenv(name, value)
        target = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph)
        # The entries of the sample are as old as they are, whatever the clock says.
        monkeypatch.setattr("auditor.jobs.blocked.now", lambda: "2026-11-22T02:00:00Z")
        found = compared(source=target)
        assert server.refused_writes == []
    assert found.sentence.startswith(SENTENCE)
