"""The requests of a fix as commands to paste: Microsoft Graph PowerShell, and ``az rest`` in a POSIX shell.

Every value is quoted, and the only thing that a shell expands is the id that an earlier command of the same fix
returned. Names of apps and policies are whatever somebody typed, so texts from the tenant are quoted whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from auditor.fixes.change import NEW_SERVICE_PRINCIPAL, Change, as_json_value, json_text

_AZ_LACKS = (
    "# A user's sign-in with az lacks the Policy.ReadWrite permissions: sign in",
    "# as a service principal that has them, or use PowerShell.",
)
"""Source: azure-cli issues 23906 and 33062, on the permissions in the token of the Azure CLI."""


def powershell_commands(changes: Sequence[Change]) -> str:
    """Lines for PowerShell 5 or 7 with the module Microsoft.Graph.Authentication."""
    if not changes:
        return ""
    scopes = ",".join(f"'{scope}'" for scope in write_permissions(changes))
    return "\n".join((f"Connect-MgGraph -Scopes {scopes}", *map(_powershell_line, changes)))


def az_commands(changes: Sequence[Change]) -> str:
    """Lines for bash, zsh or Azure Cloud Shell with the Azure CLI."""
    lacks = any(permission.startswith("Policy.") for permission in write_permissions(changes))
    return "\n".join((*(_AZ_LACKS if lacks else ()), *map(_az_line, changes)))


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
