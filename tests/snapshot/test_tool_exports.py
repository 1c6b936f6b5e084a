"""Files that hold only results are named, with what to give instead."""

from __future__ import annotations

import pytest

from auditor.snapshot.tool_exports import OtherFile, other_bytes, other_file, other_text, place_of


@pytest.mark.parametrize(
    ("document", "what"),
    [
        pytest.param({"Result": "Failed", "FailedCount": 1, "TotalCount": 2, "Tests": []}, "Maester", id="Maester"),
        pytest.param([{"metadata": {"product": {"name": "Prowler"}}}], "Prowler", id="Prowler, OCSF"),
        pytest.param([{"GeneratorId": "prowler-x"}], "Prowler", id="Prowler, ASFF"),
        pytest.param({"MetaData": {"Tool": "ScubaGear"}, "Results": {}}, "ScubaGear", id="ScubaGear without Raw"),
        pytest.param([{"PolicyId": "MS.AAD.5.1v1", "RequirementMet": True}], "ScubaGear", id="ScubaGear's Rego"),
        pytest.param([{"appId": "1", "Tenant": "a", "CippStatus": "Good"}], "CIPP", id="CIPP, rows"),
        pytest.param({"Results": [{"appId": "1", "CippStatus": "Good"}]}, "CIPP", id="CIPP, API"),
        pytest.param(
            [{"ResourceName": "AADUser", "ResourceInstanceName": "a"}], "Microsoft365DSC", id="Microsoft365DSC"
        ),
        pytest.param({"log": {"entries": []}}, "HAR", id="a recording of a browser"),
        pytest.param({"odata.metadata": "x", "objectId": "1"}, "Azure AD Graph", id="an old Azure CLI"),
        pytest.param({"meta": {"type": "azure"}, "data": []}, "AzureHound", id="AzureHound"),
        pytest.param({"id": "1", "appId": "2", "publisherDomain": "x"}, "app registration", id="az ad app show"),
        pytest.param([{"resourceAppId": "1", "resourceAccess": []}], "registered", id="az ad app permission list"),
    ],
)
def test_the_results_of_tools_are_named_with_what_to_give_instead(document: object, what: str) -> None:
    found = other_file(document)
    assert found is not None
    assert what in found.what
    assert found.instead


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            {"@odata.context": "x#applications", "appId": "1", "publisherDomain": "x"}, id="an answer of Graph"
        ),
        pytest.param({"value": []}, id="an empty list"),
        pytest.param([], id="nothing"),
        pytest.param("text", id="text"),
    ],
)
def test_other_documents_are_not_taken_for_results(document: object) -> None:
    assert other_file(document) is None


@pytest.mark.parametrize(
    ("text", "name", "what"),
    [
        pytest.param("<!DOCTYPE html><html>", "report.html", "web page", id="HTML"),
        pytest.param("displayName,appId,enabled\na,b,c\n", "apps.csv", "CSV", id="CSV"),
        pytest.param('"Id";"DisplayName";"AppId"\n', "apps.csv", "CSV", id="CSV of Excel"),
        pytest.param("AUTH_METHOD;TIMESTAMP;ACCOUNT_UID\n", "prowler.csv", "Prowler", id="CSV of Prowler"),
        pytest.param(
            "# Generated with Microsoft365DSC version 1.25\n", "M365.ps1", "Microsoft365DSC", id="a configuration"
        ),
        pytest.param("displayName: x\n", "authorization_policy.yaml", "YAML", id="YAML of IntuneCD"),
    ],
)
def test_text_that_is_not_json_is_named(text: str, name: str, what: str) -> None:
    found = other_text(text, name)
    assert found is not None
    assert what in found.what
    assert found.instead


def test_unknown_text_has_no_name() -> None:
    assert other_text("hello", "x.txt") is None


@pytest.mark.parametrize(
    ("data", "what"),
    [
        pytest.param(b"%PDF-1.7", "PDF", id="PDF"),
        pytest.param(b"SQLite format 3\0", "ROADrecon", id="SQLite"),
        pytest.param(b"PK\x03\x04", "zip", id="zip"),
        pytest.param(b"\x1f\x8b\x08", "compressed", id="gzip"),
    ],
)
def test_files_that_are_no_text_are_named(data: bytes, what: str) -> None:
    found = other_bytes(data)
    assert found is not None
    assert what in found.what


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(other_bytes(b"\x1f\x8b\x08"), id="compressed"),
        pytest.param(other_text('{"id": "1"}\n{"id": "2"}\n', "oauth2PermissionGrants.jsonl"), id="extracted"),
    ],
)
def test_a_part_of_a_packed_snapshot_alone_leads_to_the_whole(found: OtherFile | None) -> None:
    assert found is not None
    assert "give the whole .zip file" in found.instead


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param("ServicePrincipals/1/1.json", ("servicePrincipals", ""), id="an app"),
        pytest.param(
            "ServicePrincipals/1/Oauth2PermissionGrants/2/2.json", ("oauth2PermissionGrants", "1"), id="a grant"
        ),
        pytest.param("a/b/Policies/PermissionGrantPolicies/1/1.json", ("permissionGrantPolicies", ""), id="deeper"),
        pytest.param("RoleManagement/Directory/RoleAssignments/1/1.json", ("roleAssignments", ""), id="a role"),
        pytest.param("RoleManagement/Exchange/RoleAssignments/1/1.json", None, id="a role of Exchange"),
        pytest.param(
            "ServicePrincipals/1/AppRoleAssignments/2/2.json", ("appRoleAssignments", "1"), id="what an app holds"
        ),
        pytest.param("Groups/1/1.json", None, id="a group"),
    ],
)
def test_the_folders_of_entraexporter(path: str, place: tuple[str, str] | None) -> None:
    assert place_of(path.split("/")) == place
