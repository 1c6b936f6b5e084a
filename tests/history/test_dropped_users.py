"""Without `keeps_users`, no id and no name of a user of a grant is anywhere in the database."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from auditor import check, load_packs, sample
from auditor.history import open_history
from auditor.history.contents import load
from auditor.history.tables import contents, metadata
from auditor.model.difference import Actor, ActorKind, ChangeKind, Difference
from auditor.model.report import Evidence
from auditor.model.resources import AppRoleAssignment, OAuth2PermissionGrant, User
from auditor.model.snapshot import Snapshot
from tests.history.nights import TENANT, Night, difference_of, keep

ANNA = "0a11a000-1111-4222-8333-444455556666"
BERT = "0be27000-1111-4222-8333-444455556666"
SECRETS = (ANNA, BERT, "anna.berg@contoso.example", "Anna Berg", "Bert Olsen", "grant-of-anna", "assignment-of-bert")


def with_users(snapshot: Snapshot) -> Snapshot:
    """The snapshot with a grant for Anna and an assignment of Bert, the user Anna, and nothing else about people."""
    sections = snapshot.sections
    app, *others = sections.servicePrincipals or ()
    grant = OAuth2PermissionGrant(
        id=f"grant-of-anna-{ANNA}",
        clientId=app.id,
        resourceId=(others or [app])[0].id,
        consentType="Principal",
        scope="Mail.Read",
        principalId=ANNA.upper(),
    )
    other = msgspec.structs.replace(grant, id="grant-of-bert", principalId=BERT)
    assignment = AppRoleAssignment(
        id="assignment-of-bert",
        principalId=BERT,
        principalType="User",
        principalDisplayName="Bert Olsen",
        appRoleId=None,
    )
    group = msgspec.structs.replace(
        assignment, id="assignment-of-group", principalId="group", principalType="Group", principalDisplayName="Sales"
    )
    anna = User(id=ANNA, userPrincipalName="Anna.Berg@contoso.example", displayName="Anna Berg")
    changed = msgspec.structs.replace(
        sections,
        oauth2PermissionGrants=(*(sections.oauth2PermissionGrants or ()), grant, other),
        appRoleAssignedTo={app.appId: (assignment, group)},
        users=(anna,),
    )
    covers = {name: ids for name, ids in snapshot.covers.items() if name != "oauth2PermissionGrants"}
    return msgspec.structs.replace(snapshot, sections=changed, covers=covers)


def night_with_users() -> Night:
    snapshot = with_users(sample("managed-default"))
    report = check(snapshot, load_packs(("trackerrms-uk", "grants-hygiene")))
    finding, *others = report.findings
    told = msgspec.structs.replace(
        finding,
        evidence=(Evidence(path=f"oauth2PermissionGrants[id={ANNA}]", actual=["Anna Berg", f"user {BERT}."]),),
        reason=f"The user anna.berg@contoso.example ({ANNA}) has a grant",
    )
    return Night(msgspec.structs.replace(report, findings=(told, *others)), snapshot)


def difference_with_users() -> Difference:
    made = difference_of(2)
    grant, setting = made.changes
    anna = Actor(kind=ActorKind.USER, id=ANNA, name="anna.berg@contoso.example")
    grant = msgspec.structs.replace(
        grant, kind=ChangeKind.GRANT, by=anna, after=[ANNA], what="anna.berg@contoso.example granted Mail.Read"
    )
    setting = msgspec.structs.replace(setting, by=anna, means="Anna Berg can connect the app.")
    admin = Actor(kind=ActorKind.USER, id="ad000000-1111-4222-8333-444455556666", name="admin@contoso.example")
    by_admin = msgspec.structs.replace(setting, key="setting/other", by=admin, means="Nobody can.")
    return msgspec.structs.replace(made, changes=(grant, setting, by_admin))


def everything(place: str) -> bytes:
    """Every value of every table, and every content unpacked."""
    with open_history(place) as history, history._database.read() as connection:
        found = [repr(tuple(row)) for table in metadata.sorted_tables for row in connection.execute(select(table))]
        lines = [line for one in connection.scalars(select(contents.c.id)) for line in load(connection, one)]
    return "\n".join(found).encode() + b"\n".join(lines)


def found_in(data: bytes) -> list[str]:
    return [secret for secret in SECRETS if secret.lower().encode() in data.lower()]


@pytest.mark.parametrize("keeps", [pytest.param(True, id="kept"), pytest.param(False, id="dropped")])
def test_users_of_grants_are_kept_or_nowhere(place: str, keeps: bool) -> None:
    with open_history(place, keeps_users=keeps) as history:
        run = keep(history, night_with_users(), difference=difference_with_users())
        report, snapshot = history.comparable_parts(run.id)
        difference = history.difference(run.id)
    data = everything(place)
    if not place.startswith("postgresql"):
        data += b"".join(file.read_bytes() for file in Path(place).parent.glob("history.db*") if file.is_file())
    if keeps:
        assert set(found_in(data)) >= {ANNA, BERT, "anna.berg@contoso.example", "Bert Olsen"}
        return
    assert found_in(data) == []
    assert b"Sales" in data and b"admin@contoso.example" in data
    grants = snapshot.sections.oauth2PermissionGrants or ()
    assert [row.principalId for row in grants if row.consentType == "Principal"] == [
        "00000000-0000-0000-0000-000000000001",
        "00000000-0000-0000-0000-000000000002",
    ]
    assert not any(row.lacks for row in grants)
    assert len(report.findings) == len(night_with_users().report.findings)
    assert difference is not None and [change.by is not None for change in difference.changes] == [True, True, True]


def test_two_nights_compare_as_before_if_both_are_as_kept(place: str) -> None:
    night = night_with_users()
    with open_history(place, keeps_users=False) as history:
        run = keep(history, night)
        kept = history.comparable_parts(run.id)
        now = history.as_kept(night.report, night.snapshot)
    assert kept[1].sections.oauth2PermissionGrants == now[1].sections.oauth2PermissionGrants
    assert kept[1].sections.appRoleAssignedTo == now[1].sections.appRoleAssignedTo
    assert kept[0] == now[0]
    assert run.tenant == TENANT
