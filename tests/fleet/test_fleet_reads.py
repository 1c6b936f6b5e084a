"""Reading many tenants at once from a real server: what they share, and that none delays or hides another."""

from __future__ import annotations

import gc
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor.consent.decide import decide
from auditor.graph.fleet_limits import AppThrottle, FleetLimits
from auditor.jobs.audit import PreparedAudit
from auditor.jobs.audit_request import SILENT
from auditor.jobs.fleet_reads import TenantRead, TenantToken, ask_fleet, read_fleet
from auditor.jobs.night_setup import Stopped, Stopping, prepared_audit
from auditor.jobs.secret_references import Secrets, live_tenant_of
from auditor.model.configuration import CredentialEntry, SecretKind, SecretRef, TenantEntry
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.graphserver import CLIENT_SECRET, Challenge, GraphServer, Held, Refusal, Silence, Tenant

SAMPLES = ("managed-default", "legacy-open", "admin-consented", "custom-policy")
OUTCOMES = {
    "managed-default": "needs-admin",
    "legacy-open": "user-may-consent",
    "admin-consented": "connects-silently",
    "custom-policy": "user-may-consent",
}
NUMBER = 12
CONCURRENCY = 3


def tenant_of(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"customer-{number}.example"))


IDS = tuple(map(tenant_of, range(NUMBER)))


@pytest.fixture(scope="module")
def serving() -> Iterator[GraphServer]:
    tenants = [Tenant(msgspec.json.decode(dumps(sample(name)))) for name in SAMPLES]
    with GraphServer(tenants[0].document) as server:
        for number, tenant_id in enumerate(IDS):
            server.add_tenant(tenants[number % len(tenants)], tenant_id=tenant_id)
        yield server


@pytest.fixture
def server(serving: GraphServer) -> Iterator[GraphServer]:
    serving.forget()
    yield serving
    serving.heal()
    for tenant_id in IDS:
        serving.set_consent(tenant_id)


_PREPARED: list[PreparedAudit] = []


def jobs_of(server: GraphServer, numbers: Sequence[int] = range(NUMBER), **fields: Any) -> list[Any]:
    """The entries of these tenants with their audits, whose packs are loaded once."""
    at = {"authority_host": server.authority, "graph_endpoint": server.graph, "packs": ("trackerrms-uk",)}
    entries = [TenantEntry(name=f"customer-{number}", tenant=IDS[number], **{**at, **fields}) for number in numbers]
    if not _PREPARED:
        _PREPARED.append(prepared_audit(entries[0]))
    request = _PREPARED[0].request
    return [
        (
            entry,
            msgspec.structs.replace(
                _PREPARED[0], request=msgspec.structs.replace(request, source=live_tenant_of(entry))
            ),
        )
        for entry in entries
    ]


def secrets_of(server: GraphServer, auth: Any = "secret", more: Mapping[str, str] | None = None) -> Secrets:
    return Secrets({**server.env(auth), **(more or {})})


def outcome_of(read: TenantRead) -> str:
    """The decision on TrackerRMS, or why there is none."""
    if read.snapshot is None:
        assert read.failure is not None
        return read.failure.code or read.failure.error
    assert read.snapshot.tenant.id == read.entry.tenant
    app = read.prepared.packs[0].app
    assert app is not None
    return decide(read.snapshot, app).outcome.value


EXPECTED = tuple(OUTCOMES[SAMPLES[number % len(SAMPLES)]] for number in range(NUMBER))


def test_all_tenants_share_connections_and_each_has_one_token_and_its_own_decision(server: GraphServer) -> None:
    before = server.connections, server.token_connections
    seen: list[tuple[int, int, int]] = []
    interaction = SILENT._replace(on_tenant=lambda *counts: seen.append(counts))
    found = read_fleet(
        jobs_of(server), secrets_of(server), outcome_of, concurrency=CONCURRENCY, interaction=interaction
    )
    assert found == EXPECTED
    assert seen == [(number, 0, NUMBER) for number in range(NUMBER + 1)]
    assert server.connections - before[0] <= CONCURRENCY
    assert server.token_connections - before[1] <= CONCURRENCY
    assert 1 <= server.peak_in_flight <= CONCURRENCY
    # No discovery: a token is all that is asked of the sign-in service.
    assert Counter((one.method, one.path.partition("/oauth2")[2], one.tenant) for one in server.token_requests) == {
        ("POST", "/v2.0/token", tenant_id): 1 for tenant_id in IDS
    }


def test_a_certificate_is_loaded_once_and_gives_each_tenant_its_own_token(
    server: GraphServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from azure.identity.aio import CertificateCredential

    made: list[str] = []
    make = CertificateCredential.__init__

    def counted(self: Any, tenant_id: str, *arguments: Any, **options: Any) -> None:
        made.append(tenant_id)
        make(self, tenant_id, *arguments, **options)

    monkeypatch.setattr(CertificateCredential, "__init__", counted)
    tokens = ask_fleet([job[0] for job in jobs_of(server)], secrets_of(server, "certificate"), lambda token: token)
    assert [token.claims and token.claims.tenant_id for token in tokens] == list(IDS)
    assert len(made) == 1
    assert len(server.token_requests) == NUMBER


def test_with_single_tenant_credentials_in_the_environment_a_certificate_is_still_asked_for_each_tenant(
    server: GraphServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_IDENTITY_DISABLE_MULTITENANTAUTH", "1")
    entries = [job[0] for job in jobs_of(server, (0, 1))]
    tokens = ask_fleet(entries, secrets_of(server, "certificate"), lambda token: token)
    assert [token.claims and token.claims.tenant_id for token in tokens] == list(IDS[:2])


def test_a_token_that_graph_refuses_is_replaced_also_if_tenants_share_a_certificate(server: GraphServer) -> None:
    jobs, secrets = jobs_of(server, (0, 1)), secrets_of(server, "certificate")
    server.fault("/$batch", Challenge(claims=""), tenant=IDS[0])
    assert read_fleet(jobs, secrets, outcome_of, concurrency=1) == EXPECTED[:2]
    assert Counter(one.tenant for one in server.token_requests) == {IDS[0]: 2, IDS[1]: 1}


def test_a_hanging_tenant_ends_at_its_deadline_and_stops_no_other(server: GraphServer) -> None:
    server.fault("/$batch", Silence(), tenant=IDS[0], times=None)
    # The hanging tenant has the only place, until its request stalls.
    jobs = [*jobs_of(server, (0,), timeout=0.5), *jobs_of(server, (1, 2, 3))]
    limits = FleetLimits(1, stalled_seconds=0.01)
    first, *others = read_fleet(jobs, secrets_of(server), outcome_of, limits=limits)
    assert "no answer from" in first
    assert tuple(others) == EXPECTED[1:4]


def test_a_slow_tenant_keeps_nobody_waiting_and_is_not_hidden(server: GraphServer) -> None:
    others_are_done = threading.Event()
    server.fault("/$batch", Held(others_are_done), tenant=IDS[0])
    done: list[str] = []

    def use(read: TenantRead) -> str:
        done.append(read.entry.name)
        if len(done) == 3:
            others_are_done.set()
        return outcome_of(read)

    limits = FleetLimits(1, stalled_seconds=0.01)
    found = read_fleet(jobs_of(server, range(4)), secrets_of(server), use, limits=limits)
    assert found == EXPECTED[:4]
    assert done[-1] == "customer-0"


def test_a_failing_tenant_is_in_the_results_and_counted_with_the_code_and_no_secret(server: GraphServer) -> None:
    server.set_consent(IDS[1], refused=Refusal.NOT_FOUND)
    seen: list[tuple[int, int, int]] = []
    interaction = SILENT._replace(on_tenant=lambda *counts: seen.append(counts))
    found = read_fleet(jobs_of(server, (0, 1, 2)), secrets_of(server), lambda read: read, interaction=interaction)
    assert [read.failure and read.failure.code for read in found] == [None, "AADSTS700016", None]
    assert seen[-1] == (3, 1, 3)
    assert CLIENT_SECRET not in repr(found[1])


def test_asking_for_tokens_reads_nothing_from_graph(server: GraphServer) -> None:
    server.set_consent(IDS[0], roles=("Policy.Read.All",))
    server.set_consent(IDS[1], refused=Refusal.NOT_FOUND)
    entries = [job[0] for job in jobs_of(server, (0, 1))]
    partly, not_yet = ask_fleet(entries, secrets_of(server), TenantToken._asdict)
    assert partly["claims"].roles == ("Policy.Read.All",)
    assert not_yet["failure"].code == "AADSTS700016"
    assert server.requests == []


@pytest.mark.parametrize(
    ("scope", "are_all_paused"),
    [
        pytest.param("Application", True, id="the-app-in-all-tenants"),
        pytest.param("Tenant_Application", False, id="the-app-in-one-tenant"),
        pytest.param("Tenant", False, id="one-tenant"),
    ],
)
@pytest.mark.parametrize("match", [pytest.param("/$batch", id="a-batch"), pytest.param("policies", id="an-item")])
def test_a_429_pauses_those_whom_its_scope_names(
    server: GraphServer, monkeypatch: pytest.MonkeyPatch, match: str, scope: Any, are_all_paused: bool
) -> None:
    paused: list[bool] = []
    note = AppThrottle.throttled

    def noted(self: AppThrottle, *arguments: Any) -> bool:
        paused.append(note(self, *arguments))
        return paused[-1]

    monkeypatch.setattr(AppThrottle, "throttled", noted)
    server.throttle(0.01, tenant=IDS[0], scope=scope, match=match)
    assert read_fleet(jobs_of(server, (0, 1)), secrets_of(server), outcome_of, concurrency=1) == EXPECTED[:2]
    assert paused == [are_all_paused]


def test_snapshots_are_freed_as_soon_as_they_were_used(server: GraphServer) -> None:
    def alive() -> int:
        gc.collect()
        return sum(isinstance(one, Snapshot) for one in gc.get_objects())

    before, counts = alive(), list[int]()

    def use(read: TenantRead) -> str:
        counts.append(alive() - before)
        return outcome_of(read)

    read_fleet(jobs_of(server), secrets_of(server), use, concurrency=2)
    # Those that are being read, and the few whose indexes are kept.
    assert max(counts) <= 2 + 5
    assert max(counts[6:]) <= max(counts[:6]) + 1


def test_a_file_that_is_not_there_fails_by_itself(server: GraphServer, tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_bytes(dumps(sample("legacy-open")))
    entries = [
        TenantEntry(name=name, snapshot=str(tmp_path / f"{name}.json"), packs=("trackerrms-uk",))
        for name in ("lost", "kept")
    ]
    lost, kept = read_fleet([(one, prepared_audit(one)) for one in entries], Secrets({}), lambda read: read)
    assert lost.failure is not None
    assert str(tmp_path / "lost.json") in lost.failure.error
    assert kept.snapshot is not None


def test_a_secret_that_does_not_come_in_time_fails_by_itself(server: GraphServer) -> None:
    answered = threading.Event()

    def vault(address: str) -> str:
        answered.wait(30)
        return CLIENT_SECRET

    ref = SecretRef(kind=SecretKind.KEY_VAULT, name="https://vault.example/secrets/one")
    slow = CredentialEntry(client_id=server.client.client_id, secret=ref)
    jobs = [*jobs_of(server, (0,), credential=slow, timeout=0.05), *jobs_of(server, (1,))]
    secrets = Secrets(server.env(), read_vault=vault)
    try:
        first, second = read_fleet(jobs, secrets, outcome_of)
    finally:
        answered.set()
    assert first == "the tenant's secret could not be read within 0 seconds"
    assert second == EXPECTED[1]


def test_what_is_made_of_a_tenant_may_raise_and_ends_the_reads(server: GraphServer) -> None:
    def use(read: TenantRead) -> str:
        raise LookupError(read.entry.name)

    with pytest.raises(LookupError, match="customer-0"):
        read_fleet(jobs_of(server), secrets_of(server), use, concurrency=1)


def test_a_sign_in_host_that_is_not_there_is_not_taken_for_a_certificate(server: GraphServer) -> None:
    with socket.create_server(("localhost", 0)) as closed:
        port = closed.getsockname()[1]
    entries = [job[0] for job in jobs_of(server, (0,), authority_host=f"https://localhost:{port}", timeout=5)]
    (token,) = ask_fleet(entries, secrets_of(server), lambda token: token)
    assert token.failure is not None
    assert token.failure.error == f"no answer from localhost:{port}: the connection was refused"
    assert token.failure.advice.startswith(f"Can this machine reach localhost on port {port}?")


def test_a_stopped_process_ends_the_reads(server: GraphServer) -> None:
    stopping = Stopping()
    server.fault("/$batch", Silence(), times=None)

    def asked(done: int, failed: int, total: int) -> None:
        threading.Timer(0.05, stopping.request).start()

    with pytest.raises(Stopped):
        read_fleet(
            jobs_of(server, (0, 1)),
            secrets_of(server),
            outcome_of,
            interaction=SILENT._replace(on_tenant=asked),
            stopping=stopping,
        )
