"""The texts of a pack and of every pack that it extends, to be kept beside a report."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from auditor.model.rule import Pack
from auditor.packs.errors import Problems
from auditor.packs.extend import chain
from auditor.packs.load import load
from auditor.packs.sources import Source, file_source, shipped_names, shipped_source

replace = msgspec.structs.replace
_EXTENDS = re.compile(r"(?m)^extends:.*$")


class PackText(NamedTuple):
    """A pack, and its text and those of its parents by file name, its own first."""

    pack: Pack
    files: tuple[tuple[str, bytes], ...]


def texts_of(source: Source) -> PackText:
    """The pack in `source` and its texts. Raises PackError."""
    pack = load(source)
    links = chain(source, Problems()).links
    names = _names([link.source for link in links])
    return PackText(pack, tuple(zip(names, (link.source.text for link in links), strict=True)))


def scrubbed(text: PackText, scrub: Callable[[str], str]) -> PackText:
    """The pack with `scrub` done to its texts, but for those that ship, and under file names that tell nothing.

    Raises PackError where that breaks it, as where its own name must go.
    """
    own = [place for place, (name, data) in enumerate(text.files) if not _is_shipped(name, data)]
    called = {place: f"own-{number}.yaml" for number, place in enumerate(own, start=1)}
    with TemporaryDirectory(prefix="consent-auditor-") as folder:
        for place, (name, data) in enumerate(text.files):
            told = data if place not in called else _anew(data, scrub, called.get(place + 1, "")).encode()
            Path(folder, called.get(place, name)).write_bytes(told)
        found = texts_of(file_source(Path(folder, called.get(0, text.files[0][0]))))
    # Where a rule is written would tell of this machine's folder for temporary files.
    places = {rule: replace(at, file=PurePath(at.file).name) for rule, at in found.pack.places.items()}
    return found._replace(pack=replace(found.pack, places=places, origin=PurePath(found.pack.origin).name))


def _anew(data: bytes, scrub: Callable[[str], str], parent: str) -> str:
    """The text without names; the file that it extends goes by its new name, where it is one's own, too."""
    said = scrub(data.decode("utf-8-sig"))
    return _EXTENDS.sub(f"extends: ./{parent}", said, count=1) if parent else said


def _names(sources: Sequence[Source]) -> list[str]:
    """A file name for each text, where no text takes the place of another.

    A pack of one's own may lie in a file that is called as a shipped one is, and extend that. Its parents were named
    first, for their names stand in `extends`; its own name stands nowhere.
    """
    found: list[str] = []
    for source in reversed(sources):
        name = _file_name(source.label)
        while name in found or (name in _shipped() and not _is_shipped(name, source.text)):
            name = f"own-{name}"
        found.append(name)
    return found[::-1]


def _is_shipped(name: str, data: bytes) -> bool:
    """Whether a file of this name and text is one of those that ship."""
    return name in _shipped() and shipped_source(name.removesuffix(".yaml")).text == data


def _shipped() -> frozenset[str]:
    return frozenset(f"{name}.yaml" for name in shipped_names())


def _file_name(label: str) -> str:
    return PurePath(label.replace("\\", "/")).name
