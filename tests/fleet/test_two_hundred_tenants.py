"""Two hundred tenants in one process on SQLite: each is audited once, as it deserves, whatever befalls the others.

Nothing here depends on how fast the machine is: the slow tenants answer after all others are done, pauses take no time,
and requests are counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from auditor.graph.fleet_limits import AppThrottle
from auditor.history import History, open_history
from auditor.jobs import tenant_reader
from auditor.jobs.fleet_audits import FleetRequest
from auditor.jobs.fleet_onboarding import onboard_fleet
from auditor.jobs.fleet_report import report_on_fleet
from auditor.jobs.night_log import NightLog
from auditor.jobs.night_setup import Clock, NightParts
from auditor.jobs.nightly import run_night
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.secret_references import Secrets
from auditor.model.errors import FAILING, NO_AUDIT
from auditor.model.night import Night, TenantNight
from auditor.render.night import answer_of, text
from tests.fleet.world import CONSENTS, Customer, State, Trouble, World, counted, expected, state_of, why, world
from tests.graph.live_tenants import Sleeps

NOW = "2026-11-22T02:00:00Z"
_ENDED = ("run-finished", "run-failed", "run-not-recorded")


class Lived(NamedTuple):
    """What the night left. `ended` are the names of the tenants in the order in which their runs ended."""

    world: World
    night: Night
    history: History
    ended: list[str]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("fleet")
    ended: list[str] = []
    with pytest.MonkeyPatch.context() as patched, world(folder, is_held=True) as made:
        patched.setattr(tenant_reader, "retry_policy", _retry_policy(tenant_reader.retry_policy))
        patched.setattr(AppThrottle, "remaining", lambda _: 0.0)
        others = len(made.customers) - len(made.of(Trouble.SLOW))

        def write(line: str) -> None:
            entry = json.loads(line)
            if entry["event"] in _ENDED:
                ended.append(entry["tenant"])
            if len(ended) == others:
                made.others_are_done.set()

        log = NightLog(write, lambda: NOW, as_json=True)
        with open_history(str(folder / "history.db")) as history:
            clock = Clock(now=lambda: NOW, seconds=lambda: 0.0)
            parts = NightParts(history, log, Secrets(made.environ), clock)
            night = run_night(load_configuration(str(made.file)), parts, night="night")
            yield Lived(made, night, history, ended)


def _retry_policy(real: Any) -> Any:
    """Pauses take no time, but for tenants that never answer, whose short time really passes."""

    def policy(tenant: Any, interaction: Any, limits: Any = None) -> Any:
        return real(tenant, interaction, limits) if tenant.timeout == 1 else Sleeps().retry(tenant.timeout)

    return policy


def _result(lived: Lived, customer: Customer) -> TenantNight:
    (found,) = (one for one in lived.night.tenants if one.name == customer.name)
    return found


def test_each_tenant_is_audited_once_in_the_order_of_the_configuration(lived: Lived) -> None:
    configured = [one.name for one in load_configuration(str(lived.world.file)).tenants]
    assert [one.name for one in lived.night.tenants] == configured
    assert sorted(configured) == [one.name for one in lived.world.customers]
    assert Counter(lived.ended) == Counter(configured)
    runs = Counter(run.tenant for run in lived.history.runs())
    assert runs == Counter(one.key for one in lived.world.customers)


def test_each_tenant_gets_the_outcome_that_its_settings_and_its_trouble_deserve(lived: Lived) -> None:
    got = {}
    for one in lived.world.customers:
        (run,) = lived.history.runs(one.key)
        got[one.key] = (state_of(run), run.exit_code, _result(lived, one).exit_code)
    wanted = lived.world.expected()
    assert got == {key: (each.state, each.exit_code, each.exit_code) for key, each in wanted.items()}


def test_the_report_over_all_is_the_count_by_hand(lived: Lived) -> None:
    whom = lived.world.customers
    report = report_on_fleet(FleetRequest(config=str(lived.world.file), at=NOW))
    (app,) = report.apps
    assert (app.tenants, app.connects, app.needs_admin, app.blocked, app.unknown) == (200, 65, 73, 13, 49)
    by_hand: dict[str, set[str]] = {}
    for one in whom:
        by_hand.setdefault(why(one), set()).add(one.name)
    connecting = by_hand.pop("")
    assert sorted(map(sorted, by_hand.values())) == sorted(sorted(reason.tenants) for reason in app.why)
    for tenant in report.tenants:
        (outcome,) = tenant.apps
        (one,) = (one for one in whom if one.name == tenant.name)
        wanted = expected(one)
        assert (outcome.state.value, tenant.exit_code, tenant.tags) == (wanted.state.value, wanted.exit_code, one.tags)
        assert wanted.error.lower() in tenant.problem.lower()
        assert (tenant.todo is None) == (tenant.name in connecting or wanted.exit_code == NO_AUDIT)
    # An administrator's consent helps whatever users may do, unless it isn't known whether the app is there.
    audited = {one.name for one in whom if expected(one).exit_code != NO_AUDIT and one.trouble is not Trouble.REFUSING}
    assert {name for action in report.actions if action.proven for name in action.tenants} == audited - connecting
    assert {name for reason in report.not_audited for name in reason.tenants} == by_hand["there is no audit"]
    assert report.exit_code == FAILING
    (of_history,) = report_on_fleet(FleetRequest(history=lived.history.place, at=NOW)).apps
    assert {name for one in of_history.why for name in one.tenants} == {name for one in app.why for name in one.tenants}
    assert (of_history.tenants, of_history.unknown) == (200, 49)


def test_the_world_has_each_state_and_each_trouble(lived: Lived) -> None:
    states = counted(lived.world.customers)
    assert states == {State.CONNECTS: 65, State.NEEDS_ADMIN: 73, State.BLOCKED: 13, State.UNKNOWN: 49}
    assert all(len(lived.world.of(trouble)) >= 5 for trouble in Trouble)


def test_every_failure_is_named_with_its_cause_and_what_to_do(lived: Lived) -> None:
    printed = text(lived.night)
    for one in lived.world.customers:
        if error := expected(one).error:
            result = _result(lived, one)
            assert error in result.error and result.advice
            assert f"{one.name}" in printed and result.error in printed
            (run,) = lived.history.runs(one.key)
            assert run.error == result.error
    assert printed.splitlines()[-1] == answer_of(lived.night)
    assert lived.night.exit_code == FAILING


def test_no_tenant_waits_for_another_one(lived: Lived) -> None:
    slow = {one.name for one in lived.world.of(Trouble.SLOW)}
    assert set(lived.ended[-len(slow) :]) == slow
    asked = Counter(request.tenant_id for request in lived.world.server.requests)
    throttled = len(lived.world.of(Trouble.THROTTLED_APP))
    healthy = [one for one in lived.world.customers if one.trouble in (Trouble.NONE, Trouble.CERTIFICATE)]
    assert sum(asked[one.tenant] for one in healthy) <= len(healthy) + throttled
    assert max(asked.values()) <= 4
    assert not lived.world.server.refused_writes and not lived.world.server.strays


def test_the_documents_of_the_tenants_do_not_mix(lived: Lived) -> None:
    for one in lived.world.customers[::9]:
        (run,) = lived.history.runs(one.key)
        if run.exit_code != NO_AUDIT:
            report, snapshot = lived.history.comparable_parts(run.id)
            assert {report.tenant.id, snapshot.tenant.id} == {one.tenant}
            assert (report.tenant.name, run.name, run.tags) == (one.name.title(), one.name, one.tags)


def _named(line: str) -> str:
    """The name of the customer of an entry in the configuration."""
    return str(json.loads(line.strip().removeprefix("- "))["name"]) if line.strip().startswith("- {") else ""


def _without_hurry(line: str) -> str:
    assert '"timeout": 1,' in line
    return line.replace('"timeout": 1,', '"timeout": 3600,')


def test_customers_without_consent_are_found_and_their_links_work(lived: Lived) -> None:
    """The last test of the module, because it changes the world."""
    made = lived.world
    made.server.client.redirect_uris = ("https://entra.microsoft.com/TokenAuthorize",)
    secrets = Secrets(made.environ)
    live = [one for one in made.customers if one.trouble not in (Trouble.SNAPSHOT, Trouble.NO_SNAPSHOT)]
    # Entra gives a token for a tenant of which Graph is silent, so there is no hurry to give it up.
    silent = {one.name for one in live if one.trouble is Trouble.SILENT}
    lines = made.file.read_text(encoding="utf-8").splitlines()
    patient = made.file.with_name("patient.yaml")
    patient.write_text("\n".join(_without_hurry(line) if _named(line) in silent else line for line in lines), "utf-8")
    first = onboard_fleet(str(patient), secrets=secrets, now=NOW, tenants=())
    wanted = {one.name: CONSENTS.get(one.trouble, "consented") for one in live}
    assert {one.name: one.status.value for one in first.customers} == wanted
    assert (first.summary.consented, first.summary.not_asked) == (155, 10)

    asked = [one for one in first.customers if one.status.value in ("not-yet", "partly")]
    for one in asked:
        assert one.message is not None and one.link in one.message.text
        made.server.consent_as_admin(one.link, one.tenant)
    names = tuple(one.name for one in asked)
    second = onboard_fleet(str(made.file), secrets=secrets, now="2026-11-23T02:00:00Z", tenants=names)
    assert {one.name: one.status.value for one in second.customers} == dict.fromkeys(names, "consented")
