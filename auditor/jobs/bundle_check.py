"""A bundle that came with a ticket: is it whole, and do the rules still say what its report says?"""

from __future__ import annotations

import hashlib
import io
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec

from auditor.jobs.assemble import UserNotRead, assemble
from auditor.jobs.bundle import FORMAT, MANIFEST, REPORT, SNAPSHOT, VERSION, Manifest
from auditor.model.finding import FindingOutcome
from auditor.model.report import Report
from auditor.packs.errors import PackError
from auditor.packs.find import load_packs
from auditor.snapshot.errors import SnapshotError
from auditor.snapshot.read import loads

MOST_MEMBERS = 200
MOST_BYTES = 1 << 30
"""Of all members together, so that a small file cannot fill the memory."""


class BundleError(Exception):
    """The file is no bundle that can be checked; the message ends with what to do."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `problems` are damage; `differences` are where the rules now say something else.

    `not_judged` says why the rules were not applied again, if they were not.
    """

    manifest: Manifest
    problems: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    not_judged: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every file is the one that the manifest lists, and there is no other."""
        return not self.problems


def verify(data: bytes) -> Verified:
    """Hold every member against the manifest, then judge the snapshot again. Raises BundleError."""
    members = _members(data)
    manifest = _manifest(members)
    problems = tuple(_damage(manifest, members))
    if problems:
        return Verified(manifest=manifest, problems=problems, not_judged="the bundle is not whole")
    try:
        differences = tuple(_differences(manifest, members))
    except (SnapshotError, PackError, UserNotRead, msgspec.MsgspecError) as error:
        return Verified(manifest=manifest, not_judged=str(error))
    return Verified(manifest=manifest, differences=differences)


def _members(data: bytes) -> Mapping[str, bytes]:
    """What is in the file, by path. Nothing is written anywhere."""
    ask = "ask the sender for the file again"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            if len(listed) > MOST_MEMBERS or sum(member.file_size for member in listed) > MOST_BYTES:
                raise BundleError("the file holds far more than a bundle does: do not open it, and ask the sender")
            doubles = len({member.filename for member in listed}) < len(listed)
            if doubles or any(_leads_out(member.filename) for member in listed):
                raise BundleError("the file holds paths that no bundle holds: do not open it, and ask the sender")
            return {member.filename: archive.read(member) for member in listed}
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BundleError(f"the file is no zip that can be read ({error}): {ask}") from error
    except (OSError, zlib.error) as error:
        raise BundleError(f"the file is damaged ({error}): {ask}") from error


def _leads_out(path: str) -> bool:
    parts = PurePosixPath(path.replace("\\", "/")).parts
    return path.startswith("/") or ".." in parts or ":" in path


def _manifest(members: Mapping[str, bytes]) -> Manifest:
    text = members.get(MANIFEST)
    if text is None:
        raise BundleError(
            f"the file holds no {MANIFEST}, so it is no bundle: give one that consent-auditor bundle made"
        )
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except msgspec.MsgspecError as error:
        raise BundleError(f"{MANIFEST} cannot be read ({error}): ask the sender for the file again") from error
    if manifest.format != FORMAT:
        raise BundleError(f"{MANIFEST} is of another format: give a file that consent-auditor bundle made")
    if manifest.version > VERSION:
        raise BundleError(f"the bundle is of version {manifest.version}: install a newer consent-auditor to check it")
    return manifest


def _damage(manifest: Manifest, members: Mapping[str, bytes]) -> list[str]:
    listed = {file.path: file for file in manifest.files}
    found = [f"{path} is missing" for path in listed if path not in members]
    found += [f"{path} is not in the manifest" for path in members if path not in listed and path != MANIFEST]
    for path, file in listed.items():
        if path in members and hashlib.sha256(members[path]).hexdigest() != file.sha256:
            found.append(f"{path} was changed: its SHA-256 is not the one of the manifest")
    return found


def _differences(manifest: Manifest, members: Mapping[str, bytes]) -> list[str]:
    """Where the same rules, applied again by this program, say something else than the report."""
    before = msgspec.json.decode(members[REPORT], type=Report)
    snapshot = loads(members[SNAPSHOT], SNAPSHOT)
    with tempfile.TemporaryDirectory(prefix="consent-auditor-") as folder:
        for path, data in members.items():
            if path.startswith("packs/"):
                target = Path(folder, PurePosixPath(path).name)
                target.write_bytes(data)
        names = [str(Path(folder, PurePosixPath(pack.file).name)) for pack in manifest.packs]
        # Shipped packs of another version, or forged ones, are judged and told apart by their digest below.
        packs = load_packs(names, any_name=True)
    digests = {pack.name: pack.digest for pack in packs}
    found = [
        f"the rules of {pack.name} extend others that are not those of this installation"
        for pack in manifest.packs
        if digests.get(pack.name) != pack.digest
    ]
    again = assemble(snapshot, packs, user=manifest.user)
    return [*found, *_other_answers(before, again), *_other_outcomes(before, again)]


def _other_answers(before: Report, again: Report) -> list[str]:
    if len(before.decisions) != len(again.decisions):
        return [f"the report holds {len(before.decisions)} answers, and there are {len(again.decisions)}"]
    return [
        f"{old.app.name or old.app.client_id}: {old.outcome.value} for {old.subject} in the report,"
        f" now {new.outcome.value}"
        for old, new in zip(before.decisions, again.decisions, strict=True)
        if (old.outcome, old.confidence) != (new.outcome, new.confidence)
    ]


def _other_outcomes(before: Report, again: Report) -> list[str]:
    now = {finding.fingerprint: finding.outcome for finding in again.findings}
    found = []
    for one in before.findings:
        # A waived finding is one that fails: waivers do not travel with a bundle.
        was = FindingOutcome.FAIL if one.outcome is FindingOutcome.WAIVED else one.outcome
        if (outcome := now.get(one.fingerprint)) is not was:
            found.append(f"{one.rule}: {was.value} in the report, now {outcome.value if outcome else 'not judged'}")
    return found
