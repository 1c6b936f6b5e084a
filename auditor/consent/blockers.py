"""What blocks a request before Entra considers consent, in the order in which Entra checks.

Sources: Microsoft identity platform, "Redirect URI (reply URL) restrictions and limitations" (with its localhost
exceptions), the AADSTS reference, and "National clouds" (an app is registered in each cloud by itself).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from urllib.parse import urlsplit

import msgspec

from auditor.consent import Truth
from auditor.consent.requested_access import Client, Permission, ResourceApp
from auditor.facts.ids import CLOUDS
from auditor.model.decision import Reason
from auditor.model.rule import App


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """Something that blocks the request if `truth` is true; `because` is a clause without a full stop."""

    truth: Truth
    reason: Reason
    code: str
    because: str
    needs: str = ""
    caveats: tuple[str, ...] = ()


def blockers_of(
    cloud: str,
    app: App,
    client: Client,
    needed: tuple[ResourceApp, ...],
    resources: Iterable[ResourceApp],
    perhaps_asked: Iterable[ResourceApp],
    asked: tuple[Permission, ...],
) -> tuple[Blocker, ...]:
    """Everything that blocks the request or may block it in a tenant of this cloud, in order.

    `needed` are the apps that `app` also needs. `perhaps_asked` are resources of scopes that Entra adds if this is the
    app's first consent, which isn't known.
    """
    also_needed = {one.app_id for one in needed}
    others = tuple(resource for resource in resources if resource.app_id not in also_needed)
    named = {*app.default_resources, *(p.resource for p in asked if p.required and not p.implicit)}
    found = (
        *_of_request(app),
        *_of_host(cloud, app),
        *_of_audience(app, client),
        *_of_client(client),
        *_of_needed_apps(app, needed),
        *_of_resources(others, named),
        *map(_if_first_consent, _of_resources(perhaps_asked, named)),
        *_of_redirect_uri(app, client),
        *_of_scopes(asked),
    )
    return tuple(blocker for blocker in found if blocker.truth is not Truth.FALSE)


def _of_request(app: App) -> Iterator[Blocker]:
    for fault in app.faults:
        yield Blocker(
            truth=Truth.TRUE,
            reason=Reason.REQUEST_REFUSED,
            code=fault.code,
            because=fault.because,
            caveats=(fault.caveat,) if fault.caveat else (),
        )


def _of_host(cloud: str, app: App) -> Iterator[Blocker]:
    """An address of another cloud, where the tenant has no accounts, and the app perhaps no registration.

    "National clouds": each has its own sign-in host, and apps are registered in each by itself.
    """
    if app.clouds and cloud not in app.clouds:
        theirs = " or ".join(app.clouds)
        yield Blocker(
            truth=Truth.TRUE,
            reason=Reason.REQUEST_REFUSED,
            code="AADSTS700016",
            because=f"the address is one of the cloud {theirs}, and this tenant is in the cloud {cloud}",
            caveats=(
                "Microsoft doesn't document what users of another cloud see there: AADSTS700016 if the app isn't"
                " registered in that cloud, or else an error about the account or the tenant",
            ),
        )


_ONE_TENANT = "azureadmyorg"
_PERSONAL = "personalmicrosoftaccount"
"""Values of `signInAudience` in lower case (Graph, ``servicePrincipal``)."""
_ACCEPTED_UNTIL = "2018-10-15"
"""AADSTS50194: /common isn't "supported for such applications created after '10/15/2018'" (azure-docs issue 55341)."""


def _of_audience(app: App, client: Client) -> Iterator[Blocker]:
    """A registration that takes other accounts than the address does. The tenant's copy of it may be an old one."""
    if client.audience == _ONE_TENANT and app.authority.lower() in ("common", "organizations"):
        is_old = "" < client.created < _ACCEPTED_UNTIL
        yield Blocker(
            truth=Truth.FALSE if is_old else Truth.TRUE,
            reason=Reason.REQUEST_REFUSED,
            code="AADSTS50194",
            because=f"the app is registered for one tenant only, and the address signs in at /{app.authority.lower()}",
            caveats=("Entra takes this from apps registered before 15 October 2018, and the date isn't known",),
        )
    elif client.audience == _PERSONAL:
        yield Blocker(
            truth=Truth.TRUE,
            reason=Reason.REQUEST_REFUSED,
            code="",
            because="the app is registered for personal Microsoft accounts only",
            caveats=("Microsoft doesn't document what users of a tenant see then",),
        )


def _of_client(client: Client) -> Iterator[Blocker]:
    yield Blocker(
        truth=client.deactivated,
        reason=Reason.APP_DEACTIVATED,
        code="",
        because="the publisher has deactivated the app's registration",
        needs=f"whether the publisher deactivated the app ({client.unread})",
        caveats=("the AADSTS code of a deactivated app is not documented",),
    )
    yield Blocker(
        truth=client.disabled_by_microsoft,
        reason=Reason.APP_DISABLED_BY_MICROSOFT,
        code="",
        because="Microsoft has disabled the app for a violation of its services agreement",
        needs=f"whether Microsoft disabled the app ({client.unread})",
        caveats=("the AADSTS code of an app that Microsoft disabled is not documented",),
    )
    yield Blocker(
        truth=~client.enabled,
        reason=Reason.APP_DISABLED_IN_TENANT,
        code="AADSTS7000112",
        because="sign-in to the app is switched off in this tenant",
        needs=f"whether sign-in to the app is switched on ({client.unread})",
    )


def _of_needed_apps(app: App, needed: tuple[ResourceApp, ...]) -> Iterator[Blocker]:
    """The first app that is missing is the cause, whatever the request fails with: it comes before the resources.

    The vendor's own API is in a tenant only after an administrator consented to it. Until then, a request for its
    scopes ends with AADSTS650052, and a token request of the other app with AADSTS65001.
    """
    for one, need in zip(needed, app.also_needs, strict=True):
        unwritten = "the vendor doesn't say in writing that the app needs another app" if need.assumed else ""
        caveats = (unwritten,) if unwritten else ()
        yield Blocker(
            truth=one.missing,
            reason=Reason.NEEDED_APP_MISSING,
            code="AADSTS650052 or AADSTS65001",
            because=f"it also needs the app {one.name}, which is not in this tenant yet",
            needs=f"whether {one.name}, which it also needs, is in this tenant ({one.unread})",
            caveats=caveats,
        )
        yield Blocker(
            truth=one.disabled,
            reason=Reason.RESOURCE_DISABLED,
            code="AADSTS500014",
            because=f"{one.name}, which it also needs, is disabled in this tenant",
            needs=f"whether {one.name}, which it also needs, is enabled ({one.unread})",
            caveats=caveats,
        )


def _of_resources(resources: Iterable[ResourceApp], named: set[str]) -> Iterator[Blocker]:
    for resource in resources:
        name = resource.name
        caveats = (
            ()
            if resource.app_id in named
            else ("the app requests Microsoft Graph only through the scopes that Entra adds",)
        )
        yield Blocker(
            truth=resource.missing,
            reason=Reason.RESOURCE_MISSING,
            code="AADSTS650052",
            because=f"{name} is not present in this tenant, which usually means that no license includes it",
            needs=f"whether {name} is present ({resource.unread})",
            caveats=caveats,
        )
        yield Blocker(
            truth=resource.disabled,
            reason=Reason.RESOURCE_DISABLED,
            code="AADSTS500014",
            because=f"{name} is disabled in this tenant, which happens when a subscription lapses",
            needs=f"whether {name} is enabled ({resource.unread})",
            caveats=caveats,
        )


def _if_first_consent(blocker: Blocker) -> Blocker:
    """What blocks a first consent, where it isn't known whether this is one."""
    if blocker.truth is not Truth.TRUE:
        return blocker
    needs = f"whether this is the app's first consent, because {blocker.because}"
    return msgspec.structs.replace(blocker, truth=Truth.UNKNOWN, needs=needs)


def _of_redirect_uri(app: App, client: Client) -> Iterator[Blocker]:
    registered = client.reply_urls
    if registered == () and (app.redirect_uris or app.sends_no_redirect_uri):
        yield Blocker(
            truth=Truth.TRUE,
            reason=Reason.REDIRECT_URI_NOT_REGISTERED,
            code="AADSTS500113",
            because="the app's registration lists no redirect URI at all",
        )
    elif registered and app.redirect_uris and _best_match(app, registered) is _Match.NONE:
        yield Blocker(
            truth=Truth.TRUE,
            reason=Reason.REDIRECT_URI_NOT_REGISTERED,
            code="AADSTS50011",
            because=f"the app's registration does not list the redirect URI {app.redirect_uris[0]}"
            f"{_but_for_case(app, registered)}",
        )


def _but_for_case(app: App, registered: tuple[str, ...]) -> str:
    """Words on the registered redirect URI that differs in nothing but letter case, if there is one."""
    sent = app.redirect_uris[0].lower()
    other = next((one for one in registered if one.lower() == sent), "")
    return other and f", but {other}, and letter case matters"


class _Match(Enum):
    """How a redirect URI matches a registered one; the best first."""

    EXACT = 0
    LIKELY = 1
    NONE = 2


def _best_match(app: App, registered: tuple[str, ...]) -> _Match:
    pairs = (_match(uri, pattern) for uri in app.redirect_uris for pattern in registered)
    return min(pairs, key=lambda match: match.value, default=_Match.NONE)


def _match(uri: str, registered: str) -> _Match:
    """Whether a redirect URI is the registered one; a registration may hold ``*`` (legacy wildcards).

    "Redirect URIs are case-sensitive"; AADSTS50011 says "Reply address did not match because of case sensitivity"
    (microsoft-graph-explorer-v4 issue 540). A scheme and a host have no case (RFC 3986, 6.2.2.1), and a missing path
    is ``/``, as it is in the response.
    """
    uri, registered = _normal(uri), _normal(registered)
    pattern = ".*".join(re.escape(piece) for piece in registered.split("*"))
    if re.fullmatch(pattern, uri):
        return _Match.EXACT
    loopback, other = _without_port(uri), _without_port(registered)
    if not loopback or loopback != other:
        return _Match.NONE
    return _Match.EXACT if loopback.startswith("http://localhost/") else _Match.LIKELY


def _normal(uri: str) -> str:
    """A redirect URI with its scheme and host in lower case, and with a path."""
    uri = re.sub(r"^[^:/?#]+:(//[^/?#]*)?", lambda start: start[0].lower(), uri)
    return f"{uri}/" if re.fullmatch(r"https?://[^/?#]+", uri) else uri


def _without_port(uri: str) -> str:
    """A redirect URI of this computer without its port, which Entra ignores; empty for any other.

    The documentation means "loopback" and localhost URIs, and says that ``[::1]`` isn't supported.
    """
    found = re.fullmatch(r"(https?://(?:localhost|127\.0\.0\.1))(?::[0-9]+)?([/?#].*)", uri)
    return f"{found[1]}{found[2]}" if found else ""


def request_caveats(cloud: str, app: App, client: Client) -> tuple[str, ...]:
    """Why it isn't certain that Entra takes the request at all; it doesn't matter for a request that is blocked."""
    return (
        *_of_cloud(cloud, client),
        *_of_single_tenant(client),
        *_of_unread_reply_urls(app, client),
        *_of_loopback(app, client),
    )


def _of_cloud(cloud: str, client: Client) -> Iterator[str]:
    """Each cloud has its own app registrations, and nobody can look up whether an absent app has one (AADSTS700016)."""
    if (cloud not in CLOUDS or CLOUDS[cloud].is_national) and client.presence is Truth.FALSE:
        yield (
            "an app is registered in each cloud by itself, and this one isn't in the tenant yet: if the client id is"
            " the one for Microsoft's global cloud, Entra answers AADSTS700016, and no consent helps"
        )


def _of_single_tenant(client: Client) -> Iterator[str]:
    """The tenant still has an app that was multitenant once; Entra answers its users AADSTS50020 or AADSTS700016."""
    if client.audience == _ONE_TENANT and client.of_other_tenant is not Truth.FALSE:
        whose = "is another one" if client.of_other_tenant is Truth.TRUE else "the data doesn't name"
        yield (
            f"the app is registered for the users of one tenant only, which {whose}; Entra may refuse the users of"
            " this tenant (AADSTS50020 or AADSTS700016), and no consent helps"
        )


def _of_unread_reply_urls(app: App, client: Client) -> Iterator[str]:
    if client.presence is Truth.TRUE and client.reply_urls is None and app.redirect_uris:
        yield (
            f"the data doesn't have the app's reply URLs, so {app.redirect_uris[0]} may not be among them; Entra then"
            " answers AADSTS50011"
        )


def _of_loopback(app: App, client: Client) -> Iterator[str]:
    if client.reply_urls and app.redirect_uris and _best_match(app, client.reply_urls) is _Match.LIKELY:
        host = urlsplit(app.redirect_uris[0])
        yield (
            f"Microsoft documents that the port of a loopback redirect URI is ignored, with examples of"
            f" http://localhost only; the app uses {host.scheme}://{host.hostname}"
        )
    if client.reply_urls == () and not app.redirect_uris:
        yield (
            "the app's registration lists no redirect URI, so only a sign-in by device code can work; one in a browser"
            " ends with AADSTS500113"
        )
    if client.reply_urls and not app.redirect_uris and app.sends_no_redirect_uri:
        yield (
            "the address names no redirect URI; Entra then uses one of the registered ones, which may not be the one"
            " that the app expects"
        )


def _of_scopes(asked: tuple[Permission, ...]) -> Iterator[Blocker]:
    read = {permission.resource for permission in asked if permission.exists is not Truth.UNKNOWN}
    for permission in asked:
        if not permission.required or permission.implicit:
            continue
        name, resource = permission.value, permission.resource_name
        if permission.exists is not Truth.TRUE:
            yield Blocker(
                truth=~permission.exists,
                reason=Reason.SCOPE_DOES_NOT_EXIST,
                code="AADSTS650053",
                because=f"{resource} has no scope named {name}",
                # One fact for a resource that wasn't read, instead of one for each of its scopes.
                needs=f"whether {resource} has a scope named {name}"
                if permission.resource in read
                else f"which scopes {resource} has",
            )
        else:
            undocumented = "Microsoft doesn't document whether Entra refuses a disabled scope like an unknown one"
            yield Blocker(
                truth=~permission.enabled,
                reason=Reason.SCOPE_DISABLED,
                code="AADSTS650053",
                because=f"the scope {name} of {resource} is disabled",
                needs=f"whether the scope {name} of {resource} is enabled",
                caveats=(undocumented,) if permission.enabled is Truth.FALSE else (),
            )
