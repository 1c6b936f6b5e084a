"""What stays in a text even where a group or a person is called so: names that Microsoft and vendors publish.

Somebody may call a group ``Mail.ReadWrite`` or ``TrackerRMS``. A rule, a reason or a title that holds this word means
the permission or the app, and says nothing of the group.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from auditor.model.known_scopes import known_scope_ids
from auditor.model.permissions import PERMISSIONS
from auditor.model.scope_lists import APP_ROLES
from auditor.model.wellknown import (
    POLICY_LEGACY,
    POLICY_LOW,
    POLICY_MAIL_CLIENTS,
    POLICY_RECOMMENDED,
    RESOURCE_NAMES,
)

_WORD = re.compile(r"(?<![\w.-])[A-Za-z]\w*(?:[.-]\w+)+(?![\w-])")
_PREFIX = re.compile(r"(?i)managepermissiongrantsfor[a-z]+\.")


class Kept:
    """Where published names stand in a text. `apps` are names of apps as their vendors' packs give them."""

    def __init__(self, apps: Iterable[str]) -> None:
        names = {name for name in (*apps, *RESOURCE_NAMES.values()) if name}
        self._apps = frozenset(name.lower() for name in names)
        found = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        self._named = re.compile(rf"(?i)(?<![\w-])(?:{found})(?![\w-])")

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Beginning and end of each."""
        for match in self._named.finditer(text):
            yield match.span()
        for match in _WORD.finditer(text):
            if _PREFIX.sub("", match[0].lower()) in _published():
                yield match.span()

    def is_whole(self, text: str) -> bool:
        """Whether the text is a published name and nothing more."""
        low = text.strip().lower()
        return low in self._apps or _PREFIX.sub("", low) in _published()


@cache
def _published() -> frozenset[str]:
    """Names of permissions and of Microsoft's consent policies, in lower case."""
    return frozenset(
        (
            *(found.value.lower() for _, found in known_scope_ids().values()),
            *(name.lower() for name in PERMISSIONS),
            *(role.value.lower() for roles in APP_ROLES.values() for role in roles),
            *(POLICY_LEGACY, POLICY_LOW, POLICY_RECOMMENDED, POLICY_MAIL_CLIENTS),
        )
    )
