"""The requests of a fix as commands to paste: Microsoft Graph PowerShell, and ``az rest`` in a POSIX shell.

Names of apps and policies come from a tenant, so every value is quoted, and nothing is ever expanded but the
id that an earlier command of the same fix returned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from auditor.model.fix import GraphRequest

NEW_SERVICE_PRINCIPAL = "{object id of the new service principal}"
"""Stands for an id that Graph will give when the service principal is created."""

_WRITES = (
    (r"/servicePrincipals\(appId=.*delegatedPermissionClassifications", "Policy.ReadWrite.PermissionGrant"),
    (r"/servicePrincipals/.*/appRoleAssignedTo", "AppRoleAssignment.ReadWrite.All"),
    (r"/servicePrincipals", "Application.ReadWrite.All"),
    (r"/oauth2PermissionGrants", "DelegatedPermissionGrant.ReadWrite.All"),
    (r"/policies/permissionGrantPolicies", "Policy.ReadWrite.PermissionGrant"),
    (r"/policies/authorizationPolicy", "Policy.ReadWrite.Authorization"),
    (r"/policies/adminConsentRequestPolicy", "Policy.ReadWrite.ConsentRequest"),
)
"""Delegated permissions of the writes (Microsoft Graph reference, the pages of each request)."""


def powershell(requests: Sequence[GraphRequest]) -> str:
    """Lines for PowerShell 5 or 7 with the module Microsoft.Graph.Authentication."""
    if not requests:
        return ""
    scopes = ",".join(f"'{scope}'" for scope in write_permissions(requests))
    return "\n".join((f"Connect-MgGraph -Scopes {scopes}", *(_powershell_line(r) for r in requests)))


def az(requests: Sequence[GraphRequest]) -> str:
    """Lines for bash, zsh or Azure Cloud Shell with the Azure CLI."""
    return "\n".join(_az_line(request) for request in requests)


def write_permissions(requests: Sequence[GraphRequest]) -> tuple[str, ...]:
    """The delegated permissions that whoever sends these requests must have, once each."""
    found = (next((p for pattern, p in _WRITES if re.search(pattern, r.url)), "") for r in requests)
    return tuple(dict.fromkeys(permission for permission in found if permission))


def _creates(request: GraphRequest) -> bool:
    """Whether the answer holds the id that `NEW_SERVICE_PRINCIPAL` stands for."""
    return request.method == "POST" and request.url.endswith("/servicePrincipals")


def _body(request: GraphRequest) -> str:
    return json.dumps(request.body, ensure_ascii=False)


def _powershell_line(request: GraphRequest) -> str:
    line = f"Invoke-MgGraphRequest -Method {request.method} -Uri {_single(request.url)}"
    if request.body is not None:
        body = _single(_body(request))
        if NEW_SERVICE_PRINCIPAL in body:
            body = f"{body}.Replace({_single(NEW_SERVICE_PRINCIPAL)}, $id)"
            body = f"({body})"
        line = f"{line} -ContentType 'application/json' -Body {body}"
    return f"$id = ({line}).id" if _creates(request) else line


def _single(text: str) -> str:
    """A PowerShell literal: between single quotes only the quote itself is special, in its curly forms too."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def _az_line(request: GraphRequest) -> str:
    line = f"az rest --method {request.method.lower()} --url {_quoted(request.url)}"
    if request.body is not None:
        body = _quoted(_body(request)).replace(NEW_SERVICE_PRINCIPAL, "'\"$id\"'")
        line = f"{line} --headers Content-Type=application/json --body {body}"
    return f"id=$({line} --query id --output tsv)" if _creates(request) else line


def _quoted(text: str) -> str:
    """`text` as one word of a POSIX shell."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
