"""Read a live tenant again and again until a change has reached Microsoft Graph, or the time is over.

How long a change takes isn't documented in general. Microsoft Entra is eventually consistent: a read may answer with
the old state for a while after a write (Microsoft Entra developer blog, "Designing for Eventual Consistency for
Microsoft Entra", 2026-03-24). The one time that Microsoft states for consent is that it can take up to an hour until
the admin consent workflow is enabled ("Configure the admin consent workflow"). That most changes take seconds to
minutes is experience.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from auditor.consent.subject import ORDINARY_MEMBER
from auditor.graph.graph_errors import GraphError
from auditor.jobs.audit import check, read_source
from auditor.jobs.audit_request import SILENT, Interaction
from auditor.jobs.pack_selection import apps_of
from auditor.model.decision import Decision
from auditor.model.document import series
from auditor.model.errors import InvalidRequest
from auditor.model.snapshot import DEFAULT_TIMEOUT, LiveTenant, Snapshot

if TYPE_CHECKING:
    from auditor.jobs.audit import PreparedAudit

HOW_LONG = (
    "Most changes reach Microsoft Graph within seconds or minutes; Microsoft states up to an hour for the admin consent"
    " workflow."
)

_FIRST_PAUSE = 10.0
_GROWTH = 1.5
_LONGEST_PAUSE = 120.0
_LAST_READ = 10.0
"""The time, in seconds, that is left for the last read."""


class WaitingClock(NamedTuple):
    """The time in seconds since any moment, and how to wait for a number of seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


SYSTEM_CLOCK = WaitingClock()


def read_until_connected(
    prepared: PreparedAudit, interaction: Interaction = SILENT, clock: WaitingClock = SYSTEM_CLOCK
) -> tuple[Snapshot, str]:
    """The first snapshot in which every decision of the request connects, else the last one, and where it came from.

    The time limit of the tenant is the limit for all reads and pauses together. After the first read, a read that fails
    is repeated like one that shows the old state. Raises InvalidRequest if there is nothing to wait for, and what
    `read_source` raises for the first read.
    """
    tenant = _tenant_to_wait_for(prepared)
    wait = _Wait(tenant.timeout, clock)
    found = _read(prepared, tenant, wait, interaction)
    if missing := _not_connecting(prepared, found[0]):
        interaction.say(f"Waiting up to {duration(tenant.timeout)} until users can connect. {HOW_LONG}")
    pauses = _pauses()
    while missing and (pause := min(next(pauses), wait.left - _LAST_READ)) >= 1:
        interaction.say(f"After {wait.passed}: {_summary(missing)}. Reading again in {duration(pause)}.")
        clock.sleep(pause)
        try:
            found = _read(prepared, tenant, wait, interaction)
        except GraphError as error:
            interaction.say(f"This read failed: {error}.")
        else:
            missing = _not_connecting(prepared, found[0])
    if missing:
        state = f"users can't connect yet ({_summary(missing)})"
        interaction.say(f"After {wait.passed}, the time is over: {state}. This is the report of the last read.")
    else:
        interaction.say(f"After {wait.passed}: users can connect.")
    return found


def _read(prepared: PreparedAudit, tenant: LiveTenant, wait: _Wait, interaction: Interaction) -> tuple[Snapshot, str]:
    """One read, which takes no longer than the time that is left."""
    source = msgspec.structs.replace(tenant, timeout=max(1.0, min(DEFAULT_TIMEOUT, wait.left)))
    request = msgspec.structs.replace(prepared.request, source=source)
    return read_source(request, prepared.packs, interaction)


def duration(seconds: float) -> str:
    """A time for people: ``45 s``, ``2 min 30 s``, ``1 h``."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{number} {unit}" for number, unit in ((hours, "h"), (minutes, "min"), (rest, "s")) if number]
    return " ".join(parts) or "0 s"


class _Wait:
    """The time that has passed and is left, by `clock`."""

    def __init__(self, limit: float, clock: WaitingClock) -> None:
        self._clock = clock
        self._start = clock.now()
        self._end = self._start + limit

    @property
    def left(self) -> float:
        """Seconds until the time is over."""
        return self._end - self._clock.now()

    @property
    def passed(self) -> str:
        """How long it has been, for people."""
        return duration(self._clock.now() - self._start)


def _tenant_to_wait_for(prepared: PreparedAudit) -> LiveTenant:
    """The tenant of the request. Raises InvalidRequest if reading it again can't change anything."""
    source = prepared.request.source
    if not isinstance(source, LiveTenant):
        raise InvalidRequest(
            "--wait-until reads the live tenant until a change has arrived, and a snapshot or a sample never changes:"
            " leave out --wait-until, or --snapshot and --sample"
        )
    if source.auth == "device-code":
        raise InvalidRequest(
            "--wait-until reads the tenant several times, and --auth device-code would ask you to sign in each time:"
            " use the credential of an app, or --auth az-cli"
        )
    if not apps_of(prepared.packs):
        raise InvalidRequest(
            "--wait-until connects waits until users can connect an app, and none of the packs is about one: add the"
            ' --pack of an app, or --app CLIENT_ID --scopes "…"'
        )
    return source


def _not_connecting(prepared: PreparedAudit, snapshot: Snapshot) -> tuple[Decision, ...]:
    """The decisions of the request in which the subject can't connect."""
    report = check(snapshot, prepared.packs, user=prepared.request.user)
    return tuple(one for one in report.decisions if not one.outcome.connects)


def _summary(decisions: Sequence[Decision]) -> str:
    """``needs-admin for TrackerRMS``: the outcomes as the JSON report names them, each with its app and user."""
    texts = []
    for one in decisions:
        user = "" if one.subject == ORDINARY_MEMBER.label else f" and {one.subject}"
        texts.append(f"{one.outcome.value} for {one.app.name or one.app.client_id}{user}")
    return series(tuple(dict.fromkeys(texts)))


def _pauses() -> Iterator[float]:
    """Pauses in seconds: 10, 15, 22.5 and so on up to 120."""
    pause = _FIRST_PAUSE
    while True:
        yield pause
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)
