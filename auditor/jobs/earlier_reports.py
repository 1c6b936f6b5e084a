"""Earlier reports, as the history of a new one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.model.errors import AuditorError
from auditor.model.report import FORMAT, PackRef, Report, Summary
from auditor.model.snapshot import Tenant
from auditor.render.labels import parse_time


class NoReport(AuditorError):
    """A file that was named isn't a JSON report; the message says what to name instead."""


class EarlierReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a trend takes from a report."""

    format: str
    tenant: Tenant
    summary: Summary
    taken: str = ""
    packs: tuple[PackRef, ...] = ()


class History(NamedTuple):
    """Times and counts of earlier runs, oldest first, and how many reports are about something else."""

    runs: tuple[tuple[str, Summary], ...]
    left_out: int

    @property
    def notes(self) -> tuple[str, ...]:
        """What to report about the comparison, a sentence each."""
        found = []
        if self.left_out:
            reports = "report is" if self.left_out == 1 else "reports are"
            found.append(f"{self.left_out} {reports} left out, about another tenant or made with other packs.")
        if not self.runs:
            found.append("none is shown, because there is no earlier report to compare with.")
        return tuple(found)


def earlier_reports(places: Iterable[str | os.PathLike[str]]) -> tuple[EarlierReport, ...]:
    """The JSON reports in files and folders. In a folder, other files are skipped; a named file must be a report.

    A folder may be empty, or missing where its path ends with a slash: on the first night there is no report yet.
    Raises NoReport, and OSError for what cannot be read.
    """
    return tuple(report for place in places for report in _in_place(os.fspath(place)))


def _in_place(name: str) -> Iterator[EarlierReport]:
    place = Path(name)
    if name.endswith(("/", os.sep)) and not place.exists():
        return
    if not place.is_dir():
        report = _decoded(place)
        if report is None:
            raise NoReport(f"{place} isn't a JSON report of consent-auditor: name a file that was written with -f json")
        yield report
        return
    yield from (report for file in sorted(place.rglob("*.json")) if (report := _decoded(file)) is not None)


def _decoded(file: Path) -> EarlierReport | None:
    try:
        report = msgspec.json.decode(file.read_bytes(), type=EarlierReport)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return report if report.format == FORMAT else None


def history_of(report: Report, earlier: Sequence[EarlierReport]) -> History:
    """The earlier runs that can be compared with `report`: of the same tenant, by packs of the same names.

    Several reports on one reading count once, and a later reading than that of `report` does not count.
    """
    mine = [one for one in earlier if _compared(one.tenant, one.packs) == _compared(report.tenant, report.packs)]
    now = parse_time(report.taken)
    runs: dict[datetime, tuple[str, Summary]] = {}
    for one in mine:
        at = parse_time(one.taken)
        if at is not None and now is not None and at < now:
            runs[at] = (one.taken, one.summary)
    return History(tuple(runs[at] for at in sorted(runs)), len(earlier) - len(mine))


def _compared(tenant: Tenant, packs: Iterable[PackRef]) -> tuple[str, frozenset[str]]:
    return tenant.id.lower(), frozenset(pack.name for pack in packs)
