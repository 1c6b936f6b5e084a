"""R1, R3 and R11: an administrator grants the scopes, by link or through Graph, for every user or for one.

Sources: Entra, "Grant tenant-wide admin consent" and "Grant consent on behalf of a single user"; Microsoft identity
platform, "Admin consent protocols"; Microsoft Graph, ``oAuth2PermissionGrant``.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlencode

from auditor.consent.decision_facts import Case
from auditor.consent.existing_grants import TENANT_WIDE, Grants, grant_rows
from auditor.consent.links import OPEN_TENANT, admin_consent_link
from auditor.consent.lookup import service_principal
from auditor.consent.truth import Truth
from auditor.facts.clouds import CLOUDS
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH
from auditor.fixes.app_changes import (
    MAX_SCOPE_LENGTH,
    AssignApp,
    CreateGrant,
    CreateServicePrincipal,
    ReplaceGrantScopes,
    grant_id,
)
from auditor.fixes.change import NEW_SERVICE_PRINCIPAL, Change, graph_address
from auditor.fixes.portal_text import APP_ADMIN, CHECK_AGAIN, app_page, role_for_users, scope_names
from auditor.fixes.proposed_fix import Goal, Obstacle, ProposedFix
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal

_REGISTRATION_NOT_READ = (
    "the permissions in the app's registration can't be read in this tenant; the proof assumes the required ones"
)


def admin_consent(case: Case) -> Iterator[ProposedFix]:
    """Consent for the whole tenant: the vendor's kind of link, a link that names the scopes, and the grant itself."""
    grants = _grants(case, None)
    if not grants or case.client.presence is Truth.UNKNOWN:
        return
    links = [_link_to_registered_scopes(case, grants)]
    if link := _named_scopes_address(case):
        links.append(_link_to_named_scopes(case, grants, link))
    # Named scopes are more certain than the contents of the registration, unless the names are assumed themselves.
    certain = not case.app.mode.is_static and not _has_assumed_scopes(case)
    yield from reversed(links) if certain else links
    if isinstance(case.grants, Grants) and _fits(grants):
        yield _grant_through_graph(case, grants)


def consent_for_one_user(case: Case) -> Iterator[ProposedFix]:
    """The grant for one user, and the assignment if the app requires it."""
    user = case.subject.user_id
    if user is None or not isinstance(case.grants, Grants) or case.client.presence is Truth.UNKNOWN:
        return
    changes = _grants(case, user)
    if not changes or not _fits(changes):
        return
    who, app, home = case.subject.phrase, case.app.label, case.client.object_id
    assign = case.client.assignment_required is Truth.TRUE and case.assignment.truth is not Truth.TRUE
    role, note = role_for_users(case) if assign else ("", "")
    if assign and home is not None:
        changes = (*changes, AssignApp.of(graph_address(case.snapshot), home, user, role))
    yield ProposedFix(
        route="R3",
        key="R3-user",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS_SILENTLY,
        title=(
            f"Grant {app} exactly these scopes for {who} alone through Microsoft Graph"
            f"{f' and assign {who} to it' if assign else ''}"
        ),
        role=APP_ADMIN,
        changes=changes,
        verify=_read_back(case, f"consentType eq 'Principal' and principalId eq '{user}'"),
        undo=f"Remove this user's permissions for {app}. Other users are not affected.",
        expect="Takes effect at once, without a consent prompt. It covers only this user.",
        fill_in=(note,) if note else (),
    )


def _link_to_registered_scopes(case: Case, grants: tuple[Change, ...]) -> ProposedFix:
    app = case.app.label
    assumed = f" The pack assumes that they include {scope_names(case)}." if _has_assumed_scopes(case) else ""
    in_portal = (f"Or, in the portal: {app_page(case)} > Permissions > Grant admin consent.",)
    return ProposedFix(
        route="R1",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS_SILENTLY,
        title=f"An administrator grants {app} consent for the whole tenant",
        role=f"{APP_ADMIN}, or Application Administrator",
        portal=(*_open_and_accept(app), *(in_portal if case.client.presence is Truth.TRUE else ())),
        link=admin_consent_link(case.snapshot, case.app),
        changes=grants,
        shows_requests=False,
        verify=CHECK_AGAIN,
        undo=_revoke(case),
        expect=(
            f"This grants the permissions in the app's registration.{assumed} It may revoke tenant-wide permissions"
            " that were granted before and are no longer in the registration."
        ),
        caveats=() if case.app.mode.is_static else (_REGISTRATION_NOT_READ,),
    )


def _link_to_named_scopes(case: Case, grants: tuple[Change, ...], link: str) -> ProposedFix:
    app = case.app.label
    return ProposedFix(
        route="R1",
        key="R1-scopes",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS_SILENTLY,
        title=f"An administrator grants {app} consent for exactly these scopes, for the whole tenant, by a link",
        role=APP_ADMIN,
        portal=_open_and_accept(app),
        link=link,
        changes=grants,
        shows_requests=False,
        verify=CHECK_AGAIN,
        undo=_revoke(case),
        expect=(
            "The consent prompt lists exactly these scopes. The redirect URI must be registered for the app."
            f"{_assumption_note(case)}"
        ),
    )


def _grant_through_graph(case: Case, grants: tuple[Change, ...]) -> ProposedFix:
    return ProposedFix(
        route="R3",
        obstacle=Obstacle.CONSENT,
        goal=Goal.CONNECTS_SILENTLY,
        title=f"Grant {case.app.label} exactly these scopes for the whole tenant through Microsoft Graph",
        role=APP_ADMIN,
        changes=grants,
        verify=_read_back(case, "consentType eq 'AllPrincipals'"),
        undo=_revoke(case),
        expect=(
            "Takes effect at once, without a consent prompt. Permissions that the app requests later are not included."
            f"{_assumption_note(case)}"
        ),
    )


def _has_assumed_scopes(case: Case) -> bool:
    return any(r.permission.assumed for r in case.required)


def _assumption_note(case: Case) -> str:
    return " The pack assumes these scopes; the vendor does not publish them." if _has_assumed_scopes(case) else ""


def _open_and_accept(app: str) -> tuple[str, ...]:
    return (
        "Open this link and sign in as an administrator of the tenant.",
        f"Review the permissions that {app} requests and choose Accept. If an error page of the vendor opens"
        " afterwards, ignore it: the consent is already recorded.",
    )


def _revoke(case: Case) -> str:
    return f"Enterprise apps > {case.app.label} > Permissions > review permissions and revoke them."


def _read_back(case: Case, whose: str) -> str:
    if case.client.object_id is None:
        return CHECK_AGAIN
    address = f"{graph_address(case.snapshot)}{CreateGrant.path}"
    return f"{CHECK_AGAIN} Or GET {address}?$filter=clientId eq '{case.client.object_id}' and {whose}."


def _grants(case: Case, user: str | None) -> tuple[Change, ...]:
    """The changes after which every required scope is granted, for every user or for `user`."""
    graph = graph_address(case.snapshot)
    changes: list[Change] = []
    client_id = case.client.object_id or NEW_SERVICE_PRINCIPAL
    created = 0
    if case.client.presence is Truth.FALSE:
        changes.append(CreateServicePrincipal.of(graph, case.app.client_id))
    for resource in dict.fromkeys(r.permission.resource for r in case.required):
        principal = service_principal(case.snapshot, resource)
        if not isinstance(principal, ServicePrincipal):
            continue
        scopes = [r.permission.value for r in case.required if r.permission.resource == resource]
        row = _existing_grant(case, principal.id, user)
        if row is None:
            created += 1
            new = CreateGrant.of(graph, client_id, principal.id, " ".join(scopes), user=user, number=created)
            changes.append(new)
        elif (full := _extended(row.scope, scopes)) and (row_id := grant_id(row)):
            changes.append(ReplaceGrantScopes(graph=graph, grant_id=row_id, body={"scope": full}))
    return tuple(changes)


def _existing_grant(case: Case, resource_id: str, user: str | None) -> OAuth2PermissionGrant | None:
    """The grant for the same client, resource and user, if there is one."""
    for row in grant_rows(case.snapshot, case.client):
        for_all = row.consentType.lower() == TENANT_WIDE
        for_user = not for_all and (row.principalId or "").lower() == (user or "").lower()
        if row.resourceId.lower() == resource_id.lower() and (for_user if user else for_all):
            return row
    return None


def _extended(scope: str, more: list[str]) -> str:
    """The complete new scope string of a grant; empty if the grant already has every scope."""
    have = list({one.lower(): one for one in reversed(scope.split())}.values())[::-1]
    known = {one.lower() for one in have}
    missing = [one for one in more if one.lower() not in known]
    return " ".join((*have, *missing)) if missing else ""


def _fits(changes: tuple[Change, ...]) -> bool:
    return all(len(str(change.body.get("scope", ""))) <= MAX_SCOPE_LENGTH for change in changes)


def _named_scopes_address(case: Case) -> str:
    """The v2.0 admin consent address, which names every scope to grant; empty if no redirect URI is known."""
    if not case.app.redirect_uris:
        return ""
    registered = {uri.lower() for uri in case.client.reply_urls or ()}
    uris = case.app.redirect_uris
    redirect = next((uri for uri in uris if uri.lower() in registered), uris[0])
    scopes = [_full_name(case, r.permission.resource, r.permission.value) for r in case.required]
    named = {scope.lower() for scope in scopes}
    scopes += [scope for scope in _already_granted(case) if scope.lower() not in named]
    cloud = CLOUDS.get(case.snapshot.cloud, CLOUDS["global"])
    tenant = quote(case.snapshot.tenant.id or OPEN_TENANT, safe="")
    query = {"client_id": case.app.client_id, "scope": " ".join(scopes), "redirect_uri": redirect}
    return f"{cloud.authority}/{tenant}/v2.0/adminconsent?{urlencode(query, quote_via=quote, safe=':/')}"


def _already_granted(case: Case) -> Iterator[str]:
    """The scopes that every user already has, so that the new consent does not revoke them."""
    wide = [row for row in grant_rows(case.snapshot, case.client) if row.consentType.lower() == TENANT_WIDE]
    scopes = {row.resourceId.lower(): row.scope.split() for row in reversed(wide)}
    for principal in case.snapshot.sections.servicePrincipals or ():
        for scope in scopes.get(principal.id.lower(), ()):
            yield _full_name(case, principal.appId.lower(), scope)


_EXCHANGE_HOSTS = {
    "us-gov": "outlook.office365.us",
    "us-gov-dod": "outlook-dod.office365.us",
    "china": "partner.outlook.cn",
}


def _full_name(case: Case, resource: str, scope: str) -> str:
    """A scope with its resource, as a request names it; OpenID Connect scopes have no resource."""
    cloud = CLOUDS.get(case.snapshot.cloud, CLOUDS["global"])
    if resource == MICROSOFT_GRAPH:
        openid = scope.lower() in ("openid", "profile", "email", "offline_access")
        return scope if openid else f"{cloud.graph}/{scope}"
    if resource == EXCHANGE_ONLINE:
        return f"https://{_EXCHANGE_HOSTS.get(cloud.name, 'outlook.office365.com')}/{scope}"
    return f"{resource}/{scope}"
