"""The permissions that packs need, as an app registration asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.facts.permissions import PERMISSIONS
from auditor.packs.plan import Needed


def required_resource_access(needed: Iterable[Needed]) -> list[dict[str, Any]]:
    """What ``az ad app create --required-resource-accesses`` and the manifest of the portal take.

    Source: Microsoft Graph, ``requiredResourceAccess``: an application permission is of type ``Role``.
    """
    access = [{"id": PERMISSIONS[one.permission].id, "type": "Role"} for one in needed]
    return [{"resourceAppId": MICROSOFT_GRAPH, "resourceAccess": access}]
