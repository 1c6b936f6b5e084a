"""Changes to a snapshot with a known effect: none at all, less known, or less allowed.

Each takes a snapshot and gives a strategy of changed copies; the snapshot itself stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from . import pool
from .condition_strategies import condition_sets
from .reading import Json

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
NOT_ALLOWED = {"status": 403, "code": "Authorization_RequestDenied"}
CASES: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper, str.swapcase)
FREE_OF_CASE = ("permissionGrantPoliciesAssigned", "permissions", "resourceApplication", "scope")
UNKNOWABLE = (
    "accountEnabled",
    "appRoleAssignmentRequired",
    "appOwnerOrganizationId",
    "verifiedPublisher",
    "oauth2PermissionScopes",
)


@st.composite
def shuffled_and_recased(draw: DrawFn, snapshot: Json) -> Json:
    """The same tenant: lists in another order, other letter case in ids, prefixes and scope names."""
    copy = deepcopy(snapshot)
    copy["tenant"]["id"] = draw(st.sampled_from(CASES))(copy["tenant"]["id"])
    copy["covers"] = _rewritten(draw, copy.get("covers") or {}, "")
    copy["sections"] = _rewritten(draw, copy["sections"], "")
    for policy in copy["sections"].get("permissionGrantPolicies", []):
        policy["id"] = draw(st.sampled_from(CASES))(policy["id"])
    for principal in copy["sections"].get("servicePrincipals", []):
        for scope in principal.get("oauth2PermissionScopes") or []:
            scope["value"] = draw(st.sampled_from(CASES))(scope["value"])
    return copy


def _rewritten(draw: DrawFn, value: Any, name: str) -> Any:
    """A value of a snapshot, rewritten throughout; `name` is the property that holds it."""
    if isinstance(value, dict):
        return {_recased(draw, key, ""): _rewritten(draw, item, key) for key, item in value.items()}
    if isinstance(value, list):
        return draw(st.permutations([_rewritten(draw, item, name) for item in value]))
    return _recased(draw, value, name) if isinstance(value, str) else value


def _recased(draw: DrawFn, text: str, name: str) -> str:
    return draw(st.sampled_from(CASES))(text) if name in FREE_OF_CASE or GUID.fullmatch(text) else text


@st.composite
def with_sections_removed(draw: DrawFn, snapshot: Json) -> Json:
    """The same tenant, less of it read: whole sections, parts of one, or single objects are left out."""
    copy = deepcopy(snapshot)
    sections: Json = copy["sections"]
    covers: Json = copy.setdefault("covers", {})
    unread: Json = copy.setdefault("unread", {})
    for name in draw(st.lists(st.sampled_from(sorted(sections)), max_size=2, unique=True)) if sections else []:
        del sections[name]
        if draw(st.booleans()):
            unread[name] = NOT_ALLOWED
    if sections.get("permissionGrantPolicies") and draw(st.booleans()):
        _forget_beta_form(draw(st.sampled_from(sections["permissionGrantPolicies"])), unread)
    for name in ("delegatedPermissionClassifications", "appRoleAssignedTo"):
        for part in list(sections.get(name, {})):
            if draw(st.booleans()):
                del sections[name][part]
                unread[f"{name}/{part}"] = NOT_ALLOWED
    if "servicePrincipals" in sections and draw(st.booleans()):
        _forget_principals(draw, sections, covers)
    if "oauth2PermissionGrants" in sections and draw(st.booleans()):
        covers["oauth2PermissionGrants"] = []
        sections["oauth2PermissionGrants"] = [row for row in sections["oauth2PermissionGrants"] if draw(st.booleans())]
    return copy


def _forget_beta_form(policy: Json, unread: Json) -> None:
    """Leave what only Graph's beta version shows of the policy unread, as where it refuses the policy."""
    for one in (*(policy.get("includes") or ()), *(policy.get("excludes") or ())):
        one.pop("certifiedClientApplicationsOnly", None)
    unread[f"permissionGrantPolicies/{policy['id']}"] = NOT_ALLOWED


def _forget_principals(draw: DrawFn, sections: Json, covers: Json) -> None:
    """Some service principals, present or absent, were not asked for."""
    asked = covers.get("servicePrincipals", [pool.CLIENT, *pool.RESOURCES])
    forgotten = [one for one in (pool.CLIENT, *pool.RESOURCES) if draw(st.booleans())]
    kept = [found for found in sections["servicePrincipals"] if found["appId"].lower() not in forgotten]
    absent = [one for one in sections.get("absentServicePrincipals", []) if one.lower() not in forgotten]
    sections["servicePrincipals"], sections["absentServicePrincipals"] = kept, absent
    covers["servicePrincipals"] = [one for one in asked if one.lower() not in forgotten]


@st.composite
def with_properties_removed(draw: DrawFn, snapshot: Json) -> Json:
    """The same tenant, with properties of service principals that were not selected."""
    copy = deepcopy(snapshot)
    for principal in copy["sections"].get("servicePrincipals", []):
        for name in draw(st.lists(st.sampled_from(UNKNOWABLE), max_size=2, unique=True)):
            principal.pop(name, None)
    return copy


@st.composite
def with_an_include_removed(draw: DrawFn, snapshot: Json) -> Json:
    """A tenant that allows no more than this one; the same, if no policy has an include."""
    copy = deepcopy(snapshot)
    found = [policy for policy in copy["sections"].get("permissionGrantPolicies", []) if policy["includes"]]
    if found:
        includes = draw(st.sampled_from(found))["includes"]
        includes.pop(draw(st.integers(0, len(includes) - 1)))
    return copy


@st.composite
def with_an_exclude_added(draw: DrawFn, snapshot: Json) -> Json:
    """A tenant that allows no more than this one; the same, if no policy was read."""
    copy = deepcopy(snapshot)
    found = copy["sections"].get("permissionGrantPolicies", [])
    if found:
        draw(st.sampled_from(found))["excludes"].append(draw(condition_sets()))
    return copy
