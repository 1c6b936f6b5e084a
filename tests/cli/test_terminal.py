"""On a terminal: colour, progress while a tenant is read, and Ctrl+C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps
from tests.cli.program import COMMAND, at, check_silence, environment
from tests.graphserver import GraphServer, Silence, Status
from tests.graphserver.call import Call
from tests.limits import HUNG_AFTER

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are of POSIX", allow_module_level=True)
import pty

VENDOR = ("--pack", "trackerrms-uk")


def on_terminal(*words: str, cwd: Path, env: dict[str, str]) -> tuple[int, str]:
    """Exit code and everything that a terminal of 80 columns was sent."""
    screen, program = pty.openpty()
    environ = environment(cwd, {"TERM": "xterm-256color", "COLUMNS": "80", **env})
    with subprocess.Popen(
        [COMMAND, *words], cwd=cwd, env=environ, stdin=program, stdout=program, stderr=program
    ) as run:
        os.close(program)
        shown = b""
        while True:
            try:
                piece = os.read(screen, 65536)
            except OSError:  # the program has closed the terminal
                break
            if not piece:
                break
            shown += piece
    os.close(screen)
    text = shown.decode()
    check_silence(text, environ)
    return run.returncode, text


def started(*words: str, server: GraphServer, cwd: Path) -> subprocess.Popen[bytes]:
    """The command, reading the tenant of this server."""
    return subprocess.Popen(
        [COMMAND, *words, *at(server)],
        cwd=cwd,
        env=environment(cwd, server.env()),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_report_on_a_terminal_is_coloured_and_no_color_is_heeded(tmp_path: Path) -> None:
    words = ("check", *VENDOR, "--sample", "managed-default")
    code, text = on_terminal(*words, cwd=tmp_path, env={})
    assert (code, "\x1b[" in text) == (1, True)
    code, text = on_terminal(*words, cwd=tmp_path, env={"NO_COLOR": "1"})
    assert (code, "\x1b[" in text) == (1, False)


def test_an_offline_check_on_a_terminal_imports_no_progress_bars(tmp_path: Path) -> None:
    words = ("check", *VENDOR, "--sample", "managed-default")
    code, text = on_terminal(*words, cwd=tmp_path, env={"PYTHONPROFILEIMPORTTIME": "1"})
    imported = {line.rpartition("|")[2].strip() for line in text.splitlines() if line.startswith("import time:")}
    assert code == 1
    assert "auditor.jobs.audit" in imported
    assert not {name for name in imported if name.partition(".")[0] == "rich"}


def test_a_long_read_shows_its_progress_on_a_terminal_and_nothing_in_the_file(tmp_path: Path) -> None:
    document = json.loads(dumps(sample("admin-consented")))
    with GraphServer(document) as server:
        code, text = on_terminal("collect", "--full", "-o", "t.json", *at(server), cwd=tmp_path, env=server.env())
    assert code == 0
    assert "Signing in" in text
    assert "Reading the enterprise applications" in text
    assert "Reading servicePrincipals" not in text
    assert json.loads((tmp_path / "t.json").read_text())["format"] == "consent-auditor/snapshot"


def test_a_pause_between_two_attempts_is_shown_on_a_terminal(tmp_path: Path) -> None:
    with GraphServer(json.loads(dumps(sample("managed-default")))) as server:
        server.token_fault(Status(429, retry_after=0.01))
        server.fault("/$batch", Status(503))
        words = ("check", *VENDOR, "--wait", *at(server))
        code, text = on_terminal(*words, cwd=tmp_path, env=server.env())
    assert code == 1
    assert "The sign-in service is busy and asks to wait 1 second. Waiting." in text
    assert "Microsoft Graph did not answer. Trying again in 1 second." in text


@contextmanager
def interrupts(action: signal.Handlers | Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Start programs with SIGINT ignored (SIG_IGN), or with its default action (any handler), as at a terminal.

    A program inherits an ignored SIGINT: from a job in the background, from nohup, from some CI runners.
    """
    before = signal.signal(signal.SIGINT, action)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_during_a_read_ends_at_once_with_a_word_and_its_own_code(tmp_path: Path) -> None:
    with GraphServer(json.loads(dumps(sample("managed-default")))) as server:
        asked = threading.Event()

        def heard(call: object) -> bool:
            asked.set()
            return True

        server.fault(heard, Silence(), times=None)
        with interrupts(signal.default_int_handler), started("check", *VENDOR, server=server, cwd=tmp_path) as run:
            assert asked.wait(HUNG_AFTER)
            run.send_signal(signal.SIGINT)
            out, err = run.communicate(timeout=HUNG_AFTER)
    assert (run.returncode, out) == (130, b"")
    assert err.strip() == b"Stopped. Nothing was changed in the tenant."


def test_ctrl_c_while_waiting_for_a_change_ends_at_once(tmp_path: Path) -> None:
    wait = ("check", *VENDOR, "--wait-until", "connects")
    with (
        GraphServer(json.loads(dumps(sample("managed-default")))) as server,
        interrupts(signal.default_int_handler),
        started(*wait, server=server, cwd=tmp_path) as run,
    ):
        assert run.stderr is not None
        assert any(b"Reading again in 10 s" in line for line in run.stderr)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=HUNG_AFTER)
    assert (run.returncode, out) == (130, b"")
    assert err.strip() == b"Stopped. Nothing was changed in the tenant."


def test_in_the_background_where_ctrl_c_is_ignored_it_stays_ignored(tmp_path: Path) -> None:
    running: Future[subprocess.Popen[bytes]] = Future()
    interrupted = []

    def interrupt(call: Call) -> bool:
        running.result(HUNG_AFTER).send_signal(signal.SIGINT)
        interrupted.append(call.path)
        return False

    with GraphServer(json.loads(dumps(sample("managed-default")))) as server:
        server.fault(interrupt, Silence(), times=None)
        with interrupts(signal.SIG_IGN), started("check", *VENDOR, server=server, cwd=tmp_path) as run:
            running.set_result(run)
            out, err = run.communicate(timeout=HUNG_AFTER)
    assert interrupted
    assert (run.returncode, err) == (1, b"")
    assert out.startswith(b"Can users of Contoso Talent connect TrackerRMS?\n")
