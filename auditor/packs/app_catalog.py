"""The catalogue of vendors' apps: what a list of them shows, and the pack of each.

The packs in ``rules/apps/`` are the source. Their index is stored with them in ``shipped_apps.json``, so that a list of
all apps, or a search for one, parses no YAML; a test compares it with the texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from urllib.parse import urlsplit

import msgspec

from auditor.checks.typo_suggestions import nearest
from auditor.model.rule import Pack
from auditor.packs import PackError, Problem
from auditor.packs.load import CATALOG_STORE, catalog_names, index_in, load, shipped_source

_SHARED_HOSTS = frozenset({"", "localhost", "127.0.0.1", "login.microsoftonline.com", "login.live.com"})
"""Hosts of redirect URIs that any app can use: this computer, and Microsoft's pages for programs without a website."""


class CatalogVariant(msgspec.Struct, frozen=True, kw_only=True):
    """A way in which an app connects; its `name` follows the app's and a slash."""

    name: str
    title: str
    redirect_uris: tuple[str, ...] = ()


class CatalogApp(msgspec.Struct, frozen=True, kw_only=True):
    """An app of the catalogue in short. `name` is its pack, `app` what users call it, `title` the product.

    `scopes` is the number of permissions that it requests, with variants in the usual one. `redirect_uris` are those of
    all variants.
    """

    name: str
    app: str
    title: str
    vendor: str
    category: str
    client_id: str
    redirect_uris: tuple[str, ...] = ()
    variants: tuple[CatalogVariant, ...] = ()
    scopes: int = 0
    assumed: bool = False


def catalog_app(pack: Pack) -> CatalogApp:
    """The entry of a pack in the index."""
    app = pack.app
    assert app is not None, "a pack of the catalogue is about an app"
    every = (app.redirect_uris, *(one.redirect_uris for one in app.variants))
    return CatalogApp(
        name=pack.name,
        app=app.name,
        title=pack.title,
        vendor=app.vendor,
        category=app.category,
        client_id=app.client_id,
        redirect_uris=tuple(dict.fromkeys(uri for uris in every for uri in uris)),
        variants=tuple(
            CatalogVariant(name=one.name, title=one.title, redirect_uris=one.redirect_uris) for one in app.variants
        ),
        scopes=len(app.scopes),
        assumed=any(need.assumed for need in app.scopes),
    )


def index_of(packs: Iterable[Pack]) -> msgspec.Raw:
    """The index of these packs as it is stored, by name."""
    return msgspec.Raw(msgspec.json.encode(sorted(map(catalog_app, packs), key=lambda one: one.name)))


@cache
def catalog() -> tuple[CatalogApp, ...]:
    """Every app of the catalogue, by the name of its pack."""
    stored = index_in(CATALOG_STORE)
    if stored is not None:
        return msgspec.json.decode(stored, type=tuple[CatalogApp, ...])
    return tuple(catalog_app(catalog_pack(name)) for name in catalog_names())


def catalog_pack(name: str) -> Pack:
    """The pack of the app with this name, or of a variant of it (``NAME/VARIANT``). Raises PackError."""
    pack, slash, variant = name.partition("/")
    found = load(shipped_source(pack))
    return with_variant(found, variant) if slash else found


def with_variant(pack: Pack, name: str) -> Pack:
    """The pack about this variant of its app. Raises PackError if the app has no such variant."""
    app = pack.app
    chosen = next((one for one in app.variants if one.name == name), None) if app else None
    if app is None or chosen is None:
        names = [one.name for one in app.variants] if app else []
        known = f"it has {', '.join(names)}" if names else "it has none"
        message = f'the app of the pack "{pack.name}" has no variant "{name}" ({known})'
        raise PackError([Problem("", 0, 0, message, near=nearest(name, names))])
    app = msgspec.structs.replace(app, scopes=chosen.scopes, redirect_uris=chosen.redirect_uris, mode=chosen.mode)
    return msgspec.structs.replace(pack, name=f"{pack.name}/{name}", title=f"{pack.title}: {chosen.title}", app=app)


def app_with_id(client_id: str) -> CatalogApp | None:
    """The app with this client id, in any letter case."""
    wanted = client_id.lower()
    return next((one for one in catalog() if one.client_id == wanted), None)


def app_with_redirect_uri(uri: str) -> CatalogApp | None:
    """The one app that uses this redirect URI; none for an address that several apps, or any app, can use."""
    if not uri or (urlsplit(uri).scheme in ("http", "https") and (urlsplit(uri).hostname or "") in _SHARED_HOSTS):
        return None
    found = [one for one in catalog() if uri in one.redirect_uris]
    return found[0] if len(found) == 1 else None
