"""Workers of a fleet in their own processes, some of which are killed, without the cost of starting Python for each."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from queue import Queue
from typing import Any, NamedTuple

from auditor.jobs.fleet_worker import WorkerTimes

TIMES = WorkerTimes(sign_of_life=0.3, stalled=2, poll=0.2, closing=0.3, retry=0.1, upkeep="* * * * * *")
_PRELOADED = ("auditor.cli.fleet_worker", "auditor.jobs.fleet_worker", "auditor.jobs.nightly", "auditor.history.store")


class Ended(NamedTuple):
    """How the workers ended: how often one was killed after which event, the lines of all logs, the exit codes."""

    killed: tuple[str, ...]
    log: tuple[dict[str, Any], ...]
    codes: tuple[int, ...]


class _Worker:
    """One worker, which puts each line of its log into a queue, and none when it has ended."""

    def __init__(self, context: Any, number: int, arguments: list[str], environ: Mapping[str, str], lines: Any) -> None:
        self.number, self._lines = number, lines
        self._reading, writing = context.Pipe(duplex=False)
        self.process = context.Process(target=_work, args=(writing, arguments, dict(environ)))
        self.process.start()
        writing.close()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with os.fdopen(os.dup(self._reading.fileno()), "rb") as log:
            for line in log:
                self._lines.put((self.number, line))
        self._lines.put((self.number, None))

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        self.process.join()
        self._thread.join()
        self._reading.close()
        return int(self.process.exitcode)


def _work(log: Connection, arguments: list[str], environ: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    # The streams of the process that forks have a position in a file, which a pipe has not.
    sys.stdout = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")
    sys.stderr = os.fdopen(os.dup(log.fileno()), "w", buffering=1, encoding="utf-8")
    from auditor.cli.program import main

    main(arguments)


def run_workers(
    number: int, arguments: Iterable[str], environ: Mapping[str, str], kills: Iterable[tuple[str, int]]
) -> Ended:
    """Run workers until they end by themselves, and replace each that is killed.

    `kills` are events of the log and how often they happen, in all workers together and since the last kill: the worker
    in whose log the last of them is gets killed.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    lines: Queue[tuple[int, bytes | None]] = Queue()
    environ = {**os.environ, **environ, "_CONSENT_AUDITOR_TEST_TIMES": json.dumps(TIMES)}
    workers = [_Worker(context, one, list(arguments), environ, lines) for one in range(number)]
    running, killed, log = number, list[str](), list[dict[str, Any]]()
    plan = iter(kills)
    event, left = next(plan, ("", 0))
    while running:
        who, line = lines.get()
        if line is None:
            running -= 1
            continue
        log.append(_entry(line))
        if log[-1].get("event") != event:
            continue
        left -= 1
        if left == 0:
            os.kill(workers[who].process.pid, signal.SIGKILL)
            killed.append(event)
            workers.append(_Worker(context, len(workers), list(arguments), environ, lines))
            running += 1
            event, left = next(plan, ("", 0))
    return Ended(tuple(killed), tuple(log), tuple(one.wait() for one in workers))


def _entry(line: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        print(line.decode(errors="replace"), end="", file=sys.stderr)
        return {}
    return found
