#Requires -Modules Microsoft.Graph.Authentication
# Let users consent to TrackerRMS themselves, with a consent policy for this app alone (fix R4).
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
# Expect:  The portal then says that the settings were customized, and benchmarks count this as user
#          consent. To let only some users consent, leave the list alone and put
#          microsoft.directory/servicePrincipals/managePermissionGrantsForSelf.allow-trackerrms into a
#          custom role for them (Entra ID P1).
# Undo:    Take ManagePermissionGrantsForSelf.allow-trackerrms out of the list of assigned policies,
#          then delete the policy. The list was:
#          ManagePermissionGrantsForSelf.microsoft-user-default-low,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat.
#          PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}
#          DELETE https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies/allow-trackerrms
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

Connect-MgGraph -Scopes 'Policy.ReadWrite.PermissionGrant', 'Policy.ReadWrite.Authorization' -NoWelcome -TenantId '8df08078-a22e-4180-85c2-c2af3977a654'

# 1. A consent policy that approves nothing yet.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies').value | Where-Object { $_.id -eq 'allow-trackerrms' })
if (-not $found.Count) {
    Send-Graph POST 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies' '{"id": "allow-trackerrms", "displayName": "TrackerRMS: users may consent", "description": "Lets users connect TrackerRMS."}' | Out-Null
} elseif ($found[0].displayName -ceq 'TrackerRMS: users may consent') {
    Write-Host 'The policy is there already.'
} else {
    throw 'There is another policy with this id'
}

# 2. What the policy approves on one resource: a call of its own, as a policy is always created empty.
$policy = (Read-Graph 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies').value | Where-Object { $_.id -eq 'allow-trackerrms' }
$found = @($policy.includes | Where-Object { $_.resourceApplication -eq '00000003-0000-0000-c000-000000000000' -and $_.clientApplicationIds -contains '5353a3d2-8ca9-42d2-b567-ea399ccb5e38' -and $_.permissions -contains '37f7f235-527c-4136-accd-4a02d197296e' -and $_.permissions -contains '14dad69e-099b-42c9-810b-d002981feec1' -and $_.permissions -contains '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0' -and $_.permissions -contains '7427e0e9-2fba-42fe-b0c0-848c9e6a8182' -and $_.permissions -contains 'e1fe6dd8-ba31-4d61-89e7-88639da4683d' -and $_.permissions -contains '024d486e-b451-40bb-833d-3e66d98c5c73' -and $_.permissions -contains 'e383f46e-2787-4529-855e-0e479a3ffac0' -and $_.permissions -contains '1ec239c2-d7c9-4623-a91a-a9775856bb36' -and $_.permissions -contains 'd56682ec-c09e-4743-aaf4-1a3aac4caa21' })
if ($found.Count) {
    Write-Host 'The policy has this include already.'
} else {
    Send-Graph POST 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies/allow-trackerrms/includes' '{"permissionType": "delegated", "clientApplicationIds": ["5353a3d2-8ca9-42d2-b567-ea399ccb5e38"], "resourceApplication": "00000003-0000-0000-c000-000000000000", "permissions": ["37f7f235-527c-4136-accd-4a02d197296e", "14dad69e-099b-42c9-810b-d002981feec1", "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "024d486e-b451-40bb-833d-3e66d98c5c73", "e383f46e-2787-4529-855e-0e479a3ffac0", "1ec239c2-d7c9-4623-a91a-a9775856bb36", "d56682ec-c09e-4743-aaf4-1a3aac4caa21"]}' | Out-Null
}

# 3. The complete list of assigned consent policies; every entry that was there is still in it.
$before = @('ManagePermissionGrantsForSelf.microsoft-user-default-low', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat')
$wanted = @('ManagePermissionGrantsForSelf.allow-trackerrms', 'ManagePermissionGrantsForSelf.microsoft-user-default-low', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat')
$now = @((Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy').defaultUserRolePermissions.permissionGrantPoliciesAssigned)
if (Test-Same $now $wanted) {
    Write-Host 'The list is as it should be already.'
} elseif (-not (Test-Same $now $before)) {
    throw "The list has changed since the snapshot was taken, run the check again: $now"
} else {
    Send-Graph PATCH 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy' '{"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.allow-trackerrms", "ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}' | Out-Null
    for ($try = 1; -not $DryRun; $try++) {
        if (Test-Same @((Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy').defaultUserRolePermissions.permissionGrantPoliciesAssigned) $wanted) { break }
        if ($try -ge 5) {
            throw 'Graph accepted the change and discarded it, as it may while Microsoft manages the setting: choose another option under User consent settings, then run this again'
        }
        Start-Sleep -Seconds 3
    }
}

Write-Host 'Done.'
