"""A bundle that came with a ticket: is it whole, and does what it says follow from its snapshot and its rules?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from auditor.jobs.assemble import UserNotRead, assemble
from auditor.jobs.bundle import PASTE, README, REPORT, SNAPSHOT, BundleError, Manifest, readme
from auditor.jobs.bundle_packs import other_digests, packs_in
from auditor.jobs.bundle_read import damage, opened
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot
from auditor.packs.pack_errors import PackError
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
        report = assemble(snapshot, packs, user=manifest.user, source=before.source, tool=manifest.tool)
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
