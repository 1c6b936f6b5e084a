"""How each address finds its rows in the tenant, and how each version shows them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .errors import absent
from .tenant import Row, Tenant

if TYPE_CHECKING:
    from .routes import Key

Reader = Callable[[Tenant, str, "Sequence[Key]"], "Row | list[Row]"]
Show = Callable[[str, Row], Row]

_BETA_POLICY = {"includeAllPreApprovedApplications": False, "resourceScopeType": "tenant"}
_BETA_SET = {
    "certifiedClientApplicationsOnly": False,
    "scopeSensitivityLabels": {"@odata.type": "#microsoft.graph.allScopeSensitivityLabels", "labelKind": "all"},
}
_ASSIGNED, _ASSIGNED_BETA = "permissionGrantPoliciesAssigned", "permissionGrantPolicyIdsAssignedToDefaultUserRole"


def as_it_is(version: str, row: Row) -> Row:
    """The same in every version."""
    return row


def everything(section: str) -> Reader:
    """All rows of a section."""
    return lambda tenant, version, keys: tenant.rows(section)


def only(section: str) -> Reader:
    """The one object a section is; 404 when the snapshot does not hold it."""

    def read(tenant: Tenant, version: str, keys: Sequence[Key]) -> Row:
        found = tenant.one(section)
        if found is None:
            raise absent(section)
        return found

    return read


def row_of(tenant: Tenant, section: str, key: Key) -> Row:
    """The row an address points at; 404, with the code that means absence, when there is none."""
    found = tenant.first(section, key.name, key.value)
    if found is None:
        raise absent(key.value)
    return found


def by_key(section: str) -> Reader:
    """The row of a section that the last key names."""
    return lambda tenant, version, keys: row_of(tenant, section, keys[-1])


def inside(section: str, name: str, show: Show = as_it_is) -> Reader:
    """A list that a row of a section carries as a property."""
    return lambda tenant, version, keys: [
        show(version, item) for item in row_of(tenant, section, keys[0]).get(name) or []
    ]


def kept_for_app(section: str) -> Reader:
    """What a section keeps per app id, asked for through the app's service principal."""

    def read(tenant: Tenant, version: str, keys: Sequence[Key]) -> list[Row]:
        key = keys[0]
        if key.name == "appId" and (rows := tenant.under(section, key.value)) is not None:
            return rows
        return tenant.under(section, str(row_of(tenant, "servicePrincipals", key)["appId"])) or []

    return read


def grants_to(section: str, name: str) -> Reader:
    """The delegated grants whose property `name` is the id of the object in the address."""
    return lambda tenant, version, keys: tenant.where(
        "oauth2PermissionGrants", name, str(row_of(tenant, section, keys[0])["id"])
    )


def organization(tenant: Tenant, version: str, keys: Sequence[Key]) -> list[Row]:
    """The tenant itself."""
    return tenant.organization


def authorization_policy(tenant: Tenant, version: str, keys: Sequence[Key]) -> Row | list[Row]:
    """One object in v1.0; in beta a list of one, which holds it by its name."""
    found = only("authorizationPolicy")(tenant, version, keys)
    if isinstance(found, list) or version != "beta" or keys:
        return found
    return [found]


def user(tenant: Tenant, version: str, keys: Sequence[Key]) -> Row:
    """A user by object id or by user principal name."""
    value = keys[0].value
    found = tenant.first("users", "id", value) or tenant.first("users", "userPrincipalName", value)
    if found is None:
        raise absent(value)
    return found


def groups_of_user(tenant: Tenant, version: str, keys: Sequence[Key]) -> list[Row]:
    """What a user is a direct member of."""
    return list(user(tenant, version, keys).get("memberOf") or [])


def grants_of_user(tenant: Tenant, version: str, keys: Sequence[Key]) -> list[Row]:
    """A user's own grants, never those made for everyone."""
    return tenant.where("oauth2PermissionGrants", "principalId", str(user(tenant, version, keys)["id"]))


def without(*names: str) -> Show:
    """A row without the properties that have a separate address."""
    return lambda version, row: {name: value for name, value in row.items() if name not in names}


def show_authorization_policy(version: str, row: Row) -> Row:
    """The assigned policies where each version keeps them, whichever way the snapshot spells it."""
    role = dict(row.get("defaultUserRolePermissions") or {})
    plain = {name: value for name, value in row.items() if name not in (_ASSIGNED_BETA, "enabledPreviewFeatures")}
    assigned = role.pop(_ASSIGNED, row.get(_ASSIGNED_BETA))
    if version == "beta":
        shown: dict[str, Any] = {**plain, "enabledPreviewFeatures": row.get("enabledPreviewFeatures", [])}
        shown["defaultUserRolePermissions"] = role
        return shown if assigned is None else {**shown, _ASSIGNED_BETA: assigned}
    if assigned is not None:
        role[_ASSIGNED] = assigned
    return {**plain, "defaultUserRolePermissions": role} if "defaultUserRolePermissions" in row or role else plain


def show_condition_set(version: str, row: Row) -> Row:
    """A condition set; v1.0 hides the two conditions that only beta has."""
    if version == "beta":
        return {**_BETA_SET, **row}
    return {name: value for name, value in row.items() if name not in _BETA_SET}


def show_grant_policy(version: str, row: Row) -> Row:
    """A consent policy with its condition sets expanded, as both list and get return it."""
    shown = {**_BETA_POLICY, **row} if version == "beta" else without(*_BETA_POLICY)(version, row)
    for side in ("includes", "excludes"):
        shown[side] = [show_condition_set(version, item) for item in row.get(side) or []]
    return shown


def show_service_principal(version: str, row: Row) -> Row:
    """Beta calls the published scopes by another name; what is inheritable belongs to the application."""
    row = {name: value for name, value in row.items() if name != "inheritablePermissions"}
    if version != "beta" or "oauth2PermissionScopes" not in row:
        return row
    shown = {name: value for name, value in row.items() if name != "oauth2PermissionScopes"}
    return {**shown, "publishedPermissionScopes": row["oauth2PermissionScopes"]}


def show_consent_request(version: str, row: Row) -> Row:
    """Graph leaves the users' requests out of the list even when there are some."""
    return {**row, "userConsentRequests": []}
