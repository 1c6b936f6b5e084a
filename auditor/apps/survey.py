"""The survey: for every app of a tenant that isn't Microsoft's, whether users can connect it and what it holds.

An app is in the survey if it holds a permission, if users wait for its approval, if sign-ins to it failed because of
consent or assignment, or if somebody chose it. Which apps are Microsoft's is decided by ``appOwnerOrganizationId``,
and by client id if that wasn't read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from auditor.apps.app_activity import AppActivity
from auditor.apps.asked_scopes import AskedScopes, Description, ScopeSources, by_resource
from auditor.apps.connect_answers import connect_answer
from auditor.apps.held_permissions import APIS, AppHoldings
from auditor.apps.survey_filters import Filtered, filtered, in_order, matches_name
from auditor.consent.decision_facts import gather
from auditor.consent.explanation import earlier_consents, users_covered
from auditor.consent.requested_access import owner_of
from auditor.consent.snapshot_index import Absent, NotRead, SnapshotIndex, index_of
from auditor.consent.subject import ORDINARY_MEMBER
from auditor.facts.abused_apps import abused_by_id, lists_with
from auditor.facts.app_names import published_name
from auditor.facts.ids import cloud_named
from auditor.fixes.assumptions import assume_of_tenant
from auditor.model.decision import AppOwner, Outcome
from auditor.model.report import AbusedAppsList
from auditor.model.resources import ServicePrincipal
from auditor.model.rule import App
from auditor.model.sections import permissions_to_read
from auditor.model.snapshot import Snapshot
from auditor.model.survey import (
    AbuseMark,
    Assumed,
    ConnectAnswer,
    ConnectState,
    Filters,
    Gap,
    NotShown,
    SeenIn,
    Survey,
    SurveyedApp,
    SurveySummary,
)

_MANAGED_IDENTITY = "managedidentity"


class KnownApps(NamedTuple):
    """What packs say about apps, by client id, and the apps to show although the tenant may not have them.

    All client ids are in lower case.
    """

    described: Mapping[str, Description] = {}
    chosen: tuple[str, ...] = ()

    @property
    def apps(self) -> tuple[App, ...]:
        """The apps that are described, each variant of an app on its own."""
        return tuple(app for one in self.described.values() for _, app in one.variants)


def survey(
    snapshot: Snapshot,
    known: KnownApps,
    filters: Filters,
    *,
    assumptions: tuple[str, ...] = (),
    abused: Sequence[AbusedAppsList] = (),
    source: str = "",
    tool: str = "",
) -> Survey:
    """The survey of the tenant. The same inputs give the same survey. `abused` are your own lists of abused apps.

    Raises AssumptionError for an assumption that isn't understood, or that is about one app only.
    """
    surveyor = _Surveyor(snapshot, known, filters, assumptions, abused)
    apps = tuple(surveyor.apps())
    shown = filtered(apps, filters, snapshot.taken, surveyor.created)
    return Survey(
        tenant=snapshot.tenant,
        cloud=snapshot.cloud,
        taken=snapshot.taken,
        source=source,
        tool=tool,
        summary=_summary(shown.apps, surveyor.keepers if assumptions else None),
        apps=in_order(shown.apps),
        left_out=surveyor.left_out(shown),
        filters=filters,
        assumptions=assumptions,
        gaps=tuple(_gaps(surveyor.index)),
    )


def apps_in(snapshot: Snapshot, known: KnownApps, filters: Filters) -> tuple[App, ...]:
    """The apps that a survey decides about, each with what it is expected to ask for."""
    return tuple(_Surveyor(snapshot, known, filters, ()).asked())


def clients_in(snapshot: Snapshot) -> tuple[str, ...]:
    """The client ids, in lower case, of the apps that the tenant has, or that its requests and sign-ins name."""
    index = index_of(snapshot)
    return tuple(_candidates(index, ScopeSources(index, {}), AppActivity(index)))


def _candidates(index: SnapshotIndex, scopes: ScopeSources, activity: AppActivity) -> Iterator[str]:
    principals = (one.appId.lower() for one in index.snapshot.sections.servicePrincipals or ())
    yield from filter(None, dict.fromkeys((*principals, *scopes.requests, *activity.clients)))


class _Candidate(NamedTuple):
    """An app that belongs into the survey."""

    client_id: str
    name: str
    owner: AppOwner
    principal: ServicePrincipal | None
    seen_in: tuple[SeenIn, ...]


class _Surveyor:
    """The indexes of one tenant, each made once, and what was left out so far."""

    def __init__(
        self,
        snapshot: Snapshot,
        known: KnownApps,
        filters: Filters,
        assumptions: tuple[str, ...],
        abused: Sequence[AbusedAppsList] = (),
    ) -> None:
        self.index = index_of(snapshot)
        self._known = known
        self._names = filters.names
        self._scopes = ScopeSources(self.index, known.described)
        self._held = AppHoldings(self.index)
        self._activity = AppActivity(self.index)
        self._after = index_of(assume_of_tenant(snapshot, assumptions)) if assumptions else None
        self._verifies_publishers = cloud_named(snapshot.cloud).verifies_publishers
        self._abused = abused_by_id(lists_with(abused))
        self._microsoft = self._without_access = 0
        self.keepers: dict[str, frozenset[str]] = {}
        """Who keeps working with each app that the assumption stops, by client id."""
        self.created: dict[str, str] = {}
        """When each app was added to the tenant, by client id, as far as that is known."""

    def apps(self) -> Iterator[SurveyedApp]:
        """Every app that belongs into the survey, without regard to filters on what was found out."""
        for one in self._candidates():
            yield self._row(one)

    def asked(self) -> Iterator[App]:
        """The same apps with what they are expected to ask for."""
        for one in self._candidates():
            yield self._scopes.asked(one.client_id, one.name).app

    def _candidates(self) -> Iterator[_Candidate]:
        principals = {one.appId.lower(): one for one in self.index.snapshot.sections.servicePrincipals or ()}
        for client_id in dict.fromkeys((*_candidates(self.index, self._scopes, self._activity), *self._known.chosen)):
            principal = principals.get(client_id)
            owner = owner_of(self.index.snapshot.tenant.id, client_id, principal)
            name = self._name(client_id, principal)
            is_named = any(matches_name(wanted, name, client_id) for wanted in self._names)
            is_chosen = is_named or (not self._names and client_id in self._known.chosen)
            if not is_chosen and (self._names or self._is_of_no_interest(principal, owner)):
                continue
            seen_in = tuple(self._seen_in(client_id, principal, is_chosen=is_chosen))
            if not seen_in:
                self._without_access += 1
                continue
            if principal and principal.createdDateTime:
                self.created[client_id] = principal.createdDateTime
            yield _Candidate(client_id, name, owner, principal, seen_in)

    def _is_of_no_interest(self, principal: ServicePrincipal | None, owner: AppOwner) -> bool:
        """Whether it is Microsoft's, or an identity of a resource in Azure, to which nobody signs in."""
        if owner is AppOwner.MICROSOFT:
            self._microsoft += 1
            return True
        return principal is not None and (principal.servicePrincipalType or "").lower() == _MANAGED_IDENTITY

    def _name(self, client_id: str, principal: ServicePrincipal | None) -> str:
        """What the tenant calls the app, else its requests and sign-ins, else a pack or the table of names."""
        own = principal.own_name if principal else ""
        requests = self._scopes.requests.get(client_id, ())
        asked = next((one.appDisplayName for one in requests if one.appDisplayName), "")
        described = self._known.described.get(client_id)
        by_pack = described.variants[0][1].name if described else ""
        logged = self._activity.name(client_id)
        return own or asked or logged or by_pack or published_name(client_id)

    def _seen_in(self, client_id: str, principal: ServicePrincipal | None, *, is_chosen: bool) -> Iterator[SeenIn]:
        if principal and self.index.grants_of(principal.id):
            yield SeenIn.GRANTS
        if principal and principal.id.lower() in self._held.holders:
            yield SeenIn.APPLICATION_PERMISSIONS
        if client_id in self._scopes.requests:
            yield SeenIn.REQUESTS
        if client_id in self._activity.clients:
            yield SeenIn.SIGN_INS
        if is_chosen:
            yield SeenIn.CHOSEN

    def _row(self, one: _Candidate) -> SurveyedApp:
        client_id, name, owner, principal, seen_in = one
        listed = self._abused.get(client_id)
        held = self._held.held_by(client_id, owner, listed)
        asked = self._scopes.asked(client_id, name)
        app = msgspec.structs.replace(asked.app, name=name or asked.app.name)
        has_users = not (seen_in == (SeenIn.APPLICATION_PERMISSIONS,) and not app.scopes and not asked.why)
        answer = _answer(self.index, app) if has_users else None
        waiting, why_waiting = self._activity.waiting(client_id, self._scopes.requests.get(client_id, ()))
        last, why_last = self._activity.last_sign_in(client_id)
        publisher = principal.verifiedPublisher if principal else None
        verified = self._verified(app, principal)
        not_known = {**held.not_known, **why_waiting, **why_last}
        if verified is None:
            not_known["publisher_verified"] = self._why_publisher(client_id)
        if asked.why or (not app.scopes and not asked.sources):
            not_known["scopes"] = asked.why or "no grant, request or pack says what the app asks for"
        found = self.index.service_principal(client_id)
        state = _state(answer, asked)
        return SurveyedApp(
            name=name or app.name or f"app {client_id}",
            client_id=client_id,
            owner=owner,
            state=state,
            can_connect=answer,
            scopes=by_resource(self.index, ((need.resource, need.value) for need in app.scopes)),
            scopes_from=asked.sources,
            holds=held.holdings,
            waiting=waiting,
            seen_in=seen_in,
            in_tenant=None if isinstance(found, NotRead) else not isinstance(found, Absent),
            enabled=principal.accountEnabled if principal else None,
            publisher=(publisher.displayName or "") if publisher and verified else "",
            publisher_verified=verified,
            last_sign_in=last,
            pack=asked.pack,
            abused=AbuseMark(malicious=not listed.legitimate, why=listed.why) if listed else None,
            assumed=self._assumed(app, answer) if self._after and answer else None,
            not_known=not_known,
        )

    def _verified(self, app: App, principal: ServicePrincipal | None) -> bool | None:
        if not self._verifies_publishers:
            return None
        if principal is None:
            return app.publisher_verified
        return principal.verifiedPublisher.is_verified if principal.verifiedPublisher else None

    def _why_publisher(self, client_id: str) -> str:
        if not self._verifies_publishers:
            return "publishers aren't verified in this cloud"
        found = self.index.service_principal(client_id)
        if isinstance(found, NotRead):
            return found.why
        return "the app isn't in the tenant" if isinstance(found, Absent) else "verifiedPublisher was not read"

    def _assumed(self, app: App, before: ConnectAnswer) -> Assumed:
        """The answer after the assumed change, and whom it stops."""
        assert self._after is not None, "called with an assumption only"
        facts = gather(self._after, app, ORDINARY_MEMBER)
        after = connect_answer(facts)
        stops = None
        if Outcome.DEPENDS not in (before.outcome, after.outcome):
            stops = before.outcome.connects and not after.outcome.connects
        earlier = earlier_consents(facts)
        if stops:
            self.keepers[app.client_id.lower()] = users_covered(facts) or frozenset()
        return Assumed(
            answer=after,
            stops=stops,
            users_keep=earlier.covered if earlier else None,
            users_with_less=earlier.users - earlier.covered if earlier else None,
        )

    def left_out(self, shown: Filtered) -> NotShown:
        """How many apps aren't shown. With names, only the named apps were looked at."""
        is_known = self.index.snapshot.sections.oauth2PermissionGrants is not None
        return NotShown(
            microsoft=self._microsoft,
            without_access=self._without_access if is_known else None,
            filtered=shown.left_out,
            undecided=shown.undecided,
        )


def _answer(index: SnapshotIndex, app: App) -> ConnectAnswer:
    return connect_answer(gather(index, app, ORDINARY_MEMBER))


def _state(answer: ConnectAnswer | None, asked: AskedScopes) -> ConnectState:
    """The answer in short. An app of which not all scopes are known may ask for one that stops users."""
    if answer is None:
        return ConnectState.WITHOUT_USERS
    if answer.outcome is Outcome.DEPENDS or (asked.why and answer.outcome.connects):
        return ConnectState.UNKNOWN
    return ConnectState.CONNECTS if answer.outcome.connects else ConnectState.STOPPED


def _summary(apps: Iterable[SurveyedApp], keepers: Mapping[str, frozenset[str]] | None) -> SurveySummary:
    """The counts; with an assumption also what it changes, for which `keepers` of each app are given."""
    rows = tuple(apps)
    numbers = {state: sum(app.state is state for app in rows) for state in ConnectState}
    found = SurveySummary(
        apps=len(rows),
        stopped=numbers[ConnectState.STOPPED],
        unknown=numbers[ConnectState.UNKNOWN],
        connects=numbers[ConnectState.CONNECTS],
        without_users=numbers[ConnectState.WITHOUT_USERS],
        own=sum(app.owner is AppOwner.OWN for app in rows),
    )
    if keepers is None:
        return found
    stopping = [app for app in rows if app.assumed and app.assumed.stops]
    is_known = all(app.assumed and app.assumed.users_keep is not None for app in stopping)
    kept = frozenset[str]().union(*(keepers.get(app.client_id, ()) for app in stopping))
    return msgspec.structs.replace(
        found,
        would_stop=len(stopping),
        would_depend=sum(app.assumed is not None and app.assumed.stops is None for app in rows),
        keep=len(kept) if is_known else None,
    )


_UNKNOWN_WITHOUT: Mapping[str, str] = {
    "authorizationPolicy": "whether users may consent",
    "permissionGrantPolicies": "what the consent policies say, where Microsoft doesn't document it",
    "adminConsentRequestPolicy": "whether users can ask for approval",
    "servicePrincipals": "which apps are in the tenant",
    "oauth2PermissionGrants": "what apps hold, and what they ask for",
    "appRoleAssignedTo": "which apps hold application permissions of Microsoft's APIs",
    "appConsentRequests": "who asks for approval now",
    "signIns": "whose sign-in failed",
    "servicePrincipalSignInActivities": "when each app was last used",
}
"""What the survey doesn't know without a section."""


def _gaps(index: SnapshotIndex) -> Iterator[Gap]:
    """The sections that weren't read, or only in part."""
    for section, unknown in _UNKNOWN_WITHOUT.items():
        why = ""
        if section == "appRoleAssignedTo":
            read = (index.assigned_to(api) for api in APIS)
            why = next((rows.why for rows in read if isinstance(rows, NotRead)), "")
        elif getattr(index.snapshot.sections, section) is None:
            why = index.not_read(section).why
        else:
            why = index.why_partial(section)
        if why:
            yield Gap(section=section, why=why, unknown=unknown, needs=permissions_to_read(section))
