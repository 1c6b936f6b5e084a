"""The words of an exposure: for which apps which scopes open or close, and who may use this app."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import IntEnum, StrEnum

import msgspec

from auditor.fixes.exposure.kinds import Kind, kind_of, weight_of


class ScopeRef(msgspec.Struct, frozen=True, order=True):
    """A delegated scope of a resource (app id, lower case)."""

    resource: str
    scope: str
    resource_name: str


class AppClass(StrEnum):
    """A class of apps. The first three stand for every app of their kind that no policy names."""

    UNVERIFIED = "unverified-publisher"
    VERIFIED = "verified-publisher"
    OWN = "own-tenant"
    NAMED = "named-by-policy"
    """Other apps, publishers and foreign tenants that an assigned policy names: only what goes beyond `UNVERIFIED`."""
    THIS = "this-app"


class Breadth(IntEnum):
    """Who may do more with this app than before."""

    NOBODY = 0
    NAMED = 1
    """Users and groups that the change names."""
    ASSIGNED = 2
    """Everybody who is assigned to the app."""
    EVERYBODY = 3
    """Every user of the tenant, by an administrator's grant or by consenting themselves."""


class ClassExposure(msgspec.Struct, frozen=True, kw_only=True):
    """What changes for one class of apps.

    `opened`: users can consent afterwards, and before they could not or it was not known. `closed`: the other
    way about, both known. `not_known`: perhaps opened; which, depends on what was not read.
    """

    opened: tuple[ScopeRef, ...] = ()
    closed: tuple[ScopeRef, ...] = ()
    not_known: tuple[ScopeRef, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not (self.opened or self.closed or self.not_known)

    @property
    def weight(self) -> int:
        """The weights of all that opens; what may open weighs as much as what does."""
        return sum(weight_of(ref.scope) for ref in (*self.opened, *self.not_known))


def by_kind(refs: tuple[ScopeRef, ...]) -> dict[Kind, int]:
    """How many scopes of each kind, in the order of the kinds."""
    counted = Counter(kind_of(ref.scope) for ref in refs)
    return {kind: counted[kind] for kind in Kind if counted[kind]}


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What changes for the use of this app, whatever the consent policies say.

    `granted` is newly granted to everybody. `reached` was granted to everybody before, but the app was switched
    off or open only to those assigned; with `switched_on` or `opened_to_all` that ends.
    `users` counts users with a new grant of their own, `assigned` users and groups newly assigned.
    `restricted` is true where only those assigned may use the app afterwards.
    """

    granted: tuple[ScopeRef, ...] = ()
    reached: tuple[ScopeRef, ...] = ()
    switched_on: bool = False
    users: int = 0
    assigned: int = 0
    restricted: bool = False
    opened_to_all: bool = False


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """What else becomes possible with a change.

    `weight` is over all apps but this one; `breadth` tells who may do more with this one. `notes` say what
    the counts rest on where that was not read.
    """

    classes: Mapping[AppClass, ClassExposure]
    use: Use
    summary: str
    weight: int
    breadth: Breadth
    consent_policy_changes: bool = False
    notes: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether the change opens and closes nothing, for this app or any other."""
        return self.breadth is Breadth.NOBODY and all(c.is_empty for c in self.classes.values())


AUDIENCE = {AppClass.UNVERIFIED: 3, AppClass.VERIFIED: 2, AppClass.OWN: 1, AppClass.NAMED: 1, AppClass.THIS: 0}
"""How much it weighs that a scope opens to a class, in this project's view: anybody can register an app without a
verified publisher, some can get verified, few can register one in the tenant itself."""
