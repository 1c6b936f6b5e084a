"""The requests of a fix as things to bring about, each with what to look at first: what a script is written from.

A request that is sent twice, or long after the snapshot was taken, may fail or destroy what others set meanwhile. A
script therefore looks before it changes anything; what it looks at is worked out here, once for both shells.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from auditor.model.fix import Fix, GraphRequest


class NoScript(ValueError):
    """The fix cannot be written as a script; the message says why."""


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One request, and its number and comment in the script."""

    request: GraphRequest
    comment: str

    @property
    def body(self) -> Mapping[str, Any]:
        """The request's body."""
        return self.request.body or {}


class MakePrincipal(Action, frozen=True):
    """Bring the app into the tenant, unless it is there."""


class MakeGrant(Action, frozen=True):
    """Create the grant, or extend the one that is there meanwhile."""


class ExtendGrant(Action, frozen=True):
    """Add scopes to a grant; what it holds by then stays."""


class MakePolicy(Action, frozen=True):
    """Create a consent policy, unless it is there."""


class AddInclude(Action, frozen=True):
    """Add an include to a consent policy, unless it has one that says the same."""

    policy: str
    policies: str
    """The address of all consent policies; a list comes with their includes."""


class AssignPolicies(Action, frozen=True):
    """Replace the list of assigned policies, if it still is what it was in the snapshot."""

    wanted: tuple[str, ...]
    before: tuple[str, ...]


class Classify(Action, frozen=True):
    """Classify a permission, unless it is classified; another classification stops the script."""


class SetFlag(Action, frozen=True):
    """Set one property of a service principal, unless it has the value."""

    name: str
    value: bool


class Assign(Action, frozen=True):
    """Assign a user or group, unless they are assigned."""


class SetWorkflow(Action, frozen=True):
    """Switch the workflow on, unless it is on with reviewers; other reviewers than in the snapshot stop the script."""

    before: tuple[str, ...]


def actions_of(fix: Fix) -> tuple[Action, ...]:
    """The actions of a fix, in order. Raises NoScript where it has no requests, or one that cannot be scripted."""
    if not fix.steps.graph:
        raise NoScript(f"fix {fix.key or fix.route} is a link for an administrator to open: there is nothing to run")
    return tuple(_action(fix, request) for request in fix.steps.graph)


def _action(fix: Fix, request: GraphRequest) -> Action:
    path = re.sub(r"^https://[^/]+/v1\.0", "", request.url)
    for method, pattern, make in _KINDS:
        if request.method == method and re.fullmatch(pattern, path):
            return make(fix, request)
    raise NoScript(f"{request.method} {request.url} cannot be written as a script")


def _previous(fix: Fix, request: GraphRequest) -> Mapping[str, Any]:
    for undo in fix.undo_graph:
        if (undo.method, undo.url) == (request.method, request.url):
            return undo.body or {}
    raise NoScript("what the fix would replace was not read, so a script could not tell whether it has changed")


def _grant(fix: Fix, request: GraphRequest) -> Action:
    """Source of what a scope's name may hold: RFC 6749, section 3.3."""
    scope = str((request.body or {}).get("scope", ""))
    if not re.fullmatch(r"[ !#-\[\]-~]*", scope):
        raise NoScript("a scope has a name that no request can hold")
    if request.method == "POST":
        return MakeGrant(request=request, comment="The grant with these scopes. Scopes that it holds already stay.")
    return ExtendGrant(request=request, comment="More scopes for the grant that is there. Those that it holds stay.")


def _include(_: Fix, request: GraphRequest) -> Action:
    policies, policy, _end = request.url.rsplit("/", 2)
    comment = "What the policy approves on one resource: a call of its own, as a policy is always created empty."
    return AddInclude(request=request, comment=comment, policy=unquote(policy), policies=policies)


def _assign_policies(fix: Fix, request: GraphRequest) -> Action:
    def entries(body: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(body["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"])

    return AssignPolicies(
        request=request,
        comment="The complete list of assigned consent policies; every entry that was there is still in it.",
        wanted=entries(request.body or {}),
        before=entries(_previous(fix, request)),
    )


def _flag(_: Fix, request: GraphRequest) -> Action:
    ((name, value),) = (request.body or {}).items()
    comment = f"{name} of the app's service principal."
    return SetFlag(request=request, comment=comment, name=name, value=bool(value))


def _workflow(fix: Fix, request: GraphRequest) -> Action:
    before = tuple(str(reviewer["query"]) for reviewer in _previous(fix, request).get("reviewers", ()))
    return SetWorkflow(request=request, comment="The admin consent workflow.", before=before)


_SP = r"/servicePrincipals"
_POLICIES = r"/policies/permissionGrantPolicies"

_KINDS: tuple[tuple[str, str, Callable[[Fix, GraphRequest], Action]], ...] = (
    ("POST", _SP, lambda _, r: MakePrincipal(request=r, comment="The app in this tenant: its service principal.")),
    ("PATCH", rf"{_SP}/[^/]+", _flag),
    ("POST", rf"{_SP}/[^/]+/appRoleAssignedTo", lambda _, r: Assign(request=r, comment="Who may use the app.")),
    (
        "POST",
        rf"{_SP}\(appId='[^/]*'\)/delegatedPermissionClassifications",
        lambda _, r: Classify(request=r, comment=f"The classification of {(r.body or {})['permissionName']}."),
    ),
    ("POST", r"/oauth2PermissionGrants", _grant),
    ("PATCH", r"/oauth2PermissionGrants/[^/]+", _grant),
    ("POST", _POLICIES, lambda _, r: MakePolicy(request=r, comment="A consent policy that approves nothing yet.")),
    ("POST", rf"{_POLICIES}/[^/]+/includes", _include),
    ("PATCH", r"/policies/authorizationPolicy", _assign_policies),
    ("PUT", r"/policies/adminConsentRequestPolicy", _workflow),
)
