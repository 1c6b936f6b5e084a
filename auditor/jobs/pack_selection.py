"""Select the packs for an audit: by name, by environment variable, or for an app without its own pack."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from auditor.model.errors import InvalidRequest
from auditor.model.rule import App, Pack
from auditor.packs import PackError as PackError
from auditor.packs.load import (
    OwnPack,
    Source,
    entries,
    every_shipped_name,
    exists,
    find,
    list_packs,
    load_packs,
    names_variant,
    own_files,
    own_packs,
    path_of,
    place_of,
    shipped_names,
    shipped_source,
)
from auditor.packs.load import catalog_names as catalog_names
from auditor.packs.load import load as load

if TYPE_CHECKING:
    from auditor.packs.pack_texts import PackText

VARIABLE = "CONSENT_AUDITOR_PACKS"
"""Lists the packs to use by default, and the files and folders in which packs are found by name."""

VENDOR_RULES = "vendor-app"
"""The abstract pack with the rules that fit any vendor's app."""


def split_names(text: str) -> tuple[str, ...]:
    """The packs, files and folders that `VARIABLE` lists."""
    return entries(text, os.pathsep)


def names_in_environment() -> tuple[str, ...]:
    """The packs, files and folders in the environment variable."""
    return split_names(os.environ.get(VARIABLE, ""))


def resolved_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names, with the names of your own packs replaced by their files. Raises PackError."""
    given = tuple(names)
    if not given:
        return ()
    places = names_in_environment()
    return tuple(place_of(name, places) if name else name for name in given)


def sources_for(names: Iterable[str]) -> Iterator[tuple[Source, ...]]:
    """The sources of each name; without names, of the packs in the environment variable, or else all shipped packs.

    Raises PackError for a name that has no pack, when the iteration reaches it.
    """
    for name in tuple(names) or names_in_environment() or every_shipped_name():
        (place,) = resolved_names((name,))
        yield find(place)


def known_names(*, abstract: bool = False) -> tuple[str, ...]:
    """The names of the shipped packs, then those of your own packs in the environment variable."""
    shipped = [pack.name for pack in list_packs(benchmarks=True, abstract=abstract)]
    try:
        own = [pack.name for pack in own_packs(names_in_environment())]
    except PackError:
        own = []
    return tuple(dict.fromkeys([*shipped, *own]))


def shipped_packs() -> tuple[Pack, ...]:
    """The packs that ship with the program, without the abstract ones."""
    packs = (load(shipped_source(name)) for name in shipped_names())
    return tuple(pack for pack in packs if not pack.abstract)


def is_variant(name: str) -> bool:
    """Whether `name` is ``PACK/VARIANT`` of an app in the catalogue that has this variant."""
    if not names_variant(name):
        return False
    from auditor.packs.app_catalog import catalog

    return name in (f"{app.name}/{one.name}" for app in catalog() for one in app.variants)


def own_pack_files(place: str) -> tuple[OwnPack, ...]:
    """The files of your own packs at one path of the environment variable, also broken ones. Raises PackError."""
    return tuple(own_files([place]))


def app_pack_names() -> tuple[str, ...]:
    """The shipped packs about an app: the default of commands that only need to know what these packs read."""
    return tuple(pack.name for pack in list_packs())


def all_pack_names() -> tuple[str, ...]:
    """The names of all shipped packs except the abstract ones."""
    return tuple(pack.name for pack in list_packs(benchmarks=True))


def chosen_packs(packs: Iterable[str | Pack], app: App | None = None, *, required: bool = True) -> tuple[Pack, ...]:
    """The named packs, the loaded packs, and for `app` the vendor rules applied to it.

    Raises PackError for a name or a file that isn't a pack, and InvalidRequest if a pack or an app is `required` but
    there is neither.
    """
    given = tuple(packs)
    if required and not given and app is None:
        listed = titled_names((pack.name, pack.title) for pack in list_packs(benchmarks=True))
        raise InvalidRequest(
            "give what to check: --pack NAME, or --app NAME|CLIENT_ID, or --from-url URL.\n\n"
            f"The packs are:{listed}\n\nTo see the apps: consent-auditor apps list"
        )
    loaded = load_packs(one for one in given if isinstance(one, str))
    chosen = (*loaded, *(one for one in given if isinstance(one, Pack)))
    return chosen if app is None else (*chosen, vendor_pack(app))


def titled_names(named: Iterable[tuple[str, str]]) -> str:
    """Names and their titles in two columns, each pair on a new line of a message."""
    rows = tuple(named)
    widest = max((len(name) for name, _ in rows), default=0)
    return "".join(f"\n  {name:<{widest}}  {title}" for name, title in rows)


def vendor_pack(app: App) -> Pack:
    """The rules that fit any vendor's app, applied to this app."""
    return msgspec.structs.replace(load(shipped_source(VENDOR_RULES)), app=app, abstract=False)


def pack_about(client_id: str, redirect_uri: str) -> Pack | None:
    """The pack about the app with this client id, or else the one whose app has this redirect URI.

    Looks into your packs of the environment variable, the shipped packs and the catalogue, in this order. Of several
    packs about one app, the one with the redirect URI is meant; of the variants of an app, too.
    """
    packs = [pack for pack in (*own_app_packs(), *shipped_packs()) if pack.app and not pack.abstract]
    by_uri = [pack for pack in packs if pack.app and redirect_uri in pack.app.redirect_uris]
    by_id = [pack for pack in packs if pack.app and pack.app.client_id == client_id]
    if found := next((pack for pack in by_uri if pack in by_id), None) or next(iter(by_id), None):
        return found
    from auditor.jobs.app_catalog import catalog_pack_about

    return catalog_pack_about(client_id, "" if by_uri else redirect_uri) or next(iter(by_uri), None)


def own_app_packs() -> Iterator[Pack]:
    """The packs of the environment variable; the broken ones are left out, as a command that uses them reports them."""
    for name in names_in_environment():
        try:
            yield from load_packs([name])
        except PackError:
            continue


def apps_of(packs: Iterable[Pack]) -> tuple[App, ...]:
    """The apps that the packs are about, without repetitions."""
    return tuple(dict.fromkeys(pack.app for pack in packs if pack.app is not None))


def texts_for(packs: Iterable[Pack], names: Iterable[str]) -> list[PackText]:
    """The texts of the named packs that are among `packs`, in the order of the names. Raises PackError."""
    wanted = {pack.digest for pack in packs}
    from auditor.packs.pack_texts import texts_of

    found = (texts_of(source) for name in names for source in next(sources_for([name])))
    return list({text.pack.name: text for text in found if text.pack.digest in wanted}.values())


def text_for_app(app: App) -> PackText:
    """The text of a pack for an app without its own pack, with what the request says about the app.

    The pack is named after the app's id, because a name that an admin gave to the app can contain the tenant's name.
    """
    from auditor.packs.new_pack import name_for, pack_text
    from auditor.packs.pack_texts import texts_of

    name = name_for(msgspec.structs.replace(app, name=""))
    text = pack_text(app, name=name, source="the command line that made the bundle")
    return texts_of(Source(f"{name}.yaml", text.encode()))


def warnings_of(packs: Sequence[Pack]) -> tuple[str, ...]:
    """The warnings of the packs: what is unusual and may be intended."""
    return tuple(warning for pack in packs for warning in pack.warnings)


def reads_whole_directory(pack: Pack) -> bool:
    """Whether the pack reads sections page by page, so that an audit takes longer in a large tenant."""
    from auditor.checks.kind import plan_for, reads_directory

    return reads_directory(plan_for([pack]))


def near_rule(rule_id: str, pack: Pack) -> str:
    """The rule of the pack that a mistyped id was probably meant to be, or an empty text."""
    from auditor.checks.typo_suggestions import nearest

    return nearest(rule_id, (rule.id for rule in pack.rules))


def path_exists(name: str) -> bool:
    """Whether the name is the path of an existing file or folder."""
    return exists(path_of(name))
