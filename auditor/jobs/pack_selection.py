"""Which packs judge a tenant: by the names that people give them, by the environment, and for an app without a pack."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from auditor.checks.reads import plan_for
from auditor.checks.typo_suggestions import nearest as nearest
from auditor.model.app import App
from auditor.model.errors import InvalidRequest
from auditor.model.rule import Pack
from auditor.packs.find import OwnPack, entries, find, list_packs, load_packs, own_files, own_packs, place_of
from auditor.packs.load import load as load
from auditor.packs.new_pack import name_for, pack_text
from auditor.packs.pack_errors import PackError as PackError
from auditor.packs.pack_texts import PackText, texts_of
from auditor.packs.sources import Source, exists, path_of, shipped_names, shipped_source

VARIABLE = "CONSENT_AUDITOR_PACKS"
"""Names packs to use by default, and files and folders in which packs are found by name."""

VENDOR_RULES = "vendor-app"
"""The abstract pack of rules that every vendor's pre-flight shares."""


def split_names(text: str) -> tuple[str, ...]:
    """The packs, files and folders that `VARIABLE` lists."""
    return entries(text, os.pathsep)


def names_in_environment() -> tuple[str, ...]:
    """What `VARIABLE` names."""
    return split_names(os.environ.get(VARIABLE, ""))


def resolved_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names, with those of people's own packs replaced by their files. Raises PackError."""
    given = tuple(names)
    if not given:
        return ()
    places = names_in_environment()
    return tuple(place_of(name, places) if name else name for name in given)


def sources_for(names: Iterable[str]) -> Iterator[tuple[Source, ...]]:
    """The texts behind each name; without any, those that the environment names, else every shipped pack.

    Raises PackError for a name that leads nowhere, when its turn comes.
    """
    for name in tuple(names) or names_in_environment() or shipped_names():
        (place,) = resolved_names((name,))
        yield find(place)


def known_names(*, abstract: bool = False) -> tuple[str, ...]:
    """The names of the shipped packs, then those of people's own packs that the environment leads to."""
    shipped = [pack.name for pack in list_packs(benchmarks=True, abstract=abstract)]
    try:
        own = [pack.name for pack in own_packs(names_in_environment())]
    except PackError:
        own = []
    return tuple(dict.fromkeys([*shipped, *own]))


def shipped_packs() -> tuple[Pack, ...]:
    """The packs that ship with the program and can judge a tenant."""
    packs = (load(shipped_source(name)) for name in shipped_names())
    return tuple(pack for pack in packs if not pack.abstract)


def own_pack_files(place: str) -> tuple[OwnPack, ...]:
    """The files of people's own packs at one place of the environment, broken ones too. Raises PackError."""
    return tuple(own_files([place]))


def app_pack_names() -> tuple[str, ...]:
    """The shipped packs about an app: the default of commands that need to know only what such packs read."""
    return tuple(pack.name for pack in list_packs())


def all_pack_names() -> tuple[str, ...]:
    """Every shipped pack that can judge a tenant."""
    return tuple(pack.name for pack in list_packs(benchmarks=True))


def chosen_packs(packs: Iterable[str | Pack], app: App | None = None) -> tuple[Pack, ...]:
    """The named packs and those given as they are, and for `app` the vendor rules applied to it.

    Raises PackError for a name or a file that is no pack, and InvalidRequest where nothing is named.
    """
    given = tuple(packs)
    if not given and app is None:
        listed = "\n".join(f"  {pack.name:<16} {pack.title}" for pack in list_packs(benchmarks=True))
        raise InvalidRequest(
            'name what to check: --pack NAME, or --app CLIENT_ID --scopes "…", or --from-url URL.\n\n'
            f"The packs are:\n{listed}"
        )
    loaded = load_packs(one for one in given if isinstance(one, str))
    chosen = (*loaded, *(one for one in given if isinstance(one, Pack)))
    return chosen if app is None else (*chosen, vendor_pack(app))


def vendor_pack(app: App) -> Pack:
    """The rules that fit any vendor's app, about this one."""
    return msgspec.structs.replace(load(shipped_source(VENDOR_RULES)), app=app, abstract=False)


def apps_of(packs: Iterable[Pack]) -> tuple[App, ...]:
    """The apps that the packs are about, once each."""
    return tuple(dict.fromkeys(pack.app for pack in packs if pack.app is not None))


def texts_for(packs: Iterable[Pack], names: Iterable[str]) -> list[PackText]:
    """The texts of those of the packs that the names lead to, in the order of the names. Raises PackError."""
    wanted = {pack.digest for pack in packs}
    found = (texts_of(source) for name in names for source in next(sources_for([name])))
    return list({text.pack.name: text for text in found if text.pack.digest in wanted}.values())


def text_for_app(app: App) -> PackText:
    """The text of a pack for an app that has none, with what the request says about the app.

    The pack is named by the app's id, because the name that people give to an app may contain their own.
    """
    name = name_for(msgspec.structs.replace(app, name=""))
    text = pack_text(app, name=name, source="the command line that made the bundle")
    return texts_of(Source(f"{name}.yaml", text.encode()))


def warnings_of(packs: Sequence[Pack]) -> tuple[str, ...]:
    """What is unusual in the packs and may be intended: a rule may depend on it."""
    return tuple(warning for pack in packs for warning in pack.warnings)


def reads_whole_directory(pack: Pack) -> bool:
    """Whether the pack reads sections page by page, so that its cost grows with the tenant."""
    return bool(plan_for([pack]).whole)


def path_exists(name: str) -> bool:
    """Whether the name is the path of a file or folder that exists."""
    return exists(path_of(name))
