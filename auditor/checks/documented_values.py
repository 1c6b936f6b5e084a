"""The values that a property of the snapshot can have: the words that Graph documents for it, and whose id it is.

Source: the Microsoft Graph reference, the resource pages of these types, and values that only beta or live tenants
show. Graph may add words, so an unknown word is a warning, and an error only if it is almost a known one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from auditor.checks.kind import ArgumentPath, ArgumentProblem, as_list, as_text
from auditor.checks.permission_lists import GUID_FORM
from auditor.checks.snapshot_paths import TEXTS, PathTarget
from auditor.checks.typo_suggestions import LIKELY_TYPO, is_one_typo, nearest, neighbor_of_guid, typo_of, typo_of_guid
from auditor.facts.graph_values import graph_values
from auditor.facts.ids import (
    ASSIGNED_FOR_SELF,
    GUEST_ROLE,
    GUEST_ROLE_AS_MEMBER,
    GUEST_ROLE_RESTRICTED,
    MICROSOFTS_POLICIES,
    RESOURCE_NAMES,
    is_guid,
)
from auditor.facts.permissions import known_scope_ids, spellings
from auditor.model import resources as graph
from auditor.model.access_resources import AppConsentRequest, DirectoryAudit, RoleAssignment, RoleDefinition, SignIn

_PROPERTIES_WITH_WORDS = (
    (graph.OAuth2PermissionGrant, "consentType"),
    (graph.ConditionSet, "permissionType"),
    (graph.ConditionSet, "permissionClassification"),
    (graph.DelegatedPermissionClassification, "classification"),
    (graph.PermissionGrantPolicy, "resourceScopeType"),
    (graph.ServicePrincipal, "servicePrincipalType"),
    (graph.ServicePrincipal, "signInAudience"),
    (graph.ServicePrincipal, "disabledByMicrosoftStatus"),
    (graph.DelegatedScope, "type"),
    (graph.AppRole, "allowedMemberTypes"),
    (graph.AppRoleAssignment, "principalType"),
    (graph.User, "userType"),
    (graph.AuthorizationPolicy, "allowInvitesFrom"),
    (graph.Organization, "tenantType"),
    (DirectoryAudit, "result"),
)
WORDS: Mapping[tuple[type, str], tuple[str, ...]] = MappingProxyType(
    {
        **{(kind, name): graph_values().words[f"{kind.__name__}.{name}"] for kind, name in _PROPERTIES_WITH_WORDS},
        (graph.AuthorizationPolicy, "guestUserRoleId"): (GUEST_ROLE_AS_MEMBER, GUEST_ROLE, GUEST_ROLE_RESTRICTED),
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
        (RoleAssignment, "principalId"),
        (graph.ServicePrincipal, "id"),
    }
)
"""Ids that differ in every tenant: an app id can never be one of them."""

APP_IDS = frozenset(
    {
        (graph.ServicePrincipal, "appId"),
        (AppConsentRequest, "appId"),
        (SignIn, "appId"),
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
        (RoleAssignment, "roleDefinitionId"),
        (RoleDefinition, "templateId"),
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
    {(DirectoryAudit, "activityDisplayName"): "Consent to application"}
)
"""The only entries that an audit reads from a log: a rule on any others would never find one."""

_NO_IDS: Mapping[tuple[type, str], str] = MappingProxyType({(graph.ConditionSet, "resourceApplication"): "any"})
_ALL = "all"
"""What a list of a condition set contains if it doesn't restrict; for properties that aren't lists see `_NO_IDS`."""

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


PREFIXES = (ASSIGNED_FOR_SELF, "ManagePermissionGrantsForOwnedResource")
"""The prefixes, followed by a dot and the id, of a policy that is assigned to the default user role."""

"""The prefix of the ids of Microsoft's own policies; Graph refuses it for other policies."""

BUILT_IN = graph_values().policies
"""The policies that Microsoft provides (Entra, "Manage app consent policies", and live tenants)."""

_FORMS = tuple(f"{prefix}." for prefix in PREFIXES)
_EXPECTED = " or ".join(f"{form}ID" for form in _FORMS)
_ALMOST = 0.9
"""The least similarity of a tenant's own id to one of Microsoft's that makes it a typo of that."""


def assigned_policy_problems(name: str, values: Any, match: str) -> Iterator[ArgumentProblem]:
    """Entries that can never be among the policies assigned to users, or, with `prefix`, never begin one."""
    for number, entry in enumerate(as_list(values)):
        if not (text := as_text(entry)):
            continue
        path, low = (name, number), text.lower()
        if match == "exact":
            # Graph keeps the entry in the letter case in which somebody wrote it.
            message = f'match: exact compares the letter case of "{text}", which differs between tenants'
            yield ArgumentProblem(path, message, is_warning=True)
        form = next((form for form in _FORMS if low.startswith(form.lower())), "")
        if match == "prefix" and any(form.lower().startswith(low) for form in _FORMS):
            continue
        if not form or (match != "prefix" and len(text) == len(form)):
            yield ArgumentProblem(path, f'"{text}" isn\'t an assigned policy', _EXPECTED, _form_of(text))
        elif match == "prefix":
            yield from _prefix_problems(path, text[len(form) :])
        else:
            yield from _reference_problems(path, text[len(form) :])


def policy_id_problems(table: str, name: str, values: Any) -> Iterator[ArgumentProblem]:
    """Entries that can't be the id of a policy; here ids have no prefix."""
    for number, entry in enumerate(as_list(values)):
        if not (text := as_text(entry)):
            continue
        path = (table, name, number)
        prefix, dot, rest = text.partition(".")
        if dot and (nearest(prefix, PREFIXES, LIKELY_TYPO) or prefix.lower() in {p.lower() for p in PREFIXES}):
            message = f'"{text}" has the prefix of an assigned policy'
            yield ArgumentProblem(path, message, "the id of a policy alone", rest)
        else:
            yield from _reference_problems(path, text)


def _form_of(text: str) -> str:
    """The entry that was probably meant; empty where the text contains no id."""
    prefix, dot, rest = text.partition(".")
    joined = next((p for p in PREFIXES if text.lower().startswith(p.lower())), "")
    if joined:
        prefix, rest = joined, text[len(joined) :].strip(".:-_/ ")
    elif not dot:
        prefix, rest = PREFIXES[0], "" if nearest(text, PREFIXES, LIKELY_TYPO) else text
    form = nearest(prefix, PREFIXES) or PREFIXES[0]
    return f"{form}.{typo_of(rest, BUILT_IN) or rest}" if rest else ""


def _reference_problems(path: ArgumentPath, text: str) -> Iterator[ArgumentProblem]:
    """A tenant's own id may be anything but a typo of one of Microsoft's."""
    low = text.lower()
    if low in BUILT_IN:
        return
    is_reserved = low.startswith(MICROSOFTS_POLICIES)
    if near := nearest(low, BUILT_IN, LIKELY_TYPO if is_reserved else _ALMOST):
        yield ArgumentProblem(path, f'Microsoft has no policy "{text}"', near=near)
    elif is_reserved:
        message = f'"{text}" isn\'t a known policy of Microsoft'
        yield ArgumentProblem(path, message, near=nearest(low, BUILT_IN), is_warning=True)


def _prefix_problems(path: ArgumentPath, text: str) -> Iterator[ArgumentProblem]:
    """The first letters of an id, with which none of Microsoft's begins."""
    low = text.lower()
    if MICROSOFTS_POLICIES.startswith(low) or any(known.startswith(low) for known in BUILT_IN):
        return
    starts = {known[: len(low)] for known in BUILT_IN}
    is_reserved = low.startswith(MICROSOFTS_POLICIES)
    if near := nearest(low, starts, LIKELY_TYPO if is_reserved else _ALMOST):
        yield ArgumentProblem(path, f'no policy of Microsoft begins with "{text}"', near=near)
    elif is_reserved:
        message = f'no known policy of Microsoft begins with "{text}"'
        yield ArgumentProblem(path, message, is_warning=True)
