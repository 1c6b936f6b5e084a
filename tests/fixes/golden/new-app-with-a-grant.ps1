#Requires -Modules Microsoft.Graph.Authentication
# Grant TrackerRMS exactly these scopes for the whole tenant through Microsoft Graph (fix R3).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Role:    Cloud Application Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app.
# Result:  Takes effect at once, without a consent prompt. Permissions that the app requests later are
#          not included. The pack assumes these scopes; the vendor does not publish them.
# Undo:    Enterprise apps > TrackerRMS > Permissions > review permissions and revoke them.
#          DELETE https://graph.microsoft.com/v1.0/oauth2PermissionGrants/{id of the new grant}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals/{object id of the new service principal}
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

# Every scope once, ignoring case.
function Join-Scope([string] $Have, [string] $More) {
    $seen = New-Object 'Collections.Generic.HashSet[string]' ([StringComparer]::OrdinalIgnoreCase)
    @("$Have $More" -split '\s+' | Where-Object { $_ -and $seen.Add($_) }) -join ' '
}

# Adds the missing scopes to a grant.
function Add-Scope([string] $Uri, [string] $Have, [string] $Wanted) {
    $full = Join-Scope $Have $Wanted
    if ($full -eq (Join-Scope $Have '')) {
        Write-Host 'The grant already has these scopes.'
        return
    }
    Send-Graph PATCH $Uri (ConvertTo-Json @{ scope = $full } -Compress) | Out-Null
    Write-Host "Extended the grant. To undo: PATCH $Uri with the scopes '$Have'"
}

Connect-MgGraph -Scopes 'Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All' -NoWelcome -TenantId '9ad9b9a2-5e78-454d-b065-a1c284cc4549'

# 1. The app in this tenant: its service principal.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals?$filter=appId%20eq%20%275353a3d2-8ca9-42d2-b567-ea399ccb5e38%27').value | Where-Object { $_ })
if (-not $found.Count) {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals' '{"appId": "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals' + '/' + $created.id) }
    $app = if ($created) { $created.id } else { $notCreated }
} else {
    Write-Host 'The app is already in the tenant.'
    $app = $found[0].id
}

# 2. The grant with these scopes. Scopes that it already has stay.
$found = @((Read-Graph ('https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId%20eq%20%27{object id of the new service principal}%27%20and%20consentType%20eq%20%27AllPrincipals%27'.Replace('{object id of the new service principal}', $app))).value | Where-Object { $_ -and $_.resourceId -eq '3ceaaf30-8142-48ea-91d9-3080f9b439fc' -and $_.consentType -eq 'AllPrincipals' })
if ($found.Count) {
    Add-Scope ('https://graph.microsoft.com/v1.0/oauth2PermissionGrants' + '/' + $found[0].id) $found[0].scope 'openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite'
} else {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' ('{"clientId": "{object id of the new service principal}", "consentType": "AllPrincipals", "resourceId": "3ceaaf30-8142-48ea-91d9-3080f9b439fc", "scope": "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite"}'.Replace('"{object id of the new service principal}"', '"' + $app + '"'))
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' + '/' + $created.id) }
}

Write-Host 'Done.'
