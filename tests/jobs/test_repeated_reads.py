"""``--wait-until connects`` reads a tenant again until a change has arrived, by a clock that only the test moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from auditor.graph.graph_errors import CredentialError, Unreachable
from auditor.jobs import repeated_reads
from auditor.jobs.audit import PreparedAudit, check, evaluate, exit_code, prepare
from auditor.jobs.audit_request import AuditRequest, GivenSnapshot, Interaction, SampleTenant, SnapshotFiles, Source
from auditor.jobs.repeated_reads import WaitingClock, duration, read_until_connected
from auditor.model.decision import Outcome
from auditor.model.errors import FAILING, OK, InvalidRequest
from auditor.model.report import Report
from auditor.model.snapshot import LiveTenant, Snapshot
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.graphserver import GraphServer

PACKS = ("trackerrms-uk",)


class Pauses:
    """A clock that only pauses move, and what happens in the tenant during each of them."""

    def __init__(self, *happens: Callable[[], None]) -> None:
        self.slept: list[float] = []
        self._happens = iter(happens)
        self._now = 1000.0

    @property
    def clock(self) -> WaitingClock:
        """The clock for the job."""
        return WaitingClock(lambda: self._now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += seconds
        next(self._happens, lambda: None)()


class Said(list[str]):
    """Everything that the job said, a message each."""

    @property
    def interaction(self) -> Interaction:
        """How the job says it."""
        return Interaction(say=self.append)


def document(name: str) -> dict[str, Any]:
    """A sample tenant as the server serves it."""
    found: dict[str, Any] = json.loads(dumps(sample(name)))
    return found


@contextmanager
def served(name: str, monkeypatch: pytest.MonkeyPatch, seconds: float) -> Iterator[tuple[GraphServer, PreparedAudit]]:
    """A server for this sample, and a request to wait for it, loaded."""
    with GraphServer(document(name)) as server:
        for variable, value in server.env().items():
            monkeypatch.setenv(variable, value)
        tenant = LiveTenant(authority_host=server.authority, graph_endpoint=server.graph, timeout=seconds)
        yield server, prepare(AuditRequest(source=tenant, packs=PACKS, waits=True))
        assert server.refused_writes == []


def from_files(monkeypatch: pytest.MonkeyPatch, *reads: Snapshot | Exception) -> tuple[PreparedAudit, list[float]]:
    """A request whose reads end like this, the last one for good, and the time limits of the reads."""
    limits: list[float] = []

    def read(request: AuditRequest, *_: object) -> tuple[Snapshot, str]:
        assert isinstance(request.source, LiveTenant)
        limits.append(request.source.timeout)
        found = reads[min(len(limits), len(reads)) - 1]
        if isinstance(found, Exception):
            raise found
        return found, "live"

    monkeypatch.setattr(repeated_reads, "read_source", read)
    return prepare(AuditRequest(source=LiveTenant(timeout=600), packs=PACKS, waits=True)), limits


def report_on(prepared: PreparedAudit, snapshot: Snapshot) -> Report:
    """What check reports on the snapshot."""
    return evaluate(prepared, snapshot, "live").report


def outcomes(snapshot: Snapshot, prepared: PreparedAudit) -> set[Outcome]:
    """The outcomes of the decisions."""
    return {decision.outcome for decision in check(snapshot, prepared.packs).decisions}


def test_a_tenant_that_changes_between_two_reads_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said()
    with served("managed-default", monkeypatch, 3600) as (server, prepared):
        after = document("admin-consented")["sections"]

        def consent() -> None:
            for section in ("servicePrincipals", "oauth2PermissionGrants"):
                server.tenant.put(section, after[section])

        pauses = Pauses(lambda: None, consent)
        snapshot, origin = read_until_connected(prepared, said.interaction, pauses.clock)
    assert outcomes(snapshot, prepared) == {Outcome.CONNECTS_SILENTLY}
    assert origin == "live, read through Microsoft Graph"
    assert exit_code(report_on(prepared, snapshot), fail_on="medium", strict=False) == OK
    assert pauses.slept == [10.0, 15.0]
    assert said == [
        f"Waiting up to 1 h until users can connect. {repeated_reads.HOW_LONG}",
        "After 0 s: needs-admin for TrackerRMS. Reading again in 10 s.",
        "After 10 s: needs-admin for TrackerRMS. Reading again in 15 s.",
        "After 25 s: users can connect.",
    ]


def test_when_the_time_is_over_the_last_read_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    said, pauses = Said(), Pauses()
    with served("managed-default", monkeypatch, 60) as (_, prepared):
        snapshot, _ = read_until_connected(prepared, said.interaction, pauses.clock)
    assert outcomes(snapshot, prepared) == {Outcome.NEEDS_ADMIN}
    assert exit_code(report_on(prepared, snapshot), fail_on="medium", strict=False) == FAILING
    assert pauses.slept == [10.0, 15.0, 22.5, 2.5]
    assert said[-1] == (
        "After 50 s, the time is over: users can't connect yet (needs-admin for TrackerRMS)."
        " This is the report of the last read."
    )


def test_a_tenant_whose_users_can_connect_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said, pauses = Said(), Pauses()
    prepared, limits = from_files(monkeypatch, sample("legacy-open"))
    read_until_connected(prepared, said.interaction, pauses.clock)
    assert (pauses.slept, limits) == ([], [120])
    assert said == ["After 0 s: users can connect."]


def test_pauses_grow_to_two_minutes_and_each_read_has_the_time_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = Pauses()
    prepared, limits = from_files(monkeypatch, sample("managed-default"))
    read_until_connected(prepared, clock=pauses.clock)
    assert pauses.slept == sorted(pauses.slept[:-1]) + pauses.slept[-1:]
    assert max(pauses.slept) <= 120
    assert sum(pauses.slept) == 590
    assert limits[0] == 120
    assert limits[-1] == 10


def test_a_read_that_fails_during_the_wait_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    said, pauses = Said(), Pauses()
    broken = Unreachable("the connection broke")
    prepared, _ = from_files(monkeypatch, sample("managed-default"), broken, sample("admin-consented"))
    snapshot, _ = read_until_connected(prepared, said.interaction, pauses.clock)
    assert outcomes(snapshot, prepared) == {Outcome.CONNECTS_SILENTLY}
    assert "This read failed: the connection broke." in said


def test_a_first_read_that_fails_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, _ = from_files(monkeypatch, CredentialError("no credential is set"))
    with pytest.raises(CredentialError):
        read_until_connected(prepared, clock=Pauses().clock)


def test_after_reads_that_fail_until_the_end_the_last_report_is_that_of_the_last_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = Said()
    prepared, _ = from_files(monkeypatch, sample("managed-default"), Unreachable("the connection broke"))
    snapshot, _ = read_until_connected(prepared, said.interaction, Pauses().clock)
    assert snapshot == sample("managed-default")
    assert "the time is over" in said[-1]


def test_ctrl_c_during_a_pause_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    prepared, _ = from_files(monkeypatch, sample("managed-default"))

    def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_until_connected(prepared, clock=Pauses(interrupted).clock)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(SnapshotFiles(("tenant.json",)), id="a snapshot file"),
        pytest.param(SampleTenant("managed-default"), id="a sample"),
        pytest.param(GivenSnapshot(sample("managed-default")), id="a snapshot in memory"),
    ],
)
def test_what_never_changes_is_not_waited_for(source: Source) -> None:
    prepared = prepare(AuditRequest(source=source, packs=PACKS, waits=True))
    with pytest.raises(InvalidRequest, match="a snapshot or a sample never changes"):
        read_until_connected(prepared)


def test_a_sign_in_by_device_code_is_refused_because_each_read_would_ask_for_one() -> None:
    prepared = prepare(AuditRequest(source=LiveTenant(auth="device-code"), packs=PACKS, waits=True))
    with pytest.raises(InvalidRequest, match="sign in each time"):
        read_until_connected(prepared)


def test_packs_without_an_app_have_nothing_to_wait_for() -> None:
    prepared = prepare(AuditRequest(source=LiveTenant(), packs=("cisa-scuba",), waits=True))
    with pytest.raises(InvalidRequest, match="none of the packs is about one"):
        read_until_connected(prepared)


def test_two_apps_that_cannot_connect_are_both_named(monkeypatch: pytest.MonkeyPatch) -> None:
    said = Said()
    prepared, _ = from_files(monkeypatch, sample("managed-default"), sample("admin-consented"))
    (pack,) = prepared.packs
    assert pack.app is not None
    other = msgspec.structs.replace(
        pack, name="other", app=msgspec.structs.replace(pack.app, name="Other", client_id=f"{pack.app.client_id[:-1]}9")
    )
    prepared = msgspec.structs.replace(prepared, packs=(pack, other))
    read_until_connected(prepared, said.interaction, Pauses().clock)
    assert "needs-admin for TrackerRMS and depends for Other" in said[1]
    assert "depends for Other" in said[2]
    assert "TrackerRMS" not in said[2]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        pytest.param(0.2, "0 s", id="nothing"),
        pytest.param(45, "45 s", id="seconds"),
        pytest.param(150, "2 min 30 s", id="minutes and seconds"),
        pytest.param(3600, "1 h", id="an hour"),
        pytest.param(5400, "1 h 30 min", id="hours and minutes"),
    ],
)
def test_a_time_is_readable(seconds: float, text: str) -> None:
    assert duration(seconds) == text
