"""What if: a change supposed, not made, so that it can be decided again (``--assume``).

A change to the tenant is put as the Graph request that would make it and applied as fixes are; what no request
can change (whether a publisher is verified) is laid over the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from auditor.consent.client import client_of
from auditor.consent.existing_grants import TENANT_WIDE, grant_rows
from auditor.consent.lookup import NotRead, assigned_policies, service_principal
from auditor.consent.policies import self_consent_ids
from auditor.consent.request import RequestError, scope_needs
from auditor.facts.clouds import CLOUDS
from auditor.facts.ids import FOR_SELF, POLICY_LEGACY, POLICY_LOW, POLICY_RECOMMENDED
from auditor.fixes import fixes_for
from auditor.fixes.apply import NotApplicable, apply, apply_all
from auditor.model.app import App, ScopeNeed
from auditor.model.errors import AuditorError
from auditor.model.fix import GraphRequest
from auditor.model.resources import AuthorizationPolicy, ServicePrincipal, VerifiedPublisher
from auditor.model.snapshot import Snapshot

replace = msgspec.structs.replace
Case = tuple[Snapshot, App]

_SETTINGS = {
    "none": "",
    "low": POLICY_LOW,
    "recommended": POLICY_RECOMMENDED,
    "legacy": POLICY_LEGACY,
}
_FLAGS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Unsupposable(AuditorError):
    """A supposition that cannot be understood, or not be made of this snapshot; the message says what to give."""


def suppose(snapshot: Snapshot, app: App, texts: Iterable[str]) -> Case:
    """The snapshot and the app if all of `texts` were so, in order. Raises Unsupposable."""
    for text in texts:
        snapshot, app = _one(snapshot, app, text.strip())
    return snapshot, app


def _one(snapshot: Snapshot, app: App, text: str) -> Case:
    if text.lower().startswith("fix:"):
        return _fix(snapshot, app, text[4:])
    name, equals, value = text.partition("=")
    known = _KINDS.get(name.strip().lower())
    if known is None or not equals or not value.strip():
        raise Unsupposable(f"{text!r} cannot be assumed: give fix:ROUTE or one of {', '.join(_FORMS)}")
    try:
        return known(snapshot, app, value.strip())
    except NotApplicable as error:
        raise Unsupposable(f"{text!r} cannot be assumed of this tenant: {error}") from error


def _fix(snapshot: Snapshot, app: App, route: str) -> Case:
    """The first offered fix of that route, or of that key."""
    offered = fixes_for(snapshot, app)
    for fix in offered:
        if route.lower() in (fix.route.lower(), fix.key.lower()):
            return apply_all(snapshot, fix.proven.applied), app
    names = ", ".join(dict.fromkeys(f"fix:{fix.route}" for fix in offered)) or "none"
    raise Unsupposable(f"no fix {route!r} is offered for {app.label} here; those offered: {names}")


def _graph(snapshot: Snapshot) -> str:
    return CLOUDS.get(snapshot.cloud, CLOUDS["global"]).graph + "/v1.0"


def _flag(value: str) -> bool:
    if value.lower() not in _FLAGS:
        raise Unsupposable(f"{value!r} is neither true nor false")
    return _FLAGS[value.lower()]


def _publisher(snapshot: Snapshot, app: App, value: str) -> Case:
    verified = _flag(value)
    publisher = VerifiedPublisher(verifiedPublisherId="assumed" if verified else None)
    return _changed(snapshot, app, verifiedPublisher=publisher), replace(app, publisher_verified=verified)


def _changed(snapshot: Snapshot, app: App, **facts: object) -> Snapshot:
    """The snapshot with other facts about the app's service principal, where it has one."""
    principals = snapshot.sections.servicePrincipals
    if principals is None:
        return snapshot
    found = tuple(replace(p, **facts) if p.appId.lower() == app.client_id.lower() else p for p in principals)
    return replace(snapshot, sections=replace(snapshot.sections, servicePrincipals=found))


def _switch(snapshot: Snapshot, app: App, **facts: bool) -> Case:
    if not isinstance(service_principal(snapshot, app.client_id), ServicePrincipal):
        raise NotApplicable(f"{app.label} is not in the tenant, so there is nothing to switch")
    return _changed(snapshot, app, **facts), app


def _setting(snapshot: Snapshot, app: App, value: str) -> Case:
    """Every assigned entry that is not about users' own consent stays."""
    entries = assigned_policies(snapshot)
    if isinstance(entries, NotRead):
        raise NotApplicable(entries.why)
    kept = [e for e in entries if e.partition(".")[1] and e.partition(".")[0].lower() != FOR_SELF]
    chosen = _SETTINGS.get(value.lower(), value)
    if value.lower() not in _SETTINGS:
        known = {p.id.lower() for p in snapshot.sections.permissionGrantPolicies or ()}
        (policy_id,) = self_consent_ids([value]) or (value,)
        if known and policy_id.lower() not in known:
            raise Unsupposable(f"the tenant has no consent policy {policy_id!r}: give {', '.join(_SETTINGS)} or its id")
        chosen = policy_id
    assigned = [*([f"ManagePermissionGrantsForSelf.{chosen}"] if chosen else []), *kept]
    body = {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": assigned}}
    url = f"{_graph(snapshot)}/policies/authorizationPolicy"
    return apply(snapshot, GraphRequest(method="PATCH", url=url, body=body)), app


def _step_up(snapshot: Snapshot, app: App, value: str) -> Case:
    policy = snapshot.sections.authorizationPolicy or AuthorizationPolicy()
    policy = replace(policy, allowUserConsentForRiskyApps=not _flag(value))
    sections = replace(snapshot.sections, authorizationPolicy=policy, directorySettings=())
    return replace(snapshot, sections=sections), app


def _workflow(snapshot: Snapshot, app: App, value: str) -> Case:
    reviewers = [{"query": "/users/assumed", "queryType": "MicrosoftGraph"}]
    body = {"isEnabled": _flag(value), "reviewers": reviewers}
    url = f"{_graph(snapshot)}/policies/adminConsentRequestPolicy"
    return apply(snapshot, GraphRequest(method="PUT", url=url, body=body)), app


def _classified(snapshot: Snapshot, app: App, value: str) -> Case:
    for need in _needs(value):
        principal = service_principal(snapshot, need.resource)
        scopes = principal.oauth2PermissionScopes if isinstance(principal, ServicePrincipal) else None
        scope = next((s for s in scopes or () if s.value.lower() == need.value.lower()), None)
        if scope is None:
            raise NotApplicable(f"no scope {need.value} was read of {need.resource}")
        url = f"{_graph(snapshot)}/servicePrincipals(appId='{need.resource}')/delegatedPermissionClassifications"
        body = {"permissionId": scope.id, "permissionName": scope.value, "classification": "low"}
        snapshot = apply(snapshot, GraphRequest(method="POST", url=url, body=body))
    return snapshot, app


def _granted(snapshot: Snapshot, app: App, value: str) -> Case:
    client = client_of(snapshot, app)
    if client.object_id is None:
        raise NotApplicable(f"{app.label} is not in the tenant; assume fix:R1 instead")
    for need in _needs(value):
        principal = service_principal(snapshot, need.resource)
        if not isinstance(principal, ServicePrincipal):
            raise NotApplicable(f"the resource {need.resource} was not read")
        url = f"{_graph(snapshot)}/oauth2PermissionGrants"
        row = next(
            (
                r
                for r in grant_rows(snapshot, client)
                if r.consentType.lower() == TENANT_WIDE and r.resourceId.lower() == principal.id.lower()
            ),
            None,
        )
        if row is not None:
            request = GraphRequest(method="PATCH", url=f"{url}/{row.id}", body={"scope": f"{row.scope} {need.value}"})
        else:
            body = {"clientId": client.object_id, "consentType": "AllPrincipals", "resourceId": principal.id}
            request = GraphRequest(method="POST", url=url, body={**body, "scope": need.value})
        snapshot = apply(snapshot, request)
    return snapshot, app


def _needs(value: str) -> tuple[ScopeNeed, ...]:
    try:
        return scope_needs(value)
    except RequestError as error:
        raise Unsupposable(str(error)) from error


_KINDS: dict[str, Callable[[Snapshot, App, str], Case]] = {
    "publisher-verified": _publisher,
    "setting": _setting,
    "step-up": _step_up,
    "workflow": _workflow,
    "app-enabled": lambda s, a, v: _switch(s, a, accountEnabled=_flag(v)),
    "assignment-required": lambda s, a, v: _switch(s, a, appRoleAssignmentRequired=_flag(v)),
    "classified": _classified,
    "granted": _granted,
}
_FORMS = (
    "publisher-verified=true",
    "setting=none|low|recommended|legacy|POLICY-ID",
    "step-up=off",
    "workflow=on",
    "app-enabled=true",
    "assignment-required=false",
    'classified="SCOPE …"',
    'granted="SCOPE …"',
)
