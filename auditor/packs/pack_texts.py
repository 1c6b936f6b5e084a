"""The texts of a pack and of every pack that it extends, for a bundle that contains them all.

In one folder each has a unique name, and a pack that extends a file refers to it by that name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import yaml

from auditor.model.rule import Pack
from auditor.packs import PackProblems, TooManyProblems
from auditor.packs.extend import chain
from auditor.packs.load import Source, every_shipped_name, file_source, is_path, is_shipped, load, shipped_source
from auditor.packs.yaml_nodes import Scalar, child, plain, read

replace = msgspec.structs.replace
Rewrite = Callable[[dict[str, Any], str], dict[str, Any]]
"""Takes the document of your own pack, and its file name without extension; returns the document to keep."""

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,80}\.ya?ml")
"""File names that are valid on every system and can't point to another folder."""
RELEASES = Path(__file__).with_name("releases.json")
"""The SHA-256 of every pack that a release ships, by version and name of the pack."""
_EXTENDS = re.compile(r"(?m)^extends:.*$")


class PackFile(NamedTuple):
    """One text: its file name, its bytes, whether it is a shipped pack, and where it was found."""

    name: str
    text: bytes
    shipped: bool
    label: str


class PackText(NamedTuple):
    """A pack, and its text followed by those of its parents."""

    pack: Pack
    files: tuple[PackFile, ...]

    @property
    def is_shipped(self) -> bool:
        """Whether the pack itself is a shipped pack, or an exact copy of one."""
        return self.files[0].shipped


def texts_of(source: Source) -> PackText:
    """The pack in `source` and its texts. Raises PackError."""
    return PackText(load(source), files_of(source))


def files_of(source: Source) -> tuple[PackFile, ...]:
    """The text in `source` followed by those of its parents, as far as they can be read."""
    return tuple(_file(link.source) for link in chain(source, PackProblems()).links)


def shipped_text(name: str) -> bytes | None:
    """The text of the shipped pack whose file has this name, if there is one."""
    stem = name.removesuffix(".yaml")
    return shipped_source(stem).text if stem != name and stem in every_shipped_name() else None


def shipped_digests(version: str) -> Mapping[str, str] | None:
    """The SHA-256 of the text of each pack that this version ships; ``None`` for a version that isn't known here."""
    releases = msgspec.json.decode(RELEASES.read_bytes(), type=dict[str, dict[str, str]])
    return releases.get(version)


def parent_named(text: bytes) -> str:
    """The pack that a pack's text extends; empty if it extends none or can't be read."""
    problems = PackProblems()
    try:
        found = child(read(text, "", problems), "extends")
    except TooManyProblems:
        return ""
    return found.value.strip() if isinstance(found, Scalar) and isinstance(found.value, str) else ""


def in_one_folder(texts: Iterable[PackText], rewrite: Rewrite | None = None) -> list[PackText]:
    """The packs as they are if all their texts are in one folder, under unique names.

    With `rewrite`, which changes every text that isn't a shipped pack, their files are named ``own-1.yaml`` and so on.
    Raises PackError if that breaks a pack.
    """
    packs = tuple(texts)
    names = dict(_names(packs, neutral=rewrite is not None))
    with TemporaryDirectory(prefix="consent-auditor-") as folder:
        for text in packs:
            for file, parent in zip(text.files, (*text.files[1:], None), strict=True):
                sibling = names[parent.label] if parent is not None and not parent.shipped else ""
                kept = _text_to_keep(file, names[file.label], sibling, rewrite)
                Path(folder, names[file.label]).write_bytes(kept)
        return [text if text.is_shipped else _here(Path(folder, names[text.files[0].label])) for text in packs]


def _file(source: Source) -> PackFile:
    name = PurePath(source.label.replace("\\", "/")).name
    is_here = source.folder is None and is_shipped(source.label)
    return PackFile(name, source.text, is_here or shipped_text(name) == source.text, source.label)


def _names(packs: Iterable[PackText], *, neutral: bool) -> Iterator[tuple[str, str]]:
    """The file name of each text, by where it was found."""
    files = {file.label: file for text in packs for file in text.files}
    taken = {name.lower() + ".yaml" for name in every_shipped_name()}
    number = 0
    for label, file in files.items():
        if file.shipped:
            yield label, file.name
            continue
        name = file.name
        while neutral or name.lower() in taken or NAME.fullmatch(name) is None:
            number += 1
            name = f"own-{number}.yaml"
            if name not in taken:
                break
        taken.add(name.lower())
        yield label, name


def _text_to_keep(file: PackFile, name: str, parent: str, rewrite: Rewrite | None) -> bytes:
    """The text to keep; `parent` is the file in the folder that it extends, if that isn't a shipped pack."""
    if file.shipped:
        return file.text
    says = parent_named(file.text)
    # A copy of a shipped pack next to it is found by its name.
    wanted = f"./{parent}" if parent else PurePath(says.replace("\\", "/")).stem if is_path(says) else says
    if rewrite is None:
        return _extending(file.text, says, wanted)
    document = rewrite(_document(file.text), PurePath(name).stem)
    return _dumped({**document, "extends": wanted} if wanted else document)


def _extending(text: bytes, says: str, wanted: str) -> bytes:
    """The same text with another `extends`; only that line changes, so that comments stay."""
    if not says or says in (wanted, wanted.removeprefix("./")):
        return text
    made = _EXTENDS.sub(f"extends: {wanted}", text.decode("utf-8-sig"), count=1).encode()
    return made if parent_named(made) == wanted else _dumped({**_document(text), "extends": wanted})


def _document(text: bytes) -> dict[str, Any]:
    node = read(text, "", PackProblems())
    found = plain(node) if node is not None else {}
    return found if isinstance(found, dict) else {}


class _Dumper(yaml.SafeDumper):
    """Repeated values are written again, because packs have no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def _dumped(document: Mapping[str, Any]) -> bytes:
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=108).encode()


def _here(path: Path) -> PackText:
    """The pack of the file, without the name of the temporary folder."""
    found = texts_of(file_source(path))
    shown = {file.label: file.name for file in found.files}
    # Rules of shipped parents keep their own places.
    places = {
        rule: at if at.file.startswith("rules/") else replace(at, file=PurePath(at.file).name)
        for rule, at in found.pack.places.items()
    }
    files = tuple(file._replace(label=shown[file.label]) for file in found.files)
    return PackText(replace(found.pack, places=places, origin=path.name), files)
