"""``blocked``: who was stopped and who waits, in a live tenant or a snapshot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from auditor.apps.asked_scopes import Description, ScopeSources
from auditor.apps.blocked_sources import SECTIONS_OF
from auditor.apps.blocked_verdict import MOST_PEOPLE
from auditor.apps.predictions import compare_with_logs, concerned
from auditor.apps.stopped_users import blocked
from auditor.checks.kind import CONSENT, TENANT
from auditor.checks.required_reads import further_reads_for_app
from auditor.consent.snapshot_index import index_of
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, is_guid
from auditor.graph.preconnect import run
from auditor.jobs import now
from auditor.jobs.app_survey import DescribedApps
from auditor.jobs.audit import LIVE, abused_lists, answering_about, read_source
from auditor.jobs.audit_request import SILENT, TOOL, AuditRequest, Interaction, Redaction, Source
from auditor.jobs.prediction_reads import EarlierReads, earlier_policies, people_to_compare, users_to_read
from auditor.jobs.tenant_reader import plan_with_user, tenant_session
from auditor.model.blocked import Blocked, BlockedFilter
from auditor.model.decision import Outcome
from auditor.model.document import parse_time, utc_text
from auditor.model.errors import FAILING, OK, UNKNOWN
from auditor.model.report import AbusedAppsList
from auditor.model.snapshot import LiveTenant, Plan, Snapshot

LOG_DAYS = 30
"""How far back a live tenant's logs are read: as long as Microsoft keeps them with a P1 or P2 license."""


class BlockedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to look for, and where.

    `user` is an object id, a user principal name or a display name, `app` a client id or a part of a name. `since` is a
    UTC time as text; `hours` counts back from the time of the read, and 0 means everything that was read.
    With `compares`, the decisions for the users of the logs are compared with what happened, with the policies of
    `earlier` reads where the tenant's own log doesn't say which held. With `most_fixed`, fixes are looked for only for
    so many apps that need attention first. `abused` are your own lists of known abused apps.
    """

    source: Source
    user: str = ""
    app: str = ""
    correlation_id: str = ""
    since: str = ""
    hours: int = 0
    redaction: Redaction | None = None
    compares: bool = False
    earlier: EarlierReads = EarlierReads()
    most_fixed: int | None = None
    abused: tuple[str | AbusedAppsList, ...] = ()


_MANY_APPS = 200
"""From how many apps on somebody waits for their fixes: a few seconds."""


def blocked_users(request: BlockedRequest, interaction: Interaction = SILENT) -> Blocked:
    """Who was stopped and who waits in the tenant of the request.

    Raises SnapshotError, InvalidRequest for an unknown sample, GraphError if a live tenant can't be read, and OSError.
    """
    source, abused = request.source, abused_lists(request.abused)
    if isinstance(source, LiveTenant):
        snapshot, origin = run(_read(source, request, interaction)), LIVE
    else:
        snapshot, origin = read_source(AuditRequest(source=source), (), interaction)
    clients = _clients(snapshot, compares=request.compares)
    if interaction.on_wait and request.most_fixed is None and len(clients) > _MANY_APPS:
        interaction.on_wait(f"Looking for fixes for {len(clients):,} apps…")
    described = described_apps(clients)
    apps = tuple(app for one in described.values() for _, app in one.variants)
    snapshot = answering_about(source, snapshot, apps)
    asked = BlockedFilter(
        user=request.user, app=request.app, correlation_id=request.correlation_id, since=_since(request, snapshot.taken)
    )
    earlier = earlier_policies(request.earlier, snapshot, interaction) if request.compares else ()
    if request.redaction is not None:
        from auditor.jobs.redaction import redactor_for

        redactor = redactor_for(snapshot, apps, request.redaction, (), interaction)
        snapshot, earlier = redactor.snapshot, tuple(map(redactor.other_read, earlier))
        asked = msgspec.structs.replace(asked, user=redactor.part(asked.user), app=redactor.part(asked.app))
        if not origin.startswith(("sample ", "live")):
            origin = "snapshot, redacted"
    found = blocked(snapshot, asked, described, source=origin, tool=TOOL, most_fixed=request.most_fixed, abused=abused)
    if not request.compares:
        return found
    comparison = compare_with_logs(snapshot, earlier, described, asked)
    return msgspec.structs.replace(found, comparison=comparison)


def blocked_exit_code(found: Blocked) -> int:
    """`FAILING` if users would still be stopped or wait, else `UNKNOWN` if that can't be known, else `OK`."""
    still = any(app.now.would_connect is False and app.users for app in found.apps)
    if still or found.summary.waiting:
        return FAILING
    undecided = any(app.now.would_connect is None for app in found.apps)
    return UNKNOWN if undecided or not found.is_complete or found.summary.waiting is None else OK


def _since(request: BlockedRequest, taken: str) -> str:
    if request.since or not request.hours:
        return request.since
    at, back = parse_time(taken), timedelta(hours=request.hours)
    return utc_text(at - back) if at and at - _FIRST >= back else ""


_FIRST = datetime.min.replace(tzinfo=UTC)


def described_apps(client_ids: Iterable[str]) -> dict[str, Description]:
    """What your own packs, the catalogue and the other shipped packs say about these apps, by client id."""
    known = DescribedApps(())
    return {client_id: found for client_id in client_ids if (found := known.about(client_id))}


def _clients(snapshot: Snapshot, *, compares: bool = False) -> tuple[str, ...]:
    """The client ids of the apps to which users were stopped or which they ask for, and of those to compare."""
    stopped = (app.app.client_id for app in blocked(snapshot, with_fixes=False).apps)
    return tuple(dict.fromkeys((*stopped, *(concerned(snapshot).clients if compares else ()))))


async def _read(tenant: LiveTenant, request: BlockedRequest, interaction: Interaction) -> Snapshot:
    async with tenant_session(tenant, blocked_plan(request), interaction) as session:
        return await read_in_steps(session.read, request, now())


async def read_in_steps(read: Callable[..., Awaitable[Snapshot]], request: BlockedRequest, taken: str) -> Snapshot:
    """The snapshot of a live tenant: the logs and requests, and then what decides about the apps in them.

    `read` is `auditor.graph.collect.collect` for the tenant, and `taken` the time of the read.
    """
    snapshot = await read(blocked_plan(request), taken=taken)
    clients = _clients(snapshot, compares=request.compares)
    if clients:
        more = Plan(clients=clients, users=_reviewers(snapshot))
        snapshot = await read(more, taken=taken, onto=snapshot)
        for further in (_further_reads, _people_in_question):
            if not (plan := further(snapshot, clients)).is_empty:
                snapshot = await read(plan, taken=taken, onto=snapshot)
    if request.compares and not (plan := people_to_compare(snapshot)).is_empty:
        snapshot = await read(plan, taken=taken, onto=snapshot)
    return snapshot


def blocked_plan(request: BlockedRequest) -> Plan:
    """What to read of a live tenant first: what decides about consent, the requests and the logs.

    If the app is given by its client id, only what is about it, as far as Graph can filter. Its cost grows with the
    failed sign-ins and with the consents, not with the directory. A comparison needs all of the logs that there is.
    """
    client = request.app.lower() if is_guid(request.app) and not request.compares else ""
    logs = tuple(SECTIONS_OF.values())
    plan = TENANT.union(CONSENT).union(
        Plan(
            sections=("directorySettings", *(logs if client else ())),
            clients=(client,) if client else (),
            resources=(MICROSOFT_GRAPH, EXCHANGE_ONLINE),
            whole=() if client else logs,
            log_days=_days(request),
            log_user=request.user if _names_user(request.user) else "",
            log_correlation=request.correlation_id,
        )
    )
    return plan_with_user(plan, request.user) if _names_user(request.user) else plan


def _names_user(name: str) -> bool:
    """Whether Graph can look the user up by this name; it can't by a display name."""
    return "@" in name or is_guid(name)


def _days(request: BlockedRequest) -> int:
    """How many days of the logs to read."""
    if request.compares:
        return LOG_DAYS
    since, at = parse_time(request.since) if request.since else None, parse_time(now())
    if since and at:
        return max((at - since).days + 1, 1)
    return -(-request.hours // 24) or LOG_DAYS


_MOST_REVIEWERS = 20


def _reviewers(snapshot: Snapshot) -> tuple[str, ...]:
    """The ids of the users who review requests, to show their names."""
    policy = snapshot.sections.adminConsentRequestPolicy
    queries = [one.query.partition("/users/")[2] for one in (policy.reviewers if policy else None) or ()]
    return tuple(name for name in queries if is_guid(name))[:_MOST_REVIEWERS]


def _people_in_question(snapshot: Snapshot, clients: Iterable[str]) -> Plan:
    """The people who were stopped, where whether an app connects depends on who its user is."""
    made = blocked(snapshot, described=described_apps(clients), with_fixes=False)
    depends = [app for app in made.apps if app.now.outcome is Outcome.DEPENDS and len(app.people) <= MOST_PEOPLE]
    return users_to_read(snapshot, (one.id for app in depends for one in app.people))


def _further_reads(snapshot: Snapshot, clients: Iterable[str]) -> Plan:
    """The resources that the apps ask for, and what their decisions also need."""
    index = index_of(snapshot)
    described: Mapping[str, Description] = described_apps(clients)
    scopes = ScopeSources(index, described)
    plan, resources = Plan(), dict[str, None]()
    for client_id in clients:
        app = scopes.asked(client_id, "").app
        named = (*app.default_resources, *(need.resource for need in app.scopes))
        resources.update(dict.fromkeys(index.resource_id(one) for one in named))
        plan = plan.union(further_reads_for_app(index, app))
    read = snapshot.sections.delegatedPermissionClassifications or {}
    tried = {name.partition("/")[2].lower() for name in snapshot.unread}
    unread = (one for one in resources if is_guid(one) and one not in read and one not in tried)
    return plan.union(Plan(resources=tuple(unread)))
