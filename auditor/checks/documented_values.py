"""The values that a property of the snapshot can have: the words that Graph documents for it, and whose id it is.

Source: the Microsoft Graph reference, the resource pages of these types, and values that only beta or live tenants
show. Graph may add words, so an unknown word is a warning, and an error only if it is almost a known one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.checks.kind import ArgumentPath, ArgumentProblem
from auditor.checks.scope_names import GUID_FORM
from auditor.checks.snapshot_paths import TEXTS, PathTarget
from auditor.checks.typo_suggestions import is_one_typo, neighbor_of_guid, typo_of, typo_of_guid
from auditor.consent.request import is_guid
from auditor.facts.ids import GUEST_ROLE_AS_MEMBER, RESOURCE_NAMES
from auditor.facts.scope_lists import spellings
from auditor.facts.scopes import known_scope_ids
from auditor.model import resources as graph

WORDS: Mapping[tuple[type, str], tuple[str, ...]] = MappingProxyType(
    {
        (graph.OAuth2PermissionGrant, "consentType"): ("AllPrincipals", "Principal"),
        (graph.ConditionSet, "permissionType"): ("delegated", "application", "delegatedUserConsentable"),
        (graph.ConditionSet, "permissionClassification"): ("low", "medium", "high", "all"),
        (graph.DelegatedPermissionClassification, "classification"): ("low", "medium", "high"),
        (graph.PermissionGrantPolicy, "resourceScopeType"): ("group", "chat", "team", "tenant"),
        (graph.ServicePrincipal, "servicePrincipalType"): (
            *("Application", "ManagedIdentity", "Legacy", "SocialIdp", "ServiceIdentity"),
        ),
        (graph.ServicePrincipal, "signInAudience"): (
            *("AzureADMyOrg", "AzureADMultipleOrgs", "AzureADandPersonalMicrosoftAccount"),
            "PersonalMicrosoftAccount",
        ),
        (graph.ServicePrincipal, "disabledByMicrosoftStatus"): (
            *("NotDisabled", "DisabledDueToViolationOfServicesAgreement"),
        ),
        (graph.DelegatedScope, "type"): ("User", "Admin"),
        (graph.AppRole, "allowedMemberTypes"): ("User", "Application"),
        (graph.AppRoleAssignment, "principalType"): ("User", "Group", "ServicePrincipal"),
        (graph.User, "userType"): ("Member", "Guest"),
        (graph.AuthorizationPolicy, "allowInvitesFrom"): (
            *("none", "adminsAndGuestInviters", "adminsGuestInvitersAndAllMembers", "everyone"),
        ),
        (graph.AuthorizationPolicy, "guestUserRoleId"): (
            GUEST_ROLE_AS_MEMBER,
            "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            "2af84b1e-32c8-42b7-82bc-daa82404023b",
        ),
        (graph.Organization, "tenantType"): ("AAD", "AAD B2C", "CIAM"),
        (graph.DirectoryAudit, "result"): ("success", "failure", "timeout", "unknownFutureValue"),
    }
)
"""The documented words by type and property; letter case doesn't matter."""

OBJECT_IDS = frozenset(
    {
        (graph.OAuth2PermissionGrant, "clientId"),
        (graph.OAuth2PermissionGrant, "resourceId"),
        (graph.OAuth2PermissionGrant, "principalId"),
        (graph.AppRoleAssignment, "principalId"),
        (graph.AppRoleAssignment, "resourceId"),
        (graph.RoleAssignment, "principalId"),
        (graph.ServicePrincipal, "id"),
    }
)
"""Ids that differ in every tenant: an app id can never be one of them."""

APP_IDS = frozenset(
    {
        (graph.ServicePrincipal, "appId"),
        (graph.AppConsentRequest, "appId"),
        (graph.SignIn, "appId"),
        (graph.ConditionSet, "resourceApplication"),
        (graph.ConditionSet, "clientApplicationIds"),
    }
)
"""Ids of apps, the same in every tenant."""

OTHER_IDS = frozenset(
    {
        (graph.ConditionSet, "permissions"),
        (graph.ConditionSet, "clientApplicationTenantIds"),
        (graph.DelegatedPermissionClassification, "permissionId"),
        (graph.DelegatedScope, "id"),
        (graph.AppRole, "id"),
        (graph.AppRoleAssignment, "appRoleId"),
        (graph.RoleAssignment, "roleDefinitionId"),
        (graph.RoleDefinition, "templateId"),
        (graph.DirectorySetting, "templateId"),
        (graph.ServicePrincipal, "appOwnerOrganizationId"),
    }
)
"""Ids of permissions, roles, templates and tenants: a name can never be one of them."""

TOGETHER: Mapping[tuple[type, str], str] = MappingProxyType(
    {(graph.OAuth2PermissionGrant, "scope"): "all scopes of a grant in one text, so a single name never equals it"}
)
"""Texts that contain several names: compared with one name, they would never match."""

ONLY_READ: Mapping[tuple[type, str], str] = MappingProxyType(
    {(graph.DirectoryAudit, "activityDisplayName"): "Consent to application"}
)
"""The only entries that an audit reads from a log: a rule on any others would never find one."""

_NO_IDS: Mapping[tuple[type, str], str] = MappingProxyType({(graph.ConditionSet, "resourceApplication"): "any"})
_ALL = "all"
"""What a list of a condition set contains if it doesn't restrict; for properties that are no list see `_NO_IDS`."""

SCOPE_NAMES = frozenset({(graph.DelegatedPermissionClassification, "permissionName"), (graph.DelegatedScope, "value")})
"""Names of delegated permissions, of any resource."""


def value_problems(found: PathTarget, name: str, value: Any) -> Iterator[ArgumentProblem]:
    """Texts that the property can never have; those that Graph doesn't document are warnings."""
    if found.owner is None or name == "present":
        return
    key = (found.owner, found.name)
    if key in TOGETHER and name in ("equals", "one-of"):
        message = f"{key[1]} contains {TOGETHER[key]}"
        yield ArgumentProblem((name,), message, "kind: delegated-grants, which checks each scope")
        return
    for number, one in enumerate(value if isinstance(value, list) else [value]):
        if isinstance(one, str) and (text := one.strip()):
            yield from _text_problems(found, key, (name, number) if isinstance(value, list) else (name,), text)


def _text_problems(
    found: PathTarget, key: tuple[type, str], path: ArgumentPath, text: str
) -> Iterator[ArgumentProblem]:
    yield from _word_problems(key, path, text)
    if text.lower() != ONLY_READ.get(key, text).lower():
        message = f'an audit only reads "{ONLY_READ[key]}" from this log, so "{text}" is never found'
        yield ArgumentProblem(path, message)
    if key in SCOPE_NAMES:
        yield from _scope_problems(path, text)
    elif text.lower() != _NO_IDS.get(key, _ALL if found.kind == TEXTS else ""):
        yield from _id_problems(key, path, text)


def _word_problems(key: tuple[type, str], path: ArgumentPath, text: str) -> Iterator[ArgumentProblem]:
    known = WORDS.get(key, ())
    if not known or text.lower() in {word.lower() for word in known}:
        return
    if near := typo_of(text, known):
        yield ArgumentProblem(path, f'"{text}" isn\'t a value of {key[1]}', near=near)
    else:
        message = f'"{text}" isn\'t a documented value of {key[1]} ({", ".join(known)})'
        yield ArgumentProblem(path, message, is_warning=True)


def _scope_problems(path: ArgumentPath, text: str) -> Iterator[ArgumentProblem]:
    """Any app may publish scopes, so only a typo of one letter is certainly wrong."""
    known = {**spellings(), **{scope.value.lower(): scope.value for _, scope in known_scope_ids().values()}}
    if text.lower() in known:
        return
    message = f'"{text}" isn\'t a scope of a known resource'
    if near := next((known[name] for name in known if is_one_typo(text.lower(), name)), ""):
        yield ArgumentProblem(path, message, near=near)
    elif near := typo_of(text, known.values()):
        yield ArgumentProblem(path, message, near=near, is_warning=True)


def _id_problems(key: tuple[type, str], path: ArgumentPath, text: str) -> Iterator[ArgumentProblem]:
    if key in OBJECT_IDS:
        name = RESOURCE_NAMES.get(text.lower())
        what = f"is the app id of {name}, and {key[1]} is an object id" if name else "isn't an object id"
        if name or not is_guid(text):
            yield ArgumentProblem(path, f'"{text}" {what}', "the id that the object has in the tenant")
    elif key in (*APP_IDS, *OTHER_IDS) and not is_guid(text):
        yield ArgumentProblem(path, f'"{text}" isn\'t an id', GUID_FORM)
    elif key in APP_IDS:
        if near := typo_of_guid(text, RESOURCE_NAMES):
            yield ArgumentProblem(path, f'"{text}" is almost the id of {RESOURCE_NAMES[near]}', near=near)
        elif near := neighbor_of_guid(text, RESOURCE_NAMES):
            yield ArgumentProblem(path, f'"{text}" isn\'t the id of {RESOURCE_NAMES[near]}', near=near, is_warning=True)
