#!/usr/bin/env bash
# Stop users from registering applications (fix R13-register-apps).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Role:    Privileged Role Administrator
# Before:  az login --allow-no-subscriptions --tenant 9ad9b9a2-5e78-454d-b065-a1c284cc4549
#          A user's sign-in through the Azure CLI does not hold Policy.ReadWrite.Authorization: sign
#          in as a service principal that has it (az login --service-principal), or use the PowerShell
#          script.
# Dry run: DRY_RUN=1 bash this-file
# Verify:  Read https://graph.microsoft.com/v1.0/policies/authorizationPolicy back. Then run this
#          check again.
# Result:  Developers who register apps need the role Application Developer. Apps that users have
#          registered stay.
# Undo:    Set "Users can register applications" to Yes again.
#          PATCH https://graph.microsoft.com/v1.0/policies/authorizationPolicy {"defaultUserRolePermissions": {"allowedToCreateApps": true}}
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
[ "$here" = '9ad9b9a2-5e78-454d-b065-a1c284cc4549' ] || stop "signed in to another tenant: $here"

# 1. The authorization policy: {"defaultUserRolePermissions": {"allowedToCreateApps": false}}.
place='https://graph.microsoft.com/v1.0/policies/authorizationPolicy'
now=$(look "$place" 'to_string(defaultUserRolePermissions.allowedToCreateApps)')
if [ "$now" = 'false' ]; then
  say 'The authorization policy already says so.'
else
  send PATCH 'https://graph.microsoft.com/v1.0/policies/authorizationPolicy' '{"defaultUserRolePermissions": {"allowedToCreateApps": false}}' >/dev/null
fi

say 'Done.'
