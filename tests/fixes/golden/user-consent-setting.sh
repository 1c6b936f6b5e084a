#!/usr/bin/env bash
# Change the user consent setting of the tenant to "Allow user consent for apps" (not advised for the
# sake of one app) (fix R9-legacy).
#
# Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing
# where it is done already, so the script may be run again. It stops at the first error.
#
# Role:    Privileged Role Administrator
# Before:  az login --allow-no-subscriptions --tenant 8df08078-a22e-4180-85c2-c2af3977a654
#          A user's sign-in through the Azure CLI does not hold Policy.ReadWrite.Authorization: sign
#          in as a service principal that was granted it (az login --service-principal), or take the
#          PowerShell script.
# Dry run: DRY_RUN=1 bash this-file
# Check:   Read https://graph.microsoft.com/v1.0/policies/authorizationPolicy back: in
#          Microsoft-managed mode a change may be discarded without an error. If the list is
#          unchanged, choose another option under User consent settings first.
# Expect:  Every user and every app is concerned, and benchmarks such as CIS and SCuBA may fail the
#          tenant.
# Undo:    Take ManagePermissionGrantsForSelf.microsoft-user-default-legacy out of the list of
#          assigned policies. The list was: ManagePermissionGrantsForSelf.microsoft-user-default-low,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team,
#          ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat.
#          PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}
# shellcheck disable=SC2016  # Texts stand between single quotes so that nothing in them expands.
set -euo pipefail
dry_run=${DRY_RUN:-}

say() { printf '%s\n' "$*"; }
stop() { printf 'Stopped: %s\n' "$*" >&2; exit 1; }

# look ADDRESS QUERY: what Graph answers now.
look() { az rest --method get --resource "$graph" --url "$1" --query "$2" --output tsv | tr -d '\r'; }

# send METHOD ADDRESS BODY: prints the id of what was made; in a dry run, only says what it would send.
send() {
  if [ -n "$dry_run" ]; then printf 'Would send: %s %s\n%s\n' "$1" "$2" "$3" >&2; return 0; fi
  printf 'Sending: %s %s\n' "$1" "$2" >&2
  az rest --method "$1" --resource "$graph" --url "$2" --headers Content-Type=application/json --body "$3" \
    --query id --output tsv | tr -d '\r'
}

# changed ADDRESS QUERY WANTED: waits until Graph answers with what was written.
changed() {
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

# 1. The complete list of assigned consent policies; every entry that was there is still in it.
list='https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
query='to_string(sort(defaultUserRolePermissions.permissionGrantPoliciesAssigned))'
before='["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat","ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team","ManagePermissionGrantsForSelf.microsoft-user-default-low"]'
wanted='["ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat","ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team","ManagePermissionGrantsForSelf.microsoft-user-default-legacy","ManagePermissionGrantsForSelf.microsoft-user-default-low"]'
now=$(look "$list" "$query")
if [ "$now" = "$wanted" ]; then
  say 'The list is as it should be already.'
elif [ "$now" != "$before" ]; then
  stop "the list has changed since the snapshot was taken, run the check again: $now"
else
  send PATCH "$list" '{"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy", "ManagePermissionGrantsForSelf.microsoft-user-default-low", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-team", "ManagePermissionGrantsForOwnedResource.microsoft-dynamically-managed-permissions-for-chat"]}}' >/dev/null
  changed "$list" "$query" "$wanted" || stop 'Graph accepted the change and discarded it, as it may while Microsoft manages the setting: choose another option under User consent settings, then run this again'
fi

say 'Done.'
