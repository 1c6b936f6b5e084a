"""A fix as one commented script for an administrator to read and then run; this program never runs it.

A script checks the present state before it changes anything, so it can be run again. It stops at the first error, in
the wrong tenant, and if what it would replace has changed since the snapshot was taken. It is ASCII throughout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from textwrap import wrap
from urllib.parse import urlsplit

import msgspec

from auditor.facts.ids import CLOUDS
from auditor.fixes import bash_script, powershell_script
from auditor.fixes.change import GraphChange, NoScript, NotApplicable, Step, json_text
from auditor.fixes.change_kinds import change_of
from auditor.fixes.proposed_fix import posix_quoted, printable, write_permissions
from auditor.model.decision import Fix, GraphRequest

__all__ = ["NoScript", "Shell", "script"]


class Shell(StrEnum):
    """The shells that a script can be written for: PowerShell, or bash with the Azure CLI."""

    POWERSHELL = "powershell"
    AZ = "az"


class _Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A fix as changes, with the step of each."""

    fix: Fix
    tenant: str
    changes: tuple[GraphChange, ...]
    steps: tuple[Step, ...]

    @property
    def requests(self) -> tuple[GraphRequest, ...]:
        return tuple(change.request for change in self.changes)

    @property
    def cloud(self) -> str:
        """The cloud whose Graph the requests address."""
        host = urlsplit(self.changes[0].graph).netloc
        return next((name for name, cloud in CLOUDS.items() if urlsplit(cloud.graph).netloc == host), "global")


def script(fix: Fix, shell: Shell | str, *, tenant: str = "") -> str:
    """The script that carries out `fix` and refuses to run in any other tenant than `tenant` (an id), if given.

    Raises NoScript if the fix is a link to open or needs something that no script can know.
    """
    write = {Shell.AZ: _bash, Shell.POWERSHELL: _powershell}[Shell(shell)]
    return "\n".join(write(_plan(fix, tenant)))


def _plan(fix: Fix, tenant: str) -> _Plan:
    if not fix.steps.graph:
        raise NoScript("it is a link that an administrator opens, so there is nothing to run")
    try:
        changes = tuple(map(change_of, fix.steps.graph))
        undo = {(request.method, request.url): change_of(request) for request in fix.undo_graph}
    except NotApplicable as error:
        raise NoScript(str(error)) from error
    steps = tuple(change.script_step(undo.get((change.method, change.url))) for change in changes)
    return _Plan(fix=fix, tenant=tenant, changes=changes, steps=steps)


def _bash(plan: _Plan) -> Iterator[str]:
    graph = CLOUDS[plan.cloud].graph
    given = "".join(f"{name}=... " for name in bash_script.given(plan.requests))
    yield "#!/usr/bin/env bash"
    yield from _comments(_header(plan, _before_az(plan), f"{given}DRY_RUN=1 bash this-file"))
    yield "# shellcheck disable=SC2016  # Texts are in single quotes so that nothing in them expands."
    yield bash_script.prologue(plan.steps).rstrip("\n")
    yield ""
    yield f"graph={posix_quoted(graph)}"
    yield f"here=$(look {posix_quoted(graph + '/v1.0/organization?$select=id')} 'value[].id')"
    tenant = posix_quoted(printable(plan.tenant.lower()))
    if plan.tenant:
        yield f'[ "$here" = {tenant} ] || stop "signed in to another tenant: $here"'
    else:
        yield 'say "Tenant: $here"'
    yield from bash_script.check_given(plan.requests)
    for number, (change, step) in enumerate(zip(plan.changes, plan.steps, strict=True), start=1):
        yield ""
        yield from _comments((f"{number}. {change.comment}",))
        yield from bash_script.commands(change.request, step)
    yield ""
    yield "say 'Done.'"
    yield ""


def _powershell(plan: _Plan) -> Iterator[str]:
    literal = powershell_script.literal
    scopes = ", ".join(literal(scope) for scope in write_permissions(plan.changes))
    environment = CLOUDS[plan.cloud].mg_environment
    yield "#Requires -Modules Microsoft.Graph.Authentication"
    yield from _comments(_header(plan, ("Install-Module Microsoft.Graph.Authentication",), "-DryRun"))
    yield from powershell_script.parameters(plan.requests)
    yield ""
    yield powershell_script.prologue(plan.steps).rstrip("\n")
    yield ""
    connect = f"Connect-MgGraph -Scopes {scopes} -NoWelcome"
    connect += f" -TenantId {literal(printable(plan.tenant))}" if plan.tenant else ""
    yield connect + (f" -Environment {environment}" if environment else "")
    if not plan.tenant:
        yield "Write-Host ('Tenant: ' + (Get-MgContext).TenantId)"
    for number, (change, step) in enumerate(zip(plan.changes, plan.steps, strict=True), start=1):
        yield ""
        yield from _comments((f"{number}. {change.comment}",))
        yield from powershell_script.commands(change.request, step)
    yield ""
    yield "Write-Host 'Done.'"
    yield ""


def _header(plan: _Plan, before: tuple[str, ...], dry_run: str) -> Iterator[str]:
    """What the script is, where and by whom it can be run, and how to undo it."""
    fix = plan.fix
    yield from wrap(printable(f"{fix.title.rstrip('.')} (fix {fix.key or fix.route})."), _WIDTH)
    yield ""
    yield from wrap(_ABOUT, _WIDTH)
    yield ""
    yield from _field("Tenant", plan.tenant or _TENANT_UNKNOWN)
    yield from _field("Role", fix.role)
    for number, line in enumerate(before):
        yield from _field("" if number else "Before", line)
    yield from _field("Dry run", dry_run)
    for number, line in enumerate(fix.fill_in):
        yield from _field("" if number else "Input", line)
    yield from _field("Verify", fix.verify)
    yield from _field("Result", fix.expect)
    yield from _field("Undo", fix.undo)
    for request in fix.undo_graph:
        body = "" if request.body is None else f" {json_text(request.body)}"
        yield f"{'':9}{request.method} {request.url}{body}"


_WIDTH = 100
_TENANT_UNKNOWN = "not known, because the snapshot has no tenant id: check the one that a dry run prints"
_ABOUT = (
    "Written by consent-auditor, which changes nothing itself. Each step checks the present state first and skips what"
    " is already done, so you can run this script again. It stops at the first error."
)


def _field(label: str, text: str) -> Iterator[str]:
    """A labelled text, wrapped; words are never broken, because they may be addresses."""
    first = f"{label}:" if label else ""
    whole = wrap(
        printable(text),
        _WIDTH,
        initial_indent=f"{first:9}",
        subsequent_indent=" " * 9,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from whole if text else ()


def _before_az(plan: _Plan) -> tuple[str, ...]:
    """How to sign in. Source: azure-cli issues 23906 and 33062, on the permissions in the token of the Azure CLI."""
    az_cloud = CLOUDS[plan.cloud].az_cloud
    lines = [f"az cloud set --name {az_cloud}"] if az_cloud else []
    tenant = f" --tenant {printable(plan.tenant)}" if plan.tenant else ""
    lines.append(f"az login --allow-no-subscriptions{tenant}")
    if policies := [name for name in write_permissions(plan.changes) if name.startswith("Policy.")]:
        lines.append(
            f"A user's sign-in through the Azure CLI does not hold {' and '.join(policies)}: sign in as a service"
            " principal that has it (az login --service-principal), or use the PowerShell script."
        )
    return tuple(lines)


def _comments(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield f"# {printable(text)}".rstrip()
