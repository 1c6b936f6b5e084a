"""Write the dashboard of a history: only the pages that changed, and never over a file of somebody else."""

from __future__ import annotations

import contextlib
import os
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from auditor.atomic import make_folder, remove_leftovers, write_whole
from auditor.fleet.answer import Fleet, fleet_report
from auditor.fleet.freshness import freshness, oldest_start
from auditor.fleet.tenant_audit import AppAnswer, EarlierAudit, TenantAudit, app_answers, with_common_apps
from auditor.jobs.audit_request import TOOL
from auditor.jobs.kept_runs import missing_runs
from auditor.model.difference import Difference
from auditor.model.errors import InvalidRequest
from auditor.model.fleet import AuditState, FleetReport, FleetSource
from auditor.model.history import Run, RunState
from auditor.model.site import SiteData, SiteTenant
from auditor.render.site import INDEX, MARK, Site, is_page_name

if TYPE_CHECKING:
    from auditor.history import History

MANIFEST = ".consent-auditor-site.json"
"""The file in the dashboard's folder that lists the pages that this program wrote."""
_FORMAT = "consent-auditor/site"
_HEAD = 200
"""Bytes at the start of a file that hold the mark of the dashboard."""


class SiteManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The pages that were written; for the page of a run, the digest of what it was made from."""

    format: str = _FORMAT
    version: int = 1
    pages: dict[str, str] = {}


class SiteFiles(NamedTuple):
    """What was done: `path` is the index; `written`, `unchanged` and `removed` count files."""

    path: str
    written: int
    unchanged: int
    removed: int


def update_site(history: History, folder: str, *, now: str, schedule_hours: float | None = None) -> SiteFiles:
    """Write the dashboard of all tenants into the folder, which is created if it's missing.

    `now` is the UTC time up to which ages are counted. `schedule_hours` is how often a run should start; without it,
    the usual time between two runs of a tenant counts. Raises InvalidRequest if the folder holds another file with the
    name of a page, OSError, and HistoryError.
    """
    return write_site(site_data(history, now=now, schedule_hours=schedule_hours), folder, history.difference)


def site_data(history: History, *, now: str, schedule_hours: float | None = None) -> SiteData:
    """Everything that the dashboard shows, except the changes of earlier runs. Raises HistoryError."""
    by_tenant: dict[tuple[str, str], list[Run]] = {}
    for run in reversed(history.runs()):
        by_tenant.setdefault((run.tenant, run.name), []).append(run)
    ids, kept = Counter(tenant for tenant, _ in by_tenant), history.run_ids()
    tenants = tuple(
        # Two tenants of the configuration can be the same one for Microsoft, as for a test with a snapshot.
        _tenant(history, tenant if ids[tenant] == 1 else f"{tenant} {name}", runs, now, schedule_hours, kept)
        for (tenant, name), runs in sorted(by_tenant.items())
    )
    return SiteData(at=now, tool=TOOL, tenants=tenants, fleets=_fleets(history, tenants, now, schedule_hours))


def _fleets(
    history: History, tenants: Sequence[SiteTenant], now: str, schedule_hours: float | None
) -> dict[str, FleetReport]:
    """The apps of all tenants and of those with each tag, from the decisions of the last audits."""
    if len(tenants) < 2:
        return {}
    oldest = oldest_start(now, schedule_hours)
    kept = with_common_apps([_kept_audit(history, one, oldest) for one in tenants])
    audits = tuple(zip(tenants, kept, strict=True))
    about = Fleet(tool=TOOL, at=now, source=FleetSource.HISTORY)
    found = {"": fleet_report((audit for _, audit in audits), about)}
    for tag in sorted({tag for one in tenants for tag in one.tags}):
        tagged = [audit for one, audit in audits if tag in one.tags]
        if len(tagged) > 1:
            found[tag] = fleet_report(tagged, about)
    return found


def _kept_audit(history: History, tenant: SiteTenant, oldest: str) -> TenantAudit:
    """The answers of the last audit of a tenant, and those of the one before."""
    finished = [run for run in tenant.runs if run.state is RunState.FINISHED]
    audit = finished[-1] if finished else None
    state, problem, _ = freshness(tenant.last, audit, oldest)
    apps: tuple[AppAnswer, ...] = ()
    if audit is not None:
        try:
            apps = app_answers(history.report(audit.id, with_grants=False))
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError) as error:
            state, problem = AuditState.UNREADABLE, f"This version can't read the kept report ({type(error).__name__})."
    earlier = EarlierAudit(finished[-2].taken, finished[-2].decisions, {}) if len(finished) > 1 else None
    return TenantAudit(name=tenant.key, id="", state=state, problem=problem, apps=apps, earlier=earlier)


def _tenant(
    history: History, key: str, runs: Sequence[Run], now: str, schedule_hours: float | None, kept: Collection[str]
) -> SiteTenant:
    made = SiteTenant(key=key, name=runs[-1].name, tags=runs[-1].tags, runs=tuple(runs))
    changed, audit = made.last_changed, made.last_finished
    return msgspec.structs.replace(
        made,
        missed=missing_runs(made.runs[::-1], now, schedule_hours, kept).get(made.name, ()),
        findings=history.findings(audit.id) if audit is not None else (),
        changes=history.difference(changed.id) if changed is not None else None,
    )


def write_site(data: SiteData, folder: str, difference: Callable[[str], Difference | None]) -> SiteFiles:
    """Write the pages that changed, and remove the pages of what is gone. `difference` gives the changes of a run.

    Each page is replaced in one step, and before the pages that link to it, so that a reader never sees half a page or
    a link to a page that isn't there. A new page gets the permissions of the index, which you may have opened to a
    web server; a new dashboard is for you only. Raises InvalidRequest and OSError.
    """
    place = Path(folder)
    make_folder(place)
    site = Site(data)
    pages = dict(site.pages())
    runs = {page.name: page for page in site.run_pages()}
    earlier = _manifest(place)
    _refuse_foreign_files(place, [*pages, *runs])
    remove_leftovers(place)
    for name in ("tenants", "tags", "runs"):
        make_folder(place / name)
        remove_leftovers(place / name)
    # Before the first page, so that a page is never left behind that no list names.
    _write_manifest(place, {**dict.fromkeys([*pages, *runs], ""), **earlier})
    files = _Files(place)
    for name, page in runs.items():
        if earlier.get(name) == page.digest and _has_mark(place / name):
            files.unchanged += 1
        else:
            files.write(name, site.run_text(page.run, difference(page.run.id)))
    for name, text in pages.items():
        files.write(name, text)
    gone = earlier.keys() - pages.keys() - runs.keys()
    removed = sum(_remove(place / name) for name in sorted(gone))
    _write_manifest(place, {**dict.fromkeys(pages, ""), **{name: page.digest for name, page in runs.items()}})
    return SiteFiles(str(place / INDEX), files.written, files.unchanged, removed)


class _Files:
    """Writes files below the folder, and counts them."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self.written = 0
        self.unchanged = 0
        index = place / INDEX
        self._mode = stat.S_IMODE(index.stat().st_mode) & 0o666 if index.exists() else 0o600

    def write(self, name: str, text: str) -> None:
        """Give the file this text, unless it has it."""
        path, data = self._place / name, text.encode()
        is_new = not path.exists()
        if not is_new and path.read_bytes() == data:
            self.unchanged += 1
            return
        write_whole(path, data, keep_mode=True)
        if is_new and self._mode != 0o600:
            path.chmod(self._mode)
        self.written += 1


def _manifest(place: Path) -> dict[str, str]:
    """The pages that this program wrote into the folder earlier."""
    try:
        found = msgspec.json.decode((place / MANIFEST).read_bytes(), type=SiteManifest)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return {}
    # Names that aren't those of pages could lead out of the folder.
    return {name: digest for name, digest in found.pages.items() if found.format == _FORMAT and is_page_name(name)}


def _write_manifest(place: Path, pages: Mapping[str, str]) -> None:
    data = msgspec.json.format(msgspec.json.encode(SiteManifest(pages=dict(sorted(pages.items())))), indent=1) + b"\n"
    path = place / MANIFEST
    if not path.exists() or path.read_bytes() != data:
        write_whole(path, data, keep_mode=True)


def _refuse_foreign_files(place: Path, names: Iterable[str]) -> None:
    """Raise InvalidRequest before anything is written if a page would replace a file that isn't a page."""
    for name in names:
        path = place / name
        if os.path.lexists(path) and not _has_mark(path):
            raise InvalidRequest(
                f"{path} wasn't written by this program, and the dashboard needs its name:"
                " choose another folder, or move the file away"
            )


def _has_mark(path: Path) -> bool:
    """Whether the file is a page that this program wrote."""
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(_HEAD)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return False


def _remove(path: Path) -> bool:
    """Remove a page, and return whether it was one and is gone."""
    if path.is_symlink() or not _has_mark(path):
        return False
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    return True
