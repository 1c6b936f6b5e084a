"""The people in sign-ins, requests and refused consents, each once, and the error codes that they met."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cached_property

from auditor.apps.consent_events import ConsentEvent, ConsentResult
from auditor.consent.snapshot_index import SnapshotIndex
from auditor.facts.sign_in_codes import sign_in_codes
from auditor.model.access_resources import SignIn
from auditor.model.blocked import RequestStatus, StopCode, StoppedPerson, UserRequest
from auditor.model.document import parse_time
from auditor.model.resources import User

_SUCCESS, _BEFORE_A_PAGE, _LEFT_THE_PAGE = 0, 65001, 65004


def stops(code: int) -> bool | None:
    """Whether a code means that the user was stopped; none if the user may have cancelled."""
    return {_SUCCESS: False, _BEFORE_A_PAGE: False, _LEFT_THE_PAGE: None}.get(code, True)


def led_to_consent(row: SignIn, consents: Iterable[ConsentEvent]) -> bool:
    """Whether it is the entry before a consent page on which the user then consented."""
    code, at = row.status.errorCode if row.status else None, parse_time(row.createdDateTime or "")
    return (
        at is not None
        and code is not None
        and stops(code) is False
        and any(
            one.result is ConsentResult.GIVEN and one.at >= at and one.actor and one.actor.id == row.userId
            for one in consents
        )
    )


_SHORTLY = timedelta(hours=1)
"""How long after the entry before a consent page a success of the same user still ends the same attempt."""


class Successes:
    """The sign-ins that succeeded: each ends the attempt of its user to connect its app."""

    def __init__(self, rows: Iterable[SignIn]) -> None:
        self._of: dict[str, list[SignIn]] = {}
        for row in rows:
            if row.status and row.status.errorCode == _SUCCESS and row.appId:
                self._of.setdefault(row.appId.lower(), []).append(row)

    def follow(self, row: SignIn) -> bool:
        """Whether the user finished what an entry interrupted that doesn't itself mean that the user was stopped."""
        code = row.status.errorCode if row.status else None
        if code is None or code == _SUCCESS or stops(code):
            return False
        return any(_finishes(row, later) for later in self._of.get((row.appId or "").lower(), ()))


def _finishes(row: SignIn, later: SignIn) -> bool:
    """Whether a success of the same app is of the same user, and of the same sign-in or shortly after it."""
    begun, done = parse_time(row.createdDateTime or ""), parse_time(later.createdDateTime or "")
    if not _is_same(row.userId, later.userId) and not _is_same(row.userPrincipalName, later.userPrincipalName):
        return False
    if begun and done and done < begun:
        return False
    if _is_same(row.correlationId, later.correlationId):
        return True
    return begun is not None and done is not None and done - begun <= _SHORTLY


def _is_same(one: str | None, other: str | None) -> bool:
    return bool(one) and (one or "").lower() == (other or "").lower()


class People:
    """Who is who: the sources name a user by object id, by user principal name, or by both."""

    def __init__(self, index: SnapshotIndex) -> None:
        self._index = index

    def upn(self, name: str) -> str:
        """The user principal name or object id by which the user can be looked up."""
        return self._names.get(name.strip().lower(), name.strip())

    def matching(self, name: str) -> frozenset[str]:
        """Every id and name, in lower case, of the user with this object id, user principal name or display name."""
        wanted = name.strip().lower()
        found = {wanted}
        for row in self._index.snapshot.sections.signIns or ():
            names = {text.lower() for text in (row.userId, row.userPrincipalName, row.userDisplayName) if text}
            if wanted in names:
                found |= names
        for user in self._index.snapshot.sections.users or ():
            names = {text.lower() for text in (user.id, user.userPrincipalName, user.displayName) if text}
            if wanted in names:
                found |= names
        return frozenset(found)

    @cached_property
    def _names(self) -> dict[str, str]:
        """The user principal name by display name in lower case, of users who were read."""
        users = self._index.snapshot.sections.users or ()
        return {one.displayName.lower(): one.userPrincipalName or one.id for one in users if one.displayName}

    def stopped(
        self, sign_ins: Iterable[SignIn], requests: Iterable[UserRequest], refused: Iterable[ConsentEvent]
    ) -> list[StoppedPerson]:
        """Everybody in these rows, those who were stopped first, and of them those who wait."""
        found: dict[str, _Person] = {}
        for row in sign_ins:
            code = row.status.errorCode if row.status else None
            if code is not None:
                name = row.userPrincipalName or row.userDisplayName or ""
                self._person(found, row.userId, name).met(code, row.createdDateTime or "")
        for request in requests:
            person = self._person(found, request.user_id, request.user)
            person.at(request.created, stopped=True)
            person.waits = person.waits or request.status is RequestStatus.PENDING
        for event in refused:
            actor = event.actor
            self._person(found, actor.id if actor else "", actor.name if actor else "").at(event.time, stopped=True)
        people = [one.result() for one in found.values()]
        return sorted(people, key=lambda one: (one.stopped is not True, not one.waits, one.first, one.name))

    def _person(self, found: dict[str, _Person], user_id: str | None, name: str) -> _Person:
        """The person with this id, or else with this name; without either, somebody whom the entry doesn't name."""
        user = self._index.user(user_id or name)
        if isinstance(user, User):
            user_id, name = user.id, user.userPrincipalName or user.displayName or name
        key = (user_id or name).lower()
        if key not in found:
            found[key] = _Person(user_id or "", name or user_id or "not named")
        return found[key]


class _Person:
    """What the sources say about one person so far."""

    def __init__(self, user_id: str, name: str) -> None:
        self._id, self._name = user_id, name
        self._codes: dict[int, None] = {}
        self._times: list[str] = []
        self._stopped: bool | None = False
        self.waits = False

    def met(self, code: int, at: str) -> None:
        """Note an error code of the sign-in log."""
        self._codes[code] = None
        self.at(at, stopped=False if code == _SUCCESS else True if stops(code) else None)

    def at(self, time: str, *, stopped: bool | None) -> None:
        """Note that something happened at a time, and whether it stopped the person."""
        if self._stopped is not True and (stopped is not False or not self._times):
            self._stopped = stopped
        if time:
            self._times.append(time)

    def result(self) -> StoppedPerson:
        """All of it."""
        return StoppedPerson(
            id=self._id,
            name=self._name,
            stopped=self._stopped,
            waits=self.waits,
            codes=tuple(f"AADSTS{code}" for code in sorted(self._codes, key=lambda one: stops(one) is not True)),
            first=min(self._times, default=""),
            last=max(self._times, default=""),
        )


def stop_codes(sign_ins: Iterable[SignIn]) -> tuple[StopCode, ...]:
    """The codes of the sign-ins: those that stopped users first, and of them the most frequent."""
    found: dict[int, list[SignIn]] = {}
    for row in sign_ins:
        if row.status and row.status.errorCode is not None:
            found.setdefault(row.status.errorCode, []).append(row)
    return tuple(sorted(map(_code, found, found.values()), key=lambda one: (one.stops is not True, -one.times)))


def _code(code: int, rows: list[SignIn]) -> StopCode:
    known = sign_in_codes().get(str(code))
    times = sorted(row.createdDateTime for row in rows if row.createdDateTime)
    return StopCode(
        code=f"AADSTS{code}",
        title=known.title if known else "",
        stops=stops(code),
        times=len(rows),
        users=len(set(_who(rows))),
        first=times[0] if times else "",
        last=times[-1] if times else "",
        resources=tuple(dict.fromkeys(row.resourceDisplayName for row in rows if row.resourceDisplayName)),
    )


def _who(rows: Iterable[SignIn]) -> Iterator[str]:
    yield from ((row.userId or row.userPrincipalName or "").lower() for row in rows)
