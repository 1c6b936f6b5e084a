"""Find packs by name, file, folder or search path, and load them; a shipped pack as it was stored with the program.

Parsing YAML with positions takes longer than evaluating a tenant, and a shipped pack only changes with its text.
``shipped_packs.json`` therefore holds the packs as they were parsed. It can't become outdated unnoticed: a stored pack
is used only while the texts of its chain have the digest that it was stored with, and a test compares it with its text.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from auditor.checks import kind_named
from auditor.checks.kind import CheckKind
from auditor.facts import shipped_tree, tree_label
from auditor.model.report import SHIPPED_ABUSED_APPS
from auditor.model.rule import App, Check, Pack, Rule
from auditor.packs import PackError, Problem

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


SUFFIXES = (".yaml", ".yml")
_VARIANT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LARGEST = 256 * 1024
"""The most bytes of a pack. The shipped ones have a tenth of that."""


class Source(NamedTuple):
    """The text of one pack, its name in messages, and the folder that a relative `extends` starts from."""

    label: str
    text: bytes
    folder: Path | None = None
    """``None`` for a shipped pack, whose parents are shipped too."""
    unread: tuple[Problem, ...] = ()
    """Why there is no text: a file in a folder that can't be read. Loading the pack reports it."""
    variant: str = ""
    """The variant of the pack's app that is meant, if it isn't the usual one."""


def is_path(name: str) -> bool:
    """Whether `name` means a file or folder rather than a shipped pack or a variant of one."""
    if names_variant(name):
        return False
    return any(sign in name for sign in "/\\") or name.lower().endswith(SUFFIXES) or name in (".", "..")


CATALOG = "apps"
"""The folder of rules/ with the catalogue of apps: a pack for each app, which holds facts and inherits its rules."""


def names_variant(name: str) -> bool:
    """Whether `name` is ``PACK/VARIANT`` with a pack of the catalogue, whose app need not have that variant."""
    pack, slash, variant = name.partition("/")
    return bool(slash and _VARIANT.fullmatch(variant)) and pack in catalog_names()


def shipped_names() -> tuple[str, ...]:
    """The names of all shipped packs but those of the catalogue, abstract ones too."""
    return tuple(name for name in _names_in(shipped_tree("rules")) if name != SHIPPED_ABUSED_APPS)


def catalog_names() -> tuple[str, ...]:
    """The names of the packs in the catalogue of apps."""
    folder = shipped_tree("rules") / CATALOG
    return _names_in(folder) if folder.is_dir() else ()


def every_shipped_name() -> tuple[str, ...]:
    """The names of all shipped packs; no two have the same."""
    return (*shipped_names(), *catalog_names())


def _names_in(folder: Traversable) -> tuple[str, ...]:
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def shipped_source(name: str) -> Source:
    """The shipped pack of that name, which may be one of the catalogue."""
    if name in (names := shipped_names()):
        place = f"{name}.yaml"
    elif name in catalog_names():
        place = f"{CATALOG}/{name}.yaml"
    else:
        raise PackError([unknown_pack(name, names)])
    return Source(f"{tree_label('rules')}/{place}", _bytes(shipped_tree("rules") / place, place))


def shipped_list_source() -> Source:
    """The shipped list of known abused apps."""
    file = shipped_tree("rules") / f"{SHIPPED_ABUSED_APPS}.yaml"
    return Source(f"{tree_label('rules')}/{file.name}", _bytes(file, file.name))


def is_shipped(origin: str) -> bool:
    """Whether a pack of this origin came with the program."""
    return origin.startswith(f"{tree_label('rules')}/")


def unknown_pack(name: str, offered: Iterable[str]) -> Problem:
    """The error for the name of a shipped pack that doesn't exist, with the names that are nearest to it."""
    if exists(Path(name)):
        here = f'a file or folder here has that name: to use it, write "{os.path.join(".", name)}"'
        return Problem("", 0, 0, f'there is no shipped pack "{name}" ({here})')
    from auditor.checks.typo_suggestions import likely_names

    names = tuple(offered)
    message = f'there is no shipped pack "{name}" (the shipped packs are {", ".join(names)})'
    return Problem("", 0, 0, message, near='" or "'.join(likely_names(name, (*names, *catalog_names()))))


def file_source(path: Path) -> Source:
    """The pack in a file."""
    return Source(str(path), _bytes(path, str(path)), path.parent)


def folder_sources(folder: Path) -> tuple[Source, ...]:
    """Every pack in a folder, by file name, without hidden files and subfolders.

    A file that can't be read is included, so that it doesn't hide the problems of the others.
    """
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    if not files:
        raise PackError([Problem(str(folder), 0, 0, "this folder contains no pack", expected="files named *.yaml")])
    return tuple(map(_source_or_why, files))


def digest_of(texts: Iterable[bytes]) -> str:
    """SHA-256 of the digests of all texts of a chain, the pack's own first."""
    whole = hashlib.sha256()
    for text in texts:
        whole.update(hashlib.sha256(text).digest())
    return whole.hexdigest()


def _source_or_why(path: Path) -> Source:
    try:
        return file_source(path)
    except PackError as error:
        return Source(str(path), b"", path.parent, error.problems)


def path_of(name: str, folder: Path | None = None) -> Path:
    """The path that `name` means, from `folder`; a backslash is a separator on every system, unless it is in a name."""
    path = Path(os.path.expanduser(name))
    path = path if folder is None else folder / path
    if os.sep == "/" and "\\" in name and not exists(path):
        return path_of(name.replace("\\", "/"), folder)
    return path


def exists(path: Path) -> bool:
    """Whether `path` exists; a name that no file can have is not an error."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _bytes(file: Path | Traversable, label: str) -> bytes:
    """The file's bytes; of a file that is too large, enough to see that."""
    try:
        if isinstance(file, Path) and not file.is_file():
            from auditor.input_files import input_bytes  # a pipe, which can have nobody who writes to it

            return input_bytes(file, LARGEST)
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise PackError([Problem(label, 0, 0, f"can't be read: {why}")]) from error


STORE = Path(__file__).with_name("shipped_packs.json")
CATALOG_STORE = Path(__file__).with_name("shipped_apps.json")
"""The packs of the catalogue in the same form, in a separate file that most audits don't read."""


NO_INDEX = msgspec.Raw(b"[]")


class StoredRule(msgspec.Struct, frozen=True):
    """A rule without its check, and the check as it is in YAML: its kind says which class decodes it."""

    rule: Rule
    check: dict[str, Any]


class StoredPack(msgspec.Struct, frozen=True):
    """A pack without its rules, the names of the packs in its chain, and the keys of its rules in the store."""

    pack: Pack
    chain: tuple[str, ...]
    rules: tuple[str, ...]


class PackStore(msgspec.Struct, frozen=True):
    """The shipped packs by name. Packs that extend each other share rules, so that each rule is stored once.

    `apps` is the index of the catalogue (`auditor.packs.app_catalog`), and none in the store of the other packs.
    """

    packs: dict[str, msgspec.Raw]
    rules: dict[str, msgspec.Raw]
    apps: msgspec.Raw = NO_INDEX


def load(source: Source, *, samples: Collection[str] | None = None, any_name: bool = False) -> Pack:
    """The pack in `source`. Raises PackError with all problems.

    With `samples`, cases may only use these. With `any_name` the pack may have the name of a shipped pack, as packs in
    a bundle of another version do.
    """
    is_stored = samples is None and source.folder is None and is_shipped(source.label)
    pack = stored_pack(source) if is_stored else None
    if pack is None:
        from auditor.packs.parse import parse_with_warnings

        pack = parse_with_warnings(source, samples=samples, any_name=any_name)[0]
    if not source.variant:
        return pack
    from auditor.packs.app_catalog import with_variant

    return with_variant(pack, source.variant)


def stored_pack(source: Source) -> Pack | None:
    """The stored pack of this shipped text; ``None`` if there is none, or a text of its chain is another one now."""
    store = _store(CATALOG_STORE if f"/{CATALOG}/" in source.label else STORE)
    if store is None or (raw := store.packs.get(Path(source.label).stem)) is None:
        return None
    stored = msgspec.json.decode(raw, type=StoredPack)
    texts = (source.text, *(shipped_source(name).text for name in stored.chain[1:]))
    if digest_of(texts) != stored.pack.digest:
        return None
    rules = (msgspec.json.decode(store.rules[key], type=StoredRule) for key in stored.rules)
    decoded = tuple(msgspec.structs.replace(one.rule, check=_check(one.check)) for one in rules)
    return msgspec.structs.replace(stored.pack, rules=decoded, origin=source.label)


def as_stored(packs: Mapping[tuple[str, ...], Pack], apps: msgspec.Raw = NO_INDEX) -> bytes:
    """The content of the store: the packs, each with the names of the packs in its chain, its own first, and `apps`.

    The keys of mappings keep their order, because reports show some in the order of the pack.
    """
    rules: dict[str, msgspec.Raw] = {}
    stored: dict[str, msgspec.Raw] = {}
    for chain, pack in packs.items():
        keys = []
        for rule in pack.rules:
            alone = msgspec.structs.replace(rule, check=Check())
            text = msgspec.json.encode(StoredRule(alone, msgspec.to_builtins(rule.check)))
            keys.append(key := hashlib.sha256(text).hexdigest()[:16])
            rules[key] = msgspec.Raw(text)
        bare = msgspec.structs.replace(pack, rules=(), origin="")
        stored[pack.name] = msgspec.Raw(msgspec.json.encode(StoredPack(bare, chain, tuple(keys))))
    return msgspec.json.format(msgspec.json.encode(PackStore(stored, rules, apps)), indent=1) + b"\n"


@cache
def _store(file: Path) -> PackStore | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=PackStore)
    except (OSError, msgspec.MsgspecError):
        return None  # without the store, the texts are parsed


def index_in(file: Path) -> msgspec.Raw | None:
    """The index of the catalogue in a store; none without the store."""
    store = _store(file)
    return None if store is None else store.apps


def _check(arguments: dict[str, Any]) -> CheckKind:
    """The check with these arguments, as the parser has accepted them before."""
    kind = kind_named(arguments["kind"])
    assert kind is not None, arguments["kind"]
    inner: dict[str, Any] = {}
    for (name, *number), one in kind.inner_arguments(arguments):
        inner[str(name)] = (*inner.get(str(name), ()), _check(one)) if number else _check(one)
    if not inner:
        return msgspec.convert(arguments, kind)
    hollow = {name: () if isinstance(value, tuple) else {"kind": CheckKind.__name__} for name, value in inner.items()}
    return msgspec.structs.replace(msgspec.convert({**arguments, **hollow}, kind), **inner)


class PackSummary(NamedTuple):
    """A shipped pack, as a list shows it."""

    name: str
    version: str
    title: str
    about: str
    app: App | None
    rules: int


def find(name: str) -> tuple[Source, ...]:
    """The text of the pack that `name` means, or of every pack in a folder. Raises PackError."""
    if names_variant(name):
        pack, _, variant = name.partition("/")
        return (shipped_source(pack)._replace(variant=variant),)
    if not is_path(name):
        if name not in every_shipped_name():
            raise PackError([unknown_pack(name, (pack.name for pack in list_packs(benchmarks=True)))])
        return (shipped_source(name),)
    path = path_of(name)
    if exists(path) and path.is_dir():
        return folder_sources(path)
    return (file_source(path),)


def load_packs(
    names: Iterable[str], *, samples: Collection[str] | None = None, any_name: bool = False
) -> tuple[Pack, ...]:
    """The packs to check a tenant by, each once. Raises PackError with the problems of all of them.

    An abstract pack in a folder is skipped; an abstract pack named by itself is a mistake. With `any_name` a
    file may contain another version of a shipped pack.
    """
    packs: dict[str, Pack] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(names):
        try:
            sources = find(name)
        except PackError as error:
            problems.extend(error.problems)
            continue
        for source in sources:
            try:
                pack = load(source, samples=samples, any_name=any_name)
            except PackError as error:
                problems.extend(error.problems)
                continue
            if not pack.abstract:
                problems.extend(clash(pack, packs.setdefault(pack.name, pack)))
            elif len(sources) == 1:
                problems.append(_is_abstract(pack))
    if problems:
        raise PackError(problems)
    return tuple(packs.values())


def list_packs(*, abstract: bool = False, benchmarks: bool = False) -> tuple[PackSummary, ...]:
    """The shipped packs about an app, without the catalogue: the packs that a command without ``--pack`` uses.

    With `benchmarks` also those about the tenant alone, of which some read the whole directory; with
    `abstract` also those that only exist for others to extend.
    """
    packs = (load(shipped_source(name)) for name in shipped_names())
    wanted = (pack for pack in packs if (abstract or not pack.abstract) and (benchmarks or pack.app or pack.abstract))
    return tuple(_listed(pack) for pack in wanted)


def _listed(pack: Pack) -> PackSummary:
    return PackSummary(pack.name, pack.version, pack.title, pack.about, pack.app, len(pack.rules))


def clash(pack: Pack, first: Pack) -> Iterator[Problem]:
    """The problem of two different packs with one name: their findings could not be distinguished."""
    if pack.digest != first.digest:
        yield Problem(
            pack.origin, 0, 0, f'the pack "{pack.name}" is different from the pack of that name in {first.origin}'
        )


def _is_abstract(pack: Pack) -> Problem:
    others = [load(shipped_source(name)) for name in shipped_names()]
    heirs = [other.name for other in others if other.extends == pack.name and not other.abstract]
    instead = f" ({', '.join(heirs)})" if heirs else ""
    message = f'the pack "{pack.name}" is abstract: it only exists for others to extend{instead}'
    return Problem(pack.origin, 0, 0, message, expected="a pack that extends it")


class OwnPack(NamedTuple):
    """A pack on a search path, with the name in its text; the name is empty if the text has none."""

    name: str
    source: Source


def entries(text: str, separator: str) -> tuple[str, ...]:
    """The entries of a search path: packs, files and folders.

    They are separated by a comma, a line break or `separator` (``;`` on Windows, ``:`` elsewhere, as in PATH). A path
    may contain spaces; pack names can't, so spaces separate them too.
    """
    found: list[str] = []
    # The colon after a Windows drive letter isn't a separator, on any system.
    for part in re.split(rf"[,\r\n]|{re.escape(separator)}(?!\\)", text):
        entry = part.strip().strip('"')
        found.extend([entry] if is_path(entry) else entry.split())
    return tuple(dict.fromkeys(entry for entry in found if entry))


def own_packs(places: Iterable[str]) -> tuple[OwnPack, ...]:
    """The packs in the files and folders in `places`. Raises PackError for one that can't be read."""
    return tuple(own for own in own_files(places) if own.name)


def own_files(places: Iterable[str]) -> Iterator[OwnPack]:
    """The same, and every other file that isn't another kind of document: it may be a broken pack."""
    from auditor.packs.extend import is_other, pack_name

    for place in places:
        if is_path(place):
            path = path_of(place)
            sources = folder_sources(path) if exists(path) and path.is_dir() else (file_source(path),)
            yield from (OwnPack(pack_name(source), source) for source in sources if not is_other(source))


def place_of(name: str, places: Iterable[str]) -> str:
    """The path of the pack that `name` means, or `name` itself where it is a path or a shipped pack's name.

    Shipped packs come first, so that a name always means the same pack. Raises PackError.
    """
    if is_path(name) or names_variant(name) or name in (shipped := every_shipped_name()):
        return name
    own = own_packs(places)
    labels = tuple(dict.fromkeys(pack.source.label for pack in own if pack.name == name))
    if len(labels) == 1:
        return labels[0]
    if labels:
        message = f'several packs are called "{name}": {", ".join(labels)}'
        raise PackError([Problem("", 0, 0, message, expected="the path of one of them")])
    if own:
        raise PackError([unknown_pack(name, (*shipped, *(pack.name for pack in own)))])
    return name
