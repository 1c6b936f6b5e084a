"""The requests of a fix as commands to paste: Microsoft Graph PowerShell, and ``az rest`` in a POSIX shell.

Every value is quoted, and nothing is ever expanded but the id that an earlier command of the same fix returned.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from auditor.fixes import quoting
from auditor.fixes.requests import NEW_SERVICE_PRINCIPAL, held
from auditor.model.fix import GraphRequest

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
    beyond = any(permission.startswith("Policy.") for permission in write_permissions(requests))
    return "\n".join((*(_AZ_LACKS if beyond else ()), *(_az_line(request) for request in requests)))


_AZ_LACKS = (
    "# A user's sign-in with az lacks the Policy.ReadWrite permissions: sign in",
    "# as a service principal that was granted them, or use PowerShell.",
)
"""Source: azure-cli issues 23906 and 33062, on what the CLI's own token holds."""


def write_permissions(requests: Sequence[GraphRequest]) -> tuple[str, ...]:
    """The delegated permissions that whoever sends these requests must have, once each."""
    found = (next((p for pattern, p in _WRITES if re.search(pattern, r.url)), "") for r in requests)
    return tuple(dict.fromkeys(permission for permission in found if permission))


def _creates(request: GraphRequest) -> bool:
    """Whether the answer holds an id that a later command needs."""
    return request.returns == NEW_SERVICE_PRINCIPAL


def _powershell_line(request: GraphRequest) -> str:
    line = f"Invoke-MgGraphRequest -Method {request.method} -Uri {quoting.powershell(request.url)}"
    if request.body is not None:
        text = quoting.body_text(request.body)
        body = quoting.powershell(text)
        if held(NEW_SERVICE_PRINCIPAL) in text:
            body = f"({body}.Replace({quoting.powershell(NEW_SERVICE_PRINCIPAL)}, $id))"
        line = f"{line} -ContentType 'application/json' -Body {body}"
    return f"$id = ({line}).id" if _creates(request) else line


def _az_line(request: GraphRequest) -> str:
    line = f"az rest --method {request.method.lower()} --url {quoting.posix(request.url)}"
    if request.body is not None:
        body = quoting.posix(quoting.body_text(request.body)).replace(held(NEW_SERVICE_PRINCIPAL), '"\'"$id"\'"')
        line = f"{line} --headers Content-Type=application/json --body {body}"
    return f"id=$({line} --query id --output tsv)" if _creates(request) else line
