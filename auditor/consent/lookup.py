"""Questions to a snapshot, answered with what was read or with why it is not known."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from auditor.facts.ids import CONSENT_SETTINGS_TEMPLATE, RESOURCE_NAMES
from auditor.model.resources import AppRoleAssignment, DirectorySetting, PermissionGrantPolicy, ServicePrincipal, User
from auditor.model.sections import permissions_to_read
from auditor.model.snapshot import Snapshot


class NotRead(msgspec.Struct, frozen=True):
    """A question outside what was read; `why` is a clause that can end a sentence."""

    section: str
    why: str


class Absent(msgspec.Struct, frozen=True):
    """Graph was asked, and there is no such thing."""


def not_read(snapshot: Snapshot, section: str, part: str = "") -> NotRead:
    """Why a section, or a part of it, is not known: refused, failed, or never asked for."""
    unread = snapshot.unread.get(f"{section}/{part}") if part else None
    unread = unread or snapshot.unread.get(section)
    what = f"{section} of {RESOURCE_NAMES.get(part.lower(), part)}" if part else section
    if unread is None:
        return NotRead(section, f"{what} was not read")
    if unread.status in (401, 403):
        allowed_by = " or ".join(unread.needs or permissions_to_read(section))
        licence = "licence" in unread.message.lower() or "premium" in unread.code.lower()
        if licence or not allowed_by:
            return NotRead(section, f"{what} could not be read ({unread.message or unread.code})")
        return NotRead(section, f"{what} could not be read (needs {allowed_by})")
    cause = unread.code or unread.message or (f"status {unread.status}" if unread.status else "the read failed")
    return NotRead(section, f"{what} could not be read ({cause})")


def was_refused(snapshot: Snapshot, section: str, part: str) -> bool:
    """Whether a part of a section is named as unread: then what stands there beside it is no answer."""
    return any(key.lower() == f"{section}/{part}".lower() for key in snapshot.unread)


def service_principal(snapshot: Snapshot, app_id: str) -> ServicePrincipal | Absent | NotRead:
    """The service principal of an app in this tenant."""
    sought = app_id.lower()
    for principal in snapshot.sections.servicePrincipals or ():
        if principal.appId.lower() == sought:
            return principal
    if sought in _lower(snapshot.sections.absentServicePrincipals):
        return Absent()
    covered = snapshot.covers.get("servicePrincipals")
    if snapshot.sections.servicePrincipals is None or (covered is not None and sought not in _lower(covered)):
        return not_read(snapshot, "servicePrincipals", app_id)
    return Absent()


def resource_id(snapshot: Snapshot, resource: str) -> str:
    """The app id, in lower case, of a resource named by its app id or by one of its identifier URIs."""
    name = resource.lower().rstrip("/")
    if name in RESOURCE_NAMES:
        return name
    for principal in snapshot.sections.servicePrincipals or ():
        if any(uri.lower().rstrip("/") == name for uri in principal.servicePrincipalNames):
            return principal.appId.lower()
    return name


def resource_name(snapshot: Snapshot, app_id: str) -> str:
    """What to call a resource in a sentence."""
    if name := RESOURCE_NAMES.get(app_id.lower()):
        return name
    found = service_principal(snapshot, app_id)
    return found.displayName or app_id if isinstance(found, ServicePrincipal) else app_id


def classifications(snapshot: Snapshot, resource: str) -> dict[str, str] | NotRead:
    """Classification by permission id (both lower case) of one resource."""
    section = (
        {} if was_refused(snapshot, _CLASSIFIED, resource) else snapshot.sections.delegatedPermissionClassifications
    )
    for app_id, entries in (section or {}).items():
        if app_id.lower() == resource.lower():
            return {entry.permissionId.lower(): entry.classification.lower() for entry in entries}
    return not_read(snapshot, _CLASSIFIED, resource)


_CLASSIFIED = "delegatedPermissionClassifications"


def assigned_policies(snapshot: Snapshot) -> tuple[str, ...] | NotRead:
    """The entries of ``permissionGrantPoliciesAssigned``, as they are."""
    policy = snapshot.sections.authorizationPolicy
    if policy is None:
        return not_read(snapshot, "authorizationPolicy")
    role = policy.defaultUserRolePermissions
    if role is None or role.permissionGrantPoliciesAssigned is None:
        return NotRead("authorizationPolicy", "authorizationPolicy holds no permissionGrantPoliciesAssigned")
    return role.permissionGrantPoliciesAssigned


def grant_policy(snapshot: Snapshot, policy_id: str) -> PermissionGrantPolicy | Absent | NotRead:
    """A consent policy with its condition sets; Graph always tells both kinds, so that a missing one was not read."""
    if snapshot.sections.permissionGrantPolicies is None:
        return not_read(snapshot, "permissionGrantPolicies")
    for policy in snapshot.sections.permissionGrantPolicies:
        if policy.id.lower() == policy_id.lower():
            missing = [kind for kind in ("includes", "excludes") if getattr(policy, kind) is None]
            if missing:
                what = "condition sets" if len(missing) > 1 else missing[0]
                return NotRead("permissionGrantPolicies", f"the {what} of policy {policy_id} were not read")
            return policy
    return Absent()


def consent_setting(snapshot: Snapshot, name: str) -> str | Absent | NotRead:
    """A value of the directory settings object "Consent Policy Settings", lower case."""
    settings = snapshot.sections.directorySettings
    if settings is None:
        return not_read(snapshot, "directorySettings")
    return _setting_value(settings, name)


def _setting_value(settings: Iterable[DirectorySetting], name: str) -> str | Absent:
    for setting in settings:
        if (setting.templateId or "").lower() == CONSENT_SETTINGS_TEMPLATE:
            for item in setting.values:
                if item.name.lower() == name.lower() and item.value:
                    return item.value.lower()
    return Absent()


def assigned_to(snapshot: Snapshot, app_id: str) -> tuple[AppRoleAssignment, ...] | NotRead:
    """Who is assigned to an app of this tenant; nobody, where the app is known to be absent."""
    if was_refused(snapshot, "appRoleAssignedTo", app_id):
        return not_read(snapshot, "appRoleAssignedTo", app_id)
    for known_id, entries in (snapshot.sections.appRoleAssignedTo or {}).items():
        if known_id.lower() == app_id.lower():
            return entries
    if isinstance(service_principal(snapshot, app_id), Absent):
        return ()
    return not_read(snapshot, "appRoleAssignedTo", app_id)


def user(snapshot: Snapshot, name: str) -> User | NotRead:
    """The user with this object id or user principal name."""
    for found in snapshot.sections.users or ():
        if name.lower() in (found.id.lower(), (found.userPrincipalName or "").lower()):
            return found
    return not_read(snapshot, "users", name)


def _lower(values: Iterable[str] | None) -> set[str]:
    return {value.lower() for value in values or ()}
