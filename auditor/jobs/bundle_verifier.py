"""Verify a bundle: write it again from its snapshot and its rules, and compare every byte.

A checksum only shows that a file is the one in the manifest, and a forger can write a new manifest. So everything in a
bundle that follows from something else in it is computed again: the canonical form of the snapshot, the report, its
texts, the manifest and the zip. What remains are the facts: the snapshot, your own packs, the user, the name of the
snapshot's file, and the PDF (`bundle_writer.NOT_REBUILT`).

Only the version that wrote a bundle can do this. For another release whose packs are known (``releases.json``), its
packs, decisions and findings are compared; for any other version nothing is claimed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import NamedTuple

import msgspec

from auditor.jobs.bundle_reader import PACKS, damage, packs_of, read_bundle
from auditor.jobs.bundle_writer import (
    MANIFEST,
    NOT_REBUILT,
    REPORT,
    REPORTS,
    SNAPSHOT,
    ZLIB,
    BundleError,
    BundleManifest,
    rebuilt,
)
from auditor.jobs.byte_differences import first_difference, zip_difference
from auditor.jobs.report_builder import UserNotRead, build_report
from auditor.model.report import Report
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot
from auditor.packs import PackError
from auditor.packs.pack_texts import PackText, in_one_folder, shipped_digests, shipped_text
from auditor.redact.tokens import KEY_BYTES, is_token
from auditor.snapshot import SnapshotError
from auditor.snapshot.read import loads
from auditor.snapshot.samples import sample_names

_PDF = "report.pdf"
_SAMPLE = re.compile(r"sample ([a-z0-9-]{1,60}) \(bundled, no real tenant\)")
_SOURCE = re.compile(r"live, redacted|snapshot, redacted")
_PLAIN_SOURCE = re.compile(r"(?s)live, read through Microsoft Graph|snapshot .+")
_TOOL = re.compile(r"consent-auditor (\d[\w.+-]{0,40})")
_ZLIB = re.compile(r"zlib [\w.+-]{1,40}")
_MOST_NAMES = 5
"""How many fields with names are listed."""


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a verification.

    `problems` are damaged, missing and extra files. `differences` are places where the bundle isn't what the program
    writes for its snapshot and rules. `notes` say what was not compared. `not_evaluated` says why the rules were not
    evaluated again, if they weren't; `not_verifiable` says why this version can't verify the bundle, and what can.
    """

    manifest: BundleManifest
    problems: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    not_evaluated: str = ""
    not_verifiable: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the files are exactly those that the manifest lists."""
        return not self.problems


def verify(data: bytes, tool: str) -> Verification:
    """Compare every member with the manifest, then write the bundle again from its snapshot and rules and compare it.

    `tool` is this program and its version. Raises BundleError.
    """
    manifest, members = read_bundle(data)
    if problems := tuple(damage(manifest, members)):
        return Verification(manifest=manifest, problems=problems, not_evaluated="the bundle is damaged or changed")
    made_by = _TOOL.fullmatch(manifest.tool)
    if made_by is None:
        return Verification(
            manifest=manifest,
            differences=("the manifest doesn't say which version of this program made it",),
            not_evaluated="its version isn't known",
        )
    release = shipped_digests(made_by[1])
    if manifest.tool != tool and release is None:
        return Verification(
            manifest=manifest,
            not_evaluated="this version doesn't know the packs of that version",
            not_verifiable=_other_version(manifest, tool),
        )
    before = _report(members)
    try:
        found = _Reevaluation.of(manifest, members, before)
    except (SnapshotError, PackError, UserNotRead) as error:
        return _not_evaluated(manifest, error)
    is_ours = manifest.tool == tool
    other_packs = tuple(_shipped_differences(members, release, manifest.tool, is_ours=is_ours))
    descriptions = (*_description_differences(manifest, before, found.snapshot), *other_packs)
    packs = tuple(_pack_differences(manifest, found.packs))
    results = (*_decision_differences(before, found.report), *_finding_differences(before, found.report))
    if not is_ours:
        changed = _changed_here(packs, before, found)
        return _compared_with_release(manifest, tool, descriptions, changed, results)
    differences = (*descriptions, *packs, *results, *_report_differences(manifest, members))
    if other_packs:  # what the bundle contains isn't what it says, so there is nothing to write again
        return Verification(manifest=manifest, differences=differences)
    return _written_again(data, manifest, members, found, differences)


def _not_evaluated(manifest: BundleManifest, error: Exception) -> Verification:
    """What it means that the report can't be built again. No version writes a report about a user who wasn't read."""
    is_about_nobody = isinstance(error, UserNotRead)
    differences = ("the report is about a user who isn't in the snapshot",) if is_about_nobody else ()
    return Verification(manifest=manifest, differences=differences, not_evaluated=str(error))


def _compared_with_release(
    manifest: BundleManifest, tool: str, descriptions: tuple[str, ...], changed: str, results: tuple[str, ...]
) -> Verification:
    """What this version can say about a bundle of another release; `changed` says why it may judge differently."""
    elsewhere = _other_version(manifest, tool)
    if changed:
        return Verification(
            manifest=manifest, differences=descriptions, not_evaluated=changed, not_verifiable=elsewhere
        )
    return Verification(
        manifest=manifest,
        differences=(*descriptions, *results),
        notes=(
            f"it was made by {manifest.tool}, and this is {tool}: decisions and findings were compared, but not the"
            " texts of the reports. To compare these as well, verify it with that version",
        ),
        not_verifiable=elsewhere,
    )


def _changed_here(packs: tuple[str, ...], before: Report, found: _Reevaluation) -> str:
    """What a bundle's results rest on that isn't in the bundle and that this version has changed; empty for nothing."""
    if packs:
        return "this version has changed a pack that one of its packs extends"
    from auditor.checks.abused_apps import NoAbusedApps
    from auditor.checks.kind import with_inner

    checks = (one for pack in found.packs for rule in pack.rules for one in with_inner(rule.check))
    lists = [[one.digest for one in report.abused_apps] for report in (before, found.report)]
    if lists[0] != lists[1] and any(isinstance(one, NoAbusedApps) for one in checks):
        return "this version has another list of known abused apps"
    return ""


def _written_again(
    data: bytes,
    manifest: BundleManifest,
    members: Mapping[str, bytes],
    found: _Reevaluation,
    explained: tuple[str, ...],
) -> Verification:
    """Compare the bundle with the one that this program writes; differences that are `explained` come first."""
    notes = list(_not_compared(manifest, members, found))
    differences = [*explained, *(_names_left(manifest, found) if manifest.redacted else _own_pack_differences(found))]
    expected, _ = rebuilt(found.report, found.snapshot, found.texts, members, manifest)
    differences += _member_differences(expected, members, is_explained=bool(differences))
    if not differences and (zipped := zip_difference(data, expected)):
        if zipped.only_compression and manifest.compressed_with != ZLIB:
            notes.append(
                f"it was compressed with {manifest.compressed_with}, and this machine has {ZLIB}: the content of every"
                " file was compared, but not how it is compressed"
            )
        else:
            differences.append(zipped.text)
    return Verification(manifest=manifest, differences=tuple(differences), notes=tuple(notes))


class _Reevaluation(NamedTuple):
    """The report on the bundle's snapshot by the bundle's rules, built again."""

    snapshot: Snapshot
    report: Report
    texts: tuple[PackText, ...]

    @classmethod
    def of(cls, manifest: BundleManifest, members: Mapping[str, bytes], before: Report) -> _Reevaluation:
        snapshot = loads(members[SNAPSHOT], SNAPSHOT)
        texts = packs_of(manifest, members)
        packs = [text.pack for text in texts]
        report = build_report(snapshot, packs, user=manifest.user, source=before.source, tool=manifest.tool)
        return cls(snapshot, report, texts)

    @property
    def packs(self) -> tuple[Pack, ...]:
        return tuple(text.pack for text in self.texts)

    @property
    def own_files(self) -> tuple[str, ...]:
        """The members with packs that no version ships."""
        files = (file for text in self.texts for file in text.files if not file.shipped)
        return tuple(dict.fromkeys(f"{PACKS}{file.name}" for file in files))


def _other_version(manifest: BundleManifest, tool: str) -> str:
    version = manifest.tool.partition(" ")[2]
    return (
        f"it was made by {manifest.tool}, and this is {tool}. Only {manifest.tool} can write it again and compare every"
        f" byte. Get the source code of version {version} where you got this program, run"
        f" 'pipx install --suffix=-{version} .' in its folder, then verify the file with consent-auditor-{version}"
    )


def _report(members: Mapping[str, bytes]) -> Report:
    """The bundle's report. Raises BundleError if the report or the snapshot isn't valid JSON."""
    try:
        name = SNAPSHOT
        msgspec.json.decode(members[SNAPSHOT])
        name = REPORT
        return msgspec.json.decode(members[REPORT], type=Report)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BundleError(f"{name} can't be read ({error})", "ask the sender for the file again") from error


def _description_differences(manifest: BundleManifest, before: Report, snapshot: Snapshot) -> Iterator[str]:
    """Where the manifest's and the report's descriptions of the snapshot differ from the snapshot."""
    for what, in_manifest, in_report, actual in (
        ("tenant", manifest.tenant, before.tenant, snapshot.tenant),
        ("time", manifest.taken, before.taken, snapshot.taken),
    ):
        if in_manifest != actual:
            yield f"the manifest names another {what} than the snapshot"
        if in_report != actual:
            yield f"the report names another {what} than the snapshot"
    if manifest.redacted and not (is_token(snapshot.tenant.id) or not snapshot.tenant.id):
        yield "the manifest says that names were redacted, but the snapshot contains the tenant's id"
    if not _is_source(before.source, manifest.redacted):
        yield "the report's text about where the snapshot came from isn't one that this program writes"


def _is_source(source: str, redacted: bool) -> bool:
    """Whether a report can say that the snapshot came from there."""
    if found := _SAMPLE.fullmatch(source):
        return found[1] in sample_names()
    return not source or (_SOURCE if redacted else _PLAIN_SOURCE).fullmatch(source) is not None


def _shipped_differences(
    members: Mapping[str, bytes], release: Mapping[str, str] | None, tool: str, *, is_ours: bool
) -> Iterator[str]:
    """The members that have the name of a shipped pack and aren't the one that the version ships.

    `release` contains the digests of that version, if it was released; without them, it is this one.
    """
    for path, data in members.items():
        name = path.removeprefix(PACKS).removesuffix(".yaml")
        if path != f"{PACKS}{name}.yaml":
            continue
        here = shipped_text(f"{name}.yaml")
        digest = release.get(name) if release is not None else here and hashlib.sha256(here).hexdigest()
        if digest and hashlib.sha256(data).hexdigest() != digest:
            where = f" {first_difference(data, here)}" if here is not None and is_ours else ""
            yield f"{path} isn't the pack that {tool} ships, so these aren't its rules.{where}"
        elif digest and is_ours and data != here:
            yield f"{path} is the pack that {tool} ships, but this installation has another one: install it again"


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


def _pack_differences(manifest: BundleManifest, packs: tuple[Pack, ...]) -> Iterator[str]:
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


def _report_differences(manifest: BundleManifest, members: Mapping[str, bytes]) -> Iterator[str]:
    """Reports that are missing without one of the program's reasons, and a PDF that isn't one."""
    from auditor.render.pdf import is_reason

    reasons = {why.partition(": ")[0]: why.partition(": ")[2] for why in manifest.left_out}
    for member in NOT_REBUILT.intersection(REPORTS.values()):
        if member not in members and member not in reasons:
            yield f"{member} isn't in the bundle, and the manifest doesn't say why"
        elif member in members and member in reasons:
            yield f"{member} is in the bundle, but the manifest says why it isn't"
        elif member in members and not members[member].startswith(b"%PDF-"):
            yield f"{member} isn't a PDF: don't open it"
    if len(reasons) < len(manifest.left_out) or any(
        member not in NOT_REBUILT or not is_reason(why) for member, why in reasons.items()
    ):
        yield "the manifest has a reason for a missing report that this program doesn't give"
    if not _ZLIB.fullmatch(manifest.compressed_with):
        yield "the manifest doesn't say what compressed the bundle"


def _names_left(manifest: BundleManifest, found: _Reevaluation) -> Iterator[str]:
    """The places with a name that redaction would have replaced.

    Tokens stay when a snapshot is redacted again, with any key, so whatever changes then is a name that is left.
    """
    from auditor.jobs.pack_selection import apps_of
    from auditor.jobs.redaction import UnredactableName, published_apps, redacted_packs
    from auditor.redact.redactor import Redactor, unredacted_fields

    says = "the manifest says that names were redacted, but"
    redactor = Redactor(bytes(KEY_BYTES), found.snapshot, apps_of(found.packs), published_apps(found.texts))
    left = unredacted_fields(found.snapshot, redactor.snapshot)
    yield from (f"{says} {field}" for field in islice(left, _MOST_NAMES))
    if more := sum(1 for _ in left):
        yield f"{says} {more} more fields aren't redacted either"
    if redactor.part(manifest.user) != manifest.user:
        yield f"{says} the manifest names a user"
    if not found.own_files:
        return
    try:
        again = redacted_packs(found.texts, redactor)
    except (PackError, UnredactableName) as error:
        yield f"{says} a pack isn't: {error}"
        return
    yield from (f"{says} {one}" for one in _file_differences(found.texts, again, "isn't as redaction writes it"))


def _own_pack_differences(found: _Reevaluation) -> Iterator[str]:
    """Your own packs whose names or references to each other aren't those that a bundle gives them."""
    if found.own_files:
        try:
            again = in_one_folder(found.texts)
        except PackError as error:
            yield f"a pack can't be put into a bundle: {error}"
            return
        yield from _file_differences(found.texts, again, "isn't as a bundle contains it")


def _file_differences(texts: tuple[PackText, ...], again: list[PackText], what: str) -> Iterator[str]:
    for old, new in zip(texts, again, strict=True):
        if [file.name for file in old.files] != [file.name for file in new.files]:
            names = ", ".join(file.name for file in new.files)
            yield f"{PACKS}{old.files[0].name} {what}: its files would be {names}"
            continue
        for one, two in zip(old.files, new.files, strict=True):
            if one.text != two.text:
                yield f"{PACKS}{one.name} {what}. {first_difference(one.text, two.text)}"


_MEANING = {
    REPORT: "has texts that don't follow from the snapshot and the rules",
    SNAPSHOT: "isn't in the form in which this program writes it, so something else wrote it",
    MANIFEST: "isn't the one that this program writes for these files",
}
"""What a difference in a member means."""


def _member_differences(
    expected: Mapping[str, bytes], members: Mapping[str, bytes], *, is_explained: bool
) -> Iterator[str]:
    """The members that differ from what this program, which made them, writes now.

    If other differences explain why the JSON report or the manifest differs, it isn't reported again.
    """
    found = False
    for name in sorted(expected.keys() | members.keys()):
        if name == MANIFEST or (is_explained and name == REPORT) or expected.get(name) == members.get(name):
            continue
        found = True
        if name not in members:
            yield f"{name} isn't in the bundle, and the manifest doesn't say why"
        elif name in expected:
            meaning = _MEANING.get(name, "differs from what the snapshot and the rules give")
            yield f"{name} {meaning}. {first_difference(members[name], expected[name])}"
        elif name.startswith(PACKS):
            yield f"{name} isn't used by any pack of the bundle"
        else:
            yield f"{name} isn't in a bundle of this version"
    if not found and not is_explained and members[MANIFEST] != expected[MANIFEST]:
        yield f"{MANIFEST} {_MEANING[MANIFEST]}. {first_difference(members[MANIFEST], expected[MANIFEST])}"


def _not_compared(manifest: BundleManifest, members: Mapping[str, bytes], found: _Reevaluation) -> Iterator[str]:
    """What nobody can compute again."""
    if _PDF in members:
        yield (
            f"{_PDF} wasn't written again, because its bytes depend on the machine's fonts: only its checksum was"
            " compared, which a forger can change, too. Rely on report.html instead"
        )
    if manifest.redacted and found.own_files:
        yield (
            f"{', '.join(found.own_files)} is the sender's own text. Names in it that aren't in the snapshot can't be"
            " recognized here"
        )
