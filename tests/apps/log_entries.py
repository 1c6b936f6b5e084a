"""Entries of the directory's audit log about consent, in the shapes that Microsoft Graph returns."""

from __future__ import annotations

import json
from typing import Any

from auditor.model.access_resources import DirectoryAudit

APP, OBJECT = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "9d3c4c5a-1f0b-4f0e-8c64-3b0a7e6d2f11"
GRAPH_OBJECT, USER = "1804a6f8-e623-4520-8f40-ba1b0c11c42d", "db60ab61-caea-4889-a824-98de31ef31b5"
AT = "2026-11-18T16:44:07.2345678Z"


def log_entry(
    activity: str, properties: dict[str, str], *, target: str, second: str = "", result: str = "success", **more: Any
) -> DirectoryAudit:
    """An entry whose first target has these properties; their values are JSON inside texts, as in Graph."""
    changed = [
        {"displayName": name, "oldValue": None, "newValue": json.dumps(value)} for name, value in properties.items()
    ]
    first = {"id": target, "displayName": "TrackerRMS" if target == OBJECT else "Microsoft Graph", "type": "Other"}
    rows: list[dict[str, Any]] = [{**first, "modifiedProperties": changed}]
    if second:
        rows.append({"id": second, "displayName": None, "modifiedProperties": []})
    by = {"id": USER, "displayName": None, "userPrincipalName": "AlexW@contoso.example"}
    return DirectoryAudit(
        id=str(more.pop("id", activity)),
        activityDateTime=str(more.pop("at", AT)),
        activityDisplayName=activity,
        result=result,
        initiatedBy=more.pop("by", {"app": None, "user": by}),
        targetResources=tuple(rows),
        **more,
    )


def consent(
    scopes: str = "openid Mail.Read",
    *,
    admin: str = "False",
    for_all: str = "False",
    before: str = "",
    permissions: str | None = None,
    **more: Any,
) -> DirectoryAudit:
    """ "Consent to application", as a person's consent writes it."""
    return log_entry(
        "Consent to application",
        {
            "ConsentContext.IsAdminConsent": admin,
            "ConsentContext.IsAppOnly": "False",
            "ConsentContext.OnBehalfOfAll": for_all,
            "ConsentContext.Tags": "WindowsAzureActiveDirectoryIntegratedApp",
            "ConsentAction.Permissions": permissions
            if permissions is not None
            else f"{_grants(before, for_all)} => {_grants(scopes, for_all)}; ",
            "TargetId.ServicePrincipalNames": more.pop("names", APP),
        },
        target=OBJECT,
        **more,
    )


def _grants(scopes: str, for_all: str) -> str:
    if not scopes:
        return "[]"
    kind, user = ("AllPrincipals", "") if for_all == "True" else ("Principal", USER)
    return (
        f"[[Id: Wkw8nQsfDk, ClientId: {OBJECT}, PrincipalId: {user}, ResourceId: {GRAPH_OBJECT}, ConsentType: {kind},"
        f" Scope:  {scopes}, CreatedDateTime: , LastModifiedDateTime ]]"
    )


def refused(reason: str, **more: Any) -> DirectoryAudit:
    """A consent that didn't happen, with the reason in the entry's own field."""
    return consent(permissions="[] => []; ", result="failure", resultReason=reason, **more)


def grant_added(scopes: str = " openid Mail.Read", **more: Any) -> DirectoryAudit:
    """ "Add delegated permission grant" for all users: the first target is the resource."""
    properties = {
        "DelegatedPermissionGrant.Scope": scopes,
        "DelegatedPermissionGrant.ConsentType": "AllPrincipals",
        "ServicePrincipal.ObjectID": OBJECT,
        "ServicePrincipal.AppId": APP,
    }
    properties.update(more.pop("properties", {}))
    return log_entry("Add delegated permission grant", properties, target=GRAPH_OBJECT, second=OBJECT, **more)
