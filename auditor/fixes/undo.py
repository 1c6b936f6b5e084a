"""The requests that take a fix back: what it created is deleted, what it replaced is restored to the letter.

They are worked out from the fix's own requests and the snapshot before each of them, never described anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import unquote

import msgspec

from auditor.fixes.apply import apply
from auditor.fixes.change_grants import found_row
from auditor.fixes.errors import NotApplicable
from auditor.fixes.requests import NEW_SERVICE_PRINCIPAL
from auditor.model.fix import GraphRequest
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Snapshot

_WORKFLOW = ("isEnabled", "notifyReviewers", "remindersEnabled", "requestDurationInDays", "reviewers")
"""What a PUT of ``adminConsentRequestPolicy`` holds; ``version`` is read-only."""


def undo_of(before: Snapshot, requests: Iterable[GraphRequest]) -> tuple[GraphRequest, ...]:
    """The requests that undo `requests`, last first. Raises NotApplicable where a previous value is not known."""
    back: list[GraphRequest] = []
    for request in requests:
        back[:0] = _inverse(before, request)
        before = apply(before, request)
    return tuple(back)


def _inverse(before: Snapshot, request: GraphRequest) -> Iterator[GraphRequest]:
    if request.method == "POST":
        yield from _deletion(before, request)
        return
    path = unquote(re.sub(r"^https://[^/]+/v1\.0", "", request.url))
    for beginning, previous in _PREVIOUS:
        if path.startswith(beginning):
            body = previous(before, path.removeprefix(beginning), request)
            yield GraphRequest(method=request.method, url=request.url, body=body)
            return
    raise NotApplicable(f"{request.method} {path}")


def _deletion(before: Snapshot, request: GraphRequest) -> Iterator[GraphRequest]:
    """What was created is deleted by its id; an include goes with the policy that was made for it.

    Where it was not read which grants there are, a consent may have added to one, which must not be deleted.
    """
    if request.url.endswith("/includes"):
        return
    if request.url.endswith("/oauth2PermissionGrants") and not _grants_read(
        before, str((request.body or {})["clientId"])
    ):
        raise NotApplicable("which grants there are was not read")
    made = request.returns or str((request.body or {})["id"])
    yield GraphRequest(method="DELETE", url=f"{request.url}/{made}")


def _grants_read(before: Snapshot, client: str) -> bool:
    """Whether every grant of the client (an object id) is known; one that was only just created has none."""
    covered = before.covers.get("oauth2PermissionGrants")
    app_id = next((p.appId for p in before.sections.servicePrincipals or () if p.id.lower() == client.lower()), "")
    within = covered is None or app_id.lower() in {one.lower() for one in covered}
    return client == NEW_SERVICE_PRINCIPAL or (before.sections.oauth2PermissionGrants is not None and within)


def _principal(before: Snapshot, object_id: str, request: GraphRequest) -> dict[str, Any]:
    found = _service_principal(before, object_id)
    values = {name: getattr(found, name) for name in request.body or {}}
    if None in values.values():
        raise NotApplicable("the previous value was not read")
    return values


def _service_principal(before: Snapshot, object_id: str) -> ServicePrincipal:
    for principal in before.sections.servicePrincipals or ():
        if principal.id.lower() == object_id.lower():
            return principal
    raise NotApplicable(f"no service principal {object_id}")


def _grant(before: Snapshot, grant_id: str, _: GraphRequest) -> dict[str, Any]:
    return {"scope": found_row(before, grant_id).scope}


def _assigned(before: Snapshot, _: str, __: GraphRequest) -> dict[str, Any]:
    policy = before.sections.authorizationPolicy
    role = policy.defaultUserRolePermissions if policy else None
    if role is None or role.permissionGrantPoliciesAssigned is None:
        raise NotApplicable("the assigned consent policies were not read")
    return {"defaultUserRolePermissions": {"permissionGrantPoliciesAssigned": [*role.permissionGrantPoliciesAssigned]}}


def _workflow(before: Snapshot, _: str, __: GraphRequest) -> dict[str, Any]:
    policy = before.sections.adminConsentRequestPolicy
    if policy is None:
        raise NotApplicable("the admin consent workflow was not read")
    values: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(policy))
    return {name: values[name] for name in _WORKFLOW if name in values}


_PREVIOUS: tuple[tuple[str, Callable[[Snapshot, str, GraphRequest], dict[str, Any]]], ...] = (
    ("/servicePrincipals/", _principal),
    ("/oauth2PermissionGrants/", _grant),
    ("/policies/authorizationPolicy", _assigned),
    ("/policies/adminConsentRequestPolicy", _workflow),
)
