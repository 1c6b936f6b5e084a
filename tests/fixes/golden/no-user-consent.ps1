#Requires -Modules Microsoft.Graph.Authentication
# Turn off user consent, and keep the entries for teams and chats (fix R9-none).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Role:    Privileged Role Administrator for Graph, Global Administrator for the portal
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Read https://graph.microsoft.com/v1.0/policies/authorizationPolicy back: while Microsoft
#          manages the setting, a change may be discarded without an error. Then run this check again.
# Result:  Existing grants stay in place. Apps that users have not consented to yet then need an
#          administrator, so turn on the admin consent workflow first.
# Undo:    Set the previous list again. The list was:
#          ManagePermissionGrantsForSelf.microsoft-user-default-recommended,
#          ManagePermissionGrantsForSelf.microsoft-user-default-allow-consent-apps,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat.
#          PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-recommended", "ManagePermissionGrantsForSelf.microsoft-user-default-allow-consent-apps", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}
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

# 1. The complete list of assigned consent policies.
$wanted = @('ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat')
$before = @('ManagePermissionGrantsForSelf.microsoft-user-default-recommended', 'ManagePermissionGrantsForSelf.microsoft-user-default-allow-consent-apps', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat')
$now = Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
if (Test-Same @($now.defaultUserRolePermissions.permissionGrantPoliciesAssigned | Where-Object { $_ }) $wanted) {
    Write-Host 'The list already has these entries.'
} elseif (-not (Test-Same @($now.defaultUserRolePermissions.permissionGrantPoliciesAssigned | Where-Object { $_ }) $before)) {
    throw ('The list has changed since the snapshot was taken. Run the check again. The list is now: ' + (@($now.defaultUserRolePermissions.permissionGrantPoliciesAssigned | Where-Object { $_ }) -join ', '))
} else {
    Send-Graph PATCH 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy' '{"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}' | Out-Null
    for ($try = 1; -not $DryRun; $try++) {
        $now = Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
        if (Test-Same @($now.defaultUserRolePermissions.permissionGrantPoliciesAssigned | Where-Object { $_ }) $wanted) { break }
        if ($try -ge 5) { throw 'Graph accepted the change and discarded it, which can happen while Microsoft manages the setting. Choose another option under User consent settings, then run this script again' }
        Start-Sleep -Seconds 3
    }
}

Write-Host 'Done.'
