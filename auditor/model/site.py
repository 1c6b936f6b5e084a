"""What a dashboard of nightly runs shows: tenants with their runs, the findings of the last one, and what changed."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from auditor.model.difference import Difference
from auditor.model.fleet import FleetReport
from auditor.model.history import Run, RunFinding, RunState


class SiteTenant(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant. `key` identifies it, `runs` are all its runs in the order in which they began.

    `missed` are the UTC times at which a run was due and none started. `findings` are those of the last finished run.
    `changes` is what the last run with a change changed.
    """

    key: str
    name: str
    tags: tuple[str, ...] = ()
    runs: tuple[Run, ...] = ()
    missed: tuple[str, ...] = ()
    findings: tuple[RunFinding, ...] = ()
    changes: Difference | None = None

    @property
    def last(self) -> Run | None:
        """The last run, however it ended; one that is running doesn't count."""
        return next((run for run in reversed(self.runs) if run.state is not RunState.RUNNING), None)

    @property
    def last_finished(self) -> Run | None:
        """The last run that made an audit."""
        return next((run for run in reversed(self.runs) if run.state is RunState.FINISHED), None)

    @property
    def last_changed(self) -> Run | None:
        """The last run in which something changed."""
        return next((run for run in reversed(self.runs) if is_changed(run)), None)


class SiteData(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the index and the tenants' pages show.

    Ages are counted up to `at`, a UTC time. `tool` is the name and version of the program. `fleets` has the apps of all
    tenants under the empty tag, and of the tenants with a tag under each tag; a tenant's name in it is its key. A fleet
    has at least two tenants.
    """

    at: str
    tool: str
    tenants: tuple[SiteTenant, ...] = ()
    fleets: Mapping[str, FleetReport] = msgspec.field(default_factory=dict)


def is_changed(run: Run) -> bool:
    """Whether something changed since the run before, even if it's minor. Such a run has a page."""
    return run.state is RunState.FINISHED and bool((run.changes or 0) + (run.minor_changes or 0))
