"""The delegated grants of a large snapshot, of which nearly all belong to apps that nobody asked about.

If a question is about some apps, `OtherGrants` recognizes the grants of all others. If it is about all grants, these
are kept in groups (`GrantGroups`), or without their ids (`shortened`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import compress, repeat
from operator import attrgetter, is_
from typing import Any

from auditor.model.resources import PRINCIPAL, OAuth2PermissionGrant
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import CommonOfGrants, GroupedGrants
from auditor.snapshot.row_decoder import Batch, JsonLines, RowReader, none_blank

GRANTS = "oauth2PermissionGrants"
WRITTEN_ALL_PRINCIPALS, _FOR_ONE = "AllPrincipals", "Principal"
_ONLY_TENANT_WIDE = frozenset({WRITTEN_ALL_PRINCIPALS})
CLIENT, CONSENT, _USER = map(attrgetter, ("clientId", "consentType", "principalId"))
_COMMON = attrgetter("resourceId", "consentType", "scope", "clientId")
_FEW = 20
"""Apps that are searched for in the bytes of a file; for more, its rows are decoded."""
_FIRST = 200
"""Rows that show how a file writes a row."""


class Incomplete(Exception):
    """A row lacks something that Graph always returns."""


class GrantGroups:
    """Brings grants together that differ in their users only, and keeps the ones of `clients` as they are.

    A grant that isn't as Graph returns grants raises `Incomplete` or `BlankText`: the groups can't hold it. So does one
    that is there twice with different scopes, because one of them is outdated. Twice with the same, it counts once.
    """

    def __init__(self, reader: RowReader, clients: frozenset[str]) -> None:
        self._reader = reader
        self._clients = clients
        self._users: dict[CommonOfGrants, list[str | None]] = {}
        self._kept: dict[str, list[OAuth2PermissionGrant]] = {}

    def add(self, batch: Batch) -> None:
        """Add the grants of a batch. Raises `Incomplete` and `BlankText`."""
        reader, users, shared = self._reader, self._users, self._reader.shared
        rows = reader.decoded(batch)
        if not reader.is_strict:
            rows = [reader.typed(row) for row in rows]
            if any(row.lacks for row in rows):
                raise Incomplete
        for common, user in zip(map(_COMMON, rows), none_blank(list(map(_USER, rows))), strict=True):
            try:
                users[common].append(user)
            except KeyError:
                resource, consent, scope, client = map(shared.__getitem__, common)
                users[resource, consent, scope, client] = [user]
                if client.lower() in self._clients:
                    self._kept.setdefault(client, [])
        if kept := self._kept:
            for row in rows:
                if row.clientId in kept:
                    kept[row.clientId].append(reader.typed(row))

    def complete(self, may_repeat: bool) -> GroupedGrants:
        """The grants. With `may_repeat`, two with one id are the same one. Raises `Incomplete`."""
        for (_, consent, _, _), users in self._users.items():
            if consent != WRITTEN_ALL_PRINCIPALS and (consent != _FOR_ONE or None in users):
                raise Incomplete
        if may_repeat:
            self._refuse_different_scopes()
            key = SECTIONS[GRANTS].key
            self._kept = {client: list({key(row): row for row in rows}.values()) for client, rows in self._kept.items()}
        return GroupedGrants(self._users, self._kept)

    def _refuse_different_scopes(self) -> None:
        """Raise `Incomplete` if an app has two grants on a resource for the same user, or for everybody."""
        if len({(resource, consent, client) for resource, consent, _, client in self._users}) == len(self._users):
            return
        seen: dict[tuple[str, str, str], set[str | None]] = {}
        for (resource, consent, _, client), users in self._users.items():
            others = seen.setdefault((resource, consent, client), set())
            if not others.isdisjoint(users):
                raise Incomplete
            others.update(users)


def shortened(reader: RowReader, decoded: Sequence[Any], clients: frozenset[str]) -> list[Any]:
    """The typed rows of grants, without the ids of those that are complete and of other apps than `clients`."""
    rows = reader.all_typed(decoded, shortened=True)
    without_user = compress(map(CONSENT, decoded), map(is_, map(_USER, decoded), repeat(None)))
    # Nearly always, only C code goes through the rows.
    if not clients.isdisjoint(map(str.lower, map(CLIENT, decoded))) or not _ONLY_TENANT_WIDE.issuperset(without_user):
        for at, row in enumerate(decoded):
            if row.clientId.lower() in clients or (
                row.principalId is None and row.consentType != WRITTEN_ALL_PRINCIPALS
            ):
                rows[at] = reader.typed(row)
    return rows


class OtherGrants:
    """Recognizes complete grants of other apps than `clients`. Most have a client and scopes that were seen before."""

    def __init__(self, clients: frozenset[str]) -> None:
        self._clients = tuple(client.encode() for client in clients)
        self._seen: set[str] = set()
        self._pattern: re.Pattern[bytes] | None = None

    def are_all(self, batch: Batch) -> bool:
        """Whether a batch certainly consists of such grants, found without decoding it."""
        if not isinstance(batch, JsonLines) or len(self._clients) > _FEW:
            return False
        if self._pattern is None or not self._pattern.fullmatch(batch.text):
            self._pattern = _pattern_like(batch.text)
            if self._pattern is None or not self._pattern.fullmatch(batch.text):
                return False
        text = batch.text.lower()
        return not any(client in text for client in self._clients)

    def includes(self, row: Any) -> bool:
        """Whether the row is such a grant, as far as earlier ones show."""
        seen = self._seen
        if row.clientId not in seen or row.resourceId not in seen or row.scope not in seen:
            return False
        return row.consentType == WRITTEN_ALL_PRINCIPALS or (row.consentType == _FOR_ONE and _has_user(row))

    def add(self, row: Any) -> None:
        """Note a complete grant of another app. Raises `Incomplete` if it isn't known whom it is for."""
        kind = row.consentType.lower()
        if kind != WRITTEN_ALL_PRINCIPALS.lower() and (kind != PRINCIPAL or not _has_user(row)):
            raise Incomplete
        self._seen |= {row.clientId, row.resourceId, row.scope}


def _has_user(row: Any) -> bool:
    return bool(row.principalId and not row.principalId.isspace())


def _pattern_like(text: bytes) -> re.Pattern[bytes] | None:
    """A pattern of complete grants that are written as the first ones of `text` are, without a character escaped.

    None for grants that are written in another way than this program and Graph do.
    """
    first = (line for line in text.split(b"\n", _FIRST)[:_FIRST] if line)
    # A grant for everybody may be without a user.
    names = max((re.findall(rb'[{,]"([A-Za-z]+)":', line) for line in first), key=len, default=[])
    if sorted(names) != sorted(_FOR_USER) or names[0] in (b"consentType", b"principalId"):
        return None
    between = sorted((names.index(b"consentType"), names.index(b"principalId")))
    before, middle, after = names[: between[0]], names[between[0] : between[1] + 1], names[between[1] + 1 :]
    either = rb"|".join(_properties(middle, values) for values in (_FOR_EVERYBODY, _FOR_USER))
    row = _properties(before, _FOR_USER).removeprefix(b",") + rb"(?>" + either + rb")" + _properties(after, _FOR_USER)
    return re.compile(rb"(?:\{" + row + rb"\}\n)++")


_ID = rb'"[0-9A-Za-z_-]++"'
_SCOPE = rb'" *+[!#-\[\]-~][ !#-\[\]-~]*+"'
_FOR_USER = {
    b"id": _ID,
    b"clientId": _ID,
    b"resourceId": _ID,
    b"scope": _SCOPE,
    b"consentType": b'"Principal"',
    b"principalId": _ID,
}
_FOR_EVERYBODY = _FOR_USER | {b"consentType": b'"AllPrincipals"', b"principalId": rb"(?:null|" + _ID + rb")"}


def _properties(names: Sequence[bytes], values: Mapping[bytes, bytes]) -> bytes:
    """A pattern of these properties, each after a comma. A grant for everybody has no user."""
    parts = [rb',"' + name + rb'":' + values[name] for name in names]
    if values is _FOR_EVERYBODY:
        parts = [
            rb"(?:" + part + rb")?+" if name == b"principalId" else part
            for name, part in zip(names, parts, strict=True)
        ]
    return b"".join(parts)
