"""The world of the thirty nights: tenants behind a Graph server, a service that takes messages, and a configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from auditor.history import open_history
from auditor.model.history import RunState
from tests.graphserver import CLIENT_ID, CLIENT_SECRET, GraphServer, HtmlPage, Reset, Status, Tenant
from tests.nights import script
from tests.nights.attempts import Attempt, Attempts, Ended, Kill
from tests.nights.tenants import APP, APP_NAME, SCOPE, TENANTS, tenant
from tests.notify.servers import WebServer

_CONFIGURATION = """\
version: 1
defaults:
  apps: [{{client-id: {app}, scopes: {scope}, name: {name}}}]
  reports: {{folder: reports, formats: [json]}}
  credential: {{client-id: {client}, secret: {{env: SECRET}}}}
  authority-host: "{authority}"
  graph-endpoint: "{graph}"
tenants:
{tenants}
history: {{file: history.db}}
keep: {{days: 400, runs: {keep}}}
notify:
  - {{name: team, url: {{env: TEAM}}, on: [change, failure, recovery], remind-after: never}}
metrics: metrics/audit.prom
site: site
"""
KEPT = 40


class Tried(NamedTuple):
    """One attempt that was made: on which night, when, how it ended, and the messages that arrived during it.

    `states` is by tenant how far its run got; none for a tenant whose run didn't begin.
    """

    night: int
    now: str
    kill: Kill | None
    ended: Ended
    messages: tuple[dict[str, Any], ...]
    states: Mapping[str, RunState]


class World:
    """Runs nights of the script, and records what it did."""

    def __init__(self, folder: Path, place: str, server: GraphServer, messages: WebServer, attempts: Attempts) -> None:
        self.folder, self.place = folder, place
        self.tried: list[Tried] = []
        self._server, self._messages, self._attempts = server, messages, attempts
        self._environ = {
            **server.env(),
            "SECRET": CLIENT_SECRET,
            "TEAM": f"json://127.0.0.1:{messages.port}/",
        }
        tenants = "\n".join(f"  - {{name: {name}, tenant: {id_}}}" for name, id_ in TENANTS.items())
        # One page is enough to see that a page is never half.
        tenants = tenants.replace("}", ", reports: {folder: reports, formats: [json, html]}}", 1)
        text = _CONFIGURATION.format(
            app=APP,
            scope=SCOPE,
            name=APP_NAME,
            client=CLIENT_ID,
            authority=server.authority,
            graph=server.graph,
            tenants=tenants,
            keep=KEPT,
        )
        for name in ("reports", "site", "metrics"):
            (folder / name).mkdir()
        (folder / "nightly.yaml").write_text(text)

    def night(self, number: int, kills: tuple[Kill, ...] = ()) -> None:
        """A night of the script: an attempt for each kill, and one that nobody kills."""
        if number == script.MISSED:
            return
        for id_, document in zip(TENANTS.values(), script.documents(number).values(), strict=True):
            self._server.tenants[id_] = Tenant(document)
        for place, kill in enumerate((*kills, None)):
            self._disturb(number)
            self._attempt(number, f"2026-06-{number:02}T{2 + place // 6:02}:{place % 6}0:00Z", kill)

    def _disturb(self, night: int) -> None:
        self._server.heal()
        self._messages.answer = 503 if night in script.DOWN else 200
        if night == script.SILENT:
            self._server.fault("/", Reset(), times=None)
        if night == script.THROTTLED:
            for match, fault in (
                ("/servicePrincipals", Status(429, 5)),
                ("/policies", Status(503)),
                ("/$batch", Status(429, 2)),
                ("/$batch", Reset()),
                ("/$batch", HtmlPage(503)),
            ):
                self._server.fault(match, fault)

    def _attempt(self, night: int, now: str, kill: Kill | None) -> None:
        before = len(self._messages.received)
        ended = self._attempts.run(
            Attempt(folder=str(self.folder), place=self.place, now=now, environ=self._environ, kill=kill)
        )
        assert ended.was_killed or ended.code == 0, (now, kill, ended)
        self.tried.append(Tried(night, now, kill, ended, tuple(self._messages.received[before:]), self._states(now)))
        self._nothing_is_half()
        for path in self.folder.glob("**/*.tmp"):
            os.utime(path, (0, 0))  # until the next run, hours pass

    def _states(self, now: str) -> dict[str, RunState]:
        with open_history(self.place) as history:
            found = {name: history.runs(id_, limit=1) for name, id_ in TENANTS.items()}
            return {name: runs[0].state for name, runs in found.items() if runs and runs[0].started == now}

    def _nothing_is_half(self) -> None:
        """After every attempt, each file is whole: a report, a page, the metrics."""
        for path in self.folder.glob("reports/*/report.json"):
            assert json.loads(path.read_text())["format"] == "consent-auditor/report"
        for path in (*self.folder.glob("reports/*/*.html"), *self.folder.glob("site/**/*.html")):
            assert path.read_text().rstrip().endswith("</html>"), path
        for path in self.folder.glob("metrics/*.prom"):
            assert path.read_text().endswith("\n")


@contextmanager
def world(folder: Path, place: str, attempts: Attempts) -> Iterator[World]:
    """The world before its first night."""
    server = GraphServer(*(tenant(name) for name in TENANTS))
    with server, WebServer().running() as messages:
        yield World(folder, place, server, messages, attempts)
