"""Checks on what was granted: delegated grants, app-only permissions, and what is classified for granting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditor.checks.directory import Directory, Held, described, unknown_because
from auditor.checks.judged import Judged
from auditor.checks.permission_lists import named_lists, names_on, scopes_by_resource
from auditor.checks.ruling import Ruling, failed, not_applicable, passed, seen, unknown
from auditor.checks.values import covered
from auditor.consent.existing_grants import TENANT_WIDE, scopes_in
from auditor.consent.explanation import listed
from auditor.consent.lookup import Absent, NotRead, assigned_to, not_read, resource_name, service_principal
from auditor.consent.truth import Truth, all_of
from auditor.facts.scope_lists import ADMIN_ONLY, APP_ROLES
from auditor.facts.scopes import known_scope_ids
from auditor.model.checks import AppRolesHeld, Classifications, DelegatedGrants
from auditor.model.finding import Evidence, Subject
from auditor.model.resources import DelegatedPermissionClassification, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.snapshot import Snapshot

SHOWN = 50
"""Apps that the evidence names; the reason gives their number."""
_NO_VERIFICATION = "publishers are not verified in this cloud, so the rule would speak of every app"


def delegated_grants(check: DelegatedGrants, judged: Judged) -> Ruling:
    """Whether no grant is of the kind that the rule forbids."""
    rows = judged.snapshot.sections.oauth2PermissionGrants
    if rows is None:
        return unknown(not_read(judged.snapshot, "oauth2PermissionGrants").why)
    directory = Directory(judged.snapshot)
    if check.publisher != "any" and not directory.verifies_publishers:
        return not_applicable(_NO_VERIFICATION)
    held = tuple(_grants(check, judged.snapshot, directory, rows))
    return _ruled(
        held,
        directory,
        section="oauth2PermissionGrants",
        what=f"{_CONSENT[check.consent]} of {_scopes_named(check)} to {described(check)}",
        partial=covered(judged.snapshot, "oauth2PermissionGrants"),
    )


_CONSENT = {"any": "delegated grants", "tenant-wide": "tenant-wide grants", "users": "grants by users"}


def _scopes_named(check: DelegatedGrants) -> str:
    lists = [named_lists(check.lists)] if check.lists else []
    return listed((*lists, *(s for many in check.scopes.values() for s in many)), "or") or "any scope"


def _grants(
    check: DelegatedGrants, snapshot: Snapshot, directory: Directory, rows: Iterable[OAuth2PermissionGrant]
) -> Iterator[Held]:
    wanted = scopes_by_resource(check.lists, check.scopes)
    anything = not check.lists and not check.scopes
    for row in _asked_rows(check, rows):
        wide = row.consentType.lower() == TENANT_WIDE
        truth = directory.is_like(row.clientId, check)
        whose = "" if wide else (row.principalId or "somebody").lower()
        for scopes, sure in _of_the_rule(row, directory, wanted, anything, ADMIN_ONLY in check.lists):
            if scopes:
                names = " ".join(_spelt(row.scope, scopes))
                yield Held(row.clientId.lower(), names, whose, all_of((truth, sure)))


def unread_resources(check: DelegatedGrants, snapshot: Snapshot, directory: Directory) -> Iterator[tuple[str, str]]:
    """Client (object id) and resource (app id) of grants whose scopes the resource would have to tell."""
    if ADMIN_ONLY not in check.lists:
        return
    wanted = scopes_by_resource(check.lists, check.scopes)
    for row in _asked_rows(check, snapshot.sections.oauth2PermissionGrants or ()):
        resource = directory.by_id.get(row.resourceId.lower())
        open_ones = _of_the_rule(row, directory, wanted, anything=False, admin_only=True)
        if resource is not None and any(scopes and sure is Truth.UNKNOWN for scopes, sure in open_ones):
            yield row.clientId, resource.appId.lower()


def _asked_rows(check: DelegatedGrants, rows: Iterable[OAuth2PermissionGrant]) -> Iterator[OAuth2PermissionGrant]:
    """The grants that were made in the way that the rule is about."""
    for row in rows:
        wide = row.consentType.lower() == TENANT_WIDE
        if check.consent == "any" or wide is (check.consent == "tenant-wide"):
            yield row


def _spelt(text: str, scopes: Iterable[str]) -> list[str]:
    """The scopes as the grant spells them, once each."""
    spelt = {name.lower(): name for name in sorted(text.split())}
    return sorted((spelt[scope] for scope in scopes), key=str.lower)


def _of_the_rule(
    row: OAuth2PermissionGrant,
    directory: Directory,
    wanted: dict[str, frozenset[str]],
    anything: bool,
    admin_only: bool,
) -> Iterator[tuple[frozenset[str], Truth]]:
    """The scopes of the row that the rule is about, and those that it may be about."""
    scopes = scopes_in(row.scope)
    resource = directory.by_id.get(row.resourceId.lower())
    if anything:
        yield scopes, Truth.TRUE
    elif resource is None:
        if directory.partial:
            yield (scopes if admin_only else scopes & frozenset[str]().union(*wanted.values())), Truth.UNKNOWN
    else:
        meant = wanted.get(resource.appId.lower(), frozenset())
        users_may = {s: directory.who_may_grant(resource, s) for s in scopes - meant} if admin_only else {}
        yield frozenset(s for s, truth in users_may.items() if truth is Truth.UNKNOWN), Truth.UNKNOWN
        yield scopes & meant | {s for s, truth in users_may.items() if truth is Truth.FALSE}, Truth.TRUE


def app_roles_held(check: AppRolesHeld, judged: Judged) -> Ruling:
    """Whether no app holds an application permission of the lists."""
    directory = Directory(judged.snapshot)
    if check.publisher != "any" and not directory.verifies_publishers:
        return not_applicable(_NO_VERIFICATION)
    roles = [role for name in check.lists for role in APP_ROLES[name]]
    held: list[Held] = []
    partial = ""
    for resource in dict.fromkeys(role.resource for role in roles):
        rows = assigned_to(judged.snapshot, resource)
        if isinstance(rows, NotRead):
            partial = partial or rows.why
            continue
        names = {role.id: role.value for role in roles if role.resource == resource}
        for row in rows:
            name = names.get((row.appRoleId or "").lower())
            if name and (row.principalType or "ServicePrincipal").lower() == "serviceprincipal":
                held.append(Held(row.principalId.lower(), name, "", directory.is_like(row.principalId, check)))
    what = f"{named_lists(check.lists)} held by {described(check)}"
    return _ruled(held, directory, section="appRoleAssignedTo", what=what, partial=partial)


def _ruled(held: Iterable[Held], directory: Directory, *, section: str, what: str, partial: str) -> Ruling:
    held = tuple(held)
    found = [one for one in held if one.truth is Truth.TRUE]
    if found:
        names = sorted({directory.name(one.client) for one in found}, key=str.lower)
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        evidence = sorted(_evidence(found, directory, section), key=lambda e: e.path.lower())[:SHOWN]
        subjects = {directory.subject(one.client) for one in found}
        return failed(
            f"there are {what}: {', '.join(names[:3])}{more}",
            *evidence,
            subjects=sorted(subjects, key=lambda s: (s.name.lower(), s.id)),
            unread=unknown_because(held, directory, partial),
        )
    if why := unknown_because(held, directory, partial):
        return unknown(why)
    return passed(f"there are no {what}")


def _evidence(found: Iterable[Held], directory: Directory, section: str) -> Iterator[Evidence]:
    """One row for each app: what it holds for the whole tenant, and what single users granted it."""
    wide: dict[str, set[str]] = defaultdict(set)
    single: dict[str, set[str]] = defaultdict(set)
    people: dict[str, set[str]] = defaultdict(set)
    for one in found:
        (single if one.whose else wide)[one.client] |= set(one.what.split())
        if one.whose:
            people[one.client].add(one.whose)
    for client in sorted({*wide, *single}):
        path = f"{section}/{directory.name(client)}"
        if client in wide:
            yield seen(path, f"{' '.join(sorted(wide[client], key=str.lower))} (whole tenant)", "no such grant")
        if client in single:
            users = f"{len(people[client])} user{'s' if len(people[client]) > 1 else ''}"
            yield seen(path, f"{' '.join(sorted(single[client]))} ({users})", "no such grant")


def classifications(check: Classifications, judged: Judged) -> Ruling:
    """Whether none of the scopes is in the bucket, on any resource that was read."""
    snapshot = judged.snapshot
    wanted = scopes_by_resource(check.lists, check.scopes)
    unread = _unread(snapshot, wanted)
    found: dict[Subject, Evidence] = {}
    nameless = ""
    for resource, entries in (snapshot.sections.delegatedPermissionClassifications or {}).items():
        on = resource_name(snapshot, resource)
        names = names_on(resource, wanted)
        for entry in entries:
            if entry.classification.lower() != check.level:
                continue
            name = _name(snapshot, resource, entry)
            where = f"delegatedPermissionClassifications/{on}"
            if name.lower() in names:
                # Of several with one name each counts: any app may call itself, and its scopes, what it likes.
                subject = Subject(name=f"{on} {name}", id=f"{resource.lower()}/{name}")
                found[subject] = seen(f"{where}/{name}", check.level, "not classified, or higher")
            elif not name:
                nameless = nameless or f"which permission {entry.permissionId.lower()} of {where} is"
    if found:
        subjects = sorted(found, key=lambda one: (one.name.lower(), one.id.lower()))
        told = [one.name for one in subjects]
        more = f" and {len(told) - 3} more" if len(told) > 3 else ""
        return failed(
            f"classified {check.level}: {', '.join(told[:3])}{more}",
            *[found[one] for one in subjects[:SHOWN]],
            subjects=subjects,
            unread=unread or nameless,
        )
    if unread or nameless:
        return unknown(unread or f"{nameless} is not known")
    read = sorted(resource_name(snapshot, one) for one in snapshot.sections.delegatedPermissionClassifications or {})
    what = named_lists(check.lists) if check.lists else "scopes in question"
    return passed(f"none of the {what} is classified {check.level} on {listed(read) or 'any resource of this tenant'}")


def _unread(snapshot: Snapshot, wanted: Iterable[str]) -> str:
    """Why the classifications of some resource are not known; empty if those of all that matter are."""
    section = snapshot.sections.delegatedPermissionClassifications
    if section is None:
        return not_read(snapshot, "delegatedPermissionClassifications").why
    refused = [key.partition("/")[2].lower() for key in snapshot.unread if key.startswith(_PARTS)]
    missing = set(wanted) - {app_id.lower() for app_id in section}
    for resource in sorted({*refused, *missing}):
        if resource in refused or not isinstance(service_principal(snapshot, resource), Absent):
            return not_read(snapshot, "delegatedPermissionClassifications", resource).why
    return ""


_PARTS = "delegatedPermissionClassifications/"


def _name(snapshot: Snapshot, resource: str, entry: DelegatedPermissionClassification) -> str:
    """The name of a classified permission: the tenant's own service principal first."""
    principal = service_principal(snapshot, resource)
    for scope in principal.oauth2PermissionScopes or () if isinstance(principal, ServicePrincipal) else ():
        if scope.id.lower() == entry.permissionId.lower():
            return scope.value
    known = known_scope_ids().get(entry.permissionId.lower())
    return known[1].value if known else entry.permissionName or ""
