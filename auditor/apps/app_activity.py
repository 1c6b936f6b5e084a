"""What people did with each app: who asks for approval, whose sign-in failed, and when the app was last used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.apps.admin_consent_requests import STATUS_NOT_KNOWN, lacks_people, user_requests
from auditor.apps.blocked_sources import uncounted_rows, why_uncounted
from auditor.apps.stopped_people import stops
from auditor.consent.snapshot_index import SnapshotIndex, index_of
from auditor.facts.sign_in_codes import logged_codes
from auditor.model.access_resources import AppConsentRequest
from auditor.model.blocked import BlockedSource, RequestStatus
from auditor.model.document import parse_time
from auditor.model.snapshot import Snapshot
from auditor.model.survey import Waiting

_REQUESTS, _SIGN_INS, _LAST_USE = "appConsentRequests", "signIns", "servicePrincipalSignInActivities"


class AppActivity:
    """The requests, failed sign-ins and last uses of each app; the rows of a log are grouped once."""

    def __init__(self, snapshot: Snapshot | SnapshotIndex) -> None:
        self._index = index_of(snapshot)
        self._failed: dict[str, _Failures] = {}
        about_consent = frozenset(logged_codes())
        for row in self._index.snapshot.sections.signIns or ():
            code = row.status.errorCode if row.status else None
            if code in about_consent and row.appId:
                who = row.userId or row.userPrincipalName or row.userDisplayName or ""
                failures = self._failed.setdefault(row.appId.lower(), _Failures())
                failures.add(code or 0, who.lower(), row.createdDateTime or "", row.appDisplayName or "")
        self._uncounted = [one for one in uncounted_rows(self._index) if one.source is BlockedSource.SIGN_INS]
        self._last = dict(self._last_uses())

    @property
    def clients(self) -> tuple[str, ...]:
        """The client ids of the apps whose sign-ins failed."""
        return tuple(self._failed)

    def name(self, client_id: str) -> str:
        """What the sign-in log calls the app; empty if it isn't there."""
        found = self._failed.get(client_id)
        return found.name if found else ""

    def waiting(self, client_id: str, requests: Sequence[AppConsentRequest]) -> tuple[Waiting, dict[str, str]]:
        """Who waits for the app, and why parts of it aren't known. `requests` are those about the app."""
        not_known: dict[str, str] = {}
        asking: int | None = None
        if why := self._why_unread(_REQUESTS, client_id):
            not_known["asking"] = why
        else:
            asking = self._asking(requests, not_known)
        if not asking and (gap := self._index.gap(_REQUESTS)):
            asking = None
            not_known.setdefault("asking", gap.why)
        why = self._why_unread(_SIGN_INS, client_id)
        if why := why or next(iter(why_uncounted(self._uncounted, client_id).values()), ""):
            not_known["failed"] = why
        found = self._failed.get(client_id)
        if found is None:
            return Waiting(asking=asking, failed=None if why else 0), not_known
        return Waiting(
            asking=asking, failed=len(found.users), codes=tuple(sorted(found.codes)), last=found.last
        ), not_known

    def _why_unread(self, section: str, client_id: str) -> str:
        if self._index.covers(section, client_id):
            return ""
        return self._index.not_read(section).why

    def _asking(self, requests: Sequence[AppConsentRequest], not_known: dict[str, str]) -> int | None:
        """How many users wait for approval; none where the people, or what became of their requests, isn't known."""
        people: set[str] = set()
        for request in requests:
            if lacks_people(request):
                unread = self._index.not_read(_REQUESTS, request.id or "")
                not_known["asking"] = unread.why if request.id else "who asked was not read"
                return None
            for number, one in enumerate(user_requests(self._index, request)):
                if one.status is RequestStatus.UNKNOWN:
                    not_known["asking"] = STATUS_NOT_KNOWN
                elif one.status is RequestStatus.PENDING:
                    people.add((one.user_id or one.user or f"{request.id}/{number}").lower())
        return None if not people and "asking" in not_known else len(people)

    def last_sign_in(self, client_id: str) -> tuple[str | None, dict[str, str]]:
        """When the app was last used, by people or by itself: a time, or empty where no use is recorded."""
        if client_id in self._last:
            return self._last[client_id], {}
        if self._index.snapshot.sections.servicePrincipalSignInActivities is None:
            return None, {"last_sign_in": self._index.not_read(_LAST_USE).why}
        if partial := self._index.why_partial(_LAST_USE):
            return None, {"last_sign_in": partial}
        return "", {}

    def _last_uses(self) -> Iterator[tuple[str, str]]:
        for row in self._index.snapshot.sections.servicePrincipalSignInActivities or ():
            if row.appId and row.last:
                yield row.appId.lower(), row.last


class _Failures:
    """The failed sign-ins of one app."""

    def __init__(self) -> None:
        self.users: set[str] = set()
        self.codes: set[int] = set()
        self.last = ""
        self.name = ""

    def add(self, code: int, user: str, at: str, name: str) -> None:
        """Note a sign-in with a code about consent; some of these codes only come before a page or a choice."""
        if stops(code):
            self.users.add(user)
        self.codes.add(code)
        self.name = self.name or name
        if _as_time(at) > _as_time(self.last):
            self.last = at


def _as_time(text: str) -> float:
    at = parse_time(text)
    return at.timestamp() if at else 0.0
