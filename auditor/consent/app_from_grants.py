"""An app as its grants in a tenant show it, and how they differ from what a pack assumes."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.client import client_of
from auditor.consent.decision_facts import grants_on
from auditor.consent.existing_grants import Grants
from auditor.consent.lookup import SnapshotIndex, index_of
from auditor.consent.permission import requested
from auditor.consent.request import RequestError
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES
from auditor.model.app import App, ScopeNeed
from auditor.model.report import ScopeDifference
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Snapshot


def app_as_granted(snapshot: Snapshot | SnapshotIndex, client_id: str) -> App:
    """The app with every delegated permission that somebody in the tenant granted it, sign-in first.

    Name, addresses, publisher and owner are those of its service principal. Raises RequestError where the app, its
    grants or a resource of theirs were not read, and where there are none.
    """
    index = index_of(snapshot)
    wanted = client_id.lower()
    found = index.service_principal(wanted)
    if not isinstance(found, ServicePrincipal):
        if not _was_read(index, "servicePrincipals", wanted):
            raise RequestError(f"the app {wanted} was not read in this tenant: read it with collect --app {wanted}")
        raise RequestError(f"the app {wanted} is not in this tenant: read a tenant where it works")
    if not _was_read(index, "oauth2PermissionGrants", wanted):
        raise RequestError(f"the grants of {_name(found)} were not read: read them with collect --app {wanted}")
    needs: dict[tuple[str, str], ScopeNeed] = {}
    for grant in index.grants_of(found.id):
        resource = index.principal_with_id(grant.resourceId)
        if resource is None:
            raise RequestError(
                f"{_name(found)} holds a grant on a resource that was not read (object id {grant.resourceId}): read"
                " all of the tenant with collect --full -o tenant.json, and pass it with --snapshot tenant.json"
            )
        for value in grant.scope.split():
            app_id = resource.appId.lower()
            needs.setdefault((app_id, value.lower()), ScopeNeed(resource=app_id, value=value))
    if not needs:
        raise RequestError(f"{_name(found)} was granted nothing in this tenant: read a tenant where it works")
    return _app(found, tuple(sorted(needs.values(), key=_order)))


def _was_read(index: SnapshotIndex, section: str, client_id: str) -> bool:
    """Whether the section was read for this app, or as a whole."""
    return index.covers(section, client_id) and not index.was_refused(section, client_id)


def _app(found: ServicePrincipal, needs: tuple[ScopeNeed, ...]) -> App:
    publisher = found.verifiedPublisher
    return App(
        client_id=found.appId.lower(),
        name=found.displayName or found.appDisplayName or "",
        redirect_uris=tuple(found.replyUrls or ()),
        scopes=needs,
        publisher_verified=None if publisher is None else bool(publisher.verifiedPublisherId),
        owner_tenant=found.appOwnerOrganizationId,
    )


def _order(need: ScopeNeed) -> tuple[bool, str, int, str]:
    """Microsoft Graph first, and there what signs a user in, in its usual order."""
    sign_in = [name.lower() for name in ("openid", "profile", "email", "offline_access")]
    value = need.value.lower()
    place = sign_in.index(value) if value in OPENID_SCOPES and value in sign_in else len(sign_in)
    return need.resource != MICROSOFT_GRAPH, need.resource, place, value


def _name(principal: ServicePrincipal) -> str:
    return principal.displayName or f"the app {principal.appId}"


def differences(snapshot: Snapshot | SnapshotIndex, app: App) -> tuple[ScopeDifference, ...] | None:
    """The scopes that differ, by resource; ``None`` without assumed scopes or without a tenant-wide grant.

    OpenID scopes do not count: a grant that works need not name them.
    """
    if not any(need.assumed for need in app.scopes):
        return None
    index = index_of(snapshot)
    client = client_of(index, app)
    grants = grants_on(index, client, requested(index, app))
    if not isinstance(grants, Grants) or not grants.tenant_wide:
        return None
    # Names as the pack and the tenant's grants write them, by lower case.
    names = (scope for row in index.grants_of(client.object_id) for scope in row.scope.split())
    spelling = {name.lower(): name for name in (*names, *(need.value for need in app.scopes))}
    return tuple(_by_resource(index, app, grants, spelling))


def _by_resource(index: SnapshotIndex, app: App, grants: Grants, spelling: dict[str, str]) -> Iterator[ScopeDifference]:
    for resource in sorted({need.resource.lower() for need in app.scopes} | set(grants.tenant_wide)):
        needs = [need for need in app.scopes if need.resource.lower() == resource]
        known = {need.value.lower() for need in needs}
        required = {need.value.lower() for need in needs if need.required}
        granted = grants.tenant_wide.get(resource, frozenset())
        lacking = required - granted - OPENID_SCOPES
        beyond = granted - known - OPENID_SCOPES
        if lacking or beyond:
            yield ScopeDifference(
                resource=resource,
                resource_name=index.resource_name(resource),
                assumed_not_granted=tuple(sorted(spelling.get(s, s) for s in lacking)),
                granted_not_assumed=tuple(sorted(spelling.get(s, s) for s in beyond)),
            )
