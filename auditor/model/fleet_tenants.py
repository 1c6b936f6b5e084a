"""What a fleet does: each tenant's last run, its place in the queue, and when it's due again."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.model.errors import FAILING, NO_AUDIT
from auditor.model.history import RunDecision, RunState

FORMAT = "consent-auditor/fleet-tenants"
VERSION = 1


class QueueState(StrEnum):
    """How far a tenant is in the queue of the workers."""

    WAITING = "waiting"
    RUNNING = "running"
    RETRYING = "retrying"
    """It waits for another attempt: its worker ended, or its run could not be recorded."""
    GIVEN_UP = "given-up"
    """It isn't tried again in this night."""


class TenantStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant. What isn't known is none or empty.

    `tenant` identifies it in the history. `last` is the UTC start of its last run, `state` and `exit_code` how that
    ended, `error` why there was no audit. `audited` is the start of its last finished run, and `decisions` the answers
    of that. `missed` counts the runs that were due since the last one. `next` is the UTC time at which a run is due,
    which can be in the past. `queue` is none if the tenant doesn't wait, or if there is no queue. `listed_by` names the
    list of customers that the tenant comes from.
    """

    name: str
    tenant: str
    tags: tuple[str, ...] = ()
    listed_by: str = ""
    last: str = ""
    state: RunState | None = None
    exit_code: int | None = None
    error: str = ""
    audited: str = ""
    decisions: tuple[RunDecision, ...] = ()
    missed: int = 0
    next: str = ""
    queue: QueueState | None = None
    attempts: int = 0

    @property
    def needs_attention(self) -> bool:
        """Whether the last run fails or made no audit, runs were missed, or the workers gave the tenant up."""
        is_ended_badly = self.exit_code in (FAILING, NO_AUDIT) or self.state is RunState.INTERRUPTED
        return is_ended_badly or self.missed > 0 or self.queue is QueueState.GIVEN_UP


class FleetState(msgspec.Struct, frozen=True, kw_only=True):
    """The tenants of a configuration, in its order.

    `history` and `queue` are the databases, without users and passwords; `queue` is empty if there is none. `problems`
    are sentences on what could not be read. `left_out` counts the tenants that ``--failing`` leaves out.
    """

    format: str = FORMAT
    version: int = VERSION
    tool: str
    at: str
    configuration: str
    history: str = ""
    queue: str = ""
    answer: str = ""
    redacted: bool = False
    tenants: tuple[TenantStatus, ...] = ()
    left_out: int = 0
    problems: tuple[str, ...] = ()
