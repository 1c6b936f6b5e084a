"""Which apps of a survey to show, and in what order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from auditor.consent import Truth, all_of, any_of, known
from auditor.model.decision import AppOwner
from auditor.model.document import parse_time
from auditor.model.survey import ConnectState, Filters, RiskLevel, SurveyedApp


class Filtered(NamedTuple):
    """The apps that match, how many don't, and of how many of those it isn't known."""

    apps: tuple[SurveyedApp, ...]
    left_out: int
    undecided: int


def filtered(apps: Iterable[SurveyedApp], filters: Filters, taken: str, created: Mapping[str, str]) -> Filtered:
    """The apps that are known to match every filter. `taken` is when the tenant was read."""
    matching, left_out, undecided = [], 0, 0
    now = parse_time(taken)
    for app in apps:
        matches = all_of(_tests(app, filters, now, created.get(app.client_id, "")))
        if matches is Truth.TRUE:
            matching.append(app)
        elif matches is Truth.FALSE:
            left_out += 1
        else:
            undecided += 1
    return Filtered(tuple(matching), left_out, undecided)


def _tests(app: SurveyedApp, filters: Filters, now: datetime | None, created: str) -> Iterable[Truth]:
    if filters.stopped:
        yield any_of((_stops(app), known(app.assumed.stops if app.assumed else False)))
    if filters.third_party:
        yield known(app.owner is not AppOwner.OWN)
    if filters.unverified:
        # A developer can't verify an app for users of the same tenant only, and needn't.
        is_own = app.owner is AppOwner.OWN
        yield Truth.FALSE if is_own else known(None if app.publisher_verified is None else not app.publisher_verified)
    if filters.unused_days is not None:
        yield _is_unused(app, filters.unused_days, now, created)


def _stops(app: SurveyedApp) -> Truth:
    return Truth.UNKNOWN if app.state is ConnectState.UNKNOWN else known(app.state is ConnectState.STOPPED)


def _is_unused(app: SurveyedApp, days: int, now: datetime | None, created: str) -> Truth:
    """Whether nobody used the app for so many days; an app that is newer than that isn't unused."""
    if app.in_tenant is False:
        return Truth.FALSE
    if app.last_sign_in is None or now is None:
        return Truth.UNKNOWN
    since = parse_time(app.last_sign_in or created)
    return known(since is None or now - since >= timedelta(days=days))


def matches_name(wanted: str, name: str, client_id: str) -> bool:
    """Whether an app is meant: by its client id, or by a part of its name, of which only letters and digits count."""
    sought = _letters(wanted)
    return wanted.strip().lower() == client_id.lower() or (bool(sought) and sought in _letters(name))


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def in_order(apps: Iterable[SurveyedApp]) -> tuple[SurveyedApp, ...]:
    """The apps that need attention first.

    First what attackers use; then those that the assumption stops, by how many users hold a grant; then those that stop
    users, by how many wait; then unknown ones; and those that connect by the risk of what they hold.
    """
    return tuple(sorted(apps, key=_order))


def _order(app: SurveyedApp) -> tuple[bool, bool, int, int, int, int, str, str]:
    stops = app.assumed is not None and app.assumed.stops is True
    waiting = (app.waiting.asking or 0) + (app.waiting.failed or 0)
    users = app.holds.users or 0
    risk = app.holds.risk.level.rank if app.holds.risk else len(RiskLevel)
    by_need = (-users if stops else -waiting, risk)
    is_malicious = app.abused is not None and app.abused.malicious
    return not is_malicious, not stops, app.state.rank, *by_need, -users, app.name.casefold(), app.client_id
