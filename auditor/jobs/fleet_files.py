"""The answer over the tenants of files that customers sent: snapshots, bundles and reports, without any access."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from auditor.facts.ids import is_redacted_tenant
from auditor.fleet.answer import Fleet, fleet_report
from auditor.fleet.tenant_audit import TenantAudit
from auditor.jobs.app_catalog import app_named
from auditor.jobs.audit import PreparedAudit, evaluate, prepare
from auditor.jobs.audit_request import PIPE, SILENT, TOOL, AuditRequest, GivenSnapshot, Interaction
from auditor.jobs.differences import report_in
from auditor.jobs.fleet_audits import About, AppChoice, AuditMaker, FleetRequest, limited_to
from auditor.jobs.pack_selection import apps_of, names_in_environment
from auditor.jobs.report_builder import wanted_by
from auditor.jobs.snapshot_files import read_snapshot
from auditor.jobs.snapshot_folder import ENDINGS, paths_in, stem
from auditor.model.decision import AppRef
from auditor.model.document import count, first_of, parse_time, sentence, series
from auditor.model.errors import AuditorError, InvalidRequest
from auditor.model.fleet import AuditState, FleetReport, FleetSource
from auditor.model.report import Report
from auditor.model.snapshot import LeftOut, Snapshot, Tenant

_OLD_DAYS = 30
"""Days after which a snapshot is called old in a note: settings may have changed since."""
_NAMED = 5


class _FileAudit(NamedTuple):
    """The audit of one file, and its tenant's id; empty if the file couldn't be read or doesn't say it."""

    file: Path
    audit: TenantAudit
    tenant: str = ""


def audits_of_files(request: FleetRequest, interaction: Interaction = SILENT) -> FleetReport:
    """The answer over the tenants of the files. Each file or folder of exports in a named folder is one tenant.

    A file that can't be read is a tenant that isn't known. Of several files on one tenant, the newest counts. Raises
    InvalidRequest and PackError for apps and packs, and for a folder without a file.
    """
    if PIPE in request.snapshots:
        raise InvalidRequest("a fleet is several files: name the files, or a folder with them")
    files = [
        file for place in request.snapshots for file in (paths_in(place) if Path(place).is_dir() else (Path(place),))
    ]
    if not files:
        raise InvalidRequest(
            f"{request.snapshots[0]} has no snapshot, bundle or report in it: they end with {', '.join(ENDINGS)}"
        )
    prepared = _prepared(request)
    apps = apps_of(prepared.packs)
    files_of = _Files(
        prepared=prepared,
        maker=AuditMaker(AppChoice(), request.redaction, interaction),
        only=AppChoice(tuple(app.client_id for app in apps) if request.apps and not request.packs else ()),
        asked=tuple(AppRef(name=app.name, client_id=app.client_id) for app in apps),
    )
    maker = files_of.maker
    found = []
    for number, file in enumerate(files):
        if interaction.progress:
            interaction.progress("tenants", number, len(files))
        found.append(files_of.audit(file))
    if interaction.progress:
        interaction.progress("tenants", len(files), len(files))
    audits, notes = _newest(found)
    place = "" if maker.redacts else ", ".join(request.snapshots[:3])
    fleet = Fleet(
        tool=TOOL,
        at=request.at,
        source=FleetSource.FILES,
        place=place,
        redacted=maker.redacts,
        notes=(*notes, *_notes(audits, request.at)),
    )
    return fleet_report(audits, fleet)


def _prepared(request: FleetRequest) -> PreparedAudit:
    """The packs that judge the files. Raises InvalidRequest and PackError."""
    packs = request.packs or (() if request.apps else names_in_environment())
    named = tuple(app_named(name) for name in request.apps)
    if not packs and not named:
        raise InvalidRequest(
            "which apps are the files to answer about? Add --app NAME, or --pack NAME: consent-auditor apps list"
        )
    nobody = GivenSnapshot(Snapshot(tenant=Tenant(id="")), "")
    return prepare(AuditRequest(source=nobody, packs=(*packs, *named)))


class _Files(NamedTuple):
    """What all files are judged by. `only` limits a report that was made elsewhere to the apps in question."""

    prepared: PreparedAudit
    maker: AuditMaker
    only: AppChoice
    asked: tuple[AppRef, ...]

    def audit(self, file: Path) -> _FileAudit:
        """The audit of one file; of one that can't be read, why."""
        about = About(name=stem(file), source=str(file), asked=self.asked)
        try:
            report, snapshot = self._judged(file)
        except AuditorError as error:
            problem = error.problem.replace(str(file), file.name).strip().rstrip(".")
            return self._unreadable(file, about, problem, error.advice)
        except OSError as error:
            return self._unreadable(
                file, about, f"{file.name}: {error.strerror}", "Check the path and its permissions."
            )
        named = about._replace(name=report.tenant.name or stem(file))
        return _FileAudit(file, self.maker.audit(report, named, snapshot), report.tenant.id.lower())

    def _unreadable(self, file: Path, about: About, problem: str, advice: str) -> _FileAudit:
        text = sentence(problem)
        advice = advice or "Ask the customer for the file again: consent-auditor bundle, or collect -o FILE."
        made = about._replace(state=AuditState.UNREADABLE, problem=text, advice=advice)
        return _FileAudit(file, self.maker.without_audit(made))

    def _judged(self, file: Path) -> tuple[Report, Snapshot | None]:
        """The report on a file: the one in it, or the one on its snapshot."""
        if file.is_file() and not file.name.lower().endswith((".zip", ".gz")) and (made := report_in(file)) is not None:
            if self.maker.redacts:
                raise InvalidRequest(f"{file.name} is a report, and only snapshots can be redacted")
            return limited_to(made, self.only), None
        origin = f"snapshot {file.name}"
        snapshot = read_snapshot((str(file),), wanted=lambda: wanted_by(self.prepared.packs))
        try:
            return evaluate(self.prepared, snapshot, origin).report, snapshot
        except LeftOut:
            # An answer depends on a row that nothing in the question named.
            snapshot = read_snapshot((str(file),))
            return evaluate(self.prepared, snapshot, origin).report, snapshot


def _newest(found: Sequence[_FileAudit]) -> tuple[list[TenantAudit], tuple[str, ...]]:
    """The audit of the newest file of each tenant, and sentences on the files that are left out."""
    newest: dict[str, _FileAudit] = {}
    alone: list[_FileAudit] = []
    older: list[str] = []
    for one in found:
        if not one.tenant:
            alone.append(one)
            continue
        known = newest.get(one.tenant)
        if known is None or _age(one) >= _age(known):
            newest[one.tenant] = one
        if known is not None:
            older.append((known if newest[one.tenant] is one else one).file.name)
    notes: tuple[str, ...] = ()
    if older:
        are = "file is" if len(older) == 1 else "files are"
        notes = (
            f"{len(older)} {are} left out, because a newer one is about the same tenant:"
            f" {series(first_of(older, _NAMED))}.",
        )
    return [one.audit for one in (*newest.values(), *alone)], notes


def _age(one: _FileAudit) -> tuple[str, str]:
    at = parse_time(one.audit.taken)
    return (at.isoformat() if at else "", one.file.name)


def _notes(audits: Sequence[TenantAudit], at: str) -> Iterator[str]:
    """What to know about the files: redacted ones, and old ones."""
    redacted = sum(is_redacted_tenant(one.id) for one in audits)
    if redacted > 1:
        yield (
            f"{redacted} files are redacted. Their tokens differ from key to key, so that a customer who sent two files"
            " made with different keys is counted twice."
        )
    now = parse_time(at)
    times = [(parse_time(one.taken), one.name) for one in audits if one.taken]
    old = sorted((time, name) for time, name in times if time and now and time < now - timedelta(days=_OLD_DAYS))
    if old:
        yield (
            f"{count(len(old), 'snapshot is', 'snapshots are')} older than {_OLD_DAYS} days, the oldest from"
            f" {old[0][0].date().isoformat()}: ask for a new one before you act on it."
        )
