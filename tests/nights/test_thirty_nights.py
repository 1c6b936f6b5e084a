"""After thirty nights with kills and failures, what is known is what happened: all of it, each thing once."""

from __future__ import annotations

import html
import random
import re
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import settings

from auditor.history import History, open_history
from auditor.model.history import RunState
from auditor.model.rule import FindingOutcome
from tests.nights import script
from tests.nights.attempts import STEPS, Attempts, Kill
from tests.nights.tenants import TENANTS
from tests.nights.world import KEPT, Tried, World, world

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")

IS_SOAK = settings().max_examples >= 1000
KILLS = {"SQLite": 400, "PostgreSQL": 200} if IS_SOAK else {"SQLite": 39, "PostgreSQL": 20}
SEED = random.randrange(10**6) if IS_SOAK else 14
DEPTH = {
    "opening": 3,
    "begin": 12,
    "begun": 30,
    "read": 20,
    "reports": 8,
    "finish": 60,
    "finished": 3,
    "send": 1,
    "sent": 1,
    "marking": 3,
    "prune": 4,
    "site": 12,
    "metrics": 2,
}
"""How often each step is reached in a night, at least."""
NEEDS_NEWS = ("send", "sent", "marking")
ENDED = (RunState.FINISHED, RunState.FAILED)


class Lived(NamedTuple):
    """A world after its last night, and its history."""

    world: World
    history: History


@pytest.fixture(scope="module")
def attempts() -> Iterator[Attempts]:
    with Attempts() as started:
        yield started


@pytest.fixture(
    scope="module", params=[pytest.param("SQLite", id="SQLite"), pytest.param("PostgreSQL", id="PostgreSQL")]
)
def lived(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, attempts: Attempts
) -> Iterator[Lived]:
    folder = tmp_path_factory.mktemp("nights")
    place = str(folder / "history.db")
    if request.param == "PostgreSQL":
        import psycopg

        server: str = request.getfixturevalue("postgresql_server")
        name = f"nights_{uuid.uuid4().hex}"
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}".encode())
        place = server.replace("/postgres?", f"/{name}?")
    print(f"seed {SEED}")
    plan = kills(random.Random(SEED), KILLS[request.param])
    with world(folder, place, attempts) as lives:
        for night in range(1, script.NIGHTS + 1):
            lives.night(night, plan.get(night, ()))
        with open_history(place) as history:
            yield Lived(lives, history)


def kills(chance: random.Random, number: int) -> dict[int, tuple[Kill, ...]]:
    """A kill at every step in turn, in random nights: some more than `number`, as a step may not be reached again.

    What is sent needs news and a service that takes it. In each night, the early steps come first: what a run has
    done, the next one need not do again.
    """
    nights = [night for night in range(1, script.NIGHTS + 1) if night != script.MISSED]
    news = [*{night for name in TENANTS for night in script.expected_changes(name)} - set(script.DOWN)]
    plan: dict[int, list[Kill]] = {}
    used: set[tuple[int, str]] = set()
    for place in range(number * 5 // 4):
        step = STEPS[place % len(STEPS)]
        free = [one for one in (news if step in NEEDS_NEWS else nights) if (one, step) not in used] or nights
        night = chance.choice(free)
        used.add((night, step))
        plan.setdefault(night, []).append(Kill(step, chance.randint(1, DEPTH[step])))
    return {night: tuple(sorted(of, key=lambda one: STEPS.index(one.step))) for night, of in plan.items()}


def test_every_step_of_a_run_was_killed(lived: Lived, request: pytest.FixtureRequest) -> None:
    killed = [one.ended.step for one in lived.world.tried if one.ended.was_killed]
    assert set(killed) == set(STEPS)
    assert len(killed) >= KILLS[request.node.callspec.params["lived"]]


def test_every_run_is_recorded_once(lived: Lived) -> None:
    runs = lived.history.runs()
    assert len({(run.name, run.started) for run in runs}) == len(runs)
    for one in lived.world.tried:
        ended = {RunState.FAILED if one.night == script.SILENT else RunState.FINISHED}
        states = {one.states.get(name) for name in TENANTS}
        if not one.ended.was_killed or STEPS.index(one.ended.step) >= STEPS.index("send"):
            assert states == ended, one
        elif one.ended.step == "opening":
            assert states == {None}, one
        else:
            assert states <= {None, RunState.RUNNING} | ended, one
    times = {run.name: [one.started for one in runs if one.name == run.name] for run in runs}
    for name in TENANTS:
        began = [one.now for one in lived.world.tried if name in one.states]
        # The history has the latest ones, whatever became of them; of the earlier ones, those with a change.
        assert list(reversed(times[name]))[-KEPT:] == began[-KEPT:]
        assert not set(times[name]) - set(began)
        later = {run.state for run in runs if run.name == name and run.started != began[-1]}
        assert RunState.RUNNING not in later


def test_the_history_has_every_change_once_on_its_night_and_says_who_made_it(lived: Lived) -> None:
    found: Counter[tuple[str, int, str, str]] = Counter()
    runs = Counter[tuple[str, int]]()
    by: dict[tuple[str, int, str], Any] = {}
    for run in lived.history.runs():
        difference = lived.history.difference(run.id)
        rules = {f"finding/{one.fingerprint}": f"finding/{one.rule}" for one in lived.history.findings(run.id)}
        night = _night(run.started)
        for change in difference.major if difference else ():
            key = rules.get(change.key, change.key)
            found[run.name, night, key, change.transition.value] += 1
            by[run.name, night, key] = change.by
        if difference and difference.major:
            runs[run.name, night] += 1
    events = [event for name in TENANTS for of in script.expected_changes(name).values() for event in of]
    assert found == Counter(
        (event.tenant, script.found_on(event), key, transition) for event in events for key, transition in event.changes
    )
    assert runs == Counter({(event.tenant, script.found_on(event)) for event in events})
    for event in events:
        actor = by[event.tenant, script.found_on(event), event.changes[0][0]]
        if event.by == "microsoft":
            assert actor.kind.value == "microsoft" and actor.inferred
        else:
            assert (actor.name if actor else "") == event.by


def test_every_run_has_the_decision_of_its_night(lived: Lived) -> None:
    for run in lived.history.runs():
        if run.state is RunState.FINISHED:
            (decision,) = run.decisions
            assert decision.outcome.value == script.outcome_on(run.name, _night(run.started)), run


def test_the_rules_that_fail_in_the_end_fail_since_the_night_on_which_they_began_to(lived: Lived) -> None:
    for name, id_ in TENANTS.items():
        last = lived.history.last_finished(id_)
        assert last is not None
        failing = {
            one.rule: _night(one.since) for one in lived.history.findings(last.id) if one.outcome is FindingOutcome.FAIL
        }
        assert failing == script.failing_at_the_end(name)


class Arrived(NamedTuple):
    """A message that arrived: during which attempt, about which tenant and run, and all of its text."""

    during: Tried
    is_last: bool
    id: str
    tenant: str
    started: str
    text: str


def arrivals(lived: Lived) -> list[Arrived]:
    found = []
    for one in lived.world.tried:
        for place, message in enumerate(one.messages):
            text = f"{message['title']}\n{message['message']}"
            about, id_ = re.findall(r"Run of (\d.*? UTC)\. Message ([0-9a-f]{10})", text)[-1]
            started = datetime.strptime(about, "%d %b %Y, %H:%M UTC").strftime("%Y-%m-%dT%H:%M:%SZ")
            tenant = message["title"].partition(":")[0]
            found.append(Arrived(one, place == len(one.messages) - 1, id_, tenant, started, text))
    return found


def expected_messages(lived: Lived) -> dict[tuple[str, str], tuple[str, ...]]:
    """What must be said about which run, and of no other one, as texts of the message."""
    expected: dict[tuple[str, str], tuple[str, ...]] = {}
    for name in TENANTS:
        news = dict(script.expected_changes(name))
        fails, is_missed, was_running = False, False, False
        for one in lived.world.tried:
            says: list[str] = []
            state = one.states.get(name)
            is_missed = is_missed or (
                one.night == script.MISSED + 1 and name in one.states and not _said(expected, name)
            )
            if state in ENDED:
                says += ["interrupted"] if was_running else []
                if state is RunState.FAILED:
                    says += [] if fails else ["could not run"]
                else:
                    says += ["the audit runs again"] if fails else []
                    events = news.pop(one.night, ())
                    says += [text for event in events for text in event.says]
                    says += [""] if events else []
                if one.night == script.MISSED + 1 and is_missed:
                    says += ["missed"]
                fails, is_missed = state is RunState.FAILED, False
            if says:
                expected[name, one.now] = tuple(says)
            was_running = state is RunState.RUNNING or (was_running and state is None)
        assert not news
    return expected


def _said(expected: dict[tuple[str, str], tuple[str, ...]], name: str) -> bool:
    return any(of == name and "missed" in says for (of, _), says in expected.items())


def test_everything_was_said_once_and_twice_only_after_a_kill_between_sending_and_commit(lived: Lived) -> None:
    arrived, expected = arrivals(lived), expected_messages(lived)
    assert {(one.tenant, one.started) for one in arrived} == expected.keys()
    assert len({one.id for one in arrived}) == len(expected)
    for one in arrived:
        for text in expected[one.tenant, one.started]:
            assert text.lower() in one.text.lower()
    times = Counter(one.id for one in arrived)
    for one in arrived:
        times[one.id] -= 1
        if times[one.id]:
            assert one.during.ended.was_killed and one.during.ended.step in ("sent", "marking") and one.is_last
    assert not any(one.during.night in script.DOWN for one in arrived)
    assert lived.history.pending("") == ()


def test_the_dashboard_shows_it(lived: Lived) -> None:
    site = lived.world.folder / "site"
    pages = {path.name: _text(path) for path in site.glob("runs/*.html")}
    expected = {(name, night): events for name in TENANTS for night, events in script.expected_changes(name).items()}
    assert len(pages) == len(expected)
    index = _text(site / "index.html")
    for name, id_ in TENANTS.items():
        page = _text(site / "tenants" / f"{id_}.html")
        assert name in index
        assert f"2026-06-{script.SILENT:02}" in page.partition("Nights without an audit")[2]
        for rule in script.failing_at_the_end(name):
            assert rule in page
    for (name, night), events in expected.items():
        (shown,) = (text for file, text in pages.items() if file.startswith(f"{TENANTS[name]}_202606{night:02}t"))
        for event in events:
            for text in event.says:
                assert text.lower() in shown.lower()


def test_the_metrics_and_reports_are_those_of_the_last_night(lived: Lived) -> None:
    prometheus = (lived.world.folder / "metrics" / "audit.prom").read_text()
    last = lived.world.tried[-1].now
    at = int(datetime.fromisoformat(last).timestamp())
    assert "consent_auditor_undelivered_notifications 0" in prometheus
    for name in TENANTS:
        assert f'consent_auditor_tenant_last_success_timestamp_seconds{{tenant="{name}"}} {at}\n' in prometheus
        report = (lived.world.folder / "reports" / name / "report.json").read_text()
        assert f'"{last}"' in report


def test_no_kill_leaves_a_file_behind(lived: Lived) -> None:
    assert [*lived.world.folder.glob("**/*.tmp")] == []


def _night(time: str) -> int:
    return datetime.fromisoformat(time).day


def _text(path: Path) -> str:
    text = re.sub(r"(?s)<style.*?</style>|<svg.*?</svg>|<[^>]+>", " ", path.read_text())
    return re.sub(r"\s+", " ", html.unescape(text))
