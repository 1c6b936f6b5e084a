#!/usr/bin/env bash
# Grant TrackerRMS exactly these scopes for the whole tenant through Microsoft Graph (fix R3).
#
# Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing
# where it is done already, so the script may be run again. It stops at the first error.
#
# Role:    Cloud Application Administrator
# Before:  az login --allow-no-subscriptions --tenant 9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Dry run: DRY_RUN=1 bash this-file
# Check:   Run this check again, or have an ordinary user (not an administrator) connect the app.
# Expect:  At once, without a review page. Permissions that the app asks for later are not included.
#          The pack assumes these scopes; the vendor does not publish them.
# Undo:    Enterprise apps > TrackerRMS > Permissions > review permissions and revoke them.
#          DELETE https://graph.microsoft.com/v1.0/oauth2PermissionGrants/{id of the new grant}
#          DELETE https://graph.microsoft.com/v1.0/servicePrincipals/{object id of the new service principal}
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

# Stands, in a dry run, for the id of what was not made.
unborn='not-made-yet'

# union SCOPES SCOPES: every scope once, whatever its letter case.
union() { printf '%s %s' "$1" "$2" | tr -s ' ' '\n' | awk 'NF && !seen[tolower($0)]++' | paste -sd ' ' -; }

# extend ADDRESS HAVE WANTED: adds what is missing to the scopes of a grant.
extend() {
  local full
  full=$(union "$2" "$3")
  if [ "$full" = "$(union "$2" '')" ]; then say 'The grant holds these scopes already.'; return 0; fi
  send PATCH "$1" "{\"scope\": \"$full\"}" >/dev/null
  say "Extended the grant. To undo: PATCH $1 with {\"scope\": \"$2\"}"
}

graph='https://graph.microsoft.com'
here=$(look 'https://graph.microsoft.com/v1.0/organization?$select=id' 'value[].id')
[ "$here" = '9ad9b9a2-5e78-454d-b065-a1c284cc4549' ] || stop "signed in to another tenant: $here"

# 1. The app in this tenant: its service principal.
app=$(look 'https://graph.microsoft.com/v1.0/servicePrincipals?$filter=appId%20eq%20%275353a3d2-8ca9-42d2-b567-ea399ccb5e38%27' 'value[].id')
if [ -n "$app" ]; then
  say 'The app is in the tenant already.'
else
  app=$(send POST 'https://graph.microsoft.com/v1.0/servicePrincipals' '{"appId": "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"}')
  app=${app:-$unborn}
  say "To undo: DELETE "'https://graph.microsoft.com/v1.0/servicePrincipals'"/$app"
fi

# 2. The grant with these scopes. Scopes that it holds already stay.
rows='https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId%20eq%20%27'"$app"'%27%20and%20consentType%20eq%20%27AllPrincipals%27'
id='' have=''
case $rows in *"$unborn"*) ;; *)
  id=$(look "$rows" 'value[?resourceId==`"3ceaaf30-8142-48ea-91d9-3080f9b439fc"` && consentType==`"AllPrincipals"`].id')
  have=$(look "$rows" 'value[?resourceId==`"3ceaaf30-8142-48ea-91d9-3080f9b439fc"` && consentType==`"AllPrincipals"`].scope') ;;
esac
if [ -n "$id" ]; then
  extend 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants'"/$id" "$have" 'openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite'
else
  id=$(send POST 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants' '{"clientId": "'"$app"'", "consentType": "AllPrincipals", "resourceId": "3ceaaf30-8142-48ea-91d9-3080f9b439fc", "scope": "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send Calendars.ReadWrite Contacts.ReadWrite"}')
  say "To undo: DELETE "'https://graph.microsoft.com/v1.0/oauth2PermissionGrants'"/${id:-$unborn}"
fi

say 'Done.'
