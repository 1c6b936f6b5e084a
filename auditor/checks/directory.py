"""Apps of the directory, as a rule about what they hold tells them apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from auditor.checks.values import covered
from auditor.consent.lookup import NotRead, not_read
from auditor.consent.truth import Truth, all_of, any_of, known
from auditor.facts.clouds import CLOUDS
from auditor.facts.scopes import known_scopes
from auditor.model.checks import AppRolesHeld, DelegatedGrants
from auditor.model.finding import Subject
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Snapshot

MICROSOFT_TENANTS = frozenset({"f8cdef31-a31e-4b4a-93e4-5f571e91255a", "72f988bf-86f1-41af-91ab-2d7cd011db47"})
"""The tenants in which Microsoft registers its own apps ("Verify first-party Microsoft applications")."""

_OF_THIS_TENANT = ("managedidentity", "legacy")

Wanted = DelegatedGrants | AppRolesHeld


class Directory:
    """The service principals of a tenant by object id."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.tenant = snapshot.tenant.id.lower()
        self.cloud = CLOUDS.get(snapshot.cloud)
        principals = snapshot.sections.servicePrincipals
        self.by_id = {p.id.lower(): p for p in principals or ()}
        self._published: dict[str, dict[str, Truth]] = {}
        self.partial = covered(snapshot, "servicePrincipals")
        if principals is None:
            self.partial = not_read(snapshot, "servicePrincipals").why

    def name(self, object_id: str) -> str:
        """What to call the app."""
        found = self.by_id.get(object_id.lower())
        return (found.displayName or found.appDisplayName or found.appId) if found else object_id.lower()

    def subject(self, object_id: str) -> Subject:
        """The app as a waiver names it: by its client id, because anybody may give an app any name."""
        found = self.by_id.get(object_id.lower())
        return Subject(name=self.name(object_id), id=(found.appId if found else object_id).lower())

    def is_like(self, object_id: str, wanted: Wanted) -> Truth:
        """Whether the app is as the rule describes it; of an app that is gone nothing but that is known."""
        found = self.by_id.get(object_id.lower())
        if found is None:
            if self.partial:
                plain = wanted.publisher == wanted.owner == wanted.state == "any"
                return Truth.TRUE if plain else Truth.UNKNOWN
            plain = wanted.publisher == wanted.owner == "any"
            return known(plain and wanted.state != "disabled")
        return all_of(self._facts(found, wanted))

    def _facts(self, principal: ServicePrincipal, wanted: Wanted) -> Iterator[Truth]:
        if wanted.publisher == "unverified":
            publisher = principal.verifiedPublisher
            yield known(None if publisher is None else not publisher.verifiedPublisherId)
        owner = self._owner(principal)
        if wanted.owner == "foreign":
            yield known(owner not in MICROSOFT_TENANTS and owner != self.tenant) if owner else Truth.UNKNOWN
        elif wanted.owner == "not-microsoft":
            yield known(owner not in MICROSOFT_TENANTS) if owner else Truth.UNKNOWN
        if wanted.state == "gone":
            yield Truth.FALSE
        elif wanted.state in ("disabled", "unusable"):
            yield any_of(
                (
                    known(None if principal.accountEnabled is None else not principal.accountEnabled),
                    known(bool(principal.isDisabled)),
                    known((principal.disabledByMicrosoftStatus or "").lower() not in ("", "notdisabled")),
                )
            )

    def _owner(self, principal: ServicePrincipal) -> str:
        """The tenant that the app is registered in; empty where that was not read."""
        kind = (principal.servicePrincipalType or "").lower()
        # Graph names no owner of these: they have no registration, and work in their own tenant only.
        return self.tenant if kind in _OF_THIS_TENANT else (principal.appOwnerOrganizationId or "").lower()

    def who_may_grant(self, resource: ServicePrincipal, scope: str) -> Truth:
        """Whether users may grant the scope (lower case), by what the resource publishes; not known where unread."""
        published = self._published.get(resource.id)
        if published is None:
            published = self._published[resource.id] = _published_by(resource)
        # A scope that is no longer there: nobody is asked for it, and administrators neither.
        gone = Truth.UNKNOWN if resource.oauth2PermissionScopes is None else Truth.TRUE
        return published.get(scope, gone)

    @property
    def verifies_publishers(self) -> bool:
        """Whether publishers are verified at all in this cloud."""
        return self.cloud is None or self.cloud.verifies_publishers


def _published_by(resource: ServicePrincipal) -> dict[str, Truth]:
    """Whether users may grant them: every scope (lower case) that the resource is known to publish."""
    if resource.oauth2PermissionScopes is None:
        return {name: known(scope.type != "Admin") for name, scope in known_scopes(resource.appId).items()}
    return {
        scope.value.lower(): known(None if scope.type is None else scope.type.lower() != "admin")
        for scope in reversed(resource.oauth2PermissionScopes)
    }


class Held(NamedTuple):
    """What one app holds, and whether the rule is about it."""

    client: str
    what: str
    whose: str
    truth: Truth


def described(wanted: Wanted) -> str:
    """The apps that the rule is about, in words."""
    words = [
        "unverified" if wanted.publisher == "unverified" else "",
        "foreign" if wanted.owner == "foreign" else "",
        {"disabled": "disabled", "gone": "deleted", "unusable": "disabled or deleted"}.get(wanted.state, ""),
    ]
    apps = "apps other than Microsoft's" if wanted.owner == "not-microsoft" else "apps"
    return " ".join([*filter(None, words), apps])


def unknown_because(held: Iterable[Held], directory: Directory, partial: str | NotRead) -> str:
    """Why the rule cannot be answered although nothing speaks against it; empty if it can."""
    unsure = sorted({directory.name(one.client) for one in held if one.truth is Truth.UNKNOWN})
    if unsure:
        more = f" and {len(unsure) - 1} more" if len(unsure) > 1 else ""
        why = f" ({directory.partial})" if directory.partial else ""
        return f"what the rule asks of {unsure[0]}{more} was not read{why}"
    return partial.why if isinstance(partial, NotRead) else partial
