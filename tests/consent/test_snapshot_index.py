"""The index of a snapshot: a section is gone through once, however many apps are decided about."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec
import pytest

from auditor.apps.held_permissions import AppHoldings
from auditor.consent.decide import decide
from auditor.consent.granted_permissions import role_name
from auditor.consent.snapshot_index import Absent, NotRead, SnapshotIndex, index_of
from auditor.fixes.app_changes import DeleteServicePrincipal
from auditor.model.decision import AppOwner, Outcome
from auditor.model.resources import AppRole, AppRoleAssignment, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot, Tenant, Unread
from tests.consent.from_oracle import app_of, snapshot_of
from tests.oracle import pool
from tests.oracle.plain import FULL_GRANT, VERIFIED, app, tenant
from tests.oracle.pool import CLIENT, GRAPH, LEGACY

Row = TypeVar("Row")
APPS = [f"00000000-0000-4000-8000-{number:012}" for number in range(40)]


class Counted(tuple[Row, ...]):
    """A section that counts how often somebody goes through it."""

    passes = 0

    def __iter__(self) -> Iterator[Row]:
        self.passes += 1
        return super().__iter__()


def large() -> tuple[Snapshot, Counted[ServicePrincipal], Counted[OAuth2PermissionGrant]]:
    """A tenant of many apps, each with a grant for everybody, whose two large sections count."""
    document = tenant(LEGACY, client=VERIFIED, oauth2PermissionGrants=FULL_GRANT)
    snapshot = snapshot_of(document)
    sections = snapshot.sections
    principals = Counted(
        (*(sections.servicePrincipals or ()), *(ServicePrincipal(id=f"object {one}", appId=one) for one in APPS))
    )
    graph = pool.OBJECT_IDS[GRAPH]
    grants = Counted(
        (
            *(sections.oauth2PermissionGrants or ()),
            *(
                OAuth2PermissionGrant(
                    clientId=f"object {one}", resourceId=graph, consentType="AllPrincipals", scope="Mail.Send"
                )
                for one in APPS
            ),
        )
    )
    counted = msgspec.structs.replace(sections, servicePrincipals=principals, oauth2PermissionGrants=grants)
    return msgspec.structs.replace(snapshot, sections=counted), principals, grants


def test_many_decisions_go_through_a_section_once() -> None:
    snapshot, principals, grants = large()
    for client_id in APPS:
        decide(snapshot, app_of(app(client_id=client_id)))
    assert (principals.passes, grants.passes) == (1, 1)


def test_a_changed_copy_shares_what_did_not_change() -> None:
    snapshot, principals, grants = large()
    decide(snapshot, app_of(app()))
    for _ in range(10):
        sections = msgspec.structs.replace(snapshot.sections, adminConsentRequestPolicy=None)
        changed = msgspec.structs.replace(snapshot, sections=sections)
        decide(changed, app_of(app()))
    assert (principals.passes, grants.passes) == (1, 1)


def test_a_changed_section_is_not_answered_from_the_old_one() -> None:
    snapshot, _, _ = large()
    assert decide(snapshot, app_of(app())).outcome.value == "connects-silently"
    none = msgspec.structs.replace(snapshot.sections, oauth2PermissionGrants=())
    revoked = msgspec.structs.replace(snapshot, sections=none)
    assert decide(revoked, app_of(app())).outcome.value == "user-may-consent"
    assert decide(snapshot, app_of(app())).outcome.value == "connects-silently"


def test_a_decision_takes_an_index_as_well_as_a_snapshot() -> None:
    snapshot, _, _ = large()
    index = index_of(snapshot)
    assert index_of(index) is index
    assert decide(index, app_of(app())) == decide(snapshot, app_of(app()))


def index(**sections: Any) -> SnapshotIndex:
    """The index of the plain tenant with these sections changed."""
    return index_of(snapshot_of(tenant(LEGACY, client=VERIFIED, **sections)))


def test_ids_are_found_in_any_letter_case() -> None:
    found = index()
    for app_id in (CLIENT, CLIENT.upper()):
        principal = found.service_principal(app_id)
        assert isinstance(principal, ServicePrincipal)
        assert found.principal_with_id(principal.id.upper()) is principal


def test_a_resource_goes_by_its_app_id_or_by_an_identifier_uri() -> None:
    api = {"id": "object of the api", "appId": APPS[0].upper(), "servicePrincipalNames": ["https://orders.example/"]}
    found = index(servicePrincipals=[api])
    assert found.resource_id("https://Orders.example") == APPS[0]
    assert found.resource_id(APPS[0].upper()) == APPS[0]
    assert found.resource_id("https://unknown.example/") == "https://unknown.example"


def test_an_app_outside_of_what_was_read_is_not_absent() -> None:
    document = tenant(LEGACY, client=VERIFIED)
    document["covers"] = {"servicePrincipals": [CLIENT.upper(), APPS[0].upper()]}
    document["sections"]["absentServicePrincipals"] = [APPS[1].upper()]
    found = index_of(snapshot_of(document))
    assert isinstance(found.service_principal(APPS[0]), Absent)
    assert isinstance(found.service_principal(APPS[1]), Absent)
    assert isinstance(found.service_principal(APPS[2]), NotRead)


@pytest.mark.parametrize(
    ("part", "status"),
    [
        pytest.param(f"servicePrincipals/{CLIENT}", 500, id="the app"),
        pytest.param(f"servicePrincipals/{GRAPH}", 500, id="the API"),
        pytest.param(f"oauth2PermissionGrants/{CLIENT}", 403, id="its grants"),
    ],
)
def test_a_part_that_could_not_be_read_is_unknown_also_where_nothing_says_what_was_read(part: str, status: int) -> None:
    document = tenant(pool.RECOMMENDED, client=VERIFIED)
    section, _, app_id = part.partition("/")
    rows = document["sections"][section]
    document["sections"][section] = [row for row in rows if row.get("appId") != app_id]
    document["unread"] = {part: {"status": status, "code": "", "message": "no"}}
    asked = app_of(app(["Mail.ReadWrite"]))
    assert decide(snapshot_of(document), asked).outcome is Outcome.DEPENDS
    assert "covers" not in document


@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param("Forbidden", "Your tenant is not licensed for this feature.", id="Graph's sentence"),
        pytest.param("Authentication_RequestFromNonPremiumTenantOrB2CTenant", "", id="Graph's code"),
        pytest.param("", "needs a Microsoft Entra ID P1 or P2 licence", id="a file of an earlier version"),
    ],
)
def test_nobody_is_sent_for_a_permission_where_the_license_is_missing(code: str, message: str) -> None:
    unread = Unread(status=403, code=code, message=message)
    snapshot = Snapshot(tenant=Tenant(id="t"), unread={"signIns": unread})
    assert SnapshotIndex(snapshot).not_read("signIns").why == f"signIns could not be read ({message or code})"


def test_of_two_lists_of_one_app_that_differ_in_letter_case_only_the_first_counts() -> None:
    first = AppRoleAssignment(principalId="p1", principalType="ServicePrincipal", appRoleId="r1", resourceId="p1")
    broken = msgspec.structs.replace(first, appRoleId=None)
    lists = {"A1": (first,), "a1": (broken,)}
    apps = tuple(ServicePrincipal(id=object_id, appId=app_id) for object_id, app_id in (("p1", "a1"), ("p2", "a2")))
    sections = Sections(servicePrincipals=apps, appRoleAssignedTo=lists, appRoleAssignments=lists)
    snapshot = Snapshot(tenant=Tenant(id="t"), sections=sections)
    index = index_of(snapshot)
    assert index.assigned_to("a1") == index.roles_held("A1") == (first,)
    assert index.gap("appRoleAssignedTo", "a1") is None
    holdings = AppHoldings(index).held_by("a1", AppOwner.UNKNOWN).holdings
    assert [one.names for one in holdings.application or ()] == [("r1",)]
    after = DeleteServicePrincipal(graph="", object_id="p2").effect(snapshot).sections
    assert after.appRoleAssignedTo == after.appRoleAssignments == {"a1": (first,)}


def test_an_app_role_has_the_name_of_the_first_that_knows_it() -> None:
    roles = (AppRole(id="R1", value="First"), AppRole(id="r1", value="Second"), AppRole(id="r2"))
    there, elsewhere = (
        index_of(Snapshot(tenant=Tenant(id="t"), sections=Sections(servicePrincipals=(resource,))))
        for resource in (
            ServicePrincipal(id="p1", appId="a1", appRoles=roles),
            ServicePrincipal(id="p1", appId="a1", appRoles=(AppRole(id="r2", value="Other"),)),
        )
    )
    read = "810C84A8-4A9E-49E6-BF7D-12D183F40D01"
    assert [role_name("a1", one, there, elsewhere) for one in ("r1", "r2", read, "r3")] == [
        *("First", "Other", "Mail.Read", "r3")
    ]
