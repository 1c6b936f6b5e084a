"""Pack a bundle, one zip for a ticket: the reports, the snapshot, the rules, and a manifest with their checksums.

The same inputs give the same bytes: members are sorted by name and have the same date.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from auditor.jobs.audit import evaluate, pack_texts, prepare, read_source
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
"""The member of each format. The PDF is left out if it can't be rendered."""

MOST_BYTES = 100 << 20
"""The most bytes in one member: ``bundle verify`` doesn't read more, so ``bundle`` doesn't write more."""

_PLAIN_WORD = re.compile(r"[\w.@/+-]+")
_DATE = (1980, 1, 1, 0, 0, 0)
_OWNER_READS = 0o100600 << 16


class BundleError(AuditorError):
    """A bundle can't be packed, or a file isn't a bundle that can be verified; the message ends with what to do."""


class BundledPack(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that was evaluated, and the member that contains its text."""

    name: str
    version: str
    digest: str
    file: str


class BundledFile(msgspec.Struct, frozen=True, kw_only=True):
    """A member with its size in bytes and its SHA-256."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The description of a bundle. `user` is the user whom the decisions are for in addition to the ordinary member."""

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
    """The reports that are missing, each with the reason."""


def bundle_for(request: AuditRequest, interaction: Interaction = SILENT) -> tuple[bytes, Manifest]:
    """Evaluate the tenant of the request and pack the bundle. Raises what `audit` raises, and BundleError."""
    prepared = prepare(request, interaction)
    texts = pack_texts(prepared)
    if request.app is not None:
        texts.append(text_for_app(request.app))
    snapshot, source = read_source(request, [text.pack for text in texts], interaction)
    if request.redaction is None:
        texts = in_one_folder(texts)
    prepared = msgspec.structs.replace(prepared, packs=tuple(text.pack for text in texts), texts=tuple(texts))
    result = evaluate(prepared, snapshot, source, interaction)
    return bundle(
        result.report,
        result.snapshot,
        result.texts or texts,
        redacted=request.redaction is not None,
        user=result.user,
    )


def bundle(
    report: Report, snapshot: Snapshot, packs: Iterable[PackText], *, redacted: bool, user: str = ""
) -> tuple[bytes, Manifest]:
    """The bundle's bytes and its manifest. `report` must be the report on `snapshot` by `packs`.

    Nothing is redacted here: to leave out names, redact the snapshot and the packs before the report is built. Raises
    BundleError if a member is too large to be verified.
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
                raise ValueError(
                    f"two packs have the file name {file.name}: auditor.packs.pack_texts makes names unique"
                )
    members[PASTE] = render_ticket(report).encode()
    for path, data in members.items():
        if len(data) > MOST_BYTES:
            raise BundleError(f"{path} would be larger than {MOST_BYTES >> 20} MiB: read less of the tenant")
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
    """The word, quoted if a shell would split it."""
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
    """The README of a bundle: what is in it and what to do with it. `packs` are the members with the packs."""
    names = (
        "Names of the tenant, its people and its objects are replaced with tokens. Only whoever has the\n"
        "redaction key, which isn't in this bundle, can look them up.\n"
        if redacted
        else "Nothing was redacted: the snapshot contains names of people and objects in the tenant.\n"
    )
    options = [f"--pack {_quoted(pack)}" for pack in packs] + ([f"--user {_quoted(user)}"] if user else [])
    again = f"consent-auditor check --snapshot {SNAPSHOT} {' '.join(options)}"
    return (
        f"A consent audit by {report.tool}, to attach to a ticket.\n\n"
        f"{PASTE}      a short text to paste into the ticket\n"
        "report.html    the report, to read in a browser\n"
        "report.pdf     the same report for printing, if the PDF could be rendered\n"
        f"{REPORT}    the same report for programs\n"
        f"{SNAPSHOT}  what was read in the tenant\n"
        "packs/         the rules that were evaluated\n"
        f"{MANIFEST}  the SHA-256 of every file\n\n"
        f"{names}\n"
        "To check that nothing was changed, and that the rules give the same results:\n\n"
        "  consent-auditor bundle verify BUNDLE.zip\n\n"
        f"To evaluate it again, also by other rules, unpack it and run this in its folder, with {report.tool}:\n\n"
        f"  {again}\n"
    )
