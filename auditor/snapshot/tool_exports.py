"""Recognize what other tools write: ScubaGear's and EntraExporter's data, and files that hold only results.

The formats are described by the tools' public sources; the versions that were read are in docs/other-tools.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from auditor.facts.ids import is_guid
from auditor.model.sections import SECTIONS
from auditor.snapshot.graph_answers import AnswerExtent, Place, Reading, SavedAnswer, TenantInFile

# ---- ScubaGear ------------------------------------------------------------------------------------------------------


class _ScubaPart(NamedTuple):
    """A key of ScubaGear's provider settings: its section, and the commands that fill it, in all versions."""

    section: str
    commands: tuple[str, ...]


_SCUBA_PARTS = {
    "authorization_policies": _ScubaPart(
        "authorizationPolicy", ("Get-MgBetaPolicyAuthorizationPolicy", "Get-MgPolicyAuthorizationPolicy")
    ),
    "directory_settings": _ScubaPart("directorySettings", ("Get-MgBetaDirectorySetting", "Get-MgDirectorySetting")),
    "admin_consent_policies": _ScubaPart("adminConsentRequestPolicy", ("Get-MgPolicyAdminConsentRequestPolicy",)),
    "conditional_access_policies": _ScubaPart(
        "conditionalAccessPolicies",
        ("Get-MgBetaIdentityConditionalAccessPolicy", "Get-MgIdentityConditionalAccessPolicy"),
    ),
}
_SCUBA_CLOUDS = {"commercial": "global", "gcc": "global", "gcchigh": "us-gov", "dod": "us-gov-dod"}


def scubagear(document: Any, origin: str) -> Reading | None:
    """ScubaGear's provider settings, alone or as ``Raw`` in its results; ``None`` for another document."""
    if not isinstance(document, dict):
        return None
    metadata = document.get("MetaData")
    is_result = isinstance(metadata, dict) and metadata.get("Tool") == "ScubaGear"
    settings = document.get("Raw") if is_result else document
    if not isinstance(settings, dict) or not ("tenant_details" in settings and "module_version" in settings):
        return None
    failed, successful = (
        {str(one).lower() for one in _list(settings.get(f"aad_{how}_commands"))}
        for how in ("unsuccessful", "successful")
    )
    answers: list[SavedAnswer] = []
    not_read: list[str] = []
    for key, part in _SCUBA_PARTS.items():
        if key not in settings or part.section not in SECTIONS:
            continue
        rows = tuple(row for row in _list(settings[key]) if isinstance(row, dict) and row)
        commands = {command.lower() for command in part.commands}
        if failed & commands:
            not_read.append(part.section)
        elif rows or successful & commands:
            # A command that failed also gives an empty list.
            answers.append(SavedAnswer(part.section, rows, origin, AnswerExtent.SECTION))
    version = settings.get("module_version")
    return Reading(
        answers=(*answers, *_scuba_organization(settings, origin)),
        tenants=tuple(_scuba_tenants(settings, origin)),
        clouds=tuple(_scuba_cloud(settings)),
        failed=tuple(not_read),
        taken=_utc(settings.get("timestamp_zulu")),
        tool=f"ScubaGear {version}" if isinstance(version, str) and _VERSION.fullmatch(version) else "ScubaGear",
        unused="" if answers else "ScubaGear's settings of other products than Entra ID",
    )


_VERSION = re.compile(r"[\w.+-]{1,40}")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z")


def _utc(text: Any) -> str:
    found = _TIME.fullmatch(text) if isinstance(text, str) else None
    return f"{found[1]}Z" if found else ""


def _scuba_tenants(settings: Mapping[str, Any], origin: str) -> list[TenantInFile]:
    details = [one for one in _list(settings.get("tenant_details")) if isinstance(one, dict)]
    # Where the tool failed, it writes a sentence in place of each value.
    return [
        TenantInFile(one["TenantId"].lower(), _text(one.get("DisplayName")), origin)
        for one in details
        if isinstance(one.get("TenantId"), str) and is_guid(one["TenantId"])
    ]


def _scuba_organization(settings: Mapping[str, Any], origin: str) -> list[SavedAnswer]:
    details = [one for one in _list(settings.get("tenant_details")) if isinstance(one, dict)]
    records = [row for one in details for row in _list(one.get("AADAdditionalData")) if isinstance(row, dict)]
    return [SavedAnswer("organization", tuple(records), origin)] if len(records) == 1 and records[0].get("Id") else []


def _scuba_cloud(settings: Mapping[str, Any]) -> list[str]:
    configuration = settings.get("scuba_config")
    for one in _list(configuration):
        environment = one.get("M365Environment") if isinstance(one, dict) else None
        if isinstance(environment, str) and environment.lower() in _SCUBA_CLOUDS:
            return [_SCUBA_CLOUDS[environment.lower()]]
    return []


def _list(value: Any) -> list[Any]:
    if isinstance(value, dict) and isinstance(value.get("value"), list):
        return list(value["value"])
    return value if isinstance(value, list) else [] if value is None else [value]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# ---- EntraExporter --------------------------------------------------------------------------------------------------

_FOLDERS = {
    ("policies", "authorizationpolicy"): "authorizationPolicy",
    ("policies", "permissiongrantpolicies"): "permissionGrantPolicies",
    ("policies", "adminconsentrequestpolicy"): "adminConsentRequestPolicy",
    ("groupsettings",): "directorySettings",
    ("serviceprincipals",): "servicePrincipals",
    ("users",): "users",
    ("directory", "roledefinitions"): "roleDefinitions",
    ("directory", "roleassignments"): "roleAssignments",
    ("conditional", "accesspolicies"): "conditionalAccessPolicies",
}
"""The ends (lower case) of the folders of EntraExporter that hold sections."""

_LISTS_OF_APPS = {
    "approleassignedto": "appRoleAssignedTo",
    "approleassignments": "appRoleAssignments",
    "oauth2permissiongrants": "oauth2PermissionGrants",
    "delegatedpermissionclassifications": "delegatedPermissionClassifications",
}


def is_exported_row(parts: Sequence[str]) -> bool:
    """Whether the path is one of EntraExporter's, which writes each object to ``…/<id>/<id>.json``."""
    return len(parts) > 2 and parts[-1].lower() == f"{parts[-2].lower()}.json"


def place_of(parts: Sequence[str]) -> Place | None:
    """What EntraExporter has at this path (its parts, the file last); ``None`` for what no audit needs."""
    folders = [part.lower() for part in parts[:-2]]
    if len(folders) > 2 and folders[-1] in _LISTS_OF_APPS and folders[-3] == "serviceprincipals":
        return Place(_LISTS_OF_APPS[folders[-1]], folders[-2])
    for names, section in _FOLDERS.items():
        if tuple(folders[-len(names) :]) == names and section in SECTIONS:
            return Place(section)
    return None


# ---- Files that hold only results -----------------------------------------------------------------------------------


class OtherFile(NamedTuple):
    """A file that holds nothing that can be audited: what it is, and what to give instead."""

    what: str
    instead: str


_RAW = (
    "Give what Graph answered instead, for example: az rest --url"
    " https://graph.microsoft.com/v1.0/policies/authorizationPolicy (docs/other-tools.md lists the files)."
)
_MAESTER = OtherFile(
    "is a result of Maester, which holds verdicts but not the settings",
    f"{_RAW}",
)
_PROWLER = OtherFile("is a result of Prowler, which holds verdicts but not the settings", _RAW)
_SCUBA_RESULT = OtherFile(
    "is a result of ScubaGear, which holds verdicts but not the settings",
    "Give ProviderSettingsExport.json from the same folder instead.",
)
_CIPP = OtherFile("is an export of CIPP, which holds its own columns but not Graph's answers", _RAW)
_DSC = OtherFile(
    "is a configuration or report of Microsoft365DSC, which leaves out the content of consent policies",
    _RAW,
)
_HAR = OtherFile(
    "is a recording of a browser (HAR), which can contain access tokens",
    "Don't share it. Save the response body of the request to Graph instead.",
)
_OLD_AZURE_CLI = OtherFile(
    "is an answer of Azure AD Graph, which no longer exists, as Azure CLI before 2.37 printed it",
    "Update the Azure CLI, and export it again.",
)


def other_file(document: Any) -> OtherFile | None:
    """The tool whose results a JSON document holds, if it is a known one."""
    rows = document if isinstance(document, list) else [document]
    first = next((row for row in rows if isinstance(row, dict)), None)
    if first is None or any(key.lower() == "@odata.context" for key in first):
        return None
    if isinstance(results := first.get("Results"), list) and results and isinstance(results[0], dict):
        # CIPP's API wraps its rows.
        first = results[0]
    names = {key.lower() for key in first}
    metadata = first.get("metadata")
    product = metadata.get("product") if isinstance(metadata, dict) else None
    if {"tests", "failedcount", "totalcount"} <= names:
        return _MAESTER
    if (isinstance(product, dict) and product.get("name") == "Prowler") or {"checkid", "statusextended"} <= names:
        return _PROWLER
    if "prowler" in str(first.get("GeneratorId", "")).lower():
        return _PROWLER
    if "MetaData" in first or {"policyid", "requirementmet"} <= names:
        return _SCUBA_RESULT
    if names & {"cippstatus", "cippextendedproperties"} or {"standard", "tenantfilter"} <= names:
        return _CIPP
    if {"resourcename", "resourceinstancename"} <= names:
        return _DSC
    if isinstance(log := first.get("log"), dict) and "entries" in log:
        return _HAR
    if "odata.metadata" in names or {"objectid", "objecttype"} <= names:
        return _OLD_AZURE_CLI
    if {"meta", "data"} <= names and isinstance(first.get("meta"), dict):
        return OtherFile("is a collection of AzureHound, which leaves out the tenant's policies", _RAW)
    return _registration(names)


def _registration(names: set[str]) -> OtherFile | None:
    """An app registration, or its list of permissions, in place of the app's service principal."""
    if "appid" in names and names & {"publisherdomain", "requiredresourceaccess", "identifieruris"}:
        instead = "Give its service principal instead: az ad sp show --id <client ID>, or Get-MgServicePrincipal."
        return OtherFile("is an app registration, not an app in the tenant", instead)
    if {"resourceappid", "resourceaccess"} <= names:
        instead = "Give what is granted instead: az ad app permission list-grants --id <client ID>."
        return OtherFile("is the list of permissions that an app registered, not what is granted", instead)
    return None


_TEXTS = (
    (re.compile(r"\s*<(!doctype html|html|\?xml)", re.IGNORECASE), OtherFile("is a web page", "")),
    (re.compile(r"# Generated with Microsoft365DSC|\s*(?:param\s*\(|Configuration\s+\w+)", re.IGNORECASE), _DSC),
    (re.compile(r"\"?AUTH_METHOD\"?;\"?TIMESTAMP\"?;", re.IGNORECASE), _PROWLER),
    (
        re.compile(r"(?:\"?@odata\.\w+\"?|\"?[\w ]+\"?)(?:[,;\t]\"?[\w @./-]+\"?){2,}\s*\n"),
        OtherFile("is a table (CSV)", ""),
    ),
)
_REPORT = "Give the data that it was made from, as JSON. docs/other-tools.md lists what can be read."
_ARCHIVE = "Extract it, and give the folder."
_PACKED = "If it is a part of a packed snapshot, give the whole .zip file."
_BINARY = (
    (b"%PDF", OtherFile("is a PDF", _REPORT)),
    (b"SQLite format 3", OtherFile("is an SQLite database, such as that of ROADrecon", _REPORT)),
    (b"PK\x03\x04", OtherFile("is a zip archive", _ARCHIVE)),
    (b"\x1f\x8b", OtherFile("is compressed with gzip", f"{_PACKED} Otherwise, extract it, and give what is in it.")),
)


def other_bytes(data: bytes) -> OtherFile | None:
    """What a file that isn't text holds, by its first bytes."""
    return next((file for start, file in _BINARY if data.startswith(start)), None)


_YAML = OtherFile("is YAML", "Export it as JSON; IntuneCD writes JSON without -o yaml.")
_LINES = OtherFile("is a list with one JSON object a line", f"{_PACKED} Otherwise, write it as one JSON document.")


def other_text(text: str, name: str) -> OtherFile | None:
    """What a text that isn't JSON holds, by its beginning and the name of the file."""
    start = text[:4000]
    if name.lower().endswith((".yaml", ".yml")):
        return _YAML
    if name.lower().endswith(".jsonl"):
        return _LINES
    found = next((file for pattern, file in _TEXTS if pattern.match(start)), None)
    return found if found is None or found.instead else found._replace(instead=_REPORT)
