"""What a pack assumes of an app, against what a tenant where it works has granted."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.consent.case import gather
from auditor.consent.grants import Grants, grant_rows
from auditor.consent.reading import resource_name
from auditor.consent.subject import ORDINARY_MEMBER
from auditor.model.app import App
from auditor.model.report import ScopeDifference
from auditor.model.snapshot import Snapshot
from auditor.model.wellknown import OPENID_SCOPES


def differences(snapshot: Snapshot, app: App) -> tuple[ScopeDifference, ...] | None:
    """The scopes that differ, by resource; ``None`` without assumed scopes or without a tenant-wide grant.

    OpenID scopes do not count: a grant that works need not name them.
    """
    if not any(need.assumed for need in app.scopes):
        return None
    case = gather(snapshot, app, ORDINARY_MEMBER)
    if not isinstance(case.grants, Grants) or not case.grants.tenant_wide:
        return None
    return tuple(_by_resource(snapshot, app, case.grants, spelling=_spelling(snapshot, app)))


def _by_resource(snapshot: Snapshot, app: App, grants: Grants, spelling: dict[str, str]) -> Iterator[ScopeDifference]:
    for resource in sorted({need.resource.lower() for need in app.scopes} | set(grants.tenant_wide)):
        needs = [need for need in app.scopes if need.resource.lower() == resource]
        known = {need.value.lower() for need in needs}
        required = {need.value.lower() for need in needs if need.required}
        granted = grants.tenant_wide.get(resource, frozenset())
        lacking = required - granted - OPENID_SCOPES
        beyond = granted - known - OPENID_SCOPES
        if lacking or beyond:
            yield ScopeDifference(
                resource=resource,
                resource_name=resource_name(snapshot, resource),
                assumed_not_granted=tuple(sorted(spelling.get(s, s) for s in lacking)),
                granted_not_assumed=tuple(sorted(spelling.get(s, s) for s in beyond)),
            )


def _spelling(snapshot: Snapshot, app: App) -> dict[str, str]:
    """Names as the pack and the tenant's grants write them, by lower case."""
    case = gather(snapshot, app, ORDINARY_MEMBER)
    granted = (scope for row in grant_rows(snapshot, case.client) for scope in row.scope.split())
    return {name.lower(): name for name in (*granted, *(need.value for need in app.scopes))}
