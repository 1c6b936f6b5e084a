#Requires -Modules Microsoft.Graph.Authentication
# Let every user use TrackerRMS without being assigned to it (fix R6-open).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  6a015b66-5e4a-429c-9be7-df00cba497dd
# Role:    Cloud Application Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app.
# Result:  To limit the app to some users, let them connect and consent now, then set it to Yes again:
#          consenting also assigns them to the app, and their consent stays.
# Undo:    Set "Assignment required?" to Yes again.
#          PATCH https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c {"appRoleAssignmentRequired": true}
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

Connect-MgGraph -Scopes 'Application.ReadWrite.All' -NoWelcome -TenantId '6a015b66-5e4a-429c-9be7-df00cba497dd'

# 1. appRoleAssignmentRequired of the app's service principal.
$now = Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c?$select=appRoleAssignmentRequired'
if ($now.appRoleAssignmentRequired -eq $false) {
    Write-Host 'appRoleAssignmentRequired is already false.'
} else {
    Send-Graph PATCH 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c' '{"appRoleAssignmentRequired": false}' | Out-Null
}

Write-Host 'Done.'
