#!/usr/bin/env bash
# Let users consent to TrackerRMS themselves, with a consent policy for this app alone (fix R4).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  8df08078-a22e-4180-85c2-c2af3977a654
# Role:    Privileged Role Administrator
# Before:  az login --allow-no-subscriptions --tenant 8df08078-a22e-4180-85c2-c2af3977a654
#          A user's sign-in through the Azure CLI does not hold Policy.ReadWrite.PermissionGrant and
#          Policy.ReadWrite.Authorization: sign in as a service principal that has it (az login
#          --service-principal), or use the PowerShell script.
# Dry run: DRY_RUN=1 bash this-file
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
[ "$here" = '8df08078-a22e-4180-85c2-c2af3977a654' ] || stop "signed in to another tenant: $here"

# 1. A consent policy that approves nothing yet.
found=$(look 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies' 'to_string(value[?id==`"allow-trackerrms"`].displayName)')
case $found in
  '' | '[]')
    send POST 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies' '{"id": "allow-trackerrms", "displayName": "TrackerRMS: users may consent", "description": "Lets users connect TrackerRMS."}' >/dev/null
    ;;
  '["TrackerRMS: users may consent"]')
    say 'The policy already exists.'
    ;;
  *) stop 'There is another policy with this id: '"$found" ;;
esac

# 2. What the policy approves on one resource. A policy is always created empty, so this is a separate call.
found=$(look 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies' 'value[?id==`"allow-trackerrms"`].includes[] | [?resourceApplication==`"00000003-0000-0000-c000-000000000000"` && contains(not_null(clientApplicationIds, `[]`), `"5353a3d2-8ca9-42d2-b567-ea399ccb5e38"`) && contains(not_null(permissions, `[]`), `"37f7f235-527c-4136-accd-4a02d197296e"`) && contains(not_null(permissions, `[]`), `"14dad69e-099b-42c9-810b-d002981feec1"`) && contains(not_null(permissions, `[]`), `"64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0"`) && contains(not_null(permissions, `[]`), `"7427e0e9-2fba-42fe-b0c0-848c9e6a8182"`) && contains(not_null(permissions, `[]`), `"e1fe6dd8-ba31-4d61-89e7-88639da4683d"`) && contains(not_null(permissions, `[]`), `"024d486e-b451-40bb-833d-3e66d98c5c73"`) && contains(not_null(permissions, `[]`), `"e383f46e-2787-4529-855e-0e479a3ffac0"`) && contains(not_null(permissions, `[]`), `"1ec239c2-d7c9-4623-a91a-a9775856bb36"`) && contains(not_null(permissions, `[]`), `"d56682ec-c09e-4743-aaf4-1a3aac4caa21"`)].id')
case $found in
  '')
    send POST 'https://graph.microsoft.com/v1.0/policies/permissionGrantPolicies/allow-trackerrms/includes' '{"permissionType": "delegated", "clientApplicationIds": ["5353a3d2-8ca9-42d2-b567-ea399ccb5e38"], "resourceApplication": "00000003-0000-0000-c000-000000000000", "permissions": ["37f7f235-527c-4136-accd-4a02d197296e", "14dad69e-099b-42c9-810b-d002981feec1", "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0", "7427e0e9-2fba-42fe-b0c0-848c9e6a8182", "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "024d486e-b451-40bb-833d-3e66d98c5c73", "e383f46e-2787-4529-855e-0e479a3ffac0", "1ec239c2-d7c9-4623-a91a-a9775856bb36", "d56682ec-c09e-4743-aaf4-1a3aac4caa21"]}' >/dev/null
    ;;
  *)
    say 'The policy already has this include.'
    ;;
esac

# 3. The complete list of assigned consent policies.
place='https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
wanted='["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat","ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team","ManagePermissionGrantsForSelf.allow-trackerrms","ManagePermissionGrantsForSelf.microsoft-user-default-low"]'
before='["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat","ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team","ManagePermissionGrantsForSelf.microsoft-user-default-low"]'
now=$(look "$place" 'to_string(sort(not_null(defaultUserRolePermissions.permissionGrantPoliciesAssigned, `[]`)))')
if [ "$now" = "$wanted" ]; then
  say 'The list already has these entries.'
elif ! [ "$now" = "$before" ]; then
  stop 'The list has changed since the snapshot was taken. Run the check again. The list is now: '"$now"
else
  send PATCH 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy' '{"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.allow-trackerrms", "ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}' >/dev/null
  written "$place" 'to_string(sort(not_null(defaultUserRolePermissions.permissionGrantPoliciesAssigned, `[]`)))' "$wanted" || stop 'Graph accepted the change and discarded it, which can happen while Microsoft manages the setting. Choose another option under User consent settings, then run this script again'
fi

say 'Done.'
