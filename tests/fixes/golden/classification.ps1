#Requires -Modules Microsoft.Graph.Authentication
# Classify the missing scopes of Microsoft Graph as low impact (fix R5).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Role:    Cloud Application Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app.
# Result:  The sign-in scopes (openid, profile, email, offline_access, User.Read) must be classified
#          too.
# Undo:    Remove the same entries under Permission classifications > Low.
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 9}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 8}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 7}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 6}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 5}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 4}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 3}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 2}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification}
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

Connect-MgGraph -Scopes 'Policy.ReadWrite.PermissionGrant' -NoWelcome -TenantId '8df08078-a22e-4180-85c2-c2af3977a654'

# 1. The classification of openid.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq '37f7f235-527c-4136-accd-4a02d197296e' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "37f7f235-527c-4136-accd-4a02d197296e", "permissionName": "openid", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 2. The classification of profile.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq '14dad69e-099b-42c9-810b-d002981feec1' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "14dad69e-099b-42c9-810b-d002981feec1", "permissionName": "profile", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 3. The classification of email.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", "permissionName": "email", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 4. The classification of offline_access.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq '7427e0e9-2fba-42fe-b0c0-848c9e6a8182' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "permissionName": "offline_access", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 5. The classification of User.Read.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq 'e1fe6dd8-ba31-4d61-89e7-88639da4683d' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "permissionName": "User.Read", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 6. The classification of Mail.ReadWrite.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq '024d486e-b451-40bb-833d-3e66d98c5c73' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "024d486e-b451-40bb-833d-3e66d98c5c73", "permissionName": "Mail.ReadWrite", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 7. The classification of Mail.Send.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq 'e383f46e-2787-4529-855e-0e479a3ffac0' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "e383f46e-2787-4529-855e-0e479a3ffac0", "permissionName": "Mail.Send", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 8. The classification of Calendars.ReadWrite.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq '1ec239c2-d7c9-4623-a91a-a9775856bb36' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "1ec239c2-d7c9-4623-a91a-a9775856bb36", "permissionName": "Calendars.ReadWrite", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 9. The classification of Contacts.ReadWrite.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq 'd56682ec-c09e-4743-aaf4-1a3aac4caa21' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "d56682ec-c09e-4743-aaf4-1a3aac4caa21", "permissionName": "Contacts.ReadWrite", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

Write-Host 'Done.'
