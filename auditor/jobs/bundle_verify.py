"""Verify a bundle from a ticket: it must be complete, and its report must follow from its snapshot and rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from auditor.jobs.bundle import PASTE, README, REPORT, SNAPSHOT, BundleError, Manifest, readme
from auditor.jobs.bundle_reader import damage, packs_of, read_bundle
from auditor.jobs.report_builder import UserNotRead, build_report
from auditor.model.report import Report
from auditor.model.rule import Pack
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
