"""``apps survey``: every app of a tenant, live or from a snapshot, with what packs and the catalogue say about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from auditor.apps.asked_scopes import Description
from auditor.apps.survey import KnownApps, apps_in, clients_in, survey
from auditor.apps.survey_filters import matches_name
from auditor.checks.kind import CONSENT, TENANT
from auditor.checks.required_reads import further_reads_for_app
from auditor.consent.snapshot_index import index_of
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, RESOURCES, is_guid
from auditor.graph.preconnect import run
from auditor.jobs.audit import read_source
from auditor.jobs.audit_request import SILENT, TOOL, AuditRequest, Interaction, Redaction, Source
from auditor.jobs.pack_selection import chosen_packs, shipped_packs
from auditor.jobs.tenant_reader import now, tenant_session
from auditor.model.errors import FAILING, OK, UNKNOWN, InvalidRequest
from auditor.model.rule import App, Pack
from auditor.model.snapshot import LiveTenant, Plan, Snapshot
from auditor.model.survey import ConnectState, Filters, ScopeSource, Survey

LOG_DAYS = 30
"""How far back the sign-in log is read: as long as Microsoft keeps it with a P1 or P2 licence."""
_LOGS = ("appConsentRequests", "signIns", "servicePrincipalSignInActivities")
_NEEDED = ("servicePrincipals", "oauth2PermissionGrants")
"""The sections without which a survey says nothing about most apps."""


class SurveyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to survey and what to show.

    `packs` describe apps, and their apps are always shown. `chosen` are apps of the catalogue to show as well, by name
    or client id; `whole_catalogue` shows all of them. `assumptions` are about the tenant.
    """

    source: Source
    packs: tuple[str | Pack, ...] = ()
    chosen: tuple[str, ...] = ()
    whole_catalogue: bool = False
    filters: Filters = Filters()
    assumptions: tuple[str, ...] = ()
    redaction: Redaction | None = None
    log_days: int = LOG_DAYS


def survey_of(request: SurveyRequest, interaction: Interaction = SILENT) -> Survey:
    """The survey of the tenant of the request.

    Raises PackError and InvalidRequest, also for a name that no app has; SnapshotError, GraphError if a live tenant
    can't be read, AssumptionError and OSError.
    """
    packs = chosen_packs(request.packs, required=False)
    given = _described(packs, ScopeSource.PACK)
    chosen = {**_chosen(request), **given}
    source = request.source
    if isinstance(source, LiveTenant):
        snapshot, origin = run(_read(source, request, chosen, interaction)), "live, read through Microsoft Graph"
    else:
        snapshot, origin = read_source(AuditRequest(source=source), packs, interaction)
    known = KnownApps(_known(snapshot, chosen), tuple(chosen))
    known, filters = _with_named(snapshot, known, request.filters)
    assumptions = request.assumptions
    if request.redaction is not None:
        from auditor.jobs.redaction import redactor_for

        apps = tuple(app for one in known.described.values() for _, app in one.variants)
        redactor = redactor_for(snapshot, apps, request.redaction, (), interaction)
        snapshot, assumptions = redactor.snapshot, tuple(map(redactor.assumption, assumptions))
        filters = msgspec.structs.replace(filters, names=tuple(map(redactor.part, filters.names)))
        if not origin.startswith(("sample ", "live")):
            origin = "snapshot, redacted"
    return survey(snapshot, known, filters, assumptions=assumptions, source=origin, tool=TOOL)


def survey_exit_code(found: Survey) -> int:
    """`FAILING` if an app stops users, else `UNKNOWN` if that isn't known of an app, else `OK`."""
    if any(app.state is ConnectState.STOPPED for app in found.apps):
        return FAILING
    is_partial = any(gap.section in _NEEDED for gap in found.gaps)
    undecided = any(app.state is ConnectState.UNKNOWN for app in found.apps) or found.left_out.undecided
    return UNKNOWN if undecided or is_partial else OK


def _described(packs: Iterable[Pack], source: ScopeSource) -> dict[str, Description]:
    """What the packs say about apps; packs about one app are its variants."""
    found: dict[str, list[tuple[str, App]]] = {}
    for pack in packs:
        if pack.app is not None and pack.app.client_id:
            found.setdefault(pack.app.client_id.lower(), []).append((pack.name, pack.app))
    return {client_id: Description(source, tuple(variants)) for client_id, variants in found.items()}


def _chosen(request: SurveyRequest) -> dict[str, Description]:
    """The apps of the catalogue that the request names. Raises InvalidRequest for a name that isn't known."""
    catalogue = _catalogue()
    if request.whole_catalogue:
        return catalogue
    return dict(_entry(name, catalogue) for name in request.chosen)


def _entry(name: str, catalogue: Mapping[str, Description]) -> tuple[str, Description]:
    for client_id, description in catalogue.items():
        for pack, app in description.variants:
            if name.casefold() in (client_id, pack.casefold(), app.name.casefold()):
                return client_id, description
    raise InvalidRequest(f"the catalogue has no app {name!r}: see consent-auditor apps list")


def _catalogue() -> dict[str, Description]:
    return _described(shipped_packs(), ScopeSource.CATALOGUE)


def _known(snapshot: Snapshot, chosen: Mapping[str, Description]) -> dict[str, Description]:
    """The chosen apps, and what the catalogue says about the apps of the tenant."""
    catalogue = _catalogue()
    clients = clients_in(snapshot)
    return {**{one: catalogue[one] for one in clients if one in catalogue}, **chosen}


def _with_named(snapshot: Snapshot, known: KnownApps, filters: Filters) -> tuple[KnownApps, Filters]:
    """The named apps by their client ids. One that the tenant doesn't have is looked up in the catalogue.

    Raises InvalidRequest for a name that neither has.
    """
    if not filters.names:
        return known, filters
    names = dict(_names(snapshot))
    found: dict[str, None] = {}
    described, chosen = dict(known.described), list(known.chosen)
    for wanted in filters.names:
        matching = [client_id for client_id, name in names.items() if matches_name(wanted, name, client_id)]
        if not matching:
            client_id, description = _from_catalogue(wanted, names)
            described[client_id] = description
            matching = [client_id]
            chosen.append(client_id)
        found.update(dict.fromkeys(matching))
    return KnownApps(described, tuple(chosen)), msgspec.structs.replace(filters, names=tuple(found))


def _from_catalogue(wanted: str, names: Mapping[str, str]) -> tuple[str, Description]:
    try:
        return _entry(wanted, _catalogue())
    except InvalidRequest:
        from difflib import get_close_matches

        near = get_close_matches(wanted.casefold(), {name.casefold(): 0 for name in names.values() if name}, n=1)
        spelled = next((name for name in names.values() if near and name.casefold() == near[0]), "")
        hint = f"did you mean {spelled!r}?" if spelled else "see consent-auditor apps list for those of the catalogue"
        what = "client id" if is_guid(wanted) else "name"
        raise InvalidRequest(f"no app of this tenant has the {what} {wanted!r}: {hint}") from None


def _names(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """The client id and the name of every app of the tenant, and of those that its requests and sign-ins name."""
    sections = snapshot.sections
    for sign_in in sections.signIns or ():
        if sign_in.appId:
            yield sign_in.appId.lower(), sign_in.appDisplayName or ""
    for asked in sections.appConsentRequests or ():
        yield asked.appId.lower(), asked.appDisplayName or ""
    for principal in sections.servicePrincipals or ():
        yield principal.appId.lower(), principal.displayName or principal.appDisplayName or ""


async def _read(
    tenant: LiveTenant, request: SurveyRequest, chosen: Mapping[str, Description], interaction: Interaction
) -> Snapshot:
    """The snapshot of a live tenant: lists of the whole directory, and then what decides about the apps found."""
    plan = survey_plan(request.log_days)
    async with tenant_session(tenant, plan, interaction) as session:
        snapshot = await session.read(plan, taken=now())
        known = KnownApps(_known(snapshot, chosen), tuple(chosen))
        more = _further_reads(snapshot, apps_in(snapshot, known, Filters()))
        if not more.is_empty:
            snapshot = await session.read(more, taken=snapshot.taken, onto=snapshot)
    return snapshot


def survey_plan(log_days: int = LOG_DAYS) -> Plan:
    """What a survey reads of a live tenant first. Its cost grows with the number of apps and grants, not of users."""
    return TENANT.union(CONSENT).union(
        Plan(
            sections=("directorySettings",),
            # Which apps hold the application permissions of an API is one list for each API.
            clients=tuple(dict.fromkeys(RESOURCES.values())),
            resources=(MICROSOFT_GRAPH, EXCHANGE_ONLINE),
            whole=("servicePrincipals", "oauth2PermissionGrants", *_LOGS),
            log_days=log_days,
        )
    )


def _further_reads(snapshot: Snapshot, apps: Iterable[App]) -> Plan:
    """The resources that the apps ask for, and what their decisions also need."""
    index = index_of(snapshot)
    resources: dict[str, None] = {}
    plan = Plan()
    for app in apps:
        named = (*app.default_resources, *(need.resource for need in app.scopes))
        resources.update(dict.fromkeys(index.resource_id(one) for one in named))
        more = further_reads_for_app(index, app)
        if not more.is_empty:
            plan = plan.union(more)
    read = snapshot.sections.delegatedPermissionClassifications or {}
    unread = (one for one in resources if is_guid(one) and one not in read)
    tried = {name.partition("/")[2].lower() for name in snapshot.unread}
    return plan.union(Plan(resources=tuple(one for one in unread if one not in tried)))
