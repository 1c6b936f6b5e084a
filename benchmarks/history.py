"""What a year of nights takes in the history: the size of the file, the time of a night, and of a list of 365 runs."""

from __future__ import annotations

import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from auditor.history import History, open_history
from auditor.jobs.audit import check
from auditor.jobs.pack_selection import chosen_packs
from auditor.model.difference import Change, ChangeKind, Difference, Side, Transition
from auditor.model.report import Report
from auditor.model.snapshot import Call, Provenance, Snapshot
from auditor.snapshot.read import loads
from benchmarks.processes import PYTHON
from benchmarks.result import Result
from benchmarks.scale import Size
from benchmarks.tenants import as_large, as_most

YEAR = 365
PACKS = ("trackerrms-uk", "cisa-scuba", "grants-hygiene")
FEW, MANY = 3, 50
"""Changes a night in the second and in the third tenant."""
_SHORT = 12
"""Nights of the large tenant that are measured; a year is computed from their growth."""
_CALLS = 40


class _Night(NamedTuple):
    report: Report
    snapshot: Snapshot
    difference: Difference | None


def history(folder: Path, large: Size, tell: Callable[[str], None]) -> Result:
    """A tenant in which nothing changes, one with a few changes a night, and a large one."""
    most = loads(msgspec.json.encode(as_most()))
    rows: list[list[str]] = []
    numbers: dict[str, object] = {}
    for name, nights, count in (
        ("nothing changes", _nights(most, 0), YEAR),
        (f"{FEW} changes a night", _nights(most, FEW), YEAR),
        (f"{large}, {MANY} grants change a night", _nights(loads(msgspec.json.encode(as_large(*large))), MANY), _SHORT),
    ):
        tell(f"history: {name}")
        found = _measured(folder / f"history-{len(rows)}.db", nights, count)
        numbers[name] = found._asdict()
        listed = f"{found.listed * 1000:,.0f}" if count == YEAR else ""
        command = f"{found.command * 1000:,.0f}" if count == YEAR else ""
        rows.append(
            [name, f"{found.first / 1e6:.1f}", f"{found.year / 1e6:.1f}", f"{found.night * 1000:,.0f}", listed, command]
        )
    heads = (
        "tenant",
        "first night: MB",
        "a year: MB",
        "finish a night: cpu ms",
        "365 runs: cpu ms",
        "history list: ms",
    )
    notes = (
        f"a year of the large tenant is computed from {_SHORT} nights",
        f"a night of the first two reads with {_CALLS} calls, whose times differ each night",
    )
    return Result("history", "History in SQLite", heads, rows, numbers, notes)


class _Found(NamedTuple):
    first: int
    year: int
    night: float
    listed: float
    command: float


def _measured(file: Path, nights: Iterator[_Night], count: int) -> _Found:
    times, first = [], 0
    with open_history(str(file)) as kept:
        for number in range(count):
            night = next(nights)
            start = time.process_time()
            _keep(kept, night, number)
            times.append(time.process_time() - start)
            if number == 0:
                first = _size(kept, file)
        whole = _size(kept, file)
        start = time.process_time()
        assert len(kept.runs()) == count
        listed = time.process_time() - start
    start = time.perf_counter()
    environ = {**os.environ, "CONSENT_AUDITOR_HISTORY": str(file)}
    subprocess.run([PYTHON, "-m", "auditor", "history", "list"], env=environ, stdout=subprocess.DEVNULL, check=True)
    command = time.perf_counter() - start
    year = whole if count == YEAR else first + (whole - first) * (YEAR - 1) // (count - 1)
    return _Found(first, year, sorted(times)[len(times) // 2], listed, command)


def _size(kept: History, file: Path) -> int:
    kept._database.shrink()
    return file.stat().st_size


def _keep(kept: History, night: _Night, number: int) -> None:
    at = _time(number)
    run = kept.begin("contoso", "contoso", at)
    kept.finish(
        run,
        report=night.report,
        snapshot=night.snapshot,
        difference=night.difference,
        exit_code=1,
        finished=at,
        seconds=4.2,
    )


def _time(number: int) -> str:
    return time.strftime("%Y-%m-%dT02:00:00Z", time.gmtime(1_767_225_600 + number * 86_400))


def _nights(snapshot: Snapshot, changes: int) -> Iterator[_Night]:
    """Night after night of a tenant, in which so many grants change."""
    report = check(snapshot, chosen_packs(PACKS))
    granted = report.granted
    assert granted is not None
    rows, grants = list(granted.rows), list(snapshot.sections.oauth2PermissionGrants or ())
    number = 0
    while True:
        at = _time(number)
        for one in range(min(changes, len(rows), len(grants)) if number else 0):
            place = (number * 7919 + one * 104_729) % min(len(rows), len(grants))
            user = str(uuid.UUID(int=(number << 64) + one))
            grants[place] = msgspec.structs.replace(grants[place], principalId=user, id=f"grant-{user}")
            rows[place] = msgspec.structs.replace(rows[place], principal=user)
        calls = tuple(
            Call(section="servicePrincipals", address=f"/v1.0/servicePrincipals?page={one}", status=200, at=at)
            for one in range(_CALLS)
        )
        provenance = Provenance(reader=str(uuid.UUID(int=1)), permissions=("Directory.Read.All",), calls=calls)
        yield _Night(
            msgspec.structs.replace(
                report,
                taken=at,
                provenance=provenance,
                granted=msgspec.structs.replace(granted, rows=tuple(rows)),
            ),
            msgspec.structs.replace(
                snapshot,
                taken=at,
                provenance=provenance,
                sections=msgspec.structs.replace(snapshot.sections, oauth2PermissionGrants=tuple(grants)),
            ),
            _difference(snapshot, changes) if number else None,
        )
        number += 1


def _difference(snapshot: Snapshot, changes: int) -> Difference:
    side = Side(tenant=snapshot.tenant, taken=snapshot.taken)
    one = Change(
        kind=ChangeKind.GRANT,
        key=f"grant/{uuid.UUID(int=1)}/{uuid.UUID(int=2)}/delegated",
        what="TrackerRMS: delegated permissions on Microsoft Graph",
        transition=Transition.CHANGED,
        before={"users": 12, "permissions": ["Mail.ReadWrite", "Calendars.ReadWrite", "offline_access"]},
        after={"users": 13, "permissions": ["Mail.ReadWrite", "Calendars.ReadWrite", "offline_access"]},
        means="One more user can use TrackerRMS. This doesn't change who can connect it.",
    )
    return Difference(before=side, after=side, changes=(one,) * min(changes, FEW))
