"""A Graph request applied to a copy of the snapshot: what the tenant would look like afterwards.

Only the requests that a fix or its undo may contain are known. Applying the very bodies that are printed is what
makes a fix's proof a proof of its instructions. Where Graph would refuse a second identical create, so does this.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from auditor.fixes import change_grants as grants
from auditor.fixes import change_policies as policies
from auditor.fixes import change_principals as principals
from auditor.fixes.errors import Conflict, NotApplicable
from auditor.model.fix import GraphRequest
from auditor.model.sections import Sections
from auditor.model.snapshot import Snapshot

__all__ = ["Conflict", "NotApplicable", "apply", "apply_all"]

Change = Callable[[Snapshot, tuple[str, ...], GraphRequest], Sections]
_SERVICE_PRINCIPAL = r"/servicePrincipals/([^/]+)"
_CLASSIFIED = r"/servicePrincipals\(appId='((?:[^'/]|'')*)'\)/delegatedPermissionClassifications"
_GRANTS = r"/oauth2PermissionGrants"
_POLICIES = r"/policies/permissionGrantPolicies"

_CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("POST", r"/servicePrincipals", principals.create),
    ("PATCH", _SERVICE_PRINCIPAL, principals.change),
    ("DELETE", _SERVICE_PRINCIPAL, principals.delete),
    ("POST", rf"{_SERVICE_PRINCIPAL}/appRoleAssignedTo", principals.assign),
    ("DELETE", rf"{_SERVICE_PRINCIPAL}/appRoleAssignedTo/([^/]+)", principals.unassign),
    ("POST", _CLASSIFIED, policies.classify),
    ("DELETE", rf"{_CLASSIFIED}/([^/]+)", policies.declassify),
    ("POST", _GRANTS, grants.create),
    ("PATCH", rf"{_GRANTS}/([^/]+)", grants.change),
    ("DELETE", rf"{_GRANTS}/([^/]+)", grants.delete),
    ("POST", _POLICIES, policies.create),
    ("DELETE", rf"{_POLICIES}/([^/]+)", policies.delete),
    ("POST", rf"{_POLICIES}/([^/]+)/includes", policies.add_include),
    ("PATCH", r"/policies/authorizationPolicy", policies.assign),
    ("PUT", r"/policies/adminConsentRequestPolicy", policies.set_workflow),
)


def apply(snapshot: Snapshot, request: GraphRequest) -> Snapshot:
    """The snapshot after `request`.

    Raises NotApplicable where the request is unknown or what it changes was not read, and Conflict where what
    it creates is there already.
    """
    path = re.sub(r"^https://[^/]+/v1\.0", "", request.url)
    for method, pattern, change in _CHANGES:
        found = re.fullmatch(pattern, path)
        if found and method == request.method:
            try:
                sections = change(snapshot, tuple(map(unquote, found.groups())), request)
            except (KeyError, TypeError, msgspec.ValidationError) as wrong:
                raise NotApplicable(f"{request.method} {path}: {wrong}") from wrong
            return _covering(snapshot, sections)
    raise NotApplicable(f"{request.method} {path}")


def apply_all(snapshot: Snapshot, requests: Iterable[GraphRequest]) -> Snapshot:
    """The snapshot after all of `requests`, in order. Raises as `apply` does."""
    for request in requests:
        snapshot = apply(snapshot, request)
    return snapshot


def _covering(before: Snapshot, sections: Sections) -> Snapshot:
    """What was created is known; what was not read besides it stays unknown."""
    after = msgspec.structs.replace(before, sections=sections)
    section = "oauth2PermissionGrants"
    covered = before.covers.get(section)
    if before.sections.oauth2PermissionGrants is None and sections.oauth2PermissionGrants is not None:
        covered = ()
    if covered is None:
        return after
    clients = {row.clientId.lower() for row in sections.oauth2PermissionGrants or ()}
    apps = (p.appId.lower() for p in sections.servicePrincipals or () if p.id.lower() in clients)
    covers: Mapping[str, Any] = {**before.covers, section: tuple(dict.fromkeys((*covered, *apps)))}
    return msgspec.structs.replace(after, covers=covers)
