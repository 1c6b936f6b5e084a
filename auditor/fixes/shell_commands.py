"""The requests of a fix as commands to paste: Microsoft Graph PowerShell, and ``az rest`` in a POSIX shell.

The first command signs in to the tenant that was audited, because a shell may still be signed in to another one. Every
value is quoted, and the only thing that a shell expands is the id that an earlier command of the same fix returned.
Names of apps and policies are whatever somebody typed, so texts from the tenant are quoted whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from auditor.facts.clouds import CLOUDS
from auditor.fixes.change import NEW_SERVICE_PRINCIPAL, Change, as_json_value, json_text
from auditor.model.snapshot import Snapshot

_AZ_LACKS = (
    "# A user's sign-in with az lacks the Policy.ReadWrite permissions: sign in",
    "# as a service principal that has them, or use PowerShell.",
)
"""Source: azure-cli issues 23906 and 33062, on the permissions in the token of the Azure CLI."""
_TENANT_UNKNOWN = "# The snapshot has no tenant id. Continue only if this prints the id of the tenant to change:"


def powershell_commands(changes: Sequence[Change], snapshot: Snapshot) -> str:
    """Lines for PowerShell 5 or 7 with the module Microsoft.Graph.Authentication, in the snapshot's tenant."""
    if not changes:
        return ""
    return "\n".join((*_connect(changes, snapshot), *map(_powershell_line, changes)))


def _connect(changes: Sequence[Change], snapshot: Snapshot) -> Iterator[str]:
    """The sign-in. Without ``-TenantId`` it is to the account's own tenant (Connect-MgGraph, "-TenantId")."""
    tenant, environment = snapshot.tenant.id, CLOUDS[_cloud(snapshot)].mg_environment
    where = f" -TenantId {powershell_quoted(printable(tenant))}" if tenant else ""
    where += f" -Environment {environment}" if environment else ""
    scopes = ",".join(f"'{scope}'" for scope in write_permissions(changes))
    yield f"Connect-MgGraph{where} -Scopes {scopes}"
    if not tenant:
        yield _TENANT_UNKNOWN
        yield "(Get-MgContext).TenantId"


def az_commands(changes: Sequence[Change], snapshot: Snapshot) -> str:
    """Lines for bash, zsh or Azure Cloud Shell with the Azure CLI, in the snapshot's tenant.

    Each line runs only if the one before it succeeded: after a failed sign-in, the Azure CLI would use the tenant of
    the last one.
    """
    if not changes:
        return ""
    lacks = any(permission.startswith("Policy.") for permission in write_permissions(changes))
    notes = (*(_AZ_LACKS if lacks else ()), *(() if snapshot.tenant.id else (_TENANT_UNKNOWN,)))
    return "\n".join((*notes, " &&\n".join((*_az_tenant(snapshot, lacks), *map(_az_line, changes)))))


def _az_tenant(snapshot: Snapshot, signed_in: bool) -> Iterator[str]:
    """The sign-in to the tenant, or if one has to be `signed_in` as a service principal, the check of the tenant.

    If the tenant isn't known, the command that shows it. Source: reference of the Azure CLI.
    """
    tenant, az_cloud = snapshot.tenant.id, CLOUDS[_cloud(snapshot)].az_cloud
    show = "az account show --query tenantId --output tsv"
    if not tenant:
        yield show
    elif signed_in:
        yield f"{show} | grep -Fi -e {posix_quoted(printable(tenant))}"
    else:
        if az_cloud:
            yield f"az cloud set --name {az_cloud}"
        yield f"az login --tenant {posix_quoted(printable(tenant))} --allow-no-subscriptions"


def _cloud(snapshot: Snapshot) -> str:
    return snapshot.cloud if snapshot.cloud in CLOUDS else "global"


def write_permissions(changes: Iterable[Change]) -> tuple[str, ...]:
    """The delegated permissions that whoever makes these changes needs, once each."""
    return tuple(dict.fromkeys(change.permission for change in changes))


def posix_quoted(text: str) -> str:
    """`text` as one word of a POSIX shell: between single quotes, only the quote itself is special."""
    return "'" + text.replace("'", "'\"'\"'") + "'"


def powershell_quoted(text: str) -> str:
    """A PowerShell literal: between single quotes, only the quote itself is special, including its curly forms."""
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def printable(text: str) -> str:
    """`text` on one line of printable ASCII, for comments and messages, so that nothing can end or reorder the line."""
    return "".join(c if c.isascii() and c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _returns_id(change: Change) -> bool:
    """Whether the answer holds an id that a later command needs."""
    return change.returns == NEW_SERVICE_PRINCIPAL


def _powershell_line(change: Change) -> str:
    line = f"Invoke-MgGraphRequest -Method {change.method} -Uri {powershell_quoted(change.url)}"
    if change.body:
        text = json_text(change.body)
        body = powershell_quoted(text)
        if as_json_value(NEW_SERVICE_PRINCIPAL) in text:
            body = f"({body}.Replace({powershell_quoted(NEW_SERVICE_PRINCIPAL)}, $id))"
        line = f"{line} -ContentType 'application/json' -Body {body}"
    return f"$id = ({line}).id" if _returns_id(change) else line


def _az_line(change: Change) -> str:
    line = f"az rest --method {change.method.lower()} --url {posix_quoted(change.url)}"
    if change.body:
        body = posix_quoted(json_text(change.body)).replace(as_json_value(NEW_SERVICE_PRINCIPAL), '"\'"$id"\'"')
        line = f"{line} --headers Content-Type=application/json --body {body}"
    return f"id=$({line} --query id --output tsv)" if _returns_id(change) else line
