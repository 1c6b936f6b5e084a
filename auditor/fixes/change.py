"""A kind of change that a fix can make: its request, its effect on a snapshot, its undo, and its step in a script.

A subclass names its request (`method`, `path`), the delegated permission that the request needs (`permission`), and
defines the effect on a snapshot, the undo, the words, and what a script checks before it sends the request. Adding a
kind of change means adding one such class and listing it in `auditor.fixes.change_kinds`.

A request that is sent twice, or long after the snapshot was taken, may fail or overwrite what somebody else has set
meanwhile. Each change therefore gives a script one of three steps, `CreateUnlessFound`, `AddScopes` or `SetValue`,
which check the present state first; `auditor.fixes.bash_script` and `powershell_script` write them. Their texts are
messages for the administrator who runs the script.

Source: Microsoft Graph v1.0 reference, the page of each request.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Any, ClassVar, Self
from urllib.parse import quote, unquote

import msgspec

from auditor.facts.ids import cloud_named
from auditor.model.decision import GraphRequest
from auditor.model.snapshot import Snapshot

NEW_SERVICE_PRINCIPAL = "{object id of the new service principal}"
"""Placeholder for the id that Graph assigns when the app's service principal is created."""
REGISTERED_PERMISSIONS = "{permissions-of-the-registration}"
"""Placeholder for the scopes of a grant that only opening an admin consent link makes: nobody here can list them."""
CHOSEN_PRINCIPAL = "{object id of the user or group}"
"""Placeholder for the user or group that the administrator wants to assign to the app."""
CHOSEN_ROLE = "{id of the app role to assign}"
"""Placeholder for one of the app's own roles, where the administrator has to choose."""
_NEW = "{id of the new "


class NotApplicable(Exception):
    """The change doesn't fit the snapshot, or what it changes was not read."""


class Conflict(NotApplicable):
    """What the change creates already exists: Graph refuses the request, and nothing changes."""


class GraphChange(msgspec.Struct, frozen=True, kw_only=True):
    """One write to Microsoft Graph.

    `graph` is the address of Microsoft Graph v1.0 in the tenant's cloud. `body` is exactly what the fix prints and
    what `effect` reads, so applying a change tests the printed instruction. `returns` is the placeholder that later
    changes and the undo use for the id in Graph's answer. A subclass has one field for each name in `path`.
    """

    method: ClassVar[str]
    path: ClassVar[str]
    """The path below `graph`; the names in braces are fields of the class."""
    sets: ClassVar[str] = ""
    """The property in the body that distinguishes this change from others at the same address, if there are any."""
    permission: ClassVar[str]
    """The delegated permission that the request needs."""
    summary: ClassVar[str] = ""
    """What the change does, in a few words; empty if the class works `comment` out."""

    graph: str
    body: Mapping[str, Any] = {}
    returns: str = ""

    @property
    def url(self) -> str:
        """The complete address, percent-encoded except for placeholders."""
        return self.graph + "/".join(_written(self, part) for part in self.path.split("/"))

    @property
    def request(self) -> GraphRequest:
        """The request to print."""
        return GraphRequest(method=self.method, url=self.url, body=self.body or None, returns=self.returns)

    @classmethod
    def read(cls, request: GraphRequest) -> Self | None:
        """The change that `request` makes, or ``None`` if it is a different kind of change.

        This is the inverse of `request`: reports store requests only.
        """
        host, version, path = request.url.partition("/v1.0")
        fields = _read(cls.path, path)
        body = request.body or {}
        if request.method != cls.method or fields is None or (cls.sets and cls.sets not in body):
            return None
        return cls(graph=host + version, body=body, returns=request.returns, **fields)

    def apply(self, before: Snapshot) -> Snapshot:
        """The snapshot after this change.

        Raises NotApplicable if the change does not fit the snapshot or what it changes was not read, and Conflict if
        what it creates already exists.
        """
        try:
            return self.effect(before)
        except (KeyError, TypeError, msgspec.ValidationError) as wrong:
            raise NotApplicable(f"{self.method} {self.url}: {wrong}") from wrong

    def effect(self, before: Snapshot) -> Snapshot:
        """The snapshot after this change, computed from `body`. Raises as `apply`, or what a malformed body causes."""
        raise NotImplementedError

    def undo(self, before: Snapshot) -> tuple[GraphChange, ...]:
        """The changes that restore `before`. Raises NotApplicable if the previous value is not known."""
        raise NotApplicable(f"{self.method} {self.url} cannot be undone")

    @property
    def comment(self) -> str:
        """What this change does, as a comment in a script."""
        return self.summary

    @property
    def previous_value(self) -> str:
        """A sentence with the exact value that this change restores as part of an undo; empty if it restores none."""
        return ""

    def script_step(self, undo: GraphChange | None) -> Step:
        """What a script checks before it sends the request. `undo` holds the value from the snapshot, if known.

        Raises NoScript if no script can make this change safely.
        """
        raise NoScript(f"a script has no step for {self.method} {self.url}")


class Deletion(GraphChange, frozen=True, kw_only=True):
    """A change that deletes what another change created. It is part of an undo only, so no script sends it."""

    method = "DELETE"


def with_sections(before: Snapshot, **sections: Any) -> Snapshot:
    """The snapshot with these sections replaced."""
    return msgspec.structs.replace(before, sections=msgspec.structs.replace(before.sections, **sections))


def graph_address(snapshot: Snapshot) -> str:
    """The address of Microsoft Graph v1.0 in the snapshot's cloud."""
    return cloud_named(snapshot.cloud).graph + "/v1.0"


def new_id(what: str, number: int = 1) -> str:
    """The placeholder for the id of something that a fix creates; `number` distinguishes several of them."""
    return f"{_NEW}{what}{f' {number}' if number > 1 else ''}}}"


def json_text(body: Mapping[str, Any]) -> str:
    """The body of a request as one line of ASCII.

    JSON can write every character in ASCII (RFC 8259, section 7), so nothing in a body means anything to a shell, a
    terminal, an editor or Windows PowerShell's code page.
    """
    return json.dumps(body, ensure_ascii=True, default=dict)


def as_json_value(placeholder: str) -> str:
    """The placeholder as a whole value in a JSON body. Within a longer text it may be part of a name, so it stays."""
    return f'"{placeholder}"'


def with_filter(url: str, **equal: str) -> str:
    """The address of the objects at `url` whose properties have these values."""
    values = {name: _encoded(text, before="'") for name, text in equal.items()}
    terms = "%20and%20".join(f"{name}%20eq%20%27{value}%27" for name, value in values.items())
    return f"{url}?$filter={terms}"


def _encoded(text: str, before: str = "") -> str:
    """`text` as part of an address; in an OData string literal (after a quote), quotes are doubled."""
    if text == NEW_SERVICE_PRINCIPAL or (text.startswith(_NEW) and text.endswith("}")):
        return text
    return quote(text.replace("'", "''") if before.endswith("'") else text, safe="")


def _written(change: GraphChange, part: str) -> str:
    before, name, after = _field_in(part)
    return before + _encoded(getattr(change, name), before) + after if name else part


def _read(template: str, path: str) -> dict[str, Any] | None:
    """The fields that `path` fills in `template`, or ``None`` if the two do not match."""
    parts, given = template.split("/"), path.split("/")
    if len(parts) != len(given):
        return None
    fields: dict[str, Any] = {}
    for part, text in zip(parts, given, strict=True):
        before, name, after = _field_in(part)
        if not name and text != part:
            return None
        if name:
            value = text.removeprefix(before).removesuffix(after)
            if before + value + after != text:
                return None
            value = unquote(value)
            fields[name] = value.replace("''", "'") if before.endswith("'") else value
    return fields


def _field_in(part: str) -> tuple[str, str, str]:
    """The text before a field in one part of a path, the field's name (empty if there is none), and the text after."""
    before, _, rest = part.partition("{")
    name, _, after = rest.partition("}")
    return before, name, after


def states_of(before: Snapshot, changes: Iterable[GraphChange]) -> tuple[Snapshot, ...]:
    """`before`, and the snapshot after each of `changes`, in order. Raises as `GraphChange.apply`."""
    return tuple(accumulate(changes, lambda state, change: change.apply(state), initial=before))


def undo_of(states: Iterable[Snapshot], changes: Iterable[GraphChange]) -> tuple[GraphChange, ...]:
    """The changes that undo `changes`, last first: what they created is deleted, what they replaced is restored.

    `states` are the snapshots of `states_of`. Raises NotApplicable if a previous value is not known.
    """
    undo: list[GraphChange] = []
    for state, change in zip(states, changes, strict=False):
        undo[:0] = change.undo(state)
    return tuple(undo)


class NoScript(ValueError):
    """The fix can't be written as a script; the message gives the reason."""


class MatchingRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of the list at `url` whose properties equal `where` and whose lists hold each item of `contains`.

    With `inside` (an id and the name of a list property), these are the rows of that list in the object with that id.
    """

    url: str
    where: tuple[tuple[str, str], ...] = ()
    contains: tuple[tuple[str, str], ...] = ()
    inside: tuple[str, str] | None = None


class CreateUnlessFound(msgspec.Struct, frozen=True, kw_only=True):
    """Send the request unless one of `rows` exists; then print `found`.

    With `same` (a property and its value), a row in which the property differs stops the script with `different` and
    the present value.
    """

    rows: MatchingRows
    found: str
    same: tuple[str, str] | None = None
    different: str = ""


class AddScopes(msgspec.Struct, frozen=True, kw_only=True):
    """Add `scopes` to a grant; the scopes that it has by then stay.

    The grant is the one at the request's address, or the one of `rows`, which the request creates if there is none.
    """

    scopes: str
    rows: MatchingRows | None = None


class Equals(msgspec.Struct, frozen=True):
    """The property at `path` has this value."""

    path: str
    value: bool | int | str


class HasItems(msgspec.Struct, frozen=True):
    """The list at `path` has exactly these items, in any order."""

    path: str
    items: tuple[str, ...]


class NotEmpty(msgspec.Struct, frozen=True):
    """The list at `path` has at least one item."""

    path: str


Condition = Equals | HasItems | NotEmpty
"""Paths are names joined by dots; ``[]`` after a name means each item of that list."""


class SetValue(msgspec.Struct, frozen=True, kw_only=True):
    """Send the request unless every condition of `done` holds for the object at `url`; then print `found`.

    If `unchanged` no longer holds, somebody has changed the value since the snapshot was taken: the script stops with
    `changed` and the present value. With `discarded`, the script reads the lists of `done` back after the write, and
    stops with this text if Graph accepted the write without making it.
    """

    url: str
    done: tuple[Condition, ...]
    found: str
    unchanged: HasItems | None = None
    changed: str = ""
    discarded: str = ""


Step = CreateUnlessFound | AddScopes | SetValue
