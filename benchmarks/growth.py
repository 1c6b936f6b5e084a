"""How each step of an audit grows with the tenant: processor time at 1×, 3× and 10×, and the exponent between them."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from math import log
from pathlib import Path
from typing import Any

import msgspec

from auditor.jobs.audit import audit
from auditor.jobs.audit_request import AuditRequest, SnapshotFiles
from auditor.jobs.pack_selection import all_pack_names, chosen_packs
from auditor.jobs.report_builder import build_report, wanted_by
from auditor.jobs.snapshot_files import read_snapshot
from auditor.model.report import Report
from auditor.render import FORMATS
from auditor.snapshot.packed_files import save_packed
from auditor.snapshot.read import loads
from benchmarks.baselines import gunzip_structs
from benchmarks.result import Result
from benchmarks.scale import Size
from benchmarks.startup import PACK
from benchmarks.tenants import as_large

TIMES = (1, 3, 10)
_VENDOR = (PACK[-1],)
_BARE = "gunzip and msgspec, service principals and grants"
_RENDERED = ("text", "json", "html", "csv", "xlsx")


def growth(folder: Path, large: Size, tell: Callable[[str], None]) -> Result:
    """The steps of an audit of a packed snapshot, each at a tenth, three tenths and all of the `large` tenant."""
    seconds: dict[str, list[float]] = {}
    for times in TIMES:
        size = Size(large.apps * times // 10, large.grants * times // 10)
        tell(f"growth: {size}")
        path = folder / f"tenant-{times}.zip"
        save_packed(loads(msgspec.json.encode(as_large(*size))), path)
        for name, step in _steps(str(path)):
            gc.collect()
            start = time.process_time()
            step()
            seconds.setdefault(name, []).append(time.process_time() - start)
    bare = seconds[_BARE][-1]
    rows = [
        [name, *(f"{taken * 1000:,.0f}" for taken in each), f"{_exponent(each):.2f}", f"{each[-1] / bare:.1f}"]
        for name, each in seconds.items()
    ]
    heads = ("step", *(f"{times}x: cpu ms" for times in TIMES), "exponent", "x gunzip and msgspec")
    numbers = {name: {"cpu": each, "exponent": _exponent(each)} for name, each in seconds.items()}
    notes = ("an exponent of 1 is linear, of 2 quadratic; a step of a few milliseconds has none that means anything",)
    return Result("growth", f"Growth: one process, 10x is {large}", heads, rows, numbers, notes)


def _exponent(seconds: list[float]) -> float:
    """The slope of the line through the first and the last point, both axes logarithmic."""
    return log(max(seconds[-1], 1e-6) / max(seconds[0], 1e-6)) / log(TIMES[-1] / TIMES[0])


def _steps(path: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The steps, each with what it needs made before it is timed."""
    yield _BARE, lambda: gunzip_structs(path)
    vendor, every = chosen_packs(_VENDOR), chosen_packs(all_pack_names())
    yield "read for a pre-flight", lambda: read_snapshot([path], wanted=lambda: wanted_by(vendor))
    yield "read for all packs", lambda: read_snapshot([path], wanted=lambda: wanted_by(every))
    yield "read everything", lambda: read_snapshot([path])
    yield "pre-flight", lambda: _audit(path, _VENDOR)
    for name in all_pack_names():
        pack = chosen_packs([name])
        snapshot = read_snapshot([path], wanted=lambda pack=pack: wanted_by(pack))  # type: ignore[misc]
        yield f"judge {name}", lambda snapshot=snapshot, pack=pack: build_report(snapshot, pack)  # type: ignore[misc]
    report = _audit(path, tuple(all_pack_names()))
    yield "all packs", lambda: _audit(path, tuple(all_pack_names()))
    for name in _RENDERED:
        yield f"render {name}", lambda name=name: import_module(FORMATS[name].module).render(report)  # type: ignore[misc]


def _audit(path: str, packs: tuple[str, ...]) -> Report:
    return audit(AuditRequest(source=SnapshotFiles((path,)), packs=packs)).report
