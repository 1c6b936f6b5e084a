"""The oracle's plain documents as the engine's values."""

from __future__ import annotations

import json
from typing import Any

from auditor.consent import Truth
from auditor.consent.decide import decide
from auditor.consent.subject import ADMIN_ROLES, ORDINARY_MEMBER, Subject
from auditor.facts.ids import GUEST_ROLE_AS_MEMBER
from auditor.model.decision import Decision
from auditor.model.rule import App, RequestMode, ScopeNeed
from auditor.model.snapshot import Snapshot
from auditor.snapshot.read import loads
from tests.oracle.plain import app as plain_app


def snapshot_of(document: dict[str, Any]) -> Snapshot:
    """Through the loader that files go through."""
    return loads(json.dumps(document).encode())


def app_of(plain: dict[str, Any]) -> App:
    """The app of the oracle's shape."""
    return App(
        client_id=plain["client_id"],
        name=plain["name"],
        redirect_uris=tuple(plain["redirect_uris"]),
        mode=RequestMode(plain["mode"]),
        prompt_consent=plain["prompt_consent"],
        scopes=tuple(
            ScopeNeed(resource=s["resource"], value=s["value"], required=s["required"]) for s in plain["scopes"]
        ),
        publisher_verified=plain["publisher_verified"],
        owner_tenant=plain["owner_tenant"],
    )


def subject_of(plain: dict[str, Any] | None, snapshot: Snapshot) -> Subject:
    """The subject of the oracle's shape, whose roles are simply stated."""
    if plain is None:
        return ORDINARY_MEMBER
    policy = snapshot.sections.authorizationPolicy
    role = policy.guestUserRoleId if policy else None
    guest = Truth.FALSE
    if plain["userType"].lower() == "guest":
        as_member = role is not None and role.lower() == GUEST_ROLE_AS_MEMBER
        guest = Truth.UNKNOWN if role is None else Truth.FALSE if as_member else Truth.TRUE
    roles = {r.lower() for r in plain["roles"]}
    return Subject(
        label=plain["id"],
        phrase=plain["id"],
        user_id=plain["id"],
        guest=guest,
        admin_role=next((name for role_id, name in ADMIN_ROLES.items() if role_id in roles), ""),
        actions=tuple(("custom", action) for action in plain["role_actions"]),
        groups=tuple(g.lower() for g in plain["groups"]),
    )


def decided(
    document: dict[str, Any], request: dict[str, Any] | None = None, subject: dict[str, Any] | None = None
) -> Decision:
    """The engine's decision on the oracle's plain documents."""
    snapshot = snapshot_of(document)
    return decide(snapshot, app_of(request or plain_app()), subject_of(subject, snapshot))
