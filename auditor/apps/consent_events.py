"""The consents in the directory's audit log: given, refused, or blocked as risky, and what each of them granted.

Three activities record a consent: "Consent to application" (with `ConsentContext` and the grants that it leaves),
"Add delegated permission grant" and "Add app role assignment to service principal". One consent of a person usually
leaves one of the first and one of the others for each resource, at almost the same time.

Sources: Entra, "Audit activities in Microsoft Entra ID" and "Configure risk-based step-up consent" (the reasons of a
blocked consent); entries as detection rules for the log show them. In the first activity the first target is the app;
in the others it is the resource, and ``ServicePrincipal.ObjectID`` names the app.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from auditor.apps.audit_entries import activity_of, actor_of, audit_time, details_of, succeeded, targets_of
from auditor.consent.snapshot_index import SnapshotIndex, index_of
from auditor.facts.ids import is_guid
from auditor.model.access_resources import DirectoryAudit
from auditor.model.difference import Actor
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Snapshot


class ConsentActivity(StrEnum):
    """What the entry records; the value is the activity's name in lower case."""

    CONSENT = "consent to application"
    GRANT = "add delegated permission grant"
    APP_ROLE = "add app role assignment to service principal"


class ConsentResult(StrEnum):
    """What became of the consent."""

    GIVEN = "given"
    REFUSED = "refused"
    RISKY_BLOCKED = "risky-blocked"
    """Microsoft Entra took the app for risky, so that the user needed an admin."""


class ConsentEvent(NamedTuple):
    """One consent, as one entry of the log records it.

    `client_id` (lower case) is empty if neither the entry nor the tenant's apps say which app it is about; `object_id`
    is that of its service principal. `resource` is the API, by object id, and is empty where the entry names several or
    none. `is_admin_consent`, `is_for_all` (all users of the tenant) and `scopes` are none where the entry doesn't say.
    `scopes` are those that the app holds afterwards (or was to hold), of an app role its name, and `held_before` are
    those that it held already. `for_user` is the object id of the user who the consent is for, if it is for one.
    """

    at: datetime
    time: str
    activity: ConsentActivity
    result: ConsentResult
    client_id: str
    object_id: str
    name: str
    actor: Actor | None
    is_admin_consent: bool | None
    is_for_all: bool | None
    for_user: str
    resource: str
    scopes: tuple[str, ...] | None
    held_before: tuple[str, ...]
    reason: str
    correlation_id: str


def consent_events(snapshot: Snapshot) -> tuple[ConsentEvent, ...]:
    """Every consent in the audit log that was read, the oldest first; an entry without a time is left out.

    That there is none means nothing unless the log was read: `Sections.directoryAudits` is none where it was not.
    """
    index = index_of(snapshot)
    found = (_event(entry, index) for entry in snapshot.sections.directoryAudits or ())
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.at))


SAME_CONSENT = timedelta(seconds=10)
"""How far apart the entries of one consent can be."""


def is_part_of(grant: ConsentEvent, page: ConsentEvent) -> bool:
    """Whether a grant was added by this consent, which leaves an entry of its own at almost the same time."""
    same = (grant.actor, grant.is_for_all) == (page.actor, page.is_for_all)
    return same and page.scopes is not None and abs(grant.at - page.at) <= SAME_CONSENT


_ACTIVITIES = {one.value: one for one in ConsentActivity}
_RISKY = ("userconsentblockedforriskyapps", "risky application")
_GRANT_ROW = re.compile(r"\[([^\[\]]*)\]")
_PART = re.compile(r"(?:^|,)\s*(\w+):\s*([^,]*)")


class MissingInConsent(NamedTuple):
    """What a consent that may have been refused lacks (empty if nothing), its app, and who consented."""

    missing: str
    client_id: str = ""
    actor: str = ""


def missing_in_consent(entry: DirectoryAudit, index: SnapshotIndex) -> MissingInConsent | None:
    """What an entry lacks to be counted as a refused consent; none if it surely isn't one."""
    kind = _ACTIVITIES.get(activity_of(entry))
    if kind is None:
        return None if entry.activityDisplayName else MissingInConsent("activityDisplayName")
    if entry.result and succeeded(entry):
        return None
    about, app = _about(entry, kind, index)
    client_id, actor = about.client_id or (app.appId.lower() if app else ""), actor_of(entry)
    time = "" if audit_time(entry.activityDateTime) else "activityDateTime"
    missing = ("" if entry.result else "result") or time or ("" if client_id else "app")
    return MissingInConsent(missing, client_id, (actor.id or actor.name) if actor else "")


def _about(
    entry: DirectoryAudit, kind: ConsentActivity, index: SnapshotIndex
) -> tuple[_About, ServicePrincipal | None]:
    """What an entry says about the app, and the app, if it was read."""
    about = _of_consent(entry) if kind is ConsentActivity.CONSENT else _of_grant(entry, kind)
    return about, index.principal_with_id(about.object_id) if about.object_id else None


def _event(entry: DirectoryAudit, index: SnapshotIndex) -> ConsentEvent | None:
    at = audit_time(entry.activityDateTime)
    kind = _ACTIVITIES.get(activity_of(entry))
    if at is None or kind is None:
        return None
    about, app = _about(entry, kind, index)
    reason = about.reason or entry.resultReason or ""
    return ConsentEvent(
        at=at,
        time=entry.activityDateTime or "",
        activity=kind,
        result=_result(entry, reason),
        client_id=about.client_id or (app.appId.lower() if app else ""),
        object_id=about.object_id,
        name=(app.own_name if app else "") or about.name,
        actor=actor_of(entry),
        # Only an admin can consent for everyone.
        is_admin_consent=about.is_admin_consent if about.is_admin_consent is not None else about.is_for_all or None,
        is_for_all=about.is_for_all,
        for_user=about.for_user,
        resource=about.resource,
        scopes=about.scopes,
        held_before=about.held_before,
        reason=reason,
        correlation_id=(entry.correlationId or "").lower(),
    )


def _result(entry: DirectoryAudit, reason: str) -> ConsentResult:
    if succeeded(entry):
        return ConsentResult.GIVEN
    is_risky = any(sign in reason.lower() for sign in _RISKY)
    return ConsentResult.RISKY_BLOCKED if is_risky else ConsentResult.REFUSED


class _About(NamedTuple):
    """What an entry says about the app and what was granted, in the terms of `ConsentEvent`."""

    client_id: str = ""
    object_id: str = ""
    name: str = ""
    is_admin_consent: bool | None = None
    is_for_all: bool | None = None
    for_user: str = ""
    resource: str = ""
    scopes: tuple[str, ...] | None = None
    held_before: tuple[str, ...] = ()
    reason: str = ""


def _of_consent(entry: DirectoryAudit) -> _About:
    target = next(targets_of(entry), None)
    if target is None:
        return _About()
    before, _, after = target.new("consentaction.permissions").partition("=>")
    rows = tuple(_grant_rows(after))
    resources = {row.get("resourceid", "").lower() for row in rows} - {""}
    users = {row.get("principalid", "").lower() for row in rows} - {""}
    for_all = _truth(target.new("consentcontext.onbehalfofall"))
    if for_all is None and rows:
        for_all = any(row.get("consenttype", "").lower() == "allprincipals" for row in rows)
    return _About(
        client_id=_app_id(target.new("targetid.serviceprincipalnames"), details_of(entry).get("appid", "")),
        object_id=target.id,
        name=target.name,
        is_admin_consent=_truth(target.new("consentcontext.isadminconsent")),
        is_for_all=for_all,
        for_user=next(iter(users)) if len(users) == 1 else "",
        resource=next(iter(resources)) if len(resources) == 1 else "",
        scopes=_scopes(" ".join(row.get("scope", "") for row in rows)) or None,
        held_before=_scopes(" ".join(row.get("scope", "") for row in _grant_rows(before))),
        reason=target.new("consentaction.reason"),
    )


def _of_grant(entry: DirectoryAudit, kind: ConsentActivity) -> _About:
    """What an entry says whose first target is the resource. It doesn't say whether an admin consented."""
    both = tuple(targets_of(entry))
    if not both:
        return _About()
    resource = both[0]
    object_id = resource.new("serviceprincipal.objectid").lower() or (both[1].id if len(both) > 1 else "")
    named = next((one.name for one in both[1:] if one.id == object_id), "")
    about = _About(
        client_id=_app_id(resource.new("serviceprincipal.appid"), ""),
        object_id=object_id,
        name=resource.new("serviceprincipal.displayname") or named,
        resource=resource.id,
    )
    if kind is ConsentActivity.APP_ROLE:
        # Only an administrator can grant an application permission.
        return about._replace(is_admin_consent=True, scopes=_scopes(resource.new("approle.value")) or None)
    rows = {one.name: one for one in resource.properties}
    scope = rows.get("delegatedpermissiongrant.scope")
    consent_type = resource.new("delegatedpermissiongrant.consenttype").lower()
    return about._replace(
        is_for_all=consent_type == "allprincipals" if consent_type else None,
        for_user=resource.new("delegatedpermissiongrant.principalid").lower(),
        scopes=(_scopes(scope.new) or None) if scope else None,
        held_before=_scopes(scope.old) if scope else (),
    )


def _grant_rows(text: str) -> Iterator[dict[str, str]]:
    """The grants in ``[[Id: …, ConsentType: Principal, Scope: User.Read, …], …]``, by key in lower case."""
    for row in _GRANT_ROW.finditer(text):
        if found := {key.lower(): value.strip() for key, value in _PART.findall(row.group(1))}:
            yield found


def _scopes(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text.strip().lower())


def _app_id(names: str, otherwise: str) -> str:
    """The app id among the names of a service principal, which can be addresses."""
    found = next((one for one in names.replace(";", " ").replace(",", " ").split() if is_guid(one)), otherwise)
    return found.lower()
