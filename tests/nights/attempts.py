"""Runs of a night in separate processes, which can be killed at a given step, without the cost of starting Python.

``python -m tests.nights.attempts`` reads one attempt a line as JSON, forks, and writes one line: how the child ended,
and the step that it had reached. Steps are counted, so that no clock decides where a process is killed.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, NoReturn, Self

import msgspec

STEPS = (
    "opening",
    "begin",
    "begun",
    "read",
    "reports",
    "finish",
    "finished",
    "send",
    "sent",
    "marking",
    "prune",
    "site",
    "metrics",
)
"""Where a run can be killed, in the order of a night.

Statements of the database before a run begins, while it begins, and after; requests to Graph; operations on the files
of reports, between the last of them and the transaction that ends the run, in it, and after it; before a message is
sent, between the answer and the record of it, and in that; and in what follows.
"""


class Kill(msgspec.Struct, frozen=True):
    """Kill the process at this step, when it's reached for the time `count`."""

    step: str
    count: int


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One start of the nightly run at the time `now`. `folder` holds the configuration and everything it writes."""

    folder: str
    place: str
    now: str
    environ: Mapping[str, str]
    kill: Kill | None = None


class Ended(NamedTuple):
    """How an attempt ended: the last step that it reached, whether it was killed there, and its exit code."""

    step: str
    was_killed: bool
    code: int


class Attempts:
    """The process that runs attempts. A context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nights.attempts"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, error, trace)

    def run(self, attempt: Attempt) -> Ended:
        """Run it until it ends or is killed."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(msgspec.json.encode(attempt).decode() + "\n")
        self._process.stdin.flush()
        return Ended(*json.loads(self._process.stdout.readline()))


# ---- In the process that is killed -----------------------------------------------------------------------------------


class _Steps:
    """Counts the steps of one attempt, and kills the process at the one that was asked for."""

    def __init__(self, attempt: Attempt, trace: int) -> None:
        self._folder = Path(attempt.folder)
        self._kill = attempt.kill
        self._left = attempt.kill.count if attempt.kill else 0
        self._trace = trace
        self._here = threading.local()
        self._default = "opening"

    def reach(self, step: str) -> None:
        """Note the step, and end here if it's the one."""
        os.write(self._trace, f"{step}\n".encode())
        if self._kill and step == self._kill.step:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def _in(self, step: str) -> Iterator[None]:
        before = getattr(self._here, "step", "")
        self._here.step = step
        try:
            yield
        finally:
            self._here.step = before

    def statement(self, *_: Any) -> None:
        """A statement of the database, before and after it, and before a commit."""
        self.reach(getattr(self._here, "step", "") or self._default)

    def event(self, name: str, arguments: tuple[Any, ...]) -> None:
        """An operation on a file below the folder of the configuration. The first folder of its path is the step."""
        if name not in ("open", "os.rename", "os.remove", "os.mkdir", "os.chmod") or not arguments:
            return
        path = arguments[0]
        if isinstance(path, (str, os.PathLike)) and (found := Path(path)).is_relative_to(self._folder):
            step = found.relative_to(self._folder).parts[:1]
            if step and step[0] in ("reports", "site", "metrics"):
                self.reach(step[0])

    def around(self, owner: Any, name: str, step: str, after: str = "") -> None:
        """Let a method be the step: when it's called, each statement in it, and `after` it returned."""
        method: Callable[..., Any] = getattr(owner, name)

        @wraps(method)
        def stepped(*arguments: Any, **named: Any) -> Any:
            with self._in(step):
                self.reach(step)
                result = method(*arguments, **named)
            self._default = "begun"
            self.reach(after or step)
            return result

        setattr(owner, name, stepped)


def _count_steps(attempt: Attempt, trace: int) -> _Steps:
    import httpx
    from sqlalchemy import Engine, event

    from auditor.graph.guard import ReadOnlyGuard
    from auditor.history import History

    steps = _Steps(attempt, trace)
    steps.around(History, "begin", "begin", "begun")
    steps.around(History, "finish", "finish", "finished")
    steps.around(History, "fail", "finish", "finished")
    steps.around(History, "mark_sent", "marking")
    steps.around(History, "prune", "prune")
    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, steps.statement)
    sys.addaudithook(steps.event)
    send = ReadOnlyGuard.handle_async_request

    async def counted(self: ReadOnlyGuard, request: httpx.Request) -> httpx.Response:
        steps.reach("read")
        answer = await send(self, request)
        steps.reach("read")
        return answer

    ReadOnlyGuard.handle_async_request = counted  # type: ignore[method-assign]
    return steps


def _run(attempt: Attempt, steps: _Steps | None = None) -> None:
    from auditor.graph.retry import RetryPolicy
    from auditor.history import open_history
    from auditor.jobs import tenant_reader
    from auditor.jobs.audit_request import Interaction
    from auditor.jobs.night_log import NightLog
    from auditor.jobs.night_setup import Clock, NightParts
    from auditor.jobs.nightly import run_night
    from auditor.jobs.nightly_config import load_configuration
    from auditor.jobs.secret_references import Secrets
    from auditor.model.history import OutboxMessage
    from auditor.model.snapshot import LiveTenant
    from auditor.notify.apprise_sender import send_with_apprise
    from auditor.notify.delivery import Sent, TargetAnswer
    from tests.graph.live_tenants import Sleeps

    def send(address: str, message: OutboxMessage) -> Sent:
        if steps:
            steps.reach("send")
        result = send_with_apprise(address, message)
        if steps:
            steps.reach("sent" if result.answer is TargetAnswer.ACCEPTED else "refused")
        return result

    def retry_policy(tenant: LiveTenant, interaction: Interaction, limits: object = None) -> RetryPolicy:
        # Faults cost no time: only waiting moves this clock.
        return Sleeps().retry()

    tenant_reader.retry_policy = retry_policy
    clock = Clock(now=lambda: attempt.now, seconds=lambda: 0.0)
    folder = Path(attempt.folder)
    with (folder / "log.jsonl").open("a") as log, open_history(attempt.place) as history:
        written = NightLog(lambda line: print(line, file=log, flush=True), clock.now, as_json=True)
        parts = NightParts(history, written, Secrets(attempt.environ), clock)
        run_night(load_configuration(str(folder / "nightly.yaml")), parts, night=attempt.now, send=send)


def _rehearse(attempt: Attempt) -> None:
    """The same night twice elsewhere, so that imports, templates and statements are ready in every child."""
    import apprise

    apprise.Apprise("json://127.0.0.1/")  # it loads its services when it reads the first address
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(Path(attempt.folder) / "nightly.yaml", folder)
        (Path(folder) / "metrics").mkdir()
        for _ in range(2):
            _run(msgspec.structs.replace(attempt, folder=folder, place=str(Path(folder) / "history.db"), kill=None))


def _answered(attempt: Attempt) -> Ended:
    with tempfile.TemporaryFile() as trace, tempfile.TemporaryFile() as imported:
        known = set(sys.modules)
        child = os.fork()
        if not child:
            _be_killed(attempt, trace.fileno(), imported.fileno(), known)
        _, status = os.waitpid(child, 0)
        trace.seek(0)
        imported.seek(0)
        reached = trace.read().decode().split()
        _import(imported.read().decode().split())
    code = os.waitstatus_to_exitcode(status)
    return Ended(reached[-1] if reached else "", code == -signal.SIGKILL, code)


def _be_killed(attempt: Attempt, trace: int, imported: int, known: set[str]) -> NoReturn:
    """Run the attempt as the whole life of this process."""
    code = 1
    try:
        _run(attempt, _count_steps(attempt, trace))
        os.write(imported, "\n".join(name for name in sys.modules if name not in known).encode())
        code = 0
    except BaseException:  # noqa: BLE001 - the parent says that the attempt failed, and how is on standard error
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def _import(names: Iterable[str]) -> None:
    """Import what a child had to import, in its order, so that the next ones don't have to."""
    for name in names:
        with suppress(Exception):
            importlib.import_module(name)


def main() -> None:
    """Run the attempts of standard input until it ends."""
    is_ready = False
    for line in sys.stdin:
        attempt = msgspec.json.decode(line, type=Attempt)
        if not is_ready:
            _rehearse(attempt)
            # Else each child would copy the memory of all that was imported, to collect what isn't garbage.
            gc.collect()
            gc.freeze()
            gc.disable()
            is_ready = True
        print(json.dumps(_answered(attempt)), flush=True)


if __name__ == "__main__":
    main()
