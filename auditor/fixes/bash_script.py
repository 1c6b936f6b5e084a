"""A fix as a bash script that sends its requests with ``az rest``.

The only things that bash expands are Graph's answers and what the administrator gives. Texts from the snapshot are in
single quotes, addresses are percent-encoded and bodies are ASCII. A JMESPath literal is JSON between backticks
(JMESPath specification, "Literal expressions").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from auditor.fixes.change import (
    CHOSEN_PRINCIPAL,
    CHOSEN_ROLE,
    NEW_SERVICE_PRINCIPAL,
    AddScopes,
    Condition,
    CreateUnlessFound,
    Equals,
    HasItems,
    MatchingRows,
    NotEmpty,
    SetValue,
    Step,
    as_json_value,
    json_text,
)
from auditor.fixes.proposed_fix import posix_quoted
from auditor.model.decision import GraphRequest

_VARIABLES = {NEW_SERVICE_PRINCIPAL: "app", CHOSEN_PRINCIPAL: "principal", CHOSEN_ROLE: "role"}
_GIVEN = {
    CHOSEN_PRINCIPAL: ("PRINCIPAL_ID", "the object id of a user or group"),
    CHOSEN_ROLE: ("APP_ROLE_ID", "the id of one of the roles of the app"),
}

_PROLOGUE = """\
set -euo pipefail
dry_run=${DRY_RUN:-}

say() { printf '%s\\n' "$*"; }
stop() { printf 'Stopped: %s\\n' "$*" >&2; exit 1; }

# The id, in a dry run, of anything that was not created.
not_created='not-created-yet'

# look ADDRESS QUERY: what Graph answers now; nothing about what a dry run did not create.
look() {
  case $1 in *"$not_created"*) return 0 ;; esac
  az rest --method get --resource "$graph" --url "$1" --query "$2" --output tsv | tr -d '\\r'
}

# send METHOD ADDRESS BODY: prints the id of what was created; a dry run only says what it would send.
send() {
  if [ -n "$dry_run" ]; then printf 'Would send: %s %s\\n%s\\n' "$1" "$2" "$3" >&2; return 0; fi
  printf 'Sending: %s %s\\n' "$1" "$2" >&2
  az rest --method "$1" --resource "$graph" --url "$2" --headers Content-Type=application/json --body "$3" \\
    --query id --output tsv | tr -d '\\r'
}
"""

_GRANTS = """
# union SCOPES SCOPES: every scope once, ignoring case.
union() { printf '%s %s' "$1" "$2" | tr -s ' ' '\\n' | awk 'NF && !seen[tolower($0)]++' | paste -sd ' ' -; }

# extend ADDRESS HAVE WANTED: adds the missing scopes to a grant.
extend() {
  local full
  full=$(union "$2" "$3")
  if [ "$full" = "$(union "$2" '')" ]; then say 'The grant already has these scopes.'; return 0; fi
  send PATCH "$1" "{\\"scope\\": \\"$full\\"}" >/dev/null
  say "Extended the grant. To undo: PATCH $1 with {\\"scope\\": \\"$2\\"}"
}
"""

_READ_BACK = """
# written ADDRESS QUERY WANTED: waits until Graph answers with the new value.
written() {
  local _
  if [ -n "$dry_run" ]; then return 0; fi
  for _ in 1 2 3 4 5; do
    if [ "$(look "$1" "$2")" = "$3" ]; then return 0; fi
    sleep "${PAUSE:-3}"
  done
  return 1
}
"""


def prologue(steps: tuple[Step, ...]) -> str:
    """The functions that these steps need."""
    grants = any(isinstance(step, AddScopes) for step in steps)
    read_back = any(isinstance(step, SetValue) and step.discarded for step in steps)
    return _PROLOGUE + (_GRANTS if grants else "") + (_READ_BACK if read_back else "")


def given(requests: tuple[GraphRequest, ...]) -> tuple[str, ...]:
    """The environment variables in which the administrator gives what only they can choose."""
    return tuple(name for name, _, _ in _given(requests))


def check_given(requests: tuple[GraphRequest, ...]) -> Iterator[str]:
    """The commands that read what the administrator gives and accept ids only."""
    for name, what, variable in _given(requests):
        yield f"{variable}=$(printf '%s' \"${{{name}:?{what}}}\" | tr '[:upper:]' '[:lower:]')"
        yield f'[[ ${variable} =~ ^[0-9a-f-]{{36}}$ ]] || stop "{name} is not an id: ${variable}"'


def _given(requests: tuple[GraphRequest, ...]) -> Iterator[tuple[str, str, str]]:
    bodies = " ".join(json_text(request.body or {}) for request in requests)
    for placeholder, (name, what) in _GIVEN.items():
        if as_json_value(placeholder) in bodies:
            yield name, what, _VARIABLES[placeholder]


def commands(request: GraphRequest, step: Step) -> Iterator[str]:
    """The commands that check, and then send the request where that is needed."""
    match step:
        case CreateUnlessFound():
            yield from _create_unless_found(request, step)
        case AddScopes():
            yield from _add_scopes(request, step)
        case SetValue():
            yield from _set_value(request, step)


def _create_unless_found(request: GraphRequest, step: CreateUnlessFound) -> Iterator[str]:
    name = step.same[0] if step.same else "id"
    query = _rows_query(step.rows) + f".{name}"
    variable = _VARIABLES.get(request.returns, "")
    yield f"found=$(look {_address(step.rows.url)} {_with_variables(f'to_string({query})' if step.same else query)})"
    yield "case $found in"
    yield "  '' | '[]')" if step.same else "  '')"
    yield from (f"    {line}" for line in _create(request))
    yield "    ;;"
    yield f"  {posix_quoted(_compact([step.same[1]])) if step.same else '*'})"
    yield f"    say {posix_quoted(step.found)}"
    if variable:
        yield f"    {variable}=$found"
    yield "    ;;"
    if step.same:
        yield f'  *) stop {posix_quoted(f"{step.different}: ")}"$found" ;;'
    yield "esac"


def _create(request: GraphRequest) -> Iterator[str]:
    """Create something and say how to undo that, if the answer holds its id."""
    if not request.returns:
        yield f"send POST {_address(request.url)} {_body(request)} >/dev/null"
        return
    variable = _VARIABLES.get(request.returns, "id")
    yield f"{variable}=$(send POST {_address(request.url)} {_body(request)})"
    yield f"{variable}=${{{variable}:-$not_created}}"
    yield f'say "To undo: DELETE "{_address(request.url)}"/${variable}"'


def _add_scopes(request: GraphRequest, step: AddScopes) -> Iterator[str]:
    wanted = posix_quoted(step.scopes)
    if step.rows is None:
        yield f"have=$(look {_address(request.url)} scope)"
        yield f'extend {_address(request.url)} "$have" {wanted}'
        return
    rows = _rows_query(step.rows)
    yield f"grants={_address(step.rows.url)}"
    yield f'id=$(look "$grants" {_with_variables(rows + ".id")})'
    yield f'have=$(look "$grants" {_with_variables(rows + ".scope")})'
    yield 'if [ -n "$id" ]; then'
    yield f'  extend {_address(request.url)}"/$id" "$have" {wanted}'
    yield "else"
    yield from (f"  {line}" for line in _create(request))
    yield "fi"


def _set_value(request: GraphRequest, step: SetValue) -> Iterator[str]:
    expected = {one: f"wanted{number or ''}" for number, one in enumerate(step.done) if isinstance(one, HasItems)}
    if step.unchanged:
        expected[step.unchanged] = "before"
    queries = dict.fromkeys(map(_value_query, (*step.done, *expected)))
    answers = {query: f"now{number}" if number > 1 else "now" for number, query in enumerate(queries, start=1)}

    def holds(condition: Condition) -> str:
        value = f'"${expected[condition]}"' if condition in expected else posix_quoted(_compared_with(condition))
        sign = "!=" if isinstance(condition, NotEmpty) else "="
        return f'[ "${answers[_value_query(condition)]}" {sign} {value} ]'

    yield f"place={_address(step.url)}"
    yield from (f"{name}={posix_quoted(_compared_with(condition))}" for condition, name in expected.items())
    yield from (f'{name}=$(look "$place" {posix_quoted(query)})' for query, name in answers.items())
    yield f"if {' && '.join(map(holds, step.done))}; then"
    yield f"  say {posix_quoted(step.found)}"
    if step.unchanged:
        yield f"elif ! {holds(step.unchanged)}; then"
        yield f'  stop {posix_quoted(f"{step.changed}: ")}"${answers[_value_query(step.unchanged)]}"'
    yield "else"
    yield f"  send {request.method} {_address(request.url)} {_body(request)} >/dev/null"
    if step.discarded:
        for condition, name in expected.items():
            if condition in step.done:
                query = posix_quoted(_value_query(condition))
                yield f'  written "$place" {query} "${name}" || stop {posix_quoted(step.discarded)}'
    yield "fi"


def _rows_query(rows: MatchingRows) -> str:
    """The rows as a JMESPath expression that a property can follow."""
    terms = [f"{name}=={_literal(value)}" for name, value in rows.where]
    terms += [f"contains(not_null({name}, `[]`), {_literal(value)})" for name, value in rows.contains]
    chosen = f"[?{' && '.join(terms)}]" if terms else "[]"
    if rows.inside is None:
        return f"value{chosen}"
    row_id, name = rows.inside
    return f"value[?id=={_literal(row_id)}].{name}[] | {chosen}"


def _value_query(condition: Condition) -> str:
    if isinstance(condition, Equals):
        # A text without a list around it would have no quotes, and be equal to the number or the null that it spells.
        is_text = isinstance(condition.value, str)
        return f"to_string([{condition.path}])" if is_text else f"to_string({condition.path})"
    return f"to_string(sort(not_null({condition.path}, `[]`)))"


def _compared_with(condition: Condition) -> str:
    """The text that the answer to a condition's query equals or, for `NotEmpty`, must not equal."""
    match condition:
        case Equals(_, value):
            return _compact([value] if isinstance(value, str) else value)
        case HasItems(_, items):
            return _compact(sorted(items))
        case NotEmpty():
            return "[]"


def _literal(value: Any) -> str:
    """A JMESPath literal."""
    return "`" + json.dumps(value).replace("`", "\\`") + "`"


def _compact(value: Any) -> str:
    """JSON as JMESPath's ``to_string`` writes it."""
    return json.dumps(value, separators=(",", ":"))


def _address(url: str) -> str:
    """An address as one word. It is percent-encoded, so a placeholder in it is never part of a name."""
    return posix_quoted(url).replace(NEW_SERVICE_PRINCIPAL, "'\"$app\"'")


def _body(request: GraphRequest) -> str:
    return _with_variables(json_text(request.body or {}))


def _with_variables(text: str) -> str:
    """`text` as one word, in which JSON values that are placeholders become variables."""
    word = posix_quoted(text)
    for placeholder, variable in _VARIABLES.items():
        word = word.replace(as_json_value(placeholder), f'"\'"${variable}"\'"')
    return word
