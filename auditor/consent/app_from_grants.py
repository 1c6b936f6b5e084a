"""An app as its grants in a tenant show it, and how they differ from what a pack assumes."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.decision_facts import gather
from auditor.consent.existing_grants import Grants, grant_rows
from auditor.consent.lookup import resource_name
from auditor.consent.request import RequestError
from auditor.consent.subject import ORDINARY_MEMBER
from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES
from auditor.model.app import App, ScopeNeed
from auditor.model.report import ScopeDifference
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Snapshot


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


def differences(snapshot: Snapshot, app: App) -> tuple[ScopeDifference, ...] | None:
    """The scopes that differ, by resource; ``None`` without assumed scopes or without a tenant-wide grant.

    OpenID scopes do not count: a grant that works need not name them.
    """
    if not any(need.assumed for need in app.scopes):
        return None
    case = gather(snapshot, app, ORDINARY_MEMBER)
    if not isinstance(case.grants, Grants) or not case.grants.tenant_wide:
        return None
    return tuple(_by_resource(snapshot, app, case.grants, spelling=_spelling(snapshot, app)))


def _by_resource(snapshot: Snapshot, app: App, grants: Grants, spelling: dict[str, str]) -> Iterator[ScopeDifference]:
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
                resource_name=resource_name(snapshot, resource),
                assumed_not_granted=tuple(sorted(spelling.get(s, s) for s in lacking)),
                granted_not_assumed=tuple(sorted(spelling.get(s, s) for s in beyond)),
            )


def _spelling(snapshot: Snapshot, app: App) -> dict[str, str]:
    """Names as the pack and the tenant's grants write them, by lower case."""
    case = gather(snapshot, app, ORDINARY_MEMBER)
    granted = (scope for row in grant_rows(snapshot, case.client) for scope in row.scope.split())
    return {name.lower(): name for name in (*granted, *(need.value for need in app.scopes))}
