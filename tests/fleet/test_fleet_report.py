"""``fleet report``: from a history and from files that customers sent, redacted, and as the command prints it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import jsonschema
import msgspec
import pytest
from click.testing import CliRunner

from auditor.cli.fleet_report import command
from auditor.history import open_history
from auditor.jobs.audit import check
from auditor.jobs.audit_request import Redaction
from auditor.jobs.bundle_writer import REPORT, members_of, zipped
from auditor.jobs.customer_lists import ListedConfiguration
from auditor.jobs.fleet_audits import FleetRequest
from auditor.jobs.fleet_report import fleet_of_history
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.pack_selection import texts_for
from auditor.jobs.snapshot_files import redactor_of_file
from auditor.model.customers import Customer, CustomerList, ListKind, Relationship
from auditor.model.difference import Change, ChangeKind, Difference, Side, Transition
from auditor.model.fleet import FleetReport
from auditor.model.report import Report
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot
from auditor.packs.load import load_packs
from auditor.render import render
from auditor.render.fleet import CSV_TABLES, schema
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import run
from tests.fleet.world import State, counted, world
from tests.golden import check_golden

GOLDEN = Path(__file__).parent / "golden"
FIRST, SECOND, NOW = "2026-11-25T02:00:00Z", "2026-11-26T02:00:00Z", "2026-11-26T08:00:00Z"
CLOCK = {"_CONSENT_AUDITOR_TEST_NOW": NOW}
PACKS = ("trackerrms-uk", "cisa-scuba")


def tenant(name: str, of_sample: str, number: int) -> Snapshot:
    """A tenant with a sample's settings, and a name and an id that no other one has."""
    made = sample(of_sample)
    identity = msgspec.structs.replace(made.tenant, id=f"{number:08d}-0000-4000-8000-00000000000a", name=name)
    return msgspec.structs.replace(made, tenant=identity)


TENANTS = {
    "contoso": ("Contoso Talent", "managed-default", "managed-default"),
    "fabrikam": ("Fabrikam Search", "managed-default", "admin-consented"),
    "litware": ("Litware Personnel", "admin-consented", "app-disabled"),
    "adatum": ("Adatum People", "consent-off", None),
    "tailspin": ("Tailspin Jobs", None, None),
    "northwind": ("Northwind Staffing", "admin-consented", "admin-consented"),
}
"""Their names, and their settings in the first and in the second night; none where the run failed."""


class Kept(NamedTuple):
    """A history of two nights, and its configuration, which lacks one of the tenants and has a new one."""

    folder: Path
    config: str


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("kept")
    packs = load_packs(PACKS)
    with open_history(str(folder / "history.sqlite")) as history:
        for night, started in enumerate((FIRST, SECOND)):
            for number, (name, (display, *samples)) in enumerate(TENANTS.items()):
                run_id = history.begin(name, name, started, ("gold",) if number % 2 else ())
                of_sample = samples[night]
                if of_sample is None:
                    history.fail(
                        run_id, error="AADSTS700016: the app isn't in the tenant", exit_code=3, finished=started
                    )
                    continue
                snapshot = msgspec.structs.replace(tenant(display, of_sample, number), taken=started)
                report = check(snapshot, packs, source="live", tool="consent-auditor")
                difference = _difference(report) if night and samples[0] != of_sample else None
                history.finish(
                    run_id, report=report, snapshot=snapshot, difference=difference, exit_code=1, finished=started
                )
    entries = [
        f"  - {{name: {name}, tenant: {name}.onmicrosoft.com, tags: [{'gold' if number % 2 else 'silver'}]}}"
        for number, name in enumerate((*TENANTS, "wingtip"))
        if name != "northwind"
    ]
    config = folder / "fleet.yaml"
    head = "version: 1\nhistory: {file: history.sqlite}\ndefaults: {packs: [trackerrms-uk, cisa-scuba]}\ntenants:\n"
    config.write_text(head + "\n".join(entries) + "\n")
    return Kept(folder, str(config))


def _difference(report: Report) -> Difference:
    side = Side(tenant=report.tenant, taken=report.taken)
    change = Change(
        kind=ChangeKind.SETTING, key="setting/x", what="The user consent setting", transition=Transition.CHANGED,
        before="everyone", after="none", means="Users can consent to fewer apps.",
    )  # fmt: skip
    return Difference(before=side, after=side, changes=(change,))


class Invoked(NamedTuple):
    """How the command ended in this process: its exit code, what it printed, and the error that it explains."""

    code: int
    out: bytes
    said: str


def invoke(*options: str, **env: str) -> Invoked:
    runner = CliRunner(env={"CONSENT_AUDITOR_PACKS": "", **CLOCK, **env})
    done = runner.invoke(command, list(options), standalone_mode=False)
    error = done.exception
    text = error.format_message() if isinstance(error, click.UsageError) else str(error or "")
    return Invoked(2 if error else done.return_value, done.stdout_bytes, " ".join(f"{done.output} {text}".split()))


def reported(path: Path) -> FleetReport:
    """The JSON document, which must be what its schema says."""
    document = json.loads(path.read_bytes())
    jsonschema.validate(document, schema())
    return msgspec.json.decode(path.read_bytes(), type=FleetReport)


def test_the_installed_command_answers_first_and_explains_its_exit_code_last(kept: Kept) -> None:
    done = run("fleet", "report", "--config", "fleet.yaml", cwd=kept.folder, env={**CLOCK, "COLUMNS": "80"})
    assert (done.code, done.err) == (1, "")
    printed = done.out.replace(str(kept.folder), "FOLDER")
    check_golden(GOLDEN / "fleet-report.txt", printed)
    lines = printed.rstrip().split("\n")
    assert lines[0].startswith("Users of 1 of 6 tenants can connect TrackerRMS")
    assert lines[-1] == "Exit code 1: somewhere users can't connect an app."
    assert len(lines) <= 50 and max(map(len, lines)) <= 80


@pytest.fixture(scope="module")
def files(kept: Kept) -> Path:
    """The report in every format."""
    place = kept.folder / "out"
    place.mkdir()
    names = [f"fleet.{ending}" for ending in ("json", "md", "html", "xlsx", "csv")]
    done = invoke("--config", kept.config, *(part for one in names for part in ("-o", str(place / one))))
    assert done.code == 1
    tables = invoke("--config", kept.config, "-f", "csv", "-o", f"{place}/tables/")
    assert tables.code == 1
    return place


def test_the_counts_are_those_of_the_last_audits_and_a_failed_run_is_unknown(files: Path) -> None:
    made = reported(files / "fleet.json")
    (app,) = made.apps
    assert (app.tenants, app.connects, app.needs_admin, app.blocked, app.unknown) == (6, 1, 1, 1, 3)
    assert {one.name: (one.state, one.apps[0].state) for one in made.tenants} == {
        "contoso": ("audited", "needs-admin"),
        "fabrikam": ("audited", "connects"),
        "litware": ("audited", "blocked"),
        "adatum": ("stale", "unknown"),
        "tailspin": ("failed", "unknown"),
        "wingtip": ("never", "unknown"),
    }
    assert made.notes == ("1 tenant of the history that isn't in the configuration is left out: northwind.",)


def test_the_changes_are_those_since_the_audit_before_with_what_the_history_kept(files: Path) -> None:
    made = reported(files / "fleet.json")
    changes = [
        (one.tenant, one.what, one.before, one.after, one.worse) for one in made.changes if one.kind != "finding"
    ]
    assert changes == [
        ("litware", "TrackerRMS", "connects", "blocked", True),
        ("fabrikam", "TrackerRMS", "needs-admin", "connects", False),
        ("fabrikam", "The user consent setting", "everyone", "none", None),
        ("litware", "The user consent setting", "everyone", "none", None),
    ]
    assert made.apps[0].before is not None
    assert (made.apps[0].compared, made.apps[0].before.needs_admin, made.apps[0].before.connects) == (3, 2, 1)


def test_each_tenant_that_needs_something_has_its_link_and_a_message_without_another_tenant(files: Path) -> None:
    made = reported(files / "fleet.json")
    todo = {one.name: one.todo for one in made.tenants if one.todo}
    assert set(todo) == {"contoso", "litware"}
    assert "/00000000-0000-4000-8000-00000000000a/" in todo["contoso"].link
    for name, one in todo.items():
        own = TENANTS[name][0]
        assert own in one.message
        others = {each[0] for each in TENANTS.values()} - {own}
        assert not [other for other in (*others, *(TENANTS.keys() - {name})) if other in one.message]


def test_the_markdown_and_the_tables_are_as_a_reviewer_approved(files: Path) -> None:
    for name in ("fleet.md", *(f"tables/{table}.csv" for table in ("answer", "apps", "why", "todo", "not-audited"))):
        text = (files / name).read_text(encoding="utf-8-sig").replace(str(files.parent), "FOLDER")
        check_golden(GOLDEN / name.replace("/", "-"), text)


def test_every_table_is_a_file_and_one_file_has_all_of_them(files: Path) -> None:
    assert {one.name for one in (files / "tables").iterdir()} == {f"{table}.csv" for table in CSV_TABLES}
    rows = list(csv.DictReader(io.StringIO((files / "fleet.csv").read_text(encoding="utf-8-sig"))))
    assert {row["Table"] for row in rows} >= {"Answer", "Apps", "Why", "To do", "Tenants", "Changes", "Not audited"}
    todo = [row for row in rows if row["Table"] == "To do"]
    assert [row["Tenant"] for row in todo if row["Message"].startswith("Subject: Please approve")] == ["contoso"]


@pytest.mark.skipif(not hasattr(Path, "owner"), reason="files have no owner here")
def test_the_files_are_for_their_owner_only(files: Path) -> None:
    assert {one.stat().st_mode & 0o077 for one in files.rglob("*") if one.is_file()} == {0}


def test_redacted_no_format_names_a_tenant_and_the_same_token_is_in_each(kept: Kept, tmp_path: Path) -> None:
    names = [f"fleet.{ending}" for ending in ("json", "md", "html", "xlsx", "csv", "txt")]
    outputs = (part for one in names for part in ("-o", str(tmp_path / one)))
    done = invoke("--config", kept.config, "--redact", "--redact-key", str(tmp_path / "key"), *outputs)
    assert done.code == 1
    texts = {one: _text(tmp_path / one) for one in names}
    forbidden = [*TENANTS, "wingtip", "Talent", "Personnel", "00000000-0000-4000-8000-00000000000a", str(kept.folder)]
    for name, text in texts.items():
        assert not [one for one in forbidden if one.casefold() in text.casefold()], name
    made = reported(tmp_path / "fleet.json")
    assert made.redacted and made.place == "" and made.apps[0].tenants == 6
    first = next(one for one in made.tenants if one.todo and one.todo.link)
    assert all(first.name in text for text in texts.values())
    assert first.todo is not None and "{tenant-id}" in first.todo.link


def test_redacted_a_customer_in_a_list_has_the_token_of_its_tenant(kept: Kept) -> None:
    tenant_id = tenant("Contoso Talent", "managed-default", 0).tenant.id
    ends = Relationship(id="r-1", name="Contoso service desk", status="active", ends="2026-12-01T00:00:00Z")
    customer = Customer(tenant=tenant_id, name="Contoso Talent", label="contoso", source="g", relationships=(ends,))
    partner = CustomerList(
        source="gdap:contoso.example", kind=ListKind.GDAP, customers=(customer,), error="403 Contoso"
    )
    listed = ListedConfiguration(load_configuration(kept.config), (partner,))
    with open_history(str(kept.folder / "history.sqlite")) as history:
        request = FleetRequest(at=NOW, redaction=Redaction(str(kept.folder / "list-key")))
        made = fleet_of_history(history, request, listed=listed)
    (ending,) = made.ending
    (row,) = (one for one in made.tenants if one.apps[0].state.value == "needs-admin")
    assert ending.tenants == (row.name,)
    assert "contoso" not in msgspec.json.encode(made).decode().casefold()


def _text(path: Path) -> str:
    if path.suffix != ".xlsx":
        return path.read_text(encoding="utf-8")
    with zipfile.ZipFile(path) as archive:
        return "".join(archive.read(one).decode() for one in archive.namelist())


@pytest.mark.parametrize(
    ("options", "tenants"),
    [
        pytest.param(("--tag", "gold"), {"fabrikam", "adatum"}, id="a tag"),
        pytest.param(("--tenant", "contoso", "--tenant", "Litware"), {"contoso", "litware"}, id="names"),
        pytest.param(("--app", "TrackerRMS", "--tag", "GOLD"), {"fabrikam", "adatum"}, id="an app"),
    ],
)
def test_a_report_can_be_about_some_tenants(
    kept: Kept, tmp_path: Path, options: tuple[str, ...], tenants: set[str]
) -> None:
    invoke("--config", kept.config, *options, "-o", str(tmp_path / "f.json"))
    assert {one.name for one in reported(tmp_path / "f.json").tenants} == tenants


@pytest.mark.parametrize(
    ("since", "compared"),
    [
        pytest.param("2026-11-25", 0, id="before the first night"),
        pytest.param("2026-11-25T12:00Z", 3, id="between the nights"),
        pytest.param("7d", 0, id="a week"),
        pytest.param("2026-11-26T07:00Z", 0, id="after the last night"),
    ],
)
def test_since_compares_with_the_audit_before_that_time(kept: Kept, tmp_path: Path, since: str, compared: int) -> None:
    invoke("--config", kept.config, "--since", since, "-o", str(tmp_path / "f.json"))
    made = reported(tmp_path / "f.json")
    assert made.apps[0].compared == compared
    assert bool([one for one in made.changes if one.kind == "decision"]) is bool(compared)


def test_a_history_alone_has_its_own_tenants_and_an_old_one_is_stale(kept: Kept, tmp_path: Path) -> None:
    options = ("--history", str(kept.folder / "history.sqlite"), "-o", str(tmp_path / "f.json"))
    later = {"_CONSENT_AUDITOR_TEST_NOW": "2026-12-10T08:00:00Z"}
    assert invoke(*options).code == 1
    assert {one.name for one in reported(tmp_path / "f.json").tenants} == set(TENANTS)
    assert invoke(*options, **later).code == 3
    made = reported(tmp_path / "f.json")
    assert {one.state for one in made.tenants} == {"stale", "failed"}
    assert made.apps[0].unknown == made.apps[0].tenants == 6, "also the one without an audit: all others have this app"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(("--live", "--snapshot", "x.json"), "--live and --snapshot exclude each other", id="two sources"),
        pytest.param(("--snapshot", "x.json", "--tag", "gold"), "leave out --config", id="tags of files"),
        pytest.param(("--snapshot", "x.json"), "Add --app NAME", id="files without a question"),
        pytest.param(("--since", "soon"), "isn't a time: give for example 7d, 12h, 2026-11-15", id="no time"),
        pytest.param(("--since", "7d", "--live"), "--since compares runs of the history", id="since of a live read"),
        pytest.param(("--pack", "cisa-scuba"), "add --live or --snapshot", id="a pack for a history"),
        pytest.param(("--tag", "bronze"), "the tags are gold, silver", id="no such tag"),
        pytest.param(("--tenant", "contos"), 'did you mean "contoso"?', id="no such tenant"),
        pytest.param(("--app", "Thunderbird"), "no tenant was audited for Thunderbird", id="no such app"),
        pytest.param(("-o", "folder/"), "add -f csv", id="a folder without a format"),
        pytest.param(("-f", "csv", "-f", "json"), "add -o FILE for each", id="several formats"),
    ],
)
def test_a_mistake_says_what_to_give(kept: Kept, options: tuple[str, ...], says: str) -> None:
    config = () if "--snapshot" in options else ("--config", kept.config)
    done = invoke(*config, *options)
    assert says in done.said
    assert done.code == 2


# ---- Files that customers sent --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Snapshots, two of one tenant, redacted ones with two keys, a bundle, a report, and what can't be read."""
    folder = tmp_path_factory.mktemp("sent")
    packs = load_packs(("trackerrms-uk",))

    def write(name: str, snapshot: Snapshot) -> None:
        (folder / name).write_bytes(dumps(snapshot))

    contoso = tenant("Contoso Talent", "managed-default", 1)
    write("contoso.json", contoso)
    older = msgspec.structs.replace(tenant("Contoso Talent", "legacy-open", 1), taken="2026-09-01T00:00:00Z")
    write("contoso-september.json", older)
    secret = tenant("Fabrikam Search", "app-disabled", 2)
    for number in (1, 2):
        redaction = Redaction(str(folder.parent / f"key-{number}"))
        write(f"redacted-{number}.json", redactor_of_file(secret, redaction, ("trackerrms-uk",)).snapshot)
    judged = tenant("Litware Personnel", "admin-consented", 3)
    report = check(judged, load_packs(PACKS), source="live", tool="consent-auditor")
    (folder / "report-of-litware.json").write_bytes(msgspec.json.encode(report))
    (folder / "bundle.zip").write_bytes(_bundle(tenant("Adatum People", "consent-off", 4), packs))
    (folder / "broken.json").write_text("{")
    (folder / "damaged.zip").write_bytes(b"PK\x03\x04 not a zip")
    (folder / "notes.txt").write_text("Sent by mail.")
    yield folder


def _bundle(snapshot: Snapshot, packs: Sequence[Pack]) -> bytes:
    """A bundle without its PDF and its page, which cost more than all else in it."""
    report = check(snapshot, packs, source="live", tool="consent-auditor")
    texts = texts_for(packs, ("trackerrms-uk",))
    reports = {REPORT: render(report, "json")}
    members, _ = members_of(report, snapshot, texts, redacted=False, user="", reports=reports, left_out=())
    return zipped(members)


def test_a_vendor_sees_every_customer_that_sent_a_file_without_access_to_a_tenant(sent: Path, tmp_path: Path) -> None:
    done = invoke("--app", "trackerrms-uk", "--snapshot", str(sent), "-o", str(tmp_path / "f.json"))
    assert done.code == 1
    made = reported(tmp_path / "f.json")
    states = sorted((one.apps[0].state.value, one.state.value) for one in made.tenants)
    assert states == [
        ("blocked", "audited"),
        ("blocked", "audited"),
        ("connects", "audited"),
        ("needs-admin", "audited"),
        ("needs-admin", "audited"),
        ("unknown", "unreadable"),
        ("unknown", "unreadable"),
    ]
    assert made.apps[0].tenants == 7
    assert {one.pack for one in made.benchmarks} == {"trackerrms-uk"}, "the report of a customer has another pack, too"
    text = " ".join(made.notes)
    assert "1 file is left out, because a newer one is about the same tenant: contoso-september.json." in text
    assert "2 files are redacted." in text and "is counted twice" in text
    unread = {one.tenants[0]: one for one in made.not_audited}
    assert set(unread) == {"broken", "damaged"}
    assert all(one.reason and one.advice for one in unread.values())


def test_files_can_be_named_and_a_missing_one_is_a_tenant_that_is_not_known(sent: Path, tmp_path: Path) -> None:
    named = (str(sent / "contoso.json"), str(sent / "nobody.json"))
    done = invoke("--app", "trackerrms-uk", *(part for one in named for part in ("--snapshot", one)), "-f", "json")
    made = msgspec.json.decode(done.out, type=FleetReport)
    assert {one.name: one.state.value for one in made.tenants} == {"Contoso Talent": "audited", "nobody": "unreadable"}
    assert (made.apps[0].unknown, done.code) == (1, 1)


# ---- Tenants that are read now --------------------------------------------------------------------------------------


def test_tenants_that_are_read_now_are_counted_as_by_hand_and_nothing_is_kept(tmp_path: Path) -> None:
    with world(tmp_path, number=8) as made:
        before = set(tmp_path.iterdir())
        done = invoke("--config", str(made.file), "--live", "-f", "json", **made.environ)
        states = counted(made.customers)
        assert set(tmp_path.iterdir()) == before
    report = msgspec.json.decode(done.out, type=FleetReport)
    (app,) = report.apps
    assert (app.connects, app.needs_admin, app.blocked, app.unknown) == (
        states[State.CONNECTS],
        states[State.NEEDS_ADMIN],
        states[State.BLOCKED],
        states[State.UNKNOWN],
    )
    unread = {name: one.reason for one in report.not_audited for name in one.tenants}
    assert set(unread) == {"customer-000", "customer-005"}
    assert "AADSTS700016" in unread["customer-000"]
