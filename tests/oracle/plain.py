"""One plain product and one wholly read tenant, from which each case differs in a word or two."""

from __future__ import annotations

from typing import Any

from . import pool
from .evaluator import Verdict
from .pool import CLIENT, GRAPH, TENANT
from .reading import Json

MAIL = ["Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite", "Contacts.ReadWrite"]
EVERYTHING = [*pool.BASIC, *MAIL]
VERIFIED = pool.client(verifiedPublisher=pool.publisher("1234567"))
UNVERIFIED = pool.client()
OWN = pool.client(appOwnerOrganizationId=TENANT)
FULL_GRANT = [pool.grant(GRAPH, " ".join(EVERYTHING))]
MEMBER = {"id": pool.ALICE, "userType": "Member", "roles": [], "role_actions": [], "groups": []}


def app(scopes: list[str] | None = None, resource: str = GRAPH, **facts: object) -> Json:
    """A product that asks for mail and calendar dynamically, unless said otherwise."""
    return {
        "client_id": CLIENT,
        "name": "Mailer",
        "mode": "dynamic",
        "prompt_consent": False,
        "redirect_uris": [],
        "scopes": [
            {"resource": resource, "value": value, "required": True}
            for value in (EVERYTHING if scopes is None else scopes)
        ],
        "publisher_verified": None,
        "owner_tenant": None,
        **facts,
    }


def tenant(*assigned: str, client: Json | None = None, risky: bool | None = None, **sections: Any) -> Json:
    """A wholly read tenant: these policies assigned, these sections changed, no admin consent workflow."""
    principals = [pool.resource(one) for one in pool.RESOURCES] + ([client] if client else [])
    companion = pool.mail_clients(pool.OTHER_CLIENT)
    read: Json = {
        "authorizationPolicy": {
            "defaultUserRolePermissions": {
                "permissionGrantPoliciesAssigned": [f"ManagePermissionGrantsForSelf.{one}" for one in assigned]
            },
            "allowUserConsentForRiskyApps": risky,
            "guestUserRoleId": pool.GUEST_ROLE,
        },
        "permissionGrantPolicies": [pool.legacy(), pool.low(), pool.recommended(), companion],
        "adminConsentRequestPolicy": {"isEnabled": False},
        "directorySettings": [],
        "servicePrincipals": principals,
        "delegatedPermissionClassifications": {one: [] for one in pool.RESOURCES},
        "oauth2PermissionGrants": [],
        "appRoleAssignedTo": {CLIENT: []},
    }
    changed = {**read, **sections}
    return pool.snapshot({name: value for name, value in changed.items() if value is not None})


def blocked(verdict: Verdict) -> set[str]:
    """The names of the scopes that the user may not consent to."""
    return {value for (_, value), what in verdict.scopes.items() if what == "blocked"}
