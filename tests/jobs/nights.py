"""Nights of snapshot tenants in a new history, at given times."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from auditor.history import History, open_history
from auditor.jobs.night_log import NightLog
from auditor.jobs.night_setup import Clock, NightParts, Stopping
from auditor.jobs.nightly import open_configured_history, run_night
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.secret_references import Secrets
from auditor.model.history import OutboxMessage
from auditor.model.night import Night, TenantNight
from auditor.notify.delivery import Sent, TargetAnswer
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps

ASSIGNED = "permissionGrantPoliciesAssigned"


class Nights:
    """The nights of one configuration in a folder. `sent` are the messages that arrived, `log` the lines of the log."""

    def __init__(self, folder: Path, configuration: str, environ: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.file = folder / "nightly.yaml"
        self.file.write_text(configuration)
        self.environ = environ or {}
        self.sent: list[OutboxMessage] = []
        self.answer = Sent(TargetAnswer.ACCEPTED)
        self.log: list[dict[str, Any]] = []
        self.stopping = Stopping()

    def history(self) -> History:
        """The history, opened: that of the configuration, or a file in the folder."""
        place = load_configuration(str(self.file)).history
        if place.url:
            return open_configured_history(place, Secrets(self.environ))
        return open_history(str(self.folder / "history.db"))

    def run(self, now: str, only: Sequence[str] = (), *, metrics: str = "") -> Night:
        """One night at this time."""
        clock = Clock(now=lambda: now, seconds=lambda: 0.0)
        log = NightLog(lambda line: self.log.append(json.loads(line)), clock.now, as_json=True)
        with self.history() as history:
            parts = NightParts(history, log, Secrets(self.environ), clock, stopping=self.stopping)
            return run_night(
                load_configuration(str(self.file)), parts, night="night", only=only, metrics=metrics, send=self._send
            )

    def _send(self, _: str, message: OutboxMessage) -> Sent:
        if self.answer.answer is TargetAnswer.ACCEPTED:
            self.sent.append(message)
        return self.answer

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of the log about this event."""
        return [line for line in self.log if line["event"] == name]


def write_tenant(
    path: Path, name: str = "managed-default", change: Callable[[dict[str, Any]], None] | None = None
) -> None:
    """Write a sample tenant as a snapshot, changed."""
    document = json.loads(dumps(sample(name)))
    if change:
        change(document)
    path.write_text(json.dumps(document))


def assign(*policies: str) -> Callable[[dict[str, Any]], None]:
    """The change of a tenant to these consent policies for users."""

    def change(document: dict[str, Any]) -> None:
        role = document["sections"]["authorizationPolicy"]["defaultUserRolePermissions"]
        role[ASSIGNED] = [f"ManagePermissionGrantsForSelf.{policy}" for policy in policies]

    return change


def of(night: Night, name: str) -> TenantNight:
    """The result of one tenant."""
    (found,) = (one for one in night.tenants if one.name == name)
    return found
