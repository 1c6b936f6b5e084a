#Requires -Modules Microsoft.Graph.Authentication
# Grant TrackerRMS exactly these scopes for the whole tenant through Microsoft Graph (fix R3).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  8df08078-a22e-4180-85c2-c2af3977a654
# Role:    Cloud Application Administrator
# Before:  Install-Module Microsoft.Graph.Authentication
# Dry run: -DryRun
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app. Or
#          GET https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId eq
#          '6301bbfc-a0c5-454e-8ff9-bb510944fe0c' and consentType eq 'AllPrincipals'.
# Result:  Takes effect at once, without a consent prompt. Permissions that the app requests later are
#          not included. The pack assumes these scopes; the vendor does not publish them.
# Undo:    Enterprise apps > TrackerRMS > Permissions > review permissions and revoke them.
#          DELETE https://graph.microsoft.com/v1.0/oauth2PermissionGrants/{id of the new grant}
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

Connect-MgGraph -Scopes 'DelegatedPermissionGrant.ReadWrite.All' -NoWelcome -TenantId '8df08078-a22e-4180-85c2-c2af3977a654'

# 1. The grant with these scopes. Scopes that it already has stay.
$found = @((Read-Graph 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId%20eq%20%276301bbfc-a0c5-454e-8ff9-bb510944fe0c%27%20and%20consentType%20eq%20%27AllPrincipals%27').value | Where-Object { $_ -and $_.resourceId -eq '3ceaaf30-8142-48ea-91d9-3080f9b439fc' -and $_.consentType -eq 'AllPrincipals' })
if ($found.Count) {
    Add-Scope ('https://graph.microsoft.com/v1.0/oauth2PermissionGrants' + '/' + $found[0].id) $found[0].scope 'openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite'
} else {
    $created = Send-Graph POST 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' '{"clientId": "6301bbfc-a0c5-454e-8ff9-bb510944fe0c", "consentType": "AllPrincipals", "resourceId": "3ceaaf30-8142-48ea-91d9-3080f9b439fc", "scope": "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite"}'
    if ($created) { Write-Host ('To undo: DELETE ' + 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' + '/' + $created.id) }
}

Write-Host 'Done.'
