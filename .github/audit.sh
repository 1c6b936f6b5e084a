#!/usr/bin/env bash
# The step of action.yml: runs the audit, writes the answer onto the page of the workflow's run, and passes the exit
# code on. Its inputs are environment variables, so that no text of a workflow is pasted into a script.
set -eu
umask 077

stop() {
  echo "::error::$1" >&2
  echo "exit-code=2" >> "$GITHUB_OUTPUT"
  exit 2
}

is_on() {
  case $1 in
    true) return 0 ;;
    false) return 1 ;;
    *) stop "\"$1\" is neither true nor false: the inputs redact and summary take one of them." ;;
  esac
}

arguments=(check --fail-on "$FAIL_ON" -o "$OUTPUT/")
# Words that stand on several lines, as YAML allows, are taken, too: -d '' reads to the end, which read reports as 1.
# Bash 3.2 of macOS takes an empty array for an unset variable, so each loop names what to take instead.
read -r -d '' -a words <<< "$PACK" || true
for word in ${words[@]+"${words[@]}"}; do arguments+=(--pack "$word"); done
read -r -d '' -a words <<< "$FORMATS" || true
for word in ${words[@]+"${words[@]}"}; do arguments+=(-f "$word"); done
[ -z "$APP" ] || arguments+=(--app "$APP")
[ -z "$SNAPSHOT" ] || arguments+=(--snapshot "$SNAPSHOT")
[ -z "$SAMPLE" ] || arguments+=(--sample "$SAMPLE")
if is_on "$REDACT"; then arguments+=(--redact); fi
if is_on "$SUMMARY" && [[ " ${words[*]-} " != *" markdown "* ]]; then arguments+=(-f markdown); fi

if [ -z "$SNAPSHOT$SAMPLE" ]; then
  if [ -z "$AZURE_TENANT_ID" ] || [ -z "$AZURE_CLIENT_ID" ]; then
    stop "A live audit needs the inputs tenant-id and client-id. To try the step without a tenant: sample: managed-default."
  fi
  if [ -z "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ]; then
    stop "GitHub signs no token for this job: give it the permission id-token: write. docs/scheduling.md shows the workflow."
  fi
  token="$RUNNER_TEMP/consent-auditor-token"
  curl -sSf -H "Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
    "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=api://AzureADTokenExchange" | jq -er .value > "$token"
  trap 'rm -f "$token"' EXIT
  export AZURE_FEDERATED_TOKEN_FILE="$token"
fi

code=0
"$PROGRAM" "${arguments[@]}" || code=$?
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
if is_on "$SUMMARY" && [ -f "$OUTPUT/report.md" ]; then
  cat "$OUTPUT/report.md" >> "$GITHUB_STEP_SUMMARY"
fi
exit "$code"
