#!/usr/bin/env bash
# Let every user use TrackerRMS without being assigned to it (fix R6-open).
#
# Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing
# where it is done already, so the script may be run again. It stops at the first error.
#
# Role:    Cloud Application Administrator
# Before:  az login --allow-no-subscriptions --tenant 6a015b66-5e4a-429c-9be7-df00cba497dd
# Dry run: DRY_RUN=1 bash this-file
# Check:   Run this check again, or have an ordinary user (not an administrator) connect the app.
# Expect:  If only some are to use the app: let them connect and consent now, then set it to Yes
#          again; they were assigned when they consented, and what they consented to stays.
# Undo:    Set "Assignment required?" to Yes again.
#          PATCH https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c {"appRoleAssignmentRequired": true}
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

graph='https://graph.microsoft.com'
here=$(look 'https://graph.microsoft.com/v1.0/organization?$select=id' 'value[].id')
[ "$here" = '6a015b66-5e4a-429c-9be7-df00cba497dd' ] || stop "signed in to another tenant: $here"

# 1. appRoleAssignmentRequired of the app's service principal.
now=$(look 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c?$select=appRoleAssignmentRequired' 'to_string(appRoleAssignmentRequired)')
if [ "$now" = false ]; then
  say 'appRoleAssignmentRequired is false already.'
else
  send PATCH 'https://graph.microsoft.com/v1.0/servicePrincipals/6301bbfc-a0c5-454e-8ff9-bb510944fe0c' '{"appRoleAssignmentRequired": false}' >/dev/null
fi

say 'Done.'
