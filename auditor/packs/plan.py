"""Packs → what must be read of a tenant, and with which permissions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, assert_never

from msgspec import UnsetType

from auditor.facts.ids import EXCHANGE_ONLINE, MAILBOX_RESOURCES, MICROSOFT_GRAPH
from auditor.facts.scope_lists import APP_ROLES, RESOURCES, listed_scopes
from auditor.model.app import App
from auditor.model.read_plan import Plan
from auditor.model.rule import (
    AdminConsentCovers,
    AllOf,
    AnyCheck,
    AnyOf,
    AppAssignment,
    AppEnabled,
    AppRolesHeld,
    AssignedPolicies,
    Classifications,
    ConsentWorkflow,
    Contains,
    Count,
    DelegatedGrants,
    DirectorySettingIs,
    Every,
    Not,
    Pack,
    PublisherVerified,
    ScopesClassified,
    ScopesUserConsentable,
    Setting,
    UserConsentSetting,
    UsersCanConnect,
    UsersCanConsent,
)
from auditor.model.sections import SECTIONS, Extent, permissions_to_read, sections_read

TENANT = Plan(sections=("organization",))
"""What every report says of its tenant."""
SETTING = Plan(sections=("authorizationPolicy",))
POLICIES = Plan(sections=("authorizationPolicy", "permissionGrantPolicies"))
WORKFLOW = Plan(sections=("adminConsentRequestPolicy",))
SETTINGS = Plan(sections=("directorySettings",))
CONSENT = POLICIES.union(WORKFLOW).union(Plan(sections=("roleDefinitions",)))
"""What decides whether users may consent: the policies, the screen they see, custom roles that allow more."""


class Needed(NamedTuple):
    """An application permission, the sections it is for, and what would do instead for all of them."""

    permission: str
    sections: tuple[str, ...]
    alternatives: tuple[str, ...]


def plan_for(packs: Iterable[Pack], extra_app: App | None = None) -> Plan:
    """The reads that the packs' rules need, and a decision about each of their apps and `extra_app`.

    Follow-up reads, which only a first look at the tenant can ask for, are no part of it.
    """
    plan = TENANT if extra_app is None else TENANT.union(connecting(extra_app))
    for pack in packs:
        if pack.app is not None:
            plan = plan.union(connecting(pack.app))
        for rule in pack.rules:
            plan = plan.union(reads_of(rule.check, pack.app))
    return plan


def connecting(app: App) -> Plan:
    """What decides whether an ordinary user can connect the app."""
    return CONSENT.union(client_of(app)).union(resources_of(app))


def client_of(app: App) -> Plan:
    """The app as it is in the tenant, its grants and who is assigned to it."""
    return Plan(clients=(app.client_id,))


def resources_of(app: App) -> Plan:
    """The resources that the app asks for; Microsoft Graph too, which holds the scopes of every sign-in."""
    return Plan(resources=tuple(dict.fromkeys([MICROSOFT_GRAPH, *(scope.resource for scope in app.scopes)])))


def reads_of(check: AnyCheck, app: App | None) -> Plan:
    """What one check reads; a check about an app reads nothing where there is none."""
    match check:
        case AnyOf(checks=checks) | AllOf(checks=checks):
            return _union(reads_of(one, app) for one in checks)
        case Not(check=one):
            return reads_of(one, app)
        case Setting(path=path) | Contains(path=path) | Every(of=path) | Count(of=path):
            return section_plan(path.partition(".")[0], app)
        case DirectorySettingIs():
            return SETTINGS
        case UserConsentSetting():
            return SETTING
        case ConsentWorkflow():
            return WORKFLOW.union(SETTINGS) if check.compare_setting else WORKFLOW
        case AssignedPolicies():
            by_effect = check.expect == "not-everything"
            return POLICIES.union(Plan(resources=MAILBOX_RESOURCES)) if by_effect else POLICIES
        case UsersCanConsent():
            asked = _resources(check.lists, check.scopes)
            own = connecting(app) if app and isinstance(check.asked_by, UnsetType) else Plan()
            return POLICIES.union(asked).union(own)
        case DelegatedGrants():
            return Plan(whole=("oauth2PermissionGrants", "servicePrincipals"))
        case AppRolesHeld():
            roles = (role.resource for name in check.lists for role in APP_ROLES[name])
            return Plan(clients=tuple(dict.fromkeys(roles)), whole=("servicePrincipals",))
        case Classifications():
            return _resources(check.lists, check.scopes)
        case _:
            return Plan() if app is None else _about(check, app)


_AboutApp = (
    UsersCanConnect
    | AdminConsentCovers
    | ScopesUserConsentable
    | ScopesClassified
    | PublisherVerified
    | AppEnabled
    | AppAssignment
)


def _about(check: _AboutApp, app: App) -> Plan:
    match check:
        case UsersCanConnect() | AdminConsentCovers() | ScopesUserConsentable():
            return connecting(app)
        case ScopesClassified():
            # Scopes of the same name on Exchange Online are often the ones that were classified by mistake.
            return POLICIES.union(resources_of(app)).union(Plan(resources=(EXCHANGE_ONLINE,)))
        case PublisherVerified():
            return POLICIES.union(client_of(app))
        case AppEnabled() | AppAssignment():
            return client_of(app)
        case _:
            assert_never(check)


def section_plan(section: str, app: App | None) -> Plan:
    """How to read a section for a question about all of it."""
    extents = SECTIONS[section].extents
    if Extent.DIRECTORY in extents or Extent.LOG in extents:
        return Plan(whole=(section,))
    if Extent.TENANT in extents:
        return Plan(sections=(section,))
    if Extent.RESOURCE in extents:
        return Plan(resources=tuple(RESOURCES.values()))
    return client_of(app) if Extent.CLIENT in extents and app is not None else Plan()


def _resources(lists: Iterable[str], scopes: Iterable[str]) -> Plan:
    named = (RESOURCES.get(key.lower(), key.lower()) for key in scopes)
    return Plan(resources=tuple(dict.fromkeys((*listed_scopes(lists), *named))))


def _union(plans: Iterable[Plan]) -> Plan:
    whole = Plan()
    for plan in plans:
        whole = whole.union(plan)
    return whole


def permissions_for(plan: Plan) -> tuple[Needed, ...]:
    """The least application permissions that allow every read of the plan, in the order of its sections."""
    by_permission: dict[str, list[str]] = {}
    for section in dict.fromkeys(sections_of(plan)):
        by_permission.setdefault(permissions_to_read(section)[0], []).append(section)
    return tuple(
        Needed(permission, tuple(sections), _alternatives(sections)) for permission, sections in by_permission.items()
    )


def sections_of(plan: Plan) -> Iterator[str]:
    """The sections of a snapshot that the plan fills, with repetitions."""
    yield from plan.sections
    if plan.beta_policies:
        yield "permissionGrantPolicies"
    if plan.clients:
        yield from sections_read(Extent.CLIENT)
    if plan.resources:
        yield from sections_read(Extent.RESOURCE)
    if plan.assignments_of:
        yield from sections_read(Extent.ROLE)
    if plan.users:
        yield from sections_read(Extent.USER)
    yield from plan.whole


def _alternatives(sections: Iterable[str]) -> tuple[str, ...]:
    """The wider permissions that would do for every one of the sections."""
    first, *others = (permissions_to_read(section)[1:] for section in sections)
    return tuple(wider for wider in first if all(wider in other for other in others))
