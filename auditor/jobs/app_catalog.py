"""The app that a person means: by client ID, by the name of its pack or of its product, or as ``NAME/VARIANT``.

Names are compared without letter case, spaces and punctuation, so that ``e-m client`` is eM Client.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import msgspec

from auditor.checks.typo_suggestions import likely_names
from auditor.consent.requested_scopes import app_from_scopes, client_id_of, fitting_variant, with_known_facts
from auditor.facts.app_names import MICROSOFT, AppName, AppWithoutId, app_name, apps_without_id, named_apps
from auditor.facts.ids import app_categories, is_guid
from auditor.jobs.pack_selection import own_app_packs, shipped_packs, titled_names
from auditor.model.document import series
from auditor.model.errors import InvalidRequest
from auditor.model.rule import App, Pack
from auditor.packs.app_catalog import CatalogApp, app_with_id, app_with_redirect_uri, catalog_app, catalog_pack
from auditor.packs.app_catalog import catalog as catalog
from auditor.packs.load import is_shipped, load, shipped_source

_MOST_NEAR = 5
"""The most apps that a message suggests."""
_PART_OF_ID = re.compile(r"[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*")
"""What only a client id that isn't complete consists of."""
_LONGEST_NAME = 50
_LEAST_LETTERS = 3
"""The least letters of a text that is searched for inside names."""


@cache
def every_app() -> tuple[CatalogApp, ...]:
    """The apps of the catalogue and of the other shipped packs, by name; an app with several packs once.

    Such an app is named after the pack that its packs extend, as `app_named` accepts it.
    """
    others: dict[str, list[Pack]] = {}
    for pack in shipped_packs():
        if pack.app is not None:
            others.setdefault(pack.app.client_id, []).append(pack)
    return tuple(sorted((*catalog(), *map(_app_of, others.values())), key=lambda one: one.name))


def _app_of(packs: list[Pack]) -> CatalogApp:
    apps = [pack.app for pack in packs if pack.app is not None]
    about = packs[0] if len(packs) == 1 else load(shipped_source(packs[0].extends))
    uris = dict.fromkeys(uri for app in apps for uri in app.redirect_uris)
    return msgspec.structs.replace(catalog_app(about), redirect_uris=tuple(uris))


def app_named(text: str) -> Pack:
    """The pack about the app that `text` names, by client id, pack, product or ``NAME/VARIANT``.

    The catalogue, the other shipped packs and your own packs are searched. Raises InvalidRequest, with the names that
    are nearest, for an app that none of them knows, and for a name that several have; RequestError for a client id that
    isn't complete.
    """
    sought = text.strip()
    bare = sought.strip("{}")
    if is_guid(bare):
        found = _with_id(bare.lower())
        if found is None:
            raise InvalidRequest(_unknown_id(bare.lower()))
        return found
    if (found := _called(sought)) is not None:
        return found
    if _PART_OF_ID.fullmatch(bare):
        client_id_of(bare)
    name, slash, variant = sought.rpartition("/")
    base = _called(name.strip()) if slash else None
    if base is None:
        raise InvalidRequest(_unknown_name(sought))
    return _variant(base, variant.strip())


def app_described(text: str, scopes: str, *, name: str = "", redirect_uri: str = "") -> App:
    """The app that `text` names, with the scopes, the name and the redirect URI that are given instead of known ones.

    A client id that nothing knows needs `scopes`. Raises InvalidRequest, and RequestError for a wrong list of scopes.
    """
    bare = text.strip().strip("{}")
    is_known = not is_guid(bare) or app_with_id(bare) is not None
    if scopes and not is_known:
        return app_from_scopes(text, scopes, name=name, redirect_uri=redirect_uri)
    known = app_named(text).app
    assert known is not None, "a pack about an app"
    app = known
    if scopes:
        asked = app_from_scopes(known.client_id, scopes)
        app = with_known_facts(msgspec.structs.replace(asked, redirect_uris=known.redirect_uris), known)
    uris = (redirect_uri,) if redirect_uri else app.redirect_uris
    return msgspec.structs.replace(app, name=name or app.name, redirect_uris=uris)


def is_known(text: str) -> bool:
    """Whether `text` isn't the client id of an app that no pack knows; a name is, because only packs have names."""
    bare = text.strip().strip("{}")
    return not is_guid(bare) or _with_id(bare.lower()) is not None


def pack_reference(pack: Pack) -> str:
    """What names the pack where packs are named: its name, or its file if it's your own."""
    return pack.name if is_shipped(pack.origin) else pack.origin


def catalog_pack_about(client_id: str, redirect_uri: str) -> Pack | None:
    """The catalogue's pack about the app with this client id, or else about the one app with this redirect URI.

    If only one variant uses the redirect URI, it is the pack about that variant.
    """
    found = app_with_id(client_id) or app_with_redirect_uri(redirect_uri)
    if found is None:
        return None
    using = [one.name for one in found.variants if redirect_uri and redirect_uri in one.redirect_uris]
    return catalog_pack(f"{found.name}/{using[0]}" if len(using) == 1 else found.name)


def note_on(pack: Pack) -> str:
    """What a person should know who named the app of this pack: the ways to connect, and the packs to choose from."""
    app = pack.app
    assert app is not None, "a pack about an app"
    name, _, chosen = pack.name.partition("/")
    if app.variants:
        others = [f"{name}/{one.name}" for one in app.variants if one.name != _name_of(app, chosen)]
        if not others:
            return ""
        title = next(one.title for one in app.variants if one.name == _name_of(app, chosen))
        return f"{app.name} is checked as it connects with {title}. For another way, name {series(others, 'or')}."
    same = [one.name for one in shipped_packs() if one.app and one.app.client_id == app.client_id]
    if pack.name in same and len(same) > 1:
        others = [one for one in same if one != pack.name]
        return f"{app.name} has several packs. This is {pack.name}; for another, use --pack {series(others, 'or')}."
    return ""


def variant_note(pack: Pack, app: App) -> str:
    """Which variant of the pack's app requests what `app` does; empty if the pack's app has none."""
    known = pack.app
    if known is None or not known.variants or known.client_id != app.client_id:
        return ""
    name = pack.name.partition("/")[0]
    fitting = fitting_variant(app, known)
    if fitting is None:
        names = [f"{name}/{one.name}" for one in known.variants]
        return f"The permissions are those of none of its ways to connect ({', '.join(names)})."
    return f"The permissions are those of {name}/{fitting.name}: {fitting.title}."


def _name_of(app: App, chosen: str) -> str:
    return chosen or app.variants[0].name


def _variant(base: Pack, text: str) -> Pack:
    """The variant that `text` names by its name or its title."""
    app, name = base.app, base.name
    variants = app.variants if app else ()
    for one in variants:
        if _letters(text) in (_letters(one.name), _letters(one.title)):
            return catalog_pack(f"{name}/{one.name}")
    if not variants:
        raise InvalidRequest(f'--app: {name} has no variants: leave out "/{text}"')
    near = likely_names(text, [one.name for one in variants])
    meant = f'; did you mean "{name}/{near[0]}"?' if near else "."
    every = ", ".join(f"{name}/{one.name}" for one in variants)
    raise InvalidRequest(f'--app: {name} has no variant "{text}"{meant} The variants are {every}')


def _with_id(client_id: str) -> Pack | None:
    if known := app_with_id(client_id):
        return catalog_pack(known.name)
    return next((pack for pack in _other_packs() if pack.app and pack.app.client_id == client_id), None)


def _other_packs() -> Iterator[Pack]:
    """Your own packs about an app, then the shipped ones that aren't in the catalogue."""
    yield from (pack for pack in own_app_packs() if pack.app is not None)
    yield from (pack for pack in shipped_packs() if pack.app is not None)


def _called(text: str) -> Pack | None:
    """The pack with this name, or else the only app with this name. Raises InvalidRequest if several have it."""
    wanted = _letters(text)
    if not wanted:
        return None
    for one in catalog():
        if wanted == _letters(one.name):
            return catalog_pack(one.name)
    others = [pack for pack in _other_packs() if wanted in (_letters(pack.name), _letters(pack.extends))]
    if others:
        return others[0]
    named = [one for one in catalog() if wanted in map(_letters, (one.app, one.title, f"{one.vendor} {one.app}"))]
    if len(named) > 1:
        choices = titled_names((one.name, one.title) for one in named)
        raise InvalidRequest(f'--app: several apps are called "{text}". Name one of them:{choices}')
    if named:
        return catalog_pack(named[0].name)
    packs = (pack for pack in _other_packs() if pack.app and wanted in (_letters(pack.app.name), _letters(pack.title)))
    return next(packs, None)


def _letters(text: str) -> str:
    """The letters and digits of a name, in one letter case."""
    return re.sub(r"[\W_]+", "", text.casefold())


# ---- Apps that nothing knows ----------------------------------------------------------------------------------------


def _unknown_id(client_id: str) -> str:
    known = app_name(client_id)
    if known is not None and known.is_microsoft:
        return (
            f"--app: {client_id} is {known.name}, one of Microsoft's own apps, and the catalogue has vendors' apps"
            ' only. To check it, add --scopes "…": the scopes that it requests'
        )
    who = f"{client_id} is {known.name}, but" if known else f"{client_id} isn't in the catalogue, so"
    return (
        f'--app: {who} the scopes that it requests aren\'t known here: add --scopes "…", as its vendor states them, or'
        " give the address of its sign-in page with --from-url"
    )


def _unknown_name(text: str) -> str:
    # A longer one isn't the name of a product, and can be a code or a token.
    text = text if len(text) <= _LONGEST_NAME else f"{text[:8]}…"
    near = tuple(_near(text))
    lines = titled_names((one.name, one.title) for one in near)
    meant = f" Did you mean one of these?{lines}\n" if near else " "
    return (
        f'--app: the catalogue has no app "{text}".{_known_otherwise(text)}{meant}To see every app, run'
        ' "consent-auditor apps list". For an app that isn\'t in it, give its client ID and --scopes "…"'
    )


def _near(text: str) -> Iterator[CatalogApp]:
    """The apps whose name contains the text, then those whose name resembles it, the most similar first."""
    wanted = _letters(text)
    by_name: dict[str, CatalogApp] = {}
    for one in every_app():
        for name in (one.name, one.app, one.title):
            by_name.setdefault(_letters(name), one)
    similar = [by_name[name] for name in likely_names(wanted, by_name)]
    containing = [one for name, one in by_name.items() if len(wanted) >= _LEAST_LETTERS and wanted in name]
    yield from list({one.name: one for one in (*containing, *similar)}.values())[:_MOST_NEAR]


def _known_otherwise(text: str) -> str:
    """Where else an app with this name is listed: the catalogue lacks its client id or its scopes."""
    match app_otherwise(text):
        case AppWithoutId(name=name):
            return f' The client ID of {name} isn\'t known: to get it, see consent-auditor apps show "{name}".'
        case AppName(is_microsoft=True, name=name):
            return f" {name} is one of Microsoft's own apps, and the catalogue has vendors' apps only."
        case AppName(name=name, client_id=client_id):
            return f" {name} is known by its client ID only: give --app {client_id} and its --scopes."
    return ""


# ---- Lists ----------------------------------------------------------------------------------------------------------


FORMAT = "consent-auditor/apps"
VERSION = 1


class AppsList(msgspec.Struct, frozen=True, kw_only=True):
    """Apps by name: those of the catalogue, and those of which the client id or the permissions aren't known."""

    format: str = FORMAT
    version: int = VERSION
    apps: tuple[CatalogApp, ...] = ()
    without_client_id: tuple[AppWithoutId, ...] = ()
    without_permissions: tuple[AppName, ...] = ()


class AppDetails(msgspec.Struct, frozen=True, kw_only=True):
    """One app as its pack describes it."""

    format: str = "consent-auditor/app"
    version: int = VERSION
    pack: str
    pack_version: str
    digest: str
    title: str
    about: str
    app: App


def schema(kind: type[AppsList | AppDetails]) -> dict[str, Any]:
    """The JSON Schema of a list of apps, or of one app. It requires every key, and allows further ones."""
    document = msgspec.json.schema(kind)
    for part in document["$defs"].values():
        if "properties" in part:
            part["required"] = list(part["properties"])
    properties = document["$defs"][kind.__name__]["properties"]
    for key in ("format", "version"):
        properties[key] = {"const": properties[key]["default"]}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**head, "title": f"{properties['format']['const']}, version {VERSION}", **document}


def details_of(pack: Pack) -> AppDetails:
    """The app of the pack, for programs."""
    assert pack.app is not None, "a pack about an app"
    return AppDetails(
        pack=pack.name,
        pack_version=pack.version,
        digest=pack.digest,
        title=pack.title,
        about=" ".join(pack.about.split()),
        app=pack.app,
    )


class AppGroup(NamedTuple):
    """The apps of one category."""

    category: str
    title: str
    apps: tuple[CatalogApp, ...]


def listed_apps(text: str = "", category: str = "") -> AppsList:
    """The apps whose name, vendor, category or ways to connect contain every word of `text`.

    Apps of which only the client id is known are listed if `text` names them: there are more of them than others.
    Raises InvalidRequest for a category that doesn't exist.
    """
    categories = app_categories()
    if category and category.lower() not in categories:
        near = likely_names(category, categories)
        meant = f'; did you mean "{near[0]}"?' if near else "."
        listed = ", ".join(categories)
        raise InvalidRequest(f'--category: there is no category "{category}"{meant} The categories are {listed}.')
    wanted = [_letters(word) for word in text.split()]

    def is_wanted(texts: Iterable[str], of: str) -> bool:
        searched = " ".join(map(_letters, texts))
        return category.lower() in ("", of) and all(word in searched for word in wanted)

    known = {one.client_id for one in every_app()}
    bare = (one for one in named_apps() if not one.is_microsoft) if wanted and not category else ()
    return AppsList(
        apps=tuple(one for one in every_app() if is_wanted(_texts_of(one), one.category)),
        without_client_id=tuple(
            one for one in apps_without_id() if is_wanted((one.name, one.vendor, one.category), one.category)
        ),
        without_permissions=tuple(
            one for one in bare if is_wanted((one.name, one.vendor, one.client_id), "") and one.client_id not in known
        ),
    )


def by_category(apps: Iterable[CatalogApp]) -> tuple[AppGroup, ...]:
    """The apps in groups, in the order of the categories; in each by the name that users know."""
    found = tuple(apps)
    groups = []
    for name, title in app_categories().items():
        of_category = (one for one in found if one.category == name)
        if ordered := tuple(sorted(of_category, key=lambda one: one.app.casefold())):
            groups.append(AppGroup(name, title, ordered))
    return tuple(groups)


def app_otherwise(text: str) -> AppWithoutId | AppName | None:
    """An app that isn't in the catalogue, because its client id or its permissions aren't known."""
    bare = text.strip().strip("{}")
    if is_guid(bare):
        return app_name(bare)
    wanted = _letters(text)
    if not wanted:
        return None
    for one in apps_without_id():
        if wanted in map(_letters, (one.name, one.name.partition("(")[0])):
            return one
    names = (one for one in named_apps() if wanted in map(_letters, (one.name, one.name.removeprefix(MICROSOFT))))
    return next(names, None)


def near_apps(text: str) -> tuple[CatalogApp, ...]:
    """The apps whose name resembles the text."""
    return tuple(_near(text))


def _texts_of(app: CatalogApp) -> tuple[str, ...]:
    """What a search looks into."""
    return (
        *(app.name, app.app, app.title, app.vendor, app.category, app_categories().get(app.category, "")),
        *(one.title for one in app.variants),
        app.client_id,
    )
