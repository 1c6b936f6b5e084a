"""Customers consent on the consent page, partly and wholly, and leave again; the real sign-in answers each time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from auditor.jobs.fleet_onboarding import onboard_fleet
from auditor.jobs.night_setup import chosen_tenants
from auditor.jobs.secret_references import Secrets
from auditor.model.configuration import Configuration, TenantEntry
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN, InvalidRequest
from auditor.model.onboarding import Onboarding, ProblemKind
from tests.cli.program import run
from tests.graphserver import AUDIT_ROLES, GraphServer, Refusal, Status
from tests.jobs.nights import Nights
from tests.jobs.partners import FIRST, NOW, PARTNER, SECOND, Lists, partner_server
from tests.jobs.test_live import document_of

REDIRECT = "https://portal.fabrikam.example/thanks"
NAMES = ("contoso", "northwind", "wingtip", "woodgrove")
IDS = {name: f"{number + 1:08x}-1111-4111-8111-{number + 1:012x}" for number, name in enumerate(NAMES)}


@pytest.fixture
def server() -> Iterator[GraphServer]:
    """Four customers, none of which has consented."""
    with GraphServer(document_of("managed-default")) as server:
        server.client.redirect_uris = (REDIRECT,)
        for number, (name, tenant) in enumerate(IDS.items()):
            refused = (Refusal.NOT_FOUND, Refusal.NO_SERVICE_PRINCIPAL)[number % 2]
            server.add_tenant(server.tenant, tenant_id=tenant, name=name, refused=refused)
        yield server


@pytest.fixture
def configuration(server: GraphServer, tmp_path: Path) -> Path:
    """A configuration with these customers as a CSV, and a new history."""
    rows = [f"{tenant},{name},{'gold' if name == 'contoso' else ''}" for name, tenant in IDS.items()]
    (tmp_path / "customers.csv").write_text("\n".join(("tenant,name,tags", *rows)))
    hosts = f'authority-host: "{server.authority}", graph-endpoint: "{server.graph}"'
    path = tmp_path / "consent-auditor.yaml"
    path.write_text(
        f"version: 1\ndefaults: {{packs: [trackerrms-uk], {hosts}}}\nhistory: {{file: history.db}}\n"
        f"onboarding: {{provider: Fabrikam IT, redirect-uri: {REDIRECT}}}\ntenants: [{{csv: customers.csv}}]\n"
    )
    return path


def onboarding(server: GraphServer, path: Path, day: int, **more: str) -> Onboarding:
    return onboard_fleet(
        str(path), secrets=Secrets({**server.env(), **more}), now=f"2026-12-{day:02}T03:00:00Z", tenants=()
    )


def statuses(found: Onboarding) -> dict[str, str]:
    return {one.name: one.status.value for one in found.customers}


def test_customers_consent_with_the_link_and_leave_again(server: GraphServer, configuration: Path) -> None:
    first = onboarding(server, configuration, 1)
    assert statuses(first) == dict.fromkeys(NAMES, "not-yet")
    for one in first.customers[:3]:
        landed = server.consent_as_admin(one.link, IDS[one.name])
        assert landed.startswith(f"{REDIRECT}?admin_consent=True&tenant={IDS[one.name]}")
        assert "state=consent-auditor" in landed

    second = onboarding(server, configuration, 2)
    assert statuses(second) == {**dict.fromkeys(NAMES, "consented"), "woodgrove": "not-yet"}
    assert second.exit_code == FAILING

    server.set_consent(IDS["contoso"], refused=Refusal.NOT_FOUND)
    server.set_consent(IDS["northwind"], roles=server.roles - {"Policy.Read.PermissionGrant"})
    server.remove_tenant(IDS["wingtip"])
    server.set_consent(IDS["woodgrove"], refused=Refusal.DISABLED)
    third = onboarding(server, configuration, 3)
    assert statuses(third) == {
        "contoso": "lost",
        "northwind": "partly",
        "woodgrove": "disabled",
        "wingtip": "no-such-tenant",
    }
    lost, partly = third.customers[:2]
    assert (lost.consented[:10], partly.missing, partly.lost) == (
        "2026-12-02",
        ("Policy.Read.PermissionGrant",),
        ("Policy.Read.PermissionGrant",),
    )
    server.consent_as_admin(lost.link, IDS["contoso"])
    assert statuses(onboarding(server, configuration, 4))["contoso"] == "consented"


def test_a_customer_that_a_nightly_run_audited_has_lost_its_consent(server: GraphServer, configuration: Path) -> None:
    server.set_consent(IDS["contoso"])
    nights = Nights(configuration.parent, configuration.read_text(), server.env())
    nights.run("2026-11-30T02:00:00Z", only=["contoso"])
    server.set_consent(IDS["contoso"], refused=Refusal.NOT_FOUND)
    found = onboarding(server, configuration, 1)
    assert statuses(found) == {**dict.fromkeys(NAMES, "not-yet"), "contoso": "lost"}
    assert found.customers[0].consented == "2026-11-30T02:00:00Z"


def test_without_a_history_nothing_is_lost_and_the_answer_says_so(server: GraphServer, configuration: Path) -> None:
    (configuration.parent / "history.db").write_text("this isn't a database, and long enough to look like one" * 9)
    server.set_consent(IDS["contoso"])
    found = onboarding(server, configuration, 1)
    assert statuses(found)["contoso"] == "consented"
    assert "counts as “not yet”, because there is no history" in found.notes[0]


def test_our_own_secret_and_a_throttled_tenant_say_nothing_about_the_customers(
    server: GraphServer, configuration: Path
) -> None:
    for tenant in IDS.values():
        server.set_consent(tenant)
    wrong = onboarding(server, configuration, 1, AZURE_CLIENT_SECRET="wrong")
    assert (set(statuses(wrong).values()), wrong.exit_code) == ({"unknown"}, NO_AUDIT)
    (problem,) = wrong.problems
    assert (problem.kind.value, problem.code, len(problem.customers)) == ("own", "AADSTS7000215", 4)

    server.token_fault(Status(429, retry_after=3600), match=f"/{IDS['wingtip']}/oauth2/v2.0/token", times=None)
    found = onboarding(server, configuration, 2)
    assert statuses(found) == {**dict.fromkeys(NAMES, "consented"), "wingtip": "unknown"}
    assert (found.problems[0].kind.value, found.exit_code) == ("tenant", UNKNOWN)


def test_the_command_asks_the_tenants_that_it_is_told_to(server: GraphServer, configuration: Path) -> None:
    server.set_consent(IDS["contoso"])
    done = run("fleet", "onboard", "--tag", "gold", cwd=configuration.parent, env=server.env())
    assert (done.code, done.err) == (OK, "")
    assert "contoso: consented. It has all 6 permissions that the packs need." in done.out


def test_without_a_customer_the_command_says_what_to_do_and_what_its_exit_code_means(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("tenant,name,tags\n")
    path = tmp_path / "consent-auditor.yaml"
    path.write_text("version: 1\ntenants: [{csv: customers.csv, packs: [cisa-scuba]}]\n")
    done = run("fleet", "onboard", "-o", "onboarding.md", cwd=tmp_path)
    assert done.code == NO_AUDIT
    assert done.err.endswith("lists no live tenant.\nExit code 3: no customer could be asked.\n")
    written = (tmp_path / "onboarding.md").read_text()
    assert "There are no customers in customers.csv." in written
    assert "Add a line for each customer below the names of the columns." in written

    path.write_text("version: 1\ntenants: [{snapshot: a.json, packs: [cisa-scuba]}]\n")
    done = run("fleet", "onboard", cwd=tmp_path)
    assert "Add the tenants of your customers to it, or a list of them." in " ".join(done.out.split())
    assert done.out.endswith("\nExit code 3: no customer could be asked.\n")


def test_the_customers_of_a_partner_are_asked_and_a_list_that_is_refused_is_a_problem(tmp_path: Path) -> None:
    with partner_server() as server:
        server.add_tenant(server.tenant, tenant_id=FIRST, name="Contoso", roles=AUDIT_ROLES)
        server.add_tenant(server.tenant, tenant_id=SECOND, name="Fabrikam", refused=Refusal.NOT_FOUND)
        lists = Lists(tmp_path, server)
        hosts = f", authority-host: '{server.authority}', graph-endpoint: '{server.graph}'"
        path = lists.write(lists.partner(settings=hosts))
        ask = partial(
            onboard_fleet, path, history=str(tmp_path / "history.db"), secrets=Secrets(lists.environ), now=NOW
        )
        found = ask()
        assert statuses(found) == {"Contoso": "consented", "Fabrikam": "not-yet", "Tailspin": "no-such-tenant"}
        assert {one.listed_by for one in found.customers} == {f"gdap:{PARTNER}"}
        assert found.customers[0].code == "AADSTS90002"

        server.set_consent(PARTNER, roles=())
        refused = ask()
    (problem,) = refused.problems
    assert (problem.kind, refused.exit_code) == (ProblemKind.LIST, NO_AUDIT)
    assert "Microsoft Graph did not list delegatedAdminCustomers: 403" in problem.text
    assert "DelegatedAdminRelationship.Read.All" in problem.advice


def test_a_tag_that_no_tenant_has_is_a_mistake() -> None:
    entries = (TenantEntry(name="contoso", tags=("gold", "EU")), TenantEntry(name="fabrikam"))
    configuration = Configuration(file="fleet.yaml", tenants=entries)
    assert [one.name for one in chosen_tenants(configuration, (), ["eu"])] == ["contoso"]
    with pytest.raises(InvalidRequest, match='no tag "silver"; the tags are EU, gold'):
        chosen_tenants(configuration, (), ["silver"])
    with pytest.raises(InvalidRequest, match="fabrikam doesn't have the tag gold: leave one out"):
        chosen_tenants(configuration, ["fabrikam"], ["gold"])
