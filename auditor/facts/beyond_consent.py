"""What decides besides consent and can't be read from Microsoft Graph, so that a report can name it as unknown.

The table, with a source for each entry, is in ``beyond_consent.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from auditor.facts import load_table
from auditor.facts.ids import RESOURCES


class BeyondConsent(msgspec.Struct, frozen=True):
    """A fact that no read of this program gives, and that decides about apps with certain scopes.

    `why` has the placeholder ``{scopes}``; `verify` is the command of Exchange Online PowerShell that
    shows the fact, and `symptom` what happens where it is in the way. `scopes` are by the name of their resource.
    """

    key: str
    name: str
    source: str
    scopes: Mapping[str, tuple[str, ...]]
    why: str
    verify: str
    symptom: str

    def concerns(self, resource: str, scope: str) -> bool:
        """Whether it decides about apps that ask for this scope of this resource (app id); letter case is ignored."""
        names = next(
            (self.scopes.get(name, ()) for name, app_id in RESOURCES.items() if app_id == resource.lower()), ()
        )
        return scope.lower() in (name.lower() for name in names)


class _Outside(msgspec.Struct, frozen=True):
    key: str
    source: str
    text: str


class _Table(msgspec.Struct, frozen=True):
    source: str
    unknowns: tuple[BeyondConsent, ...]
    outside: tuple[_Outside, ...]


@cache
def _table() -> _Table:
    return load_table("beyond_consent", _Table)


def unknowns_about_scopes() -> tuple[BeyondConsent, ...]:
    """Every fact that depends on the scopes of an app."""
    return _table().unknowns


def outside_the_audit() -> tuple[str, ...]:
    """What no audit by this program covers, whatever it reads; each a full sentence or more."""
    return tuple(one.text for one in _table().outside)
