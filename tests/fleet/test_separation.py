"""A customer's data never reaches another customer: made-up words in every text of a tenant are in its outputs only.

Two tenants are snapshots with a word in each text that a snapshot can hold, and others in the second night, so that
everything changed. Three are read live at the same time, over one connection pool, with a word in each name.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from auditor.history.tenant_deletion import remaining
from auditor.history.traces import Words
from auditor.jobs.audit_request import AuditRequest, SnapshotFiles
from auditor.jobs.bundle_writer import bundle_for
from auditor.jobs.fleet_audits import FleetRequest
from auditor.jobs.fleet_report import report_on_fleet
from auditor.model.errors import NO_AUDIT
from auditor.model.snapshot import Snapshot, Tenant
from auditor.render import pdf
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps, save
from tests.graphserver import CLIENT_ID, CLIENT_SECRET, GraphServer, Redirect
from tests.jobs.nights import Nights
from tests.redact.canaries import Canaries, unpacked, word, words_in
from tests.systems import needs_owners

Json = dict[str, Any]
FILES = ("acme", "globex")
LIVE = ("umbrella", "hooli", "tyrell")
FIRST, SECOND = "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"
replace = msgspec.structs.replace
A_LOT = 4000
"""More words than a snapshot has texts."""
CONFIGURATION = """\
version: 1
defaults:
  packs: [trackerrms-uk, grants-hygiene]
  reports: {{folder: out, formats: [html, json, csv, xlsx]}}
  credential: {{client-id: {client}, secret: {{env: SECRET}}}}
  authority-host: "{authority}"
  graph-endpoint: "{graph}"
metrics: metrics.prom
site: site
notify:
  - {{name: to-acme, url: {{env: ANY}}, tenants: [acme], on: [change, always], attach: html}}
  - {{name: to-umbrella, url: {{env: ANY}}, tags: [umbrella], on: [change, always]}}
  - {{name: to-provider, url: {{env: ANY}}, on: [change, always]}}
  - {{name: digest-of-two, url: {{env: ANY}}, tenants: [globex, hooli], on: [change, always, digest]}}
tenants:
{tenants}
"""


class Fleet(NamedTuple):
    """Two nights of five tenants, and the words of each."""

    nights: Nights
    words: Mapping[str, set[str]]
    server: GraphServer

    @property
    def folder(self) -> Path:
        return self.nights.folder

    def owners(self, text: str) -> set[str]:
        """The tenants whose words a text has."""
        return {name for name, words in self.words.items() if not words.isdisjoint(words_in(text))}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("fleet")
    words: dict[str, set[str]] = {name: set() for name in (*FILES, *LIVE)}
    with GraphServer(json.loads(dumps(sample("managed-default")))) as server:
        ids = {name: f"00000000-0000-4000-8000-{number:012}" for number, name in enumerate(LIVE, 1)}
        nights = Nights(
            folder, _configuration(server, ids), {**server.env(), "SECRET": CLIENT_SECRET, "ANY": "json://x"}
        )
        for night, started in enumerate((FIRST, SECOND)):
            for number, name in enumerate(FILES):
                canaries = Canaries("a name", (2 * number + night) * A_LOT)
                made = _assigned(canaries.snapshot(sample("custom-policy")), canaries.text("an assigned policy"))
                save(
                    replace(made, tenant=Tenant(id=f"{name}-id", name=made.tenant.name)),
                    folder / f"{name}.json",
                )
                words[name] |= set(canaries.places)
            for number, name in enumerate(LIVE):
                own = word(100_000 + 2 * number + night)
                server.add_tenant(_named(own), tenant_id=ids[name], name=own, domain=f"{own}.example")
                words[name].add(own)
            # A redirect of one tenant's answer to the address of another service carries no token there. Of this
            # answer, because whichever comes first can be the one with all that names the tenant.
            elsewhere = "https://localhost/v1.0/organization"
            server.fault("/v1.0/oauth2PermissionGrants", Redirect(elsewhere), tenant=ids["tyrell"])
            nights.run(started)
        yield Fleet(nights, words, server)


def _configuration(server: GraphServer, ids: Mapping[str, str]) -> str:
    entries = [f"  - {{name: {name}, snapshot: {name}.json, tags: [{name}]}}" for name in FILES]
    entries += [f"  - {{name: {name}, tenant: {ids[name]}, tags: [{name}]}}" for name in LIVE]
    return CONFIGURATION.format(
        client=CLIENT_ID,
        authority=server.authority,
        graph=server.graph,
        tenants="\n".join(entries),
    )


def _named(own: str) -> Json:
    """A tenant with the word in the name of each of its objects."""

    def renamed(value: Any) -> Any:
        match value:
            case dict():
                return {k: f"{v} {own}" if k == "displayName" and v else renamed(v) for k, v in value.items()}
            case list():
                return [renamed(one) for one in value]
            case _:
                return value

    document: Json = json.loads(dumps(_assigned(sample("managed-default"), own)))
    return {**document, "sections": renamed(document["sections"])}


def _assigned(snapshot: Snapshot, policy: str) -> Snapshot:
    """The tenant with this policy for users, a change that every message has."""
    settings = snapshot.sections.authorizationPolicy
    assert settings is not None and settings.defaultUserRolePermissions is not None
    entries = (f"ManagePermissionGrantsForSelf.{policy}",)
    role = replace(settings.defaultUserRolePermissions, permissionGrantPoliciesAssigned=entries)
    settings = replace(settings, defaultUserRolePermissions=role)
    return replace(snapshot, sections=replace(snapshot.sections, authorizationPolicy=settings))


@pytest.mark.parametrize("name", [*FILES, *LIVE])
def test_the_reports_of_a_tenant_have_its_words_only(fleet: Fleet, name: str) -> None:
    folder = fleet.folder / "out" / name
    assert len(list(folder.iterdir())) > 10
    assert _owners(fleet, folder) == {name}


def _owners(fleet: Fleet, place: Path) -> set[str]:
    """The tenants whose words any file has, also in archives."""
    return {owner for _, text in unpacked(place) for owner in fleet.owners(text)}


MAY_HEAR_OF = {
    "to-acme": {"acme"},
    "to-umbrella": {"umbrella"},
    "to-provider": {*FILES, *LIVE},
    "digest-of-two": {"globex", "hooli"},
}


@pytest.mark.parametrize("target", MAY_HEAR_OF)
def test_a_target_hears_of_its_tenants_only_and_in_each_message_of_one(fleet: Fleet, target: str) -> None:
    about = set[str]()
    for message in (one for one in fleet.nights.sent if one.target == target):
        owners = fleet.owners(msgspec.json.encode(message).decode())
        about |= owners
        if "digest" not in target:
            assert owners <= {_names(fleet)[message.tenant]}
        assert message.attachment in ("", str(fleet.folder / "out" / "acme" / "report.html"))
    assert about == MAY_HEAR_OF[target]


def _names(fleet: Fleet) -> dict[str, str]:
    with fleet.nights.history() as history:
        return dict(history.tenants())


def test_every_line_of_the_log_and_of_the_metrics_is_about_one_tenant(fleet: Fleet) -> None:
    for line in fleet.nights.log:
        assert fleet.owners(json.dumps(line)) <= {line.get("tenant")}, line["event"]
    for sample_line in (fleet.folder / "metrics.prom").read_text().splitlines():
        named = {name for name in fleet.words if f'tenant="{name}"' in sample_line}
        assert fleet.owners(sample_line) <= named, sample_line


def test_every_row_of_the_history_belongs_to_the_tenant_whose_words_it_has(fleet: Fleet) -> None:
    with fleet.nights.history() as history:
        for name, words in fleet.words.items():
            some = Words(sorted(words)[::50])
            assert {trace.owners for trace in remaining(history.database, some)} <= {(name,)}


def test_what_the_history_gives_of_a_tenant_has_its_words_only(fleet: Fleet) -> None:
    with fleet.nights.history() as history:
        for key, name in history.tenants():
            given: list[Any] = [*history.export(key), *history.runs(key)]
            given += [history.report(run.id) for run in history.runs(key) if run.exit_code != NO_AUDIT]
            assert fleet.owners(msgspec.json.encode(given).decode()) <= {name}


def test_the_pages_of_a_tenant_have_its_words_only(fleet: Fleet) -> None:
    site = fleet.folder / "site"
    with fleet.nights.history() as history:
        names = {run.tenant: run.name for run in history.runs()}
    seen = set()
    for page in (*(site / "runs").iterdir(), *(site / "tenants").iterdir()):
        (name,) = (name for tenant, name in names.items() if page.stem.partition("_")[0] == tenant)
        seen.add((page.parent.name, name))
        assert fleet.owners(page.read_text()) <= {name}, page.name
    assert seen == {(folder, name) for folder in ("runs", "tenants") for name in fleet.words}


def test_the_answer_over_all_says_of_a_tenant_nothing_of_another_one(fleet: Fleet) -> None:
    database = str(fleet.folder / "history.db")
    report = report_on_fleet(FleetRequest(at=SECOND, history=database, config=str(fleet.nights.file)))
    assert {one.name for one in report.tenants} == set(fleet.words)
    for one in report.tenants:
        assert fleet.owners(msgspec.json.encode(one).decode()) <= {one.name}


def test_the_bundle_of_a_customer_holds_that_tenant_alone(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A PDF takes seconds, and shows the same report as the other files.
    monkeypatch.setattr(pdf, "render", lambda *_, **__: b"a PDF")
    source = SnapshotFiles((str(fleet.folder / "acme.json"),))
    data, _ = bundle_for(AuditRequest(source=source, packs=("trackerrms-uk",)))
    (tmp_path / "acme.zip").write_bytes(data)
    assert _owners(fleet, tmp_path) == {"acme"}


def test_no_token_of_a_tenant_is_sent_for_another_one(fleet: Fleet) -> None:
    """The server knows a request's tenant by its token only: what a run read was read with its own token."""
    with fleet.nights.history() as history:
        for key, name in history.tenants():
            if name in LIVE and (last := history.last_finished(key)):
                report, snapshot = history.comparable_parts(last.id)
                assert {report.tenant.id, snapshot.tenant.id} == {key}
    requests = fleet.server.requests
    assert {request.tenant_id for request in requests} == {key for key, name in _names(fleet).items() if name in LIVE}
    assert all(request.authorized for request in requests) and not fleet.server.strays
    assert not any(name.lower() == "cookie" for request in requests for name in request.headers)


@needs_owners
def test_files_of_a_fleet_are_for_their_owner_only(fleet: Fleet) -> None:
    """But for the metrics, which a collector reads as another user."""
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in fleet.folder.rglob("*")}
    given = {fleet.nights.file, *(fleet.folder / f"{name}.json" for name in FILES)}
    metrics = fleet.folder / "metrics.prom"
    assert [str(path) for path, mode in modes.items() if mode & 0o077 and path not in {*given, metrics}] == []
    assert modes[metrics] == 0o644
