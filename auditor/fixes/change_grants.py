"""What the requests about delegated grants change.

Source: Microsoft Graph v1.0, ``oAuth2PermissionGrant``: one row per client, resource and (for one user) user; a
PATCH replaces the whole scope string.
"""

from __future__ import annotations

import msgspec

from auditor.fixes.errors import Conflict, NotApplicable
from auditor.fixes.requests import derived_grant_id
from auditor.model.fix import GraphRequest
from auditor.model.resources import OAuth2PermissionGrant
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot


def create(before: Snapshot, _: tuple[str, ...], request: GraphRequest) -> Sections:
    """A row more."""
    rows = before.sections.oauth2PermissionGrants or ()
    row = msgspec.convert({"id": request.returns or None, **(request.body or {})}, OAuth2PermissionGrant)
    mine = _key(row)
    if any(other.clientId.lower() == mine[0] and _key(other) == mine for other in rows):
        raise Conflict("there is a grant for the same client and resource")
    return msgspec.structs.replace(before.sections, oauth2PermissionGrants=(*rows, row))


def change(before: Snapshot, ids: tuple[str, ...], request: GraphRequest) -> Sections:
    """A row has another scope string."""
    rows = list(before.sections.oauth2PermissionGrants or ())
    place = rows.index(found_row(before, ids[0]))
    rows[place] = msgspec.structs.replace(rows[place], scope=str((request.body or {})["scope"]))
    return msgspec.structs.replace(before.sections, oauth2PermissionGrants=tuple(rows))


def delete(before: Snapshot, ids: tuple[str, ...], _: GraphRequest) -> Sections:
    """A row less."""
    gone = found_row(before, ids[0])
    rows = tuple(row for row in before.sections.oauth2PermissionGrants or () if row is not gone)
    return msgspec.structs.replace(before.sections, oauth2PermissionGrants=rows)


def found_row(before: Snapshot, grant_id: str) -> OAuth2PermissionGrant:
    """The row with this id. Raises NotApplicable where there is none."""
    for row in before.sections.oauth2PermissionGrants or ():
        if id_of(row) == grant_id:
            return row
    raise NotApplicable(f"no grant {grant_id}")


def id_of(row: OAuth2PermissionGrant) -> str | None:
    """The row's id, worked out where it was not read."""
    return row.id or derived_grant_id(row.clientId, row.resourceId, row.principalId)


def _key(row: OAuth2PermissionGrant) -> tuple[str, ...]:
    parts = (row.clientId, row.resourceId, row.consentType, row.principalId or "")
    return tuple(part.lower() for part in parts)
