"""One file for a ticket: reports, the snapshot that they rest on, the rules, and a manifest with the sum of each.

The same inputs give the same bytes: members are in the order of their names, with one date for all.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from auditor.jobs.audit import judge, pack_texts, prepare, read_source
from auditor.jobs.audit_request import SILENT, AuditRequest, Interaction
from auditor.jobs.pack_selection import text_for_app
from auditor.model.errors import AuditorError
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot, Tenant
from auditor.packs.pack_texts import PackText, in_one_folder
from auditor.render import FormatUnavailable, render
from auditor.render.text import render_ticket
from auditor.snapshot.write import dumps

FORMAT = "consent-auditor/bundle"
VERSION = 1
MANIFEST = "manifest.json"
SNAPSHOT, REPORT, PASTE, README = "snapshot.json", "report.json", "paste.txt", "README.txt"
REPORTS = {"json": REPORT, "html": "report.html", "pdf": "report.pdf"}
"""The formats of a bundle; the PDF is left out where it cannot be made."""

MOST_BYTES = 100 << 20
"""Of one member: more is not checked, and so not made."""

_PLAIN_WORD = re.compile(r"[\w.@/+-]+")
_DATE = (1980, 1, 1, 0, 0, 0)
_OWNER_READS = 0o100600 << 16


class BundleError(AuditorError):
    """A bundle can't be made, or the file isn't one that can be checked; the message ends with what to do."""


class BundledPack(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules were applied, and the member that holds their text."""

    name: str
    version: str
    digest: str
    file: str


class BundledFile(msgspec.Struct, frozen=True, kw_only=True):
    """A member, its size in bytes and its SHA-256."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself. `user` is who was decided for beside the ordinary member."""

    format: str = FORMAT
    version: int = VERSION
    tool: str = ""
    taken: str = ""
    tenant: Tenant
    redacted: bool
    user: str = ""
    packs: tuple[BundledPack, ...] = ()
    files: tuple[BundledFile, ...] = ()
    left_out: tuple[str, ...] = ()
    """Why a report is missing, for a reader who looks for it."""


def bundle_for(request: AuditRequest, interaction: Interaction = SILENT) -> tuple[bytes, Manifest]:
    """Judge the tenant of the request and pack the bundle of it. Raises what `audit` raises, and BundleError."""
    prepared = prepare(request, interaction)
    texts = pack_texts(prepared)
    if request.app is not None:
        texts.append(text_for_app(request.app))
    snapshot, source = read_source(request, [text.pack for text in texts], interaction)
    if request.redaction is None:
        texts = in_one_folder(texts)
    prepared = msgspec.structs.replace(prepared, packs=tuple(text.pack for text in texts), texts=tuple(texts))
    audited = judge(prepared, snapshot, source, interaction)
    return bundle(
        audited.report,
        audited.snapshot,
        audited.texts or texts,
        redacted=request.redaction is not None,
        user=audited.user,
    )


def bundle(
    report: Report, snapshot: Snapshot, packs: Iterable[PackText], *, redacted: bool, user: str = ""
) -> tuple[bytes, Manifest]:
    """The bundle's bytes, and its manifest. `report` must be on `snapshot` by `packs`.

    Neither is changed: to leave names out, redact the snapshot before it is judged. Raises BundleError where a file
    would be larger than what can be checked.
    """
    texts = tuple(packs)
    members: dict[str, bytes] = {SNAPSHOT: dumps(snapshot)}
    left_out: list[str] = []
    for name, member in REPORTS.items():
        try:
            members[member] = render(report, name)
        except FormatUnavailable as why:
            left_out.append(f"{member}: {why}")
    for text in texts:
        for file in text.files:
            if members.setdefault(f"packs/{file.name}", file.text) != file.text:
                raise ValueError(f"two packs are kept as {file.name}: lay them out first (auditor.packs.pack_texts)")
    members[PASTE] = render_ticket(report).encode()
    for path, data in members.items():
        if len(data) > MOST_BYTES:
            raise BundleError(f"{path} would be larger than {MOST_BYTES >> 20} MiB: read less of the tenant for it")
    members[README] = readme(report, tuple(map(_member_of, texts)), redacted, user).encode()
    manifest = Manifest(
        tool=report.tool,
        taken=report.taken,
        tenant=report.tenant,
        redacted=redacted,
        user=user,
        packs=tuple(
            BundledPack(name=t.pack.name, version=t.pack.version, digest=t.pack.digest, file=_member_of(t))
            for t in texts
        ),
        files=tuple(
            BundledFile(path=path, size=len(data), sha256=hashlib.sha256(data).hexdigest())
            for path, data in sorted(members.items())
        ),
        left_out=tuple(left_out),
    )
    members[MANIFEST] = _json(manifest)
    return _zipped(members), manifest


def _member_of(text: PackText) -> str:
    return f"packs/{text.files[0].name}"


def _quoted(word: str) -> str:
    """The word as a shell takes it for one."""
    return word if _PLAIN_WORD.fullmatch(word) else f'"{word}"'


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def _zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path, data in sorted(members.items()):
            member = zipfile.ZipInfo(path, _DATE)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = _OWNER_READS
            member.create_system = 3
            archive.writestr(member, data)
    return out.getvalue()


def readme(report: Report, packs: Iterable[str], redacted: bool, user: str) -> str:
    """What is in the bundle and what to do with it, for somebody who has only this file.

    `packs` are the members with the packs' texts.
    """
    names = (
        "Names of the tenant, of its people and of its objects are tokens. Whoever made the bundle can look them up\n"
        "with the key that stays with them; nobody else can.\n"
        if redacted
        else "Nothing was redacted: the snapshot holds names of people and objects of the tenant.\n"
    )
    options = [f"--pack {_quoted(pack)}" for pack in packs] + ([f"--user {_quoted(user)}"] if user else [])
    again = f"consent-auditor check --snapshot {SNAPSHOT} {' '.join(options)}"
    return (
        f"A consent audit by {report.tool}, to be attached to a ticket.\n\n"
        f"{PASTE}      a short text to paste into the ticket\n"
        "report.html    the report, to be read in a browser; report.pdf the same for printing, where it could be made\n"
        f"{REPORT}    the same for programs\n"
        f"{SNAPSHOT}  what was read of the tenant\n"
        "packs/         the rules that were applied\n"
        f"{MANIFEST}  the SHA-256 of every file\n\n"
        f"{names}\n"
        "To check that nothing was changed, and that the rules say the same again:\n\n"
        "  consent-auditor bundle verify BUNDLE.zip\n\n"
        f"To judge again, or by other rules, unpack it and run in its folder, with {report.tool}:\n\n"
        f"  {again}\n"
    )
