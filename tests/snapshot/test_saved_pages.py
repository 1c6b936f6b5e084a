"""Saved pages of one answer of Graph join to its rows, and are never taken for the whole list."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.model.sections import SECTIONS, SectionForm
from auditor.model.unread_messages import FIRST_PAGE_ONLY
from tests.snapshot.test_import_files import APP, CLIENT_ID, OTHER_CLIENT, V1, document, of, refused

NEXT = {"@odata.nextLink": "https://graph.microsoft.com/v1.0/x?$skiptoken=abc"}
LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "permissionGrantPolicies": ("policies/permissionGrantPolicies", document("graph/policies.json")["value"][0]),
    "conditionalAccessPolicies": ("identity/conditionalAccess/policies", {"state": "enabled"}),
    "directorySettings": ("settings", document("graph/settings.json")["value"][0]),
    "servicePrincipals": ("servicePrincipals", {"displayName": "A"}),
    "oauth2PermissionGrants": ("oauth2PermissionGrants", document("graph/grants.json")["value"][0]),
    "roleDefinitions": ("roleManagement/directory/roleDefinitions", {"displayName": "R"}),
    "roleAssignments": (
        "roleManagement/directory/roleAssignments",
        {"principalId": "p", "roleDefinitionId": "r", "directoryScopeId": "/"},
    ),
    "users": ("users", {"userPrincipalName": "a@contoso.example"}),
    "appConsentRequests": ("identityGovernance/appConsent/appConsentRequests", {"appId": APP}),
    "signIns": ("auditLogs/signIns", {"appId": APP}),
    "servicePrincipalSignInActivities": ("reports/servicePrincipalSignInActivities", {}),
    "directoryAudits": ("auditLogs/directoryAudits", {"activityDisplayName": "Add user"}),
    "configurationDrifts": ("admin/configurationManagement/configurationDrifts", {"status": "active"}),
}


def page(section: str, *numbers: int, more: bool = False) -> dict[str, Any]:
    """A page with these rows of a list."""
    context, row = LISTS[section]
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in numbers]
    value = [{**row, "id": own_id, **({} if "appId" in row else _app(section, own_id))} for own_id in ids]
    return {"@odata.context": V1 + context, "value": value, **(NEXT if more else {})}


def _app(section: str, own_id: str) -> dict[str, str]:
    return {"appId": own_id} if section.startswith("servicePrincipal") else {}


def test_every_section_that_is_a_list_has_pages_here() -> None:
    lists = {one.name for one in SECTIONS.values() if one.form is SectionForm.LIST and one.extents}
    assert set(LISTS) == lists


@pytest.mark.parametrize("section", LISTS)
@pytest.mark.parametrize(
    "order",
    [
        pytest.param((0, 1, 2), id="in order"),
        pytest.param((2, 1, 0), id="the last page first"),
        pytest.param((1, 2, 0), id="the first page last"),
        pytest.param((0, 2), id="without the second page"),
    ],
)
def test_the_pages_of_a_list_join_in_any_order_and_are_not_all_of_it(section: str, order: tuple[int, ...]) -> None:
    pages = (page(section, 1, 2, more=True), page(section, 3, 4, more=True), page(section, 5))
    snapshot = of(*(pages[number] for number in order)).snapshot
    assert len(getattr(snapshot.sections, section)) == sum(len(pages[number]["value"]) for number in order)
    assert section in snapshot.covers
    assert snapshot.unread[section].message == FIRST_PAGE_ONLY


@pytest.mark.parametrize("section", ["permissionGrantPolicies", "directorySettings"])
def test_a_whole_list_stays_whole_next_to_a_page_of_it_and_contradicts_another_whole_list(section: str) -> None:
    documents = (page(section, 1, 2, 3), page(section, 1, 2, more=True))
    for one in (documents, documents[::-1]):
        snapshot = of(*one).snapshot
        assert (section in snapshot.covers, section in snapshot.unread) == (False, False)
    assert "which is not in" in refused(page(section, 1, 2), page(section, 3))
    assert "which is not in" in refused(page(section, 1, 2, more=True), page(section, 2, 3))


def test_an_empty_last_page_is_not_an_empty_list() -> None:
    snapshot = of(page("permissionGrantPolicies", 1, more=True), page("permissionGrantPolicies")).snapshot
    assert "permissionGrantPolicies" in snapshot.covers


@pytest.mark.parametrize("name", ["assigned", "classifications"])
def test_the_last_page_of_a_list_of_one_app_is_not_the_list(name: str) -> None:
    answer = document(f"graph/{name}.json")
    first = {**answer, "value": [{**answer["value"][0], "id": "another"}], **NEXT}
    apps = (document("graph/client.json"), document("graph/resource.json"))
    section = {"assigned": "appRoleAssignedTo", "classifications": "delegatedPermissionClassifications"}[name]
    assert len(getattr(of(*apps, answer).snapshot.sections, section)) == 1
    for pages in ((first, answer), (answer, first)):
        found = of(*apps, *pages)
        assert getattr(found.snapshot.sections, section) == {}
        assert found.snapshot.unread[section].message == FIRST_PAGE_ONLY
        assert any("isn't known to be the whole list" in note for note in found.notes)


def test_the_last_page_of_the_grants_of_one_app_is_not_all_of_them_and_a_list_of_another_app_is() -> None:
    client = document("graph/client.json")
    own, others = page("oauth2PermissionGrants", 1, more=True), page("oauth2PermissionGrants", 1, more=True)
    others["value"][0] |= OTHER_CLIENT
    assert own["value"][0]["clientId"] == CLIENT_ID
    for pages, covered in (
        ((own, page("oauth2PermissionGrants", 2)), ()),
        ((others, page("oauth2PermissionGrants", 2)), (APP,)),
    ):
        snapshot = of(client, *pages).snapshot
        assert snapshot.covers["oauth2PermissionGrants"] == covered
        assert len(snapshot.sections.oauth2PermissionGrants or ()) == 2
