"""Whom to ask for what: the links at which an administrator consents, and advice where no administrator can help.

There are two links. The v2.0 link names the scopes that it grants and needs a redirect URI that the app has registered.
The older link grants what the app's registration lists, which another tenant can't read. An app that names its scopes
in each request may ask for more than it registered, so for such an app the older link can leave users where they were.

Sources: Microsoft identity platform, "Admin consent on the Microsoft identity platform" (v2.0: ``scope`` and
``redirect_uri`` are required); Entra, "Grant tenant-wide admin consent" (the older link); Otter, help article
26338981397783 (a vendor whose registration lists less than the app requests). For the advice: Entra, "Unexpected error
when consenting", "Deactivate an app registration", "Publisher verification overview" and "Unexpected consent prompt".
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from auditor.consent import Truth
from auditor.consent.blockers import Blocker
from auditor.consent.decision_facts import DecisionFacts
from auditor.consent.existing_grants import ALL_PRINCIPALS, gives_nothing, granted_names
from auditor.consent.explanation import listed
from auditor.consent.possible_outcomes import consent_only_forced, possible_outcomes
from auditor.consent.requested_access import ResourceApp
from auditor.consent.requested_scopes import admin_consent_link, tenant_in_link
from auditor.consent.snapshot_index import index_of
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, OPENID_SCOPES, RESOURCE_NAMES, cloud_named
from auditor.model.decision import Outcome, Reason
from auditor.model.rule import App

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
        row.consentType.lower() == ALL_PRINCIPALS for row in index_of(facts.snapshot).grants_of(facts.client.object_id)
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
    tenant = tenant_in_link(facts.snapshot)
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
    """The scopes that every user already has, so that the new consent does not revoke them.

    Entra refuses a link with a name that the resource doesn't have, which a grant can hold without effect.
    """
    index = index_of(facts.snapshot)
    for row in index.grants_of(facts.client.object_id):
        resource = index.principal_with_id(row.resourceId)
        if resource and row.consentType.lower() == ALL_PRINCIPALS:
            app_id = resource.appId.lower()
            names = (name for name in granted_names(row.scope) if not gives_nothing(index, app_id, name))
            yield from (_full_name(facts, app_id, name) for name in names)


def _full_name(facts: DecisionFacts, resource: str, scope: str) -> str:
    """A scope with its resource, as a request names it; OpenID Connect scopes have no resource."""
    cloud = cloud_named(facts.snapshot.cloud)
    if resource == MICROSOFT_GRAPH:
        openid = scope.lower() in OPENID_SCOPES
        return scope if openid else f"{cloud.graph}/{scope}"
    if resource == EXCHANGE_ONLINE:
        return f"https://{cloud.exchange}/{scope}"
    return f"{resource}/{scope}"


_THROUGH_GRAPH = "with a grant through Microsoft Graph"


def advice(facts: DecisionFacts, outcome: Outcome, reason: Reason) -> tuple[str, ...]:
    """One piece of advice for each cause that no administrator of the tenant can fix by granting consent."""
    certain = [b for b in facts.blockers if b.truth is Truth.TRUE]
    texts = (*(_of_blocker(facts, b) for b in certain), *_of_request(facts, outcome, reason))
    return tuple(dict.fromkeys(text for text in texts if text))


def _of_blocker(facts: DecisionFacts, blocker: Blocker) -> str:
    """Empty where an administrator of the tenant can remove the blocker."""
    app = facts.app.label
    match blocker.reason:
        case Reason.APP_DEACTIVATED:
            return (
                f"Nothing in this tenant can help: the publisher of {app} has deactivated its registration, for every"
                " tenant, and only the publisher can activate it again. Contact the vendor."
            )
        case Reason.APP_DISABLED_BY_MICROSOFT:
            return (
                f"Nothing in this tenant can help: Microsoft has disabled {app} for every tenant. Only Microsoft can"
                " reverse that. Ask the vendor, who has to resolve it with Microsoft, and don't approve another app in"
                " its place until you know the reason."
            )
        case Reason.APP_DISABLED_IN_TENANT:
            return ""
        case Reason.REQUEST_REFUSED:
            return (
                f"No consent can help: {blocker.because}. It is a mistake in the address that {app} sends users to, and"
                " only whoever makes that address can correct it: contact the vendor."
            )
        case Reason.RESOURCE_MISSING:
            return " ".join(_missing(facts, r) for r in facts.resources if r.missing is Truth.TRUE)
        case Reason.NEEDED_APP_MISSING:
            return " ".join(_needed(facts, one) for one in facts.needed if one.missing is Truth.TRUE)
        case Reason.RESOURCE_DISABLED:
            return _disabled(facts)
        case Reason.REDIRECT_URI_NOT_REGISTERED:
            return (
                f"No consent can help: {blocker.because}. Ask the vendor which redirect URI this tenant should use,"
                " or correct the pack if the pack is wrong."
            )
        case _:
            return (
                f"No consent can help: {blocker.because}. Only the vendor can change what {app} asks for. Contact the"
                " vendor, or correct the scope in the pack if the pack is wrong."
            )


def _needs_admin_once_enabled(facts: DecisionFacts, reason: Reason) -> bool:
    """Whether users still need an administrator after one has switched on the sign-in to the app again."""
    if reason is not Reason.APP_DISABLED_IN_TENANT:
        return False
    enabled = msgspec.structs.replace(facts, blockers=())
    return {one.outcome for one in possible_outcomes(enabled)} == {Outcome.NEEDS_ADMIN}


def _of_forced_consent(facts: DecisionFacts) -> Iterator[str]:
    """To have ``prompt=consent`` left out, and what an administrator grants then."""
    app = facts.app.label
    yield (
        f"Have prompt=consent left out of the sign-in of {app}: in the settings of the integration if it has one for"
        " this, otherwise by the vendor. With it, Entra asks every user again, whatever an administrator has granted."
    )
    if consent_only_forced(facts) is Truth.FALSE:
        names = listed(r.permission.value for r in facts.required if r.granted.truth is not Truth.TRUE)
        link = best_consent_link(facts)
        how = (
            f"at {link} (the page after Accept may be an error although consent was given)" if link else _THROUGH_GRAPH
        )
        if names:
            yield f"An administrator then grants what is still missing ({names}) {how}."


def _missing(facts: DecisionFacts, resource: ResourceApp) -> str:
    name = resource.name
    if resource.app_id in RESOURCE_NAMES:
        return (
            f"No consent setting can help: {name} is not in this tenant, so no license of the tenant includes it. Look"
            " under Microsoft 365 admin center > Billing > Your products, or ask the license reseller."
        )
    return (
        f"No consent to {facts.app.label} can help before the API {name} is in this tenant. Ask the API's vendor for"
        " its own admin consent link or, for a Microsoft service, which license includes it."
    )


def _needed(facts: DecisionFacts, one: ResourceApp) -> str:
    link = admin_consent_link(facts.snapshot, App(client_id=one.app_id, name=one.name))
    return (
        f"No consent to {facts.app.label} can help before {one.name} is in this tenant. An administrator consents to"
        f" {one.name} first: {link} (the page after Accept may be an error although consent was given). Then run the"
        " check again."
    )


def _disabled(facts: DecisionFacts) -> str:
    names = listed(r.name for r in (*facts.needed, *facts.resources) if r.disabled is Truth.TRUE)
    return (
        f"No consent setting can help: {names} is switched off in this tenant. If a subscription has lapsed, renew it"
        " (Microsoft 365 admin center > Billing > Your products); if an administrator switched it off, see"
        f" {facts.portal} > Entra ID > Enterprise apps > Application type: Microsoft Applications >"
        f" {names} > Properties."
    )


def _of_request(facts: DecisionFacts, outcome: Outcome, reason: Reason) -> Iterator[str]:
    app = facts.app.label
    if reason is Reason.RISK_STEP_UP:
        yield (
            f"The vendor can remove the cause for every tenant, by having the publisher of {app} verified. Turning off"
            " risk-based step-up consent in the tenant is not recommended."
        )
    if facts.app.prompt_consent and (outcome is Outcome.NEEDS_ADMIN or _needs_admin_once_enabled(facts, reason)):
        yield from _of_forced_consent(facts)
    if reason is Reason.CONSENT_PAGE_FORBIDDEN:
        yield (
            f"The vendor can let {app} sign users in once without prompt=none, so that Entra may ask for consent; else"
            " an administrator has to grant it for them."
        )
    if reason is Reason.ADMIN_CONSENT_REQUESTED:
        yield (
            f"Ask the vendor to leave prompt=admin_consent out of the sign-in of {app}: with it, Entra asks every user"
            " for an administrator's consent, whatever an administrator has granted."
        )
    if outcome is Outcome.CONNECTS_SILENTLY and facts.asks_unlisted:
        yield (
            f"If {app} connects but its calls fail (403, access denied), the vendor has added permissions since."
            f" An administrator grants them at {admin_consent_link(facts.snapshot, facts.app)}"
        )
    if outcome is Outcome.CONNECTS_BUT_LACKS_SCOPES:
        yield (
            "The vendor can also send each user once through a sign-in with prompt=consent, which helps those who may"
            " consent themselves."
        )
