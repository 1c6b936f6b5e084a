"""Read earlier reports for ``--trend``, and select those that can be compared with a new report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.input_files import input_bytes
from auditor.model.difference import SinceLast
from auditor.model.document import parse_time
from auditor.model.errors import AuditorError
from auditor.model.report import FORMAT, PackRef, Report, Summary
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Tenant

_MOST = 512 * 1024 * 1024
"""In bytes, more than any report: a device has no end."""


class NotAReport(AuditorError):
    """A named file isn't a JSON report; the message says what to name instead."""


class EarlierFinding(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a finding that a trend uses."""

    fingerprint: str
    outcome: str


class EarlierReport(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a report that a trend uses, and its file."""

    format: str
    tenant: Tenant
    summary: Summary
    taken: str = ""
    packs: tuple[PackRef, ...] = ()
    findings: tuple[EarlierFinding, ...] = ()
    file: str = ""


class EarlierRuns(NamedTuple):
    """The time and the counts of each earlier run, oldest first, and how many reports can't be compared.

    `since_last` is what changed since the newest of these reports, none if there is none.
    """

    runs: tuple[tuple[str, Summary], ...]
    left_out: int
    since_last: SinceLast | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """Messages about the comparison, one sentence each."""
        found = []
        if self.left_out:
            reports = "report" if self.left_out == 1 else "reports"
            found.append(f"{self.left_out} {reports} left out, because the tenant or the packs are different.")
        if not self.runs:
            found.append("there is no earlier report to compare with, so no trend is shown.")
        return tuple(found)


def earlier_reports(places: Iterable[str | os.PathLike[str]]) -> tuple[EarlierReport, ...]:
    """The JSON reports in files and folders. Other files in a folder are skipped; a named file must be a report.

    A folder can be empty, and missing if its path ends with a slash: on the first night there is no report yet.
    Raises NotAReport, and OSError for a file that can't be read.
    """
    return tuple(report for place in places for report in _in_place(os.fspath(place)))


def _in_place(name: str) -> Iterator[EarlierReport]:
    place = Path(name)
    if name.endswith(("/", os.sep)) and not place.exists():
        return
    if not place.is_dir():
        report = _decoded(place)
        if report is None:
            raise NotAReport(f"{place} isn't a JSON report of consent-auditor: name a file written with -f json")
        yield report
        return
    files = (file for file in sorted(place.rglob("*.json")) if file.is_file())
    yield from (report for file in files if (report := _decoded(file)) is not None)


def _decoded(file: Path) -> EarlierReport | None:
    try:
        report = msgspec.json.decode(input_bytes(file, _MOST), type=EarlierReport)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.structs.replace(report, file=str(file)) if report.format == FORMAT else None


def history_of(report: Report, earlier: Sequence[EarlierReport]) -> EarlierRuns:
    """The earlier runs that can be compared with `report`: on the same tenant, by packs with the same names.

    Reports on a tenant read at the same time count once. One that was read later than `report` doesn't count.
    """
    mine = [one for one in earlier if _key(one.tenant, one.packs) == _key(report.tenant, report.packs)]
    now = parse_time(report.taken)
    runs: dict[datetime, EarlierReport] = {}
    for one in mine:
        at = parse_time(one.taken)
        if at is not None and now is not None and at < now:
            runs[at] = one
    ordered = [runs[at] for at in sorted(runs)]
    counts = tuple((one.taken, one.summary) for one in ordered)
    return EarlierRuns(counts, len(earlier) - len(mine), _since_last(report, ordered))


def _since_last(report: Report, earlier: Sequence[EarlierReport]) -> SinceLast | None:
    """What changed since the newest of the reports, which are the oldest first, and since when each rule fails."""
    last = _whole(earlier[-1].file) if earlier else None
    if last is None:
        return None
    from auditor.compare import comparable, compare

    failing = {one.fingerprint: report.taken for one in report.findings if one.outcome is FindingOutcome.FAIL}
    unbroken = set(failing)
    for one in reversed(earlier):
        failed = {found.fingerprint for found in one.findings if found.outcome == FindingOutcome.FAIL.value}
        unbroken &= failed
        failing.update(dict.fromkeys(unbroken, one.taken))
    return SinceLast(difference=compare(comparable(last), comparable(report)), failing_since=failing)


def _whole(file: str) -> Report | None:
    """The report in a file; none if it has gone meanwhile, or if another version wrote it in another form."""
    try:
        return msgspec.json.decode(Path(file).read_bytes(), type=Report)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _key(tenant: Tenant, packs: Iterable[PackRef]) -> tuple[str, frozenset[str]]:
    return tenant.id.lower(), frozenset(pack.name for pack in packs)
