#!/usr/bin/env bash
# Grant TrackerRMS exactly these scopes for the whole tenant through Microsoft Graph (fix R3).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Role:    Cloud Application Administrator
# Before:  az login --allow-no-subscriptions --tenant 9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Dry run: DRY_RUN=1 bash this-file
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app.
# Result:  Takes effect at once, without a consent prompt. Permissions that the app requests later are
#          not included. The pack assumes these scopes; the vendor does not publish them.
# Undo:    Enterprise apps > TrackerRMS > Permissions > review permissions and revoke them.
#          DELETE https://graph.microsoft.com/v1.0/oauth2PermissionGrants/{id of the new grant}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals/{object id of the new service principal}
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
[ "$here" = '9ad9b9a2-5e78-454d-b065-a1c284cc4549' ] || stop "signed in to another tenant: $here"

# 1. The app in this tenant: its service principal.
found=$(look 'https://graph.microsoft.com/v1.0/servicePrincipals?$filter=appId%20eq%20%275353a3d2-8ca9-42d2-b567-ea399ccb5e38%27' 'value[].id')
case $found in
  '')
    app=$(send POST 'https://graph.microsoft.com/v1.0/servicePrincipals' '{"appId": "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"}')
    app=${app:-$not_created}
    say "To undo: DELETE "'https://graph.microsoft.com/v1.0/servicePrincipals'"/$app"
    ;;
  *)
    say 'The app is already in the tenant.'
    app=$found
    ;;
esac

# 2. The grant with these scopes. Scopes that it already has stay.
grants='https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId%20eq%20%27'"$app"'%27%20and%20consentType%20eq%20%27AllPrincipals%27'
id=$(look "$grants" 'value[?resourceId==`"3ceaaf30-8142-48ea-91d9-3080f9b439fc"` && consentType==`"AllPrincipals"`].id')
have=$(look "$grants" 'value[?resourceId==`"3ceaaf30-8142-48ea-91d9-3080f9b439fc"` && consentType==`"AllPrincipals"`].scope')
if [ -n "$id" ]; then
  extend 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants'"/$id" "$have" 'openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite'
else
  id=$(send POST 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' '{"clientId": "'"$app"'", "consentType": "AllPrincipals", "resourceId": "3ceaaf30-8142-48ea-91d9-3080f9b439fc", "scope": "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite"}')
  id=${id:-$not_created}
  say "To undo: DELETE "'https://graph.microsoft.com/v1.0/oauth2PermissionGrants'"/$id"
fi

say 'Done.'
