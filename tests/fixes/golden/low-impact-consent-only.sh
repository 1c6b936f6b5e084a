#!/usr/bin/env bash
# Limit user consent to permissions that are classified as low, for apps of verified publishers, and
# keep the entries for teams and chats (fix R9-low-only).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Role:    Privileged Role Administrator for Graph, Global Administrator for the portal
# Before:  az login --allow-no-subscriptions --tenant 9ad9b9a2-5e78-454d-b065-a1c284cc4549
#          A user's sign-in through the Azure CLI does not hold Policy.ReadWrite.Authorization: sign
#          in as a service principal that has it (az login --service-principal), or use the PowerShell
#          script.
# Dry run: DRY_RUN=1 bash this-file
# Verify:  Read https://graph.microsoft.com/v1.0/policies/authorizationPolicy back: while Microsoft
#          manages the setting, a change may be discarded without an error. Then run this check again.
# Result:  Existing grants stay in place. Users can consent only to what is classified as low: unless
#          openid, profile, email, offline_access and User.Read are, they can't consent to anything.
# Undo:    Set the previous list again. The list was:
#          ManagePermissionGrantsForSelf.microsoft-user-default-recommended,
#          ManagePermissionGrantsForSelf.microsoft-user-default-allow-consent-apps,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat.
#          PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-recommended", "ManagePermissionGrantsForSelf.microsoft-user-default-allow-consent-apps", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}
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

# written ADDRESS QUERY WANTED: waits until Graph answers with the new value.
written() {
  local _
  if [ -n "$dry_run" ]; then return 0; fi
  for _ in 1 2 3 4 5; do
    if [ "$(look "$1" "$2")" = "$3" ]; then return 0; fi
    sleep "${PAUSE:-3}"
  done
  return 1
}

graph='https://graph.microsoft.com'
here=$(look 'https://graph.microsoft.com/v1.0/organization?$select=id' 'value[].id')
[ "$here" = '9ad9b9a2-5e78-454d-b065-a1c284cc4549' ] || stop "signed in to another tenant: $here"

# 1. The complete list of assigned consent policies.
place='https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
wanted='["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat","ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team","ManagePermissionGrantsForSelf.microsoft-user-default-low"]'
before='["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat","ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team","ManagePermissionGrantsForSelf.microsoft-user-default-allow-consent-apps","ManagePermissionGrantsForSelf.microsoft-user-default-recommended"]'
now=$(look "$place" 'to_string(sort(not_null(defaultUserRolePermissions.permissionGrantPoliciesAssigned, `[]`)))')
if [ "$now" = "$wanted" ]; then
  say 'The list already has these entries.'
elif ! [ "$now" = "$before" ]; then
  stop 'The list has changed since the snapshot was taken. Run the check again. The list is now: '"$now"
else
  send PATCH 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy' '{"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}' >/dev/null
  written "$place" 'to_string(sort(not_null(defaultUserRolePermissions.permissionGrantPoliciesAssigned, `[]`)))' "$wanted" || stop 'Graph accepted the change and discarded it, which can happen while Microsoft manages the setting. Choose another option under User consent settings, then run this script again'
fi

say 'Done.'
