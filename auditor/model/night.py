"""The result of one nightly run of several tenants, as it is printed and written as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from auditor.model.difference import Change, DifferenceSummary
from auditor.model.document import utc_text
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN
from auditor.model.history import Run
from auditor.model.notification import Delivery

FORMAT = "consent-auditor/night"
VERSION = 1


class TenantNight(msgspec.Struct, frozen=True, kw_only=True):
    """What a nightly run did for one tenant.

    `name` is that of the configuration. `run` is none if no run could be begun, because of the history or a run in
    progress. `error` and `advice` say why there is no audit. `answer` is the answer of the report. `changes` are the
    changes since the run `since` that can matter; `difference` is none if there is no earlier run to compare with.
    `new` and `fixed` count findings, `still_failing` those that fail on both sides. `reports` are the files that were
    written, `missed` the UTC times at which a run was due and none started, `interrupted` the starts of earlier runs
    that never ended. `notes` are sentences on what else went wrong.
    """

    name: str
    tenant: str
    exit_code: int
    run: Run | None = None
    error: str = ""
    advice: str = ""
    answer: str = ""
    since: str = ""
    difference: DifferenceSummary | None = None
    changes: tuple[Change, ...] = ()
    reports: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    interrupted: tuple[str, ...] = ()
    request_ids: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class ListNight(msgspec.Struct, frozen=True, kw_only=True):
    """What a nightly run found in a list of customers.

    `name` is the list's for people. If it could not be read, `error` and `advice` say why, and the `customers` are
    those of the list of `taken`; they are audited anyway. `new` and `gone` are names of customers that differ
    from the list before, `notes` are sentences on what could not be read of it or was left out. `credential_expires` is
    when the credential that reads the list ends, in UTC, if that is known.
    """

    name: str
    source: str
    customers: int
    taken: str = ""
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    error: str = ""
    advice: str = ""
    notes: tuple[str, ...] = ()
    credential_expires: str = ""


class Night(msgspec.Struct, frozen=True, kw_only=True):
    """A nightly run. `exit_code` is that of the program: 1 if a tenant fails, else 3, else 4, else 0.

    A list of customers that could not be read counts as a tenant that could not.

    `id` identifies it in logs and for the heartbeat. `pruned` counts the runs that the history no longer keeps.
    `problems` are sentences on what went wrong besides the audits: notifications, heartbeat, metrics, retention.
    """

    format: str = FORMAT
    version: int = VERSION
    id: str
    tool: str
    configuration: str
    history: str
    started: str
    finished: str = ""
    seconds: float = 0.0
    exit_code: int = OK
    lists: tuple[ListNight, ...] = ()
    tenants: tuple[TenantNight, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    pruned: int = 0
    problems: tuple[str, ...] = ()


def exit_code_of(codes: tuple[int, ...]) -> int:
    """The exit code of a run of several tenants: that of the tenant that needs attention most.

    Without a tenant, such as after a customer list was emptied by mistake, nothing was audited.
    """
    return next((code for code in (FAILING, NO_AUDIT, UNKNOWN) if code in codes), OK if codes else NO_AUDIT)


def missed_starts(last: str, now: str, every_hours: float) -> tuple[str, ...]:
    """The UTC times at which a run was due after the one that started at `last`, and none started until `now`.

    A run that starts up to half of `every_hours` late counts as on time. A clock that was set back misses nothing.
    """
    try:
        first, end = datetime.fromisoformat(last), datetime.fromisoformat(now)
    except ValueError:
        return ()
    every = timedelta(hours=every_hours)
    if every <= timedelta(0):
        return ()
    count = int((end - first) / every + 0.5) - 1
    due = (first + number * every for number in range(1, min(count, _MOST_MISSED) + 1))
    return tuple(utc_text(time) for time in due)


def seconds_between(start: str, end: str) -> float:
    """The seconds from one UTC time to another; none if the second one is earlier, or one of them isn't a time."""
    try:
        seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return max(0.0, seconds)


def slot_at(now: str, every_hours: float, minute: int) -> str:
    """The last UTC time, until `now`, at which a run was due: `minute` is the time of day, in minutes after midnight.

    A schedule of a day or more counts days from Monday, 1 January 2024, one of less than a day from its time of day.
    """
    every = timedelta(hours=every_hours)
    first = _MONDAY + timedelta(minutes=minute)
    return utc_text(first + (datetime.fromisoformat(now) - first) // every * every)


def is_present(slot: str, now: str, every_hours: float) -> bool:
    """Whether a run that was due at `slot` is still on time: up to half of the interval late (see `missed_starts`)."""
    return seconds_between(slot, now) < every_hours * 1800


def next_start(last: str, every_hours: float) -> str:
    """The UTC time at which a run is due after the one that was due or started at `last`; empty for no time."""
    try:
        due = datetime.fromisoformat(last) + timedelta(hours=every_hours)
    except (ValueError, TypeError):
        return ""
    return utc_text(due)


_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
_MOST_MISSED = 400
"""The most missed runs that are listed: after a year without a run, their number no longer matters."""
