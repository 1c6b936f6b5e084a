"""``apps survey``: every app of a tenant, live or from a snapshot, with what packs and the catalogue say about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from auditor.apps.asked_scopes import Description
from auditor.apps.held_permissions import APIS
from auditor.apps.predictions import compare_with_logs
from auditor.apps.survey import KnownApps, apps_in, clients_in, survey
from auditor.apps.survey_filters import matches_name
from auditor.checks.kind import CONSENT, TENANT
from auditor.checks.required_reads import further_reads_for_app
from auditor.consent.snapshot_index import index_of
from auditor.facts.ids import EXCHANGE_ONLINE, MICROSOFT_GRAPH, is_guid
from auditor.graph.preconnect import run
from auditor.jobs import now
from auditor.jobs.app_catalog import app_named, near_apps
from auditor.jobs.audit import LIVE, abused_lists, answering_about, read_source
from auditor.jobs.audit_request import SILENT, TOOL, AuditRequest, Interaction, Redaction, Source
from auditor.jobs.pack_selection import chosen_packs, own_app_packs, shipped_packs
from auditor.jobs.prediction_reads import people_to_compare
from auditor.jobs.tenant_reader import tenant_session
from auditor.model.blocked import BlockedFilter
from auditor.model.document import series
from auditor.model.errors import FAILING, OK, UNKNOWN, InvalidRequest
from auditor.model.prediction import PredictionComparison
from auditor.model.report import AbusedAppsList
from auditor.model.rule import App, Pack
from auditor.model.snapshot import LiveTenant, Plan, Snapshot
from auditor.model.survey import ConnectState, Filters, ScopeSource, Survey
from auditor.packs.app_catalog import CatalogApp, catalog, catalog_pack, with_variant
from auditor.packs.load import is_shipped

LOG_DAYS = 30
"""How far back the sign-in log is read: as long as Microsoft keeps it with a P1 or P2 license."""
_LOGS = ("appConsentRequests", "signIns", "directoryAudits", "servicePrincipalSignInActivities")
_NEEDED = ("servicePrincipals", "oauth2PermissionGrants")
"""The sections without which a survey says nothing about most apps."""


class SurveyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to survey and what to show.

    `packs` describe apps, and their apps are always shown. `chosen` are apps of the catalogue to show as well, by name
    or client id; `whole_catalogue` shows all of them. `assumptions` are about the tenant, and `abused` are your own
    lists of known abused apps.
    """

    source: Source
    packs: tuple[str | Pack, ...] = ()
    chosen: tuple[str, ...] = ()
    whole_catalogue: bool = False
    filters: Filters = Filters()
    assumptions: tuple[str, ...] = ()
    redaction: Redaction | None = None
    log_days: int = LOG_DAYS
    abused: tuple[str | AbusedAppsList, ...] = ()


def survey_of(request: SurveyRequest, interaction: Interaction = SILENT) -> Survey:
    """The survey of the tenant of the request.

    Raises PackError and InvalidRequest, also for a name that no app has; SnapshotError, GraphError if a live tenant
    can't be read, AssumptionError and OSError.
    """
    packs, abused = chosen_packs(request.packs, required=False), abused_lists(request.abused)
    described = DescribedApps(packs)
    named = dict(map(described.named, request.chosen))
    described.given.update(named)
    given = (pack.app.client_id.lower() for pack in packs if pack.app)
    chosen = tuple(dict.fromkeys((*given, *named, *(described.whole_catalogue if request.whole_catalogue else ()))))
    source = request.source
    if isinstance(source, LiveTenant):
        snapshot, origin = run(_read(source, request, described, chosen, interaction)), LIVE
    else:
        snapshot, origin = read_source(AuditRequest(source=source), packs, interaction)
    known, filters = _with_named(snapshot, described, _known(snapshot, described, chosen), request.filters)
    snapshot = answering_about(source, snapshot, known.apps)
    assumptions = request.assumptions
    if request.redaction is not None:
        from auditor.jobs.redaction import redactor_for

        redactor = redactor_for(snapshot, known.apps, request.redaction, (), interaction)
        snapshot, assumptions = redactor.snapshot, tuple(map(redactor.assumption, assumptions))
        filters = msgspec.structs.replace(filters, names=tuple(map(redactor.part, filters.names)))
        if not origin.startswith(("sample ", "live")):
            origin = "snapshot, redacted"
    found = survey(snapshot, known, filters, assumptions=assumptions, abused=abused, source=origin, tool=TOOL)
    return msgspec.structs.replace(found, comparison=_comparison(snapshot, known, filters))


def _comparison(snapshot: Snapshot, known: KnownApps, filters: Filters) -> PredictionComparison | None:
    """The decisions for the users of the logs compared with what happened; none if no log was read."""
    if snapshot.sections.directoryAudits is None and snapshot.sections.signIns is None:
        return None
    only = filters.names[0] if len(filters.names) == 1 else ""
    return compare_with_logs(snapshot, (), known.described, BlockedFilter(app=only))


def survey_exit_code(found: Survey) -> int:
    """`FAILING` if an app stops users, else `UNKNOWN` if that isn't known of an app, else `OK`."""
    if any(app.state is ConnectState.STOPPED for app in found.apps):
        return FAILING
    is_partial = any(gap.section in _NEEDED for gap in found.gaps)
    undecided = any(app.state is ConnectState.UNKNOWN for app in found.apps) or found.left_out.undecided
    return UNKNOWN if undecided or is_partial else OK


class DescribedApps:
    """What packs say about apps: those that are given, your own ones, the catalogue, the other shipped packs."""

    def __init__(self, given: Iterable[Pack]) -> None:
        self.given = {**_by_client(own_app_packs(), ScopeSource.PACK), **_by_client(given, ScopeSource.PACK)}
        self._shipped = _by_client(shipped_packs(), ScopeSource.CATALOGUE)
        self._catalog = {app.client_id.lower(): app for app in catalog()}

    def about(self, client_id: str) -> Description | None:
        """What is said about the app with this client id (lower case)."""
        if found := self.given.get(client_id):
            return found
        if entry := self._catalog.get(client_id):
            return _described(entry)
        return self._shipped.get(client_id)

    @property
    def whole_catalogue(self) -> tuple[str, ...]:
        """The client ids of all apps of the catalogue and of the shipped packs."""
        return tuple(dict.fromkeys((*self._catalog, *self._shipped)))

    def named(self, name: str) -> tuple[str, Description]:
        """The app that is called so, and what is said about it, or about the variant that is named.

        Raises InvalidRequest if no pack knows the name.
        """
        try:
            pack = app_named(name)
        except InvalidRequest:
            near = [app.name for app in near_apps(name)[:3]]
            hint = f"did you mean {series(near, 'or')}?" if near else "see consent-auditor apps list"
            raise InvalidRequest(f"the catalogue has no app {name!r}: {hint}") from None
        assert pack.app is not None, "a pack about an app"
        client_id = pack.app.client_id.lower()
        source = ScopeSource.CATALOGUE if is_shipped(pack.origin) else ScopeSource.PACK
        only = Description(source, ((pack.name, pack.app),))
        return client_id, only if "/" in pack.name else self.about(client_id) or only


def _by_client(packs: Iterable[Pack], source: ScopeSource) -> dict[str, Description]:
    """What the packs say about apps; packs about one app are its variants."""
    found: dict[str, list[tuple[str, App]]] = {}
    for pack in packs:
        if pack.app is not None and pack.app.client_id:
            found.setdefault(pack.app.client_id.lower(), []).append((pack.name, pack.app))
    return {client_id: Description(source, tuple(variants)) for client_id, variants in found.items()}


def _described(entry: CatalogApp) -> Description:
    """What the catalogue says about an app, by its variants if it has any."""
    pack = catalog_pack(entry.name)
    packs = [with_variant(pack, one.name) for one in entry.variants] or [pack]
    return Description(ScopeSource.CATALOGUE, tuple((one.name, one.app) for one in packs if one.app))


def _known(snapshot: Snapshot, described: DescribedApps, chosen: Iterable[str]) -> KnownApps:
    """What is said about the chosen apps and about those of the tenant."""
    about = {client_id: described.about(client_id) for client_id in dict.fromkeys((*clients_in(snapshot), *chosen))}
    return KnownApps({client_id: found for client_id, found in about.items() if found}, tuple(chosen))


def _with_named(
    snapshot: Snapshot, described: DescribedApps, known: KnownApps, filters: Filters
) -> tuple[KnownApps, Filters]:
    """The named apps by their client ids. One that the tenant doesn't have is looked up in the catalogue.

    Raises InvalidRequest for a name that neither has.
    """
    names = dict(_names(snapshot))
    found: dict[str, None] = {}
    more: dict[str, Description] = {}
    for wanted in filters.names:
        matching = [client_id for client_id, name in names.items() if matches_name(wanted, name, client_id)]
        if not matching:
            client_id, more[client_id] = _from_catalogue(wanted, names, described)
        found.update(dict.fromkeys(matching or [client_id]))
    both = KnownApps({**known.described, **more}, (*known.chosen, *more))
    return both, msgspec.structs.replace(filters, names=tuple(found))


def _from_catalogue(wanted: str, names: Mapping[str, str], described: DescribedApps) -> tuple[str, Description]:
    try:
        return described.named(wanted)
    except InvalidRequest:
        from difflib import get_close_matches

        near = get_close_matches(wanted.casefold(), {name.casefold(): 0 for name in names.values() if name}, n=1)
        spelled = next((name for name in names.values() if near and name.casefold() == near[0]), "")
        hint = f"did you mean {spelled!r}?" if spelled else _hint_of_catalogue(wanted)
        what = "client ID" if is_guid(wanted) else "name"
        raise InvalidRequest(f"no app of this tenant has the {what} {wanted!r}: {hint}") from None


def _hint_of_catalogue(wanted: str) -> str:
    if not is_guid(wanted) and (near := near_apps(wanted)):
        return f"did you mean {near[0].name!r} of the catalogue?"
    return "see consent-auditor apps list for those of the catalogue"


def _names(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """The client id and the name of every app of the tenant, and of those that its requests and sign-ins name."""
    sections = snapshot.sections
    for sign_in in sections.signIns or ():
        if sign_in.appId:
            yield sign_in.appId.lower(), sign_in.appDisplayName or ""
    for asked in sections.appConsentRequests or ():
        yield asked.appId.lower(), asked.appDisplayName or ""
    for principal in sections.servicePrincipals or ():
        yield principal.appId.lower(), principal.own_name


async def _read(
    tenant: LiveTenant,
    request: SurveyRequest,
    described: DescribedApps,
    chosen: tuple[str, ...],
    interaction: Interaction,
) -> Snapshot:
    """The snapshot of a live tenant: lists of the whole directory, and then what decides about the apps found."""
    plan = survey_plan(request.log_days)
    async with tenant_session(tenant, plan, interaction) as session:
        snapshot = await session.read(plan, taken=now())
        known = _known(snapshot, described, chosen)
        more = _further_reads(snapshot, apps_in(snapshot, known, Filters()))
        more = more.union(people_to_compare(snapshot))
        if not more.is_empty:
            snapshot = await session.read(more, taken=snapshot.taken, onto=snapshot)
    return snapshot


def survey_plan(log_days: int = LOG_DAYS) -> Plan:
    """What a survey reads of a live tenant first. Its cost grows with the number of apps and grants, not of users."""
    return TENANT.union(CONSENT).union(
        Plan(
            sections=("directorySettings",),
            # Which apps hold the application permissions of an API is one list for each API.
            clients=APIS,
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
