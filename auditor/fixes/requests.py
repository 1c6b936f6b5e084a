"""The Microsoft Graph requests that a fix may consist of, with their placeholders.

Sources: Microsoft Graph reference (v1.0), the pages of each request. A create keeps, in `returns`, the placeholder
for the id that Graph will give, so that later requests and the undo can name what it made.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from auditor.facts.clouds import CLOUDS
from auditor.model.fix import GraphRequest
from auditor.model.snapshot import Snapshot

NEW_SERVICE_PRINCIPAL = "{object id of the new service principal}"
"""Stands for the id that Graph gives when the app's service principal is created."""
SOMEBODY = "{object id of the user or group}"
"""Stands for whom the administrator wants to assign to the app."""
SOME_ROLE = "{id of the app role to assign}"
"""Stands for one of the app's own roles, where it has several to choose from."""
DEFAULT_ACCESS = "00000000-0000-0000-0000-000000000000"
"""The app role of an assignment to an app that has no roles for users."""

LONGEST_SCOPE = 3850
"""Characters that a grant's scope string may have (``oAuth2PermissionGrant``, beta reference)."""


def base_of(snapshot: Snapshot) -> str:
    """The address of v1.0 of Microsoft Graph in the snapshot's cloud."""
    return CLOUDS.get(snapshot.cloud, CLOUDS["global"]).graph + "/v1.0"


def segment(text: str) -> str:
    """`text` as one segment of an address; the one placeholder that addresses hold stays readable."""
    return text if text == NEW_SERVICE_PRINCIPAL else quote(text, safe="")


def held(placeholder: str) -> str:
    """The placeholder as a whole value of a JSON body: in a longer text it is only somebody's odd name."""
    return f'"{placeholder}"'


def create_service_principal(base: str, app_id: str) -> GraphRequest:
    """Bring an app into the tenant, without any consent."""
    return GraphRequest(
        method="POST", url=f"{base}/servicePrincipals", body={"appId": app_id}, returns=NEW_SERVICE_PRINCIPAL
    )


def change_service_principal(base: str, object_id: str, **properties: bool) -> GraphRequest:
    """Set properties of an app's service principal; the others stay."""
    return GraphRequest(method="PATCH", url=f"{base}/servicePrincipals/{segment(object_id)}", body=properties)


def create_grant(base: str, body: Mapping[str, Any], number: int) -> GraphRequest:
    """A new row of delegated permissions; Graph refuses a second one for the same client, resource and user."""
    which = f" {number}" if number > 1 else ""
    returns = f"{{id of the new grant{which}}}"
    return GraphRequest(method="POST", url=f"{base}/oauth2PermissionGrants", body=body, returns=returns)


def change_grant(base: str, grant_id: str, scope: str) -> GraphRequest:
    """Replace the whole scope string of a row."""
    url = f"{base}/oauth2PermissionGrants/{segment(grant_id)}"
    return GraphRequest(method="PATCH", url=url, body={"scope": scope})


def derived_grant_id(client: str, resource: str, principal: str | None = None) -> str | None:
    """The id of a grant that was read without one: base64url of its GUIDs (as in docs and live samples)."""
    try:
        raw = b"".join(uuid.UUID(one).bytes_le for one in (client, resource, principal) if one)
    except ValueError:
        return None
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def create_policy(base: str, policy_id: str, name: str, description: str) -> GraphRequest:
    """A consent policy that approves nothing yet: its includes are added one by one."""
    body = {"id": policy_id, "displayName": name, "description": description}
    return GraphRequest(method="POST", url=f"{base}/policies/permissionGrantPolicies", body=body)


def add_include(base: str, policy_id: str, include: Mapping[str, Any]) -> GraphRequest:
    """One more set of conditions under which a consent policy approves."""
    url = f"{base}/policies/permissionGrantPolicies/{segment(policy_id)}/includes"
    return GraphRequest(method="POST", url=url, body=include)


def assign_policies(base: str, entries: Sequence[str]) -> GraphRequest:
    """Replace the whole list of assigned consent policies: every entry that is to stay must be in it."""
    body = {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": list(entries)}}
    return GraphRequest(method="PATCH", url=f"{base}/policies/authorizationPolicy", body=body)


def classify(base: str, resource: str, permission_id: str, name: str, level: str, number: int) -> GraphRequest:
    """Put a delegated permission of a resource (app id) into a bucket."""
    quoted = quote(resource.replace("'", "''"), safe="'")
    return GraphRequest(
        method="POST",
        url=f"{base}/servicePrincipals(appId='{quoted}')/delegatedPermissionClassifications",
        body={"permissionId": permission_id, "permissionName": name, "classification": level},
        returns=f"{{id of the new classification{f' {number}' if number > 1 else ''}}}",
    )


def assign(base: str, object_id: str, principal: str, role: str = DEFAULT_ACCESS) -> GraphRequest:
    """Assign a user or group to an app's service principal."""
    return GraphRequest(
        method="POST",
        url=f"{base}/servicePrincipals/{segment(object_id)}/appRoleAssignedTo",
        body={"principalId": principal, "resourceId": object_id, "appRoleId": role},
        returns="{id of the new assignment}",
    )


def set_workflow(base: str, body: Mapping[str, Any]) -> GraphRequest:
    """Replace the settings of the admin consent workflow."""
    return GraphRequest(method="PUT", url=f"{base}/policies/adminConsentRequestPolicy", body=body)
