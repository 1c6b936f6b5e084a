"""A bundle read back: its manifest and its members, and whether the manifest still describes them.

A bundle can come from a stranger. Its members are read into memory after their sizes and paths are checked; only its
packs are written to a temporary folder while they are loaded.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from auditor.fixes.proposed_fix import printable
from auditor.input_files import input_bytes
from auditor.jobs.audit_request import PIPE
from auditor.jobs.bundle_writer import (
    FORMAT,
    MANIFEST,
    MESSAGE,
    MOST_BYTES,
    MOST_MEMBERS,
    MOST_TOGETHER,
    PASTE,
    README,
    REPORT,
    SNAPSHOT,
    VERSION,
    BundleError,
    BundleManifest,
    NotABundle,
)
from auditor.model.rule import Pack
from auditor.packs import PackError, Problem
from auditor.packs.load import find, is_path, load_packs
from auditor.packs.pack_texts import NAME, PackFile, PackText, files_of, parent_named, shipped_text

MOST_IN_FILE = MOST_TOGETHER + (1 << 20)
"""The most bytes in a bundle: its members, even if they can't be compressed, and what the zip needs for them."""
PACKS = "packs/"
KNOWN = frozenset({MANIFEST, SNAPSHOT, REPORT, "report.html", "report.pdf", PASTE, MESSAGE, README})
"""All members of a bundle except its packs."""

MOST_IN_DIRECTORY = MOST_MEMBERS * 512
"""The most bytes in the directory of the zip."""

_MORE = "the file contains more than a bundle, before or after it"
_ASK = "ask the sender for the file again"
_DISTRUST = "don't open it, and ask the sender"


def read_bundle(data: bytes) -> tuple[BundleManifest, Mapping[str, bytes]]:
    """The manifest, and all members by path. Raises BundleError."""
    members = _members(data)
    return _manifest(members), members


def damage(manifest: BundleManifest, members: Mapping[str, bytes]) -> Iterator[str]:
    """The differences between the members and the manifest, one sentence each. Names are printable ASCII."""
    yield from map(printable, _damage(manifest, members))


def _damage(manifest: BundleManifest, members: Mapping[str, bytes]) -> Iterator[str]:
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


def packs_of(manifest: BundleManifest, members: Mapping[str, bytes]) -> tuple[PackText, ...]:
    """The packs that the manifest names, in its order, with their texts and parents.

    The positions of rules are as a bundle's report has them. A copy of a shipped pack is replaced by the shipped pack.
    Raises BundleError for a pack that extends a file outside the bundle, and PackError for a broken pack.
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
            packs = {pack.origin: pack for pack in load_packs(named, any_name=True)}
        except PackError as error:
            raise PackError(map(_with_bundle_paths(f"{folder}{os.sep}"), error.problems)) from None
        sources = [source for name in dict.fromkeys(named) for source in find(name) if source.label in packs]
        found = [PackText(packs[source.label], files_of(source)) for source in sources]
    return tuple(PackText(_with_file_names(text.pack), tuple(map(_with_name, text.files))) for text in found)


def _refuse_other_files(name: str, text: bytes, texts: Mapping[str, bytes]) -> None:
    parent = parent_named(text)
    if parent.startswith("~") or (is_path(parent) and parent.removeprefix("./") not in texts):
        raise BundleError(f"{PACKS}{name} extends a file that isn't in the bundle", "don't use it, and ask the sender")


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
    origin = pack.origin if pack.origin.startswith("rules/") else Path(pack.origin).name
    return msgspec.structs.replace(pack, places=places, origin=origin)


def _with_name(file: PackFile) -> PackFile:
    return file if file.label.startswith("rules/") else file._replace(label=file.name)


def bundle_bytes(path: str) -> bytes:
    """The content of a file, or of standard input for ``-``. Raises BundleError if it's too large, and OSError."""
    data = sys.stdin.buffer.read(MOST_IN_FILE + 1) if path == PIPE else input_bytes(path, MOST_IN_FILE)
    if len(data) > MOST_IN_FILE:
        raise BundleError(
            f"the file is larger than any bundle ({MOST_IN_FILE >> 20} MiB)", "check that it's the right one"
        )
    return data


def _members(data: bytes) -> Mapping[str, bytes]:
    try:
        _refuse_other_ends(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            _refuse_large(listed)
            if MANIFEST not in archive.namelist():
                raise NotABundle(
                    f"the file isn't a bundle, because it has no {MANIFEST}", "give one from consent-auditor bundle"
                )
            _refuse_paths(listed)
            # Tools that pack the files again add an entry for the folder.
            files = [member for member in listed if member.filename != PACKS or member.file_size]
            members = {member.filename: _content(archive, member) for member in files}
            _refuse_data_before(data, archive)
            return members
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BundleError(f"the file isn't a zip that can be read ({error})", _ASK) from error
    except (OSError, zlib.error, struct.error) as error:
        raise BundleError(f"the file is damaged ({error})", _ASK) from error


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The member's content, of which no more is unpacked than its entry says: `ZipFile.read` unpacks everything."""
    with archive.open(member) as opened:
        # One byte more reaches the end, where the checksum is compared.
        return opened.read(member.file_size + 1)


def _refuse_other_ends(data: bytes) -> None:
    """Raise BundleError for a file that doesn't end as a bundle does, before a large directory is read.

    The end of a zip's directory is 22 bytes long if the zip has no comment; a zip64 has another record before it.
    """
    is_end = data[-22:-18] == b"PK\5\6"
    if not is_end and zipfile.is_zipfile(io.BytesIO(data)):
        raise BundleError(_MORE, _DISTRUST)
    size = int.from_bytes(data[-10:-6], "little")
    if is_end and (size > MOST_IN_DIRECTORY or data[-42:-38] == b"PK\6\7"):
        raise BundleError("the file contains far more than a bundle does", _DISTRUST)


def _refuse_data_before(data: bytes, archive: zipfile.ZipFile) -> None:
    """Raise BundleError for data before the zip or a comment after it, because no checksum covers it."""
    first = min((member.header_offset for member in archive.infolist()), default=0)
    if first or not data.startswith(b"PK") or archive.comment:
        raise BundleError(_MORE, _DISTRUST)


def _refuse_large(listed: list[zipfile.ZipInfo]) -> None:
    sizes = [member.file_size for member in listed]
    if len(listed) > MOST_MEMBERS or max(sizes, default=0) > MOST_BYTES or sum(sizes) > MOST_TOGETHER:
        raise BundleError("the file contains far more than a bundle does", _DISTRUST)


def _refuse_paths(listed: list[zipfile.ZipInfo]) -> None:
    """Members are files in one folder and packs in another. No links, and no names that differ only in case."""
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in listed):
        raise BundleError("the file is compressed in a way that a bundle isn't", _ASK)
    has_duplicates = len({member.filename.casefold() for member in listed}) < len(listed)
    if has_duplicates or any(_is_outside(member.filename) or _is_link(member) for member in listed):
        raise BundleError("the file contains paths that a bundle doesn't have", _DISTRUST)


def _is_outside(path: str) -> bool:
    name = path.removeprefix(PACKS)
    if name != path and name:
        return NAME.fullmatch(name) is None
    return path != PACKS and (path in ("", ".", "..") or any(sign in path for sign in "/\\:"))


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _manifest(members: Mapping[str, bytes]) -> BundleManifest:
    try:
        manifest = msgspec.json.decode(members[MANIFEST], type=BundleManifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BundleError(f"{MANIFEST} can't be read ({error})", _ASK) from error
    if manifest.format != FORMAT:
        raise BundleError(f"{MANIFEST} has another format", "give a file from consent-auditor bundle")
    if manifest.version < 1:
        raise BundleError(f"{MANIFEST} has the version {manifest.version}, which doesn't exist", _DISTRUST)
    if manifest.version > VERSION:
        raise BundleError(f"the bundle has version {manifest.version}", "install a newer consent-auditor to verify it")
    _refuse_incomplete(manifest)
    return manifest


def _refuse_incomplete(manifest: BundleManifest) -> None:
    """Raise BundleError for a manifest without a report, its snapshot or its packs."""
    listed = {file.path for file in manifest.files}
    for path in (SNAPSHOT, REPORT):
        if path not in listed:
            raise BundleError(f"the file isn't a bundle, because {MANIFEST} doesn't list {path}", _ASK)
    for pack in manifest.packs:
        if not pack.file.startswith(PACKS) or pack.file not in listed:
            raise BundleError(f"{MANIFEST} names a pack that isn't in the bundle", _DISTRUST)
