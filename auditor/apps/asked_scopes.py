"""What an app of the tenant is expected to ask for: what a pack says, else its grants and its consent requests.

Graph doesn't say what a vendor's app asks for: only the vendor's own tenant can read its registration. What somebody
granted it, and what a request for approval lists, was asked for at some time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from auditor.consent.existing_grants import granted_names
from auditor.consent.snapshot_index import NotRead, SnapshotIndex
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, OPENID_SCOPES
from auditor.facts.permissions import known_scopes
from auditor.model.access_resources import AppConsentRequest
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal
from auditor.model.rule import App, ScopeNeed
from auditor.model.survey import Permissions, ScopeSource

_NAMED_WITHOUT_RESOURCE = (MICROSOFT_GRAPH, EXCHANGE_ONLINE)
"""Where to look for a scope that a consent request names: it names no resource (Graph, ``appConsentRequestScope``)."""


class Description(NamedTuple):
    """What a pack says about an app. An app that can work in several ways has a variant for each, the usual one first.

    `pack` is the name to give with ``check --app``, for each variant.
    """

    source: ScopeSource
    variants: tuple[tuple[str, App], ...]


class AskedScopes(NamedTuple):
    """An app with what it is expected to ask for; `why` says why more or nothing is known, empty if a pack says all."""

    app: App
    sources: tuple[ScopeSource, ...]
    pack: str = ""
    why: str = ""


_Need = tuple[str, str]
"""A resource and a scope, both in lower case."""


class ScopeSources:
    """What grants, consent requests and packs say about each app of a tenant."""

    def __init__(self, index: SnapshotIndex, described: Mapping[str, Description]) -> None:
        self._index = index
        self._described = described
        self._offered: dict[str, frozenset[str] | None] = {}

    def asked(self, client_id: str, name: str) -> AskedScopes:
        """What the app with this client id (lower case) asks for."""
        granted, unclear = self._granted(client_id)
        requested = self._requested(client_id)
        if description := self._described.get(client_id):
            known = {_key(need) for need in (*granted, *requested)}
            pack, app = max(description.variants, key=lambda one: _likeness(one[1], known))
            return AskedScopes(app, (description.source,), pack)
        needs = {_key(need): need for need in (*requested, *granted)}
        sources = [(ScopeSource.GRANTS, granted), (ScopeSource.REQUESTS, requested)]
        app = App(client_id=client_id, name=name, scopes=tuple(needs[key] for key in sorted(needs, key=_order)))
        return AskedScopes(app, tuple(source for source, found in sources if found), why=unclear)

    def _granted(self, client_id: str) -> tuple[list[ScopeNeed], str]:
        """Every scope that somebody granted the app, and why there may be more."""
        found = self._index.service_principal(client_id)
        if not isinstance(found, ServicePrincipal):
            return [], found.why if isinstance(found, NotRead) else ""
        needs: dict[tuple[str, str], ScopeNeed] = {}
        unclear = ""
        for resource_id, text in dict.fromkeys((row.resourceId, row.scope) for row in self._rows(found)):
            resource = self._index.principal_with_id(resource_id)
            if resource is None or not resource.appId:
                unclear = unclear or f"it holds a grant on a resource that was not read (object id {resource_id})"
                continue
            asks_for = self._requestable(resource.appId.lower())
            for value in (name for name in granted_names(text) if asks_for is None or name.lower() in asks_for):
                need = ScopeNeed(resource=resource.appId.lower(), value=value)
                needs.setdefault(_key(need), need)
        if not self._index.covers("oauth2PermissionGrants", client_id):
            unclear = self._index.not_read("oauth2PermissionGrants").why
        return list(needs.values()), unclear

    def _requestable(self, resource: str) -> frozenset[str] | None:
        """The scopes of a resource in lower case, without those that it took back; none if they aren't known.

        An old grant can name a scope that nobody can ask for any more.
        """
        if resource not in self._offered:
            published = self._index.published_scopes(resource)
            found = None
            if isinstance(published, Mapping) and not self._index.nameless_scope(resource):
                found = OPENID_SCOPES | {name for name, scope in published.items() if scope.isEnabled is not False}
            self._offered[resource] = found
        return self._offered[resource]

    def _rows(self, principal: ServicePrincipal) -> Iterable[OAuth2PermissionGrant]:
        return self._index.grants_of(principal.id)

    def _requested(self, client_id: str) -> list[ScopeNeed]:
        """The scopes that wait for approval."""
        names = (_scope_name(one) for row in self.requests.get(client_id, ()) for one in row.pendingScopes)
        return [ScopeNeed(resource=_resource_of(name), value=name) for name in dict.fromkeys(filter(None, names))]

    @cached_property
    def requests(self) -> dict[str, list[AppConsentRequest]]:
        """The consent requests by client id in lower case."""
        found: dict[str, list[AppConsentRequest]] = {}
        for row in self._index.snapshot.sections.appConsentRequests or ():
            found.setdefault(row.appId.lower(), []).append(row)
        return found


def _scope_name(scope: object) -> str:
    name = scope.get("displayName") if isinstance(scope, Mapping) else None
    return name.strip() if isinstance(name, str) else ""


def _resource_of(scope: str) -> str:
    """The resource of a scope that is given by its name only: Microsoft Graph, unless only Exchange Online has it."""
    name = scope.lower()
    return next((one for one in _NAMED_WITHOUT_RESOURCE if name in known_scopes(one)), MICROSOFT_GRAPH)


def _key(need: ScopeNeed) -> _Need:
    return need.resource.lower(), need.value.lower()


def _likeness(app: App, known: set[_Need]) -> tuple[int, int]:
    """How well what a variant asks for fits what is known: the most in common, then the least that isn't."""
    asked = {_key(need) for need in app.scopes} if known else set()
    return len(asked & known), -len(asked - known)


def _order(need: _Need) -> tuple[bool, str, bool, str]:
    """Microsoft Graph first, and there what only signs a user in last."""
    resource, scope = need
    return resource != MICROSOFT_GRAPH, resource, scope in OPENID_SCOPES, scope


def by_resource(index: SnapshotIndex, needs: Iterable[tuple[str, str]]) -> tuple[Permissions, ...]:
    """Pairs of a resource (app id) and a permission, grouped by resource and in order of names."""
    ordered = sorted(dict.fromkeys(needs), key=lambda one: (_order((one[0].lower(), one[1].lower())), one))
    return tuple(_grouped(index, ordered))


def _grouped(index: SnapshotIndex, ordered: Sequence[tuple[str, str]]) -> Iterator[Permissions]:
    for resource, pairs in groupby(ordered, key=lambda one: one[0].lower()):
        names = tuple(name for _, name in pairs)
        yield Permissions(resource=resource, resource_name=index.resource_name(resource), names=names)
