#Requires -Modules Microsoft.Graph.Authentication
# Let users consent to TrackerRMS themselves, with a consent policy for this app alone (fix R4).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  8df08078-a22e-4180-85c2-c2af3977a654
# Role:    Privileged Role Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Read https://graph.microsoft.com/v1.0/policies/authorizationPolicy back: while Microsoft
#          manages the setting, a change may be discarded without an error. If the list is unchanged,
#          choose another option under User consent settings first.
# Result:  The portal then says that the settings are customized, and benchmarks count this as user
#          consent. To let only some users consent, leave the list alone and add
#          microsoft.directory/servicePrincipals/managePermissionGrantsForSelf.allow-trackerrms to a
#          custom role for them (Entra ID P1). Microsoft's sources disagree on who can create the
#          policy: Microsoft Graph's reference names Application Administrator and Cloud Application
#          Administrator, the Entra documentation Privileged Role Administrator. Assigning it to users
#          needs Privileged Role Administrator in any case.
# Undo:    Remove ManagePermissionGrantsForSelf.allow-trackerrms from the list of assigned policies,
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

Connect-MgGraph -Scopes 'Policy.ReadWrite.PermissionGrant', 'Policy.ReadWrite.Authorization' -NoWelcome -TenantId '8df08078-a22e-4180-85c2-c2af3977a654'

# 1. A consent policy that approves nothing yet.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies').value | Where-Object { $_ -and $_.id -eq 'allow-trackerrms' })
if (-not $found.Count) {
    Send-Graph POST 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies' '{"id": "allow-trackerrms", "displayName": "TrackerRMS: users may consent", "description": "Lets users connect TrackerRMS."}' | Out-Null
} elseif ($found[0].displayName -cne 'TrackerRMS: users may consent') {
    throw ('There is another policy with this id: ' + $found[0].displayName)
} else {
    Write-Host 'The policy already exists.'
}

# 2. What the policy approves on one resource. A policy is always created empty, so this is a separate call.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies').value | Where-Object { $_.id -eq 'allow-trackerrms' } | ForEach-Object { $_.includes } | Where-Object { $_ -and $_.resourceApplication -eq '00000003-0000-0000-c000-000000000000' -and $_.clientApplicationIds -contains '5353a3d2-8ca9-42d2-b567-ea399ccb5e38' -and $_.permissions -contains '37f7f235-527c-4136-accd-4a02d197296e' -and $_.permissions -contains '14dad69e-099b-42c9-810b-d002981feec1' -and $_.permissions -contains '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0' -and $_.permissions -contains '7427e0e9-2fba-42fe-b0c0-848c9e6a8182' -and $_.permissions -contains 'e1fe6dd8-ba31-4d61-89e7-88639da4683d' -and $_.permissions -contains '024d486e-b451-40bb-833d-3e66d98c5c73' -and $_.permissions -contains 'e383f46e-2787-4529-855e-0e479a3ffac0' -and $_.permissions -contains '1ec239c2-d7c9-4623-a91a-a9775856bb36' -and $_.permissions -contains 'd56682ec-c09e-4743-aaf4-1a3aac4caa21' })
if (-not $found.Count) {
    Send-Graph POST 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies/allow-trackerrms/includes' '{"permissionType": "delegated", "clientApplicationIds": ["5353a3d2-8ca9-42d2-b567-ea399ccb5e38"], "resourceApplication": "00000003-0000-0000-c000-000000000000", "permissions": ["37f7f235-527c-4136-accd-4a02d197296e", "14dad69e-099b-42c9-810b-d002981feec1", "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "024d486e-b451-40bb-833d-3e66d98c5c73", "e383f46e-2787-4529-855e-0e479a3ffac0", "1ec239c2-d7c9-4623-a91a-a9775856bb36", "d56682ec-c09e-4743-aaf4-1a3aac4caa21"]}' | Out-Null
} else {
    Write-Host 'The policy already has this include.'
}

# 3. The complete list of assigned consent policies.
$wanted = @('ManagePermissionGrantsForSelf.allow-trackerrms', 'ManagePermissionGrantsForSelf.microsoft-user-default-low', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat')
$before = @('ManagePermissionGrantsForSelf.microsoft-user-default-low', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team', 'ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat')
$now = Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
if (Test-Same @($now.defaultUserRolePermissions.permissionGrantPoliciesAssigned | Where-Object { $_ }) $wanted) {
    Write-Host 'The list already has these entries.'
} elseif (-not (Test-Same @($now.defaultUserRolePermissions.permissionGrantPoliciesAssigned | Where-Object { $_ }) $before)) {
    throw ('The list has changed since the snapshot was taken. Run the check again. The list is now: ' + (@($now.defaultUserRolePermissions.permissionGrantPoliciesAssigned | Where-Object { $_ }) -join ', '))
} else {
    Send-Graph PATCH 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy' '{"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.allow-trackerrms", "ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}' | Out-Null
    for ($try = 1; -not $DryRun; $try++) {
        $now = Read-Graph 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
        if (Test-Same @($now.defaultUserRolePermissions.permissionGrantPoliciesAssigned | Where-Object { $_ }) $wanted) { break }
        if ($try -ge 5) { throw 'Graph accepted the change and discarded it, which can happen while Microsoft manages the setting. Choose another option under User consent settings, then run this script again' }
        Start-Sleep -Seconds 3
    }
}

Write-Host 'Done.'
