"""What happens in thirty nights: the truth that the history, the messages and the pages are compared with.

Nothing here is computed by the program. Each event says what somebody did to a tenant, and what must be said of it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple

from tests.nights.tenants import (
    ADMIN,
    ALPINE,
    APP,
    APP_NAME,
    BALTIC,
    CORAL,
    GRAPH,
    LOW,
    MAIL_READ,
    NO_PUBLISHER,
    OTHER_REVIEWER,
    RECOMMENDED,
    REVIEWER,
    SCOPE,
    TENANTS,
    Json,
    add_app,
    assign,
    classify,
    exclude_mail,
    grant,
    granted_by_ada,
    include_mail_again,
    nothing,
    revoke,
    set_app,
    tenant,
    workflow,
)

Changes = tuple[tuple[str, str], ...]
"""Keys of changes, each with its transition."""

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
    Event(3, ALPINE, classify("low"), ((_CLASSIFIED, _APPEARED),), ("The classification of Mail.Read",)),
    # Microsoft changes its policy in every tenant on the same day, without an entry in any log.
    *(
        Event(
            5,
            name,
            exclude_mail,
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
        exclude_mail,
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
        granted_by_ada,
        ((_GRANT, _APPEARED), (_DECISION, _CHANGED), *_rules(_FIXED, "CONNECT", "SCOPES", "ADMIN-CONSENT")),
        (f"{APP_NAME} gained {SCOPE} on Microsoft Graph for all users", ADMIN["userPrincipalName"]),
        outcome=SILENTLY,
        by=ADMIN["userPrincipalName"],
    ),
    Event(
        9,
        BALTIC,
        assign(LOW),
        ((_ASSIGNED, _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "CLASSIFIED"), *_rules(_CHANGED, "SCOPES")),
        ("The consent policies for users",),
    ),
    Event(
        MISSED,
        CORAL,
        workflow(isEnabled=False),
        ((f"{_WORKFLOW}isEnabled", _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "WORKFLOW")),
        ("The admin consent workflow",),
    ),
    Event(
        12,
        BALTIC,
        workflow(reviewers=[REVIEWER, OTHER_REVIEWER]),
        ((f"{_WORKFLOW}reviewers", _CHANGED),),
        ("The reviewers of the admin consent workflow",),
    ),
    Event(
        13,
        CORAL,
        add_app,
        ((f"app/{APP}", _APPEARED), *_rules(_CHANGED, "PUBLISHER")),
        (f"{APP_NAME} is new in the tenant",),
    ),
    Event(14, BALTIC, grant("user-1"), ((_GRANT, _APPEARED),), (f"One user granted {SCOPE} on Microsoft Graph",)),
    Event(
        16,
        ALPINE,
        set_app(accountEnabled=False),
        ((f"app/{APP}/enabled", _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "CONNECT", "APP-ENABLED")),
        (f"{APP_NAME}: whether users can sign in",),
        outcome=BLOCKED,
    ),
    Event(
        17,
        ALPINE,
        set_app(accountEnabled=True),
        ((f"app/{APP}/enabled", _CHANGED), (_DECISION, _CHANGED), *_rules(_FIXED, "CONNECT", "APP-ENABLED")),
        (f"{APP_NAME}: whether users can sign in",),
        outcome=SILENTLY,
    ),
    Event(REFUSED[0], BALTIC, nothing, _rules(_BECAME_UNKNOWN, "WORKFLOW")),
    # Nobody can see this one while the workflow is refused.
    Event(
        REFUSED[1],
        BALTIC,
        workflow(requestDurationInDays=7),
        ((f"{_WORKFLOW}requestDurationInDays", _CHANGED),),
        ("How long a request for admin consent is valid",),
    ),
    Event(REFUSED[-1] + 1, BALTIC, nothing, _rules(_BECAME_KNOWN, "WORKFLOW")),
    Event(
        SILENT,
        ALPINE,
        set_app(verifiedPublisher=NO_PUBLISHER),
        ((f"app/{APP}/publisher", _CHANGED), *_rules(_CHANGED, "PUBLISHER")),
        (f"{APP_NAME}: its verified publisher",),
    ),
    Event(26, CORAL, grant("user-2"), ((_GRANT, _APPEARED),), (f"One user granted {SCOPE} on Microsoft Graph",)),
    Event(
        27,
        ALPINE,
        revoke(),
        ((_GRANT, _FIXED), (_DECISION, _CHANGED), *_rules(_APPEARED, "CONNECT", "SCOPES", "ADMIN-CONSENT")),
        (f"{APP_NAME} lost {SCOPE} on Microsoft Graph for all users",),
        outcome=NEEDS_ADMIN,
    ),
    # The app has no verified publisher here since night 22, so its users still need an administrator.
    Event(
        29,
        ALPINE,
        include_mail_again,
        ((_POLICY, _CHANGED), (_DECISION, _CHANGED), *_rules(_APPEARED, "PUBLISHER"), *_rules(_FIXED, "SCOPES")),
        (f"The content of the consent policy {RECOMMENDED}",),
        by="microsoft",
    ),
    Event(
        29,
        CORAL,
        include_mail_again,
        ((_POLICY, _CHANGED), (_DECISION, _CHANGED), *_rules(_FIXED, "CONNECT", "SCOPES", "ADMIN-CONSENT")),
        (f"users can now connect {APP_NAME}", f"The content of the consent policy {RECOMMENDED}"),
        outcome=MAY,
        by="microsoft",
    ),
    Event(29, BALTIC, revoke("user-1"), ((_GRANT, _FIXED),), (f"One user lost the grant of {SCOPE}",)),
)
