"""Whole nightly runs whose web hook is down for two nights: nothing is lost, nothing is repeated."""

from __future__ import annotations

from pathlib import Path

from auditor.model.history import OutboxMessage
from auditor.model.night import Night
from auditor.notify.apprise_sender import send_with_apprise
from auditor.notify.delivery import Sent
from tests.jobs.nights import Nights, assign, write_tenant
from tests.notify.servers import CUT, WebServer

CONFIGURATION = """
version: 1
history: {file: history.db}
schedule: {every: 24h}
tenants:
  - {name: contoso, snapshot: contoso.json, packs: [trackerrms-uk]}
notify:
  - {name: team, url: {env: TEAM}}
"""
CLOSED = "microsoft-user-default-recommended"
SECRET = "s3cr3tt0ken"


class SendingNights(Nights):
    """Nights that send through apprise."""

    def _send(self, address: str, message: OutboxMessage) -> Sent:
        return send_with_apprise(address, message)


def at(day: int) -> str:
    return f"2026-11-{day:02}T02:00:00Z"


def test_a_web_hook_that_is_down_for_two_nights_gets_every_change_once_and_in_order(tmp_path: Path) -> None:
    tenant = tmp_path / "contoso.json"
    with WebServer().running() as web:
        nights = SendingNights(tmp_path, CONFIGURATION, {"TEAM": f"json://u:{SECRET}@127.0.0.1:{web.port}/{SECRET}"})
        write_tenant(tenant, "legacy-open")
        nights.run(at(1))
        web.answer = 500
        write_tenant(tenant, "legacy-open", assign(CLOSED))
        second = nights.run(at(2))
        web.answer = CUT
        tenant.write_text("{")
        third = nights.run(at(3))
        web.answer = 200
        write_tenant(tenant, "legacy-open", assign(CLOSED))
        fourth = nights.run(at(4))
        for day in (5, 6):
            nights.run(at(day))
    titles = [one["title"].removeprefix("contoso: ") for one in web.received]
    assert [title.split(":")[0].split(";")[0] for title in titles] == [
        "users can no longer connect TrackerRMS",
        "the audit could not run",
        "the audit runs again",
    ]
    assert second.problems == ("the notification of team was not delivered: the service failed (500)",)
    assert second.exit_code == 1
    assert third.exit_code == 3
    assert "not delivered" in "".join(third.problems)
    assert fourth.problems == ()
    assert_no_secret(nights, second, third, fourth)


def assert_no_secret(nights: Nights, *results: Night) -> None:
    """The address is in no result, no line of the log and no byte of the history."""
    assert SECRET not in repr((results, nights.log))
    for path in nights.folder.glob("history.db*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()
