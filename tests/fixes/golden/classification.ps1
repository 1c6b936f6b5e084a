#Requires -Modules Microsoft.Graph.Authentication
# Classify the missing scopes of Microsoft Graph as low impact (fix R5).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  48018f5e-1863-41da-abca-5daa475d779c
# Role:    Cloud Application Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app.
# Result:  The sign-in scopes (openid, profile, email, offline_access, User.Read) must be classified
#          too.
# Undo:    Remove the same entries under Permission classifications > Low.
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

Connect-MgGraph -Scopes 'Policy.ReadWrite.PermissionGrant' -NoWelcome -TenantId '48018f5e-1863-41da-abca-5daa475d779c'

# 1. The classification of Mail.ReadWrite.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq '024d486e-b451-40bb-833d-3e66d98c5c73' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "024d486e-b451-40bb-833d-3e66d98c5c73", "permissionName": "Mail.ReadWrite", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 2. The classification of Mail.Send.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq 'e383f46e-2787-4529-855e-0e479a3ffac0' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "e383f46e-2787-4529-855e-0e479a3ffac0", "permissionName": "Mail.Send", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 3. The classification of Calendars.ReadWrite.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications').value | Where-Object { $_ -and $_.permissionId -eq '1ec239c2-d7c9-4623-a91a-a9775856bb36' })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' '{"permissionId": "1ec239c2-d7c9-4623-a91a-a9775856bb36", "permissionName": "Calendars.ReadWrite", "classification": "low"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals(appId=''00000003-0000-0000-c000-000000000000'')/delegatedPermissionClassifications' + '/' + $created.id) }
} elseif ($found[0].classification -cne 'low') {
    throw ('Somebody chose a different classification for this permission: ' + $found[0].classification)
} else {
    Write-Host 'The permission already has this classification.'
}

# 4. The classification of Contacts.ReadWrite.
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
