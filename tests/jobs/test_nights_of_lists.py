"""Nights whose tenants come from lists: what is audited, said, notified and tested when a list fails or changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from auditor.cli.nightly_check import command as nightly_check
from auditor.history import History
from auditor.jobs import customer_lists
from auditor.jobs.fleet_slots import FleetConfiguration, close_slot
from auditor.jobs.night_log import NightLog
from auditor.jobs.night_setup import Clock, NightParts, Stopped
from auditor.jobs.secret_references import Secrets
from auditor.model.errors import FAILING, NO_AUDIT
from auditor.model.night import Night
from auditor.render.night import answer_of, text
from tests.graphserver import CLIENT_ID, CLIENT_SECRET, GraphServer
from tests.jobs.nights import Nights, write_tenant
from tests.jobs.partners import (
    FIRST,
    PARTNER,
    SECOND,
    SECTIONS,
    Lists,
    customer,
    partner_server,
    relationship,
)
from tests.jobs.test_live import document_of

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")
FIRST_NIGHT, SECOND_NIGHT, THIRD_NIGHT = "2026-11-20T02:00:00Z", "2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z"
NOTIFY = "notify: [{name: team, url: {env: TEAM}, expiry-before: 30d}]"


@pytest.fixture(scope="module")
def running() -> Iterator[GraphServer]:
    """The partner, a customer that consented, and one that didn't."""
    with partner_server() as server:
        document = document_of("managed-default")
        server.add_tenant({**document, "tenant": {"id": FIRST, "name": "Contoso"}}, roles=sorted(AUDITED))
        yield server


AUDITED = frozenset({"Policy.Read.All", "Policy.Read.PermissionGrant", "Application.Read.All", "Directory.Read.All"})


@pytest.fixture
def server(running: GraphServer) -> GraphServer:
    running.heal()
    for section, rows in SECTIONS.items():
        running.tenant.put(section, rows)
    running.tenant.put("delegatedAdminCustomers", [customer(FIRST, "Contoso"), customer(SECOND, "Fabrikam")])
    running.tenant.put("applications", [])
    running.set_consent(PARTNER)
    running.set_consent(FIRST, roles=sorted(AUDITED))
    return running


@pytest.fixture
def nights(tmp_path: Path, server: GraphServer) -> Nights:
    lists = Lists(tmp_path, server)
    hosts = f", authority-host: '{server.authority}', graph-endpoint: '{server.graph}'"
    entry = lists.partner(settings=f", tags: [msp]{hosts}")
    configuration = Path(lists.write(entry)).read_text() + NOTIFY + "\n"
    return Nights(tmp_path, configuration, {**lists.environ, "TEAM": "json://127.0.0.1:9/"})


def lines_of(night: Night) -> list[str]:
    return text(night).splitlines()


def test_customers_of_a_list_are_audited_and_one_without_consent_is_an_error_of_its_own(
    nights: Nights, server: GraphServer
) -> None:
    server.tenant.put(
        "delegatedAdminRelationships",
        [relationship(FIRST, "ends", ends="2026-12-01T10:00:00Z"), relationship(SECOND, "stays", extend="P180D")],
    )
    secret = {"keyId": "k", "hint": CLIENT_SECRET[:3], "endDateTime": "2026-11-29T10:00:00Z"}
    server.tenant.put("applications", [{"id": "a", "appId": CLIENT_ID, "passwordCredentials": [secret]}])
    night = nights.run(FIRST_NIGHT)
    contoso, fabrikam = night.tenants
    assert (contoso.name, contoso.tenant, contoso.exit_code) == ("Contoso", FIRST, FAILING)
    assert (fabrikam.name, fabrikam.exit_code) == ("Fabrikam", NO_AUDIT)
    assert (night.lists[0].name, night.lists[0].customers) == (f"GDAP of {PARTNER}", 2)
    (about_contoso,) = (message for message in nights.sent if message.title.startswith("Contoso"))
    assert 'The GDAP relationship "ends" with the customer ends in 11 days' in about_contoso.text
    assert not any("stays" in message.text for message in nights.sent)
    (about_list,) = (message for message in nights.sent if message.tenant == f"gdap:{PARTNER}")
    assert "The credential that lists the customers ends in 9 days" in about_list.text


def test_a_list_that_fails_is_said_each_night_and_sent_once_and_so_is_its_recovery(
    nights: Nights, server: GraphServer
) -> None:
    nights.run(FIRST_NIGHT)
    nights.sent.clear()
    server.set_consent(PARTNER, roles=["Directory.Read.All"])
    for now in (SECOND_NIGHT, THIRD_NIGHT):
        night = nights.run(now)
        assert night.exit_code == FAILING  # of the tenant that fails, which is audited anyway
        assert [one.name for one in night.tenants] == ["Contoso", "Fabrikam"]
        shown = lines_of(night)
        assert shown[0] == f"GDAP of {PARTNER}"
        assert shown[1].startswith("  The customers could not be listed: Microsoft Graph did not list")
        assert shown[3] == f"  Audited anyway: 2 customers of the list of {FIRST_NIGHT}."
        assert any(line.startswith("GDAP of") and line.endswith("3  NO LIST") for line in shown)
        assert "1 list of customers could not be read." in answer_of(night)
    of_list = [message for message in nights.sent if message.tenant == f"gdap:{PARTNER}"]
    (message,) = of_list
    assert message.title.startswith(f"GDAP of {PARTNER}: the list of customers could not be read: Microsoft Graph")
    assert "Grant the application permission DelegatedAdminRelationship.Read.All" in message.text
    server.set_consent(PARTNER)
    nights.sent.clear()
    nights.run("2026-11-23T02:00:00Z")
    (message,) = (message for message in nights.sent if message.tenant == f"gdap:{PARTNER}")
    assert message.title == f"GDAP of {PARTNER}: the list of customers can be read again"


def test_a_list_alone_that_cannot_be_read_is_no_audit(nights: Nights, server: GraphServer) -> None:
    server.set_consent(PARTNER, roles=["Directory.Read.All"])
    night = nights.run(FIRST_NIGHT, metrics=str(nights.folder / "m.prom"))
    metrics = (nights.folder / "m.prom").read_text()
    assert f'consent_auditor_customer_list_up{{list="GDAP of {PARTNER}"}} 0\n' in metrics
    assert (night.tenants, night.exit_code) == ((), NO_AUDIT)
    assert lines_of(night)[-1] == "0 tenants. 1 list of customers could not be read. Exit code 3."


def test_a_night_that_is_asked_to_end_while_it_reads_a_list_ends(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(*_: object) -> None:
        nights.stopping.request()
        await asyncio.Event().wait()

    monkeypatch.setattr(customer_lists, "_of_partner", hangs)
    with pytest.raises(Stopped):
        nights.run(FIRST_NIGHT)
    with nights.history() as history:
        assert history.runs() == ()


def test_a_customer_that_left_is_said_and_its_runs_stay(nights: Nights, server: GraphServer) -> None:
    nights.run(FIRST_NIGHT)
    server.tenant.put("delegatedAdminCustomers", [customer(SECOND, "Fabrikam")])
    night = nights.run(SECOND_NIGHT)
    assert [one.name for one in night.tenants] == ["Fabrikam"]
    assert night.lists[0].gone == ("Contoso",)
    assert "  No longer listed, and not audited any more: Contoso. The history keeps their runs." in lines_of(night)
    with nights.history() as history:
        assert [run.name for run in history.runs(FIRST)] == ["Contoso"]
    (event,) = (one for one in nights.events("list-read") if one.get("gone"))
    assert event["gone"] == ["Contoso"]


def test_workers_of_a_night_use_the_list_that_it_was_opened_with(nights: Nights, server: GraphServer) -> None:
    def opened(history: History) -> FleetConfiguration:
        return FleetConfiguration(str(nights.file), Secrets(nights.environ), history)

    with nights.history() as history:
        opened(history).with_new_lists(FIRST_NIGHT)
        server.set_consent(PARTNER, roles=["Directory.Read.All"])
        server.forget()
        configuration, _ = opened(history).of_slot(FIRST_NIGHT)
        assert [one.name for one in configuration.tenants] == ["Contoso", "Fabrikam"]
        assert not configuration.lists[0].error and not server.token_requests
        opened(history).with_new_lists(SECOND_NIGHT)
        configuration, _ = opened(history).of_slot(SECOND_NIGHT)
        log = NightLog(lambda line: None, lambda: SECOND_NIGHT, as_json=True)
        parts = NightParts(history, log, Secrets(nights.environ), Clock(lambda: SECOND_NIGHT, lambda: 0.0))
        night = close_slot(configuration, parts, SECOND_NIGHT, (), send=nights._send)
    assert "403 Authorization_RequestDenied" in night.lists[0].error
    assert (night.lists[0].customers, night.exit_code) == (2, NO_AUDIT)


def checked(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    for name, value in nights.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CONSENT_AUDITOR_STATE", str(nights.folder))
    done = CliRunner().invoke(nightly_check, ["--config", str(nights.file)], standalone_mode=False)
    assert done.exception is None, done.output
    return done.return_value, " ".join(done.output.split())


def test_a_check_says_what_a_list_has_and_which_permission_it_lacks(
    nights: Nights, server: GraphServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    server.set_consent(FIRST, roles=[*AUDITED, "DelegatedAdminRelationship.Read.All"])
    code, shown = checked(nights, monkeypatch)
    assert code == NO_AUDIT  # because of the customer without consent
    assert f"GDAP of {PARTNER} ok 2 customers; access to each comes from its own consent" in shown
    assert "note Contoso: the relationship first, until 2027-05-01, extended automatically. Roles agreed:" in shown
    assert "Directory Readers and Helpdesk Administrator; assigned to your groups: Directory Readers." in shown
    assert "note The token has DelegatedAdminRelationship.Read.All, which only the list of customers" in shown
    server.set_consent(PARTNER, roles=["Directory.Read.All"])
    code, shown = checked(nights, monkeypatch)
    assert code == NO_AUDIT
    assert "FAIL Microsoft Graph did not list delegatedAdminCustomers: 403 Authorization_RequestDenied" in shown
    assert "Grant the application permission DelegatedAdminRelationship.Read.All" in shown


def test_a_folder_of_snapshots_is_audited_without_any_access(tmp_path: Path) -> None:
    (tmp_path / "sent").mkdir()
    for name in ("acme", "fabrikam"):
        write_tenant(tmp_path / f"sent/{name}.json", change=lambda document: document.pop("tenant"))
    for name in ("acme", "fabrikam"):
        document = json.loads((tmp_path / f"sent/{name}.json").read_text())
        document["tenant"] = {"id": FIRST if name == "acme" else SECOND}
        (tmp_path / f"sent/{name}.json").write_text(json.dumps(document))
    nights = Nights(tmp_path, "version: 1\ntenants: [{snapshots: sent, packs: [trackerrms-uk]}]\n")
    first = nights.run(FIRST_NIGHT)
    assert [(one.name, one.exit_code) for one in first.tenants] == [("acme", FAILING), ("fabrikam", FAILING)]
    (tmp_path / "sent/acme.json").unlink()
    second = nights.run(SECOND_NIGHT)
    assert [one.name for one in second.tenants] == ["fabrikam"]
    assert second.lists[0].gone == ("acme",)
