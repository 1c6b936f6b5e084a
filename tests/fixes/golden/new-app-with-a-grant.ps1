#Requires -Modules Microsoft.Graph.Authentication
# Grant TrackerRMS exactly these scopes for the whole tenant through Microsoft Graph (fix R3).
#
# Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing
# where it is done already, so the script may be run again. It stops at the first error.
#
# Role:    Cloud Application Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Check:   Run this check again, or have an ordinary user (not an administrator) connect the app.
# Expect:  At once, without a review page. Permissions that the app asks for later are not included.
#          The pack assumes these scopes; the vendor does not publish them.
# Undo:    Enterprise apps > TrackerRMS > Permissions > review permissions and revoke them.
#          DELETE https://graph.microsoft.com/v1.0/oauth2PermissionGrants/{id of the new grant}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals/{object id of the new service principal}
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

# Every scope once, whatever its letter case.
function Join-Scope([string] $Have, [string] $More) {
    $seen = New-Object 'Collections.Generic.HashSet[string]' ([StringComparer]::OrdinalIgnoreCase)
    @("$Have $More" -split '\s+' | Where-Object { $_ -and $seen.Add($_) }) -join ' '
}

# Adds what is missing to the scopes of a grant.
function Add-Scope([string] $Uri, [string] $Have, [string] $Wanted) {
    $full = Join-Scope $Have $Wanted
    if ($full -eq (Join-Scope $Have '')) {
        Write-Host 'The grant holds these scopes already.'
        return
    }
    Send-Graph PATCH $Uri (ConvertTo-Json @{ scope = $full } -Compress) | Out-Null
    Write-Host "Extended the grant. To undo: PATCH $Uri with the scopes '$Have'"
}

Connect-MgGraph -Scopes 'Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All' -NoWelcome -TenantId '9ad9b9a2-5e78-454d-b065-a1c284cc4549'

# 1. The app in this tenant: its service principal.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/servicePrincipals?$filter=appId%20eq%20%275353a3d2-8ca9-42d2-b567-ea399ccb5e38%27').value | Where-Object { $_ })
if ($found.Count) {
    Write-Host 'The app is in the tenant already.'
    $app = $found[0].id
} else {
    $made = Send-Graph POST 'https://graph.microsoft.com/v1.0/servicePrincipals' '{"appId": "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"}'
    if ($made) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/servicePrincipals' + '/' + $made.id) }
    $app = if ($made) { $made.id } else { $unborn }
}

# 2. The grant with these scopes. Scopes that it holds already stay.
$rows = 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId%20eq%20%27{object id of the new service principal}%27%20and%20consentType%20eq%20%27AllPrincipals%27'.Replace('{object id of the new service principal}', $app)
$found = @()
if (-not $rows.Contains($unborn)) {
    $found = @((Read-Graph $rows).value | Where-Object { $_.resourceId -eq '3ceaaf30-8142-48ea-91d9-3080f9b439fc' -and $_.consentType -eq 'AllPrincipals' })
}
if ($found.Count) {
    Add-Scope ('https://graph.microsoft.com/v1.0/oauth2PermissionGrants' + '/' + $found[0].id) $found[0].scope 'openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite'
} else {
    $made = Send-Graph POST 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' ('{"clientId": "{object id of the new service principal}", "consentType": "AllPrincipals", "resourceId": "3ceaaf30-8142-48ea-91d9-3080f9b439fc", "scope": "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite"}'.Replace('"{object id of the new service principal}"', '"' + $app + '"'))
    if ($made) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' + '/' + $made.id) }
}

Write-Host 'Done.'
