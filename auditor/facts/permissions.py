"""The Microsoft Graph application permissions that an audit can use, and what is unknown without each.

The table and its sources are in ``permissions.json``. Which permissions allow which read is in the table of
snapshot sections (`auditor.model.sections`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from auditor.facts.tables import load_table


class ApplicationPermission(msgspec.Struct, frozen=True, kw_only=True):
    """An app role of Microsoft Graph.

    `without` says what an audit without the permission can't determine. `wider` are the permissions that Graph's
    reference lists as higher privileged ones for the same reads: a token with one of them can audit, but an audit
    shouldn't get it.
    """

    name: str
    id: str
    without: str
    wider: tuple[str, ...] = ()


class _Table(msgspec.Struct, frozen=True):
    source: str
    permissions: tuple[ApplicationPermission, ...]


PERMISSIONS: Mapping[str, ApplicationPermission] = MappingProxyType(
    {permission.name: permission for permission in load_table("permissions", _Table).permissions}
)
"""The permissions by name, in the order in which the documentation lists them."""
