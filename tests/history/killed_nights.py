"""Nights that are killed at a given statement, in another process."""

from __future__ import annotations

import os
import signal
from typing import Any

import msgspec
from sqlalchemy import Engine, event

from auditor.history import History, open_history
from auditor.history.kept_parts import report_of, report_parts, snapshot_of, snapshot_parts
from auditor.model.configuration import Keep
from auditor.model.history import OutboxMessage, Said
from tests.history.nights import TENANT, Night, difference_of, keep, time_of

NOW = "2026-12-31T02:00:00Z"
KEEP = Keep(days=100_000, runs=6)


def packed(night: Night) -> dict[str, list[bytes]]:
    """A night in a form that another process can be given."""
    return report_parts(night.report) | snapshot_parts(night.snapshot)


def number_of(history: History) -> int:
    """The number of the next night: the last finished run says its own."""
    last = history.last_finished(TENANT)
    return 0 if last is None else int(history.report(last.id).summary.answer) + 1


def night_with(made: Night, number: int) -> Night:
    """The night with its number in the report, in a section of the snapshot, and in a finding."""
    summary = msgspec.structs.replace(made.report.summary, answer=str(number))
    sections = msgspec.structs.replace(made.snapshot.sections, absentServicePrincipals=(f"app-{number}", "always"))
    return Night(
        msgspec.structs.replace(made.report, summary=summary),
        msgspec.structs.replace(made.snapshot, sections=sections),
    )


def run_nights(place: str, parts: list[dict[str, list[bytes]]], kill_at: int) -> None:
    """Run nights until the statement with the number `kill_at`, before which the process is killed. 0 runs one night.

    Each night is kept with a change, a message and something that was said; then old runs are pruned.
    """
    if kill_at:
        _kill_before(kill_at)
    nights = [Night(report_of(one), snapshot_of(one)) for one in parts]
    with open_history(place) as history:
        while True:
            number = number_of(history)
            said = Said(target="teams", tenant=TENANT, key=f"night/{number}", first=time_of(0), last=time_of(0))
            difference = difference_of(1 if number % 2 else 0)
            changed = tuple(msgspec.structs.replace(one, key=f"setting/{number}") for one in difference.changes)
            keep(
                history,
                night_with(nights[number % len(nights)], number),
                number,
                difference=msgspec.structs.replace(difference, changes=changed),
                messages=[_message(number)],
                said=[said],
            )
            history.prune(KEEP, NOW)
            if not kill_at:
                return


def _message(number: int) -> OutboxMessage:
    return OutboxMessage(
        id=f"night-{number}",
        target="teams",
        tenant=TENANT,
        run="",
        created=time_of(number),
        title="title",
        body="body",
        text="text",
        event="change",
    )


def _kill_before(number: int) -> None:
    left = number

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, count)
