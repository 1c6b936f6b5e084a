"""Small tenants with logs of what one user did or met: documents, which the oracle and the engine both read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from auditor.model.snapshot import Snapshot
from tests.consent.from_oracle import snapshot_of
from tests.oracle import pool
from tests.oracle.plain import VERIFIED, tenant
from tests.oracle.reading import Json

TAKEN = "2026-11-22T02:00:00Z"
EVENT = "2026-11-15T09:00:00Z"
LATER, BEFORE = "2026-11-18T12:00:00Z", "2026-11-12T12:00:00Z"
ALICE = "alice@woodgrove.example"
ADMIN = "62e90394-69f5-4237-9190-012177145e10"
FOR_SELF = "ManagePermissionGrantsForSelf."


def with_logs(
    document: Json, *entries: Json, user: Json | None = None, roles: Iterable[str] = (), **sections: Any
) -> Snapshot:
    """The tenant with this user, her roles, and these entries of the logs: sign-ins have an error code.

    Both logs were read whole, unless a section is given as none.
    """
    alice = {
        "id": pool.ALICE,
        "userPrincipalName": ALICE,
        "userType": "Member",
        "accountEnabled": True,
        "memberOf": [],
        **(user or {}),
    }
    more: Json = {
        "users": [alice],
        "roleAssignments": [
            {"id": role, "principalId": pool.ALICE, "roleDefinitionId": role, "directoryScopeId": "/"} for role in roles
        ],
        "roleDefinitions": [],
        "signIns": [one for one in entries if "status" in one],
        "directoryAudits": [one for one in entries if "status" not in one],
        **sections,
    }
    read = {name: value for name, value in {**document["sections"], **more}.items() if value is not None}
    covers = {**document.get("covers", {}), "roleDefinitions": ["custom"]}
    return snapshot_of({**document, "sections": read, "covers": covers})


def plain(policy: str = pool.LEGACY, *, client: Json = VERIFIED, **sections: Any) -> Json:
    """A tenant whose users consent by this policy, with an app of a verified publisher."""
    return tenant(policy, client=client, **sections)


def stopped(at: str = EVENT, *, code: int = 90094, **more: Any) -> Json:
    """A sign-in that failed."""
    return {
        "id": f"s{at}{code}",
        "createdDateTime": at,
        "appId": pool.CLIENT,
        "appDisplayName": "Mailer",
        "userId": pool.ALICE,
        "userPrincipalName": ALICE,
        "status": {"errorCode": code},
        **more,
    }


def consented(
    scopes: str, at: str = EVENT, *, held: str = "", admin: bool = False, result: str = "success", **more: Any
) -> Json:
    """A consent, with the grants before and after it as the log writes them."""
    rows = f"{_grants(held)} => {_grants(scopes)}; " if result == "success" else "[] => []; "
    properties = {
        "ConsentContext.IsAdminConsent": str(admin),
        "ConsentContext.OnBehalfOfAll": str(admin),
        "ConsentAction.Permissions": rows,
        "TargetId.ServicePrincipalNames": pool.CLIENT,
    }
    return entry("Consent to application", at, pool.OBJECT_IDS[pool.CLIENT], properties, result=result, **more)


def _grants(scopes: str) -> str:
    if not scopes:
        return "[]"
    client, api = pool.OBJECT_IDS[pool.CLIENT], pool.OBJECT_IDS[pool.GRAPH]
    return f"[[Id: x, ClientId: {client}, PrincipalId: , ResourceId: {api}, ConsentType: Principal, Scope: {scopes} ]]"


def granted_for_all(scopes: str, at: str) -> Json:
    """An administrator's grant for all users."""
    properties = {
        "DelegatedPermissionGrant.Scope": scopes,
        "DelegatedPermissionGrant.ConsentType": "AllPrincipals",
        "ServicePrincipal.ObjectID": pool.OBJECT_IDS[pool.CLIENT],
        "ServicePrincipal.AppId": pool.CLIENT,
    }
    by = {"user": {"id": pool.BOB, "userPrincipalName": "bob@woodgrove.example"}}
    return entry("Add delegated permission grant", at, pool.OBJECT_IDS[pool.GRAPH], properties, initiatedBy=by)


def changed_setting(at: str = LATER, *, old: Iterable[str] | None = None, name: str = "") -> Json:
    """The consent setting changed; `old` are the policies that users had before, if the entry says them."""
    name = name or ("PermissionGrantPolicyIdsAssignedToDefaultUserRole" if old is not None else "Setting")
    before = json.dumps([FOR_SELF + one for one in old]) if old is not None else None
    return entry("Update authorization policy", at, "authorizationPolicy", {name: ""}, old=before)


def entry(
    activity: str,
    at: str,
    target: str,
    properties: Json,
    *,
    old: str | None = None,
    result: str = "success",
    **more: Any,
) -> Json:
    """An entry of the audit log, by Alice unless said otherwise."""
    changed = [
        {"displayName": name, "oldValue": old, "newValue": json.dumps(value)} for name, value in properties.items()
    ]
    return {
        "id": f"{activity} {at} {target}",
        "activityDateTime": at,
        "activityDisplayName": activity,
        "result": result,
        "initiatedBy": {"user": {"id": pool.ALICE, "userPrincipalName": ALICE}},
        "targetResources": [{"id": target, "displayName": "Mailer", "modifiedProperties": changed}],
        **more,
    }
