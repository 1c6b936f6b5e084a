"""Run every tenant of a night: audit it, compare it with its last run, write its reports, and record all of it.

What one tenant does never stops another one. A tenant's run is recorded in one transaction with the messages about it,
so that a process that is killed leaves a run that the next night marks as interrupted, and nothing half.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise, takewhile
from typing import NamedTuple, Self

import msgspec

from auditor.compare import DifferentTenants, comparable, compare
from auditor.graph.fleet_limits import FleetLimits, TenantLimits
from auditor.jobs.audit import LIVE, AuditResult, PreparedAudit, audit, evaluate
from auditor.jobs.audit_request import TOOL, Interaction
from auditor.jobs.fleet_reads import Failure, FleetConnections, Job, failure_of, run_until_stopped
from auditor.jobs.night_setup import NightParts, chosen_tenants, prepared_audits, tenant_key
from auditor.jobs.run_contents import (
    attachable,
    earlier_reads,
    exit_code_for,
    finished_run,
    run_findings,
    since_last_of,
    trend_of,
    write_reports,
)
from auditor.model.configuration import Configuration, Event, TenantEntry
from auditor.model.difference import Difference
from auditor.model.errors import NO_AUDIT
from auditor.model.history import STOPPED_RUN, OutboxMessage, Run, RunState, Said, was_stopped
from auditor.model.night import TenantNight, missed_starts
from auditor.model.notification import Expiry, NightOfTenant
from auditor.model.report import Report
from auditor.model.sections import DATING_SECTIONS
from auditor.model.snapshot import CredentialEnd, LiveTenant, Snapshot
from auditor.notify import expiries_of, messages_for
from auditor.notify.expiries import credential_expiry, retention_expiry
from auditor.notify.selection import events_of
from auditor.notify.wording import SHORT_EXPIRY_DAYS


def run_tenants(
    configuration: Configuration, parts: NightParts, night: str, only: Sequence[str] = ()
) -> tuple[TenantNight, ...]:
    """Run every tenant, or those named in `only`, in the order of the configuration.

    Raises InvalidRequest for an unknown name, PackError if a pack can't be loaded, and `Stopped` or KeyboardInterrupt
    after the runs in progress were marked.
    """
    entries = chosen_tenants(configuration, only)
    prepared = prepared_audits(entries)
    runs = TenantRuns(configuration, parts, night)
    return run_until_stopped(lambda: runs.all(tuple(zip(entries, prepared, strict=True))), parts.stopping)


_UNREPORTED = 30
"""The most interrupted runs in a row that the next one reports."""


class _Begun(NamedTuple):
    """A run that was begun: its id, when, and the run before it."""

    entry: TenantEntry
    key: str
    id: str
    started: str
    seconds: float
    previous: Run | None
    missed: tuple[str, ...]
    interrupted: tuple[str, ...]


class TenantRuns:
    """The runs of one night at the same time, as far as the configuration allows.

    `slot` is its start, if several processes share it: no message is about an attempt since then that never ended.
    """

    def __init__(self, configuration: Configuration, parts: NightParts, night: str, slot: str = "") -> None:
        self.configuration = configuration
        self.history, self.log, self.secrets, self.clock, self.interaction, self.stopping = parts
        self.night = night
        self.slot = slot
        self.started = slot or self.clock.now()
        # One evaluation at a time: more of them would only take memory, and delay the reads.
        self._evaluating = asyncio.Lock()
        self._to_delete: tuple[Run, ...] | None = None
        self._fleet = FleetConnections(parts.secrets, FleetLimits(configuration.concurrency))

    async def all(self, jobs: Sequence[Job]) -> tuple[TenantNight, ...]:
        """Every tenant's result. If it's cancelled, the runs in progress are marked first."""
        async with self:
            return await self._fleet.each(jobs, self._counted, self.interaction)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._fleet.aclose()

    async def _counted(self, job: Job) -> tuple[TenantNight, bool]:
        """The result of a tenant, and whether it has no audit."""
        result = await self.run(*job)
        return result, bool(result.error)

    async def run(self, entry: TenantEntry, prepared: PreparedAudit) -> TenantNight:
        """Audit a tenant and record the run: as stopped if it's cancelled."""
        async with self._fleet.place_of(entry) as place:
            try:
                with self.history.lock(tenant_key(entry)):
                    result = await self._locked(entry, prepared, place)
            except Exception as error:  # noqa: BLE001 - one tenant's trouble, a bug too, never stops the others
                failure = failure_of(error)
                self.log.error("run-not-recorded", failure.error, tenant=entry.name, advice=failure.advice)
                result = TenantNight(
                    name=entry.name,
                    tenant=tenant_key(entry),
                    exit_code=NO_AUDIT,
                    error=failure.error,
                    advice=failure.advice,
                )
        return result

    async def _locked(self, entry: TenantEntry, prepared: PreparedAudit, place: TenantLimits) -> TenantNight:
        """Begin, audit and end the run of a tenant whose lock is held."""
        begun = self._begin(entry)
        try:
            audited, credential = await self._audited(begun, prepared, place)
            return await self._finished(begun, audited, credential)
        except asyncio.CancelledError:
            self._stopped(begun)
            raise
        except Exception as error:  # noqa: BLE001 - a bug in one audit is that tenant's trouble, too
            return self._failed(begun, failure_of(error))

    def _begin(self, entry: TenantEntry) -> _Begun:
        key, started = tenant_key(entry), self.clock.now()
        run_id = self.history.begin(key, entry.name, started, entry.tags)
        _, *before = self.history.runs(key, limit=_UNREPORTED + 2)
        before = [run for run in before if not self.slot or run.started < self.slot or not was_stopped(run)]
        previous = before[0] if before else None
        # A run that was interrupted reported nothing, so neither it nor what was missed before it is known to anybody.
        unended = tuple(takewhile(lambda run: run.state is RunState.INTERRUPTED, before))
        interrupted = tuple(run.started for run in reversed(unended))
        starts = (*(run.started for run in before[len(unended) :][:1]), *interrupted, started)
        hours = self.configuration.schedule_hours
        missed = tuple(due for one, other in pairwise(starts) for due in missed_starts(one, other, hours))
        fields = {"tenant": entry.name, "run": run_id}
        self.log.info("run-started", f"The run of {entry.name} starts", **fields)
        if missed:
            message = f"{len(missed)} runs were due since {starts[0]} and didn't start"
            self.log.notice("runs-missed", message, missed=missed, **fields)
        for start in interrupted:
            self.log.notice("run-interrupted", f"The run of {start} never ended", **fields)
        return _Begun(entry, key, run_id, started, self.clock.seconds(), previous, missed, interrupted)

    # ---- The audit --------------------------------------------------------------------------------------------------

    async def _audited(
        self, begun: _Begun, prepared: PreparedAudit, place: TenantLimits
    ) -> tuple[AuditResult, CredentialEnd | None]:
        """The audit, and when the credential of a live tenant ends."""
        request = prepared.request
        if not isinstance(request.source, LiveTenant):
            # Of a file, only what the rules need is kept, so that it is read and evaluated in one step.
            return await self._fleet.of_file(begun.entry, lambda: audit(request)), None
        snapshot, credential = await self._fleet.live_snapshot(
            begun.entry,
            prepared,
            place,
            taken=self.clock.now(),
            interaction=Interaction(on_pause=partial(self._paused, begun)),
            if_allowed=self._also_read(),
        )
        async with self._evaluating:
            return await asyncio.to_thread(evaluate, prepared, snapshot, LIVE), credential

    def _also_read(self) -> tuple[str, ...]:
        """What no rule needs: who changed what lately and when; requests for consent, if messages say when they end."""
        requests = ("adminConsentRequestPolicy", "appConsentRequests") if self._tells_expiry() else ()
        return (*DATING_SECTIONS, *requests)

    def _tells_expiry(self) -> bool:
        return any(Event.EXPIRY in events_of(target) for target in self.configuration.notify)

    def _paused(self, begun: _Begun, service: str, seconds: float, is_asked_for: bool) -> None:
        why = "asks to wait" if is_asked_for else "didn't answer; trying again in"
        message = f"{service} {why} {seconds:.0f} s"
        self.log.info("waiting", message, tenant=begun.entry.name, run=begun.id, seconds=round(seconds, 1))

    # ---- The end of a run -------------------------------------------------------------------------------------------

    async def _finished(self, begun: _Begun, audited: AuditResult, credential: CredentialEnd | None) -> TenantNight:
        """Compare, write reports, and record the run with the messages about it."""
        entry, report, notes = begun.entry, audited.report, list[str]()
        kept, last = self.history.as_kept(report, audited.snapshot), self.history.last_finished(begun.key)
        difference = None
        if last is not None:
            before = self.history.comparable_parts(last.id)
            earlier = earlier_reads(self.history, begun.key, last, before[1], kept[1])
            async with self._evaluating:
                difference = await asyncio.to_thread(_compared, before, kept, earlier, notes)
        findings = run_findings(report, self.history.findings(last.id) if last else (), begun.started)
        code = exit_code_for(entry, report, difference)
        written: tuple[str, ...] = ()
        try:
            trend = trend_of(self.history.runs(begun.key, limit=60))
            async with self._evaluating:
                written = await asyncio.to_thread(
                    write_reports, entry, report, trend, since_last_of(difference, findings)
                )
        except Exception as error:  # noqa: BLE001 - whatever prevents a report must not lose the run
            notes.append(f"the reports could not be written: {failure_of(error).error}")
            code = code or NO_AUDIT
        at = self.clock.now()
        preview = finished_run(self._run(begun), report, difference, code, at)
        ends = credential.ends if credential else ""
        attachments = attachable(entry, written)
        soon = (*expiries_of(report, audited.snapshot, entry.relationships), *self._retention(entry.name, at))
        night = NightOfTenant(
            entry=entry,
            run=msgspec.structs.replace(preview, credential_expires=ends),
            previous=begun.previous,
            difference=difference,
            findings=findings,
            expiries=(credential_expiry(ends), *soon) if ends else soon,
            missed=begun.missed,
            report=report,
            report_path=next(iter(attachments.values()), ""),
            attachments=attachments,
            night=self.started,
        )
        messages, said = self._messages(night, notes)
        run = self.history.finish(
            begun.id,
            report=report,
            snapshot=audited.snapshot,
            difference=difference,
            exit_code=code,
            finished=at,
            messages=messages,
            said=said,
            seconds=self._seconds(begun),
            credential_expires=ends,
        )
        ids = self._log_finished(entry.name, run, report, notes)
        return TenantNight(
            name=entry.name,
            tenant=begun.key,
            exit_code=code,
            run=run,
            answer=report.summary.answer,
            since=last.started if last and difference else "",
            difference=difference.summary if difference else None,
            changes=difference.major if difference else (),
            reports=written,
            missed=begun.missed,
            interrupted=begun.interrupted,
            request_ids=ids,
            notes=tuple(notes),
        )

    def _log_finished(self, tenant: str, run: Run, report: Report, notes: Sequence[str]) -> tuple[str, ...]:
        """Log what couldn't be read, the answer and the notes. Returns Microsoft Graph's ids of the failed requests."""
        ids = tuple(dict.fromkeys(part.request_id for part in report.unread if part.request_id))
        for part in report.unread:
            message = f"{part.section} could not be read: {part.message or part.code or part.status}"
            self.log.info(
                "unread",
                message,
                tenant=tenant,
                run=run.id,
                section=part.section,
                status=part.status,
                request_id=part.request_id,
            )
        self.log.info(
            "run-finished",
            report.summary.answer,
            tenant=tenant,
            run=run.id,
            exit_code=run.exit_code,
            seconds=run.seconds,
            changes=run.changes,
            request_ids=ids,
        )
        for note in notes:
            self.log.notice("note", note, tenant=tenant, run=run.id)
        return ids

    def _retention(self, name: str, now: str) -> tuple[Expiry, ...]:
        """When the history deletes runs of the tenant, if that is soon. It's looked up once a night."""
        keep = self.configuration.keep
        if not self._tells_expiry():
            return ()
        if self._to_delete is None:
            later = (datetime.fromisoformat(now) + timedelta(days=SHORT_EXPIRY_DAYS)).isoformat()
            self._to_delete = self.history.prune(keep, later, dry_run=True)
        expiry = retention_expiry([run for run in self._to_delete if run.name == name], keep, now)
        return (expiry,) if expiry else ()

    def _failed(self, begun: _Begun, failure: Failure) -> TenantNight:
        """Record that there is no audit, and why, with the messages about it."""
        notes: list[str] = []
        at = self.clock.now()
        preview = msgspec.structs.replace(
            self._run(begun), state=RunState.FAILED, error=failure.error, exit_code=NO_AUDIT, finished=at
        )
        night = NightOfTenant(
            entry=begun.entry,
            run=preview,
            previous=begun.previous,
            expiries=expiries_of(None, None, begun.entry.relationships),
            missed=begun.missed,
            night=self.started,
            advice=failure.advice,
        )
        messages, said = self._messages(night, notes)
        run = self.history.fail(
            begun.id,
            error=failure.error,
            exit_code=NO_AUDIT,
            finished=at,
            messages=messages,
            said=said,
            seconds=self._seconds(begun),
        )
        self.log.error("run-failed", failure.error, tenant=begun.entry.name, run=run.id, advice=failure.advice)
        return TenantNight(
            name=begun.entry.name,
            tenant=begun.key,
            exit_code=NO_AUDIT,
            run=run,
            error=failure.error,
            advice=failure.advice,
            missed=begun.missed,
            interrupted=begun.interrupted,
            notes=tuple(notes),
        )

    def _stopped(self, begun: _Begun) -> None:
        """Record that the run was stopped. Nobody is notified of it: somebody asked for it."""
        self.history.fail(
            begun.id,
            error=STOPPED_RUN,
            exit_code=NO_AUDIT,
            finished=self.clock.now(),
            seconds=self._seconds(begun),
        )
        self.log.warning("run-stopped", "The run was stopped", tenant=begun.entry.name, run=begun.id)

    def _run(self, begun: _Begun) -> Run:
        """The run in progress, as messages need it: under the key, which is known before the tenant's id is."""
        return Run(
            id=begun.id,
            tenant=begun.key,
            name=begun.entry.name,
            state=RunState.RUNNING,
            started=begun.started,
            tags=begun.entry.tags,
            tool=TOOL,
        )

    def _messages(self, night: NightOfTenant, notes: list[str]) -> tuple[tuple[OutboxMessage, ...], tuple[Said, ...]]:
        """The messages about the run. A mistake in them must not lose the run."""
        targets = self.configuration.notify
        try:
            said = {one.name: self.history.said(one.name, night.run.tenant) for one in targets}
            return messages_for(targets, night, said, night.run.finished)
        except Exception as error:  # noqa: BLE001 - see above
            notes.append(f"the notifications could not be composed ({type(error).__name__})")
            return (), ()

    def _seconds(self, begun: _Begun) -> float:
        return round(max(0.0, self.clock.seconds() - begun.seconds), 3)


def _compared(
    before: tuple[Report, Snapshot],
    after: tuple[Report, Snapshot],
    earlier: Sequence[Snapshot],
    notes: list[str],
) -> Difference | None:
    try:
        return compare(comparable(*before), comparable(*after), earlier=earlier)
    except DifferentTenants as error:
        notes.append(f"not compared with the last run: {error}")
    except Exception as error:  # noqa: BLE001 - a bug in the comparison must not lose the run
        notes.append(f"not compared with the last run: {failure_of(error).error}")
    return None
