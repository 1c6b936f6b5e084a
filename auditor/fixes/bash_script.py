"""A fix as a bash script that sends its requests with ``az rest``.

Only what Graph answered, and what the administrator fills in, is ever expanded. Texts from the snapshot stand between
single quotes, addresses are percent-encoded and bodies are ASCII. `jmespath` literals are JSON, which ``--query`` takes
between backticks (JMESPath specification, "Literal expressions").
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from auditor.fixes import actions, lookup_urls
from auditor.fixes.quoting import body_text, posix
from auditor.fixes.requests import NEW_SERVICE_PRINCIPAL, SOME_ROLE, SOMEBODY, held

_VARIABLES = {NEW_SERVICE_PRINCIPAL: "app", SOMEBODY: "principal", SOME_ROLE: "role"}

_APP = "'\"$app\"'"

PROLOGUE = """\
set -euo pipefail
dry_run=${DRY_RUN:-}

say() { printf '%s\\n' "$*"; }
stop() { printf 'Stopped: %s\\n' "$*" >&2; exit 1; }

# look ADDRESS QUERY: what Graph answers now.
look() { az rest --method get --resource "$graph" --url "$1" --query "$2" --output tsv | tr -d '\\r'; }

# send METHOD ADDRESS BODY: prints the id of what was made; in a dry run, only says what it would send.
send() {
  if [ -n "$dry_run" ]; then printf 'Would send: %s %s\\n%s\\n' "$1" "$2" "$3" >&2; return 0; fi
  printf 'Sending: %s %s\\n' "$1" "$2" >&2
  az rest --method "$1" --resource "$graph" --url "$2" --headers Content-Type=application/json --body "$3" \\
    --query id --output tsv | tr -d '\\r'
}
"""

_UNBORN = """
# Stands, in a dry run, for the id of what was not made.
unborn='not-made-yet'
"""

_GRANTS = """
# union SCOPES SCOPES: every scope once, whatever its letter case.
union() { printf '%s %s' "$1" "$2" | tr -s ' ' '\\n' | awk 'NF && !seen[tolower($0)]++' | paste -sd ' ' -; }

# extend ADDRESS HAVE WANTED: adds what is missing to the scopes of a grant.
extend() {
  local full
  full=$(union "$2" "$3")
  if [ "$full" = "$(union "$2" '')" ]; then say 'The grant holds these scopes already.'; return 0; fi
  send PATCH "$1" "{\\"scope\\": \\"$full\\"}" >/dev/null
  say "Extended the grant. To undo: PATCH $1 with {\\"scope\\": \\"$2\\"}"
}
"""

_READ_BACK = """
# changed ADDRESS QUERY WANTED: waits until Graph answers with what was written.
changed() {
  local _
  if [ -n "$dry_run" ]; then return 0; fi
  for _ in 1 2 3 4 5; do
    if [ "$(look "$1" "$2")" = "$3" ]; then return 0; fi
    sleep "${PAUSE:-3}"
  done
  return 1
}
"""


def prologue(todo: tuple[actions.Action, ...]) -> str:
    """The functions that these actions need."""
    kinds = {type(one) for one in todo}
    parts = (
        (_UNBORN, {actions.MakePrincipal, actions.MakeGrant, actions.Classify, actions.Assign}),
        (_GRANTS, {actions.MakeGrant, actions.ExtendGrant}),
        (_READ_BACK, {actions.AssignPolicies}),
    )
    return PROLOGUE + "".join(text for text, needed_by in parts if kinds & needed_by)


def asked_for(todo: tuple[actions.Action, ...]) -> tuple[str, ...]:
    """The environment variables in which the administrator gives what only they can choose."""
    bodies = " ".join(body_text(one.body) for one in todo)
    return tuple(name for placeholder, (name, _) in _ASKED.items() if held(placeholder) in bodies)


_ASKED = {
    SOMEBODY: ("PRINCIPAL_ID", "the object id of a user or group"),
    SOME_ROLE: ("APP_ROLE_ID", "the id of one of the roles of the app"),
}


def filled_in(todo: tuple[actions.Action, ...]) -> Iterator[str]:
    """The commands that take what the administrator gives, and nothing but ids."""
    for placeholder, (name, what) in _ASKED.items():
        if name in asked_for(todo):
            variable = _VARIABLES[placeholder]
            yield f"{variable}=$(printf '%s' \"${{{name}:?{what}}}\" | tr '[:upper:]' '[:lower:]')"
            yield f'[[ ${variable} =~ ^[0-9a-f-]{{36}}$ ]] || stop "{name} is not an id: ${variable}"'


def lines(action: actions.Action) -> Iterator[str]:
    """The commands that bring one action about."""
    yield from _WRITERS[type(action)](action)


def _word(text: str) -> str:
    """`text` as one word; a text that is a placeholder is the variable."""
    return f'"${_VARIABLES[text]}"' if text in _VARIABLES else posix(text)


def _literal(value: Any) -> str:
    """A JMESPath literal."""
    return "`" + json.dumps(value).replace("`", "\\`") + "`"


def _url(action: actions.Action) -> str:
    return posix(action.request.url)


def _body(action: actions.Action) -> str:
    """The body as one word, in which values that are placeholders are variables."""
    word = posix(body_text(action.body))
    for placeholder, variable in _VARIABLES.items():
        word = word.replace(held(placeholder), f'"\'"${variable}"\'"')
    return word


def _make_principal(action: actions.Action) -> Iterator[str]:
    found = lookup_urls.where(action.request.url, appId=str(action.body["appId"]))
    yield f"app=$(look {_word(found)} 'value[].id')"
    yield 'if [ -n "$app" ]; then'
    yield "  say 'The app is in the tenant already.'"
    yield "else"
    yield f"  app=$(send POST {_url(action)} {_body(action)})"
    yield "  app=${app:-$unborn}"
    yield f'  say "To undo: DELETE "{_url(action)}"/$app"'
    yield "fi"


def _make_grant(action: actions.Action) -> Iterator[str]:
    body = action.body
    mine = f"value[?resourceId=={_literal(body['resourceId'])} && consentType=={_literal(body['consentType'])}]"
    # The address is percent-encoded but for the one placeholder that it may hold.
    rows = posix(lookup_urls.grant_rows(action.request.url, body))
    yield f"rows={rows.replace(NEW_SERVICE_PRINCIPAL, _APP)}"
    yield "id='' have=''"
    yield 'case $rows in *"$unborn"*) ;; *)'
    yield f'  id=$(look "$rows" {_word(mine + ".id")})'
    yield f'  have=$(look "$rows" {_word(mine + ".scope")}) ;;'
    yield "esac"
    yield 'if [ -n "$id" ]; then'
    yield f'  extend {_url(action)}"/$id" "$have" {_word(str(body["scope"]))}'
    yield "else"
    yield f"  id=$(send POST {_url(action)} {_body(action)})"
    yield f'  say "To undo: DELETE "{_url(action)}"/${{id:-$unborn}}"'
    yield "fi"


def _extend_grant(action: actions.Action) -> Iterator[str]:
    yield f"have=$(look {_url(action)} scope)"
    yield f'extend {_url(action)} "$have" {_word(str(action.body["scope"]))}'


def _make_policy(action: actions.Action) -> Iterator[str]:
    """A policy that somebody else made under the same id could approve anything, so its name is looked at."""
    query = f"to_string(value[?id=={_literal(action.body['id'])}].displayName)"
    yield f"found=$(look {_url(action)} {_word(query)})"
    yield "case $found in"
    yield f"  {_word(_compact([action.body['displayName']]))}) say 'The policy is there already.' ;;"
    yield f"  '[]') send POST {_url(action)} {_body(action)} >/dev/null ;;"
    yield "  *) stop 'there is another policy with this id' ;;"
    yield "esac"


def _add_include(action: actions.Action) -> Iterator[str]:
    assert isinstance(action, actions.AddInclude)
    body = action.body
    same = [f"resourceApplication=={_literal(body['resourceApplication'])}"]
    for name in ("clientApplicationIds", "permissions"):
        same += [f"contains(not_null({name}, `[]`), {_literal(one)})" for one in body[name]]
    query = f"value[?id=={_literal(action.policy)}].includes[] | [?{' && '.join(same)}].id"
    yield f"found=$(look {_word(action.policies)} {_word(query)})"
    yield 'if [ -n "$found" ]; then'
    yield "  say 'The policy has this include already.'"
    yield "else"
    yield f"  send POST {_url(action)} {_body(action)} >/dev/null"
    yield "fi"


def _compact(value: Any) -> str:
    """JSON as JMESPath's ``to_string`` writes it."""
    return json.dumps(value, separators=(",", ":"))


def _assign_policies(action: actions.Action) -> Iterator[str]:
    assert isinstance(action, actions.AssignPolicies)
    yield f"list={_url(action)}"
    yield "query='to_string(sort(defaultUserRolePermissions.permissionGrantPoliciesAssigned))'"
    yield f"before={_word(_compact(sorted(action.before)))}"
    yield f"wanted={_word(_compact(sorted(action.wanted)))}"
    yield 'now=$(look "$list" "$query")'
    yield 'if [ "$now" = "$wanted" ]; then'
    yield "  say 'The list is as it should be already.'"
    yield 'elif [ "$now" != "$before" ]; then'
    yield '  stop "the list has changed since the snapshot was taken, run the check again: $now"'
    yield "else"
    yield f'  send PATCH "$list" {_body(action)} >/dev/null'
    discarded = (
        "Graph accepted the change and discarded it, as it may while Microsoft manages the setting: choose another"
        " option under User consent settings, then run this again"
    )
    yield f'  changed "$list" "$query" "$wanted" || stop {posix(discarded)}'
    yield "fi"


def _classify(action: actions.Action) -> Iterator[str]:
    query = f"value[?permissionId=={_literal(action.body['permissionId'])}].classification"
    yield f"now=$(look {_url(action)} {_word(query)})"
    yield "case $now in"
    yield f"  {_word(str(action.body['classification']))}) say 'It is classified so already.' ;;"
    yield f"  '') id=$(send POST {_url(action)} {_body(action)})"
    yield f'    say "To undo: DELETE "{_url(action)}"/${{id:-$unborn}}" ;;'
    yield '  *) stop "it is classified $now, which somebody chose on purpose" ;;'
    yield "esac"


def _set_flag(action: actions.Action) -> Iterator[str]:
    assert isinstance(action, actions.SetFlag)
    value = "true" if action.value else "false"
    address = lookup_urls.selected(action.request.url, action.name)
    yield f"now=$(look {_word(address)} {_word(f'to_string({action.name})')})"
    yield f'if [ "$now" = {value} ]; then'
    yield f"  say '{action.name} is {value} already.'"
    yield "else"
    yield f"  send PATCH {_url(action)} {_body(action)} >/dev/null"
    yield "fi"


def _assign(action: actions.Action) -> Iterator[str]:
    yield f"found=$(look {_word(action.request.url + '?$top=999')} 'value[].principalId')"
    yield f"wanted={_word(str(action.body['principalId']))}"
    yield "case $'\\n'\"$found\"$'\\n' in"
    yield "  *$'\\n'\"$wanted\"$'\\n'*) say 'They are assigned already.' ;;"
    yield f"  *) id=$(send POST {_url(action)} {_body(action)})"
    yield f'    say "To undo: DELETE "{_url(action)}"/${{id:-$unborn}}" ;;'
    yield "esac"


def _set_workflow(action: actions.Action) -> Iterator[str]:
    assert isinstance(action, actions.SetWorkflow)
    yield f"on=$(look {_url(action)} 'to_string(isEnabled)')"
    yield f"now=$(look {_url(action)} 'to_string(sort(not_null(reviewers[].query, `[]`)))')"
    yield 'if [ "$on" = true ] && [ "$now" != "[]" ]; then'
    yield "  say 'The workflow is on and has reviewers already.'"
    yield f'elif [ "$now" != {_word(_compact(sorted(action.before)))} ]; then'
    yield '  stop "the reviewers have changed since the snapshot was taken, run the check again: $now"'
    yield "else"
    yield f"  send PUT {_url(action)} {_body(action)} >/dev/null"
    yield "fi"


_WRITERS: dict[type[actions.Action], Callable[[actions.Action], Iterator[str]]] = {
    actions.MakePrincipal: _make_principal,
    actions.MakeGrant: _make_grant,
    actions.ExtendGrant: _extend_grant,
    actions.MakePolicy: _make_policy,
    actions.AddInclude: _add_include,
    actions.AssignPolicies: _assign_policies,
    actions.Classify: _classify,
    actions.SetFlag: _set_flag,
    actions.Assign: _assign,
    actions.SetWorkflow: _set_workflow,
}
