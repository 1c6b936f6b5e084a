"""A bundle read back: its parts, and whether they still are what was written.

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
from typing import NamedTuple

import msgspec

from auditor.jobs.bundle_writer import (
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
    readme,
)
from auditor.jobs.report_builder import UserNotRead, build_report
from auditor.model.report import Report
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot
from auditor.packs import PackError, Problem
from auditor.packs.load import is_path, load_packs
from auditor.packs.pack_texts import NAME, parent_named, shipped_text
from auditor.redact.tokens import is_token
from auditor.render import FormatUnavailable, render
from auditor.render.text import render_ticket
from auditor.snapshot import SnapshotError
from auditor.snapshot.read import loads

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
            members = {member.filename: _content(archive, member) for member in files}
            _refuse_extra_data(data, archive)
            return members
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BundleError(f"the file isn't a zip that can be read ({error}): {_ASK}") from error
    except (OSError, zlib.error) as error:
        raise BundleError(f"the file is damaged ({error}): {_ASK}") from error


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The member's content, of which no more is unpacked than its entry says: `ZipFile.read` unpacks everything."""
    with archive.open(member) as opened:
        # One byte more reaches the end, where the checksum is compared.
        return opened.read(member.file_size + 1)


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


HTML, PDF = "report.html", "report.pdf"
_SOURCE = re.compile(r"live, redacted|snapshot, redacted|sample [a-z0-9-]{1,60} \(bundled, no real tenant\)")
_TOOL = re.compile(r"consent-auditor \d[\w.+-]{0,40}")
_PLAIN_SOURCE = re.compile(r"live, read through Microsoft Graph|snapshot [^\n]{1,4096}")


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification.

    `problems` are damaged, missing and extra files. `differences` are statements in the bundle that don't follow from
    its snapshot and rules. `notes` say what was not compared. `not_evaluated` says why the rules were not evaluated
    again, if they weren't.
    """

    manifest: Manifest
    problems: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_evaluated: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the files are exactly those that the manifest lists."""
        return not self.problems


def verify(data: bytes, tool: str) -> Verification:
    """Compare every member with the manifest, then evaluate the snapshot again and render the reports again.

    `tool` is this program and its version. If another version made the bundle, only decisions and findings are
    compared, because that version may word its reports differently. Raises BundleError.
    """
    manifest, members = read_bundle(data)
    problems = tuple(damage(manifest, members))
    if problems:
        return Verification(manifest=manifest, problems=problems, not_evaluated="the bundle is damaged or changed")
    before = _report(members)
    try:
        found = _Reevaluation.of(manifest, members, before)
    except (SnapshotError, PackError, UserNotRead) as error:
        return Verification(manifest=manifest, not_evaluated=str(error))
    differences = [*_description_differences(manifest, before, found.snapshot), *found.pack_differences]
    differences += [*_decision_differences(before, found.report), *_finding_differences(before, found.report)]
    if manifest.tool != tool:
        notes = [
            f"it was made by {manifest.tool}, and this is {tool}: decisions and findings were compared, but not the"
            " texts of the reports. To compare these as well, verify it with that version"
        ]
    else:
        differences += _text_differences(manifest, members, found, is_explained=bool(differences))
        notes = list(_not_compared(members, found.report))
    return Verification(manifest=manifest, differences=tuple(differences), notes=tuple(notes))


class _Reevaluation(NamedTuple):
    """The report on the bundle's snapshot by the bundle's rules, built again."""

    snapshot: Snapshot
    report: Report
    files: tuple[str, ...]
    """The members with the packs, in the order of the manifest."""
    pack_differences: tuple[str, ...]

    @classmethod
    def of(cls, manifest: Manifest, members: Mapping[str, bytes], before: Report) -> _Reevaluation:
        snapshot = loads(members[SNAPSHOT], SNAPSHOT)
        packs = packs_of(manifest, members)
        report = build_report(snapshot, packs, user=manifest.user, source=before.source, tool=manifest.tool)
        files = tuple(pack.file for pack in manifest.packs)
        return cls(snapshot, report, files, tuple(_pack_differences(manifest, packs)))


def _report(members: Mapping[str, bytes]) -> Report:
    """The bundle's report. Raises BundleError if the report or the snapshot isn't valid JSON."""
    try:
        name = SNAPSHOT
        msgspec.json.decode(members[SNAPSHOT])
        name = REPORT
        return msgspec.json.decode(members[REPORT], type=Report)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BundleError(f"{name} can't be read ({error}): ask the sender for the file again") from error


def _description_differences(manifest: Manifest, before: Report, snapshot: Snapshot) -> Iterator[str]:
    """Where the manifest's and the report's descriptions of the snapshot differ from the snapshot."""
    for what, in_manifest, in_report, actual in (
        ("tenant", manifest.tenant, before.tenant, snapshot.tenant),
        ("time", manifest.taken, before.taken, snapshot.taken),
    ):
        if in_manifest != actual:
            yield f"the manifest names another {what} than the snapshot"
        if in_report != actual:
            yield f"the report names another {what} than the snapshot"
    if not _TOOL.fullmatch(manifest.tool):
        yield "the manifest doesn't say which version of this program made it"
    if manifest.redacted and not (is_token(snapshot.tenant.id) or not snapshot.tenant.id):
        yield "the manifest says that names were redacted, but the snapshot contains the tenant's id"
    known = _SOURCE if manifest.redacted else re.compile(f"{_SOURCE.pattern}|{_PLAIN_SOURCE.pattern}")
    if before.source and not known.fullmatch(before.source):
        yield "the report's text about where the snapshot came from isn't one that this program writes"


def _decision_differences(before: Report, again: Report) -> Iterator[str]:
    if len(before.decisions) != len(again.decisions):
        yield f"the report has {len(before.decisions)} decisions, but the rules give {len(again.decisions)}"
        return
    for old, new in zip(before.decisions, again.decisions, strict=True):
        if (old.outcome, old.confidence) != (new.outcome, new.confidence):
            name = old.app.name or old.app.client_id
            yield f"{name}: {old.outcome.value} for {old.subject} in the report, now {new.outcome.value}"


def _finding_differences(before: Report, again: Report) -> Iterator[str]:
    now = {(one.pack, one.rule): one for one in again.findings}
    for one in before.findings:
        new = now.pop((one.pack, one.rule), None)
        if new is None or new.outcome is not one.outcome:
            outcome = new.outcome.value if new is not None else "not evaluated"
            yield f"{one.rule}: {one.outcome.value} in the report, now {outcome}"
    for (_, rule), new in now.items():
        yield f"{rule}: not in the report, now {new.outcome.value}"


def _text_differences(
    manifest: Manifest, members: Mapping[str, bytes], found: _Reevaluation, *, is_explained: bool
) -> Iterator[str]:
    """The files that differ from what this program, which made them, renders now.

    If other differences explain why the JSON report differs, it isn't reported again.
    """
    if not is_explained and members[REPORT] != render(found.report, "json"):
        yield f"{REPORT} has texts that don't follow from the snapshot and the rules"
    rendered = {
        HTML: render(found.report, "html"),
        PASTE: render_ticket(found.report).encode(),
        README: readme(found.report, found.files, manifest.redacted, manifest.user).encode(),
    }
    for name, data in rendered.items():
        if name in members and members[name] != data:
            yield f"{name} differs from what the snapshot and the rules give"
        if name not in members and not any(why.startswith(f"{name}:") for why in manifest.left_out):
            yield f"{name} isn't in the bundle, and the manifest doesn't say why"


def _not_compared(members: Mapping[str, bytes], again: Report) -> Iterator[str]:
    """A note if the PDF differs: its bytes depend on the fonts of the machine, so that a difference proves nothing."""
    if PDF not in members:
        return
    try:
        is_same = render(again, "pdf") == members[PDF]
    except FormatUnavailable:
        is_same = False
    if not is_same:
        yield f"{PDF} couldn't be compared, because its bytes depend on the machine's fonts: rely on {HTML} instead"


def _pack_differences(manifest: Manifest, packs: tuple[Pack, ...]) -> Iterator[str]:
    """The packs that aren't exactly those in the manifest, for example because they extend a changed shipped pack."""
    found = {pack.name: pack for pack in packs}
    for one in manifest.packs:
        pack = found.get(one.name)
        if pack is None:
            yield f"the bundle has no pack {one.name}"
        elif pack.digest != one.digest:
            yield f"the pack {one.name} extends a pack that is different in this installation"
        elif pack.version != one.version:
            yield f"the pack {one.name} has version {pack.version}, but the manifest says {one.version}"
