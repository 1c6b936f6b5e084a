"""What the words in a partner's lists of customers mean; ``partner_lists.json`` names its sources.

The permissions that read the lists are in `auditor.facts.permissions`.
"""

from __future__ import annotations

from functools import cache

import msgspec

from auditor.facts import load_table


class PartnerLists(msgspec.Struct, frozen=True, kw_only=True):
    """The table. `page` is the most rows of a page of GDAP; `in_force` are statuses of a relationship.

    `assigned` are statuses of an access assignment that gives its roles. A relationship with one of the durations
    `never_extended` isn't extended when it ends.
    """

    source: str
    page: int
    in_force: frozenset[str]
    assigned: frozenset[str]
    never_extended: frozenset[str]


@cache
def partner_lists() -> PartnerLists:
    """The table of the lists."""
    return load_table("partner_lists", PartnerLists)
