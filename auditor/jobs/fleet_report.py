"""``fleet report``: the answer over many tenants, from the history, from tenants read now, or from files.

Reports are made or loaded one at a time, and of each only its answers are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from auditor.facts.ids import is_guid
from auditor.fleet.answer import Fleet, fleet_report
from auditor.fleet.freshness import ONE_DAY, RUN_AGAIN, STALE_AFTER_RUNS, freshness, oldest_start
from auditor.fleet.tenant_audit import EarlierAudit, TenantAudit, with_common_apps
from auditor.jobs.app_catalog import app_named, pack_reference
from auditor.jobs.audit import LIVE, evaluate
from auditor.jobs.audit_request import SILENT, TOOL, Interaction
from auditor.jobs.customer_lists import ListedConfiguration, with_customers
from auditor.jobs.fleet_audits import About, AppChoice, AuditMaker, FleetRequest
from auditor.jobs.kept_runs import named_history
from auditor.jobs.night_setup import chosen_tenants, prepared_audits, tenant_key
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.secret_references import Secrets
from auditor.model.configuration import Configuration, TenantEntry
from auditor.model.customers import CustomerList
from auditor.model.decision import AppRef
from auditor.model.document import count, first_of, sentence, series
from auditor.model.errors import NO_AUDIT, AuditorError, InvalidRequest
from auditor.model.fleet import AuditState, FleetReport, FleetSource
from auditor.model.history import NewestRuns, Run
from auditor.model.notification import Expiry
from auditor.notify.expiries import credential_expiry

if TYPE_CHECKING:
    from auditor.history import History

_MOST_NAMED = 5


def report_on_fleet(request: FleetRequest, interaction: Interaction = SILENT) -> FleetReport:
    """The answer over all tenants of the request.

    What can't be read of a tenant is in the report. Raises InvalidRequest, PackError, ConfigurationError, HistoryError,
    HistoryUnavailable and SecretError for what stops all of it.
    """
    if request.snapshots:
        from auditor.jobs.fleet_files import audits_of_files

        return audits_of_files(request, interaction)
    if request.live:
        return _live(request, interaction)
    if request.packs:
        raise InvalidRequest(
            "--pack judges snapshots and tenants that are read now, and the history holds what nightly judged:"
            " add --live or --snapshot, or leave out --pack"
        )
    named = named_history(request.history, request.config)
    secrets = Secrets()
    with named.open(secrets) as history:
        configuration = _configuration(request)
        listed = None
        if configuration is not None:
            # The report is about the last night, and so are its customers: the partner isn't asked again.
            listed = with_customers(
                configuration,
                secrets,
                history,
                now=request.at,
                at_most_hours_old=(named.schedule_hours or ONE_DAY) * STALE_AFTER_RUNS,
                interaction=interaction,
            )
        return fleet_of_history(
            history, request, listed=listed, schedule_hours=named.schedule_hours, interaction=interaction
        )


def _configuration(request: FleetRequest) -> Configuration | None:
    """The configuration whose tenants are to be reported on; none if there is none, or if only a history was named."""
    if request.history and not request.config:
        return None
    from auditor.jobs.nightly_config import configuration_path, load_configuration

    try:
        path = configuration_path(request.config)
    except InvalidRequest:
        if request.config:
            raise
        return None
    return load_configuration(path) if request.config or Path(path).is_file() else None


# ---- From the history -----------------------------------------------------------------------------------------------


class _Expected(NamedTuple):
    """A tenant to report on: its entry in the configuration, if there is one, and its runs, if there are any."""

    entry: TenantEntry | None
    runs: NewestRuns | None

    @property
    def name(self) -> str:
        """What the configuration calls it, or else the history."""
        return self.entry.name if self.entry else self.runs.name if self.runs else ""


def fleet_of_history(
    history: History,
    request: FleetRequest,
    *,
    listed: ListedConfiguration | None = None,
    schedule_hours: float | None = None,
    interaction: Interaction = SILENT,
) -> FleetReport:
    """The answer from the last finished run of each tenant, and what changed since an earlier one.

    With a configuration, the tenants are its tenants; else all of the history. Raises HistoryError, and InvalidRequest
    for a name or tag that no tenant has.
    """
    maker = AuditMaker(AppChoice(request.apps), request.redaction, interaction)
    runs = history.newest_runs(request.since)
    expected, notes = _expected(runs, request, listed)
    oldest = oldest_start(request.at, schedule_hours)
    asked = _AskedApps()
    audits: list[TenantAudit] = []
    for number, one in enumerate(expected):
        if interaction.progress:
            interaction.progress("tenants", number, len(expected))
        audits.append(_of_runs(history, one, maker, oldest, asked))
    if interaction.progress:
        interaction.progress("tenants", len(expected), len(expected))
    if listed is None:
        audits = list(with_common_apps(audits))
    _must_have_apps(audits, request)
    place = "" if maker.redacts else history.place
    lists = _redacted_lists(maker, listed.lists if listed else ())
    fleet = Fleet(
        tool=TOOL,
        at=request.at,
        source=FleetSource.HISTORY,
        place=place,
        since=request.since,
        redacted=maker.redacts,
        lists=lists,
        notes=notes,
    )
    return fleet_report(audits, fleet)


def _expected(
    runs: Sequence[NewestRuns], request: FleetRequest, listed: ListedConfiguration | None
) -> tuple[list[_Expected], tuple[str, ...]]:
    """The tenants to report on, and sentences on those that are left out."""
    if listed is None:
        return [_Expected(None, one) for one in _chosen_runs(runs, request)], ()
    entries = chosen_tenants(listed.configuration, request.tenants, request.tags)
    by_key = {one.key.lower(): one for one in runs}
    by_id = {one.tenant.lower(): one for one in runs}
    by_name = {one.name.lower(): one for one in runs}
    made = [
        _Expected(
            entry,
            by_key.get(tenant_key(entry).lower()) or by_id.get(entry.tenant.lower()) or by_name.get(entry.name.lower()),
        )
        for entry in entries
    ]
    if request.tenants or request.tags:
        return made, ()
    used = {id(one.runs) for one in made}
    others = [one.name for one in runs if id(one) not in used]
    if not others:
        return made, ()
    names = "" if request.redaction else f": {series(first_of(others, _MOST_NAMED))}"
    one = "that isn't in the configuration is" if len(others) == 1 else "that aren't in the configuration are"
    return made, (f"{count(len(others), 'tenant')} of the history {one} left out{names}.",)


def _chosen_runs(runs: Sequence[NewestRuns], request: FleetRequest) -> Iterator[NewestRuns]:
    """The tenants of a history without a configuration. Raises InvalidRequest for a name or tag that none has."""
    wanted = {name.lower() for name in request.tenants}
    known = {name.lower() for one in runs for name in (one.name, one.key, one.tenant)}
    if unknown := wanted - known:
        names = ", ".join(one.name for one in runs[:_MOST_NAMED])
        raise InvalidRequest(f"--tenant: the history has no tenant {series(sorted(unknown), 'or')}; it has {names}")
    tags = {tag.lower() for tag in request.tags}
    tags_of = {one.key: {tag.lower() for tag in (one.last.tags if one.last else ())} for one in runs}
    if tags and not any(tags & each for each in tags_of.values()):
        every = sorted({tag for each in tags_of.values() for tag in each})
        which = f"the tags are {', '.join(every)}" if every else "there are no tags"
        raise InvalidRequest(f"--tag: no tenant has {series(request.tags, 'or')}; {which}")
    for one in runs:
        if wanted and not wanted & {one.name.lower(), one.key.lower(), one.tenant.lower()}:
            continue
        if not tags or tags & tags_of[one.key]:
            yield one


def _of_runs(history: History, one: _Expected, maker: AuditMaker, oldest: str, asked: _AskedApps) -> TenantAudit:
    """The audit of a tenant from its runs."""
    entry, runs = one.entry, one.runs
    last, audit = (runs.last, runs.audit) if runs else (None, None)
    tags = entry.tags if entry else last.tags if last else ()
    about = About(
        name=one.name,
        tags=tags,
        started=audit.started if audit else "",
        exit_code=last.exit_code if last else None,
        asked=asked.of(entry) if entry else (),
    )
    named = runs.tenant if runs else entry.tenant if entry else ""
    tenant_id = named if is_guid(named) else ""
    state, problem, advice = freshness(last, audit, oldest)
    about = about._replace(state=state, problem=problem, advice=advice)
    if runs is None or audit is None:
        return maker.without_audit(about, tenant_id)
    try:
        if maker.redacts:
            report, snapshot = history.comparable_parts(audit.id)
        else:
            report, snapshot = history.report(audit.id, with_grants=False), None
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError) as error:
        problem = f"The kept report can't be read by this version ({type(error).__name__})."
        made = about._replace(state=AuditState.UNREADABLE, problem=problem, advice=RUN_AGAIN)
        return maker.without_audit(made, tenant_id)
    about = about._replace(since=runs.since, **_since(history, runs.before, audit), expiries=_credential(audit))
    return maker.audit(report, about, snapshot)


def _since(history: History, before: Run | None, audit: Run) -> dict[str, Any]:
    """The earlier audit, and what changed since then."""
    if before is None:
        return {}
    changes = history.changes_between(before.id, audit.id)
    findings = {one.fingerprint: one.outcome for one in history.findings(before.id)}
    earlier = EarlierAudit(before.taken or before.started, before.decisions, findings)
    return {"earlier": earlier, "changes": changes}


def _credential(audit: Run) -> tuple[Expiry, ...]:
    return (credential_expiry(audit.credential_expires),) if audit.credential_expires else ()


class _AskedApps:
    """The apps that a tenant is to be audited for. Most tenants of a fleet have the same packs, loaded once."""

    def __init__(self) -> None:
        self._by_packs: dict[tuple[str, ...], tuple[AppRef, ...]] = {}

    def of(self, entry: TenantEntry) -> tuple[AppRef, ...]:
        """The apps of an entry of the configuration. Raises PackError."""
        if entry.packs not in self._by_packs:
            packs = [pack for pack in chosen_packs(entry.packs, required=False) if pack.app]
            clients = [pack.app.client_id.lower() for pack in packs if pack.app]
            self._by_packs[entry.packs] = tuple(
                AppRef(
                    name=pack.app.name,
                    client_id=pack.app.client_id,
                    variant=pack.name if clients.count(pack.app.client_id.lower()) > 1 else "",
                )
                for pack in packs
                if pack.app
            )
        own = tuple(AppRef(name=app.name, client_id=app.client_id) for app in entry.apps)
        return (*self._by_packs[entry.packs], *own)


def _must_have_apps(audits: Sequence[TenantAudit], request: FleetRequest) -> None:
    """Raise InvalidRequest if no tenant has any of the apps that the report is limited to."""
    if request.apps and audits and not any(one.apps or one.asked for one in audits):
        raise InvalidRequest(
            f"--app: no tenant was audited for {series(request.apps, 'or')}: add its pack to the configuration, or"
            " judge the tenants now with --live"
        )


def _redacted_lists(maker: AuditMaker, lists: Sequence[CustomerList]) -> tuple[CustomerList, ...]:
    """The lists, with tokens for the names of customers, relationships and partners if names are redacted."""
    if not maker.redacts:
        return tuple(lists)
    return tuple(
        msgspec.structs.replace(
            one,
            source=one.kind.value,
            error="see the report with names" if one.error else "",
            advice="",
            notes=(),
            customers=tuple(
                msgspec.structs.replace(
                    customer,
                    tenant=maker.id(customer.tenant),
                    name=maker.name(customer.name),
                    label=maker.name(customer.label or customer.name),
                    relationships=tuple(
                        msgspec.structs.replace(relationship, id="", name="with the customer")
                        for relationship in customer.relationships
                    ),
                )
                for customer in one.customers
            ),
        )
        for one in lists
    )


# ---- Read now -------------------------------------------------------------------------------------------------------


def _live(request: FleetRequest, interaction: Interaction) -> FleetReport:
    """The answer from tenants that are read now. Nothing is kept in the history."""
    from auditor.jobs.fleet_reads import TenantRead, read_fleet
    from auditor.jobs.nightly_config import configuration_path, load_configuration

    secrets = Secrets()
    configuration = load_configuration(configuration_path(request.config))
    listed = with_customers(configuration, secrets, now=request.at, interaction=interaction)
    entries = chosen_tenants(listed.configuration, request.tenants, request.tags)
    packs = (*request.packs, *(pack_reference(app_named(name)) for name in request.apps))
    prepared = prepared_audits(_judged_by(entry, packs) for entry in entries)
    maker = AuditMaker(AppChoice(), request.redaction, interaction)
    asked = _AskedApps()

    def audit_of(read: TenantRead) -> TenantAudit:
        entry = read.entry
        about = About(name=entry.name, tags=entry.tags, asked=asked.of(_judged_by(entry, packs)))
        if read.snapshot is None:
            failure = read.failure
            problem = sentence(failure.error if failure else "it could not be read")
            advice = failure.advice if failure else ""
            made = about._replace(state=AuditState.FAILED, problem=problem, advice=advice, exit_code=NO_AUDIT)
            return maker.without_audit(made, entry.tenant)
        try:
            report = evaluate(read.prepared, read.snapshot, LIVE).report
        except AuditorError as error:
            made = about._replace(
                state=AuditState.FAILED, problem=sentence(error.problem), advice=error.advice, exit_code=NO_AUDIT
            )
            return maker.without_audit(made, entry.tenant)
        ends = read.credential.ends if read.credential else ""
        expiries = (credential_expiry(ends),) if ends else ()
        return maker.audit(report, about._replace(expiries=expiries), read.snapshot)

    jobs = list(zip((_judged_by(entry, packs) for entry in entries), prepared, strict=True))
    audits = read_fleet(jobs, secrets, audit_of, concurrency=configuration.concurrency, interaction=interaction)
    fleet = Fleet(
        tool=TOOL,
        at=request.at,
        source=FleetSource.LIVE,
        place="" if maker.redacts else configuration.file,
        redacted=maker.redacts,
        lists=_redacted_lists(maker, listed.lists),
    )
    return fleet_report(audits, fleet)


def _judged_by(entry: TenantEntry, packs: tuple[str, ...]) -> TenantEntry:
    """The entry with these packs in place of those of the configuration, if there are any."""
    return msgspec.structs.replace(entry, packs=packs, apps=()) if packs else entry
