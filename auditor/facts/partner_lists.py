"""The lists of customers in a partner's tenant: which permission reads each, and what the words in them mean.

``partner_lists.json`` names its sources. The permissions are for the partner's own tenant. A customer isn't asked for
them: the app's service principal in the partner's tenant has them, and the app registration doesn't request them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from auditor.facts import load_table
from auditor.model.customers import ListKind


class PartnerList(msgspec.Struct, frozen=True, kw_only=True):
    """A list: its `title` in a sentence, the least application permission that reads it, its `id`, and wider ones."""

    title: str
    permission: str
    id: str
    wider: tuple[str, ...] = ()

    @property
    def sufficient(self) -> tuple[str, ...]:
        """The permissions that allow the read, any one of them; the least one comes first."""
        return (self.permission, *self.wider)


class PartnerLists(msgspec.Struct, frozen=True, kw_only=True):
    """The table. `page` is the most rows of a page of GDAP; `in_force` are statuses of a relationship.

    `assigned` are statuses of an access assignment that gives its roles. A relationship with one of the durations
    `never_extended` isn't extended when it ends.
    """

    source: str
    lists: Mapping[ListKind, PartnerList]
    page: int
    in_force: frozenset[str]
    assigned: frozenset[str]
    never_extended: frozenset[str]


@cache
def partner_lists() -> PartnerLists:
    """The table of the lists."""
    return load_table("partner_lists", PartnerLists)
