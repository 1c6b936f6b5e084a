"""Tenants to measure with: one as most are, with all that Microsoft Graph offers, and large ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps

GRAPH_SCOPES = 807
"""Delegated scopes of Microsoft Graph in a live tenant, 2026-08-20."""

_SPACE = uuid.UUID("6f6c7f0e-1b7c-4b0f-9f2f-3c1f0a5d2e11")
_WORDS = """
Access Admin Agreement Analytics Announcement Application Approval Audit Backup Billing Booking Browser
Calendar Channel Chat Community Consent Contact Credential Customer Delegated Device Directory Domain
Education Entitlement Event External File Group Health Identity Incident Insight Learning Lifecycle
Location Mailbox Meeting Member Note Organization Partner Payment People Place Policy Presence Print
Profile Program Report Role Schedule Search Security Service Session Short Site Storage Subscription
Synchronization Task Team Tenant Threat Timeline Topic Trust User Virtual Workforce
"""
_PARTS = _WORDS.split()
_KINDS = ("Read", "ReadBasic", "ReadWrite", "Read.All", "ReadWrite.All", "Manage.All", "Read.Shared", "Send", "Create")
_USERS = 19_997
"""A prime number, so that the grants of one app are for different users."""
_LINKED = ("oauth2PermissionGrants", "servicePrincipals")

Row = dict[str, Any]


def as_most(name: str = "managed-default") -> Row:
    """The sample tenant of this name as a snapshot document, with the whole of Microsoft Graph's scopes."""
    document: Row = msgspec.json.decode(dumps(sample(name)))
    for row in document["sections"]["servicePrincipals"]:
        if row["appId"] == MICROSOFT_GRAPH:
            there = row["oauth2PermissionScopes"]
            row["oauth2PermissionScopes"] = [*there, *_invented(GRAPH_SCOPES - len(there))]
    return document


def as_large(apps: int, grants: int, number: int = 0) -> Row:
    """A tenant with so many service principals and delegated grants, read as a whole; `number` makes its ID unique."""
    document = as_most()
    sections = document["sections"]
    document["tenant"]["id"] = _id("tenant", number)
    sections["organization"] = None
    del sections["organization"]
    for name in _LINKED:
        document["covers"].pop(name, None)
    principals = sections["servicePrincipals"] = [*sections["servicePrincipals"], *_apps(apps)]
    clients = principals[-apps:] if apps else principals
    resource = principals[0]["id"]
    sections["oauth2PermissionGrants"] = [_grant(i, clients[i % len(clients)]["id"], resource) for i in range(grants)]
    for name in ("roleDefinitions", "roleAssignments", "appConsentRequests", "signIns", "directoryAudits"):
        sections.setdefault(name, [])
    return document


def large_lists(apps: int, grants: int) -> dict[str, list[bytes]]:
    """The rows of the two lists of such a tenant as JSON, by their sections."""
    resource = next(row["id"] for row in as_most()["sections"]["servicePrincipals"] if row["appId"] == MICROSOFT_GRAPH)
    principals = [msgspec.json.encode(row) for row in _apps(apps)]
    clients = [_id("principal", number) for number in range(max(1, apps))]
    owners = (clients[number % len(clients)] for number in range(grants))
    rows = [msgspec.json.encode(_grant(number, owner, resource)) for number, owner in enumerate(owners)]
    return {"servicePrincipals": principals, "oauth2PermissionGrants": rows}


def write(document: Row, path: Path) -> Path:
    """The document as a snapshot file."""
    path.write_bytes(msgspec.json.encode(document))
    return path


def _invented(count: int) -> Iterator[Row]:
    """Scopes of the usual length and with the usual properties."""
    for i in range(count):
        thing, kind = _PARTS[i % len(_PARTS)], _KINDS[i // len(_PARTS) % len(_KINDS)]
        other = _PARTS[(i * 5 + i // len(_PARTS)) % len(_PARTS)]
        value = f"{thing}{other}.{kind}"
        does = f"{kind.replace('.', ' ').lower()} the {thing.lower()}s of every {other.lower()}"
        yield {
            "id": _id("scope", i),
            "value": value,
            "type": "Admin" if "All" in kind else "User",
            "isEnabled": True,
            "adminConsentDisplayName": f"{does.capitalize()} that the user can reach",
            "adminConsentDescription": f"Allows the app to {does} in your organization, on behalf of the"
            f" signed-in user, including {other.lower()} settings. It can not do so for {thing.lower()}s that"
            f" the user has no access to, and other permissions may be needed to change {other.lower()} settings.",
            "userConsentDisplayName": f"{does.capitalize()} that you can reach",
            "userConsentDescription": f"Allows the app to {does} in your organization, on your behalf,"
            f" including {other.lower()} settings, and only for {thing.lower()}s that you have access to.",
        }


def _apps(count: int) -> Iterator[Row]:
    for i in range(count):
        name = f"{_PARTS[i % len(_PARTS)]} {_PARTS[(i // 7) % len(_PARTS)]} {i}"
        host = f"https://app{i}.{_PARTS[i % len(_PARTS)].lower()}.example"
        yield {
            "id": _id("principal", i),
            "appId": _id("app", i),
            "displayName": name,
            "appDisplayName": name,
            "accountEnabled": i % 50 != 0,
            "appRoleAssignmentRequired": i % 10 == 0,
            "appOwnerOrganizationId": _id("owner", i % 400),
            "disabledByMicrosoftStatus": None,
            "servicePrincipalType": "Application",
            "signInAudience": "AzureADMultipleOrgs",
            "replyUrls": [f"{host}/callback", f"{host}/signin-oidc"],
            "tags": ["WindowsAzureActiveDirectoryIntegratedApp"],
            "servicePrincipalNames": [_id("app", i), host],
            "createdDateTime": f"2025-{i % 12 + 1:02}-{i % 28 + 1:02}T09:00:00Z",
            "verifiedPublisher": {
                "displayName": name if i % 3 else None,
                "verifiedPublisherId": str(1_000_000 + i) if i % 3 else None,
                "addedDateTime": "2024-05-01T00:00:00Z" if i % 3 else None,
            },
        }


def _grant(number: int, client: str, resource: str) -> Row:
    everybody = number % 5 == 0
    return {
        "id": _id("grant", number),
        "clientId": client,
        "consentType": "AllPrincipals" if everybody else "Principal",
        "principalId": None if everybody else _id("user", number % _USERS),
        "resourceId": resource,
        "scope": " openid profile offline_access User.Read Mail.Read",
    }


def _id(kind: str, number: int) -> str:
    return str(uuid.uuid5(_SPACE, f"{kind}/{number}"))
