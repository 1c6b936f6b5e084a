"""What happens in thirty nights: the truth that the history, the messages and the pages are compared with.

Nothing here is computed by the program. Each event says what somebody did to a tenant, and what must be said of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

Json = dict[str, Any]
Changes = tuple[tuple[str, str], ...]
"""Keys of changes, each with its transition."""

ALPINE, BALTIC, CORAL = "alpine", "baltic", "coral"
TENANTS = {
    ALPINE: "a1000000-0000-4000-8000-000000000001",
    BALTIC: "b2000000-0000-4000-8000-000000000002",
    CORAL: "c3000000-0000-4000-8000-000000000003",
}
NIGHTS = 30
MISSED = 10
"""The scheduler starts nothing that night."""
SILENT = 22
"""Graph answers nobody that night."""
DOWN = (13, 14)
"""The service that takes the messages is down."""
THROTTLED = 24
"""Graph throttles, fails and resets connections, but it answers in the end."""
REFUSED = (18, 19, 20)
"""Graph refuses the admin consent workflow of `BALTIC`."""

GRAPH = "00000003-0000-0000-c000-000000000000"
APP = "d4000000-0000-4000-8000-00000000000d"
APP_NAME = "Recruiting"
SCOPE = "Mail.Read"
MAIL_READ = "570282fd-fa5c-430d-a7fd-fc8dc98a9dca"
SIGN_IN = {
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
    "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d",
}
ADMIN = {"id": "e5000000-0000-4000-8000-00000000000e", "userPrincipalName": "ada@alpine.example"}
RECOMMENDED, LOW = "microsoft-user-default-recommended", "microsoft-user-default-low"
PUBLISHER = {"displayName": "Recruiting Ltd", "verifiedPublisherId": "1234567", "addedDateTime": "2025-01-01T00:00:00Z"}
NO_PUBLISHER = {"displayName": None, "verifiedPublisherId": None, "addedDateTime": None}
REVIEWER = {"query": "/users/e5000000-0000-4000-8000-00000000000e", "queryType": "MicrosoftGraph", "queryRoot": None}
BO = "e6000000-0000-4000-8000-00000000000e"
OTHER_REVIEWER = {**REVIEWER, "query": f"/users/{BO}"}


class Event(NamedTuple):
    """What was done to a tenant before the run of this night.

    `changes` are the keys of the major changes that must be recorded, each with its transition; a finding is named by
    its rule. `says` are texts that a message about the night and the page of its run must contain. `outcome` is the
    decision on the app from now on, if that's another one. `by` is who did it, where that is known.
    """

    night: int
    tenant: str
    do: Callable[[Json], None]
    changes: Changes
    says: tuple[str, ...] = ()
    outcome: str = ""
    by: str = ""


def tenant(name: str) -> Json:
    """A tenant before the first night, as a snapshot document. `CORAL` doesn't have the app yet."""
    resource = {
        "id": "sp-graph",
        "appId": GRAPH,
        "displayName": "Microsoft Graph",
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "servicePrincipalType": "Application",
        "verifiedPublisher": NO_PUBLISHER,
        "oauth2PermissionScopes": [
            {"id": MAIL_READ, "value": SCOPE, "type": "User", "isEnabled": True},
            *({"id": id_, "value": name, "type": "User", "isEnabled": True} for name, id_ in SIGN_IN.items()),
        ],
    }
    return {
        "format": "consent-auditor/snapshot",
        "version": 1,
        "tenant": {"id": TENANTS[name], "name": name.capitalize()},
        "sections": {
            "organization": [
                {
                    "id": TENANTS[name],
                    "displayName": name.capitalize(),
                    "tenantType": "AAD",
                    "verifiedDomains": [{"name": f"{name}.example", "isDefault": True, "isInitial": True}],
                }
            ],
            "authorizationPolicy": {
                "id": "authorizationPolicy",
                "allowUserConsentForRiskyApps": False,
                "defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [_for_users(RECOMMENDED)]},
            },
            "permissionGrantPolicies": [
                {"id": LOW, "includes": [_conditions("low-1", permissionClassification="low")], "excludes": []},
                {"id": RECOMMENDED, "includes": [_conditions("all-1")], "excludes": []},
            ],
            "adminConsentRequestPolicy": {
                "isEnabled": True,
                "notifyReviewers": True,
                "remindersEnabled": True,
                "requestDurationInDays": 30,
                "reviewers": [REVIEWER],
            },
            "conditionalAccessPolicies": [],
            "directorySettings": [],
            "servicePrincipals": [resource, *([] if name == CORAL else [_app()])],
            "delegatedPermissionClassifications": {GRAPH: []},
            "appRoleAssignedTo": {},
            "oauth2PermissionGrants": [],
            "directoryAudits": [],
            "users": [
                {**ADMIN, "displayName": "Ada", "userType": "Member", "accountEnabled": True},
                {"id": BO, "displayName": "Bo", "userType": "Member", "accountEnabled": True},
            ],
        },
    }


def documents(night: int) -> dict[str, Json]:
    """The tenants as they are on this night, by name."""
    found = {name: tenant(name) for name in TENANTS}
    for event in EVENTS:
        if event.night <= night:
            event.do(found[event.tenant])
    if night in REFUSED:
        found[BALTIC]["unread"] = {"adminConsentRequestPolicy": {"status": 403, "code": "Authorization_RequestDenied"}}
    return copy.deepcopy(found)


def found_on(event: Event) -> int:
    """The night whose run must find the event: the first one that can read what it changed."""
    night = event.night
    while night in (MISSED, SILENT) or (event.tenant == BALTIC and night in REFUSED and _is_refused(event)):
        night += 1
    return night


def _is_refused(event: Event) -> bool:
    return any("adminConsentWorkflow" in key for key, _ in event.changes)


def expected_changes(name: str) -> dict[int, tuple[Event, ...]]:
    """The events of a tenant by the night whose run must find them."""
    found: dict[int, tuple[Event, ...]] = {}
    for event in EVENTS:
        if event.tenant == name:
            found[found_on(event)] = (*found.get(found_on(event), ()), event)
    return found


def outcome_on(name: str, night: int) -> str:
    """The decision on the app in a tenant on a night on which it can be read."""
    changed = [one.outcome for one in EVENTS if one.tenant == name and one.night <= night and one.outcome]
    return changed[-1] if changed else FIRST_OUTCOMES[name]


def failing_at_the_end(name: str) -> dict[str, int]:
    """The rules that fail after the last night, each with the night on which it began to."""
    failing: dict[str, int] = {}
    for night, events in sorted(expected_changes(name).items()):
        for key, transition in (change for event in events for change in event.changes):
            if key.startswith("finding/") and transition == _APPEARED:
                failing[key.removeprefix("finding/")] = night
            elif key.startswith("finding/") and transition == _FIXED:
                failing.pop(key.removeprefix("finding/"), None)
    return failing


# ---- What is done ----------------------------------------------------------------------------------------------------


def _for_users(policy: str) -> str:
    return f"ManagePermissionGrantsForSelf.{policy}"


def _conditions(name: str, **conditions: Any) -> Json:
    return {
        "id": name,
        "permissionType": "delegated",
        "permissionClassification": "all",
        "permissions": ["all"],
        "resourceApplication": "any",
        "clientApplicationIds": ["all"],
        "clientApplicationTenantIds": ["all"],
        "clientApplicationPublisherIds": ["all"],
        "clientApplicationsFromVerifiedPublisherOnly": False,
        **conditions,
    }


def _app() -> Json:
    return {
        "id": "sp-app",
        "appId": APP,
        "displayName": APP_NAME,
        "accountEnabled": True,
        "appRoleAssignmentRequired": False,
        "appOwnerOrganizationId": "f6000000-0000-4000-8000-00000000000f",
        "servicePrincipalType": "Application",
        "replyUrls": ["https://recruiting.example/callback"],
        "verifiedPublisher": PUBLISHER,
    }


def _nothing(_: Json) -> None:
    """Nothing was done: what is found that night is that Graph answers, or that it doesn't."""


def _section(document: Json, name: str) -> Any:
    return document["sections"][name]


def _own_app(document: Json) -> Json:
    return next(one for one in _section(document, "servicePrincipals") if one["appId"] == APP)


def _exclude_mail(document: Json) -> None:
    policy = next(one for one in _section(document, "permissionGrantPolicies") if one["id"] == RECOMMENDED)
    policy["excludes"] = [_conditions("no-mail", permissions=[MAIL_READ], resourceApplication=GRAPH)]


def _include_mail_again(document: Json) -> None:
    policy = next(one for one in _section(document, "permissionGrantPolicies") if one["id"] == RECOMMENDED)
    policy["excludes"] = []


def _assign(*policies: str) -> Callable[[Json], None]:
    def do(document: Json) -> None:
        role = _section(document, "authorizationPolicy")["defaultUserRolePermissions"]
        role["permissionGrantPoliciesAssigned"] = list(map(_for_users, policies))

    return do


def _classify(level: str) -> Callable[[Json], None]:
    def do(document: Json) -> None:
        row = {"id": "c1", "permissionId": MAIL_READ, "permissionName": SCOPE, "classification": level}
        _section(document, "delegatedPermissionClassifications")[GRAPH] = [row] if level else []

    return do


def _workflow(**values: Any) -> Callable[[Json], None]:
    return lambda document: _section(document, "adminConsentRequestPolicy").update(values)


def _set_app(**values: Any) -> Callable[[Json], None]:
    return lambda document: _own_app(document).update(values)


def _add_app(document: Json) -> None:
    _section(document, "servicePrincipals").append(_app())


def _grant(user: str = "") -> Callable[[Json], None]:
    """Grant the scope of the app for one user, or for all users."""

    def do(document: Json) -> None:
        _section(document, "oauth2PermissionGrants").append(
            {
                "id": f"grant-{user or 'all'}",
                "clientId": "sp-app",
                "consentType": "Principal" if user else "AllPrincipals",
                "principalId": user or None,
                "resourceId": "sp-graph",
                "scope": SCOPE,
            }
        )

    return do


def _granted_by_ada(document: Json) -> None:
    _grant()(document)
    _section(document, "directoryAudits").append(
        {
            "id": "consent-1",
            "activityDisplayName": "Consent to application",
            "activityDateTime": "2026-06-06T09:30:00Z",
            "category": "ApplicationManagement",
            "result": "success",
            "initiatedBy": {"user": {**ADMIN, "displayName": None}, "app": None},
            "targetResources": [{"id": "sp-app", "type": "ServicePrincipal", "displayName": APP_NAME}],
        }
    )


def _revoke(user: str = "") -> Callable[[Json], None]:
    def do(document: Json) -> None:
        rows = _section(document, "oauth2PermissionGrants")
        document["sections"]["oauth2PermissionGrants"] = [one for one in rows if one["id"] != f"grant-{user or 'all'}"]

    return do


_DECISION = f"decision/{APP}/ordinary member"
_POLICY = f"policy/{RECOMMENDED}"
_GRANT = f"grant/{APP}/{GRAPH}/delegated"
_ASSIGNED = "setting/permissionGrantPoliciesAssigned"
_WORKFLOW = "setting/adminConsentWorkflow/"
_CLASSIFIED = f"classification/{GRAPH}/{MAIL_READ}"
_APPEARED, _FIXED, _CHANGED = "appeared", "fixed", "changed"

_BECAME_KNOWN, _BECAME_UNKNOWN = "became-known", "became-unknown"
MAY, SILENTLY, NEEDS_ADMIN = "user-may-consent", "connects-silently", "needs-admin"
BLOCKED, DEPENDS = "blocked", "depends"
FIRST_OUTCOMES = {ALPINE: MAY, BALTIC: MAY, CORAL: DEPENDS}


def _rules(transition: str, *names: str) -> Changes:
    return tuple((f"finding/VENDOR-{name}", transition) for name in names)


EVENTS: tuple[Event, ...] = (
    Event(3, ALPINE, _classify("low"), ((_CLASSIFIED, _APPEARED),), ("The classification of Mail.Read",)),
    # Microsoft changes its policy in every tenant on the same day, without an entry in any log.
    *(
        Event(
            5,
            name,
            _exclude_mail,
            ((_POLICY, _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "CONNECT", "SCOPES", "ADMIN-CONSENT")),
            (f"users can no longer connect {APP_NAME}", f"The content of the consent policy {RECOMMENDED}"),
            outcome=NEEDS_ADMIN,
            by="microsoft",
        )
        for name in (ALPINE, BALTIC)
    ),
    Event(
        5,
        CORAL,
        _exclude_mail,
        (
            (_POLICY, _CHANGED),
            (_DECISION, _BECAME_KNOWN),
            *_rules(_APPEARED, "SCOPES"),
            *_rules(_BECAME_KNOWN, "CONNECT", "ADMIN-CONSENT", "PUBLISHER"),
        ),
        (f"The content of the consent policy {RECOMMENDED}",),
        outcome=NEEDS_ADMIN,
        by="microsoft",
    ),
    Event(
        7,
        ALPINE,
        _granted_by_ada,
        ((_GRANT, _APPEARED), (_DECISION, _CHANGED), *_rules(_FIXED, "CONNECT", "SCOPES", "ADMIN-CONSENT")),
        (f"{APP_NAME} gained {SCOPE} on Microsoft Graph for all users", ADMIN["userPrincipalName"]),
        outcome=SILENTLY,
        by=ADMIN["userPrincipalName"],
    ),
    Event(
        9,
        BALTIC,
        _assign(LOW),
        ((_ASSIGNED, _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "CLASSIFIED"), *_rules(_CHANGED, "SCOPES")),
        ("The consent policies for users",),
    ),
    Event(
        MISSED,
        CORAL,
        _workflow(isEnabled=False),
        ((f"{_WORKFLOW}isEnabled", _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "WORKFLOW")),
        ("The admin consent workflow",),
    ),
    Event(
        12,
        BALTIC,
        _workflow(reviewers=[REVIEWER, OTHER_REVIEWER]),
        ((f"{_WORKFLOW}reviewers", _CHANGED),),
        ("The reviewers of the admin consent workflow",),
    ),
    Event(
        13,
        CORAL,
        _add_app,
        ((f"app/{APP}", _APPEARED), *_rules(_CHANGED, "PUBLISHER")),
        (f"{APP_NAME} is new in the tenant",),
    ),
    Event(14, BALTIC, _grant("user-1"), ((_GRANT, _APPEARED),), (f"One user granted {SCOPE} on Microsoft Graph",)),
    Event(
        16,
        ALPINE,
        _set_app(accountEnabled=False),
        ((f"app/{APP}/enabled", _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "CONNECT", "APP-ENABLED")),
        (f"{APP_NAME}: whether users can sign in",),
        outcome=BLOCKED,
    ),
    Event(
        17,
        ALPINE,
        _set_app(accountEnabled=True),
        ((f"app/{APP}/enabled", _CHANGED), (_DECISION, _CHANGED), *_rules(_FIXED, "CONNECT", "APP-ENABLED")),
        (f"{APP_NAME}: whether users can sign in",),
        outcome=SILENTLY,
    ),
    Event(REFUSED[0], BALTIC, _nothing, _rules(_BECAME_UNKNOWN, "WORKFLOW")),
    # Nobody can see this one while the workflow is refused.
    Event(
        REFUSED[1],
        BALTIC,
        _workflow(requestDurationInDays=7),
        ((f"{_WORKFLOW}requestDurationInDays", _CHANGED),),
        ("How long a request for admin consent is valid",),
    ),
    Event(REFUSED[-1] + 1, BALTIC, _nothing, _rules(_BECAME_KNOWN, "WORKFLOW")),
    Event(
        SILENT,
        ALPINE,
        _set_app(verifiedPublisher=NO_PUBLISHER),
        ((f"app/{APP}/publisher", _CHANGED), *_rules(_CHANGED, "PUBLISHER")),
        (f"{APP_NAME}: its verified publisher",),
    ),
    Event(26, CORAL, _grant("user-2"), ((_GRANT, _APPEARED),), (f"One user granted {SCOPE} on Microsoft Graph",)),
    Event(
        27,
        ALPINE,
        _revoke(),
        ((_GRANT, _FIXED), (_DECISION, _CHANGED), *_rules(_APPEARED, "CONNECT", "SCOPES", "ADMIN-CONSENT")),
        (f"{APP_NAME} lost {SCOPE} on Microsoft Graph for all users",),
        outcome=NEEDS_ADMIN,
    ),
    # The app has no verified publisher here since night 22, so its users still need an administrator.
    Event(
        29,
        ALPINE,
        _include_mail_again,
        ((_POLICY, _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "PUBLISHER"), *_rules(_FIXED, "SCOPES")),
        (f"The content of the consent policy {RECOMMENDED}",),
        by="microsoft",
    ),
    Event(
        29,
        CORAL,
        _include_mail_again,
        ((_POLICY, _CHANGED), (_DECISION, _CHANGED), *_rules(_FIXED, "CONNECT", "SCOPES", "ADMIN-CONSENT")),
        (f"users can connect {APP_NAME} again", f"The content of the consent policy {RECOMMENDED}"),
        outcome=MAY,
        by="microsoft",
    ),
    Event(29, BALTIC, _revoke("user-1"), ((_GRANT, _FIXED),), (f"One user lost the grant of {SCOPE}",)),
)
