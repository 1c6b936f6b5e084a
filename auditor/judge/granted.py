"""Checks on what was granted: delegated grants, app-only permissions, and what is classified for granting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from auditor.consent.grants import TENANT_WIDE, scopes_in
from auditor.consent.logic import Truth, all_of
from auditor.consent.reading import Absent, NotRead, assigned_to, not_read, resource_name, service_principal
from auditor.consent.sentences import listed
from auditor.judge.clients import Directory, Held, described, unknown_because
from auditor.judge.lists import scopes_by_resource
from auditor.judge.ruling import Ruling, failed, not_applicable, passed, seen, unknown
from auditor.judge.subject import Judged
from auditor.judge.values import covered
from auditor.model.checks import AppRolesHeld, Classifications, DelegatedGrants
from auditor.model.finding import Evidence, Subject
from auditor.model.known_scopes import known_scope_ids
from auditor.model.resources import DelegatedPermissionClassification, OAuth2PermissionGrant, ServicePrincipal
from auditor.model.scope_lists import ADMIN_ONLY, APP_ROLES
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
    lists = [f"{listed(check.lists, 'or')} scopes"] if check.lists else []
    return listed((*lists, *(s for many in check.scopes.values() for s in many)), "or") or "any scope"


def _grants(
    check: DelegatedGrants, snapshot: Snapshot, directory: Directory, rows: Iterable[OAuth2PermissionGrant]
) -> Iterator[Held]:
    wanted = scopes_by_resource(check.lists, check.scopes)
    anything = not check.lists and not check.scopes
    for row in rows:
        wide = row.consentType.lower() == TENANT_WIDE
        if check.consent != "any" and wide is not (check.consent == "tenant-wide"):
            continue
        scopes, sure = _of_the_lists(row, directory, wanted, ADMIN_ONLY in check.lists)
        names = _spelt(row.scope, scopes_in(row.scope) if anything else scopes)
        if not names:
            continue
        truth = directory.is_like(row.clientId, check)
        whose = "" if wide else (row.principalId or "somebody").lower()
        yield Held(row.clientId.lower(), " ".join(names), whose, truth if anything else all_of((truth, sure)))


def _spelt(text: str, scopes: Iterable[str]) -> list[str]:
    """The scopes as the grant spells them, once each."""
    spelt = {name.lower(): name for name in sorted(text.split())}
    return sorted((spelt[scope] for scope in scopes), key=str.lower)


def _of_the_lists(
    row: OAuth2PermissionGrant, directory: Directory, wanted: dict[str, frozenset[str]], admin_only: bool
) -> tuple[frozenset[str], Truth]:
    """The scopes of the row that the rule is about; not sure where the resource is not known."""
    scopes = scopes_in(row.scope)
    resource = directory.by_id.get(row.resourceId.lower())
    if resource is None:
        named = scopes & frozenset[str]().union(*wanted.values())
        return (named, Truth.UNKNOWN) if directory.partial else (frozenset(), Truth.FALSE)
    meant = wanted.get(resource.appId.lower(), frozenset())
    if admin_only:
        published = resource.oauth2PermissionScopes or ()
        meant |= {s.value.lower() for s in published if (s.type or "").lower() == "admin"}
    return scopes & meant, Truth.TRUE


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
    what = f"{listed(check.lists, 'or')} permissions held by {described(check)}"
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
    names = frozenset[str]().union(*wanted.values())
    unread = _unread(snapshot, wanted)
    found: list[Evidence] = []
    nameless = ""
    for resource, entries in (snapshot.sections.delegatedPermissionClassifications or {}).items():
        for entry in entries:
            if entry.classification.lower() != check.level:
                continue
            name = _name(snapshot, resource, entry)
            where = f"delegatedPermissionClassifications/{resource_name(snapshot, resource)}"
            if name.lower() in names:
                found.append(seen(f"{where}/{name}", check.level, "not classified, or higher"))
            elif not name:
                nameless = nameless or f"which permission {entry.permissionId.lower()} of {where} is"
    if found:
        shown = sorted(found, key=lambda e: e.path)
        told = sorted({e.path.partition("/")[2].replace("/", " ") for e in found})
        more = f" and {len(told) - 3} more" if len(told) > 3 else ""
        subjects = (Subject(name=name) for name in told)
        return failed(
            f"classified {check.level}: {', '.join(told[:3])}{more}",
            *shown[:SHOWN],
            subjects=subjects,
            unread=unread or nameless,
        )
    if unread or nameless:
        return unknown(unread or f"{nameless} is not known")
    number = len(snapshot.sections.delegatedPermissionClassifications or {})
    return passed(f"no risky permission is classified {check.level} on the {number} resources that were read")


def _unread(snapshot: Snapshot, wanted: Iterable[str]) -> str:
    """Why the classifications of a resource that the scopes belong to are not known; empty if they are."""
    read = {app_id.lower() for app_id in snapshot.sections.delegatedPermissionClassifications or {}}
    if snapshot.sections.delegatedPermissionClassifications is None:
        return not_read(snapshot, "delegatedPermissionClassifications").why
    for resource in sorted(set(wanted) - read):
        if not isinstance(service_principal(snapshot, resource), Absent):
            return not_read(snapshot, "delegatedPermissionClassifications", resource).why
    return ""


def _name(snapshot: Snapshot, resource: str, entry: DelegatedPermissionClassification) -> str:
    """The name of a classified permission: the tenant's own service principal first."""
    principal = service_principal(snapshot, resource)
    for scope in principal.oauth2PermissionScopes or () if isinstance(principal, ServicePrincipal) else ():
        if scope.id.lower() == entry.permissionId.lower():
            return scope.value
    known = known_scope_ids().get(entry.permissionId.lower())
    return known[1].value if known else entry.permissionName or ""
