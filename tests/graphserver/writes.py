"""The writes that a remediation may make, and no others: what each changes in the tenant's document.

Only a server that was started with ``writable=True`` takes them; the program under test never sends one.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from tests.oracle.pool import publisher

from .answer import Answer
from .call import Call
from .errors import GraphError, absent
from .tenant import Tenant

Row = dict[str, Any]


def write(tenant: Tenant, call: Call, body: Row) -> Answer:
    """The answer to one write, after the tenant has changed; 405 for anything but a known one."""
    for method, pattern, change in _WRITES:
        found = re.fullmatch(pattern, call.path)
        if found and (call.method, call.version) == (method, "v1.0"):
            made = change(tenant, found.groups(), body)
            return Answer(201, made) if made else Answer(204, b"")
    raise GraphError(405, "MethodNotAllowed", f"No remediation sends {call.method} {call.path}.")


def _rows(tenant: Tenant, section: str) -> list[Row]:
    return [dict(row) for row in tenant.rows(section)]


def _by_id(rows: list[Row], key: str) -> Row:
    for row in rows:
        if str(row.get("id", "")).casefold() == key.casefold():
            return row
    raise absent(key)


def _create_principal(tenant: Tenant, _: tuple[str, ...], body: Row) -> Row:
    made = {"id": str(uuid.uuid4()), "appId": body["appId"], "displayName": "Made just now", "accountEnabled": True}
    made |= {"appRoleAssignmentRequired": False, "verifiedPublisher": publisher(None)}
    # Graph copies these from the vendor's registration, which the stand-in doesn't have: whoever creates it says them.
    made |= {"replyUrls": body["replyUrls"]} if "replyUrls" in body else {}
    tenant.put("servicePrincipals", [*_rows(tenant, "servicePrincipals"), made])
    return made


def _change_principal(tenant: Tenant, keys: tuple[str, ...], body: Row) -> None:
    rows = _rows(tenant, "servicePrincipals")
    _by_id(rows, keys[0]).update(body)
    tenant.put("servicePrincipals", rows)


def _assign(tenant: Tenant, keys: tuple[str, ...], body: Row) -> Row:
    owner = _by_id(_rows(tenant, "servicePrincipals"), keys[0])
    made = {"id": str(uuid.uuid4()), "principalType": "User", **body}
    section = dict(tenant.document["sections"].get("appRoleAssignedTo") or {})
    key = owner["appId"].lower()
    section[key] = [*(section.get(key) or []), made]
    tenant.put("appRoleAssignedTo", section)
    return made


def _classify(tenant: Tenant, keys: tuple[str, ...], body: Row) -> Row:
    section = dict(tenant.document["sections"].get("delegatedPermissionClassifications") or {})
    key = keys[0].lower()
    made = {"id": uuid.uuid4().hex, **body}
    section[key] = [*(section.get(key) or []), made]
    tenant.put("delegatedPermissionClassifications", section)
    return made


def _grant(tenant: Tenant, _: tuple[str, ...], body: Row) -> Row:
    rows = _rows(tenant, "oauth2PermissionGrants")
    same = ("clientId", "resourceId", "consentType", "principalId")
    if any(all(row.get(name) == body.get(name) for name in same) for row in rows):
        raise GraphError(409, "Request_MultipleObjectsWithSameKeyValue", "There is such a grant.")
    made = {"id": uuid.uuid4().hex, **body}
    tenant.put("oauth2PermissionGrants", [*rows, made])
    return made


def _change_grant(tenant: Tenant, keys: tuple[str, ...], body: Row) -> None:
    rows = _rows(tenant, "oauth2PermissionGrants")
    _by_id(rows, keys[0])["scope"] = body["scope"]
    tenant.put("oauth2PermissionGrants", rows)


def _create_policy(tenant: Tenant, _: tuple[str, ...], body: Row) -> Row:
    if body["id"].startswith("microsoft-") or body.get("includes"):
        raise GraphError(400, "BadRequest", "The id is reserved, or the policy is not empty.")
    made = {**body, "includes": [], "excludes": []}
    tenant.put("permissionGrantPolicies", [*_rows(tenant, "permissionGrantPolicies"), made])
    return made


def _include(tenant: Tenant, keys: tuple[str, ...], body: Row) -> Row:
    rows = _rows(tenant, "permissionGrantPolicies")
    made = {"id": str(uuid.uuid4()), "certifiedClientApplicationsOnly": False, **body}
    policy = _by_id(rows, keys[0])
    policy["includes"] = [*policy["includes"], made]
    tenant.put("permissionGrantPolicies", rows)
    return made


def _authorize(tenant: Tenant, _: tuple[str, ...], body: Row) -> None:
    policy = dict(tenant.one("authorizationPolicy") or {})
    role = {**policy.get("defaultUserRolePermissions", {}), **body.pop("defaultUserRolePermissions", {})}
    tenant.put("authorizationPolicy", {**policy, **body, "defaultUserRolePermissions": role})


def _workflow(tenant: Tenant, _: tuple[str, ...], body: Row) -> None:
    tenant.put("adminConsentRequestPolicy", body)


_PRINCIPAL = r"/servicePrincipals/([^/]+)"
_WRITES: tuple[tuple[str, str, Callable[[Tenant, tuple[str, ...], Row], Row | None]], ...] = (
    ("POST", r"/servicePrincipals", _create_principal),
    ("PATCH", _PRINCIPAL, _change_principal),
    ("POST", rf"{_PRINCIPAL}/appRoleAssignedTo", _assign),
    ("POST", r"/servicePrincipals\(appId='([^']+)'\)/delegatedPermissionClassifications", _classify),
    ("POST", r"/oauth2PermissionGrants", _grant),
    ("PATCH", r"/oauth2PermissionGrants/([^/]+)", _change_grant),
    ("POST", r"/policies/permissionGrantPolicies", _create_policy),
    ("POST", r"/policies/permissionGrantPolicies/([^/]+)/includes", _include),
    ("PATCH", r"/policies/authorizationPolicy", _authorize),
    ("PUT", r"/policies/adminConsentRequestPolicy", _workflow),
)
