#Requires -Modules Microsoft.Graph.Authentication
# Let users ask for approval: switch the admin consent workflow on, with the holders of the role
# Global Administrator as reviewers (fix R8).
#
# Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing
# where it is done already, so the script may be run again. It stops at the first error.
#
# Role:    Global Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Check:   Read https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy back.
# Expect:  It may take up to an hour. Users are then asked for a reason and wait for approval; a
#          reviewer approves under Enterprise apps > Activity > Admin consent requests and needs a
#          role that may consent.
# Undo:    Set the same page back to what it was. The settings were: {"isEnabled": false,
#          "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30,
#          "reviewers": []}.
#          PUT https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy {"isEnabled": false, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": []}
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

Connect-MgGraph -Scopes 'Policy.ReadWrite.ConsentRequest' -NoWelcome -TenantId '9ad9b9a2-5e78-454d-b065-a1c284cc4549'

# 1. The admin consent workflow.
$now = Read-Graph 'https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy'
$reviewers = @($now.reviewers | ForEach-Object { $_.query })
if ($now.isEnabled -and $reviewers.Count) {
    Write-Host 'The workflow is on and has reviewers already.'
} elseif (-not (Test-Same $reviewers @())) {
    throw "The reviewers have changed since the snapshot was taken, run the check again: $reviewers"
} else {
    Send-Graph PUT 'https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy' '{"isEnabled": true, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": [{"query": "/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq ''62e90394-69f5-4237-9190-012177145e10''", "queryType": "MicrosoftGraph"}]}' | Out-Null
}

Write-Host 'Done.'
