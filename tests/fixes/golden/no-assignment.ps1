#Requires -Modules Microsoft.Graph.Authentication
# Let every user use TrackerRMS without being assigned to it (fix R6-open).
#
# Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing
# where it is done already, so the script may be run again. It stops at the first error.
#
# Role:    Cloud Application Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Check:   Run this check again, or have an ordinary user (not an administrator) connect the app.
# Expect:  If only some are to use the app: let them connect and consent now, then set it to Yes
#          again; they were assigned when they consented, and what they consented to stays.
# Undo:    Set "Assignment required?" to Yes again.
#          PATCH https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c {"appRoleAssignmentRequired": true}
[CmdletBinding()]
param(
    [switch] $DryRun
)

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

Connect-MgGraph -Scopes 'Application.ReadWrite.All' -NoWelcome -TenantId '6a015b66-5e4a-429c-9be7-df00cba497dd'

# 1. appRoleAssignmentRequired of the app's service principal.
$now = (Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c?$select=appRoleAssignmentRequired').appRoleAssignmentRequired
if ($now -eq $false) {
    Write-Host 'appRoleAssignmentRequired has this value already.'
} else {
    Send-Graph PATCH 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c' '{"appRoleAssignmentRequired": false}' | Out-Null
}

Write-Host 'Done.'
