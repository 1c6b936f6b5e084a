#!/usr/bin/env bash
# Let users ask for approval: switch the admin consent workflow on, with the holders of the role
# Global Administrator as reviewers (fix R8).
#
# Written by consent-auditor, which changes nothing itself. Each step checks the present state first
# and skips what is already done, so you can run this script again. It stops at the first error.
#
# Tenant:  9ad9b9a2-5e78-454d-b065-a1c284cc4549
# Role:    Global Administrator
# Before:  az login --allow-no-subscriptions --tenant 9ad9b9a2-5e78-454d-b065-a1c284cc4549
#          A user's sign-in through the Azure CLI does not hold Policy.ReadWrite.ConsentRequest: sign
#          in as a service principal that has it (az login --service-principal), or use the PowerShell
#          script.
# Dry run: DRY_RUN=1 bash this-file
# Verify:  Read https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy back.
# Result:  This can take up to an hour. Users then enter a reason and wait for approval. A reviewer
#          approves under Enterprise apps > Activity > Admin consent requests and needs a role that
#          can grant consent.
# Undo:    Restore the previous settings on the same page. The settings were: {"isEnabled": false,
#          "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30,
#          "reviewers": []}.
#          PUT https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy {"isEnabled": false, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": []}
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

# 1. The admin consent workflow.
place='https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy'
before='[]'
now=$(look "$place" 'to_string(isEnabled)')
now2=$(look "$place" 'to_string(notifyReviewers)')
now3=$(look "$place" 'to_string(sort(not_null(reviewers[].query, `[]`)))')
if [ "$now" = 'true' ] && [ "$now2" = 'true' ] && [ "$now3" != '[]' ]; then
  say 'The workflow is already on and has reviewers, who are notified.'
elif ! [ "$now3" = "$before" ]; then
  stop 'The reviewers have changed since the snapshot was taken. Run the check again. They are now: '"$now3"
else
  send PUT 'https://graph.microsoft.com/v1.0/policies/adminConsentRequestPolicy' '{"isEnabled": true, "notifyReviewers": true, "remindersEnabled": true, "requestDurationInDays": 30, "reviewers": [{"query": "/beta/roleManagement/directory/roleAssignments?$filter=roleDefinitionId eq '"'"'62e90394-69f5-4237-9190-012177145e10'"'"'", "queryType": "MicrosoftGraph"}]}' >/dev/null
fi

say 'Done.'
