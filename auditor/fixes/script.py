"""A fix as one commented script for an administrator to read and then run; this program never runs it.

A script looks before it changes anything, so that it may be run again; it stops at the first error, at a foreign
tenant, and where what it would replace has changed since the snapshot was taken. It is ASCII throughout.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from textwrap import wrap
from urllib.parse import urlsplit

from auditor.facts.clouds import CLOUDS
from auditor.fixes import bash_script, powershell_script
from auditor.fixes.actions import Action, NoScript, actions_of
from auditor.fixes.commands import write_permissions
from auditor.fixes.quoting import body_text, posix, visible
from auditor.fixes.quoting import powershell as literal
from auditor.model.fix import Fix

__all__ = ["NoScript", "Shell", "script"]

_MG_ENVIRONMENTS = {"us-gov": "USGov", "us-gov-dod": "USGovDoD", "china": "China"}
_AZ_CLOUDS = {"us-gov": "AzureUSGovernment", "us-gov-dod": "AzureUSGovernment", "china": "AzureChinaCloud"}


class Shell(StrEnum):
    """What a script can be written for: PowerShell, or bash with the Azure CLI."""

    POWERSHELL = "powershell"
    AZ = "az"


def script(fix: Fix, shell: Shell | str, *, tenant: str = "") -> str:
    """The script that carries out `fix`, which refuses to run in another tenant than `tenant` (an id).

    Raises NoScript where the fix is a link to open, or needs what no script can know.
    """
    todo = actions_of(fix)
    match Shell(shell):
        case Shell.AZ:
            return "\n".join(_bash(fix, todo, tenant))
        case Shell.POWERSHELL:
            return "\n".join(_powershell(fix, todo, tenant))


def _cloud(todo: tuple[Action, ...]) -> str:
    """The cloud whose Graph the requests address."""
    host = urlsplit(todo[0].request.url).netloc
    return next((name for name, cloud in CLOUDS.items() if urlsplit(cloud.graph).netloc == host), "global")


def _bash(fix: Fix, todo: tuple[Action, ...], tenant: str) -> Iterator[str]:
    cloud = _cloud(todo)
    graph = CLOUDS[cloud].graph
    yield "#!/usr/bin/env bash"
    yield from _comments(_header(fix, _before_az(todo, cloud, tenant), _how_az(todo)))
    yield "# shellcheck disable=SC2016  # Texts stand between single quotes so that nothing in them expands."
    yield bash_script.prologue(todo).rstrip("\n")
    yield ""
    yield f"graph={posix(graph)}"
    if tenant:
        yield f"here=$(look {posix(graph + '/v1.0/organization?$select=id')} 'value[].id')"
        yield f'[ "$here" = {posix(visible(tenant.lower()))} ] || stop "signed in to another tenant: $here"'
    yield from bash_script.filled_in(todo)
    for number, action in enumerate(todo, start=1):
        yield ""
        yield from _comments((f"{number}. {action.comment}",))
        yield from bash_script.lines(action)
    yield ""
    yield "say 'Done.'"
    yield ""


def _powershell(fix: Fix, todo: tuple[Action, ...], tenant: str) -> Iterator[str]:
    scopes = ", ".join(literal(scope) for scope in write_permissions([action.request for action in todo]))
    environment = _MG_ENVIRONMENTS.get(_cloud(todo), "")
    yield "#Requires -Modules Microsoft.Graph.Authentication"
    yield from _comments(_header(fix, ("Install-Module Microsoft.Graph.Authentication",), "-DryRun"))
    yield from powershell_script.parameters(todo)
    yield ""
    yield powershell_script.prologue(todo).rstrip("\n")
    yield ""
    connect = f"Connect-MgGraph -Scopes {scopes} -NoWelcome"
    connect += f" -TenantId {literal(visible(tenant))}" if tenant else ""
    yield connect + (f" -Environment {environment}" if environment else "")
    for number, action in enumerate(todo, start=1):
        yield ""
        yield from _comments((f"{number}. {action.comment}",))
        yield from powershell_script.lines(action)
    yield ""
    yield "Write-Host 'Done.'"
    yield ""


def _header(fix: Fix, before: tuple[str, ...], dry: str) -> Iterator[str]:
    """What the script is, who may run it, and how to take it back."""
    yield from wrap(visible(f"{fix.title.rstrip('.')} (fix {fix.key or fix.route})."), _WIDTH)
    yield ""
    yield from wrap(_ABOUT, _WIDTH)
    yield ""
    yield from _field("Role", fix.role)
    for number, line in enumerate(before):
        yield from _field("" if number else "Before", line)
    yield from _field("Dry run", dry)
    for number, line in enumerate(fix.fill_in):
        yield from _field("" if number else "Give", line)
    yield from _field("Check", fix.verify)
    yield from _field("Expect", fix.expect)
    yield from _field("Undo", fix.undo)
    for request in fix.undo_graph:
        body = "" if request.body is None else f" {body_text(request.body)}"
        yield f"{'':9}{request.method} {request.url}{body}"


_WIDTH = 100
_ABOUT = (
    "Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing where it is done"
    " already, so the script may be run again. It stops at the first error."
)


def _field(label: str, text: str) -> Iterator[str]:
    """A labelled text, wrapped; words are never broken, as they may be addresses."""
    first = f"{label}:" if label else ""
    whole = wrap(
        visible(text),
        _WIDTH,
        initial_indent=f"{first:9}",
        subsequent_indent=" " * 9,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from whole if text else ()


def _before_az(todo: tuple[Action, ...], cloud: str, tenant: str) -> tuple[str, ...]:
    """How to sign in. Source: azure-cli issues 23906 and 33062, on the permissions of the CLI's own token."""
    lines = [f"az cloud set --name {_AZ_CLOUDS[cloud]}"] if cloud in _AZ_CLOUDS else []
    lines.append("az login --allow-no-subscriptions" + (f" --tenant {visible(tenant)}" if tenant else ""))
    needed = write_permissions([action.request for action in todo])
    if policies := [permission for permission in needed if permission.startswith("Policy.")]:
        lines.append(
            f"A user's sign-in through the Azure CLI does not hold {' and '.join(policies)}: sign in as a service"
            " principal that was granted it (az login --service-principal), or take the PowerShell script."
        )
    return tuple(lines)


def _how_az(todo: tuple[Action, ...]) -> str:
    given = "".join(f"{name}=... " for name in bash_script.asked_for(todo))
    return f"{given}DRY_RUN=1 bash this-file"


def _comments(texts: Iterator[str] | tuple[str, ...]) -> Iterator[str]:
    for text in texts:
        yield f"# {visible(text)}".rstrip()
