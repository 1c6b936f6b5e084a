#Requires -Modules Microsoft.Graph.Authentication
# Stop users from registering applications (fix R13-register-apps).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Role:    Privileged Role Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Read https://graph.microsoft.com/v1.0/policies/authorizationPolicy back. Then run this
#          check again.
# Result:  Developers who register apps need the role Application Developer. Apps that users have
#          registered stay.
# Undo:    Set "Users can register applications" to Yes again.
#          PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy {"defaultUserRolePermissions": {"allowedToCreateApps": true}}
[CmdletBinding()]
param(
    [switch] $DryRun
)

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

Connect-MgGraph -Scopes 'Policy.ReadWrite.Authorization' -NoWelcome -TenantId '9ad9b9a2-5e78-454d-b065-a1c284cc4549'

# 1. The authorization policy: {"defaultUserRolePermissions": {"allowedToCreateApps": false}}.
$now = Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
if ($now.defaultUserRolePermissions.allowedToCreateApps -eq $false) {
    Write-Host 'The authorization policy already says so.'
} else {
    Send-Graph PATCH 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy' '{"defaultUserRolePermissions": {"allowedToCreateApps": false}}' | Out-Null
}

Write-Host 'Done.'
