"""The tenants of lists: read from a partner's tenant and from folders, merged, named, and kept for the next night."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.history import History, open_history
from auditor.jobs.customer_names import name_key, with_labels
from auditor.jobs.nightly_forms import folder_name
from auditor.model.customers import Customer, CustomerList
from auditor.render.customer_lists import list_lines, list_night
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.graphserver import CLIENT_ID, CLIENT_SECRET, GraphServer, Refusal, Status
from tests.graphserver.call import Call
from tests.jobs.nights import write_tenant
from tests.jobs.partners import (
    FIRST,
    HELPDESK,
    NOW,
    PARTNER,
    READER,
    SECOND,
    SECTIONS,
    THIRD,
    Lists,
    customer,
    partner_server,
    relationship,
)

pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")
LATER = "2026-11-23T02:00:00Z"
RELATIONSHIPS = "/tenantRelationships/delegatedAdminRelationships"


@pytest.fixture(scope="module")
def running() -> Iterator[GraphServer]:
    with partner_server(page_size=1) as server:
        yield server


@pytest.fixture
def server(running: GraphServer) -> GraphServer:
    running.heal()
    running.forget()
    for section, rows in SECTIONS.items():
        running.tenant.put(section, rows)
    running.set_consent(PARTNER)
    return running


@pytest.fixture
def lists(tmp_path: Path, server: GraphServer) -> Lists:
    return Lists(tmp_path, server)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with open_history(str(tmp_path / "history.db")) as opened:
        yield opened


def names(found: CustomerList) -> list[str]:
    return [one.label for one in found.customers]


def lines_of(found: CustomerList) -> list[str]:
    return list(list_lines(list_night(found)))


def only(lists: tuple[CustomerList, ...]) -> CustomerList:
    (found,) = lists
    return found


def test_customers_with_relationships_become_tenants_with_the_roles_agreed_and_assigned(lists: Lists) -> None:
    configuration, found = lists.read(lists.partner(settings=", tags: [msp], fail-on: high"))
    assert [(one.name, one.tenant, one.tags, one.fail_on) for one in configuration.tenants] == [
        ("Contoso", FIRST, ("msp",), "high"),
        ("Fabrikam", SECOND, ("msp",), "high"),
        ("Tailspin", THIRD, ("msp",), "high"),
    ]
    # The address and the credential of the partner's list aren't those of its customers.
    assert {(one.credential, one.graph_endpoint) for one in configuration.tenants} == {(None, "")}
    first, earlier = configuration.tenants[0].relationships
    assert (first.name, first.status, first.ends[:10], first.extends) == ("first", "active", "2027-05-01", True)
    assert (set(first.roles), first.assigned_roles) == ({READER, HELPDESK}, (READER,))
    assert (earlier.status, earlier.assigned_roles, earlier.extends) == ("expired", (), False)
    assert only(found).source == f"gdap:{PARTNER}"
    assert lines_of(only(found)) == ["3 customers."]


def test_only_reads_of_the_partner_are_sent_and_each_page_is_followed(lists: Lists, server: GraphServer) -> None:
    lists.read(lists.partner(), lists.partner("contracts"))
    sent = [path for request in server.requests for path in request.paths]
    assert sum(path.endswith("/delegatedAdminCustomers") for path in sent) >= 3
    assert sum(path.endswith("/contracts") for path in sent) >= 3
    # Only relationships in force have assignments.
    assert {path.split("/")[-2] for path in sent if path.endswith("/accessAssignments")} == {"first", "second"}
    assert {request.tenant_id for request in server.requests} == {PARTNER}
    assert not server.refused_writes


def test_contracts_name_each_customer_once_and_match_an_entry_with_its_domain(lists: Lists) -> None:
    own = "{tenant: contoso.example, name: own, packs: [cisa-scuba], tags: [gold]}"
    configuration, found = lists.read(own, lists.partner("contracts", ", tags: [msp]"))
    assert [(one.name, one.tenant, one.tags, one.packs) for one in configuration.tenants] == [
        ("own", "contoso.example", ("gold", "msp"), ("cisa-scuba",)),
        ("Fabrikam", SECOND, ("msp",), ("trackerrms-uk",)),
    ]
    assert names(only(found)) == ["Fabrikam", "own"]


def test_a_customer_of_two_lists_and_of_an_entry_is_one_tenant(lists: Lists) -> None:
    own = f"{{tenant: {SECOND.upper()}, name: the second, tags: [gold]}}"
    gdap, contracts = lists.partner(settings=", tags: [gdap]"), lists.partner("contracts", ", tags: [contract]")
    configuration, found = lists.read(own, gdap, contracts)
    assert [(one.name, one.tags, len(one.relationships)) for one in configuration.tenants] == [
        ("the second", ("gold", "gdap", "contract"), 1),
        ("Contoso", ("gdap", "contract"), 2),
        ("Tailspin", ("gdap",), 1),
    ]
    assert [names(one) for one in found] == [["Contoso", "Tailspin", "the second"], ["Contoso", "the second"]]


def test_only_and_except_choose_customers_and_two_entries_share_one_read(lists: Lists, server: GraphServer) -> None:
    chosen = lists.partner(settings=f", only: [contoso, {SECOND}], tags: [gold]")
    others = lists.partner(settings=", except: [Contoso, fabrikam, Contosso]")
    configuration, found = lists.read(chosen, others)
    assert [(one.name, one.tags) for one in configuration.tenants] == [
        ("Contoso", ("gold",)),
        ("Fabrikam", ("gold",)),
        ("Tailspin", ()),
    ]
    assert names(only(found)) == ["Contoso", "Fabrikam", "Tailspin"]
    assert only(found).notes == ('the list has no customer "Contosso", which except names',)
    assert len(server.token_requests) == 1
    none = lists.read(lists.partner(settings=", only: [nobody]"))
    assert not none.configuration.tenants
    assert only(none.lists).error == "the configuration selects none of the 3 customers of the list"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        pytest.param("../../etc/passwd", "etc-passwd", id="path"),
        pytest.param('a\\b:c*d?"<|>', "a-b-c-d-----", id="signs"),
        pytest.param("\u202eosotnoC\u200b", "osotnoC", id="invisible"),
        pytest.param("  --config\n\tx  ", "config x", id="option"),
        pytest.param("CON", FIRST, id="device"),
        pytest.param("\x00\u200b ..", FIRST, id="nothing"),
        pytest.param("", FIRST, id="none"),
        pytest.param("Ｃontoso", "Contoso", id="wide letters"),
        pytest.param("é" * 500, "é" * 40, id="long"),
        pytest.param("=cmd|' /C calc'!A0", "cmd-' -C calc'!A0", id="formula"),
    ],
)
def test_any_display_name_becomes_the_name_of_a_folder(name: str, label: str) -> None:
    (found,) = with_labels([Customer(tenant=FIRST, name=name, source="gdap:partner")], {}, {}, {})
    assert found.label == label


@given(st.lists(st.text(max_size=70), min_size=1, max_size=6), st.sets(st.text(min_size=1, max_size=8), max_size=3))
def test_labels_are_folders_of_their_own_whatever_the_names_and_their_order(names: list[str], taken: set[str]) -> None:
    customers = [
        Customer(tenant=f"{number:08}-0000-4000-8000-000000000000", name=name, source="gdap:partner")
        for number, name in enumerate(names)
    ]
    others = {name_key(name): "another" for name in taken}
    found = with_labels(customers, {}, others, {})
    labels = [one.label for one in found]
    assert all(folder_name(label) is None for label in labels)
    assert len({name_key(label) for label in labels} | others.keys()) == len(labels) + len(others)
    assert with_labels(customers[::-1], {}, others, {}) == found
    assert with_labels(customers, {}, others, {one.key: one for one in found}) == found


def test_nobody_takes_the_name_of_another_customer(lists: Lists, server: GraphServer, history: History) -> None:
    lists.read(lists.partner(), history=history, record=True)
    renamed = [customer(FIRST, "Contoso"), customer(SECOND, "CONTOSO"), customer(THIRD, "own")]
    server.tenant.put("delegatedAdminCustomers", renamed)
    own = "{tenant: own.example, name: own}"
    with_history, _ = lists.read(own, lists.partner(), history=history, now=LATER)
    assert [one.name for one in with_history.tenants] == ["own", "Contoso", "CONTOSO-bbbbbbbb", "own-cccccccc"]
    # Without earlier names nobody is first, so that the order of the list decides nothing.
    for rows in (renamed, renamed[::-1]):
        server.tenant.put("delegatedAdminCustomers", rows)
        without, _ = lists.read(own, lists.partner())
        assert [one.name for one in without.tenants] == ["own", "Contoso-aaaaaaaa", "CONTOSO-bbbbbbbb", "own-cccccccc"]


def test_who_is_new_and_who_is_gone_is_said_once_and_kept(lists: Lists, server: GraphServer, history: History) -> None:
    first = lists.read(lists.partner(), history=history, record=True)
    assert not only(first.lists).new and not only(first.lists).gone
    fourth = "dddddddd-0000-4000-8000-000000000004"
    server.tenant.put("delegatedAdminCustomers", [customer(FIRST, "Contoso"), customer(fourth, "Wingtip")])
    server.tenant.put("delegatedAdminRelationships", [relationship(SECOND, "second", "terminated", "2026-11-22")])
    second = only(lists.read(lists.partner(), history=history, now=LATER, record=True).lists)
    assert lines_of(second) == [
        "2 customers.",
        "New: Wingtip.",
        "No longer listed, and not audited any more: Fabrikam and Tailspin. The history keeps their runs.",
        "The last relationship with Fabrikam is terminated; its end: 2026-11-22.",
        "The last relationship with Tailspin is approvalPending; its end: 2027-05-01.",
    ]
    again = only(lists.read(lists.partner(), history=history, now=LATER, at_most_hours_old=1).lists)
    assert lines_of(again) == lines_of(second)
    third = only(lists.read(lists.partner(), history=history, now="2026-11-24T02:00:00Z", record=True).lists)
    assert lines_of(third) == ["2 customers."]
    assert [(one.label, one.gone) for one in third.gone] == [("Fabrikam", LATER), ("Tailspin", LATER)]
    server.tenant.put("delegatedAdminCustomers", SECTIONS["delegatedAdminCustomers"])
    back = only(lists.read(lists.partner(), history=history, now="2026-11-25T02:00:00Z").lists)
    assert [one.label for one in back.new] == ["Fabrikam", "Tailspin"] and not any(
        one.label == "Fabrikam" for one in back.gone
    )


@pytest.mark.parametrize(
    ("fault", "error", "advice"),
    [
        pytest.param(
            "permission",
            "Microsoft Graph did not list delegatedAdminCustomers: 403 Authorization_RequestDenied",
            "Grant the application permission DelegatedAdminRelationship.Read.All to the app's service principal in",
            id="permission",
        ),
        pytest.param("refused", "Microsoft Graph did not list", "Does the tenant belong to", id="another reason"),
        pytest.param("page", "Microsoft Graph did not list delegatedAdminRelationships", "", id="second page"),
        pytest.param("shape", "has a value that isn't valid: Expected `str | null`, got `int`", "", id="shape"),
        pytest.param("empty", "there are no customers in the list", "Is this the tenant of the partner?", id="empty"),
        pytest.param("secret", "the environment variable AUDIT_SECRET isn't set", "Set AUDIT_SECRET", id="secret"),
        pytest.param("gone", "AADSTS700016", "", id="no service principal"),
    ],
)
def test_a_list_that_cannot_be_read_keeps_the_customers_of_the_last_one(
    fault: str, error: str, advice: str, lists: Lists, server: GraphServer, history: History
) -> None:
    lists.read(lists.partner(), history=history, record=True)
    if fault == "permission":
        server.set_consent(PARTNER, roles=["Directory.Read.All"])
    elif fault == "refused":
        server.fault("/tenantRelationships/delegatedAdminCustomers", Status(403), times=None)
    elif fault == "page":
        server.fault(_is_further_page, Status(403), times=None)
    elif fault == "shape":
        server.tenant.put("delegatedAdminCustomers", [{"id": FIRST, "tenantId": FIRST, "displayName": 7}])
    elif fault == "empty":
        server.tenant.put("delegatedAdminCustomers", [])
    elif fault == "secret":
        del lists.environ["AUDIT_SECRET"]
    else:
        server.set_consent(PARTNER, refused=Refusal.NOT_FOUND)
    configuration, found = lists.read(lists.partner(), history=history, now=LATER, record=True)
    assert error in only(found).error
    assert advice in only(found).advice
    assert [one.name for one in configuration.tenants] == ["Contoso", "Fabrikam", "Tailspin"]
    assert lines_of(only(found))[-1] == f"Audited anyway: 3 customers of the list of {NOW}."
    kept = history.kept_customers(f"gdap:{PARTNER}")
    assert kept is not None and (kept.taken, len(kept.customers), kept.gone) == (NOW, 3, ())
    # Another process of the same night says the same without a read.
    server.forget()
    again = lists.read(lists.partner(), history=history, now=LATER, at_most_hours_old=1)
    assert (only(again.lists).error, len(again.configuration.tenants)) == (only(found).error, 3)
    assert not server.requests
    without, lost = lists.read(lists.partner())
    assert without.tenants == () and only(lost).error and only(lost).customers == ()


def test_the_end_of_the_credential_of_the_list_is_known(lists: Lists, server: GraphServer) -> None:
    secret = {"keyId": "k", "hint": CLIENT_SECRET[:3], "endDateTime": "2099-05-14T09:12:33Z"}
    server.tenant.put("applications", [{"id": "a", "appId": CLIENT_ID, "passwordCredentials": [secret]}])
    known = only(lists.read(lists.partner()).lists)
    server.tenant.put("applications", [])
    unknown = only(lists.read(lists.partner()).lists)
    assert [one.credential and one.credential.ends for one in (known, unknown)] == ["2099-05-14T09:12:33Z", ""]


def test_roles_that_could_not_be_read_are_unknown_and_said(lists: Lists, server: GraphServer) -> None:
    server.fault(f"{RELATIONSHIPS}/second/accessAssignments", Status(403), times=None)
    configuration, found = lists.read(lists.partner())
    assert [one.relationships[0].assigned_roles for one in configuration.tenants] == [(READER,), None, ()]
    (note,) = only(found).notes
    assert note.startswith("the roles assigned in 1 relationship could not be read: ")


def test_a_kept_list_that_is_young_enough_is_used_without_a_read(
    lists: Lists, server: GraphServer, history: History
) -> None:
    entries = lists.partner(settings=", except: [Tailspin]")
    lists.read(entries, history=history, record=True)
    server.forget()
    for now, asked in ((LATER, 0), ("2026-11-25T02:00:00Z", 1)):
        configuration, _ = lists.read(entries, history=history, now=now, at_most_hours_old=36)
        assert [one.name for one in configuration.tenants] == ["Contoso", "Fabrikam"]
        assert len(server.token_requests) == asked


def test_a_tenant_that_is_forgotten_is_in_no_kept_list(lists: Lists, history: History) -> None:
    lists.read(lists.partner(), lists.partner("contracts"), history=history, record=True)
    assert history.forget(FIRST) == 0
    for source in (f"gdap:{PARTNER}", f"contracts:{PARTNER}"):
        kept = history.kept_customers(source)
        assert kept is not None and FIRST not in {one.tenant for one in kept.customers}
    history.forget("Tailspin")
    assert FIRST.encode() not in (Path(history.place).read_bytes() + b"")


# ---- Folders --------------------------------------------------------------------------------------------------------


def _is_further_page(call: Call) -> bool:
    return "skiptoken" in call.text.lower() and "delegatedadminrelationships" in call.text.lower()


def snapshot(name: str, tenant: str, taken: str) -> bytes:
    document: dict[str, Any] = json.loads(dumps(sample(name)))
    return json.dumps(document | {"tenant": {"id": tenant, "name": "../evil"}, "taken": taken}).encode()


def test_a_folder_has_a_tenant_for_each_latest_snapshot_named_after_its_file(tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    (sent / "contoso.zip.partial").mkdir(parents=True)
    (sent / "reports/acme").mkdir(parents=True)
    (sent / "exported").mkdir()
    (sent / "exported/policy.json").write_text("{}")
    (sent / "reports/acme/report.json").write_text("{}")
    (sent / "acme.json").write_bytes(snapshot("managed-default", FIRST, "2026-11-01T00:00:00Z"))
    (sent / "acme-new.json").write_bytes(snapshot("managed-default", FIRST.upper(), "2026-11-20T00:00:00Z"))
    (sent / "fabrikam.json.gz").write_bytes(gzip.compress(snapshot("managed-default", SECOND, "")))
    (sent / "broken.zip").write_bytes(b"PK\x03\x04")
    (sent / "report.json").write_text('{"format": "consent-auditor/report"}')
    (sent / "notes.txt").write_text("hello")
    (sent / ".hidden.json").write_text("{}")
    configuration, found = Lists(tmp_path).read("{snapshots: sent, tags: [vendor], reports: {folder: sent/reports}}")
    assert [(one.name, Path(one.snapshot).name, one.tags) for one in configuration.tenants] == [
        (name, file, ("vendor",))
        for name, file in (
            ("acme-new", "acme-new.json"),
            ("broken", "broken.zip"),
            ("exported", "exported"),
            ("fabrikam", "fabrikam.json.gz"),
        )
    ]
    assert only(found).notes == (
        "acme.json is left out: acme-new.json is a later snapshot of the same tenant",
        "report.json is left out: it is a report, not a snapshot",
    )


def test_a_tenant_with_an_entry_is_not_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "sent").mkdir()
    write_tenant(tmp_path / "sent/a.json", change=lambda document: document.update(tenant={"id": FIRST}))
    configuration, found = Lists(tmp_path).read(f"{{tenant: {FIRST}, name: live}}", "{snapshots: sent}")
    assert [(one.name, one.snapshot) for one in configuration.tenants] == [("live", "")]
    assert only(found).notes == ("a.json isn't used: live is an earlier entry for the same tenant",)


def test_a_file_of_the_folder_with_an_entry_is_one_tenant_whatever_its_path(tmp_path: Path) -> None:
    (tmp_path / "sent").mkdir()
    (tmp_path / "sent/a.json").write_bytes(snapshot("managed-default", FIRST, ""))
    entry = "{name: own, snapshot: ./sent/../sent/a.json, tags: [gold]}"
    configuration, found = Lists(tmp_path).read(entry, "{snapshots: sent, tags: [vendor]}")
    assert [(one.name, one.tags) for one in configuration.tenants] == [("own", ("gold", "vendor"))]
    assert (names(only(found)), only(found).notes) == (["own"], ())


@pytest.mark.parametrize("exists", [pytest.param(True, id="empty"), pytest.param(False, id="missing")])
def test_a_folder_without_snapshots_is_an_error(exists: bool, tmp_path: Path) -> None:
    if exists:
        (tmp_path / "sent").mkdir()
    _, found = Lists(tmp_path).read("{snapshots: sent}")
    assert only(found).error and only(found).advice
