#!/usr/bin/env bash
# Let every user use TrackerRMS without being assigned to it (fix R6-open).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  6a015b66-5e4a-429c-9be7-df00cba497dd
# Role:    Cloud Application Administrator
# Before:  az login --allow-no-subscriptions --tenant 6a015b66-5e4a-429c-9be7-df00cba497dd
# Dry run: DRY_RUN=1 bash this-file
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app.
# Result:  To limit the app to some users, let them connect and consent now, then set it to Yes again:
#          consenting also assigns them to the app, and their consent stays.
# Undo:    Set "Assignment required?" to Yes again.
#          PATCH https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c {"appRoleAssignmentRequired": true}
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
[ "$here" = '6a015b66-5e4a-429c-9be7-df00cba497dd' ] || stop "signed in to another tenant: $here"

# 1. appRoleAssignmentRequired of the app's service principal.
place='https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c?$select=appRoleAssignmentRequired'
now=$(look "$place" 'to_string(appRoleAssignmentRequired)')
if [ "$now" = 'false' ]; then
  say 'appRoleAssignmentRequired is already false.'
else
  send PATCH 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c' '{"appRoleAssignmentRequired": false}' >/dev/null
fi

say 'Done.'
