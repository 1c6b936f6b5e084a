"""Pack a bundle, one zip for a ticket: the reports, the snapshot, the rules, and a manifest with their checksums.

The same inputs give the same bytes: members are sorted by name and have the same date, and every byte of the zip around
them is determined here rather than by the Python version. Only the compression depends on the library, which the
manifest names. ``bundle verify`` therefore packs a bundle again and compares all bytes.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from auditor.jobs.audit import evaluate, pack_texts, prepare, read_source
from auditor.jobs.audit_request import SILENT, AuditRequest, Interaction
from auditor.jobs.pack_selection import text_for_app
from auditor.model.errors import AuditorError
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot, Tenant
from auditor.packs.load import names_variant
from auditor.packs.pack_texts import PackText, in_one_folder
from auditor.render import FormatUnavailable, render
from auditor.render.message import render as render_message
from auditor.render.text import render_ticket
from auditor.snapshot.write import dumps

FORMAT = "consent-auditor/bundle"
VERSION = 1
MANIFEST = "manifest.json"
SNAPSHOT, REPORT, PASTE, README = "snapshot.json", "report.json", "paste.txt", "README.txt"
MESSAGE = "message.txt"
REPORTS = {"json": REPORT, "html": "report.html", "pdf": "report.pdf"}
"""The member of each format. The PDF is left out if it can't be rendered."""

NOT_REBUILT = frozenset({"report.pdf"})
"""The members whose bytes depend on the machine that wrote them (fonts), so that nobody else can write them again."""

MOST_BYTES = 100 << 20
"""The most bytes in one member: ``bundle verify`` doesn't read more, so ``bundle`` doesn't write more."""
MOST_TOGETHER = 3 * MOST_BYTES
"""The most bytes in all members together, so that a small file can't fill the memory."""
MOST_MEMBERS = 200

ZLIB = f"zlib {zlib.ZLIB_RUNTIME_VERSION}"
"""The library that compresses: another one, such as zlib-ng, gives other bytes for the same content."""

_PLAIN_WORD = re.compile(r"[\w.@/+-]+")


class BundleError(AuditorError):
    """A bundle can't be packed, or a file isn't a bundle that can be verified.

    The message is `why`, a colon and `todo`: what to do.
    """

    def __init__(self, why: str, todo: str) -> None:
        super().__init__(f"{why}: {todo}")
        self.why, self.todo = why, todo


class NotABundle(BundleError):
    """The file is a zip of something else."""


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


class BundleManifest(msgspec.Struct, frozen=True, kw_only=True):
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
    compressed_with: str = ""
    """The library and its version; empty in bundles of versions that didn't say."""


def bundle_for(request: AuditRequest, interaction: Interaction = SILENT) -> tuple[bytes, BundleManifest]:
    """Evaluate the tenant of the request and pack the bundle. Raises what `audit` raises, and BundleError."""
    prepared = prepare(request, interaction)
    # A variant of an app has no separate file that a reader of the bundle could evaluate.
    texts = [
        text_for_app(text.pack.app) if names_variant(text.pack.name) and text.pack.app is not None else text
        for text in pack_texts(prepared)
    ]
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
) -> tuple[bytes, BundleManifest]:
    """The bundle's bytes and its manifest. `report` must be the report on `snapshot` by `packs`.

    Nothing is redacted here: to leave out names, redact the snapshot and the packs before the report is built. Raises
    BundleError if there are more or larger members than ``bundle verify`` reads.
    """
    reports: dict[str, bytes] = {}
    left_out: list[str] = []
    for name, member in REPORTS.items():
        try:
            reports[member] = render(report, name)
        except FormatUnavailable as why:
            left_out.append(f"{member}: {why}")
    members, manifest = members_of(
        report, snapshot, packs, redacted=redacted, user=user, reports=reports, left_out=left_out
    )
    _refuse_large(members)
    return zipped(members), manifest


def rebuilt(
    report: Report, snapshot: Snapshot, packs: Iterable[PackText], given: Mapping[str, bytes], manifest: BundleManifest
) -> tuple[dict[str, bytes], BundleManifest]:
    """The members and the manifest that `bundle` writes, except `NOT_REBUILT`: these are taken from a `given` bundle.

    Which of those it lacks, why, and what compressed it, is taken from its manifest.
    """
    reports = {
        member: given[member] if member in NOT_REBUILT else render(report, name)
        for name, member in REPORTS.items()
        if member not in NOT_REBUILT or member in given
    }
    return members_of(
        report,
        snapshot,
        packs,
        redacted=manifest.redacted,
        user=manifest.user,
        reports=reports,
        left_out=manifest.left_out,
        compressed_with=manifest.compressed_with,
    )


def members_of(
    report: Report,
    snapshot: Snapshot,
    packs: Iterable[PackText],
    *,
    redacted: bool,
    user: str,
    reports: Mapping[str, bytes],
    left_out: Iterable[str],
    compressed_with: str = ZLIB,
) -> tuple[dict[str, bytes], BundleManifest]:
    """All members by path, and the manifest, which is one of them. `reports` are the rendered reports by path."""
    texts = tuple(packs)
    members: dict[str, bytes] = {SNAPSHOT: dumps(snapshot), **reports}
    for text in texts:
        for file in text.files:
            if members.setdefault(f"packs/{file.name}", file.text) != file.text:
                raise ValueError(
                    f"two packs have the file name {file.name}: auditor.packs.pack_texts makes names unique"
                )
    members[PASTE] = render_ticket(report).encode()
    members[MESSAGE] = render_message(report).encode()
    members[README] = readme(report, tuple(map(_member_of, texts)), redacted, user).encode()
    manifest = BundleManifest(
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
        compressed_with=compressed_with,
    )
    members[MANIFEST] = _json(manifest)
    return members, manifest


def _refuse_large(members: Mapping[str, bytes]) -> None:
    """Raise BundleError for a bundle that ``bundle verify`` would refuse to read."""
    for path, data in members.items():
        if len(data) > MOST_BYTES:
            raise BundleError(f"{path} would be larger than {MOST_BYTES >> 20} MiB", "read less of the tenant")
    if sum(map(len, members.values())) > MOST_TOGETHER:
        why = f"the files would be larger than {MOST_TOGETHER >> 20} MiB together"
        raise BundleError(why, "read less of the tenant")
    if len(members) > MOST_MEMBERS:
        raise BundleError(f"there would be more than {MOST_MEMBERS} files", "give fewer packs")


def _member_of(text: PackText) -> str:
    return f"packs/{text.files[0].name}"


def _quoted(word: str) -> str:
    """The word, quoted if a shell would split it."""
    return word if _PLAIN_WORD.fullmatch(word) else f'"{word}"'


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"


def deflated(_: str, data: bytes) -> bytes:
    """The content of a member as it is compressed in a bundle."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
_DATE = 1 << 5 | 1
"""The first date that a zip can have, 1980-01-01, as it is written."""
_MADE_BY, _NEEDED, _FLAGS = 3 << 8 | 20, 20, 0
"""By version 2.0 of the format on Unix, so that the permissions count; no encryption, sizes in front of the data."""
_OWNER_READS = 0o100600 << 16


def zipped(members: Mapping[str, bytes], compress: Callable[[str, bytes], bytes] = deflated) -> bytes:
    """The zip with these members, by name. The names are ASCII, and `MOST_TOGETHER` rules out zip64.

    Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (central directory) and 4.3.16 (its end).
    """
    files = bytearray()
    directory = bytearray()
    for path, data in sorted(members.items()):
        name, packed = path.encode("ascii"), compress(path, data)
        sizes = (zlib.crc32(data), len(packed), len(data), len(name), 0)
        head = (_NEEDED, _FLAGS, zlib.DEFLATED, 0, _DATE)
        directory += _CENTRAL.pack(b"PK\1\2", _MADE_BY, *head, *sizes, 0, 0, 0, _OWNER_READS, len(files)) + name
        files += _LOCAL.pack(b"PK\3\4", *head, *sizes) + name + packed
    end = _END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(directory), len(files), 0)
    return bytes(files + directory + end)


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
        f"{MESSAGE}    a message to send to the person who must act\n"
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
