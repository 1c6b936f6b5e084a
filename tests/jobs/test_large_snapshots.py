"""A snapshot in any form gives the same report: as JSON, packed, and with only the rows that the question needs."""

from __future__ import annotations

import copy
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.consent import granted_permissions
from auditor.consent.snapshot_index import index_of
from auditor.jobs import report_builder, snapshot_files
from auditor.jobs.audit import audit
from auditor.jobs.audit_request import AuditRequest, SnapshotFiles
from auditor.jobs.pack_selection import all_pack_names, chosen_packs
from auditor.jobs.snapshot_files import read_snapshot
from auditor.model.errors import AuditorError
from auditor.model.resources import OAuth2PermissionGrant
from auditor.model.snapshot import GroupedGrants, LeftOut, PartOfSnapshot, Snapshot
from auditor.render.json import render
from auditor.snapshot import packed_read
from auditor.snapshot.packed_files import DOCUMENT, compressed, rows_file
from auditor.snapshot.samples import sample, sample_names
from auditor.snapshot.write import dumps
from benchmarks.tenants import as_large

Row = dict[str, Any]
VENDOR = ("trackerrms-uk",)
HYGIENE = ("grants-hygiene",)
ALL = tuple(all_pack_names())
ROWS = ("servicePrincipals", "oauth2PermissionGrants", "roleDefinitions", "roleAssignments", "users")


def packed(document: Row, path: Path, pages: int = 2) -> Path:
    """The document in the packed form, each list of rows in as many gzip streams as there are `pages`."""
    rest = {**document, "sections": dict(document["sections"])}
    lists = {name: rest["sections"].pop(name) for name in ROWS if isinstance(rest["sections"].get(name), list)}
    files = {name: {"file": rows_file(name), "rows": len(rows)} for name, rows in lists.items()}
    with ZipFile(path, "w") as archive:
        archive.writestr(DOCUMENT, msgspec.json.encode({**rest, "files": files}))
        for name, rows in lists.items():
            size = -(-len(rows) // pages) or 1
            parts = (rows[at : at + size] for at in range(0, len(rows), size))
            lines = (b"".join(msgspec.json.encode(row) + b"\n" for row in part) for part in parts)
            archive.writestr(rows_file(name), b"".join(map(compressed, lines)))
    return path


def as_json(document: Row, path: Path) -> Path:
    path.write_bytes(msgspec.json.encode(document))
    return path


def report(path: Path, packs: tuple[str, ...]) -> bytes | tuple[str, ...]:
    """The report without the name of the file, or what is wrong with the file."""
    try:
        made = audit(AuditRequest(source=SnapshotFiles((str(path),)), packs=packs)).report
    except AuditorError as error:
        return ("error", *getattr(error, "problems", ()))
    return render(msgspec.structs.replace(made, source=""))


def judged_as_large(patch: pytest.MonkeyPatch, large: bool) -> None:
    """Make every document, list and tenant a large one, or none."""
    size = 0 if large else 1 << 40
    patch.setattr(snapshot_files, "_LARGE", size)
    patch.setattr(packed_read, "_LARGE", size)
    patch.setattr(packed_read, "_AT_ONCE", 700 if large else 1 << 20)
    patch.setattr(report_builder, "_LARGE", size)
    patch.setattr(granted_permissions, "_MANY", size)


def changed_row(row: Row, chance: random.Random) -> Any:
    """The row with one property lost, blank, spelled in another way or of another type, or as it is."""
    row = copy.deepcopy(row)
    name = chance.choice(sorted(row))
    match chance.randrange(12):
        case 0:
            del row[name]
        case 1:
            row[name] = None
        case 2:
            row[name] = chance.choice(["", " ", "\u00a0", "\t "])
        case 3:
            row[name[:1].upper() + name[1:]] = row.pop(name)
        case 4:
            row[name] = chance.choice([7, True, {}, [], ["x"], [None], [""], "new to this version"])
        case 5:
            row["notKnown"] = chance.choice([1, {"a": None}, []])
        case 6 if isinstance(row[name], str):
            row[name] = row[name].upper()
        case 7:
            kind = chance.choice(["agentIdentity", "agentIdentityBlueprintPrincipal"])
            row["@odata.type"] = f"#microsoft.graph.{kind}"
        case 8:
            return None
        case 9 if isinstance(row[name], str):
            row[name] = f" {row[name]} é "
        case _:
            pass
    return row


def changed(document: Row, chance: random.Random) -> Row:
    """The document with some rows changed, moved, taken out or there twice."""
    document = copy.deepcopy(document)
    for name in ROWS:
        rows = document["sections"].get(name)
        if not isinstance(rows, list):
            continue
        for at in range(len(rows)):
            if chance.random() < 0.15:
                rows[at] = changed_row(rows[at], chance)
        if rows and chance.random() < 0.2:
            rows.pop(chance.randrange(len(rows)))
        if chance.random() < 0.3:
            chance.shuffle(rows)
    if chance.random() < 0.3:
        document["covers"] = {name: ids for name, ids in document.get("covers", {}).items() if chance.random() < 0.5}
    return document


def tenants() -> list[Row]:
    found = [msgspec.json.decode(dumps(sample(name))) for name in sample_names()]
    whole = [{**one, "covers": {}} for one in found]
    return [*found, *whole, as_large(12, 60)]


TENANTS = tenants()


@pytest.mark.parametrize("packs", [pytest.param(VENDOR, id="vendor"), pytest.param(ALL, id="all packs")])
@settings(max_examples=max(12, settings().max_examples // 8))
@given(number=st.integers(0, 10**9))
def test_every_form_of_a_snapshot_gives_the_same_report(
    number: int, packs: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    chance = random.Random(number)
    document = changed(chance.choice(TENANTS), chance)
    folder = tmp_path_factory.mktemp("forms")
    files = as_json(document, folder / "a.json"), packed(document, folder / "a.zip", chance.randint(1, 4))
    with pytest.MonkeyPatch.context() as patch:
        judged_as_large(patch, False)
        expected = report(files[0], packs)
        assert report(files[1], packs) == expected
        judged_as_large(patch, True)
        assert report(files[0], packs) == expected
        assert report(files[1], packs) == expected


def part_read(document: Row, packs: tuple[str, ...], folder: Path) -> Snapshot:
    """What an audit reads of the document in the packed form."""
    path = packed(document, folder / "tenant.zip")
    return read_snapshot([str(path)], wanted=lambda: report_builder.wanted_by(chosen_packs(packs)))


def test_a_question_about_one_app_keeps_the_rows_that_it_depends_on(tmp_path: Path) -> None:
    found = part_read(as_large(200, 1000), VENDOR, tmp_path)
    assert isinstance(found, PartOfSnapshot) and found.apps_left_out
    assert len(found.sections.servicePrincipals or ()) < 10 and found.sections.oauth2PermissionGrants == ()


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param({"clientId": None}, id="a grant without a client"),
        pytest.param({"scope": " "}, id="a grant with a blank scope"),
        pytest.param({"consentType": "Principal", "principalId": None}, id="a grant for a user that isn't named"),
        pytest.param({"consentType": "newToThisVersion"}, id="a grant of a kind that is new"),
    ],
)
def test_everything_is_kept_if_a_row_can_be_about_any_app(lost: Row, tmp_path: Path) -> None:
    document = as_large(20, 100)
    document["sections"]["oauth2PermissionGrants"][50] |= lost
    found = part_read(document, VENDOR, tmp_path)
    assert not isinstance(found, PartOfSnapshot) and len(found.sections.oauth2PermissionGrants or ()) == 100


def test_a_look_up_of_a_row_that_was_left_out_is_noticed(tmp_path: Path) -> None:
    document = as_large(20, 100)
    other = document["sections"]["servicePrincipals"][-1]
    index = index_of(part_read(document, VENDOR, tmp_path))
    for look_up, name in (
        (index.service_principal, other["appId"]),
        (index.principal_with_id, other["id"]),
        (index.resource_name, other["appId"].upper()),
        (index.resource_id, other["servicePrincipalNames"][1]),
        (index.grants_of, other["id"]),
    ):
        with pytest.raises(LeftOut):
            look_up(name)


def test_rows_that_two_pages_hold_count_once_and_the_later_one_is_right(tmp_path: Path) -> None:
    document = as_large(5, 10)
    grants = document["sections"]["oauth2PermissionGrants"]
    grants.append({**grants[3], "scope": "Calendars.Read"})
    found = read_snapshot([str(packed(document, tmp_path / "tenant.zip"))]).sections.oauth2PermissionGrants
    assert found is not None and len(found) == 10 and found[3].scope == "Calendars.Read"


def all_read(document: Row, folder: Path, pages: int = 2) -> Sequence[OAuth2PermissionGrant]:
    """The grants that a check of the whole tenant reads of the document in the packed form."""
    path = packed(document, folder / "tenant.zip", pages)
    wanted = report_builder.wanted_by(chosen_packs(HYGIENE))
    return read_snapshot([str(path)], wanted=lambda: wanted).sections.oauth2PermissionGrants or ()


def test_a_check_of_all_apps_keeps_the_users_of_grants_that_are_alike(tmp_path: Path) -> None:
    document = as_large(20, 100)
    found = all_read(document, tmp_path)
    assert isinstance(found, GroupedGrants) and len(found.users) == 20
    names = ("clientId", "resourceId", "consentType", "scope", "principalId")
    of = {tuple(row[name] for name in names) for row in document["sections"]["oauth2PermissionGrants"]}
    assert {tuple(getattr(row, name) for name in names) for row in found} == of
    assert (len(found), len(list(found)), found[0].id) == (100, 100, None)


def test_the_grants_of_the_apps_in_question_keep_their_ids(tmp_path: Path) -> None:
    document = as_large(20, 100)
    app = document["sections"]["servicePrincipals"][-1]
    app["@odata.type"] = "#microsoft.graph.agentIdentityBlueprintPrincipal"
    found = all_read(document, tmp_path)
    assert isinstance(found, GroupedGrants)
    of_app = found.by_client[app["id"]]
    assert len(of_app) == 5 and all(row.id for row in of_app)
    assert {id(row) for row in found if row.clientId == app["id"]} == {id(row) for row in of_app}


@pytest.mark.parametrize(
    ("again", "is_grouped"),
    [
        pytest.param({}, True, id="unchanged"),
        pytest.param({"scope": "Calendars.Read"}, False, id="with other scopes"),
    ],
)
def test_a_grant_on_two_pages_counts_once_in_a_check_of_all_apps(again: Row, is_grouped: bool, tmp_path: Path) -> None:
    document = as_large(5, 40)
    grants = document["sections"]["oauth2PermissionGrants"]
    twice = copy.deepcopy(document)
    twice["sections"]["oauth2PermissionGrants"].append({**grants[3], **again})
    grants[3] |= again
    assert isinstance(all_read(twice, tmp_path), GroupedGrants) is is_grouped
    with pytest.MonkeyPatch.context() as patch:
        judged_as_large(patch, True)
        files = packed(document, tmp_path / "once.zip"), packed(twice, tmp_path / "twice.zip")
        assert report(files[0], HYGIENE) == report(files[1], HYGIENE)


def test_a_row_of_the_document_adds_what_the_list_leaves_out(tmp_path: Path) -> None:
    document = as_large(5, 10)
    with ZipFile(packed(document, tmp_path / "tenant.zip")) as archive:
        whole = msgspec.json.decode(archive.read(DOCUMENT))
        rows = {name: archive.read(name) for name in archive.namelist()[1:]}
    listed = document["sections"]["servicePrincipals"][-1]
    more = {"id": listed["id"], "appId": listed["appId"], "appRoles": [{"id": "r1", "value": "Use"}]}
    whole["sections"]["servicePrincipals"] = [more]
    with ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr(DOCUMENT, msgspec.json.encode(whole))
        for name, data in rows.items():
            archive.writestr(name, data)
    found = read_snapshot([str(tmp_path / "more.zip")]).sections.servicePrincipals or ()
    (merged,) = (one for one in found if one.appId == listed["appId"])
    assert merged.displayName == listed["displayName"] and merged.appRoles and merged.appRoles[0].value == "Use"


def test_a_grant_more_costs_few_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged_as_large(monkeypatch, True)
    monkeypatch.setattr(packed_read, "_AT_ONCE", 1 << 20)
    few, many = (
        calls(HYGIENE, packed(as_large(100, number), tmp_path / f"{number}.zip", 1)) for number in (1000, 3000)
    )
    assert (many - few) / 2000 < 5


def calls(packs: tuple[str, ...], path: Path) -> int:
    """How many functions of Python and C an audit of the file calls, without those that only load what is kept."""
    request = AuditRequest(source=SnapshotFiles((str(path),)), packs=packs)
    audit(request)
    count = 0

    def note(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        audit(request)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "packs",
    [pytest.param(VENDOR, id="vendor"), pytest.param(HYGIENE, id="hygiene"), pytest.param(ALL, id="all packs")],
)
def test_no_step_of_an_audit_is_quadratic(packs: tuple[str, ...], tmp_path: Path) -> None:
    once, thrice = (
        calls(packs, packed(as_large(100 * times, 1000 * times), tmp_path / f"{times}.zip", times)) for times in (1, 3)
    )
    assert thrice <= once * 3.1
