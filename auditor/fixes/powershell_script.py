"""A fix as a PowerShell script that sends its requests with Invoke-MgGraphRequest (Microsoft.Graph.Authentication).

For Windows PowerShell 5.1 and PowerShell 7. Texts from the snapshot stand between single quotes; what no ASCII literal
can hold is decoded from JSON. Only what Graph answered, and the script's own parameters, is ever expanded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from auditor.fixes import actions, lookup_urls
from auditor.fixes.quoting import body_text, powershell
from auditor.fixes.requests import NEW_SERVICE_PRINCIPAL, SOME_ROLE, SOMEBODY, held

_VARIABLES = {NEW_SERVICE_PRINCIPAL: "$app", SOMEBODY: "$PrincipalId", SOME_ROLE: "$AppRoleId"}
_GUID = "'^[0-9a-fA-F-]{36}$'"

PROLOGUE = """\
$ErrorActionPreference = 'Stop'
$unborn = 'not-made-yet'

# What Graph answers now.
function Read-Graph([string] $Uri) {
    Invoke-MgGraphRequest -Method GET -Uri $Uri -OutputType PSObject
}

# Gives back what was made; in a dry run, only says what it would send.
function Send-Graph([string] $Method, [string] $Uri, [string] $Body) {
    if ($DryRun) {
        Write-Host "Would send: $Method $Uri"
        Write-Host $Body
        return
    }
    Write-Host "Sending: $Method $Uri"
    Invoke-MgGraphRequest -Method $Method -Uri $Uri -Body $Body -ContentType 'application/json' -OutputType PSObject
}

function Test-Same([string[]] $One, [string[]] $Other) {
    (@($One | Sort-Object) -join "`n") -ceq (@($Other | Sort-Object) -join "`n")
}
"""

_GRANTS = """
# Every scope once, whatever its letter case.
function Join-Scope([string] $Have, [string] $More) {
    $seen = New-Object 'Collections.Generic.HashSet[string]' ([StringComparer]::OrdinalIgnoreCase)
    @("$Have $More" -split '\\s+' | Where-Object { $_ -and $seen.Add($_) }) -join ' '
}

# Adds what is missing to the scopes of a grant.
function Add-Scope([string] $Uri, [string] $Have, [string] $Wanted) {
    $full = Join-Scope $Have $Wanted
    if ($full -eq (Join-Scope $Have '')) {
        Write-Host 'The grant holds these scopes already.'
        return
    }
    Send-Graph PATCH $Uri (ConvertTo-Json @{ scope = $full } -Compress) | Out-Null
    Write-Host "Extended the grant. To undo: PATCH $Uri with the scopes '$Have'"
}
"""


def parameters(todo: tuple[actions.Action, ...]) -> Iterator[str]:
    """What the script takes: the dry run, and what the administrator has to give."""
    bodies = " ".join(body_text(one.body) for one in todo)
    wanted = [name for placeholder, name in _VARIABLES.items() if held(placeholder) in bodies and name != "$app"]
    yield "[CmdletBinding()]"
    yield "param("
    for name in wanted:
        yield f"    [Parameter(Mandatory)] [ValidatePattern({_GUID})] [string] {name},"
    yield "    [switch] $DryRun"
    yield ")"


def prologue(todo: tuple[actions.Action, ...]) -> str:
    """The functions that these actions need."""
    grants = any(isinstance(one, actions.MakeGrant | actions.ExtendGrant) for one in todo)
    return PROLOGUE + (_GRANTS if grants else "")


def lines(action: actions.Action) -> Iterator[str]:
    """The commands that bring one action about."""
    yield from _WRITERS[type(action)](action)


def literal(text: str) -> str:
    """`text` as an expression in ASCII."""
    if text.isascii() and text.isprintable():
        return powershell(text)
    return f"(ConvertFrom-Json {powershell(json.dumps([text]))})[0]"


def _text(text: str) -> str:
    """`text` as one argument; a text that is a placeholder is the variable."""
    if text in _VARIABLES:
        return _VARIABLES[text]
    expression = literal(text)
    return f"({expression})" if expression.startswith("(") else expression


def _array(values: tuple[str, ...]) -> str:
    return f"@({', '.join(map(literal, values))})"


def _url(action: actions.Action) -> str:
    return _text(action.request.url)


def _body(action: actions.Action) -> str:
    """The body as one argument, in which values that are placeholders are variables."""
    text = body_text(action.body)
    held_ones = [placeholder for placeholder in _VARIABLES if held(placeholder) in text]
    expression = literal(text)
    for placeholder in held_ones:
        expression += f".Replace({powershell(held(placeholder))}, '\"' + {_VARIABLES[placeholder]} + '\"')"
    return f"({expression})" if held_ones else expression


def _made(action: actions.Action, indent: str = "    ") -> Iterator[str]:
    """Create something, and say how to undo it."""
    yield f"{indent}$made = Send-Graph POST {_url(action)} {_body(action)}"
    yield f"{indent}if ($made) {{ Write-Host ('To undo: DELETE ' + {_url(action)} + '/' + $made.id) }}"


def _make_principal(action: actions.Action) -> Iterator[str]:
    found = lookup_urls.where(action.request.url, appId=str(action.body["appId"]))
    yield f"$found = @((Read-Graph {_text(found)}).value | Where-Object {{ $_ }})"
    yield "if ($found.Count) {"
    yield "    Write-Host 'The app is in the tenant already.'"
    yield "    $app = $found[0].id"
    yield "} else {"
    yield from _made(action)
    yield "    $app = if ($made) { $made.id } else { $unborn }"
    yield "}"


def _make_grant(action: actions.Action) -> Iterator[str]:
    body = action.body
    mine = (
        f"$_.resourceId -eq {literal(str(body['resourceId']))} -and $_.consentType -eq {literal(body['consentType'])}"
    )
    # The address is percent-encoded but for the one placeholder that it may hold.
    rows = literal(lookup_urls.grant_rows(action.request.url, body))
    if NEW_SERVICE_PRINCIPAL in rows:
        rows = f"{rows}.Replace({powershell(NEW_SERVICE_PRINCIPAL)}, $app)"
    yield f"$rows = {rows}"
    yield "$found = @()"
    yield "if (-not $rows.Contains($unborn)) {"
    yield f"    $found = @((Read-Graph $rows).value | Where-Object {{ {mine} }})"
    yield "}"
    yield "if ($found.Count) {"
    yield f"    Add-Scope ({_url(action)} + '/' + $found[0].id) $found[0].scope {literal(str(body['scope']))}"
    yield "} else {"
    yield from _made(action)
    yield "}"


def _extend_grant(action: actions.Action) -> Iterator[str]:
    yield f"Add-Scope {_url(action)} (Read-Graph {_url(action)}).scope {literal(str(action.body['scope']))}"


def _make_policy(action: actions.Action) -> Iterator[str]:
    """A policy that somebody else made under the same id could approve anything, so its name is looked at."""
    mine = f"$_.id -eq {literal(str(action.body['id']))}"
    yield f"$found = @((Read-Graph {_url(action)}).value | Where-Object {{ {mine} }})"
    yield "if (-not $found.Count) {"
    yield f"    Send-Graph POST {_url(action)} {_body(action)} | Out-Null"
    yield f"}} elseif ($found[0].displayName -ceq {literal(str(action.body['displayName']))}) {{"
    yield "    Write-Host 'The policy is there already.'"
    yield "} else {"
    yield "    throw 'There is another policy with this id'"
    yield "}"


def _add_include(action: actions.Action) -> Iterator[str]:
    assert isinstance(action, actions.AddInclude)
    body = action.body
    same = [f"$_.resourceApplication -eq {literal(str(body['resourceApplication']))}"]
    for name in ("clientApplicationIds", "permissions"):
        same += [f"$_.{name} -contains {literal(one)}" for one in body[name]]
    ours = f"$_.id -eq {literal(action.policy)}"
    yield f"$policy = (Read-Graph {_text(action.policies)}).value | Where-Object {{ {ours} }}"
    yield f"$found = @($policy.includes | Where-Object {{ {' -and '.join(same)} }})"
    yield "if ($found.Count) {"
    yield "    Write-Host 'The policy has this include already.'"
    yield "} else {"
    yield f"    Send-Graph POST {_url(action)} {_body(action)} | Out-Null"
    yield "}"


def _assign_policies(action: actions.Action) -> Iterator[str]:
    assert isinstance(action, actions.AssignPolicies)
    now = f"(Read-Graph {_url(action)}).defaultUserRolePermissions.permissionGrantPoliciesAssigned"
    yield f"$before = {_array(action.before)}"
    yield f"$wanted = {_array(action.wanted)}"
    yield f"$now = @({now})"
    yield "if (Test-Same $now $wanted) {"
    yield "    Write-Host 'The list is as it should be already.'"
    yield "} elseif (-not (Test-Same $now $before)) {"
    yield '    throw "The list has changed since the snapshot was taken, run the check again: $now"'
    yield "} else {"
    yield f"    Send-Graph PATCH {_url(action)} {_body(action)} | Out-Null"
    yield "    for ($try = 1; -not $DryRun; $try++) {"
    yield f"        if (Test-Same @({now}) $wanted) {{ break }}"
    yield "        if ($try -ge 5) {"
    yield (
        "            throw 'Graph accepted the change and discarded it, as it may while Microsoft manages the setting:"
        " choose another option under User consent settings, then run this again'"
    )
    yield "        }"
    yield "        Start-Sleep -Seconds 3"
    yield "    }"
    yield "}"


def _classify(action: actions.Action) -> Iterator[str]:
    mine = f"$_.permissionId -eq {literal(str(action.body['permissionId']))}"
    yield f"$found = @((Read-Graph {_url(action)}).value | Where-Object {{ {mine} }})"
    yield "if (-not $found.Count) {"
    yield from _made(action)
    yield f"}} elseif ($found[0].classification -eq {literal(str(action.body['classification']))}) {{"
    yield "    Write-Host 'It is classified so already.'"
    yield "} else {"
    yield '    throw "It is classified $($found[0].classification), which somebody chose on purpose"'
    yield "}"


def _set_flag(action: actions.Action) -> Iterator[str]:
    assert isinstance(action, actions.SetFlag)
    value = "$true" if action.value else "$false"
    yield f"$now = (Read-Graph {_text(lookup_urls.selected(action.request.url, action.name))}).{action.name}"
    yield f"if ($now -eq {value}) {{"
    yield f"    Write-Host '{action.name} has this value already.'"
    yield "} else {"
    yield f"    Send-Graph PATCH {_url(action)} {_body(action)} | Out-Null"
    yield "}"


def _assign(action: actions.Action) -> Iterator[str]:
    yield f"$found = @((Read-Graph {_text(action.request.url + '?$top=999')}).value.principalId)"
    yield f"if ($found -contains {_text(str(action.body['principalId']))}) {{"
    yield "    Write-Host 'They are assigned already.'"
    yield "} else {"
    yield from _made(action)
    yield "}"


def _set_workflow(action: actions.Action) -> Iterator[str]:
    assert isinstance(action, actions.SetWorkflow)
    yield f"$now = Read-Graph {_url(action)}"
    yield "$reviewers = @($now.reviewers | ForEach-Object { $_.query })"
    yield "if ($now.isEnabled -and $reviewers.Count) {"
    yield "    Write-Host 'The workflow is on and has reviewers already.'"
    yield f"}} elseif (-not (Test-Same $reviewers {_array(action.before)})) {{"
    yield '    throw "The reviewers have changed since the snapshot was taken, run the check again: $reviewers"'
    yield "} else {"
    yield f"    Send-Graph PUT {_url(action)} {_body(action)} | Out-Null"
    yield "}"


_WRITERS: dict[type[actions.Action], Callable[[actions.Action], Iterator[str]]] = {
    actions.MakePrincipal: _make_principal,
    actions.MakeGrant: _make_grant,
    actions.ExtendGrant: _extend_grant,
    actions.MakePolicy: _make_policy,
    actions.AddInclude: _add_include,
    actions.AssignPolicies: _assign_policies,
    actions.Classify: _classify,
    actions.SetFlag: _set_flag,
    actions.Assign: _assign,
    actions.SetWorkflow: _set_workflow,
}
