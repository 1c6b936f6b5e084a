#Requires -Modules Microsoft.Graph.Authentication
# Change the user consent setting of the tenant to "Allow user consent for apps" (not advised for the
# sake of one app) (fix R9-legacy).
#
# Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing
# where it is done already, so the script may be run again. It stops at the first error.
#
# Role:    Privileged Role Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Check:   Read https://graph.microsoft.com/v1.0/policies/authorizationPolicy back: in
#          Microsoft-managed mode a change may be discarded without an error. If the list is
#          unchanged, choose another option under User consent settings first.
# Expect:  Every user and every app is concerned, and benchmarks such as CIS and SCuBA may fail the
#          tenant.
# Undo:    Take ManagePermissionGrantsForSelf.microsoft-user-default-legacy out of the list of
#          assigned policies. The list was: ManagePermissionGrantsForSelf.microsoft-user-default-low,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat.
#          PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}
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

Connect-MgGraph -Scopes 'Policy.ReadWrite.Authorization' -NoWelcome -TenantId '8df08078-a22e-4180-85c2-c2af3977a654'

# 1. The complete list of assigned consent policies; every entry that was there is still in it.
$before = @('ManagePermissionGrantsForSelf.microsoft-user-default-low', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat')
$wanted = @('ManagePermissionGrantsForSelf.microsoft-user-default-legacy', 'ManagePermissionGrantsForSelf.microsoft-user-default-low', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat')
$now = @((Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy').defaultUserRolePermissions.permissionGrantPoliciesAssigned)
if (Test-Same $now $wanted) {
    Write-Host 'The list is as it should be already.'
} elseif (-not (Test-Same $now $before)) {
    throw "The list has changed since the snapshot was taken, run the check again: $now"
} else {
    Send-Graph PATCH 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy' '{"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy", "ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}' | Out-Null
    for ($try = 1; -not $DryRun; $try++) {
        if (Test-Same @((Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy').defaultUserRolePermissions.permissionGrantPoliciesAssigned) $wanted) { break }
        if ($try -ge 5) {
            throw 'Graph accepted the change and discarded it, as it may while Microsoft manages the setting: choose another option under User consent settings, then run this again'
        }
        Start-Sleep -Seconds 3
    }
}

Write-Host 'Done.'
