#!/usr/bin/env bash
# Let users ask for approval: switch the admin consent workflow on, with the holders of the role
# Global Administrator as reviewers (fix R8).
#
# Written by consent-auditor, which changes nothing itself. Each step looks first and does nothing
# where it is done already, so the script may be run again. It stops at the first error.
#
# Role:    Global Administrator
# Before:  az login --allow-no-subscriptions --tenant 9ad9b9a2-5e78-454d-b065-a1c284cc4549
#          A user's sign-in through the Azure CLI does not hold Policy.ReadWrite.ConsentRequest: sign
#          in as a service principal that was granted it (az login --service-principal), or take the
#          PowerShell script.
# Dry run: DRY_RUN=1 bash this-file
# Check:   Read https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy back.
# Expect:  It may take up to an hour. Users are then asked for a reason and wait for approval; a
#          reviewer approves under Enterprise apps > Activity > Admin consent requests and needs a
#          role that may consent.
# Undo:    Set the same page back to what it was. The settings were: {"isEnabled": false,
#          "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30,
#          "reviewers": []}.
#          PUT https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy {"isEnabled": false, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": []}
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
[ "$here" = '9ad9b9a2-5e78-454d-b065-a1c284cc4549' ] || stop "signed in to another tenant: $here"

# 1. The admin consent workflow.
on=$(look 'https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy' 'to_string(isEnabled)')
now=$(look 'https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy' 'to_string(sort(not_null(reviewers[].query, `[]`)))')
if [ "$on" = true ] && [ "$now" != "[]" ]; then
  say 'The workflow is on and has reviewers already.'
elif [ "$now" != '[]' ]; then
  stop "the reviewers have changed since the snapshot was taken, run the check again: $now"
else
  send PUT 'https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy' '{"isEnabled": true, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": [{"query": "/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '"'"'62e90394-69f5-4237-9190-012177145e10'"'"'", "queryType": "MicrosoftGraph"}]}' >/dev/null
fi

say 'Done.'
