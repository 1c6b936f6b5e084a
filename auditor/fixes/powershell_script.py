"""A fix as a PowerShell script that sends its requests with Invoke-MgGraphRequest (Microsoft.Graph.Authentication).

For Windows PowerShell 5.1 and PowerShell 7. Texts from the snapshot are in single quotes, or decoded from JSON if no
ASCII literal can hold them. The only things that PowerShell expands are Graph's answers and the script's parameters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from auditor.fixes.change import (
    CHOSEN_PRINCIPAL,
    CHOSEN_ROLE,
    NEW_SERVICE_PRINCIPAL,
    AddScopes,
    Condition,
    CreateUnlessFound,
    Equals,
    HasItems,
    MatchingRows,
    NotEmpty,
    SetValue,
    Step,
    as_json_value,
    json_text,
)
from auditor.fixes.proposed_fix import powershell_quoted
from auditor.model.decision import GraphRequest

_VARIABLES = {NEW_SERVICE_PRINCIPAL: "$app", CHOSEN_PRINCIPAL: "$PrincipalId", CHOSEN_ROLE: "$AppRoleId"}
_GUID = "'^[0-9a-fA-F-]{36}$'"

_PROLOGUE = """\
$ErrorActionPreference = 'Stop'
# The id, in a dry run, of anything that was not created.
$notCreated = 'not-created-yet'

# What Graph answers now; nothing about what a dry run did not create.
function Read-Graph([string] $Uri) {
    if ($Uri.Contains($notCreated)) { return }
    Invoke-MgGraphRequest -Method GET -Uri $Uri -OutputType PSObject
}

# Returns what was created; a dry run only says what it would send.
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
# Every scope once, ignoring case.
function Join-Scope([string] $Have, [string] $More) {
    $seen = New-Object 'Collections.Generic.HashSet[string]' ([StringComparer]::OrdinalIgnoreCase)
    @("$Have $More" -split '\\s+' | Where-Object { $_ -and $seen.Add($_) }) -join ' '
}

# Adds the missing scopes to a grant.
function Add-Scope([string] $Uri, [string] $Have, [string] $Wanted) {
    $full = Join-Scope $Have $Wanted
    if ($full -eq (Join-Scope $Have '')) {
        Write-Host 'The grant already has these scopes.'
        return
    }
    Send-Graph PATCH $Uri (ConvertTo-Json @{ scope = $full } -Compress) | Out-Null
    Write-Host "Extended the grant. To undo: PATCH $Uri with the scopes '$Have'"
}
"""


def parameters(requests: tuple[GraphRequest, ...]) -> Iterator[str]:
    """The parameters of the script: the dry run, and what the administrator has to give."""
    bodies = " ".join(json_text(request.body or {}) for request in requests)
    yield "[CmdletBinding()]"
    yield "param("
    for placeholder in (CHOSEN_PRINCIPAL, CHOSEN_ROLE):
        if as_json_value(placeholder) in bodies:
            yield f"    [Parameter(Mandatory)] [ValidatePattern({_GUID})] [string] {_VARIABLES[placeholder]},"
    yield "    [switch] $DryRun"
    yield ")"


def prologue(steps: tuple[Step, ...]) -> str:
    """The functions that these steps need."""
    grants = any(isinstance(step, AddScopes) for step in steps)
    return _PROLOGUE + (_GRANTS if grants else "")


def commands(request: GraphRequest, step: Step) -> Iterator[str]:
    """The commands that check, and then send the request where that is needed."""
    match step:
        case CreateUnlessFound():
            yield from _create_unless_found(request, step)
        case AddScopes():
            yield from _add_scopes(request, step)
        case SetValue():
            yield from _set_value(request, step)


def literal(text: str) -> str:
    """`text` as an expression in ASCII."""
    if text.isascii() and text.isprintable():
        return powershell_quoted(text)
    return f"(ConvertFrom-Json {powershell_quoted(json.dumps([text]))})[0]"


def _create_unless_found(request: GraphRequest, step: CreateUnlessFound) -> Iterator[str]:
    variable = _VARIABLES.get(request.returns, "")
    yield f"$found = {_rows(step.rows, _address(step.rows.url))}"
    yield "if (-not $found.Count) {"
    yield from _create(request)
    if step.same:
        name, value = step.same
        yield f"}} elseif ($found[0].{name} -cne {literal(value)}) {{"
        yield f"    throw ({literal(f'{step.different}: ')} + $found[0].{name})"
    yield "} else {"
    yield f"    Write-Host {literal(step.found)}"
    if variable:
        yield f"    {variable} = $found[0].id"
    yield "}"


def _create(request: GraphRequest) -> Iterator[str]:
    """Create something and say how to undo that, if the answer holds its id."""
    url, body = _address(request.url), _body(request)
    if not request.returns:
        yield f"    Send-Graph POST {url} {body} | Out-Null"
        return
    yield f"    $created = Send-Graph POST {url} {body}"
    yield f"    if ($created) {{ Write-Host ('To undo: DELETE ' + {url} + '/' + $created.id) }}"
    if variable := _VARIABLES.get(request.returns):
        yield f"    {variable} = if ($created) {{ $created.id }} else {{ $notCreated }}"


def _add_scopes(request: GraphRequest, step: AddScopes) -> Iterator[str]:
    url, wanted = _address(request.url), literal(step.scopes)
    if step.rows is None:
        yield f"Add-Scope {url} (Read-Graph {url}).scope {wanted}"
        return
    yield f"$found = {_rows(step.rows, _address(step.rows.url))}"
    yield "if ($found.Count) {"
    yield f"    Add-Scope ({url} + '/' + $found[0].id) $found[0].scope {wanted}"
    yield "} else {"
    yield from _create(request)
    yield "}"


def _set_value(request: GraphRequest, step: SetValue) -> Iterator[str]:
    read = f"$now = Read-Graph {_address(step.url)}"
    lists = {one: f"$wanted{number or ''}" for number, one in enumerate(step.done) if isinstance(one, HasItems)}
    if step.unchanged:
        lists[step.unchanged] = "$before"
    conditions = [_holds(condition, lists) for condition in step.done]
    done = conditions[0] if len(conditions) == 1 else f"({' -and '.join(conditions)})"
    yield from (f"{name} = @({', '.join(map(literal, one.items))})" for one, name in lists.items())
    yield read
    yield f"if {done} {{"
    yield f"    Write-Host {literal(step.found)}"
    if step.unchanged:
        yield f"}} elseif (-not {_holds(step.unchanged, lists)}) {{"
        yield f"    throw ({literal(f'{step.changed}: ')} + ({_items(step.unchanged.path)} -join ', '))"
    yield "} else {"
    yield f"    Send-Graph {request.method} {_address(request.url)} {_body(request)} | Out-Null"
    if step.discarded:
        yield "    for ($try = 1; -not $DryRun; $try++) {"
        yield f"        {read}"
        yield f"        if {done} {{ break }}"
        yield f"        if ($try -ge 5) {{ throw {literal(step.discarded)} }}"
        yield "        Start-Sleep -Seconds 3"
        yield "    }"
    yield "}"


def _rows(rows: MatchingRows, url: str) -> str:
    """The rows as an array."""
    objects = f"(Read-Graph {url}).value"
    if rows.inside:
        row_id, name = rows.inside
        objects += f" | Where-Object {{ $_.id -eq {literal(row_id)} }} | ForEach-Object {{ $_.{name} }}"
    terms = ["$_", *(f"$_.{name} -eq {_value(value)}" for name, value in rows.where)]
    terms += [f"$_.{name} -contains {_value(value)}" for name, value in rows.contains]
    return f"@({objects} | Where-Object {{ {' -and '.join(terms)} }})"


def _holds(condition: Condition, lists: Mapping[HasItems, str]) -> str:
    """The condition on ``$now`` as an expression in parentheses; `lists` are the variables of expected lists."""
    match condition:
        case Equals(path, str(value)):
            return f"($now.{path} -ceq {literal(value)})"
        case Equals(path, value):
            return f"($now.{path} -eq {f'${str(value).lower()}' if isinstance(value, bool) else value})"
        case HasItems(path):
            return f"(Test-Same {_items(path)} {lists[condition]})"
        case NotEmpty(path):
            return f"({_items(path)}.Count -gt 0)"


def _items(path: str) -> str:
    """The list at a path of ``$now``; PowerShell takes a property of a list from each of its items."""
    return f"@($now.{path.replace('[]', '')} | Where-Object {{ $_ }})"


def _value(text: str) -> str:
    return _VARIABLES.get(text) or literal(text)


def _address(url: str) -> str:
    """An address as one argument. It is percent-encoded, so a placeholder in it is never part of a name."""
    quoted = powershell_quoted(url)
    if NEW_SERVICE_PRINCIPAL in url:
        return f"({quoted}.Replace({powershell_quoted(NEW_SERVICE_PRINCIPAL)}, $app))"
    return quoted


def _body(request: GraphRequest) -> str:
    """The body as one argument, in which JSON values that are placeholders become variables."""
    text = json_text(request.body or {})
    placeholders = [placeholder for placeholder in _VARIABLES if as_json_value(placeholder) in text]
    expression = literal(text)
    for placeholder in placeholders:
        value = powershell_quoted(as_json_value(placeholder))
        expression += f".Replace({value}, '\"' + {_VARIABLES[placeholder]} + '\"')"
    return f"({expression})" if placeholders else expression
