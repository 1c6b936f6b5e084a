"""What-if questions (``check --assume``): the snapshot and the app with a change that has not been made.

A change that Graph can make is applied like the change of a fix. Anything that no request can change, such as whether
a publisher is verified, is set in the snapshot directly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from auditor.consent.decision_facts import SETTING_POLICIES
from auditor.consent.existing_grants import ALL_PRINCIPALS
from auditor.consent.policies import other_entries, self_consent_ids
from auditor.consent.requested_access import client_of
from auditor.consent.requested_scopes import RequestError, scope_needs
from auditor.consent.snapshot_index import NotRead, index_of
from auditor.facts.ids import ASSIGNED_FOR_SELF
from auditor.fixes import fixes_for
from auditor.fixes.app_changes import CreateGrant, ReplaceGrantScopes, grant_id
from auditor.fixes.change import GraphChange, NotApplicable, graph_address, with_sections
from auditor.fixes.change_kinds import apply_all
from auditor.fixes.policy_changes import ClassifyPermission, SetAssignedPolicies, SetConsentWorkflow
from auditor.model.errors import AuditorError
from auditor.model.resources import AuthorizationPolicy, ServicePrincipal, VerifiedPublisher
from auditor.model.rule import App, ScopeNeed
from auditor.model.snapshot import Snapshot

Target = tuple[Snapshot, App]
"""What the next decision is about."""

_SETTINGS = {"none": "", "managed": SETTING_POLICIES["recommended"], **SETTING_POLICIES}
_SWITCHES = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class AssumptionError(AuditorError):
    """An assumption that is not understood or that doesn't fit this snapshot; the message says what to give."""


def assume(snapshot: Snapshot, app: App, texts: Iterable[str]) -> Target:
    """The snapshot and the app after all of `texts`, in order. Raises AssumptionError."""
    for text in texts:
        snapshot, app = _assume_one(snapshot, app, text.strip())
    return snapshot, app


def assume_of_tenant(snapshot: Snapshot, texts: Iterable[str]) -> Snapshot:
    """The snapshot after all of `texts`, each of which must be about the tenant. Raises AssumptionError."""
    for text in texts:
        name = text.partition("=")[0].strip().lower()
        if name not in _OF_TENANT:
            raise AssumptionError(
                f"can't assume {text!r} for all apps: give one of {', '.join(_OF_TENANT.values())};"
                " for one app, use consent-auditor check --app"
            )
        snapshot, _ = _assume_one(snapshot, App(client_id=""), text.strip())
    return snapshot


def _assume_one(snapshot: Snapshot, app: App, text: str) -> Target:
    if text.lower().startswith("fix:"):
        return _fix(snapshot, app, text[4:])
    name, equals, value = text.partition("=")
    change = _ASSUMPTIONS.get(name.strip().lower())
    if change is None or not equals or not value.strip():
        raise AssumptionError(f"can't assume {text!r}: give fix:ROUTE or one of {', '.join(_FORMS)}")
    try:
        return change(snapshot, app, value.strip())
    except NotApplicable as error:
        raise AssumptionError(f"can't assume {text!r} in this tenant: {error}") from error


def _fix(snapshot: Snapshot, app: App, route: str) -> Target:
    """The first offered fix with this route or key."""
    offered = fixes_for(snapshot, app)
    for fix in offered:
        if route.lower() in (fix.route.lower(), fix.key.lower()):
            return apply_all(snapshot, fix.proven.applied), app
    names = ", ".join(dict.fromkeys(f"fix:{fix.route}" for fix in offered)) or "none"
    raise AssumptionError(f"no fix {route!r} is offered for {app.label} here; offered: {names}")


def _switch(value: str) -> bool:
    if value.lower() not in _SWITCHES:
        raise AssumptionError(f"{value!r} is neither true nor false")
    return _SWITCHES[value.lower()]


def _publisher_verified(snapshot: Snapshot, app: App, value: str) -> Target:
    verified = _switch(value)
    publisher = VerifiedPublisher(verifiedPublisherId="assumed" if verified else None)
    changed = _with_properties(snapshot, app, verifiedPublisher=publisher)
    return changed, msgspec.structs.replace(app, publisher_verified=verified)


def _with_properties(snapshot: Snapshot, app: App, **properties: object) -> Snapshot:
    """The snapshot with these properties of the app's service principal, if it has one."""
    principals = snapshot.sections.servicePrincipals
    if principals is None:
        return snapshot
    app_id = app.client_id.lower()
    changed = (msgspec.structs.replace(p, **properties) if p.appId.lower() == app_id else p for p in principals)
    return with_sections(snapshot, servicePrincipals=tuple(changed))


def _app_switch(snapshot: Snapshot, app: App, **properties: bool) -> Target:
    if not isinstance(index_of(snapshot).service_principal(app.client_id), ServicePrincipal):
        raise NotApplicable(f"{app.label} is not in the tenant, so there is nothing to switch")
    return _with_properties(snapshot, app, **properties), app


def _setting(snapshot: Snapshot, app: App, value: str) -> Target:
    """The user consent setting; assigned entries that are not about users' own consent stay."""
    entries = index_of(snapshot).assigned_policies()
    if isinstance(entries, NotRead):
        raise NotApplicable(entries.why)
    kept = other_entries(entries)
    policy_id = _SETTINGS.get(value.lower())
    if policy_id is None:
        policy_id = _policy_in_tenant(snapshot, value)
    chosen = [f"{ASSIGNED_FOR_SELF}.{policy_id}"] if policy_id else []
    return SetAssignedPolicies.of(graph_address(snapshot), (*chosen, *kept)).apply(snapshot), app


def _policy_in_tenant(snapshot: Snapshot, value: str) -> str:
    known = {p.id.lower() for p in snapshot.sections.permissionGrantPolicies or ()}
    (policy_id,) = self_consent_ids([value]) or (value,)
    if known and policy_id.lower() not in known:
        raise AssumptionError(f"the tenant has no consent policy {policy_id!r}: give {', '.join(_SETTINGS)} or its id")
    return policy_id


def _step_up(snapshot: Snapshot, app: App, value: str) -> Target:
    policy = snapshot.sections.authorizationPolicy or AuthorizationPolicy()
    policy = msgspec.structs.replace(policy, allowUserConsentForRiskyApps=not _switch(value))
    return with_sections(snapshot, authorizationPolicy=policy, directorySettings=()), app


def _workflow(snapshot: Snapshot, app: App, value: str) -> Target:
    reviewers = [{"query": "/users/assumed", "queryType": "MicrosoftGraph"}]
    body = {"isEnabled": _switch(value), "reviewers": reviewers}
    return SetConsentWorkflow(graph=graph_address(snapshot), body=body).apply(snapshot), app


def _classified(snapshot: Snapshot, app: App, value: str) -> Target:
    for need in _scope_needs(value):
        scopes = index_of(snapshot).published_scopes(need.resource)
        scope = scopes.get(need.value.lower()) if isinstance(scopes, Mapping) else None
        if scope is None:
            raise NotApplicable(f"the scope {need.value} of {need.resource} was not read")
        change = ClassifyPermission.of(graph_address(snapshot), need.resource, scope.id, scope.value, "low")
        # Several scopes may be classified, and none of them has an id that later requests need.
        snapshot = msgspec.structs.replace(change, returns="").apply(snapshot)
    return snapshot, app


def _granted(snapshot: Snapshot, app: App, value: str) -> Target:
    client = client_of(snapshot, app)
    if client.object_id is None:
        raise NotApplicable(f"{app.label} is not in the tenant; assume fix:R1 instead")
    graph = graph_address(snapshot)
    for need in _scope_needs(value):
        index = index_of(snapshot)
        principal = index.service_principal(need.resource)
        if not isinstance(principal, ServicePrincipal):
            raise NotApplicable(f"the resource {need.resource} was not read")
        wide = (r for r in index.grants_of(client.object_id) if r.consentType.lower() == ALL_PRINCIPALS)
        row = next((r for r in wide if r.resourceId.lower() == principal.id.lower()), None)
        change: GraphChange
        if row is None:
            number = len(snapshot.sections.oauth2PermissionGrants or ()) + 1
            change = CreateGrant.of(graph, client.object_id, principal.id, need.value, number=number)
        else:
            scopes = f"{row.scope} {need.value}"
            change = ReplaceGrantScopes(graph=graph, grant_id=grant_id(row) or "", body={"scope": scopes})
        snapshot = change.apply(snapshot)
    return snapshot, app


def _scope_needs(value: str) -> tuple[ScopeNeed, ...]:
    try:
        return scope_needs(value)
    except RequestError as error:
        raise AssumptionError(str(error)) from error


_ASSUMPTIONS: dict[str, Callable[[Snapshot, App, str], Target]] = {
    "publisher-verified": _publisher_verified,
    "setting": _setting,
    "step-up": _step_up,
    "workflow": _workflow,
    "app-enabled": lambda s, a, v: _app_switch(s, a, accountEnabled=_switch(v)),
    "assignment-required": lambda s, a, v: _app_switch(s, a, appRoleAssignmentRequired=_switch(v)),
    "classified": _classified,
    "granted": _granted,
}
_OF_TENANT = {
    "setting": "setting=none|low|managed|legacy|POLICY-ID",
    "step-up": "step-up=on|off",
    "workflow": "workflow=on|off",
    "classified": 'classified="SCOPE …"',
}
"""The assumptions that aren't about one app, and how to write them."""
_FORMS = (
    "publisher-verified=true|false",
    _OF_TENANT["setting"],
    _OF_TENANT["step-up"],
    _OF_TENANT["workflow"],
    "app-enabled=true|false",
    "assignment-required=true|false",
    _OF_TENANT["classified"],
    'granted="SCOPE …"',
)
