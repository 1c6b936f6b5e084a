"""Files of other tools become a snapshot: each tool against files as its public source writes them.

The files in `imports` are of an invented tenant. docs/other-tools.md names the versions whose sources were read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.model.snapshot import Snapshot
from auditor.model.unread_messages import CUT_BY_POWERSHELL, FIRST_PAGE_ONLY, PERHAPS_ONE_PAGE, TOOL_COULD_NOT_READ
from auditor.snapshot import SnapshotError, import_files
from auditor.snapshot.assemble import Assembled
from auditor.snapshot.import_files import ImportedFiles
from auditor.snapshot.write import dumps
from tests.systems import needs_links

IMPORTS = Path(__file__).parent / "imports"
TENANT = "4c1f8a52-93d7-4e0b-a6c8-5d21f07b9e34"
OTHER_TENANT = "9ad9b9a2-5e78-454d-b065-a1c284cc4549"
APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
GRAPH = "00000003-0000-0000-c000-000000000000"
CLIENT_ID = "7a2d6c11-5b0e-4f93-8d47-31e9c2a6f085"
LOW = "ManagePermissionGrantsForSelf.microsoft-user-default-low"
V1 = "https://graph.microsoft.com/v1.0/$metadata#"


def imported(*paths: Path | str, tenant: str = "") -> Assembled:
    files = ImportedFiles()
    for path in map(Path, paths):
        if path.is_dir():
            files.add_folder(str(path))
        else:
            files.add_data(path.read_bytes(), path.name)
    return files.assembled(tenant)


def of(*documents: object, tenant: str = "") -> Assembled:
    """What these documents make, each in a file `1.json`, `2.json`…"""
    files = ImportedFiles()
    for number, document in enumerate(documents, start=1):
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        files.add_data(data, f"{number}.json")
    return files.assembled(tenant)


def refused(*documents: object, tenant: str = "") -> str:
    with pytest.raises(SnapshotError) as caught:
        of(*documents, tenant=tenant)
    return str(caught.value)


def document(name: str) -> Any:
    return json.loads((IMPORTS / name).read_text(encoding="utf-8-sig"))


def sections(snapshot: Snapshot) -> set[str]:
    return {name for name in snapshot.sections.__struct_fields__ if getattr(snapshot.sections, name) is not None}


def assigned_policies(snapshot: Snapshot) -> tuple[str, ...] | None:
    policy = snapshot.sections.authorizationPolicy
    assert policy is not None
    role = policy.defaultUserRolePermissions
    return None if role is None else role.permissionGrantPoliciesAssigned


# ---- Each tool ------------------------------------------------------------------------------------------------------


ALL_OF_AN_APP = {
    "organization",
    "authorizationPolicy",
    "permissionGrantPolicies",
    "conditionalAccessPolicies",
    "directorySettings",
    "servicePrincipals",
    "oauth2PermissionGrants",
    "appRoleAssignedTo",
    "delegatedPermissionClassifications",
}


@pytest.mark.parametrize(
    ("folder", "found", "tool"),
    [
        pytest.param("graph", {*ALL_OF_AN_APP, "adminConsentRequestPolicy"}, "", id="answers of Graph"),
        pytest.param("azure-cli", {"servicePrincipals", "oauth2PermissionGrants"}, "", id="Azure CLI"),
        pytest.param("entraexporter-2.0.1", ALL_OF_AN_APP, "EntraExporter", id="EntraExporter 2.0.1"),
        pytest.param(
            "entraexporter-batch",
            {*ALL_OF_AN_APP, "adminConsentRequestPolicy"},
            "EntraExporter",
            id="EntraExporter with batches",
        ),
        pytest.param(
            "scubagear-1.8.0",
            {"organization", "authorizationPolicy", "conditionalAccessPolicies", "directorySettings"},
            "ScubaGear 1.8.0",
            id="ScubaGear 1.8.0",
        ),
        pytest.param(
            "scubagear-baseline-0.1",
            {"authorizationPolicy", "conditionalAccessPolicies", "adminConsentRequestPolicy"},
            "ScubaGear 0.3.0",
            id="ScubaGear 0.3.0",
        ),
        pytest.param(
            "intunecd", {"authorizationPolicy", "conditionalAccessPolicies", "directorySettings"}, "", id="IntuneCD"
        ),
        pytest.param(
            "graph-powershell",
            {
                "organization",
                "authorizationPolicy",
                "permissionGrantPolicies",
                "servicePrincipals",
                "oauth2PermissionGrants",
                "appRoleAssignedTo",
            },
            "",
            id="Graph PowerShell",
        ),
    ],
)
def test_a_folder_of_a_tool_gives_the_sections_that_it_has(folder: str, found: set[str], tool: str) -> None:
    snapshot = imported(IMPORTS / folder, tenant=TENANT).snapshot
    assert (sections(snapshot), snapshot.tool) == (found, tool)
    assert snapshot.tenant.id == TENANT


@pytest.mark.parametrize(
    "folder", ["graph", "entraexporter-2.0.1", "entraexporter-batch", "scubagear-1.8.0", "intunecd", "graph-powershell"]
)
def test_the_assigned_consent_policies_are_the_same_in_every_tools_file(folder: str) -> None:
    assert assigned_policies(imported(IMPORTS / folder, tenant=TENANT).snapshot) == (LOW,)


@pytest.mark.parametrize(
    "folder", ["graph", "entraexporter-2.0.1", "entraexporter-batch", "scubagear-1.8.0", "intunecd"]
)
def test_conditional_access_policies_are_the_same_in_every_tools_file(folder: str) -> None:
    (policy,) = imported(IMPORTS / folder).snapshot.sections.conditionalAccessPolicies or ()
    assert policy.conditions is not None
    assert policy.grantControls is not None
    assert policy.conditions.applications is not None
    assert policy.conditions.applications.includeApplications == ("Office365",)
    assert (policy.state, policy.grantControls.builtInControls) == ("enabled", ("compliantDevice",))


@pytest.mark.parametrize("folder", ["graph", "entraexporter-2.0.1", "entraexporter-batch"])
def test_lists_of_one_app_are_stored_under_its_app_id(folder: str) -> None:
    found = imported(IMPORTS / folder).snapshot.sections
    assert found.appRoleAssignedTo is not None
    assert found.delegatedPermissionClassifications is not None
    assert set(found.appRoleAssignedTo) == {APP}
    assert set(found.delegatedPermissionClassifications) == {GRAPH}


def test_the_raw_data_in_scubagears_results_is_read_too() -> None:
    settings, results = (
        imported(IMPORTS / "scubagear-1.8.0" / name).snapshot
        for name in ("ProviderSettingsExport.json", "ScubaResults_0f6d2a77.json")
    )
    assert settings == results
    assert (settings.taken, settings.cloud) == ("2026-05-04T17:15:48Z", "global")


def test_a_command_of_scubagear_that_failed_leaves_its_section_unread() -> None:
    snapshot = imported(IMPORTS / "scubagear-baseline-0.1", tenant=TENANT).snapshot
    assert snapshot.sections.directorySettings is None
    assert snapshot.unread["directorySettings"].message == TOOL_COULD_NOT_READ


def test_a_sentence_of_scubagear_in_place_of_the_tenant_names_no_tenant() -> None:
    assert imported(IMPORTS / "scubagear-baseline-0.1").snapshot.tenant.id == ""


def test_the_cloud_of_scubagear_is_that_of_its_configuration() -> None:
    settings = document("scubagear-1.8.0/ProviderSettingsExport.json")
    assert of({**settings, "scuba_config": {"M365Environment": "gcchigh"}}).snapshot.cloud == "us-gov"


# ---- The tenant and the cloud ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("graph/organization.json", id="the organization"),
        pytest.param("graph/client.json", id="the address of a directory object"),
        pytest.param("scubagear-1.8.0/ProviderSettingsExport.json", id="ScubaGear"),
    ],
)
def test_the_tenant_comes_from_a_file_that_names_it(name: str) -> None:
    assert imported(IMPORTS / name).snapshot.tenant.id == TENANT


def test_the_account_of_the_azure_cli_names_the_tenant_of_other_files() -> None:
    made = of(document("azure-cli/account-show.json"), document("graph/policies.json"))
    assert (made.snapshot.tenant.id, made.snapshot.tenant.name) == (TENANT, "Fabrikam Staffing")


def test_a_tenant_that_no_file_names_stays_unknown() -> None:
    assert of(document("graph/policies.json")).snapshot.tenant.id == ""


def test_a_given_tenant_is_used_where_no_file_names_one() -> None:
    assert of(document("graph/policies.json"), tenant=TENANT.upper()).snapshot.tenant.id == TENANT


@pytest.mark.parametrize("given", [pytest.param("", id="in two files"), pytest.param(OTHER_TENANT, id="given")])
def test_files_of_two_tenants_are_refused(given: str) -> None:
    organization = document("graph/organization.json")
    other = {**organization, "value": [{**organization["value"][0], "id": OTHER_TENANT}]}
    documents = (organization,) if given else (organization, other)
    where = "--tenant" if given else "2.json"
    assert refused(*documents, tenant=given) == (
        f"{where}: is about the tenant {OTHER_TENANT}, but 1.json is about {TENANT}\n"
        "Give the files of one tenant at a time."
    )


def test_the_cloud_comes_from_the_context() -> None:
    answer = {**document("graph/workflow.json")}
    answer["@odata.context"] = answer["@odata.context"].replace("graph.microsoft.com", "graph.microsoft.us")
    assert of(answer).snapshot.cloud == "us-gov"
    assert "different clouds" in refused(answer, document("graph/policies.json"))


# ---- What is complete -----------------------------------------------------------------------------------------------


def test_an_answer_for_one_app_covers_that_app_only() -> None:
    snapshot = imported(IMPORTS / "graph").snapshot
    assert set(snapshot.covers["servicePrincipals"]) == {APP, GRAPH}
    assert snapshot.covers["oauth2PermissionGrants"] == (APP,)


def test_the_consent_policies_of_a_raw_answer_are_all_there_are() -> None:
    assert "permissionGrantPolicies" not in of(document("graph/policies.json")).snapshot.covers


def test_a_list_that_powershell_or_a_query_may_have_filtered_covers_its_rows_only() -> None:
    rows = document("graph/policies.json")["value"]
    covers = of(rows).snapshot.covers["permissionGrantPolicies"]
    assert covers == ("microsoft-user-default-low", "microsoft-application-admin")


@pytest.mark.parametrize(
    "name", ["graph/grants.json", "graph/policies.json", "graph/classifications.json", "graph/assigned.json"]
)
def test_an_answer_with_a_next_link_is_never_complete(name: str) -> None:
    answer = {**document(name), "@odata.nextLink": "https://graph.microsoft.com/v1.0/x?$skiptoken=abc"}
    snapshot = of(document("graph/client.json"), document("graph/resource.json"), answer).snapshot
    (section,) = sections(snapshot) - {"servicePrincipals"}
    assert snapshot.unread[section].message == FIRST_PAGE_ONLY
    assert getattr(snapshot.sections, section) == {} or section in snapshot.covers
    assert APP not in snapshot.covers.get(section, ())


@pytest.mark.parametrize("count", [pytest.param(100, id="one page"), pytest.param(200, id="two pages")])
def test_exactly_as_many_rows_as_fit_into_pages_may_not_be_all(count: int) -> None:
    grant = document("graph/grants.json")["value"][0]
    rows = [{**grant, "id": str(n), "consentType": "Principal", "principalId": str(n)} for n in range(count)]
    snapshot = of(document("graph/client.json"), rows).snapshot
    assert snapshot.unread["oauth2PermissionGrants"].message == PERHAPS_ONE_PAGE
    assert snapshot.covers["oauth2PermissionGrants"] == ()


def grants(*rows: dict[str, Any], context: bool = True) -> object:
    one = document("graph/grants.json")
    value = [{**one["value"][0], "id": str(n), **row} for n, row in enumerate(rows)]
    return {**one, "value": value} if context else value


ALICE: dict[str, Any] = {"consentType": "Principal", "principalId": "5f6f2f0e-6d5b-4a3f-9d43-0d0c2b1a9e88"}
BOB: dict[str, Any] = {"consentType": "Principal", "principalId": "0c4b7f5e-1a2d-4e3f-8b6c-9d0e1f2a3b4c"}
OTHER_CLIENT: dict[str, Any] = {"clientId": "c2b4a6d8-0000-4111-8222-9333a444b555"}
OTHER_RESOURCE: dict[str, Any] = {"resourceId": "d3c5b7e9-0000-4111-8222-9333a444b555"}


@pytest.mark.parametrize(
    ("answer", "covered"),
    [
        pytest.param(grants({}, ALICE), (APP,), id="one client, for all and for a user"),
        pytest.param(grants(ALICE, BOB), (APP,), id="one client, two users"),
        pytest.param(grants(ALICE), (), id="of one user: perhaps the user's list"),
        pytest.param(grants(ALICE, context=False), (APP,), id="of one user, by the Azure CLI, which lists a client's"),
        pytest.param(grants({}, OTHER_CLIENT), (), id="several clients, only for all: perhaps filtered"),
        pytest.param(grants(ALICE, {**ALICE, **OTHER_CLIENT}), (), id="several clients of one user"),
        pytest.param(grants({}, {**ALICE, **OTHER_CLIENT}), (), id="several clients of one resource"),
        pytest.param(
            grants({}, {**ALICE, **OTHER_CLIENT, **OTHER_RESOURCE}), (APP,), id="no property is the same in all rows"
        ),
    ],
)
def test_grants_are_a_clients_whole_list_only_if_no_filter_could_have_left_these_rows(
    answer: object, covered: tuple[str, ...]
) -> None:
    snapshot = of(document("graph/client.json"), answer).snapshot
    assert snapshot.covers["oauth2PermissionGrants"] == covered


def test_an_empty_list_of_an_apps_grants_says_that_it_has_none() -> None:
    answer = {"@odata.context": f"{V1}servicePrincipals('{CLIENT_ID}')/oauth2PermissionGrants", "value": []}
    snapshot = of(document("graph/client.json"), answer).snapshot
    assert (snapshot.sections.oauth2PermissionGrants, snapshot.covers["oauth2PermissionGrants"]) == ((), (APP,))


def test_an_empty_list_of_grants_says_nothing_about_any_app() -> None:
    answer = {"@odata.context": f"{V1}oauth2PermissionGrants", "value": []}
    snapshot = of(document("graph/client.json"), answer).snapshot
    assert snapshot.covers["oauth2PermissionGrants"] == ()


def test_grants_without_their_client_name_what_else_to_export() -> None:
    made = of(document("graph/grants.json"))
    assert made.snapshot.covers["oauth2PermissionGrants"] == ()
    assert f"az ad sp show --id {CLIENT_ID}" in made.notes[0]


def test_the_service_principals_of_entraexporter_are_all_if_microsofts_are_among_them(tmp_path: Path) -> None:
    assert "servicePrincipals" not in imported(IMPORTS / "entraexporter-batch").snapshot.covers
    client = tmp_path / "ServicePrincipals" / CLIENT_ID
    client.mkdir(parents=True)
    (client / f"{CLIENT_ID}.json").write_text(json.dumps(document("azure-cli/sp-show.json")), encoding="utf-8")
    assert imported(tmp_path).snapshot.covers["servicePrincipals"] == (APP,)


# ---- What PowerShell cut --------------------------------------------------------------------------------------------


def test_policies_that_powershell_cut_have_no_condition_sets() -> None:
    snapshot = imported(IMPORTS / "graph-powershell" / "policies-depth-2.json").snapshot
    policies = snapshot.sections.permissionGrantPolicies or ()
    assert {(policy.includes, policy.excludes) for policy in policies} == {(None, None)}
    assert snapshot.unread["permissionGrantPolicies"].message == CUT_BY_POWERSHELL


def test_another_file_supplies_what_powershell_cut() -> None:
    folder = IMPORTS / "graph-powershell"
    both = imported(folder / "policies-depth-2.json", folder / "policies-depth-10.json").snapshot
    whole = imported(folder / "policies-depth-10.json").snapshot
    assert both.sections == whole.sections


@pytest.mark.parametrize(
    "cut",
    [
        pytest.param(LOW, id="a list as text"),
        pytest.param("System.Object[]", id="the type of a list"),
        pytest.param(["System.String[]"], id="a type in a list"),
        pytest.param("", id="an empty list as text"),
    ],
)
@pytest.mark.parametrize("version", ["v1.0", "beta"])
def test_assigned_policies_that_were_cut_are_unknown(cut: object, version: str) -> None:
    policy = {**document("graph/authorization-policy.json")}
    if version == "beta":
        policy["permissionGrantPolicyIdsAssignedToDefaultUserRole"] = cut
        policy["defaultUserRolePermissions"] = {"allowedToCreateApps": False}
    else:
        policy["defaultUserRolePermissions"] = {"permissionGrantPoliciesAssigned": cut}
    snapshot = of(policy).snapshot
    assert assigned_policies(snapshot) is None
    assert snapshot.unread["authorizationPolicy"].message == CUT_BY_POWERSHELL


def test_a_verified_publisher_that_was_cut_is_unknown_and_not_unverified() -> None:
    client = {**document("azure-cli/sp-show.json"), "verifiedPublisher": "@{DisplayName=; VerifiedPublisherId=}"}
    (principal,) = of(client).snapshot.sections.servicePrincipals or ()
    assert principal.verifiedPublisher is None


def test_the_permissions_of_a_role_that_were_cut_are_unknown() -> None:
    role = {
        "Id": "1",
        "DisplayName": "App reader",
        "IsBuiltIn": False,
        "RolePermissions": "Microsoft.Graph.PowerShell.Models.MicrosoftGraphUnifiedRolePermission",
    }
    snapshot = of([role]).snapshot
    assert [one.rolePermissions for one in snapshot.sections.roleDefinitions or ()] == [None]
    assert snapshot.unread["roleDefinitions"].message == CUT_BY_POWERSHELL


def test_the_values_of_a_settings_object_that_were_cut_are_unknown() -> None:
    answer = document("graph/settings.json")
    answer["value"][0]["values"] = "@{name=BlockUserConsentForRiskyApps; value=true}"
    snapshot = of(answer).snapshot
    assert [one.values for one in snapshot.sections.directorySettings or ()] == [None]
    assert snapshot.unread["directorySettings"].message == CUT_BY_POWERSHELL


def test_dates_of_windows_powershell_are_read() -> None:
    found = imported(IMPORTS / "graph-powershell", tenant=TENANT).snapshot.sections.appRoleAssignedTo or {}
    assert [row.createdDateTime for row in found[APP]] == ["2026-03-02T09:14:00Z"] * 2


# ---- Several files --------------------------------------------------------------------------------------------------


def test_the_same_file_twice_changes_nothing() -> None:
    answer = document("graph/policies.json")
    assert of(answer, answer) == of(answer)


def test_v1_and_beta_of_the_same_policy_add_up() -> None:
    v1 = document("graph/authorization-policy.json")
    beta = document("intunecd/Entra/Authorization Policy/authorization_policy.json")
    assert of(v1, beta).snapshot.sections == of(v1).snapshot.sections


@pytest.mark.parametrize(
    ("name", "change", "path"),
    [
        pytest.param(
            "graph/authorization-policy.json",
            {"defaultUserRolePermissions": {"allowedToCreateApps": True}},
            "authorizationPolicy.defaultUserRolePermissions.allowedToCreateApps",
            id="one object",
        ),
        pytest.param(
            "graph/client.json",
            {"accountEnabled": False},
            f"servicePrincipals[{APP}].accountEnabled",
            id="a row of a list",
        ),
    ],
)
def test_two_files_that_contradict_each_other_are_both_named(name: str, change: dict[str, Any], path: str) -> None:
    before = document(name)
    assert refused(before, {**before, **change}) == (
        f"2.json: {path} differs from that in 1.json\nLeave out one of them, or export both again at the same time."
    )


def test_a_complete_list_contradicts_one_with_another_row() -> None:
    answer = document("graph/policies.json")
    shorter = {**answer, "value": answer["value"][:1]}
    assert refused(answer, shorter).startswith(
        "1.json: permissionGrantPolicies has microsoft-application-admin, which is not in 2.json"
    )


def test_two_lists_of_one_app_must_be_the_same() -> None:
    answer, other = document("graph/assigned.json"), document("graph/assigned.json")
    other["value"][0]["principalId"] = BOB["principalId"]
    assert refused(document("graph/client.json"), answer, other).startswith(
        f"3.json: appRoleAssignedTo.{APP} differs from that in 2.json"
    )


def test_a_snapshot_and_answers_add_up() -> None:
    part = of(document("graph/policies.json"), tenant=TENANT).snapshot
    both = of(dumps(part), document("graph/workflow.json")).snapshot
    assert sections(both) == {"permissionGrantPolicies", "adminConsentRequestPolicy"}
    assert both.tenant.id == TENANT


def test_the_answers_in_a_batch_response_are_read() -> None:
    responses = [
        {"id": "1", "status": 200, "body": document("graph/policies.json")},
        {"id": "2", "status": 403, "body": {"error": {"code": "Forbidden"}}},
        {"id": "3", "status": 200, "body": document("graph/workflow.json")},
    ]
    snapshot = of({"responses": responses}).snapshot
    assert sections(snapshot) == {"permissionGrantPolicies", "adminConsentRequestPolicy"}


# ---- What is not taken for something else ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(
            [{"id": "1", "principalId": "2", "roleDefinitionId": "/subscriptions/3/roleDefinitions/4"}],
            id="role assignments of Azure",
        ),
        pytest.param(
            [{"id": "1", "principalId": "2", "roleDefinitionId": "3", "scheduleInfo": {}}], id="a schedule of PIM"
        ),
        pytest.param([{"id": "1", "appId": APP, "displayName": "X"}], id="an app without a sign of its kind"),
        pytest.param([{"principalId": "1", "appRoleId": "2", "resourceId": "3"}], id="one assignment, of either side"),
        pytest.param([{"a": 1}], id="anything"),
        pytest.param([], id="an empty list"),
        pytest.param("text", id="text"),
        pytest.param([1, 2], id="numbers"),
    ],
)
def test_rows_of_something_else_are_refused(rows: object) -> None:
    assert "1.json: is neither a snapshot nor a file of a known tool" in refused(rows)


@pytest.mark.parametrize(
    ("context", "what"),
    [
        pytest.param("applications", "applications", id="applications"),
        pytest.param("roleManagement/exchange/roleAssignments", "exchange/roleassignments", id="roles of Exchange"),
        pytest.param(f"servicePrincipals('{CLIENT_ID}')/ownedObjects", "ownedobjects", id="what it owns"),
    ],
)
def test_answers_that_no_audit_needs_are_named(context: str, what: str) -> None:
    row = {"id": "1", "appId": APP, "principalId": "1", "roleDefinitionId": "2", "appRoleId": "3", "resourceId": "4"}
    answer = {"@odata.context": f"{V1}{context}", "value": [row]}
    assert what in refused(answer)
    assert what in of(answer, document("graph/policies.json")).notes[0]


# ---- Damaged and hostile files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        pytest.param(b"", "1.json: is empty", id="empty"),
        pytest.param(
            b'{"value": [{"id": ', "1.json: ends in the middle, in line 1: the file was cut off", id="cut off"
        ),
        pytest.param(b"[" * 100_000, "1.json: is nested too deeply", id="nested deeply"),
        pytest.param(b"\xff\xfe{\x00", "1.json: ends in the middle", id="cut off, in UTF-16"),
        pytest.param(b"hello", "1.json: is not JSON", id="text"),
    ],
)
def test_damaged_files_are_refused_with_what_to_do(data: bytes, problem: str) -> None:
    message = refused(data)
    assert message.startswith(problem)
    assert message.endswith("Save or export it again, as JSON.")


def test_a_value_that_graph_does_not_return_is_named_with_its_file() -> None:
    assert refused({**document("graph/client.json"), "accountEnabled": "yes"}) == (
        "1.json: one value is not what Graph returns\n"
        "  sections.servicePrincipals[0].accountEnabled: expected true or false, found text\n"
        "Export it again, as JSON and with -Depth 10 in PowerShell."
    )


def test_a_folder_without_anything_usable_says_what_is_in_it(tmp_path: Path) -> None:
    results = {"Result": "Passed", "FailedCount": 0, "TotalCount": 1, "Tests": []}
    (tmp_path / "TestResults.json").write_text(json.dumps(results), encoding="utf-8")
    with pytest.raises(SnapshotError) as caught:
        imported(tmp_path)
    assert "1 JSON files were read; TestResults.json is a result of Maester" in str(caught.value)


def test_a_folder_with_too_much_in_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_files, "MOST_FILES", 3)
    with pytest.raises(SnapshotError, match="holds too much"):
        imported(IMPORTS / "graph")


@needs_links
def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "answers").mkdir()
    (tmp_path / "answers" / "policies.json").write_bytes((IMPORTS / "graph" / "policies.json").read_bytes())
    (tmp_path / "answers" / "again").symlink_to(tmp_path, target_is_directory=True)
    assert sections(imported(tmp_path).snapshot) == {"permissionGrantPolicies"}


def test_rows_without_what_identifies_them_are_left_out_and_named() -> None:
    answer = document("graph/policies.json")
    del answer["value"][1]["id"]
    snapshot = of(answer).snapshot
    assert snapshot.covers["permissionGrantPolicies"] == ("microsoft-user-default-low",)
    assert snapshot.unread["permissionGrantPolicies"].message == "permissionGrantPolicies[1]: has no id"


@pytest.mark.parametrize(
    ("successful", "found"),
    [pytest.param(["Get-MgBetaDirectorySetting"], (), id="read"), pytest.param([], None, id="not known to be read")],
)
def test_an_empty_list_of_scubagear_counts_if_its_command_succeeded(
    successful: list[str], found: tuple[()] | None
) -> None:
    settings = document("scubagear-1.8.0/ProviderSettingsExport.json")
    changed = {**settings, "directory_settings": [], "aad_successful_commands": successful}
    assert of(changed).snapshot.sections.directorySettings == found


@pytest.mark.parametrize("name", ["graph/policies.json", "graph/grants.json", "graph/assigned.json"])
def test_a_list_with_a_null_row_is_not_complete(name: str) -> None:
    answer = document(name)
    answer["value"].append(None)
    snapshot = of(document("graph/client.json"), answer).snapshot
    (section,) = sections(snapshot) - {"servicePrincipals"}
    assert "has no" in snapshot.unread[section].message
    assert not getattr(snapshot.sections, section) or section in snapshot.covers
    assert APP not in snapshot.covers.get(section, ())
