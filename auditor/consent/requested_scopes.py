"""Requests for consent: the scopes that a person lists, and the links that grant them.

Sources: Microsoft identity platform, "Scopes and permissions" (a scope without a resource means Microsoft Graph),
"OAuth 2.0 authorization code flow" and "Admin consent" (v2.0 endpoint); Entra, "Grant tenant-wide admin consent" (the
older endpoint, which grants what the app's registration lists).
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

import msgspec

from auditor.facts.ids import (
    MICROSOFT_GRAPH,
    OPENID_SCOPES,
    TENANT_PLACEHOLDER,
    cloud_named,
    is_guid,
    is_redacted_tenant,
)
from auditor.model.errors import AuditorError
from auditor.model.rule import App, AppVariant, RequestFault, RequestMode, ScopeNeed
from auditor.model.snapshot import Snapshot

DEFAULT = ".default"


class RequestError(AuditorError):
    """What was pasted cannot be understood; the message says what to give instead."""


def scope_needs(text: str) -> tuple[ScopeNeed, ...]:
    """The scopes that a person lists, once each; ``.default`` is kept as a scope of its resource.

    Raises RequestError for an empty string, a malformed scope, and for ``.default`` together with other scopes, which
    Entra refuses with AADSTS70011.
    """
    needs = _listed(text)
    if fault := refused_default(needs):
        raise RequestError(f"{fault.because} ({fault.code}): give .default of one resource, or scopes")
    return needs


def _listed(text: str) -> tuple[ScopeNeed, ...]:
    """The scopes of a list that a person wrote: also with commas, and with resources that lack their ``https://``."""
    needs = unique_needs(_split(item) for item in text.replace(",", " ").split())
    if not needs:
        raise RequestError('no scope was given: name the scopes the app asks for, such as "Mail.Read Mail.Send"')
    return needs


def unique_needs(named: Iterable[tuple[str, str]]) -> tuple[ScopeNeed, ...]:
    """Pairs of a resource and a scope as needs, each once: the letter case of a scope's name doesn't matter."""
    found: dict[tuple[str, str], ScopeNeed] = {}
    for resource, value in named:
        found.setdefault((resource, value.lower()), ScopeNeed(resource=resource, value=value))
    return tuple(found.values())


def refuse_unnamed_resources(app: App) -> None:
    """Raise RequestError for a scope of a resource that has no app id here: its own tenants alone know its address."""
    needs = ((need.resource, need.value) for need in app.scopes)
    for resource, value in (*needs, *((resource, DEFAULT) for resource in app.default_resources)):
        if not is_guid(resource):
            raise RequestError(
                f"{resource} is not known by name: give the scope as APP-ID/{value}, with the app id of the"
                " resource from Enterprise apps > Application type: All applications"
            )


def resource_named(text: str) -> str:
    """The app id of a resource that is named by its app id or by one of Microsoft's addresses, else the name itself."""
    bare = text.removeprefix("api://").rstrip("/")
    if is_guid(bare):
        return bare.lower()
    from auditor.facts.ids import resource_at

    return resource_at(text) or text.rstrip("/")


def _split(item: str) -> tuple[str, str]:
    """Resource (app id, or identifier URI where that is not known) and scope name of one scope."""
    prefix, slash, value = item.rpartition("/")
    if not slash:
        return MICROSOFT_GRAPH, item
    if not value:
        raise RequestError(f"{item!r} names a resource but no scope: add the scope after the last slash")
    if any(bracket in prefix for bracket in "[]"):
        raise RequestError(f"{item!r} is not a scope: give it as RESOURCE/SCOPE, or as SCOPE for Microsoft Graph")
    if "//" not in prefix and not is_guid(prefix):
        known = resource_named(f"https://{prefix}")
        return (known if is_guid(known) else prefix), value
    return resource_named(prefix), value


def app_from_scopes(client_id: str, scopes: str, *, name: str = "", redirect_uri: str = "") -> App:
    """The app of ``--app`` and ``--scopes``, by default under the name that is known for its client id.

    Raises RequestError for a wrong client id or list of scopes.
    """
    app = requesting(client_id_of(client_id), _listed(scopes) if scopes else ())
    if not name:
        from auditor.facts.app_names import published_name

        name = published_name(app.client_id)
    return msgspec.structs.replace(app, name=name, redirect_uris=(redirect_uri,) if redirect_uri else ())


def client_id_of(text: str) -> str:
    """The client id in lower case. Raises RequestError for anything else than a GUID, which may be in braces."""
    client = text.strip().strip("{}").lower()
    if not is_guid(client):
        raise RequestError(
            f"{_shortened(text)!r} is not a client ID. A client ID looks like 5353a3d2-8ca9-42d2-b567-ea399ccb5e38 and"
            " follows client_id= in the address of the consent page"
        )
    return client


def _shortened(text: str) -> str:
    """The text, or the start of one that can be a secret because of its length."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:8]}…"


_LONGEST_SHOWN = 50
"""A client id with braces and a typo is shorter, a code or a token longer."""


def requesting(client_id: str, needs: tuple[ScopeNeed, ...], faults: tuple[RequestFault, ...] = ()) -> App:
    """The app that requests these scopes.

    ``.default`` means the registered permissions of all resources ("Scopes and permissions"), so the OpenID Connect
    scopes next to it add nothing.
    """
    defaults = tuple(need.resource for need in needs if need.value.lower() == DEFAULT)
    named = tuple(need for need in needs if need.value.lower() != DEFAULT)
    if not defaults:
        return App(client_id=client_id, scopes=named, faults=faults)
    mixed = tuple(need for need in named if not is_openid(need))
    if fault := refused_default(needs):
        faults = (*faults, fault)
    return App(client_id=client_id, mode=RequestMode.DEFAULT, default_resources=defaults, scopes=mixed, faults=faults)


def refused_default(needs: tuple[ScopeNeed, ...]) -> RequestFault | None:
    """Why Entra refuses a request with ``.default``: it is for one resource, and "can't be combined" with other scopes.

    Sources: "Scopes and permissions", the ``.default`` scope; microsoft-authentication-library-for-js issue 1718 (a
    named scope); dotnet/aspnetcore issue 60868 (AADSTS70011 "static scope limit exceeded": two resources).
    """
    resources = dict.fromkeys(need.resource for need in needs if need.value.lower() == DEFAULT)
    if not resources:
        return None
    named = [need.value for need in needs if need.value.lower() != DEFAULT and not is_openid(need)]
    if named:
        because = f".default cannot be combined with other scopes, and the app asks for {named[0]} in the same request"
        return RequestFault(code="AADSTS70011", because=because)
    if len(resources) == 1:
        return None
    because = f"a request can name .default of one resource only, and the app asks for it on {len(resources)}"
    caveat = "" if all(map(is_guid, resources)) else "two of the names may be of the same resource"
    return RequestFault(code="AADSTS70011", because=because, caveat=caveat)


def is_openid(need: ScopeNeed) -> bool:
    """Whether this is a scope of OpenID Connect, which any request may contain."""
    return need.resource == MICROSOFT_GRAPH and need.value.lower() in OPENID_SCOPES


def with_known_facts(app: App, known: App) -> App:
    """A requested app with what a pack knows about it: its name, its publisher, and the facts behind its scopes.

    Of another client id, only the name counts. If the request is exactly that of a variant of the known app, or of the
    app itself, its scopes are the known ones, which say what is required and where that comes from.
    """
    app = msgspec.structs.replace(app, name=known.name)
    if known.client_id != app.client_id:
        return app
    usual = AppVariant(name="", title="", scopes=known.scopes)
    same = next((one for one in (usual, *known.variants) if _asked(one.scopes) == _asked(app.scopes)), None)
    return msgspec.structs.replace(
        app,
        scopes=same.scopes if same else app.scopes,
        authority=known.authority,
        publisher_verified=known.publisher_verified,
        verified_publisher_id=known.verified_publisher_id,
        owner_tenant=known.owner_tenant,
        registered_before_2020_11_08=known.registered_before_2020_11_08,
        vendor=known.vendor,
        category=known.category,
        consent_link=known.consent_link,
        also_needs=known.also_needs,
        app_roles=known.app_roles,
        vendor_advice=known.vendor_advice,
    )


def fitting_variant(app: App, known: App) -> AppVariant | None:
    """The variant of the known app whose permissions `app` requests; the scopes of a sign-in make no difference."""

    def beyond_sign_in(scopes: Iterable[ScopeNeed]) -> frozenset[tuple[str, str]]:
        return _asked(need for need in scopes if not is_openid(need))

    asked = beyond_sign_in(app.scopes)
    return next((one for one in known.variants if asked and beyond_sign_in(one.scopes) == asked), None)


def _asked(scopes: Iterable[ScopeNeed]) -> frozenset[tuple[str, str]]:
    return frozenset((need.resource, need.value.lower()) for need in scopes)


def tenant_in_link(snapshot: Snapshot) -> str:
    """The tenant as a consent link names it, percent-encoded; the placeholder if it isn't known or is redacted.

    Never ``organizations`` or ``common``: such a link grants consent in whatever tenant its reader signs in to
    (Microsoft identity platform, "Admin consent", the parameter `tenant`).
    """
    tenant = snapshot.tenant.id
    return TENANT_PLACEHOLDER if not tenant or is_redacted_tenant(tenant) else quote(tenant, safe="")


def admin_consent_link(snapshot: Snapshot, app: App) -> str:
    """The address at which an administrator of this tenant grants what the app's registration lists."""
    cloud = cloud_named(snapshot.cloud)
    query = {"client_id": app.client_id}
    if app.redirect_uris:
        query["redirect_uri"] = app.redirect_uris[0]
    return f"{cloud.authority}/{tenant_in_link(snapshot)}/adminconsent?{urlencode(query, quote_via=quote, safe=':/')}"


def portal_address(snapshot: Snapshot) -> str:
    """The admin center of the snapshot's cloud."""
    return cloud_named(snapshot.cloud).portal
