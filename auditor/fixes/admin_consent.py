"""R1, R3 and R11: an administrator grants the scopes, by link or through Graph, for everybody or for one user.

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
from auditor.fixes import requests as graph
from auditor.fixes.candidate import Candidate, Mends, Promise
from auditor.fixes.change_grants import id_of
from auditor.fixes.portal_text import ADMINS, CHECK_AGAIN, app_page, role_for, scope_names
from auditor.model.fix import GraphRequest
from auditor.model.resources import OAuth2PermissionGrant, ServicePrincipal

_REGISTERED = "which permissions the app's registration lists cannot be read in this tenant; the required ones stand in"


def admin_consent(case: Case) -> Iterator[Candidate]:
    """Consent for the whole tenant: the vendor's kind of link, a link that names the scopes, and the grant itself."""
    granted = _grants(case, None)
    if not granted or case.client.presence is Truth.UNKNOWN:
        return
    links = [_registered_set(case, granted)]
    if link := _scoped_link(case):
        links.append(_named_scopes(case, granted, link))
    # Named scopes are surer than what the registration may list, unless the names are a guess themselves.
    certain = not case.app.mode.is_static and not _assumed(case)
    yield from reversed(links) if certain else links
    if isinstance(case.grants, Grants) and _fits(granted):
        yield _through_graph(case, granted)


def consent_for_one(case: Case) -> Iterator[Candidate]:
    """The grant of one user, with the assignment that an app which requires one needs besides."""
    user = case.subject.user_id
    if user is None or not isinstance(case.grants, Grants) or case.client.presence is Truth.UNKNOWN:
        return
    requests = _grants(case, user)
    if not requests or not _fits(requests):
        return
    who, app, home = case.subject.phrase, case.app.label, case.client.object_id
    assigned = case.client.assignment_required is Truth.TRUE and case.assignment.truth is not Truth.TRUE
    role, choose = role_for(case) if assigned else ("", "")
    if assigned and home is not None:
        requests = (*requests, graph.assign(graph.base_of(case.snapshot), home, user, role))
    assigns = f" and assign {who} to it" if assigned else ""
    yield Candidate(
        route="R3",
        key="R3-user",
        mends=Mends.CONSENT,
        promise=Promise.SILENT,
        title=f"Grant {app} exactly these scopes for {who} alone through Microsoft Graph{assigns}",
        role=ADMINS,
        requests=requests,
        verify=_read_back(case, f"consentType eq 'Principal' and principalId eq '{user}'"),
        undo=f"Remove the user's own permissions of {app}; nobody else is touched.",
        expect="At once, without a review page. Nobody but this user is covered.",
        fill_in=(choose,) if choose else (),
    )


def _registered_set(case: Case, granted: tuple[GraphRequest, ...]) -> Candidate:
    app = case.app.label
    note = f" The pack assumes that these include {scope_names(case)}." if _assumed(case) else ""
    more = (f"Or, in the portal: {app_page(case)} > Permissions > Grant admin consent.",)
    return Candidate(
        route="R1",
        mends=Mends.CONSENT,
        promise=Promise.SILENT,
        title=f"An administrator grants {app} consent for the whole tenant",
        role=f"{ADMINS}, or Application Administrator",
        portal=(*_open_and_accept(app), *(more if case.client.presence is Truth.TRUE else ())),
        link=admin_consent_link(case.snapshot, case.app),
        requests=granted,
        shown=False,
        verify=CHECK_AGAIN,
        undo=_revoke(case),
        expect=(
            f"This grants the permissions that the app's registration lists.{note} It may take back what was granted"
            " to the whole tenant before and is no longer registered."
        ),
        doubts=() if case.app.mode.is_static else (_REGISTERED,),
    )


def _named_scopes(case: Case, granted: tuple[GraphRequest, ...], link: str) -> Candidate:
    app = case.app.label
    return Candidate(
        route="R1",
        key="R1-scopes",
        mends=Mends.CONSENT,
        promise=Promise.SILENT,
        title=f"An administrator grants {app} consent for exactly these scopes, for the whole tenant, by a link",
        role=ADMINS,
        portal=_open_and_accept(app),
        link=link,
        requests=granted,
        shown=False,
        verify=CHECK_AGAIN,
        undo=_revoke(case),
        expect=(
            "The review page lists these scopes and no others. The redirect URI must be one that the app registers."
            f"{_guess(case)}"
        ),
    )


def _through_graph(case: Case, granted: tuple[GraphRequest, ...]) -> Candidate:
    return Candidate(
        route="R3",
        mends=Mends.CONSENT,
        promise=Promise.SILENT,
        title=f"Grant {case.app.label} exactly these scopes for the whole tenant through Microsoft Graph",
        role=ADMINS,
        requests=granted,
        verify=_read_back(case, "consentType eq 'AllPrincipals'"),
        undo=_revoke(case),
        expect=(
            f"At once, without a review page. Permissions that the app asks for later are not included.{_guess(case)}"
        ),
    )


def _assumed(case: Case) -> bool:
    return any(r.permission.assumed for r in case.required)


def _guess(case: Case) -> str:
    return " The pack assumes these scopes; the vendor does not publish them." if _assumed(case) else ""


def _open_and_accept(app: str) -> tuple[str, ...]:
    return (
        "Open this link and sign in as an administrator of the tenant.",
        f"Read what {app} asks for and choose Accept. An error page of the vendor afterwards does no harm.",
    )


def _revoke(case: Case) -> str:
    return f"Enterprise apps > {case.app.label} > Permissions > review permissions and revoke them."


def _read_back(case: Case, whose: str) -> str:
    if case.client.object_id is None:
        return CHECK_AGAIN
    address = f"{graph.base_of(case.snapshot)}/oauth2PermissionGrants"
    return f"{CHECK_AGAIN} Or GET {address}?$filter=clientId eq '{case.client.object_id}' and {whose}."


def _grants(case: Case, user: str | None) -> tuple[GraphRequest, ...]:
    """The requests that leave a grant of every required scope, for everybody or for `user`."""
    base = graph.base_of(case.snapshot)
    made: list[GraphRequest] = []
    client_id = case.client.object_id or graph.NEW_SERVICE_PRINCIPAL
    rows = 0
    if case.client.presence is Truth.FALSE:
        made.append(graph.create_service_principal(base, case.app.client_id))
    for resource in dict.fromkeys(r.permission.resource for r in case.required):
        principal = service_principal(case.snapshot, resource)
        if not isinstance(principal, ServicePrincipal):
            continue
        scopes = [r.permission.value for r in case.required if r.permission.resource == resource]
        row = _row(case, principal.id, user)
        if row is None:
            rows += 1
            whom = {"consentType": "Principal", "principalId": user} if user else {"consentType": "AllPrincipals"}
            body = {"clientId": client_id, **whom, "resourceId": principal.id, "scope": " ".join(scopes)}
            made.append(graph.create_grant(base, body, rows))
        elif (full := _with(row.scope, scopes)) and (grant_id := id_of(row)):
            made.append(graph.change_grant(base, grant_id, full))
    return tuple(made)


def _row(case: Case, resource_id: str, user: str | None) -> OAuth2PermissionGrant | None:
    """The row that is there already for the same client, resource and user."""
    for row in grant_rows(case.snapshot, case.client):
        for_all = row.consentType.lower() == TENANT_WIDE
        for_user = not for_all and (row.principalId or "").lower() == (user or "").lower()
        if row.resourceId.lower() == resource_id.lower() and (for_user if user else for_all):
            return row
    return None


def _with(scope: str, more: list[str]) -> str:
    """The complete new string of a row; empty where it holds everything already."""
    have = list({one.lower(): one for one in reversed(scope.split())}.values())[::-1]
    known = {one.lower() for one in have}
    missing = [one for one in more if one.lower() not in known]
    return " ".join((*have, *missing)) if missing else ""


def _fits(requests: tuple[GraphRequest, ...]) -> bool:
    return all(len(str((r.body or {}).get("scope", ""))) <= graph.LONGEST_SCOPE for r in requests)


def _scoped_link(case: Case) -> str:
    """The v2.0 address, which names every scope that is to be granted; it needs a redirect URI."""
    if not case.app.redirect_uris:
        return ""
    registered = {uri.lower() for uri in case.client.reply_urls or ()}
    uris = case.app.redirect_uris
    redirect = next((uri for uri in uris if uri.lower() in registered), uris[0])
    scopes = [_full_name(case, r.permission.resource, r.permission.value) for r in case.required]
    scopes += [name for name in _kept(case) if name.lower() not in {s.lower() for s in scopes}]
    cloud = CLOUDS.get(case.snapshot.cloud, CLOUDS["global"])
    tenant = quote(case.snapshot.tenant.id or OPEN_TENANT, safe="")
    query = {"client_id": case.app.client_id, "scope": " ".join(scopes), "redirect_uri": redirect}
    return f"{cloud.authority}/{tenant}/v2.0/adminconsent?{urlencode(query, quote_via=quote, safe=':/')}"


def _kept(case: Case) -> Iterator[str]:
    """What is granted to everybody already, so that the new consent does not take it back."""
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
    """A scope as a request names it, with its resource; OpenID scopes have none."""
    cloud = CLOUDS.get(case.snapshot.cloud, CLOUDS["global"])
    if resource == MICROSOFT_GRAPH:
        openid = scope.lower() in ("openid", "profile", "email", "offline_access")
        return scope if openid else f"{cloud.graph}/{scope}"
    if resource == EXCHANGE_ONLINE:
        return f"https://{_EXCHANGE_HOSTS.get(cloud.name, 'outlook.office365.com')}/{scope}"
    return f"{resource}/{scope}"
