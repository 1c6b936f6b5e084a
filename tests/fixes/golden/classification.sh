#!/usr/bin/env bash
# Classify the missing scopes of Microsoft Graph as low impact (fix R5).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  48018f5e-1863-41da-abca-5daa475d779c
# Role:    Cloud Application Administrator
# Before:  az login --allow-no-subscriptions --tenant 48018f5e-1863-41da-abca-5daa475d779c
#          A user's sign-in through the Azure CLI does not hold Policy.ReadWrite.PermissionGrant: sign
#          in as a service principal that has it (az login --service-principal), or use the PowerShell
#          script.
# Dry run: DRY_RUN=1 bash this-file
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app.
# Result:  The sign-in scopes (openid, profile, email, offline_access, User.Read) must be classified
#          too.
# Undo:    Remove the same entries under Permission classifications > Low.
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 4}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 3}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification 2}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals(appId='00000003-0000-0000-c000-000000000000')/delegatedPermissionClassifications/{id of the new classification}
# shellcheck disable=SC2016  # Texts are in single quotes so that nothing in them expands.
set -euo pipefail
dry_run=${DRY_RUN:-}

say() { printf '%s\n' "$*"; }
stop() { printf 'Stopped: %s\n' "$*" >&2; exit 1; }

# The id, in a dry run, of anything that was not created.
not_created='not-created-yet'

# look ADDRESS QUERY: what Graph answers now; nothing about what a dry run did not create.
look() {
  case $1 in *"$not_created"*) return 0 ;; esac
  az rest --method get --resource "$graph" --url "$1" --query "$2" --output tsv | tr -d '\r'
}

# send METHOD ADDRESS BODY: prints the id of what was created; a dry run only says what it would send.
send() {
  if [ -n "$dry_run" ]; then printf 'Would send: %s %s\n%s\n' "$1" "$2" "$3" >&2; return 0; fi
  printf 'Sending: %s %s\n' "$1" "$2" >&2
  az rest --method "$1" --resource "$graph" --url "$2" --headers Content-Type=application/json --body "$3" \
    --query id --output tsv | tr -d '\r'
}

graph='https://graph.microsoft.com'
here=$(look 'https://graph.microsoft.com/v1.0/organization?$select=id' 'value[].id')
[ "$here" = '48018f5e-1863-41da-abca-5daa475d779c' ] || stop "signed in to another tenant: $here"

# 1. The classification of Mail.ReadWrite.
found=$(look 'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications' 'to_string(value[?permissionId==`"024d486e-b451-40bb-833d-3e66d98c5c73"`].classification)')
case $found in
  '' | '[]')
    id=$(send POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications' '{"permissionId": "024d486e-b451-40bb-833d-3e66d98c5c73", "permissionName": "Mail.ReadWrite", "classification": "low"}')
    id=${id:-$not_created}
    say "To undo: DELETE "'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications'"/$id"
    ;;
  '["low"]')
    say 'The permission already has this classification.'
    ;;
  *) stop 'Somebody chose a different classification for this permission: '"$found" ;;
esac

# 2. The classification of Mail.Send.
found=$(look 'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications' 'to_string(value[?permissionId==`"e383f46e-2787-4529-855e-0e479a3ffac0"`].classification)')
case $found in
  '' | '[]')
    id=$(send POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications' '{"permissionId": "e383f46e-2787-4529-855e-0e479a3ffac0", "permissionName": "Mail.Send", "classification": "low"}')
    id=${id:-$not_created}
    say "To undo: DELETE "'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications'"/$id"
    ;;
  '["low"]')
    say 'The permission already has this classification.'
    ;;
  *) stop 'Somebody chose a different classification for this permission: '"$found" ;;
esac

# 3. The classification of Calendars.ReadWrite.
found=$(look 'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications' 'to_string(value[?permissionId==`"1ec239c2-d7c9-4623-a91a-a9775856bb36"`].classification)')
case $found in
  '' | '[]')
    id=$(send POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications' '{"permissionId": "1ec239c2-d7c9-4623-a91a-a9775856bb36", "permissionName": "Calendars.ReadWrite", "classification": "low"}')
    id=${id:-$not_created}
    say "To undo: DELETE "'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications'"/$id"
    ;;
  '["low"]')
    say 'The permission already has this classification.'
    ;;
  *) stop 'Somebody chose a different classification for this permission: '"$found" ;;
esac

# 4. The classification of Contacts.ReadWrite.
found=$(look 'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications' 'to_string(value[?permissionId==`"d56682ec-c09e-4743-aaf4-1a3aac4caa21"`].classification)')
case $found in
  '' | '[]')
    id=$(send POST 'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications' '{"permissionId": "d56682ec-c09e-4743-aaf4-1a3aac4caa21", "permissionName": "Contacts.ReadWrite", "classification": "low"}')
    id=${id:-$not_created}
    say "To undo: DELETE "'https://graph.microsoft.com/v1.0/servicePrincipals(appId='"'"'00000003-0000-0000-c000-000000000000'"'"')/delegatedPermissionClassifications'"/$id"
    ;;
  '["low"]')
    say 'The permission already has this classification.'
    ;;
  *) stop 'Somebody chose a different classification for this permission: '"$found" ;;
esac

say 'Done.'
