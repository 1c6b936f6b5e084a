"""The nightly run: every tenant, then the notifications, the retention, the heartbeat and the metrics."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.jobs.audit_request import TOOL
from auditor.jobs.customer_lists import with_customers
from auditor.jobs.fleet_reads import failure_of
from auditor.jobs.heartbeat import Heartbeat
from auditor.jobs.kept_runs import open_place
from auditor.jobs.night_metrics import LastRuns, metrics_text
from auditor.jobs.night_setup import NightParts, Stopped, chosen_tenants, tenant_key
from auditor.jobs.tenant_runs import run_tenants
from auditor.model.configuration import EMPTY_CSV, Configuration, Event, HistoryPlace, TenantEntry
from auditor.model.errors import NO_AUDIT, STOPPED, TERMINATED, AuditorError
from auditor.model.history import Run, RunState
from auditor.model.night import ListNight, Night, TenantNight, exit_code_of, missed_starts, seconds_between
from auditor.model.notification import Delivery, DeliveryState, NightOfTenant
from auditor.notify import deliver, messages_for
from auditor.notify.expiries import credential_expiry
from auditor.notify.selection import events_of
from auditor.render.customer_lists import list_lines, list_night
from auditor.render.night import answer_of

if TYPE_CHECKING:
    from auditor.history import History
    from auditor.jobs.secret_references import Secrets
    from auditor.notify.delivery import Send


def new_night_id() -> str:
    """The id of a night: a UUID, which healthchecks.io requires as the id of a run."""
    return str(uuid.uuid4())


def open_configured_history(place: HistoryPlace, secrets: Secrets) -> History:
    """The history of the configuration. Raises HistoryError, SecretError and HistoryUnavailable."""
    return open_place(place, secrets)


def run_night(
    configuration: Configuration,
    parts: NightParts,
    *,
    night: str = "",
    only: Sequence[str] = (),
    metrics: str = "",
    send: Send | None = None,
) -> Night:
    """Run the tenants of the configuration, or those named in `only`, and everything that follows.

    `night` is its id, and `metrics` a file in place of the configuration's. `send` replaces the sending of messages.
    Raises InvalidRequest and PackError before anything runs, and `Stopped` or KeyboardInterrupt if it's asked to end,
    after the runs in progress were marked. Whatever else goes wrong is in the result.
    """
    started, identity = parts.clock.now(), night or new_night_id()
    configuration, _ = with_customers(
        configuration,
        parts.secrets,
        parts.history,
        now=started,
        record=True,
        interaction=parts.interaction,
        stopping=parts.stopping,
    )
    chosen = chosen_tenants(configuration, only)
    opened = OpenNight(configuration, parts, identity, started)
    opened.begin(len(chosen))
    try:
        tenants = run_tenants(configuration, parts, identity, only)
    except (Stopped, KeyboardInterrupt) as stopped:
        opened.stop(TERMINATED if isinstance(stopped, Stopped) else STOPPED)
        raise
    return opened.close(tenants, metrics=metrics, send=send)


class OpenNight:
    """What a night does besides its tenants, before and after them. What goes wrong becomes a sentence in `problems`.

    One process can `begin` it and another one `close` it: each makes its own of the same id and start.
    """

    def __init__(self, configuration: Configuration, parts: NightParts, night: str, started: str) -> None:
        self.configuration = configuration
        self.parts = parts
        self.night = night
        self.started = started
        self.lists = tuple(map(list_night, configuration.lists))
        self.problems = [f"{one.problem} {EMPTY_CSV}" for one in configuration.csv_files if one.problem]
        self._since: float | None = None
        self._called: Heartbeat | None = None

    def begin(self, tenants: int) -> None:
        """Say that the night starts, in the log and to the heartbeat."""
        self._since = self.parts.clock.seconds()
        self.parts.log.info("night-started", f"The run of {self.configuration.file} starts", tenants=tenants)
        self.report_lists()
        self._called = self.heartbeat()
        if self._called:
            self.report(self._called.started())

    def report_lists(self) -> None:
        """Log what was found in the lists of customers, and put messages about it into the outbox."""
        for one in self.lists:
            if one.error:
                self.parts.log.notice("list-failed", f"{one.name}: {one.error}", list=one.source, advice=one.advice)
            else:
                log = self.parts.log.notice if one.gone or one.notes else self.parts.log.info
                message = " ".join((f"{one.name}:", *list_lines(one)))
                log("list-read", message, list=one.source, customers=one.customers, new=one.new, gone=one.gone)
            self._notify_of(one)

    def _notify_of(self, found: ListNight) -> None:
        """Put messages into the outbox: a list can't be read, or can be read again, or its credential ends soon."""
        history = self.parts.history
        tags = next((one.customer.tags for one in self.configuration.sources if one.key == found.source), ())
        run = Run(
            id="list",
            tenant=found.source,
            name=found.name,
            state=RunState.FAILED if found.error else RunState.FINISHED,
            started=self.started,
            error=found.error,
        )
        ends = found.credential_expires
        night = NightOfTenant(
            entry=TenantEntry(name=found.name, tags=tags),
            run=run,
            expiries=(credential_expiry(ends, "The credential that lists the customers"),) if ends else (),
            advice=found.advice,
            night=self.started,
            is_list=True,
        )
        # There is nothing to say about a list every night.
        targets = [
            msgspec.structs.replace(one, on=tuple(events_of(one) - {Event.ALWAYS})) for one in self.configuration.notify
        ]
        try:
            said = {one.name: history.said(one.name, found.source) for one in targets}
            messages, entries = messages_for(targets, night, said, self.parts.clock.now())
            history.keep_said(entries, messages)
        except (AuditorError, OSError) as error:
            self._problem("not-delivered", f"the message about {found.name} was not kept: {failure_of(error).error}")

    def stop(self, code: int) -> None:
        """Say to the heartbeat that the night was stopped."""
        if self._called:
            self._called.ended(code, "The run was stopped.")

    def close(self, tenants: tuple[TenantNight, ...], *, metrics: str = "", send: Send | None = None) -> Night:
        """Deliver the messages, delete old runs, write the dashboard and the metrics, and call the heartbeat.

        Each step can be repeated: a night whose end was interrupted is closed again. `metrics` and `send` are those of
        `run_night`.
        """
        heartbeat = self._called if self._since is not None else self.heartbeat()
        deliveries = tuple(self.deliveries(send))
        pruned = self.pruned()
        self.write_site()
        finished = self.parts.clock.now()
        codes = (*(one.exit_code for one in tenants), *(NO_AUDIT for one in self.lists if one.error))
        result = Night(
            id=self.night,
            tool=TOOL,
            configuration=self.configuration.file,
            history=self.parts.history.place,
            started=self.started,
            finished=finished,
            seconds=self._seconds(finished),
            exit_code=exit_code_of(codes),
            lists=self.lists,
            tenants=tenants,
            deliveries=deliveries,
            pruned=pruned,
            problems=tuple(self.problems),
        )
        if heartbeat:
            self.report(heartbeat.ended(result.exit_code, answer_of(result)))
        result = msgspec.structs.replace(result, problems=tuple(self.problems))
        self.write_metrics(result, metrics or self.configuration.metrics)
        result = msgspec.structs.replace(result, problems=tuple(self.problems))
        self.parts.log.info("night-finished", answer_of(result), exit_code=result.exit_code, seconds=result.seconds)
        return result

    def _seconds(self, finished: str) -> float:
        """How long the night took: by a clock that never jumps, or where another process began it, by its times."""
        if self._since is not None:
            return round(max(0.0, self.parts.clock.seconds() - self._since), 3)
        return seconds_between(self.started, finished)

    def heartbeat(self) -> Heartbeat | None:
        """The heartbeat, if the configuration has one that can be called."""
        if self.configuration.heartbeat is None:
            return None
        try:
            return Heartbeat(self.parts.secrets.value(self.configuration.heartbeat), self.night)
        except AuditorError as error:
            self._problem("heartbeat-failed", f"the heartbeat was not called: {error}")
            return None

    def report(self, problem: str) -> None:
        """Report what went wrong with the heartbeat, if anything did."""
        if problem:
            self._problem("heartbeat-failed", problem)

    def deliveries(self, send: Send | None) -> Iterator[Delivery]:
        """Send what waits in the outbox, also from earlier nights."""
        history, clock = self.parts.history, self.parts.clock
        try:
            if not self.configuration.notify and not history.pending(clock.now()):
                return
            for delivery in deliver(history, self._addresses(), clock.now(), send):
                if delivery.state is not DeliveryState.SENT:
                    problem = f"the notification of {delivery.target} was not delivered: {delivery.error}"
                    self._problem("not-delivered", problem, message_id=delivery.id)
                else:
                    self.parts.log.info("delivered", delivery.title, target=delivery.target, message_id=delivery.id)
                yield delivery
        except (AuditorError, OSError) as error:
            self._problem("not-delivered", f"the notifications were not delivered: {failure_of(error).error}")

    def _addresses(self) -> dict[str, str]:
        addresses: dict[str, str] = {}
        for target in self.configuration.notify:
            try:
                addresses[target.name] = self.parts.secrets.value(target.url)
            except AuditorError as error:
                self._problem("not-delivered", f"the address of {target.name} can't be read: {error}")
        return addresses

    def pruned(self) -> int:
        """Delete the runs that the configuration doesn't keep, and return their number."""
        try:
            return len(self.parts.history.prune(self.configuration.keep, self.parts.clock.now()))
        except AuditorError as error:
            self._problem("not-pruned", f"old runs were not deleted: {error}")
            return 0

    def write_site(self) -> None:
        """Update the dashboard of all tenants of the history, if the configuration has a folder for it."""
        if not self.configuration.site:
            return
        from auditor.jobs.history_site import update_site

        now, hours = self.parts.clock.now(), self.configuration.schedule_hours
        try:
            made = update_site(self.parts.history, self.configuration.site, now=now, schedule_hours=hours)
            self.parts.log.info("site-written", f"The dashboard is {made.path}", files=made.written)
        except (AuditorError, OSError) as error:
            self._problem("no-site", f"the dashboard could not be written: {failure_of(error).error}")

    def write_metrics(self, night: Night, path: str) -> None:
        """Replace the file of metrics in one step. Everybody can read a new file, as its collector needs to."""
        if not path:
            return
        from auditor.atomic import remove_leftovers, write_whole

        remove_leftovers(Path(path).parent)
        try:
            text = metrics_text(night, tuple(self._states()), self.configuration.schedule_hours)
            is_new = not Path(path).exists()
            write_whole(path, text.encode(), keep_mode=True)
            if is_new and Path(path).is_file():
                Path(path).chmod(0o644)
        except (AuditorError, OSError) as error:
            self._problem("no-metrics", f"the metrics could not be written: {failure_of(error).error}")

    def _states(self) -> Iterator[LastRuns]:
        """Every tenant of the configuration, also those that this run left out."""
        history = self.parts.history
        for entry in self.configuration.tenants:
            key = tenant_key(entry)
            runs = history.runs(key, limit=2)
            last, finished = (runs[0] if runs else None), history.last_finished(key)
            missed = 0
            if len(runs) > 1:
                missed = len(missed_starts(runs[1].started, runs[0].started, self.configuration.schedule_hours))
            if last is not None and last.state is RunState.RUNNING:
                last = None
            findings = history.findings(finished.id) if finished else ()
            yield LastRuns(entry.name, last, finished, findings, missed)

    def _problem(self, event: str, message: str, **fields: str) -> None:
        self.problems.append(message)
        self.parts.log.warning(event, message, **fields)
