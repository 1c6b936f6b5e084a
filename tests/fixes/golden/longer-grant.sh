#!/usr/bin/env bash
# Grant TrackerRMS exactly these scopes for the whole tenant through Microsoft Graph (fix R3).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9280ba2e-1534-43fd-b357-71b237d047c9
# Role:    Cloud Application Administrator
# Before:  az login --allow-no-subscriptions --tenant 9280ba2e-1534-43fd-b357-71b237d047c9
# Dry run: DRY_RUN=1 bash this-file
# Verify:  Run this check again, or have an ordinary user (not an administrator) connect the app. Or
#          GET https://graph.microsoft.com/v1.0/oauth2PermissionGrants?$filter=clientId eq
#          '6301bbfc-a0c5-454e-8ff9-bb510944fe0c' and consentType eq 'AllPrincipals'.
# Result:  Takes effect at once, without a consent prompt. Permissions that the app requests later are
#          not included. The pack assumes these scopes; the vendor does not publish them.
# Undo:    Enterprise apps > TrackerRMS > Permissions > review permissions and revoke them. The scopes
#          of grant _LsBY8WgTkWP-btRCUT-DDCv6jxCgepIkdkwgPm0Ofw were: "  openid profile  email
#          offline_access User.Read   Mail.ReadWrite Calendars.ReadWrite ".
#          PATCH https://graph.microsoft.com/v1.0/oauth2PermissionGrants/_LsBY8WgTkWP-btRCUT-DDCv6jxCgepIkdkwgPm0Ofw {"scope": "  openid profile  email offline_access User.Read   Mail.ReadWrite Calendars.ReadWrite "}
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
[ "$here" = '9280ba2e-1534-43fd-b357-71b237d047c9' ] || stop "signed in to another tenant: $here"

# 1. More scopes for the existing grant. Scopes that it already has stay.
have=$(look 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants/_LsBY8WgTkWP-btRCUT-DDCv6jxCgepIkdkwgPm0Ofw' scope)
extend 'https://graph.microsoft.com/v1.0/oauth2PermissionGrants/_LsBY8WgTkWP-btRCUT-DDCv6jxCgepIkdkwgPm0Ofw' "$have" 'openid profile email offline_access User.Read Mail.ReadWrite Calendars.ReadWrite Mail.Send Contacts.ReadWrite'

say 'Done.'
