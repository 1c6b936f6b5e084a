"""Read a bundle's file: its manifest, its members and its packs, or why it isn't a bundle.

A bundle can come from a stranger. Its members are read into memory after their sizes and paths are checked; only its
packs are written to a temporary folder while they are loaded.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from auditor.jobs.bundle import (
    FORMAT,
    MANIFEST,
    MOST_BYTES,
    PASTE,
    README,
    REPORT,
    SNAPSHOT,
    VERSION,
    BundleError,
    Manifest,
)
from auditor.model.rule import Pack
from auditor.packs.find import load_packs
from auditor.packs.pack_errors import PackError, Problem
from auditor.packs.pack_texts import NAME, parent_named, shipped_text
from auditor.packs.sources import is_path

MOST_MEMBERS = 200
MOST_TOGETHER = 3 * MOST_BYTES
"""The most bytes in all members together, so that a small file can't fill the memory."""
PACKS = "packs/"
KNOWN = frozenset({MANIFEST, SNAPSHOT, REPORT, "report.html", "report.pdf", PASTE, README})
"""All members of a bundle except its packs."""

_ASK = "ask the sender for the file again"
_DISTRUST = "don't open it, and ask the sender"


def read_bundle(data: bytes) -> tuple[Manifest, Mapping[str, bytes]]:
    """The manifest, and all members by path. Raises BundleError."""
    members = _members(data)
    return _manifest(members), members


def damage(manifest: Manifest, members: Mapping[str, bytes]) -> Iterator[str]:
    """The differences between the members and the manifest, one sentence each."""
    listed = {file.path: file for file in manifest.files}
    yield from (f"{path} is missing" for path in listed if path not in members)
    yield from (f"{path} isn't in the manifest" for path in members if path not in listed and path != MANIFEST)
    for path, file in listed.items():
        if path not in members:
            continue
        if hashlib.sha256(members[path]).hexdigest() != file.sha256:
            yield f"{path} was changed: its SHA-256 isn't the one in the manifest"
        elif len(members[path]) != file.size:
            yield f"{path} has {len(members[path])} bytes, but the manifest says {file.size}"
        if path not in KNOWN and not path.startswith(PACKS):
            yield f"{path} isn't a file of a bundle"


def packs_of(manifest: Manifest, members: Mapping[str, bytes]) -> tuple[Pack, ...]:
    """The packs that the manifest names, in its order, with the positions of rules as a bundle's report has them.

    A copy of a shipped pack is replaced by the shipped pack. Raises BundleError for a pack that extends a file outside
    the bundle, and PackError for a broken pack.
    """
    texts = {path.removeprefix(PACKS): data for path, data in members.items() if path.startswith(PACKS)}
    for name, text in texts.items():
        _refuse_other_files(name, text, texts)
    with TemporaryDirectory(prefix="consent-auditor-") as folder:
        for name, text in texts.items():
            if name:
                Path(folder, name).write_bytes(text)
        named = [_name_or_file(pack.file.removeprefix(PACKS), texts, folder) for pack in manifest.packs]
        try:
            # A pack that another version shipped under the same name is loaded; its digest shows the difference.
            packs = load_packs(named, any_name=True)
        except PackError as error:
            raise PackError(map(_with_bundle_paths(f"{folder}{os.sep}"), error.problems)) from None
    return tuple(_with_file_names(pack) for pack in packs)


def _refuse_other_files(name: str, text: bytes, texts: Mapping[str, bytes]) -> None:
    parent = parent_named(text)
    if parent.startswith("~") or (is_path(parent) and parent.removeprefix("./") not in texts):
        raise BundleError(f"{PACKS}{name} extends a file that isn't in the bundle: don't use it, and ask the sender")


def _name_or_file(file: str, texts: Mapping[str, bytes], folder: str) -> str:
    """The name of the shipped pack if the file is a copy of it, or else the file's path."""
    is_copy = shipped_text(file) == texts[file]
    return re.sub(r"\.yaml$", "", file) if is_copy else str(Path(folder, file))


def _with_bundle_paths(folder: str) -> Callable[[Problem], Problem]:
    """A function that replaces the path of the temporary folder in a problem with the path in the bundle."""
    return lambda problem: problem._replace(
        file=problem.file.replace(folder, PACKS), message=problem.message.replace(folder, PACKS)
    )


def _with_file_names(pack: Pack) -> Pack:
    """The pack with the positions of its rules by file name, without the temporary folder."""
    places = {
        rule: at if at.file.startswith("rules/") else msgspec.structs.replace(at, file=Path(at.file).name)
        for rule, at in pack.places.items()
    }
    return msgspec.structs.replace(pack, places=places)


def _members(data: bytes) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            _refuse_large(listed)
            _refuse_paths(listed)
            # Tools that pack the files again add an entry for the folder.
            files = [member for member in listed if member.filename != PACKS or member.file_size]
            members = {member.filename: archive.read(member) for member in files}
            _refuse_extra_data(data, archive)
            return members
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BundleError(f"the file isn't a zip that can be read ({error}): {_ASK}") from error
    except (OSError, zlib.error) as error:
        raise BundleError(f"the file is damaged ({error}): {_ASK}") from error


def _refuse_large(listed: list[zipfile.ZipInfo]) -> None:
    sizes = [member.file_size for member in listed]
    if len(listed) > MOST_MEMBERS or max(sizes, default=0) > MOST_BYTES or sum(sizes) > MOST_TOGETHER:
        raise BundleError(f"the file contains far more than a bundle does: {_DISTRUST}")


def _refuse_paths(listed: list[zipfile.ZipInfo]) -> None:
    """Members are files in one folder and packs in another. No links, and no names that differ only in case."""
    has_duplicates = len({member.filename.casefold() for member in listed}) < len(listed)
    if has_duplicates or any(_is_outside(member.filename) or _is_link(member) for member in listed):
        raise BundleError(f"the file contains paths that a bundle doesn't have: {_DISTRUST}")


def _is_outside(path: str) -> bool:
    name = path.removeprefix(PACKS)
    if name != path and name:
        return NAME.fullmatch(name) is None
    return path != PACKS and (path in (".", "..") or any(sign in path for sign in "/\\:"))


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _refuse_extra_data(data: bytes, archive: zipfile.ZipFile) -> None:
    """Raise BundleError for data before or after the zip in the same file, because no checksum covers it."""
    first = min((member.header_offset for member in archive.infolist()), default=0)
    if first or not data.startswith(b"PK") or data[-22:-18] != b"PK\x05\x06" or archive.comment:
        raise BundleError(f"the file contains more than a bundle, before or after it: {_DISTRUST}")


def _manifest(members: Mapping[str, bytes]) -> Manifest:
    text = members.get(MANIFEST)
    if text is None:
        raise BundleError(
            f"the file isn't a bundle, because it has no {MANIFEST}: give one from consent-auditor bundle"
        )
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BundleError(f"{MANIFEST} can't be read ({error}): {_ASK}") from error
    if manifest.format != FORMAT:
        raise BundleError(f"{MANIFEST} has another format: give a file from consent-auditor bundle")
    if manifest.version > VERSION:
        raise BundleError(f"the bundle has version {manifest.version}: install a newer consent-auditor to verify it")
    _refuse_incomplete(manifest)
    return manifest


def _refuse_incomplete(manifest: Manifest) -> None:
    """Raise BundleError for a manifest without a report, its snapshot or its packs."""
    listed = {file.path for file in manifest.files}
    for path in (SNAPSHOT, REPORT):
        if path not in listed:
            raise BundleError(f"the file isn't a bundle, because {MANIFEST} doesn't list {path}: {_ASK}")
    for pack in manifest.packs:
        if not pack.file.startswith(PACKS) or pack.file not in listed:
            raise BundleError(f"{MANIFEST} names a pack that isn't in the bundle: {_DISTRUST}")
