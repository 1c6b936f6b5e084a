"""The engine's decisions compared with what the logs say happened: per app, and for each event.

``None`` means *not known*. An event that can't be compared counts as neither right nor wrong.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.model.decision import AppRef, Outcome


class Happened(StrEnum):
    """What the log says happened."""

    CONSENTED = "consented"
    """A user consented for themselves."""
    REFUSED = "refused"
    """A user's consent was refused, or blocked as risky."""
    STOPPED = "stopped"
    """A sign-in failed because consent was missing."""


class Comparison(StrEnum):
    """Whether the decision for that user is what happened."""

    AGREES = "agrees"
    DISAGREES = "disagrees"
    CANNOT_TELL = "cannot-tell"


class PredictedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the logs, and what the engine decides for its user without the consent that the event left.

    `at` is the time of the log. `predicted` is none if nothing could be decided. `because` is one sentence: why the
    decision is so, or why nothing can be said. `reasons` are the likely reasons of a disagreement in order. `scopes`
    are what was asked for, and `scopes_from_log` says whether the log says so. `policies_of` is the time of the read
    whose policies decided; empty where the audit log says what they were.
    """

    at: str
    happened: Happened
    result: Comparison
    user: str
    user_id: str = ""
    code: str = ""
    predicted: Outcome | None = None
    because: str = ""
    reasons: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    scopes_from_log: bool = False
    policies_of: str = ""
    correlation_id: str = ""


class ComparedApp(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one app, the latest first, and how many agree with the decision."""

    app: AppRef
    agrees: int
    disagrees: int
    cannot_tell: int
    events: tuple[PredictedEvent, ...]


class PredictionComparison(msgspec.Struct, frozen=True, kw_only=True):
    """The decisions for one tenant compared with its logs; the apps with disagreements first.

    `sentence` says it in one line. The numbers are none where no event could be compared because a log was not read;
    `not_read` says which, and why. `left_out` counts administrators' consents. `first` and `last` are the times of the
    first and last event. `earlier_reads` are the times of the earlier snapshots whose policies were used.
    """

    sentence: str
    agrees: int | None
    disagrees: int | None
    cannot_tell: int | None
    left_out: int | None
    apps: tuple[ComparedApp, ...] = ()
    first: str = ""
    last: str = ""
    earlier_reads: tuple[str, ...] = ()
    not_read: tuple[str, ...] = ()
