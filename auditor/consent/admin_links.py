"""The links at which an administrator consents to an app for the whole tenant.

There are two. The v2.0 link names the scopes that it grants and needs a redirect URI that the app has registered. The
older link grants what the app's registration lists, which another tenant can't read. An app that names its scopes in
each request may ask for more than it registered, so for such an app the older link can leave users where they were.

Sources: Microsoft identity platform, "Admin consent on the Microsoft identity platform" (v2.0: ``scope`` and
``redirect_uri`` are required); Entra, "Grant tenant-wide admin consent" (the older link); Otter, help article
26338981397783 (a vendor whose registration lists less than the app requests).
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlencode, urlsplit

from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.existing_grants import TENANT_WIDE, granted_names
from auditor.consent.lookup import index_of
from auditor.consent.request import OPEN_TENANT, admin_consent_link
from auditor.facts.clouds import cloud_named
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, OPENID_SCOPES

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def best_consent_link(facts: DecisionFacts) -> str:
    """The link to give an administrator; empty if no link is known to grant what the app requests."""
    if grants_as_registered(facts):
        return admin_consent_link(facts.snapshot, facts.app)
    return named_scopes_link(facts)


def grants_as_registered(facts: DecisionFacts) -> bool:
    """Whether the best consent that is known is to what the app registered: the older link, or the portal's button."""
    if facts.app.mode.is_static:
        return True
    return may_be_registered(facts) and not named_scopes_link(facts)


def may_be_registered(facts: DecisionFacts) -> bool:
    """Whether the older link may grant what the app requests, as far as is known.

    An app that names its scopes at run time doesn't have to register them. If the names are an assumption of a
    pack, the registration can be the better list, unless an administrator's earlier consent left scopes out.
    """
    if facts.app.mode.is_static:
        return True
    has_consent = any(
        row.consentType.lower() == TENANT_WIDE for row in index_of(facts.snapshot).grants_of(facts.client.object_id)
    )
    return has_assumed_scopes(facts) and not has_consent


def has_assumed_scopes(facts: DecisionFacts) -> bool:
    """Whether a pack assumes some of the required scopes, because the vendor doesn't publish them."""
    return any(r.permission.assumed for r in facts.required)


def named_scopes_link(facts: DecisionFacts) -> str:
    """The v2.0 link, which grants exactly the required scopes and those already granted.

    Empty without a scope, and without a redirect URI that is registered and that a browser can open.
    """
    redirect = browser_redirect_uri(facts)
    if not redirect or not facts.required:
        return ""
    scopes = [_full_name(facts, r.permission.resource, r.permission.value) for r in facts.required]
    named = {scope.lower() for scope in scopes}
    scopes += [scope for scope in _already_granted(facts) if scope.lower() not in named]
    cloud = cloud_named(facts.snapshot.cloud)
    tenant = quote(facts.snapshot.tenant.id or OPEN_TENANT, safe="")
    query = {"client_id": facts.app.client_id, "scope": " ".join(scopes), "redirect_uri": redirect}
    return f"{cloud.authority}/{tenant}/v2.0/adminconsent?{urlencode(query, quote_via=quote, safe=':/')}"


def browser_redirect_uri(facts: DecisionFacts) -> str:
    """A redirect URI that the app has registered and that a browser can open; empty if none is known.

    The one of the pack or of the address, whose registration the decision relies on too, and otherwise one of the
    service principal's reply URLs. An address of the computer itself comes last: the browser finds no site there.
    """
    own, registered = facts.app.redirect_uris, facts.client.reply_urls
    if registered is not None:
        spelled = {uri.lower(): uri for uri in registered}  # Entra minds the case, so the registered spelling is used
        own = (*(spelled[uri.lower()] for uri in own if uri.lower() in spelled), *registered)
    usable = sorted(filter(_opens_in_a_browser, own), key=_is_loopback)
    return usable[0] if usable else ""


def _opens_in_a_browser(uri: str) -> bool:
    """Not ``urn:…``, not an app's own scheme, and not a pattern (``https://*.example.com``)."""
    try:
        address = urlsplit(uri)
    except ValueError:
        return False
    return address.scheme in ("http", "https") and bool(address.hostname) and "*" not in uri


def _is_loopback(uri: str) -> bool:
    return urlsplit(uri).hostname in _LOOPBACK


def _already_granted(facts: DecisionFacts) -> Iterator[str]:
    """The scopes that every user already has, so that the new consent does not revoke them."""
    index = index_of(facts.snapshot)
    for row in index.grants_of(facts.client.object_id):
        resource = index.principal_with_id(row.resourceId)
        if resource and row.consentType.lower() == TENANT_WIDE:
            yield from (_full_name(facts, resource.appId.lower(), scope) for scope in granted_names(row.scope))


def _full_name(facts: DecisionFacts, resource: str, scope: str) -> str:
    """A scope with its resource, as a request names it; OpenID Connect scopes have no resource."""
    cloud = cloud_named(facts.snapshot.cloud)
    if resource == MICROSOFT_GRAPH:
        openid = scope.lower() in OPENID_SCOPES
        return scope if openid else f"{cloud.graph}/{scope}"
    if resource == EXCHANGE_ONLINE:
        return f"https://{cloud.exchange}/{scope}"
    return f"{resource}/{scope}"
