"""The kinds of check that a rule may use. A new kind needs its class in the file of its family, and a line here."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from types import MappingProxyType
from typing import Any

from auditor.checks.kind import ArgumentPath, Arguments, CheckKind

KINDS = MappingProxyType(
    {
        "users-can-connect": "connection.UsersCanConnect",
        "scopes-user-consentable": "connection.ScopesUserConsentable",
        "scopes-classified": "user_consent.ScopesClassified",
        "admin-consent-covers": "connection.AdminConsentCovers",
        "app-roles-granted": "connection.AppRolesGranted",
        "app-enabled": "connection.AppEnabled",
        "app-assignment": "connection.AppAssignment",
        "publisher-verified": "connection.PublisherVerified",
        "conditional-access": "connection.ConditionalAccessAllows",
        "user-consent-setting": "user_consent.UserConsentSettingIs",
        "consent-workflow": "user_consent.ConsentWorkflow",
        "consent-requests": "consent_requests.ConsentRequestsAnswered",
        "setting": "properties.PropertyIs",
        "list": "properties.ListContains",
        "every": "properties.EveryItem",
        "count": "properties.ItemCount",
        "directory-setting": "directory_settings.DirectorySettingIs",
        "users-can-consent": "consent_policies.UsersCanConsent",
        "assigned-policies": "consent_policies.AssignedPolicies",
        "delegated-grants": "grants.DelegatedGrants",
        "grants-in-effect": "grants.GrantsInEffect",
        "app-roles-held": "grants.AppRolesHeld",
        "no-abused-apps": "abused_apps.NoAbusedApps",
        "classifications": "permission_lists.Classifications",
        "any": "combinations.AnyOf",
        "all": "combinations.AllOf",
        "not": "combinations.Not",
    }
)
"""By name in YAML: the family module in `auditor.checks`, and the class in it.

A module is imported when a pack first uses one of its kinds: a vendor's pack uses two of the families, and an
offline audit starts faster without the others.
"""


def kind_named(name: Any) -> type[CheckKind] | None:
    """The kind with this name, or None if there is no such kind."""
    if not isinstance(name, str) or name not in KINDS:
        return None
    module, _, class_name = KINDS[name].partition(".")
    kind: type[CheckKind] = getattr(import_module(f"auditor.checks.{module}"), class_name)
    return kind


def every_kind() -> tuple[type[CheckKind], ...]:
    """All kinds, in the order of the documentation."""
    return tuple(kind for name in KINDS if (kind := kind_named(name)) is not None)


def nested_arguments(arguments: Any, path: ArgumentPath = ()) -> Iterator[tuple[ArgumentPath, Arguments]]:
    """The arguments of a check and of all checks inside it, with their paths; nothing for a value of a wrong type."""
    if isinstance(arguments, dict):
        yield path, arguments
        if kind := kind_named(arguments.get("kind")):
            for step, inner in kind.inner_arguments(arguments):
                yield from nested_arguments(inner, (*path, *step))
