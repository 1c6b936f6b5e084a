"""The application permissions of Microsoft Graph that an audit can use, and what is unknown without each.

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

    `without` says what an audit that lacks the permission cannot determine. `wider` are the permissions that
    Graph's reference lists as higher ones for the same reads: a token that holds one can audit, although an audit
    should not be given it.
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
"""By name, in the order in which the documentation lists them."""
