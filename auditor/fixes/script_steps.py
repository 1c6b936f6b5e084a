"""What a script checks before it sends a request, described independently of the shell.

A request that is sent twice, or long after the snapshot was taken, may fail or overwrite what somebody else has set
meanwhile. Each change therefore describes the check with one of the three steps here, and each shell knows how to
write the three. Texts are messages for the administrator who runs the script.
"""

from __future__ import annotations

import msgspec


class NoScript(ValueError):
    """The fix can't be written as a script; the message gives the reason."""


class Rows(msgspec.Struct, frozen=True, kw_only=True):
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

    rows: Rows
    found: str
    same: tuple[str, str] | None = None
    different: str = ""


class AddScopes(msgspec.Struct, frozen=True, kw_only=True):
    """Add `scopes` to a grant; the scopes that it has by then stay.

    The grant is the one at the request's address, or the one of `rows`, which the request creates if there is none.
    """

    scopes: str
    rows: Rows | None = None


class Equals(msgspec.Struct, frozen=True):
    """The property at `path` has this value."""

    path: str
    value: bool


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
