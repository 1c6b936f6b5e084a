"""Each tenant's last run from the history, its place in the queue, and when it's due again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from msgspec import structs

from auditor.facts.ids import is_guid
from auditor.jobs.audit_request import TOOL, Interaction, Redaction
from auditor.jobs.customer_lists import with_customers
from auditor.jobs.fleet_queue import AUDIT, queue_place
from auditor.jobs.fleet_slots import KEPT_LIST_HOURS
from auditor.jobs.kept_runs import named_history
from auditor.jobs.night_setup import chosen_tenants, tenant_key
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.redaction import redaction_key
from auditor.jobs.secret_references import Secrets
from auditor.model.configuration import Configuration, TenantEntry
from auditor.model.document import count
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN, AuditorError
from auditor.model.fleet_tenants import FleetState, QueueState, TenantStatus
from auditor.model.history import Run, RunState
from auditor.model.night import missed_starts, next_start, slot_at
from auditor.redact.tokens import TokenMaker

if TYPE_CHECKING:
    from auditor.history.queue_tables import WaitingJob


def fleet_state(
    path: str,
    *,
    now: str,
    history: str = "",
    tenants: Sequence[str] = (),
    tags: Sequence[str] = (),
    failing: bool = False,
    secrets: Secrets | None = None,
) -> FleetState:
    """The tenants of the configuration `path`, or those with these names and one of these tags.

    `history` is a file in place of the configuration's. With `failing`, only tenants that need attention are in it. A
    history or queue that can't be read leaves its part unknown, and `problems` says so. Raises ConfigurationError, and
    InvalidRequest for an unknown name or tag.
    """
    configuration, secrets = load_configuration(path), secrets or Secrets()
    problems: list[str] = []
    with ExitStack() as stack:
        kept, place = None, ""
        try:
            kept = stack.enter_context(named_history(history, path).open(secrets))
            place = kept.place
        except AuditorError as error:
            problems.append(f"The last runs aren't known: {error}")
        listed = with_customers(configuration, secrets, kept, now=now, at_most_hours_old=KEPT_LIST_HOURS)
        problems += [f"{one.source} could not be read: {one.error}" for one in listed.lists if one.error]
        entries = chosen_tenants(listed.configuration, tenants, tags)
        queue, waiting = _queue(configuration, secrets, problems) if not history else ("", {})
        newest = kept.newest_runs() if kept else ()
        ended = (one.last for one in newest if one.last is not None)
        last = _by_tenant((*ended, *(kept.unended() if kept else ())))
        audited = _by_tenant(one.audit for one in newest if one.audit is not None)
        found = tuple(
            _state(entry, configuration, now, _of(entry, last), _of(entry, audited), waiting.get(entry.name))
            for entry in entries
        )
    shown = tuple(one for one in found if one.needs_attention or not failing)
    return FleetState(
        tool=TOOL,
        at=now,
        configuration=configuration.file,
        history=place,
        queue=queue,
        answer=fleet_answer(found, is_known=bool(place)),
        tenants=shown,
        left_out=len(found) - len(shown),
        problems=tuple(problems),
    )


def _by_tenant(runs: Iterable[Run]) -> dict[str, Run]:
    """The runs by the tenant's id and by its name."""
    found: dict[str, Run] = {}
    for run in runs:
        found[run.name] = run
        found[run.tenant] = run
    return found


def _of(entry: TenantEntry, runs: Mapping[str, Run]) -> Run | None:
    """The run of a tenant: by its id if the configuration has it, else by its name."""
    return runs.get(tenant_key(entry)) or (None if is_guid(entry.tenant) else runs.get(entry.name))


def _queue(configuration: Configuration, secrets: Secrets, problems: list[str]) -> tuple[str, dict[str, WaitingJob]]:
    """The database of the queue, and what waits in it; nothing for a history in a file, which has no queue."""
    if configuration.history.url is None:
        return "", {}
    try:
        server = queue_place(configuration, secrets)
        from auditor.history.queue_tables import waiting_jobs

        return server.label, {one.tenant: one for one in waiting_jobs(server, AUDIT)}
    except AuditorError as error:
        problems.append(f"What waits in the queue isn't known: {error}")
        return "", {}


def _state(
    entry: TenantEntry,
    configuration: Configuration,
    now: str,
    last: Run | None,
    audited: Run | None,
    waiting: WaitingJob | None,
) -> TenantStatus:
    hours, minute = configuration.schedule_hours, configuration.schedule_minute
    due = next_start(slot_at(now, hours, minute), hours) if minute is not None else ""
    return TenantStatus(
        name=entry.name,
        tenant=tenant_key(entry),
        tags=entry.tags,
        listed_by=entry.listed_by,
        last=last.started if last else "",
        state=last.state if last else None,
        exit_code=last.exit_code if last else None,
        error=last.error if last else "",
        audited=audited.started if audited else "",
        decisions=audited.decisions if audited else (),
        missed=len(missed_starts(last.started, now, hours)) if last else 0,
        next=due or (next_start(last.started, hours) if last else ""),
        queue=_queue_state(waiting) if waiting else None,
        attempts=waiting.attempts if waiting else 0,
    )


def _queue_state(waiting: WaitingJob) -> QueueState:
    if waiting.status == "doing":
        return QueueState.RUNNING
    if waiting.status == "failed":
        return QueueState.GIVEN_UP
    return QueueState.RETRYING if waiting.attempts else QueueState.WAITING


def fleet_answer(tenants: Iterable[TenantStatus], *, is_known: bool) -> str:
    """How many tenants fail, pass and so on, each counted once; `is_known` says whether a history was read."""
    found = tuple(tenants)
    if not is_known:
        return f"{count(len(found), 'tenant')}; when and how they were audited isn't known."
    codes = [one.exit_code for one in found]
    parts = [
        (codes.count(FAILING), "fails", "fail"),
        (codes.count(NO_AUDIT), "could not be audited", "could not be audited"),
        (codes.count(UNKNOWN), "is unknown", "are unknown"),
        (codes.count(OK), "passes", "pass"),
        (
            sum(one.state is RunState.FINISHED and one.exit_code is None for one in found),
            "is not known",
            "are not known",
        ),
        (sum(one.state is RunState.INTERRUPTED for one in found), "was interrupted", "were interrupted"),
        (sum(one.state is RunState.RUNNING for one in found), "has not ended", "have not ended"),
        (sum(one.state is None for one in found), "was never audited", "were never audited"),
    ]
    said = ", ".join(f"{number} {one if number == 1 else many}" for number, one, many in parts if number)
    queued = sum(one.queue not in (None, QueueState.GIVEN_UP) for one in found)
    more = f" {count(queued, 'tenant')} in the queue." if queued else ""
    return f"{count(len(found), 'tenant')}: {said}.{more}" if found else "The configuration has no tenants."


def redacted_state(found: FleetState, redaction: Redaction, interaction: Interaction) -> FleetState:
    """The state with tokens for the tenants, and without tags, error texts and places.

    Raises SnapshotError for a file that isn't a key file, and OSError.
    """
    tokens = TokenMaker(redaction_key(redaction.key_file, interaction))
    problems = ("Something could not be read.",) if found.problems else ()
    return structs.replace(
        found,
        redacted=True,
        configuration="",
        history="",
        queue="a queue" if found.queue else "",
        tenants=tuple(_redacted(one, tokens) for one in found.tenants),
        problems=problems,
    )


def _redacted(one: TenantStatus, tokens: TokenMaker) -> TenantStatus:
    name = tokens.name("Tenant", one.name)
    tenant = tokens.guid(one.tenant) if is_guid(one.tenant) else name
    error = "left out of a redacted document" if one.error else ""
    decisions = tuple(structs.replace(each, because="") for each in one.decisions)
    return structs.replace(one, name=name, tenant=tenant, tags=(), listed_by="", error=error, decisions=decisions)
