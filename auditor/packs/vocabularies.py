"""What may stand at a property of the snapshot: the words that Graph documents for it, and whose id it is.

Source: the Microsoft Graph reference, the resource pages of these types, with what only beta or tenants show. Graph may
add words, so a word that is none of them is a doubt, and a mistake only where it is almost one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from auditor.facts.ids import GUEST_ROLE_AS_MEMBER, RESOURCE_NAMES
from auditor.facts.scope_lists import spellings
from auditor.facts.scopes import known_scope_ids
from auditor.model import resources as graph
from auditor.packs import value_validators as words
from auditor.packs.pack_errors import Problems
from auditor.packs.paths import TEXTS, Leaf
from auditor.packs.typo_suggestions import is_one_slip, neighbour_of_guid, slip_of, slip_of_guid
from auditor.packs.yaml_nodes import Items, Node, Scalar

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
"""The closed sets of words by type and property; letter case does not count."""

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
"""Ids that every tenant gives anew, so that no app id can ever stand there."""

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
"""Ids of permissions, roles, templates and tenants: no name can ever stand there."""

TOGETHER: Mapping[tuple[type, str], str] = MappingProxyType(
    {(graph.OAuth2PermissionGrant, "scope"): "all scopes of a grant in one text, so that one name is never equal to it"}
)
"""Texts that hold several names: compared with one of them, they would never match."""

ONLY_READ: Mapping[tuple[type, str], str] = MappingProxyType(
    {(graph.DirectoryAudit, "activityDisplayName"): "Consent to application"}
)
"""What a log is asked for: of anything else it would always hold nothing, whatever happened in the tenant."""

_NO_IDS: Mapping[tuple[type, str], str] = MappingProxyType({(graph.ConditionSet, "resourceApplication"): "any"})
_ALL = "all"
"""What stands in the lists of a condition set that does not restrict; elsewhere `_NO_IDS`."""

SCOPE_NAMES = frozenset({(graph.DelegatedPermissionClassification, "permissionName"), (graph.DelegatedScope, "value")})
"""Names of delegated permissions, of any resource."""


def check_values(found: Leaf, name: str, value: Node, problems: Problems) -> None:
    """Report texts that can never stand at the property, and doubt those that Graph does not document."""
    if found.owner is None or name == "present":
        return
    key = (found.owner, found.name)
    if key in TOGETHER and name in ("equals", "one-of"):
        problems.add(
            value.at, f"{key[1]} holds {TOGETHER[key]}", expected="kind: delegated-grants, which looks at each"
        )
        return
    for node in value.nodes if isinstance(value, Items) else (value,):
        if isinstance(node, Scalar) and isinstance(node.value, str) and (text := node.value.strip()):
            _word(key, node, text, problems)
            if text.lower() != ONLY_READ.get(key, text).lower():
                problems.add(node.at, f'of the log only "{ONLY_READ[key]}" is read, so that "{text}" is never there')
            if key in SCOPE_NAMES:
                _scope(node, text, problems)
            elif text.lower() != _NO_IDS.get(key, _ALL if found.kind == TEXTS else ""):
                _id(key, node, text, problems)


def _word(key: tuple[type, str], node: Scalar, text: str, problems: Problems) -> None:
    known = WORDS.get(key, ())
    if not known or text.lower() in {word.lower() for word in known}:
        return
    message = f'"{text}" is no value of {key[1]}'
    if near := slip_of(text, known):
        problems.add(node.at, message, near=near)
    else:
        problems.warn(node.at, f"{message} that is documented ({', '.join(known)})")


def _scope(node: Scalar, text: str, problems: Problems) -> None:
    """Any app may publish scopes, so that only a slip of one letter is no other scope."""
    known = {**spellings(), **{scope.value.lower(): scope.value for _, scope in known_scope_ids().values()}}
    if text.lower() in known:
        return
    message = f'"{text}" is no scope of a resource that is known'
    if near := next((known[name] for name in known if is_one_slip(text.lower(), name)), ""):
        problems.add(node.at, message, near=near)
    elif near := slip_of(text, known.values()):
        problems.warn(node.at, message, near=near)


def _id(key: tuple[type, str], node: Scalar, text: str, problems: Problems) -> None:
    if key in OBJECT_IDS:
        name = RESOURCE_NAMES.get(text.lower())
        what = f"is the app id of {name}, and {key[1]} is an object id" if name else "is no object id"
        if name or not words.is_guid(text):
            problems.add(node.at, f'"{text}" {what}', expected="the id that the object has in the tenant")
    elif key in (*APP_IDS, *OTHER_IDS) and not words.is_guid(text):
        problems.add(node.at, f'"{text}" is no id', expected="five groups of 8-4-4-4-12 digits 0-9 and a-f")
    elif key in APP_IDS:
        if near := slip_of_guid(text, RESOURCE_NAMES):
            problems.add(node.at, f'"{text}" is almost the id of {RESOURCE_NAMES[near]}', near=near)
        elif near := neighbour_of_guid(text, RESOURCE_NAMES):
            problems.warn(node.at, f'"{text}" is not the id of {RESOURCE_NAMES[near]}', near=near)
