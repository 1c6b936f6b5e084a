"""The sources of a pack's text: the packs that ship with the program, and files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from auditor import shipped
from auditor.packs import PackError, Problem

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

SUFFIXES = (".yaml", ".yml")
LARGEST = 256 * 1024
"""The most bytes of a pack. The shipped ones have a tenth of that."""


RELEASES = Path(__file__).with_name("releases.json")
"""The SHA-256 of every pack that a release ships, by version and name of the pack."""


class Source(NamedTuple):
    """The text of one pack, its name in messages, and the folder that a relative `extends` starts from."""

    label: str
    text: bytes
    folder: Path | None = None
    """``None`` for a shipped pack, whose parents are shipped too."""
    unread: tuple[Problem, ...] = ()
    """Why there is no text: a file in a folder that can't be read. Loading the pack reports it."""


def is_path(name: str) -> bool:
    """Whether `name` means a file or folder rather than a shipped pack."""
    return any(sign in name for sign in "/\\") or name.lower().endswith(SUFFIXES) or name in (".", "..")


def shipped_names() -> tuple[str, ...]:
    """The names of all shipped packs, abstract ones too."""
    names = (entry.name for entry in shipped.root("rules").iterdir())
    return tuple(sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml")))


def shipped_source(name: str) -> Source:
    """The shipped pack of that name."""
    if name not in (names := shipped_names()):
        raise PackError([unknown_pack(name, names)])
    file = shipped.root("rules") / f"{name}.yaml"
    return Source(f"{shipped.label('rules')}/{name}.yaml", _bytes(file, file.name))


def shipped_digests(version: str) -> Mapping[str, str] | None:
    """The SHA-256 of the text of each pack that this version ships; ``None`` for a version that isn't known here."""
    releases: dict[str, dict[str, str]] = json.loads(RELEASES.read_bytes())
    return releases.get(version)


def is_shipped(origin: str) -> bool:
    """Whether a pack of this origin came with the program."""
    return origin.startswith(f"{shipped.label('rules')}/")


def unknown_pack(name: str, offered: Iterable[str]) -> Problem:
    """The error for the name of a shipped pack that doesn't exist, with the names that are nearest to it."""
    if exists(Path(name)):
        here = f'a file or folder here has that name: to use it, write "{os.path.join(".", name)}"'
        return Problem("", 0, 0, f'there is no shipped pack "{name}" ({here})')
    from auditor.checks.typo_suggestions import likely_names

    names = tuple(offered)
    message = f'there is no shipped pack "{name}" (the shipped packs are {", ".join(names)})'
    return Problem("", 0, 0, message, near='" or "'.join(likely_names(name, names)))


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
        with file.open("rb") as opened:
            return opened.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise PackError([Problem(label, 0, 0, f"can't be read: {why}")]) from error
