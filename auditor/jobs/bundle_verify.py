"""Verify a bundle that came with a ticket: is it whole, and does its report follow from its snapshot and its rules?"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec

from auditor.jobs.bundle import PASTE, README, REPORT, SNAPSHOT, BundleError, Manifest, readme
from auditor.jobs.bundle_reader import PACKS, damage, opened
from auditor.jobs.report_builder import UserNotRead, build_report
from auditor.model.report import Report
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot
from auditor.packs.find import load_packs
from auditor.packs.pack_errors import PackError, Problem
from auditor.packs.pack_texts import parent_named, shipped_text
from auditor.packs.sources import is_path
from auditor.redact.tokens import is_token
from auditor.render import FormatUnavailable, render
from auditor.render.text import render_ticket
from auditor.snapshot.read import loads
from auditor.snapshot.snapshot_errors import SnapshotError

HTML, PDF = "report.html", "report.pdf"
_SOURCE = re.compile(r"live, redacted|snapshot, redacted|sample [a-z0-9-]{1,60} \(bundled, no real tenant\)")
_TOOL = re.compile(r"consent-auditor \d[\w.+-]{0,40}")
_PLAIN_SOURCE = re.compile(r"live, read through Microsoft Graph|snapshot [^\n]{1,4096}")


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found. `problems` are damage; `differences` are where the bundle says what does not follow.

    `not_judged` says why the rules were not applied again, if they were not; `notes` are what was not compared.
    """

    manifest: Manifest
    problems: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_judged: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every file is the one that the manifest lists, and there is no other."""
        return not self.problems


def verify(data: bytes, tool: str) -> Verified:
    """Hold every member against the manifest, then judge the snapshot again and make the reports again.

    `tool` is this program. What another version made is held against the answers and the findings alone, for its
    words may have been others. Raises BundleError.
    """
    manifest, members = opened(data)
    problems = tuple(damage(manifest, members))
    if problems:
        return Verified(manifest=manifest, problems=problems, not_judged="the bundle is not whole")
    before = _report(members)
    try:
        found = _Again.of(manifest, members, before)
    except (SnapshotError, PackError, UserNotRead) as error:
        return Verified(manifest=manifest, not_judged=str(error))
    differences = [*_other_facts(manifest, before, found.snapshot), *found.other_rules]
    differences += [*_other_answers(before, found.report), *_other_outcomes(before, found.report)]
    if manifest.tool != tool:
        notes = [
            f"it was made by {manifest.tool}, and this is {tool}: the answers and the findings were compared, the texts"
            " of the reports were not; that version compares them, too"
        ]
    else:
        differences += _other_texts(manifest, members, found, explained=bool(differences))
        notes = list(_not_compared(members, found.report))
    return Verified(manifest=manifest, differences=tuple(differences), notes=tuple(notes))


class _Again(NamedTuple):
    """The bundle's snapshot judged again by the bundle's rules."""

    snapshot: Snapshot
    report: Report
    files: tuple[str, ...]
    """The members with the text of each pack, as the manifest orders them."""
    other_rules: tuple[str, ...]

    @classmethod
    def of(cls, manifest: Manifest, members: Mapping[str, bytes], before: Report) -> _Again:
        snapshot = loads(members[SNAPSHOT], SNAPSHOT)
        packs = packs_in(manifest, members)
        report = build_report(snapshot, packs, user=manifest.user, source=before.source, tool=manifest.tool)
        files = tuple(pack.file for pack in manifest.packs)
        return cls(snapshot, report, files, tuple(other_digests(manifest, packs)))


def _report(members: Mapping[str, bytes]) -> Report:
    """What the bundle says. A file that is no JSON is no part of a bundle."""
    try:
        name = SNAPSHOT
        msgspec.json.decode(members[SNAPSHOT])
        name = REPORT
        return msgspec.json.decode(members[REPORT], type=Report)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BundleError(f"{name} cannot be read ({error}): ask the sender for the file again") from error


def _other_facts(manifest: Manifest, before: Report, snapshot: Snapshot) -> Iterator[str]:
    """What the manifest and the report say of themselves, held against the snapshot."""
    for what, told, there in (
        ("tenant", manifest.tenant, before.tenant),
        ("time", manifest.taken, before.taken),
    ):
        real = snapshot.tenant if what == "tenant" else snapshot.taken
        if told != real:
            yield f"the manifest names another {what} than the snapshot"
        if there != real:
            yield f"the report names another {what} than the snapshot"
    if not _TOOL.fullmatch(manifest.tool):
        yield "the manifest does not say which version of this program made it"
    if manifest.redacted and not (is_token(snapshot.tenant.id) or not snapshot.tenant.id):
        yield "the manifest says that names were redacted, and the snapshot holds the tenant's own id"
    known = _SOURCE if manifest.redacted else re.compile(f"{_SOURCE.pattern}|{_PLAIN_SOURCE.pattern}")
    if before.source and not known.fullmatch(before.source):
        yield "the report says where the snapshot came from in words that are not this program's"


def _other_answers(before: Report, again: Report) -> Iterator[str]:
    if len(before.decisions) != len(again.decisions):
        yield f"the report holds {len(before.decisions)} answers, and there are {len(again.decisions)}"
        return
    for old, new in zip(before.decisions, again.decisions, strict=True):
        if (old.outcome, old.confidence) != (new.outcome, new.confidence):
            name = old.app.name or old.app.client_id
            yield f"{name}: {old.outcome.value} for {old.subject} in the report, now {new.outcome.value}"


def _other_outcomes(before: Report, again: Report) -> Iterator[str]:
    now = {(one.pack, one.rule): one for one in again.findings}
    for one in before.findings:
        new = now.pop((one.pack, one.rule), None)
        if new is None or new.outcome is not one.outcome:
            told = new.outcome.value if new is not None else "not judged"
            yield f"{one.rule}: {one.outcome.value} in the report, now {told}"
    for (_, rule), new in now.items():
        yield f"{rule}: not in the report, now {new.outcome.value}"


def _other_texts(manifest: Manifest, members: Mapping[str, bytes], found: _Again, *, explained: bool) -> Iterator[str]:
    """Files that this program, which made them, makes otherwise. The report is not told of twice."""
    if not explained and members[REPORT] != render(found.report, "json"):
        yield f"{REPORT} says in its texts what does not follow from the snapshot and the rules"
    made = {
        HTML: render(found.report, "html"),
        PASTE: render_ticket(found.report).encode(),
        README: readme(found.report, found.files, manifest.redacted, manifest.user).encode(),
    }
    for name, data in made.items():
        if name in members and members[name] != data:
            yield f"{name} says something else than the snapshot and the rules"
        if name not in members and not any(why.startswith(f"{name}:") for why in manifest.left_out):
            yield f"{name} is not in the bundle, and the manifest does not say why"


def _not_compared(members: Mapping[str, bytes], again: Report) -> Iterator[str]:
    """A PDF has other bytes where other fonts are, so that only being alike says something."""
    if PDF not in members:
        return
    try:
        alike = render(again, "pdf") == members[PDF]
    except FormatUnavailable:
        alike = False
    if not alike:
        yield (
            f"{PDF} could not be compared, for its bytes depend on the fonts of the machine: where it matters, read"
            f" {HTML}"
        )


replace = msgspec.structs.replace


def packs_in(manifest: Manifest, members: Mapping[str, bytes]) -> tuple[Pack, ...]:
    """The packs that the manifest names, in its order, with places as a report of the bundle has them.

    A copy of a shipped pack is the shipped pack. Raises BundleError for one that extends a file outside the bundle,
    and PackError for what is no pack.
    """
    texts = {path.removeprefix(PACKS): data for path, data in members.items() if path.startswith(PACKS)}
    for name, text in texts.items():
        _refuse_other_files(name, text, texts)
    with TemporaryDirectory(prefix="consent-auditor-") as folder:
        for name, text in texts.items():
            if name:
                Path(folder, name).write_bytes(text)
        named = [_name_of(pack.file.removeprefix(PACKS), texts, folder) for pack in manifest.packs]
        try:
            # Packs that another version shipped under the same name are judged, and told apart by their digest.
            packs = load_packs(named, any_name=True)
        except PackError as error:
            raise PackError(map(_without(f"{folder}{os.sep}"), error.problems)) from None
    return tuple(_placed(pack) for pack in packs)


def other_digests(manifest: Manifest, packs: tuple[Pack, ...]) -> Iterator[str]:
    """Packs that are not those, to the byte, that the manifest names, because of what they extend."""
    found = {pack.name: pack for pack in packs}
    for one in manifest.packs:
        pack = found.get(one.name)
        if pack is None:
            yield f"the bundle holds no pack {one.name}"
        elif pack.digest != one.digest:
            yield f"the rules of {one.name} extend others that are not those of this installation"
        elif pack.version != one.version:
            yield f"the pack {one.name} is of version {pack.version}, and the manifest says {one.version}"


def _refuse_other_files(name: str, text: bytes, texts: Mapping[str, bytes]) -> None:
    parent = parent_named(text)
    if parent.startswith("~") or (is_path(parent) and parent.removeprefix("./") not in texts):
        raise BundleError(f"{PACKS}{name} extends a file that is not in the bundle: do not use it, and ask the sender")


def _name_of(name: str, texts: Mapping[str, bytes], folder: str) -> str:
    """The shipped pack of that name where the member is a copy of it, else the file."""
    is_copy = shipped_text(name) == texts[name]
    return re.sub(r"\.yaml$", "", name) if is_copy else str(Path(folder, name))


def _without(folder: str) -> Callable[[Problem], Problem]:
    """The problem in words of the bundle, not of the folder for temporary files that it lay in."""
    return lambda problem: problem._replace(
        file=problem.file.replace(folder, PACKS), message=problem.message.replace(folder, PACKS)
    )


def _placed(pack: Pack) -> Pack:
    places = {
        rule: at if at.file.startswith("rules/") else replace(at, file=Path(at.file).name)
        for rule, at in pack.places.items()
    }
    return replace(pack, places=places)
