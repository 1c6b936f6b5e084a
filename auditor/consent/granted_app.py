"""An app as a tenant that it works in knows it: what it was granted there is what it asks for."""

from __future__ import annotations

from auditor.consent.request import RequestError
from auditor.model.app import App, ScopeNeed
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Snapshot
from auditor.model.wellknown import MICROSOFT_GRAPH, OPENID_SCOPES


def app_as_granted(snapshot: Snapshot, client_id: str) -> App:
    """The app with every delegated permission that somebody in the tenant granted it, sign-in first.

    Name, addresses, publisher and owner are those of its service principal. Raises RequestError where the app, its
    grants or a resource of theirs were not read, and where there are none.
    """
    principals = snapshot.sections.servicePrincipals
    grants = snapshot.sections.oauth2PermissionGrants
    wanted = client_id.lower()
    found = next((p for p in principals or () if p.appId.lower() == wanted), None)
    if found is None and not _was_read(snapshot, "servicePrincipals", wanted):
        raise RequestError(f"the app {wanted} was not read in this tenant: read it with collect --app {wanted}")
    if found is None:
        raise RequestError(f"the app {wanted} is not in this tenant: read a tenant where it works")
    if grants is None or not _was_read(snapshot, "oauth2PermissionGrants", wanted):
        raise RequestError(f"the grants of {_name(found)} were not read: read them with collect --app {wanted}")
    resources = {p.id.lower(): p.appId.lower() for p in principals or ()}
    needs: dict[tuple[str, str], ScopeNeed] = {}
    for grant in grants:
        if grant.clientId.lower() != found.id.lower():
            continue
        resource = resources.get(grant.resourceId.lower())
        if resource is None:
            raise RequestError(
                f"{_name(found)} holds a grant on a resource that was not read (object id {grant.resourceId}): read"
                " all of the tenant with collect --full -o tenant.json, and give it with --snapshot tenant.json"
            )
        for value in grant.scope.split():
            needs.setdefault((resource, value.lower()), ScopeNeed(resource=resource, value=value))
    if not needs:
        raise RequestError(f"{_name(found)} was granted nothing in this tenant: read a tenant where it works")
    return _app(found, tuple(sorted(needs.values(), key=_order)))


def _was_read(snapshot: Snapshot, section: str, client_id: str) -> bool:
    """Whether the section holds the answer for the app: whole, or read for it."""
    if getattr(snapshot.sections, section) is None or f"{section}/{client_id}" in snapshot.unread:
        return False
    covers = snapshot.covers.get(section)
    return covers is None or client_id in {app.lower() for app in covers}


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
