"""Reports that were made before, as the history of the one that is being made."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.model.report import FORMAT, PackRef, Report, Summary
from auditor.model.snapshot import Tenant
from auditor.render.labels import parse_time


class NoReport(ValueError):
    """A file that was named is no JSON report; the message says what to name instead."""


class EarlierReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a trend takes from a report."""

    format: str
    tenant: Tenant
    summary: Summary
    taken: str = ""
    packs: tuple[PackRef, ...] = ()


class History(NamedTuple):
    """Times and counts of earlier runs, oldest first, and how many reports are of something else."""

    runs: tuple[tuple[str, Summary], ...]
    left_out: int


def earlier_reports(places: Iterable[str | os.PathLike[str]]) -> tuple[EarlierReport, ...]:
    """The JSON reports in files and folders. In a folder other files are passed over, and named ones must be reports.

    A folder may hold none: on the first night there is none yet.
    Raises NoReport, and OSError for what cannot be read.
    """
    return tuple(report for place in places for report in _in_place(Path(place)))


def _in_place(place: Path) -> Iterator[EarlierReport]:
    if not place.is_dir():
        report = _decoded(place)
        if report is None:
            raise NoReport(f"{place} is no JSON report of consent-auditor: name one that was made with -f json")
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
    """The earlier runs that can be compared with `report`: those of its tenant by packs of the same names.

    A report that was made anew of the same reading counts once, and what was read later than `report` not at all.
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
