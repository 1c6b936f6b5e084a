#!/usr/bin/env bash
# Grant TrackerRMS exactly these scopes for the whole tenant through Microsoft Graph (fix R3).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  8df08078-a22e-4180-85c2-c2af3977a654
# Role:    Cloud Application Administrator
# Before:  az login --allow-no-subscriptions --tenant 8df08078-a22e-4180-85c2-c2af3977a654
# Dry run: DRY_RUN=1 bash this-file
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app. Or
#          GET https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId eq
#          '6301bbfc-a0c5-454e-8ff9-bb510944fe0c' and consentType eq 'AllPrincipals'.
# Result:  Takes effect at once, without a consent prompt. Permissions that the app requests later are
#          not included. The pack assumes these scopes; the vendor does not publish them.
# Undo:    Enterprise apps > TrackerRMS > Permissions > review permissions and revoke them.
#          DELETE https://graph.microsoft.com/v1.0/oauth2PermissionGrants/{id of the new grant}
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

# union SCOPES SCOPES: every scope once, ignoring case.
union() { printf '%s %s' "$1" "$2" | tr -s ' ' '\n' | awk 'NF && !seen[tolower($0)]++' | paste -sd ' ' -; }

# extend ADDRESS HAVE WANTED: adds the missing scopes to a grant.
extend() {
  local full
  full=$(union "$2" "$3")
  if [ "$full" = "$(union "$2" '')" ]; then say 'The grant already has these scopes.'; return 0; fi
  send PATCH "$1" "{\"scope\": \"$full\"}" >/dev/null
  say "Extended the grant. To undo: PATCH $1 with {\"scope\": \"$2\"}"
}

graph='https://graph.microsoft.com'
here=$(look 'https://graph.microsoft.com/v1.0/organization?$select=id' 'value[].id')
[ "$here" = '8df08078-a22e-4180-85c2-c2af3977a654' ] || stop "signed in to another tenant: $here"

# 1. The grant with these scopes. Scopes that it already has stay.
grants='https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId%20eq%20%276301bbfc-a0c5-454e-8ff9-bb510944fe0c%27%20and%20consentType%20eq%20%27AllPrincipals%27'
id=$(look "$grants" 'value[?resourceId==`"3ceaaf30-8142-48ea-91d9-3080f9b439fc"` && consentType==`"AllPrincipals"`].id')
have=$(look "$grants" 'value[?resourceId==`"3ceaaf30-8142-48ea-91d9-3080f9b439fc"` && consentType==`"AllPrincipals"`].scope')
if [ -n "$id" ]; then
  extend 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants'"/$id" "$have" 'openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite'
else
  id=$(send POST 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' '{"clientId": "6301bbfc-a0c5-454e-8ff9-bb510944fe0c", "consentType": "AllPrincipals", "resourceId": "3ceaaf30-8142-48ea-91d9-3080f9b439fc", "scope": "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite"}')
  id=${id:-$not_created}
  say "To undo: DELETE "'https://graph.microsoft.com/v1.0/oauth2PermissionGrants'"/$id"
fi

say 'Done.'
