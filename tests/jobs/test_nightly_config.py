"""The configuration of nightly runs: what it means, and every mistake with its place."""

from __future__ import annotations

import os
from pathlib import Path

import jsonschema
import pytest
import yaml

from auditor.jobs.nightly_config import ConfigurationError, configuration_path, load_configuration
from auditor.jobs.nightly_forms import schema
from auditor.model.configuration import Configuration, Event, SecretKind
from auditor.model.errors import InvalidRequest

SHORTEST = """\
version: 1
tenants:
  - tenant: contoso.onmicrosoft.com
    packs: [trackerrms-uk, cisa-scuba]
"""
WHOLE = """\
version: 1
history: sqlite
keep: {days: 400, runs: 500}
defaults:
  packs: [trackerrms-uk]
  apps: [TrackerRMS, {client-id: 5353a3d2-8ca9-42d2-b567-ea399ccb5e38, scopes: Mail.Read, name: Own}]
  fail-on: high
  waivers: [waivers.yaml]
  abused: [abused.yaml]
  reports: {folder: audit-results/, formats: [html, json]}
  concurrency: 5
  timeout: 10m
tenants:
  - name: contoso
    tenant: contoso.onmicrosoft.com
    tags: [gold]
    cloud: us-gov
    credential: {client-id: 5353a3d2-8ca9-42d2-b567-ea399ccb5e38, certificate: {file: keys/audit.pem}}
    packs: [cisa-scuba]
    fail-on-new: medium
    fail-on-change: true
  - {name: acme, snapshot: acme.json, apps: []}
  - {csv: customers.csv, tags: [silver]}
notify:
  - {url: {env: TEAMS_URL}, on: [change, failure], at-least: high, tags: [gold], remind-after: 14d}
  - {url: {env: TEAMS_URL}, remind-after: never, tenants: [fabrikam]}
heartbeat: {url: {systemd: heartbeat}}
metrics: consent-auditor.prom
schedule: {every: 12h}
"""
WAIVERS = "format: consent-auditor/waivers\nformat-version: 1\nwaivers: []\n"
ABUSED = """\
format: consent-auditor/abused-apps
format-version: 1
read: "2026-11-22"
apps: [{client-id: 5353a3d2-8ca9-42d2-b567-ea399ccb5e38, why: An example.}]
"""


def loaded(folder: Path, text: str, name: str = "nightly.yaml") -> Configuration:
    (folder / "waivers.yaml").write_text(WAIVERS)
    (folder / "abused.yaml").write_text(ABUSED)
    (folder / "customers.csv").write_text(
        "Tenant;Name;Country;Tags\nfabrikam.com;fabrikam;NL;gold, new\nnorth.example;;;\n"
    )
    (folder / name).write_text(text)
    return load_configuration(str(folder / name))


def mistakes(folder: Path, text: str) -> list[str]:
    """The problems in the text, without the folder."""
    with pytest.raises(ConfigurationError) as raised:
        loaded(folder, text)
    assert raised.value.exit_code == 2
    return [str(one).replace(f"{folder}{os.sep}", "").removeprefix("nightly.yaml:") for one in raised.value.problems]


def test_four_lines_suffice(tmp_path: Path) -> None:
    (tenant,) = loaded(tmp_path, SHORTEST).tenants
    assert (tenant.name, tenant.packs) == ("contoso.onmicrosoft.com", ("trackerrms-uk", "cisa-scuba"))
    assert (tenant.fail_on, tenant.timeout, tenant.credential, tenant.reports.folder) == ("medium", 120, None, "")


def test_every_key_reaches_the_run(tmp_path: Path) -> None:
    found = loaded(tmp_path, WHOLE)
    contoso, acme, fabrikam, north = found.tenants
    assert contoso.packs == ("cisa-scuba", "trackerrms-uk")
    assert (contoso.cloud, contoso.fail_on, contoso.fail_on_new, contoso.fail_on_change) == (
        "us-gov",
        "high",
        "medium",
        True,
    )
    assert contoso.credential is not None and contoso.credential.certificate is not None
    assert contoso.credential.certificate.name == str(tmp_path / "keys/audit.pem")
    assert [app.name for app in contoso.apps] == ["Own"]
    assert contoso.abused == (str(tmp_path / "abused.yaml"),)
    assert (acme.snapshot, acme.apps, acme.packs) == (str(tmp_path / "acme.json"), (), ("trackerrms-uk",))
    assert (fabrikam.tenant, fabrikam.tags, fabrikam.timeout) == ("fabrikam.com", ("silver", "gold", "new"), 600)
    assert (north.name, north.tags) == ("north.example", ("silver",))
    assert {one.reports.folder for one in found.tenants} == {str(tmp_path / "audit-results")}
    first, second = found.notify
    assert (first.name, first.on, first.remind_after_days) == ("TEAMS_URL", (Event.CHANGE, Event.FAILURE), 14)
    assert (second.name, second.remind_after_days, second.tenants) == ("TEAMS_URL-2", 0, ("fabrikam",))
    assert found.heartbeat is not None and found.heartbeat.kind is SecretKind.SYSTEMD_CREDENTIAL
    assert (found.concurrency, found.schedule_hours) == (5, 12)


LISTS = """\
version: 1
defaults: {packs: [trackerrms-uk], cloud: us-gov, credential: {client-id: shared, secret: {env: SHARED}}}
tenants:
  - {csv: fleet.csv, tags: [msp]}
  - {snapshots: sent/, tags: [vendor]}
  - gdap:
      tenant: Partner.onmicrosoft.com
      credential: {client-id: lists, certificate: {file: lists.pem}}
      timeout: 5m
      graph-endpoint: https://graph.example
    packs: [cisa-scuba]
    tags: [gdap]
    except: [Test customer, 00000000-0000-0000-0000-000000000001]
  - {contracts: {tenant: partner.onmicrosoft.com}, only: [north.example], timeout: 60}
notify:
  - {url: {env: TEAMS_URL}, tags: [gdap], tenants: [a customer of a list]}
"""
FLEET = """\
tenant,name,group,tags,client-id,cloud,packs
a.example,a,Gold & silver,big,5353a3d2-8ca9-42d2-b567-ea399ccb5e38,china,cisa-scuba
b.example,b,,,,,
"""


def test_a_list_of_customers_has_its_own_tenant_and_credential(tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text(FLEET)
    found = loaded(tmp_path, LISTS)
    folder, gdap, contracts = found.sources
    assert [one.name for one in found.tenants] == ["a", "b"]
    assert (folder.key, folder.folder, folder.customer.tags) == (
        f"snapshots:{tmp_path / 'sent'}",
        str(tmp_path / "sent"),
        ("vendor",),
    )
    assert gdap.partner is not None and gdap.partner.credential is not None
    assert (gdap.key, gdap.partner.timeout, gdap.partner.cloud) == ("gdap:partner.onmicrosoft.com", 300, "us-gov")
    assert (gdap.partner.credential.client_id, gdap.partner.graph_endpoint) == ("lists", "https://graph.example")
    customer = gdap.customer
    assert customer.credential is not None
    assert (customer.credential.client_id, customer.graph_endpoint, customer.timeout) == ("shared", "", 120)
    assert (customer.packs, customer.tags) == (("cisa-scuba",), ("gdap",))
    assert gdap.excluded == ("Test customer", "00000000-0000-0000-0000-000000000001")
    assert contracts.partner is not None and contracts.partner.credential == customer.credential
    assert (contracts.only, contracts.partner.timeout) == (("north.example",), 60)


def test_a_row_of_a_csv_file_can_have_its_own_app_cloud_and_packs(tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text(FLEET)
    a, b = loaded(tmp_path, LISTS).tenants
    assert a.credential is not None and a.credential.secret is not None and b.credential is not None
    assert (a.credential.client_id, a.credential.secret.name) == ("5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "SHARED")
    assert (a.cloud, a.packs, a.tags) == ("china", ("cisa-scuba",), ("msp", "big", "Gold-&-silver"))
    assert (b.cloud, b.packs, b.tags, b.credential.client_id) == ("us-gov", ("trackerrms-uk",), ("msp",), "shared")


def test_relative_paths_start_at_the_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/own.yaml").write_text(OWN_PACK)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "etc/nightly.yaml").write_text("version: 1\ntenants: [{snapshot: a.json, packs: [./own.yaml]}]\n")
    (tenant,) = load_configuration("etc/nightly.yaml").tenants
    assert (Path(tenant.snapshot), Path(tenant.packs[0])) == (Path("etc/a.json"), Path("etc/own.yaml"))


OWN_PACK = """\
format: consent-auditor/pack
format-version: 1
pack: own
version: 1.0.0
title: Own
extends: trackerrms-uk
"""


def test_every_mistake_is_reported_at_once_with_its_place_and_what_was_meant(tmp_path: Path) -> None:
    text = """\
version: 1
keep: {days: 0}
defaults: {packs: [trackerms-uk], fail-on: hihg, reports: {folder: out, formats: [htlm]}}
tenants:
  - {name: contoso, tenant: contoso}
  - {name: Contoso, snapshot: acme.json, apps: [TrackerRM]}
  - {gdap: {tenant: partner, timeout: 2d}, name: customers}
  - {csv: custmers.csv}
  - {name: "a/b", tenant: fabrikam.com}
  - {tenat: fabrikam.com}
  - {tenant: fabrikam.com}
notify:
  - {url: {env: URL}, on: [chang], tags: [glod], attach: csv}
metrics: missing/x.prom
shedule: {every: 24h}
"""
    found = mistakes(tmp_path, text)
    assert [one for one in found if "shipped pack" not in one] == [
        "2:14: days is 0; expected 1 to 36500",
        '3:44: fail-on "hihg" is unknown; did you mean "high"?',
        '3:83: an entry of formats "htlm" is unknown; did you mean "html"?',
        "5:29: tenant \"contoso\" isn't a tenant; expected the tenant's ID, or a domain such as"
        " contoso.onmicrosoft.com",
        "6:12: another tenant has the same folder as contoso: Contoso (line 5); expected another name",
        '6:49: no pack is about an app "TrackerRM"; did you mean "trackerrms"?',
        "7:21: tenant \"partner\" isn't a tenant; expected the tenant's ID, or a domain such as"
        " contoso.onmicrosoft.com",
        '7:39: timeout is "2d"; expected at most 24h',
        "7:50: a list has the names of its customers itself; expected a further entry for a tenant's name",
        "8:11: custmers.csv can't be read: No such file or directory",
        "9:12: name \"a/b\" contains '/', which the name of a folder can't contain; expected another name",
        '10:6: unknown key "tenat" in a tenant; did you mean "tenant"?',
        "11:14: the tenant fabrikam.com is already in the configuration (line 9)",
        '13:28: unknown entry of on "chang"; did you mean "change"?',
        '13:43: no tenant has the tag "glod"',
        '13:58: attach "csv" is unknown; expected text, json, markdown, sarif, junit, xlsx, ocsf, html or pdf',
        "14:10: metrics can't be written: the folder missing doesn't exist",
        '15:1: unknown key "shedule" in a configuration; did you mean "schedule"?',
    ]
    (pack,) = (one for one in found if "shipped pack" in one)
    assert pack.startswith("3:20: ") and pack.endswith('did you mean "trackerrms-uk"?')


SECRET_PLACES = {
    "secret": "tenants: [{tenant: a.com, packs: [trackerrms-uk], credential: {client-id: x, secret: @@}}]",
    "password": "tenants: [{tenant: a.com, packs: [trackerrms-uk], credential: {client-id: x, certificate: {file: a},"
    " certificate-password: @@}}]",
    "credential": "defaults: {credential: @@}\ntenants: [{tenant: a.com, packs: [trackerrms-uk]}]",
    "target": f"notify: [{{url: @@}}]\n{SHORTEST.removeprefix('version: 1')}",
    "list of targets": f"notify: [@@]\n{SHORTEST.removeprefix('version: 1')}",
    "heartbeat": f"heartbeat: @@\n{SHORTEST.removeprefix('version: 1')}",
    "heartbeat address": f"heartbeat: {{url: @@}}\n{SHORTEST.removeprefix('version: 1')}",
    "history": f"history: {{url: @@}}\n{SHORTEST.removeprefix('version: 1')}",
    "name of a variable": f"heartbeat: {{url: {{env: @@}}}}\n{SHORTEST.removeprefix('version: 1')}",
    "address of a vault": f"heartbeat: {{url: {{keyvault: @@}}}}\n{SHORTEST.removeprefix('version: 1')}",
    "unknown key": "tenants: [{tenant: a.com, packs: [trackerrms-uk], credential: {client-secret: @@}}]",
    "partner": "tenants: [{gdap: {tenant: a.com, credential: {client-id: x, secret: @@}}, packs: [trackerrms-uk]}]",
    "contracts": "tenants: [{contracts: {tenant: a.com, credential: @@}, packs: [trackerrms-uk]}]",
}


@pytest.mark.parametrize("place", SECRET_PLACES)
@pytest.mark.parametrize(
    "secret",
    [
        pytest.param('"postgresql://u:hunter2-x@host/d"', id="text"),
        pytest.param("0123456789", id="number"),
        pytest.param("2026-11-22", id="date"),
        pytest.param("12345678", id="whole number"),
        pytest.param('"hunter2-x\\u200b"', id="invisible"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_shown(place: str, secret: str, tmp_path: Path) -> None:
    found = "\n".join(mistakes(tmp_path, f"version: 1\n{SECRET_PLACES[place].replace('@@', secret)}\n"))
    assert found
    for part in ("hunter2", "123456", "2026-11"):
        assert part not in found


def test_a_history_by_its_address_is_refused_without_its_password(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, SHORTEST + "history: postgresql://audit:hunter2@db/audit\n")
    assert "hunter2" not in found and "{env: NAME}" in found


def test_a_reference_has_exactly_one_place(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, SHORTEST + "heartbeat: {url: {env: A, file: b}}\n")
    assert found == "5:18: a reference to a secret has env and file; expected one of env, file, systemd and keyvault"


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("https://evil.example/secrets/x", id="another host"),
        pytest.param("https://vault.azure.net/secrets/x", id="no vault"),
        pytest.param("http://v.vault.azure.net/secrets/x", id="without TLS"),
        pytest.param("https://v.vault.azure.net.evil.example/secrets/x", id="host that begins like one"),
        pytest.param("https://v.vault.azure.net/keys/x", id="a key"),
    ],
)
def test_a_token_for_a_vault_goes_to_azure_only(address: str, tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, SHORTEST + f'heartbeat: {{url: {{keyvault: "{address}"}}}}\n')
    assert "isn't the address of a secret in Azure Key Vault" in found


@pytest.mark.parametrize(
    ("csv", "mistake"),
    [
        pytest.param(
            "tenat,name\na.com,a\n", 'customers.csv:1:1: unknown column "tenat"; did you mean "tenant"?', id="column"
        ),
        pytest.param("tenant\n\ncontoso\n", 'customers.csv:3:1: tenant "contoso" isn\'t a tenant', id="tenant"),
        pytest.param(
            "tenant,name\na.com,x\nb.com,X\n", "customers.csv:3:1: another tenant has the same folder as x", id="folder"
        ),
        pytest.param("tenant,name\n,x\n", "customers.csv:2:1: the row has no tenant", id="no tenant"),
        pytest.param(
            "tenant,cloud\na.com,chnia\n",
            'customers.csv:2:7: cloud "chnia" is unknown; did you mean "china"?',
            id="cloud",
        ),
        pytest.param(
            "tenant,client-id\na.com,app\n", 'customers.csv:2:7: client-id "app" isn\'t the client ID', id="app"
        ),
        pytest.param("tenant,packs\na.com,cisa\n", 'customers.csv:2:1: there is no shipped pack "cisa"', id="pack"),
        pytest.param("tenant\na.com\nA.com\n", "customers.csv:3:1: another tenant has the same folder", id="twice"),
    ],
)
def test_mistakes_in_a_customer_list_have_their_place(csv: str, mistake: str, tmp_path: Path) -> None:
    (tmp_path / "nightly.yaml").write_text("version: 1\ntenants: [{csv: customers.csv, packs: [cisa-scuba]}]\n")
    (tmp_path / "customers.csv").write_text(csv)
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(str(tmp_path / "nightly.yaml"))
    (found,) = (str(one).replace(f"{tmp_path}{os.sep}", "") for one in raised.value.problems)
    assert found.startswith(mistake)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        pytest.param("", "1:1: the file is empty; expected a configuration, as nightly init writes it", id="empty"),
        pytest.param(
            "version: 2\n", "1:10: this file has version 2, but this program only reads version 1;", id="newer"
        ),
        pytest.param("version: 1\ntenants: []\n", "2:10: there are no tenants; expected at least one", id="no tenants"),
        pytest.param("- a\n", "1:1: a configuration is a list; expected a table (a configuration)", id="list"),
        pytest.param(
            "version: 1\ntenants: [{tenant: a.com}]\n", "2:11: the tenant has nothing to check", id="no packs"
        ),
        pytest.param(
            "version: 1\ntenants: [{name: a, packs: [cisa-scuba]}]\n", "2:11: the entry names no tenant", id="no source"
        ),
        pytest.param(
            "version: 1\ntenants: [{gdap: {tenant: a.com}, tenant: b.com, packs: [cisa-scuba]}]\n",
            "2:11: the tenant has tenant and gdap; expected only one of them",
            id="two sources",
        ),
        pytest.param(
            "version: 1\ntenants: [{tenant: b.com, except: [x], packs: [cisa-scuba]}]\n",
            "2:35: except needs a list of customers; expected snapshots, gdap or contracts",
            id="except of a tenant",
        ),
        pytest.param(
            "version: 1\ntenants: [{snapshots: nightly.yaml, packs: [cisa-scuba]}]\n",
            "2:23: nightly.yaml is a file; expected a folder of snapshots",
            id="file as folder",
        ),
        pytest.param(
            "version: 1\ntenants: [{name: CON, tenant: a.com, packs: [cisa-scuba]}]\n",
            '2:18: name "CON" can\'t be the name',
            id="device",
        ),
    ],
)
def test_a_file_that_is_something_else_says_so(text: str, mistake: str, tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, text)
    assert found.startswith(mistake)


def test_the_schema_accepts_what_the_program_accepts_and_refuses_typos() -> None:
    validator = jsonschema.Draft202012Validator(schema())
    # PyYAML reads the key `on` as true; editors read YAML 1.2.
    assert not list(validator.iter_errors(yaml.safe_load(WHOLE.replace(" on:", ' "on":'))))
    assert not list(validator.iter_errors(yaml.safe_load(SHORTEST)))
    assert not list(validator.iter_errors(yaml.safe_load(LISTS)))
    for typo in ("tenat: x", "history: mysql", "keep: {day: 1}", "heartbeat: https://x"):
        assert list(validator.iter_errors(yaml.safe_load(f"{SHORTEST}{typo}\n"))), typo


def test_the_configuration_is_found_where_it_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(InvalidRequest, match="nightly init"):
        configuration_path("", {})
    assert configuration_path("", {"CONSENT_AUDITOR_CONFIG": "there.yaml"}) == "there.yaml"
    assert configuration_path("given.yaml", {"CONSENT_AUDITOR_CONFIG": "there.yaml"}) == "given.yaml"
    (tmp_path / "consent-auditor.yaml").write_text(SHORTEST)
    assert configuration_path("", {}) == "consent-auditor.yaml"


def test_a_report_never_overwrites_its_snapshot(tmp_path: Path) -> None:
    entry = "{name: a, snapshot: ./out/a/report.json, packs: [cisa-scuba], reports: {folder: out}}"
    text = f"version: 1\ntenants:\n  - {entry}\n"
    assert mistakes(tmp_path, text) == [
        "3:25: the report would overwrite this snapshot; expected another folder of reports"
    ]
