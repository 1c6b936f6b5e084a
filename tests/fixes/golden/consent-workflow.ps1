#Requires -Modules Microsoft.Graph.Authentication
# Let users ask for approval: switch the admin consent workflow on, with the holders of the role
# Global Administrator as reviewers (fix R8).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Role:    Global Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Read https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy back.
# Result:  This can take up to an hour. Users then enter a reason and wait for approval. A reviewer
#          approves under Enterprise apps > Activity > Admin consent requests and needs a role that
#          can grant consent.
# Undo:    Restore the previous settings on the same page. The settings were: {"isEnabled": false,
#          "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30,
#          "reviewers": []}.
#          PUT https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy {"isEnabled": false, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": []}
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

Connect-MgGraph -Scopes 'Policy.ReadWrite.ConsentRequest' -NoWelcome -TenantId '9ad9b9a2-5e78-454d-b065-a1c284cc4549'

# 1. The admin consent workflow.
$before = @()
$now = Read-Graph 'https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy'
if (($now.isEnabled -eq $true) -and ($now.notifyReviewers -eq $true) -and (@($now.reviewers.query | Where-Object { $_ }).Count -gt 0)) {
    Write-Host 'The workflow is already on and has reviewers, who are notified.'
} elseif (-not (Test-Same @($now.reviewers.query | Where-Object { $_ }) $before)) {
    throw ('The reviewers have changed since the snapshot was taken. Run the check again. They are now: ' + (@($now.reviewers.query | Where-Object { $_ }) -join ', '))
} else {
    Send-Graph PUT 'https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy' '{"isEnabled": true, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": [{"query": "/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq ''62e90394-69f5-4237-9190-012177145e10''", "queryType": "MicrosoftGraph"}]}' | Out-Null
}

Write-Host 'Done.'
