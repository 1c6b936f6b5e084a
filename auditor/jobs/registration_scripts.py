"""The app registration as scripts for an administrator to read and then run; this program never runs them.

Each stops if an app of the same name exists, and goes on with one that it is given. It makes no secret: the app gets a
certificate whose key never leaves its machine, or trusts the tokens of an issuer.

Sources: Microsoft Graph, "Create application", "Create servicePrincipal", "Create federatedIdentityCredential", "Grant
an appRoleAssignment to a service principal" and the resource type servicePrincipalLockConfiguration; the Azure CLI's
``az ad app credential reset``. The names of federated credentials and audiences are those of "Workload identity
federation".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from auditor.facts.ids import MICROSOFT_GRAPH, cloud_named
from auditor.fixes import bash_script, powershell_script
from auditor.fixes.change import json_text
from auditor.fixes.proposed_fix import posix_quoted, printable
from auditor.model.registration import AZ_SCRIPT, POWERSHELL_SCRIPT, Registration

_LISTING_ROLE = "Cloud Application Administrator and, for what lists the customers, Privileged Role Administrator"
_REGISTERING_ROLE = "Cloud Application Administrator or Application Developer"


def required_access(registration: Registration) -> list[dict[str, Any]]:
    """``requiredResourceAccess``: what each customer is asked for."""
    access = [{"id": one.id, "type": "Role"} for one in registration.permissions]
    return [{"resourceAppId": MICROSOFT_GRAPH, "resourceAccess": access}]


def application(registration: Registration) -> dict[str, Any]:
    """The body of the request that creates the app. The lock stops customers from adding credentials to their copy."""
    return {
        "displayName": registration.name,
        "signInAudience": "AzureADMultipleOrgs",
        "web": {"redirectUris": [registration.redirect_uri]},
        "requiredResourceAccess": required_access(registration),
        "servicePrincipalLockConfiguration": {"isEnabled": True, "allProperties": True},
    }


def role_to_register(registration: Registration) -> str:
    """Who can run the scripts, or take the same steps in the portal."""
    return _LISTING_ROLE if registration.listing else _REGISTERING_ROLE


def bash_registration(registration: Registration) -> str:
    """The bash script, which uses the Azure CLI. ASCII."""
    return "\n".join(_bash(registration)) + "\n"


def powershell_registration(registration: Registration) -> str:
    """The script for PowerShell with Microsoft.Graph.Authentication. ASCII."""
    return "\n".join(_powershell(registration)) + "\n"


def _found_url(registration: Registration) -> str:
    """The address that lists apps of this name (OData: a quote in a text is written twice)."""
    name = quote(registration.name.replace("'", "''"), safe="")
    graph = cloud_named(registration.cloud).graph
    return f"{graph}/v1.0/applications?$filter=displayName%20eq%20'{name}'&$select=id,appId"


def _purpose(registration: Registration) -> Iterator[str]:
    name = printable(registration.name)
    yield f"# Registers {name} once for the tenants of all customers. Read it before you run it."
    yield f"# Who can run it: {role_to_register(registration)}, in your own tenant."


def _bash(registration: Registration) -> Iterator[str]:
    cloud = cloud_named(registration.cloud)
    yield "#!/usr/bin/env bash"
    yield from _purpose(registration)
    select = f"az cloud set --name {cloud.az_cloud}; " if cloud.az_cloud else ""
    yield f"# Before: {select}az login --allow-no-subscriptions"
    yield f"# Run it: CERTIFICATE=cert.pem bash {AZ_SCRIPT}"
    yield f"# or with a federated credential: FEDERATED_ISSUER=https://... FEDERATED_SUBJECT=... bash {AZ_SCRIPT}"
    yield f"# To see only what it would send: DRY_RUN=1 bash {AZ_SCRIPT}"
    yield "# shellcheck disable=SC2016  # Texts are in single quotes so that nothing in them expands."
    yield bash_script.prologue(()).rstrip("\n")
    yield f"""
graph={posix_quoted(cloud.graph)}
name={posix_quoted(printable(registration.name))}
application={posix_quoted(json_text(application(registration)))}

certificate=${{CERTIFICATE:-}}
issuer=${{FEDERATED_ISSUER:-}}
subject=${{FEDERATED_SUBJECT:-}}
app_id=${{APP_ID:-}}
if [ -n "$certificate" ]; then [ -r "$certificate" ] || stop "the certificate can't be read: $certificate"; fi
if [ -n "$issuer$subject" ]; then
  [[ $issuer =~ ^https://[A-Za-z0-9._/-]+$ ]] || stop "FEDERATED_ISSUER isn't the address of an issuer: $issuer"
  [[ $subject =~ ^[A-Za-z0-9._:/@-]+$ ]] || stop "FEDERATED_SUBJECT isn't a subject: $subject"
fi

say "Tenant: $(look "$graph/v1.0/organization?\\$select=id" 'value[].id')"

# 1. The app, for accounts in any organization, with the permissions that customers are asked for.
if [ -z "$app_id" ]; then
  found=$(look {posix_quoted(_found_url(registration))} 'value[].appId')
  [ -z "$found" ] || stop "there is an app of this name. To go on with it: APP_ID=$found bash {AZ_SCRIPT}"
  created=$(send POST "$graph/v1.0/applications" "$application")
  app_id=$(look "$graph/v1.0/applications/${{created:-$not_created}}?\\$select=appId" appId)
  app_id=${{app_id:-$not_created}}
fi

# 2. Its enterprise application in your own tenant.
if [ -z "$(look "$graph/v1.0/servicePrincipals?\\$filter=appId%20eq%20'$app_id'&\\$select=id" 'value[].id')" ]; then
  send POST "$graph/v1.0/servicePrincipals" "{{\\"appId\\": \\"$app_id\\"}}" >/dev/null
fi

# 3. How it signs in: no secret.
if [ -n "$certificate" ]; then
  if [ -n "$dry_run" ]; then say "Would add the certificate $certificate"; else
    az ad app credential reset --id "$app_id" --cert "@$certificate" --append --output none
  fi
fi
if [ -n "$issuer" ]; then
  send POST "$graph/v1.0/applications(appId='$app_id')/federatedIdentityCredentials" \\
    "{{\\"name\\": \\"consent-auditor\\", \\"issuer\\": \\"$issuer\\", \\"subject\\": \\"$subject\\", \
\\"audiences\\": [\\"api://AzureADTokenExchange\\"]}}" >/dev/null
fi"""
    if registration.listing:
        yield _bash_grants(registration)
    yield """
say "Registered $name. Its client ID, for the configuration: $app_id"
if [ -z "$certificate$issuer" ]; then
  say 'It has no credential yet: add a certificate or a federated credential.'
fi"""


def _bash_grants(registration: Registration) -> str:
    """The step that gives the app, in the own tenant alone, the permissions that list the customers."""
    grants = "\n".join(f"grant {one.id}  # {one.name}" for one in registration.listing)
    return f"""
# 4. What lists the customers: for your own tenant alone. No customer is asked for it.
# A new enterprise application takes a moment until it is found.
own=''
resource=$(look "$graph/v1.0/servicePrincipals(appId='{MICROSOFT_GRAPH}')?\\$select=id" id)
for _ in 1 2 3 4 5 6; do
  own=$(look "$graph/v1.0/servicePrincipals?\\$filter=appId%20eq%20'$app_id'&\\$select=id" 'value[].id')
  if [ -n "$own" ] || [ -n "$dry_run" ]; then break; fi
  sleep "${{PAUSE:-10}}"
done
own=${{own:-$not_created}}
grant() {{
  local held
  held=$(look "$graph/v1.0/servicePrincipals/$own/appRoleAssignments" "value[?appRoleId=='$1'].id")
  if [ -n "$held" ]; then return 0; fi
  send POST "$graph/v1.0/servicePrincipals/$own/appRoleAssignments" \\
    "{{\\"principalId\\": \\"$own\\", \\"resourceId\\": \\"$resource\\", \\"appRoleId\\": \\"$1\\"}}" >/dev/null
}}
{grants}"""


def _powershell(registration: Registration) -> Iterator[str]:
    literal = powershell_script.literal
    cloud = cloud_named(registration.cloud)
    scopes = ["Application.ReadWrite.All", *(["AppRoleAssignment.ReadWrite.All"] if registration.listing else [])]
    yield "#Requires -Modules Microsoft.Graph.Authentication"
    yield from _purpose(registration)
    yield "# Before: Install-Module Microsoft.Graph.Authentication"
    yield f"# Run it: ./{POWERSHELL_SCRIPT} -CertificatePath cert.cer"
    yield f"# or with a federated credential: ./{POWERSHELL_SCRIPT} -FederatedIssuer https://... -FederatedSubject ..."
    yield f"# To see only what it would send: ./{POWERSHELL_SCRIPT} -DryRun"
    yield """[CmdletBinding()]
param(
    [string] $CertificatePath = '',
    [ValidatePattern('^(https://[A-Za-z0-9._/-]+)?$')] [string] $FederatedIssuer = '',
    [ValidatePattern('^[A-Za-z0-9._:/@-]*$')] [string] $FederatedSubject = '',
    [ValidatePattern('^([0-9a-fA-F-]{36})?$')] [string] $AppId = '',
    [switch] $DryRun
)
"""
    yield powershell_script.prologue(()).rstrip("\n")
    yield f"""
$graph = {literal(cloud.graph)}
$name = {literal(registration.name)}
$application = {literal(json_text(application(registration)))}

Connect-MgGraph -Scopes {", ".join(map(literal, scopes))} -NoWelcome{_environment(registration)}
Write-Host ('Tenant: ' + (Get-MgContext).TenantId)

# 1. The app, for accounts in any organization, with the permissions that customers are asked for.
if (-not $AppId) {{
    $found = @((Read-Graph {literal(_found_url(registration))}).value)
    if ($found.Count) {{
        throw ('There is an app of this name. To go on with it: -AppId ' + $found[0].appId)
    }}
    $created = Send-Graph POST "$graph/v1.0/applications" $application
    $AppId = if ($created) {{ $created.appId }} else {{ $notCreated }}
}}

# 2. Its enterprise application in your own tenant.
$principals = $graph + '/v1.0/servicePrincipals?$select=id&$filter=appId%20eq%20''' + $AppId + ''''
if (-not @((Read-Graph $principals).value | Where-Object {{ $_ }}).Count) {{
    Send-Graph POST "$graph/v1.0/servicePrincipals" (ConvertTo-Json @{{ appId = $AppId }} -Compress) | Out-Null
}}

# 3. How it signs in: no secret.
$address = $graph + '/v1.0/applications(appId=''' + $AppId + ''')'
if ($CertificatePath) {{
    $file = (Resolve-Path $CertificatePath).Path
    $public = New-Object Security.Cryptography.X509Certificates.X509Certificate2 -ArgumentList $file
    if (@((Read-Graph "${{address}}?`$select=keyCredentials").keyCredentials | Where-Object {{ $_ }}).Count) {{
        throw 'The app has a certificate already: add yours in the portal, because this script would replace it.'
    }}
    $key = @{{ type = 'AsymmetricX509Cert'; usage = 'Verify'; displayName = $name }}
    $key.key = [Convert]::ToBase64String($public.RawData)
    Send-Graph PATCH $address (ConvertTo-Json @{{ keyCredentials = @($key) }} -Depth 4 -Compress) | Out-Null
}}
if ($FederatedIssuer) {{
    $trust = @{{ name = 'consent-auditor'; issuer = $FederatedIssuer; subject = $FederatedSubject }}
    $trust.audiences = @('api://AzureADTokenExchange')
    Send-Graph POST "$address/federatedIdentityCredentials" (ConvertTo-Json $trust -Compress) | Out-Null
}}"""
    if registration.listing:
        yield _powershell_grants(registration)
    yield """
Write-Host "Registered $name. Its client ID, for the configuration: $AppId"
if (-not ($CertificatePath -or $FederatedIssuer)) {
    Write-Host 'It has no credential yet: add a certificate or a federated credential.'
}"""


def _powershell_grants(registration: Registration) -> str:
    """The step that gives the app, in the own tenant alone, the permissions that list the customers."""
    ids = ", ".join(powershell_script.literal(one.id) for one in registration.listing)
    return f"""
# 4. What lists the customers: for your own tenant alone. No customer is asked for it.
# A new enterprise application takes a moment until it is found.
$resource = (Read-Graph ($graph + '/v1.0/servicePrincipals(appId=''{MICROSOFT_GRAPH}'')?$select=id')).id
for ($try = 1; $try -le 6; $try++) {{
    $own = @((Read-Graph $principals).value | Where-Object {{ $_ }})
    if ($own.Count -or $DryRun) {{ break }}
    Start-Sleep -Seconds 10
}}
$own = if ($own.Count) {{ $own[0].id }} else {{ $notCreated }}
$held = @((Read-Graph "$graph/v1.0/servicePrincipals/$own/appRoleAssignments").value | Where-Object {{ $_ }})
foreach ($role in @({ids})) {{
    if ($held.appRoleId -contains $role) {{ continue }}
    $body = ConvertTo-Json @{{ principalId = $own; resourceId = $resource; appRoleId = $role }} -Compress
    Send-Graph POST "$graph/v1.0/servicePrincipals/$own/appRoleAssignments" $body | Out-Null
}}"""


def _environment(registration: Registration) -> str:
    name = cloud_named(registration.cloud).mg_environment
    return f" -Environment {name}" if name else ""
