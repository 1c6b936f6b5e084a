"""The requests for admin consent: who made each, what became of it, when it expires, and who decides.

Sources: Microsoft Graph v1.0, ``appConsentRequest``, ``userConsentRequest`` (``Initializing``, ``InProgress``,
``Expired``, ``Completed``), ``approvalStage`` (``reviewResult``) and ``adminConsentRequestPolicy``: a request is valid
for ``requestDurationInDays`` after it's made. Entra, "Review admin consent requests".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from auditor.consent.decision_facts import ROLE_QUERY, USER_QUERY
from auditor.consent.snapshot_index import SnapshotIndex
from auditor.consent.subject import ADMIN_ROLES
from auditor.model.access_resources import AppConsentRequest
from auditor.model.blocked import RequestStatus, UserRequest
from auditor.model.document import days_left, parse_time, stated_time, utc_text

STATUS_NOT_KNOWN = "a request has a status that this version doesn't know"
"""Why it isn't known whether the user of a request waits."""

SOON_DAYS = 3
"""A request that expires in so many days or less ends soon."""

REVIEW_PATH = ("Entra ID", "Enterprise apps", "Activity", "Admin consent requests")
"""Where reviewers decide ("Review admin consent requests")."""

_STATUS = {
    "initializing": RequestStatus.PENDING,
    "inprogress": RequestStatus.PENDING,
    "expired": RequestStatus.EXPIRED,
    "completed": RequestStatus.COMPLETED,
}
_RESULTS = {
    "approve": RequestStatus.APPROVED,
    "approved": RequestStatus.APPROVED,
    "deny": RequestStatus.DENIED,
    "denied": RequestStatus.DENIED,
}


def user_requests(index: SnapshotIndex, request: AppConsentRequest) -> Iterator[UserRequest]:
    """The requests of users for one app, as far as they were read."""
    policy = index.snapshot.sections.adminConsentRequestPolicy
    days = policy.requestDurationInDays if policy else None
    for row in request.userConsentRequests:
        yield _request(row, parse_time(index.snapshot.taken), days)


def lacks_people(request: AppConsentRequest) -> bool:
    """Whether the people of the request were not read: Graph's list of requests leaves them out."""
    return not request.userConsentRequests


def _request(row: Mapping[str, Any], now: datetime | None, days: int | None) -> UserRequest:
    user = _object(_object(row.get("createdBy")).get("user"))
    stage = _decided(row)
    status = _STATUS.get(_text(row.get("status")).lower(), RequestStatus.UNKNOWN)
    if status is RequestStatus.COMPLETED:
        status = _RESULTS.get(_text(stage.get("reviewResult")).lower(), status)
    reviewer = _object(stage.get("reviewedBy"))
    made = stated_time(_text(row.get("createdDateTime")))
    created = parse_time(made)
    waits = status is RequestStatus.PENDING
    ends = _end(created, days) if waits and created and days else None
    end_text = utc_text(ends) if ends else ""
    left = days_left(end_text, now)
    return UserRequest(
        status=status,
        user=_name(user),
        user_id=_text(user.get("id")),
        created=made,
        ends=end_text,
        days_left=left,
        soon=left is not None and left <= SOON_DAYS,
        reason=_text(row.get("reason")),
        reviewed_by=_name(reviewer),
        reviewed=stated_time(_text(stage.get("reviewedDateTime"))),
        justification=_text(stage.get("justification")),
    )


def _end(created: datetime, days: int) -> datetime | None:
    """When a request expires; none if the number of days can't be one."""
    try:
        return created + timedelta(days=days)
    except OverflowError:
        return None


def _decided(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The stage of the approval that a reviewer decided, or else the first."""
    stages = _object(row.get("approval")).get("stages")
    found = [one for one in stages if isinstance(one, Mapping)] if isinstance(stages, list | tuple) else []
    decided = (one for one in found if _text(one.get("reviewResult")).lower() in _RESULTS)
    return next(decided, found[0] if found else {})


def reviewers(index: SnapshotIndex) -> tuple[tuple[str, ...], str]:
    """Who decides about requests, for people, and why that isn't known."""
    policy = index.snapshot.sections.adminConsentRequestPolicy
    if policy is None:
        return (), index.not_read("adminConsentRequestPolicy").why
    if policy.reviewers is None:
        return (), "reviewers of the admin consent workflow were not read"
    return tuple(dict.fromkeys(_reviewer(index, one.query) for one in policy.reviewers if one.query)), ""


_GROUP = re.compile(r"(?:/(?:v1\.0|beta))?/groups/([^/?$]+)", re.IGNORECASE)


def _reviewer(index: SnapshotIndex, query: str) -> str:
    """A user by name, a group by its object id, or a role. Source: Entra, "Configure the admin consent workflow"."""
    if user := USER_QUERY.fullmatch(query):
        return index.user_name(user[1])
    if group := _GROUP.match(query):
        return f"members of the group {group[1]}"
    if role := ROLE_QUERY.search(query):
        return f"holders of the role {ADMIN_ROLES.get(role[1].lower(), role[1])}"
    return query


def _name(person: Mapping[str, Any]) -> str:
    return _text(person.get("userPrincipalName")) or _text(person.get("displayName")) or _text(person.get("id"))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
