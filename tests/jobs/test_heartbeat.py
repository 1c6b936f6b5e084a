"""The heartbeat of nightly runs: what is called when, and that its failure is said and changes nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from auditor.jobs.heartbeat import Heartbeat
from auditor.render.night import text
from tests.jobs.nights import Nights, write_tenant

CONFIGURATION = """\
version: 1
tenants: [{name: a, snapshot: a.json, packs: [trackerrms-uk]}]
heartbeat: {url: {env: PING}}
"""


class Pings:
    """The calls that arrived: method, path and body. Each gets the next status, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.calls: list[tuple[str, str, str]] = []
        self.url = ""


@contextmanager
def pinged(*statuses: int) -> Iterator[Pings]:
    """A web server on a free port of this machine."""
    pings = Pings(*(statuses or (200,)))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            pings.calls.append((self.command, self.path, body))
            self.send_response(pings.statuses.pop(0) if len(pings.statuses) > 1 else pings.statuses[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pings.url = f"http://127.0.0.1:{server.server_address[1]}/hunter2"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield pings
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def beat(url: str) -> Heartbeat:
    """A heartbeat that doesn't wait between attempts."""
    return Heartbeat(url, "n1", environ={}, pause=lambda _: None)


@pytest.mark.parametrize(
    ("code", "path"),
    [
        pytest.param(0, "/hunter2", id="passes"),
        pytest.param(1, "/hunter2", id="findings"),
        pytest.param(4, "/hunter2", id="unknown"),
        pytest.param(3, "/hunter2/3", id="no audit"),
        pytest.param(143, "/hunter2/143", id="stopped"),
    ],
)
def test_the_end_says_whether_the_run_was_made(code: int, path: str) -> None:
    with pinged() as pings:
        assert beat(pings.url).ended(code, "the answer") == ""
    assert pings.calls == [("POST", f"{path}?rid=n1", "the answer")]


def test_an_address_with_a_query_keeps_it() -> None:
    with pinged() as pings:
        assert beat(f"{pings.url}/?key=a%20b&empty=").started() == ""
    assert pings.calls == [("GET", "/hunter2/start?key=a+b&empty=&rid=n1", "")]


def test_a_busy_service_is_asked_again_and_a_wrong_address_is_not() -> None:
    with pinged(503, 429, 200) as pings:
        assert beat(pings.url).started() == ""
    assert len(pings.calls) == 3
    with pinged(404) as pings:
        assert beat(pings.url).started() == "the heartbeat answered with status 404"
    assert len(pings.calls) == 1


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("hunter2", id="no address"),
        pytest.param("ftp://hunter2/", id="another scheme"),
        pytest.param("https://[hunter2", id="broken"),
        pytest.param("http://127.0.0.1:1/hunter2", id="nobody there"),
        pytest.param("http://hunter2.invalid/", id="no such host"),
    ],
)
def test_a_failure_is_a_sentence_without_the_address(url: str) -> None:
    problem = beat(url).started()
    assert problem.startswith("the heartbeat") and "hunter2" not in problem


def test_a_night_calls_it_twice_and_its_failure_changes_no_exit_code(tmp_path: Path) -> None:
    write_tenant(tmp_path / "a.json")
    nights = Nights(tmp_path, CONFIGURATION)
    with pinged(200, 200, 404) as pings:
        nights.environ["PING"] = pings.url
        first = nights.run("2026-11-22T02:00:00Z")
        second = nights.run("2026-11-23T02:00:00Z")
    assert [path for _, path, _ in pings.calls[:2]] == ["/hunter2/start?rid=night", "/hunter2?rid=night"]
    assert pings.calls[1][2].endswith("Exit code 1.")
    assert (first.problems, first.exit_code, second.exit_code) == ((), 1, 1)
    assert second.problems == ("the heartbeat answered with status 404",) * 2
    assert "hunter2" not in text(second)
    assert len(nights.events("heartbeat-failed")) == 2


def test_a_heartbeat_without_its_secret_is_said(tmp_path: Path) -> None:
    write_tenant(tmp_path / "a.json")
    (problem,) = Nights(tmp_path, CONFIGURATION).run("2026-11-22T02:00:00Z").problems
    assert problem == "the heartbeat was not called: the environment variable PING isn't set"
