"""A bundle's file → its members and its manifest, or why it is none. Nothing of it is written anywhere."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping

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
from auditor.packs.pack_texts import NAME

MOST_MEMBERS = 200
MOST_TOGETHER = 3 * MOST_BYTES
"""Of all members, so that a small file cannot fill the memory."""
PACKS = "packs/"
KNOWN = frozenset({MANIFEST, SNAPSHOT, REPORT, "report.html", "report.pdf", PASTE, README})
"""Everything that a bundle holds beside its packs."""

_ASK = "ask the sender for the file again"
_DISTRUST = "do not open it, and ask the sender"


def opened(data: bytes) -> tuple[Manifest, Mapping[str, bytes]]:
    """The manifest and all members by path. Raises BundleError."""
    members = _members(data)
    return _manifest(members), members


def damage(manifest: Manifest, members: Mapping[str, bytes]) -> Iterator[str]:
    """Where the members are not those that the manifest lists, each told in a sentence."""
    listed = {file.path: file for file in manifest.files}
    yield from (f"{path} is missing" for path in listed if path not in members)
    yield from (f"{path} is not in the manifest" for path in members if path not in listed and path != MANIFEST)
    for path, file in listed.items():
        if path not in members:
            continue
        if hashlib.sha256(members[path]).hexdigest() != file.sha256:
            yield f"{path} was changed: its SHA-256 is not the one of the manifest"
        elif len(members[path]) != file.size:
            yield f"{path} has {len(members[path])} bytes, and the manifest says {file.size}"
        if path not in KNOWN and not path.startswith(PACKS):
            yield f"{path} is nothing that a bundle holds"


def _members(data: bytes) -> Mapping[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            _refuse_bombs(listed)
            _refuse_paths(listed)
            # A zip that was packed again has an entry for the folder itself, too.
            files = [member for member in listed if member.filename != PACKS or member.file_size]
            members = {member.filename: archive.read(member) for member in files}
            _refuse_strangers(data, archive)
            return members
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BundleError(f"the file is no zip that can be read ({error}): {_ASK}") from error
    except (OSError, zlib.error) as error:
        raise BundleError(f"the file is damaged ({error}): {_ASK}") from error


def _refuse_bombs(listed: list[zipfile.ZipInfo]) -> None:
    sizes = [member.file_size for member in listed]
    if len(listed) > MOST_MEMBERS or max(sizes, default=0) > MOST_BYTES or sum(sizes) > MOST_TOGETHER:
        raise BundleError(f"the file holds far more than a bundle does: {_DISTRUST}")


def _refuse_paths(listed: list[zipfile.ZipInfo]) -> None:
    """Members are files beside each other, and packs in one folder; no link, and no two that some system mixes up."""
    doubles = len({member.filename.casefold() for member in listed}) < len(listed)
    if doubles or any(_leads_out(member.filename) or _is_link(member) for member in listed):
        raise BundleError(f"the file holds paths that no bundle holds: {_DISTRUST}")


def _leads_out(path: str) -> bool:
    name = path.removeprefix(PACKS)
    if name != path and name:
        return NAME.fullmatch(name) is None
    return path != PACKS and (path in (".", "..") or any(sign in path for sign in "/\\:"))


def _is_link(member: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(member.external_attr >> 16)


def _refuse_strangers(data: bytes, archive: zipfile.ZipFile) -> None:
    """Whatever stands before or after the zip in the same file is in no manifest."""
    first = min((member.header_offset for member in archive.infolist()), default=0)
    if first or not data.startswith(b"PK") or data[-22:-18] != b"PK\x05\x06" or archive.comment:
        raise BundleError(f"the file holds more than a bundle, before or after it: {_DISTRUST}")


def _manifest(members: Mapping[str, bytes]) -> Manifest:
    text = members.get(MANIFEST)
    if text is None:
        raise BundleError(
            f"the file holds no {MANIFEST}, so it is no bundle: give one that consent-auditor bundle made"
        )
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BundleError(f"{MANIFEST} cannot be read ({error}): {_ASK}") from error
    if manifest.format != FORMAT:
        raise BundleError(f"{MANIFEST} is of another format: give a file that consent-auditor bundle made")
    if manifest.version > VERSION:
        raise BundleError(f"the bundle is of version {manifest.version}: install a newer consent-auditor to check it")
    _refuse_half(manifest)
    return manifest


def _refuse_half(manifest: Manifest) -> None:
    """A bundle is a report, the snapshot that it rests on, and the packs."""
    listed = {file.path for file in manifest.files}
    for path in (SNAPSHOT, REPORT):
        if path not in listed:
            raise BundleError(f"{MANIFEST} lists no {path}, so it is no bundle: {_ASK}")
    for pack in manifest.packs:
        if not pack.file.startswith(PACKS) or pack.file not in listed:
            raise BundleError(f"{MANIFEST} names a pack that is not in the bundle: {_DISTRUST}")
