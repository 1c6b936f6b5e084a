"""Names that stay readable in a redacted snapshot: published by Microsoft or a vendor, or those of the judged app."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from auditor.facts.abused_apps import shipped_list
from auditor.facts.access_requirements import EXCHANGE_PLANS, SERVICES, STRENGTHS
from auditor.facts.graph_values import graph_values
from auditor.facts.ids import (
    BASIC_SCOPES,
    CONSENT_SETTINGS_TEMPLATE,
    GUEST_ROLE,
    GUEST_ROLE_AS_MEMBER,
    GUEST_ROLE_RESTRICTED,
    MICROSOFTS_POLICIES,
    NO_ID,
    POLICY_LEGACY,
    POLICY_LOW,
    POLICY_MAIL_CLIENTS,
    POLICY_RECOMMENDED,
    RESOURCE_NAMES,
    ROLE_APPLICATION_ADMINISTRATOR,
    ROLE_CLOUD_APPLICATION_ADMINISTRATOR,
    ROLE_GLOBAL_ADMINISTRATOR,
    ROLE_PRIVILEGED_ROLE_ADMINISTRATOR,
)
from auditor.facts.permissions import APP_ROLES, PERMISSIONS, known_scope_ids
from auditor.model.resources import AppRole, DelegatedScope, PermissionGrantPolicy, ServicePrincipal
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot
from auditor.redact.hosts import host_of, registered
from auditor.redact.tokens import is_any_guid

"""Prefix of Microsoft's own consent policies, which Graph accepts from nobody else."""

_IDS = (
    CONSENT_SETTINGS_TEMPLATE,
    GUEST_ROLE_AS_MEMBER,
    GUEST_ROLE,
    GUEST_ROLE_RESTRICTED,
    ROLE_GLOBAL_ADMINISTRATOR,
    ROLE_PRIVILEGED_ROLE_ADMINISTRATOR,
    ROLE_APPLICATION_ADMINISTRATOR,
    ROLE_CLOUD_APPLICATION_ADMINISTRATOR,
    NO_ID,
    *graph_values().setting_templates,
    *graph_values().role_templates,
    *EXCHANGE_PLANS,
    *RESOURCE_NAMES,
    *(service.app_id for service in SERVICES),
    *STRENGTHS,
    *(permission.id for permission in PERMISSIONS.values()),
)


def _resources(app: App) -> tuple[str, ...]:
    """The resources that the app names in its request."""
    return (*app.default_resources, *(need.resource for need in (*app.scopes, *app.app_roles)))


class PublicNames:
    """What is public in one snapshot: ids, names of permissions and apps, and numbers of publishers.

    An app is public if another tenant or Microsoft owns it, or if it is one of the judged apps, or in the shipped list
    of known abused apps. Any other app whose owner is not known is not public.
    """

    def __init__(self, snapshot: Snapshot, asked: Iterable[App], published: Iterable[App] = ()) -> None:
        apps, shipped = tuple(asked), tuple(published)
        self._asked = {app_id.lower() for app in apps for app_id in (app.client_id, *_resources(app))}
        self._names = {app.client_id.lower(): app.name for app in reversed(apps)}
        self._listed = {app.client_id for app in shipped_list().apps}
        self._own = _own_tenant(snapshot)
        self.ids = {*(i.lower() for i in _IDS), *known_scope_ids(), *_role_ids()}
        self.scopes = {*BASIC_SCOPES, *(found.value.lower() for _, found in known_scope_ids().values())}
        self.scopes |= {p.lower() for p in PERMISSIONS} | {r.value.lower() for rs in APP_ROLES.values() for r in rs}
        self.ids |= self._listed
        self.app_names = {name.lower() for name in RESOURCE_NAMES.values()}
        self.app_names |= {app.name.lower() for app in shipped_list().apps if app.name}
        self.publishers: set[str] = set()
        self.replies = {uri.lower() for app in shipped for uri in app.redirect_uris}
        """Redirect URIs that a vendor publishes, in lower case."""
        self.addresses = tuple(dict.fromkeys(uri for app in apps for uri in app.redirect_uris))
        """Redirect URIs that the judged apps may use."""
        self._principals: dict[str, ServicePrincipal] = {}
        for app in apps:
            self._ask(app)
        for principal in snapshot.sections.servicePrincipals or ():
            self._principals[principal.id.lower()] = principal
            if self.is_public_app(principal):
                self._add_app(principal)
        self._add_grants(snapshot)
        for policy in snapshot.sections.permissionGrantPolicies or ():
            if is_microsofts_policy(policy.id):
                self._add_policy(policy)
        self._withdraw(snapshot)

    def is_public_app(self, principal: ServicePrincipal) -> bool:
        """Whether another tenant publishes the app, or it is one of the judged apps."""
        app_id, owner = principal.appId.lower(), (principal.appOwnerOrganizationId or "").lower()
        if app_id in self._asked or app_id in RESOURCE_NAMES or app_id in self._listed:
            return True
        return is_any_guid(owner) and owner not in self._own

    def is_asked(self, principal: ServicePrincipal) -> bool:
        """Whether the app is one of the judged apps, or a resource of Microsoft that every tenant has."""
        return principal.appId.lower() in self._asked or principal.appId.lower() in RESOURCE_NAMES

    def name_of(self, app_id: str) -> str:
        """What the pack of a judged app calls it; empty for another app."""
        return self._names.get(app_id.lower(), "")

    def is_vendors(self, principal: ServicePrincipal) -> bool:
        """Whether another tenant owns the app, so that its redirect URIs belong to the vendor."""
        return (
            self.is_public_app(principal)
            and is_any_guid(principal.appOwnerOrganizationId or "")
            and not self._is_own(principal)
        )

    def is_vendors_host(self, host: str) -> bool:
        """Whether a judged or published app has a redirect URI in the registered domain of the host."""
        return registered(host) in {registered(host_of(uri)) for uri in (*self.replies, *self.addresses)}

    def _ask(self, app: App) -> None:
        self.ids |= {app.client_id.lower(), (app.owner_tenant or app.client_id).lower()}
        self.ids |= {resource.lower() for resource in _resources(app) if is_any_guid(resource)}
        self.scopes |= {need.value.lower() for need in (*app.scopes, *app.app_roles)}
        self.app_names.add(app.name.lower())

    def _add_app(self, principal: ServicePrincipal) -> None:
        for value in (principal.appId, principal.appOwnerOrganizationId or ""):
            if is_any_guid(value):
                self.ids.add(value.lower())
        published: tuple[DelegatedScope | AppRole, ...] = (
            *(principal.oauth2PermissionScopes or ()),
            *(principal.appRoles or ()),
        )
        if (principal.appOwnerOrganizationId or "").lower() in self._own:
            return
        self.ids |= {one.id.lower() for one in published if is_any_guid(one.id)}
        self.scopes |= {word for one in published for word in (one.value or "").lower().split()}
        # An administrator can rename an app in the tenant; appDisplayName is the name that its vendor gave it.
        own_name = principal.displayName if self.is_vendors(principal) or self.is_asked(principal) else ""
        self.app_names.add((principal.appDisplayName or own_name or "").lower())
        if principal.verifiedPublisher is not None:
            number = principal.verifiedPublisher.verifiedPublisherId or ""
            self.publishers |= {number} if number.isdigit() else set()

    def _add_grants(self, snapshot: Snapshot) -> None:
        """Add scopes that were granted on a resource of a vendor, because the vendor published their names."""
        for grant in snapshot.sections.oauth2PermissionGrants or ():
            resource = self._principals.get(grant.resourceId.lower())
            if resource is not None and self.is_public_app(resource) and not self._is_own(resource):
                self.scopes |= set(grant.scope.lower().split())

    def _is_own(self, principal: ServicePrincipal) -> bool:
        return (principal.appOwnerOrganizationId or "").lower() in self._own

    def _add_policy(self, policy: PermissionGrantPolicy) -> None:
        """Add the ids in a policy of Microsoft: they are the same in every tenant, except as `_withdraw` finds."""
        for one in (*(policy.includes or ()), *(policy.excludes or ())):
            named = (one.id or "", one.resourceApplication, *one.permissions, *one.clientApplicationIds)
            self.ids |= {i.lower() for i in (*named, *one.clientApplicationTenantIds) if is_any_guid(i)}
            self.publishers |= {i for i in one.clientApplicationPublisherIds if i.isdigit()}

    def _withdraw(self, snapshot: Snapshot) -> None:
        """Remove the tenant's own ids, which are never public, wherever else they were found."""
        self.ids -= self._own
        for principal in self._principals.values():
            self.ids.discard(principal.id.lower())
            if not self.is_public_app(principal):
                self.ids.discard(principal.appId.lower())
        for user in snapshot.sections.users or ():
            self.ids.discard(user.id.lower())


def is_microsofts_policy(policy_id: str) -> bool:
    """Whether the consent policy is one that Microsoft documents, or the text is the beginning of the ids of some."""
    low = policy_id.lower()
    return low.startswith(MICROSOFTS_POLICIES) and any(known.startswith(low) for known in graph_values().policies)


def _own_tenant(snapshot: Snapshot) -> set[str]:
    organization = snapshot.sections.organization
    return {snapshot.tenant.id.lower(), *((organization.id.lower(),) if organization else ())}


def _role_ids() -> Iterator[str]:
    return (role.id.lower() for roles in APP_ROLES.values() for role in roles)


_WORD = re.compile(r"(?<![\w.-])[A-Za-z]\w*(?:[.-]\w+)+(?![\w-])")
_PREFIX = re.compile(r"(?i)managepermissiongrantsfor[a-z]+\.")


class PublishedText:
    """Finds published names in a text. `apps` are names of apps as the packs of their vendors give them."""

    def __init__(self, apps: Iterable[str]) -> None:
        names = {name for name in (*apps, *RESOURCE_NAMES.values()) if name}
        self._apps = frozenset(name.lower() for name in names)
        found = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        self._named = re.compile(rf"(?i)(?<![\w-])(?:{found})(?![\w-])")

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each published name in the text."""
        for match in self._named.finditer(text):
            yield match.span()
        for match in _WORD.finditer(text):
            if _PREFIX.sub("", match[0].lower()) in _published():
                yield match.span()

    def is_whole(self, text: str) -> bool:
        """Whether the whole text is a published name."""
        low = text.strip().lower()
        return low in self._apps or _PREFIX.sub("", low) in _published()


@cache
def _published() -> frozenset[str]:
    """Names of permissions and of Microsoft's consent policies, in lower case."""
    return frozenset(
        (
            *(found.value.lower() for _, found in known_scope_ids().values()),
            *(name.lower() for name in PERMISSIONS),
            *(role.value.lower() for roles in APP_ROLES.values() for role in roles),
            *(POLICY_LEGACY, POLICY_LOW, POLICY_RECOMMENDED, POLICY_MAIL_CLIENTS),
        )
    )
