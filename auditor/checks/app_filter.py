"""Which apps of a tenant a check is about: by publisher, by the tenant that registered them, and by their state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from operator import attrgetter
from typing import Literal, Protocol

from auditor.checks.kind import ArgumentProblem, Arguments, SchemaPart, text_at
from auditor.consent import Truth, all_of, any_of, known
from auditor.consent.existing_grants import inheritable
from auditor.consent.explanation import listed
from auditor.consent.requested_access import is_disabled_by_microsoft, owner_of, users_may_consent
from auditor.consent.snapshot_index import Absent, NotRead, SnapshotIndex
from auditor.facts.ids import cloud_named
from auditor.facts.permissions import known_scopes
from auditor.model.decision import AppOwner
from auditor.model.report import FindingSubject
from auditor.model.resources import AGENT_IDENTITY, BLUEPRINT_PRINCIPAL, ServicePrincipal

Publisher = Literal["any", "unverified"]
Owner = Literal["any", "foreign", "not-microsoft"]
"""``foreign``: of another tenant that isn't Microsoft's. ``not-microsoft``: of this tenant, or foreign."""
State = Literal["any", "disabled", "gone", "unusable"]


class AppFilter(Protocol):
    """The arguments of a check that say which apps it is about."""

    @property
    def publisher(self) -> Publisher:
        """Whether only apps without a verified publisher count."""

    @property
    def owner(self) -> Owner:
        """Whose apps count, by the tenant that registered them."""

    @property
    def state(self) -> State:
        """Whether only apps that can't be used count."""


_KIND = attrgetter("odataType")
_ASKED_FOR = attrgetter(
    "odataType",
    "agentIdentityBlueprintId",
    "servicePrincipalType",
    "appOwnerOrganizationId",
    "accountEnabled",
    "isDisabled",
    "disabledByMicrosoftStatus",
)
"""The properties of a service principal that decide whether a check is about it, next to its publisher."""


class Apps:
    """The apps of a tenant by the object ids of their service principals, as grants and assignments name them."""

    def __init__(self, index: SnapshotIndex) -> None:
        self.index = index
        self._matches: dict[tuple[object, ...], Truth] = {}
        self._places: dict[str, tuple[str, str, str]] = {}
        self.tenant = index.snapshot.tenant.id.lower()
        is_read = index.snapshot.sections.servicePrincipals is not None
        self.partial = index.why_partial("servicePrincipals") if is_read else index.not_read("servicePrincipals").why
        """Why there may be more apps than the index has; empty if there can't be."""

    def name(self, object_id: str) -> str:
        """The app's name, its client id if it has none, or its object id if the app is unknown."""
        return self.place(object_id)[-1]

    def place(self, object_id: str) -> tuple[str, str, str]:
        """The place of the app among others: its name in lower case, its client id, or else object id, and its name."""
        if object_id not in self._places:
            found = self.index.principal_with_id(object_id)
            name = (found.name or found.appId) if found else object_id.lower()
            self._places[object_id] = name.lower(), (found.appId if found else object_id).lower(), name
        return self._places[object_id]

    def subjects(self, object_ids: Iterable[str]) -> tuple[FindingSubject, ...]:
        """The apps as a waiver names them, by name: by their client ids, because anyone may give an app any name."""
        places = sorted(dict.fromkeys(map(self.place, object_ids)))
        return tuple(FindingSubject(name=name, id=client_id) for _, client_id, name in places)

    def inherits(self, object_id: str) -> str:
        """Who inherits what the app was granted, if it is the principal of an agent identity blueprint; else empty.

        A permission that was granted to such a principal reaches every agent identity of the blueprint, present and
        future, where the blueprint lists the resource as inheritable. Graph shows no grant on the agents themselves
        (Entra, "Inheritable permissions and required resource access").
        """
        found = self.index.principal_with_id(object_id)
        if found is None or found.odataType != BLUEPRINT_PRINCIPAL:
            return ""
        agents = [(one.agentIdentityBlueprintId or "").lower() for one in self._agents]
        count = agents.count(found.appId.lower())
        known_agents = (
            f"{count} of them {'is' if count == 1 else 'are'} in this tenant"
            if all(agents) and not self.partial
            else "how many of them are in this tenant was not read"
        )
        return (
            f"{self.name(object_id)} is an agent identity blueprint, whose agent identities, present and future, hold"
            f" the same without a separate grant {self._passed_on(found)}; {known_agents}"
        )

    def _passed_on(self, blueprint: ServicePrincipal) -> str:
        """As far as what the blueprint lets its agents inherit: a clause with ``if`` or ``where``."""
        rows = blueprint.inheritablePermissions
        if rows is None:
            own = self._owner(blueprint) in (AppOwner.OWN, AppOwner.UNKNOWN)
            why = "was not read" if own else "another tenant's registration says"
            return f"if the blueprint lets them inherit it, which {why}"
        passed_on = [self._passed_on_of(blueprint, row.resourceAppId) for row in rows if row.resourceAppId]
        return f"where the blueprint lets them inherit it: {listed(filter(None, passed_on)) or 'nothing'}"

    def _passed_on_of(self, blueprint: ServicePrincipal, resource: str) -> str:
        """What agents inherit of one resource: ``all of Microsoft Graph``; empty for nothing."""
        scopes, every = inheritable(blueprint, resource.lower())
        name = self.index.resource_name(resource)
        if every is Truth.TRUE:
            return f"all of {name}"
        if every is Truth.UNKNOWN:
            return f"an unknown part of {name}"
        return f"{len(scopes)} permission{'' if len(scopes) == 1 else 's'} of {name}" if scopes else ""

    @cached_property
    def have_blueprints(self) -> bool:
        """Whether an app is the principal of an agent identity blueprint."""
        return BLUEPRINT_PRINCIPAL in set(map(_KIND, self.index.snapshot.sections.servicePrincipals or ()))

    @cached_property
    def _agents(self) -> tuple[ServicePrincipal, ...]:
        principals = self.index.snapshot.sections.servicePrincipals or ()
        return tuple(one for one in principals if one.odataType == AGENT_IDENTITY)

    def _described_by(self, principal: ServicePrincipal) -> ServicePrincipal | None:
        """The app whose publisher and owner count: of an agent identity the principal of its blueprint, if known."""
        if principal.odataType != AGENT_IDENTITY:
            return principal
        found = self.index.service_principal(principal.agentIdentityBlueprintId or "")
        return found if isinstance(found, ServicePrincipal) else None

    def matches(self, object_id: str, wanted: AppFilter) -> Truth:
        """Whether the app is one that the check is about. Of a deleted app only the state is known."""
        found = self.index.principal_with_id(object_id)
        if found is None:
            any_app = wanted.publisher == wanted.owner == "any"
            if self.partial or not object_id:
                return Truth.TRUE if any_app and wanted.state == "any" else Truth.UNKNOWN
            if wanted.state == "disabled":
                return Truth.FALSE
            return Truth.TRUE if any_app else Truth.UNKNOWN
        # Of a hundred thousand apps, few differ in what a check can ask for.
        publisher = found.verifiedPublisher
        is_verified = publisher.is_verified if publisher else None
        unowned = self._owner(found) if wanted.owner != "any" and not found.appOwnerOrganizationId else None
        of_check = (wanted.publisher, wanted.owner, wanted.state)
        alike = (of_check, publisher is None, is_verified, unowned, _ASKED_FOR(found))
        if (matches := self._matches.get(alike)) is None:
            matches = self._matches[alike] = all_of(self._properties(found, wanted))
        return matches

    def _properties(self, principal: ServicePrincipal, wanted: AppFilter) -> Iterator[Truth]:
        """For each property that the check restricts, whether the app has it."""
        described = self._described_by(principal)
        if wanted.publisher == "unverified":
            publisher = described.verifiedPublisher if described else None
            yield ~known(publisher.is_verified if publisher else None)
        if wanted.owner != "any":
            yield self._is_owned_as(wanted.owner, described) if described else Truth.UNKNOWN
        if wanted.state == "gone":
            yield Truth.FALSE
        elif wanted.state in ("disabled", "unusable"):
            yield any_of(
                (
                    known(None if principal.accountEnabled is None else not principal.accountEnabled),
                    known(bool(principal.isDisabled)),
                    is_disabled_by_microsoft(principal),
                )
            )

    def _is_owned_as(self, wanted: Owner, principal: ServicePrincipal) -> Truth:
        """Whether the app has an owner of this kind. If this tenant has no id, another owner still isn't Microsoft."""
        owner = self._owner(principal)
        if owner is AppOwner.UNKNOWN:
            is_named = wanted == "not-microsoft" and principal.appOwnerOrganizationId
            return Truth.TRUE if is_named else Truth.UNKNOWN
        return known(owner is AppOwner.THIRD_PARTY or (wanted == "not-microsoft" and owner is AppOwner.OWN))

    def _owner(self, principal: ServicePrincipal) -> AppOwner:
        return owner_of(self.tenant, principal.appId, principal)

    def users_may_grant(self, resource: ServicePrincipal, scope: str) -> Truth:
        """Whether users may grant the scope (lower case), by the type that the resource publishes for it."""
        published = self.index.published_scopes(resource.appId)
        if isinstance(published, NotRead | Absent):
            documented = known_scopes(resource.appId).get(scope)
            return users_may_consent(documented.type if documented else None)
        if (found := published.get(scope)) is None:
            # The resource no longer publishes the scope: nobody can be asked for it, not even an administrator.
            return Truth.UNKNOWN if self.index.nameless_scope(resource.appId) else Truth.TRUE
        return users_may_consent(found.type)

    @property
    def verifies_publishers(self) -> bool:
        """Whether publishers are verified at all in this cloud."""
        return cloud_named(self.index.snapshot.cloud).verifies_publishers


_STATES = {"disabled": "disabled", "gone": "deleted", "unusable": "disabled or deleted"}
"""The states that a filter can want, as words; any other value of `state` doesn't restrict the apps."""


def apps_phrase(wanted: AppFilter) -> str:
    """The apps that the check is about: ``unverified foreign apps``."""
    words = [
        "unverified" if wanted.publisher == "unverified" else "",
        "foreign" if wanted.owner == "foreign" else "",
        _STATES.get(wanted.state, ""),
    ]
    apps = "apps that aren't Microsoft's" if wanted.owner == "not-microsoft" else "apps"
    return " ".join([*filter(None, words), apps])


def owner_phrase(wanted: AppFilter) -> str:
    """Whose app it is, to follow ``an app``: `` of another tenant without a verified publisher``."""
    text = {"foreign": " of another tenant", "not-microsoft": " that isn't Microsoft's"}.get(wanted.owner, "")
    if wanted.publisher != "unverified":
        return text
    return f"{text}{' and is' if wanted.owner == 'not-microsoft' else ''} without a verified publisher"


def state_phrase(wanted: AppFilter) -> str:
    """The state, as a verb: ``is disabled or deleted``; empty for any state."""
    return f"is {_STATES[wanted.state]}" if wanted.state in _STATES else ""


def filter_problems(arguments: Arguments) -> Iterator[ArgumentProblem]:
    """A filter on properties of deleted apps, of which nothing is known: it would never find an app."""
    if text_at(arguments, "state") != "gone":
        return
    for name in ("publisher", "owner"):
        if (value := text_at(arguments, name)) and value != "any":
            message = f"state: gone finds no app with {name}: {value}, because the directory doesn't keep that"
            yield ArgumentProblem((name,), message, f"state: gone without {name}, or another state")


def narrow_filter(definition: SchemaPart) -> None:
    """The same restriction, for a JSON Schema."""
    definition["if"] = {"required": ["state"], "properties": {"state": {"const": "gone"}}}
    definition["then"] = {"properties": {name: {"const": "any"} for name in ("publisher", "owner")}}
