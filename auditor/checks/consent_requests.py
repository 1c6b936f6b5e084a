"""Checks on the requests for admin consent that users made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar

from auditor.checks.kind import (
    ArgumentProblem,
    Arguments,
    CheckContext,
    CheckKind,
    CheckResult,
    SchemaPart,
    failed,
    first_names,
    passed,
    unknown,
)
from auditor.model.document import Point, count, parse_time
from auditor.model.report import Evidence, FindingSubject
from auditor.model.rule import App
from auditor.model.snapshot import Plan

_SECTION = "appConsentRequests"
_LONGEST = 60
"""The most days after which a request expires (Entra, "Configure the admin consent workflow")."""


class ConsentRequestsAnswered(CheckKind, frozen=True, tag="consent-requests"):
    """No request for admin consent waits longer than `max-days` days for a decision."""

    setting_id: ClassVar[str] = "admin-consent-workflow"
    max_days: int

    def reads(self, app: App | None) -> Plan:
        return Plan(whole=(_SECTION,))

    def sentence(self) -> Point:
        return Point(f"No request for admin consent waits longer than {count(self.max_days, 'day')}.")

    @classmethod
    def problems(cls, arguments: Arguments, *, has_app: bool) -> Iterator[ArgumentProblem]:
        days = arguments.get("max-days")
        if isinstance(days, int) and not 0 <= days < _LONGEST:
            what = (
                "never passes" if days < 0 else f"always passes, because no request waits longer than {_LONGEST} days"
            )
            yield ArgumentProblem(("max-days",), f"max-days: {days} {what}", f"0 to {_LONGEST - 1}")

    @classmethod
    def narrow_schema(cls, definition: SchemaPart) -> None:
        definition["properties"]["max-days"].update(minimum=0, maximum=_LONGEST - 1)

    def judge(self, context: CheckContext) -> CheckResult:
        from auditor.apps.admin_consent_requests import lacks_people, user_requests
        from auditor.model.blocked import RequestStatus

        index = context.index
        rows, taken = index.snapshot.sections.appConsentRequests, parse_time(index.snapshot.taken)
        if rows is None:
            return unknown(index.not_read(_SECTION).why)
        if taken is None:
            return unknown("the time of the snapshot isn't known, so how long requests wait isn't either")
        waiting, late, open_ = 0, dict[str, FindingSubject](), index.why_partial(_SECTION)
        evidence = []
        for request in rows:
            name = request.appDisplayName or f"app {request.appId}"
            if lacks_people(request) and request.pendingScopes:
                open_ = open_ or f"who asked for {name} was not read"
            for one in user_requests(index, request):
                created = parse_time(one.created)
                if one.status is RequestStatus.UNKNOWN or (one.status is RequestStatus.PENDING and created is None):
                    open_ = open_ or f"whether or since when a request for {name} waits was not read"
                elif one.status is RequestStatus.PENDING and created is not None:
                    waiting += 1
                    if taken - created > timedelta(days=self.max_days):
                        late[request.appId.lower()] = FindingSubject(name=name, id=request.appId)
                        path = f"{_SECTION}[{name}].userConsentRequests.createdDateTime"
                        evidence.append(Evidence(path=path, actual=one.created, expected=self._expected))
        if late:
            names = first_names(one.name for one in late.values())
            number = count(len(evidence), "request waits", "requests wait")
            clause = f"{number} longer than {count(self.max_days, 'day')}: {names}"
            return failed(clause, *evidence, subjects=late.values(), unread=open_)
        if open_:
            return unknown(open_)
        if not waiting:
            return passed("no request for admin consent waits")
        number = count(waiting, "request for admin consent waits", "requests for admin consent wait")
        return passed(f"{number}, not longer than {count(self.max_days, 'day')}")

    @property
    def _expected(self) -> str:
        return f"at most {count(self.max_days, 'day')} ago"
