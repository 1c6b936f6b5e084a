"""A run in which no test was carried out is a failure, however many were skipped."""

from __future__ import annotations

import pytest
from hypothesis import settings

# Mutants are run by the hundred (make mutants): few examples, always the same ones, and no deadline.
settings.register_profile("mutants", max_examples=10, deadline=None, derandomize=True, database=None)

# How long an example takes says how busy the machine is, and nothing of the program.
settings.register_profile("untimed", settings(), deadline=None)
settings.load_profile("untimed")

_carried_out: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" and not report.skipped:
        _carried_out.add(report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if exitstatus == pytest.ExitCode.OK and not _carried_out and not session.config.option.collectonly:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED
