"""Replace the app of a sample tenant by another app, so that the cases of every pack can use the samples.

The samples are about one app (`SAMPLE_APP`) that asks for `SAMPLE_SCOPES`. If a sample grants, classifies or
allows all of these, the result does so with all that the other app requires. If it grants some of them, the result
grants all but the last permission that is more than sign-in.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

import msgspec

from auditor.facts.ids import MICROSOFT_GRAPH, OPENID_SCOPES, RESOURCE_NAMES, is_guid
from auditor.facts.permissions import KnownScope, known_scopes
from auditor.model.resources import (
    ConditionSet,
    DelegatedPermissionClassification,
    DelegatedScope,
    OAuth2PermissionGrant,
    PermissionGrantPolicy,
    ServicePrincipal,
)
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot

SAMPLE_APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
"""The app of the samples: TrackerRMS."""
SAMPLE_SCOPES = (
    *("openid", "profile", "email", "offline_access", "User.Read"),
    *("Mail.ReadWrite", "Mail.Send", "Calendars.ReadWrite", "Contacts.ReadWrite"),
)
"""What it requires, all of Microsoft Graph."""

_INVENTED = uuid.UUID("6d0b1a34-3f5e-4c61-9f7a-2c3b8f0e5d11")
"""Namespace of the ids that an unknown resource and its permissions get."""

replace = msgspec.structs.replace
ByResource = Mapping[str, tuple[str, ...]]


def retarget(snapshot: Snapshot, app: App | None) -> Snapshot:
    """The sample with `app` instead of its own app; unchanged for its own app or without an app."""
    if app is None:
        return snapshot
    required = _by_resource(app, required_only=True)
    if app.client_id == SAMPLE_APP and _is_samples_own(required):
        return snapshot
    text = msgspec.json.encode(snapshot).replace(SAMPLE_APP.encode(), app.client_id.encode())
    there = msgspec.json.decode(text, type=Snapshot)
    there = publishing(there, app)
    sections = there.sections
    return replace(
        there,
        sections=replace(
            sections,
            servicePrincipals=_renamed(sections.servicePrincipals, app),
            oauth2PermissionGrants=_grants(there, app, required),
            permissionGrantPolicies=_policies(sections.permissionGrantPolicies, app, required),
            delegatedPermissionClassifications=_classified(sections.delegatedPermissionClassifications, required),
        ),
    )


def publishing(snapshot: Snapshot, app: App) -> Snapshot:
    """The tenant with every resource of which the app requests scopes, publishing these scopes."""
    return _with_resources(snapshot, _by_resource(app, required_only=False))


def asked_about(snapshot: Snapshot, apps: Iterable[App]) -> Snapshot:
    """The sample with what any tenant would answer about these apps, which it needn't mention.

    An app that it doesn't mention isn't connected yet, and Microsoft's APIs publish the permissions that they have.
    What the sample couldn't read stays unread.
    """
    rows = snapshot.sections.servicePrincipals
    if rows is None:
        return snapshot
    asked = tuple(apps)
    for app in asked:
        known = tuple(need for need in app.scopes if _is_published(need.resource.lower(), need.value.lower()))
        snapshot = publishing(snapshot, replace(app, scopes=known))
    sections = snapshot.sections
    mentioned = {*(row.appId for row in rows), *(sections.absentServicePrincipals or ())}
    named = dict.fromkeys(client_id for app in asked for client_id in _ids_of(app))
    more = tuple(client_id for client_id in named if client_id not in mentioned)
    covers = {
        name: (*parts, *more) if name in ("servicePrincipals", "oauth2PermissionGrants") else parts
        for name, parts in snapshot.covers.items()
    }
    absent = (*(sections.absentServicePrincipals or ()), *more)
    return replace(snapshot, sections=replace(sections, absentServicePrincipals=absent), covers=covers)


def _ids_of(app: App) -> tuple[str, ...]:
    """The app, the apps that it needs, and the vendors' APIs of which it requests permissions."""
    needed = (one.client_id for one in app.also_needs)
    apis = (need.resource.lower() for need in app.scopes)
    return (app.client_id, *needed, *(api for api in apis if is_guid(api) and api not in RESOURCE_NAMES))


def _is_published(resource: str, value: str) -> bool:
    """Whether the resource is Microsoft's and has the scope, as far as the tables of scopes go."""
    known = known_scopes(resource)
    return resource in RESOURCE_NAMES and (not known or value in known)


def _by_resource(app: App, *, required_only: bool) -> ByResource:
    found: dict[str, list[str]] = {}
    for need in app.scopes:
        if need.required or not required_only:
            found.setdefault(need.resource.lower(), []).append(need.value)
    return {resource: tuple(values) for resource, values in found.items()}


def _is_samples_own(required: ByResource) -> bool:
    return {r: set(values) for r, values in required.items()} == {MICROSOFT_GRAPH: set(SAMPLE_SCOPES)}


def scope_of(resource: str, value: str) -> KnownScope:
    """The permission as its resource publishes it; for an unknown resource, one to which users may consent."""
    known = known_scopes(resource).get(value.lower())
    return known or KnownScope(value, _invented(f"{resource}/{value.lower()}"), "User", True)


def _invented(text: str) -> str:
    return str(uuid.uuid5(_INVENTED, text))


def _with_resources(snapshot: Snapshot, asked: ByResource) -> Snapshot:
    """The tenant with every resource in `asked`, publishing the scopes that are requested of it."""
    sections = snapshot.sections
    if sections.servicePrincipals is None:
        return snapshot
    principals = {principal.appId.lower(): principal for principal in sections.servicePrincipals}
    classified = dict(sections.delegatedPermissionClassifications or {})
    for resource, values in asked.items():
        there = principals.get(resource) or ServicePrincipal(
            id=_invented(resource),
            appId=resource,
            displayName=RESOURCE_NAMES.get(resource, f"Resource {resource}"),
            accountEnabled=True,
        )
        published = there.oauth2PermissionScopes or ()
        names = {scope.value.lower() for scope in published}
        more = tuple(_published(resource, value) for value in values if value.lower() not in names)
        principals[resource] = replace(there, oauth2PermissionScopes=(*published, *more))
        classified.setdefault(resource, ())
    covers = dict(snapshot.covers)
    if "servicePrincipals" in covers:
        covers["servicePrincipals"] = tuple(dict.fromkeys((*covers["servicePrincipals"], *asked)))
    if sections.delegatedPermissionClassifications is not None:
        sections = replace(sections, delegatedPermissionClassifications=classified)
    sections = replace(sections, servicePrincipals=tuple(principals.values()))
    return replace(snapshot, sections=sections, covers=covers)


def _published(resource: str, value: str) -> DelegatedScope:
    scope = scope_of(resource, value)
    return DelegatedScope(id=scope.id, value=scope.value, type=scope.type, isEnabled=True)


def _renamed(principals: tuple[ServicePrincipal, ...] | None, app: App) -> tuple[ServicePrincipal, ...] | None:
    if principals is None:
        return None
    return tuple(_as(app, p) if p.appId.lower() == app.client_id else p for p in principals)


def _as(app: App, principal: ServicePrincipal) -> ServicePrincipal:
    return replace(principal, displayName=app.label, replyUrls=app.redirect_uris or principal.replyUrls)


def _grants(snapshot: Snapshot, app: App, required: ByResource) -> tuple[OAuth2PermissionGrant, ...] | None:
    """The grants, with those of the samples' app recreated for what this app requires."""
    rows = snapshot.sections.oauth2PermissionGrants
    ids = {p.appId.lower(): p.id for p in snapshot.sections.servicePrincipals or ()}
    if rows is None or app.client_id not in ids:
        return rows
    found: list[OAuth2PermissionGrant] = []
    for row in rows:
        if row.clientId.lower() != ids[app.client_id].lower():
            found.append(row)
            continue
        is_whole = {s.lower() for s in SAMPLE_SCOPES} <= set(row.scope.lower().split())
        for resource, values in (required if is_whole else _part_of(required)).items():
            found.append(replace(row, resourceId=ids[resource], scope=" ".join(("", *values)), id=None))
    return tuple(found)


def _part_of(required: ByResource) -> ByResource:
    """All permissions except the last one that is more than sign-in."""
    beyond = [(r, v) for r, values in required.items() for v in values if v.lower() not in OPENID_SCOPES]
    left_out = beyond[-1] if beyond else None
    part = {r: tuple(v for v in values if (r, v) != left_out) for r, values in required.items()}
    return {resource: values for resource, values in part.items() if values}


def _policies(
    policies: tuple[PermissionGrantPolicy, ...] | None, app: App, required: ByResource
) -> tuple[PermissionGrantPolicy, ...] | None:
    """The policies, where each that allows the samples' app its permissions allows this app those that it requires."""
    if policies is None:
        return None
    return tuple(
        replace(policy, includes=tuple(c for one in policy.includes for c in _conditions(one, app, required)))
        if policy.includes is not None
        else policy
        for policy in policies
    )


def _conditions(one: ConditionSet, app: App, required: ByResource) -> tuple[ConditionSet, ...]:
    if app.client_id not in one.clientApplicationIds:
        return (one,)
    return tuple(
        replace(one, resourceApplication=resource, permissions=tuple(scope_of(resource, v).id for v in values))
        for resource, values in required.items()
    )


_Classified = Mapping[str, tuple[DelegatedPermissionClassification, ...]]


def _classified(classified: _Classified | None, required: ByResource) -> _Classified | None:
    """The classifications. If all permissions of the samples' app are classified, those of this app are, too."""
    if classified is None:
        return None
    of_graph = {entry.permissionName: entry.classification for entry in classified.get(MICROSOFT_GRAPH, ())}
    if not set(SAMPLE_SCOPES) <= set(of_graph):
        return classified
    found = dict(classified)
    for resource, values in required.items():
        there = {entry.permissionId.lower() for entry in found.get(resource, ())}
        more = (
            DelegatedPermissionClassification(
                permissionId=scope.id, classification=of_graph[SAMPLE_SCOPES[0]], permissionName=scope.value
            )
            for scope in (scope_of(resource, value) for value in values)
            if scope.id.lower() not in there
        )
        found[resource] = (*found.get(resource, ()), *more)
    return found
