#Requires -Modules Microsoft.Graph.Authentication
# Switch sign-in to TrackerRMS on again (fix R7).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  6800e67e-527f-4da6-96ec-4c60da8f3fe2
# Role:    Cloud Application Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app.
# Undo:    Set "Enabled for users to sign-in?" to No again.
#          PATCH https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c {"accountEnabled": false}
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

Connect-MgGraph -Scopes 'Application.ReadWrite.All' -NoWelcome -TenantId '6800e67e-527f-4da6-96ec-4c60da8f3fe2'

# 1. accountEnabled of the app's service principal.
$now = Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c?$select=accountEnabled'
if ($now.accountEnabled -eq $true) {
    Write-Host 'accountEnabled is already true.'
} else {
    Send-Graph PATCH 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c' '{"accountEnabled": true}' | Out-Null
}

Write-Host 'Done.'
