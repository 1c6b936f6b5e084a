"""The word for the result of a run, the same in the list of runs and in the list of a fleet's tenants."""

from __future__ import annotations

import pytest

from auditor.jobs.fleet_tenants import fleet_answer
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN, USAGE
from auditor.model.fleet_tenants import FleetState, TenantStatus
from auditor.model.history import Run, RunState
from auditor.render import fleet_tenants, run_history


def _shown(state: RunState, code: int | None) -> tuple[str, str, str]:
    """The text of the list of runs, of one run, and of the tenants of a fleet."""
    run = Run(id="1", tenant="t", name="t", state=state, started="2026-11-22T02:00:00Z", exit_code=code)
    one = TenantStatus(name="t", tenant="t", last=run.started, state=state, exit_code=code)
    fleet = FleetState(tool="", at=run.started, configuration="", tenants=(one,))
    return (
        run_history.table([run], {}, width=100, colour=False),
        run_history.details(run, (), None, width=100, colour=False),
        fleet_tenants.as_text(fleet).decode(),
    )


@pytest.mark.parametrize(
    ("state", "code", "word"),
    [
        pytest.param(RunState.FINISHED, OK, "passes", id="passes"),
        pytest.param(RunState.FINISHED, FAILING, "fails", id="fails"),
        pytest.param(RunState.FINISHED, UNKNOWN, "unknown", id="unknown"),
        pytest.param(RunState.FINISHED, NO_AUDIT, "no audit", id="no report"),
        pytest.param(RunState.FINISHED, USAGE, "exit code 2", id="another code"),
        pytest.param(RunState.FINISHED, None, "not known", id="no exit code"),
        pytest.param(RunState.FAILED, NO_AUDIT, "no audit", id="no audit"),
        pytest.param(RunState.INTERRUPTED, None, "interrupted", id="interrupted"),
        pytest.param(RunState.RUNNING, None, "not ended", id="running"),
    ],
)
def test_a_result_has_one_word_everywhere_and_passes_only_with_the_exit_code_of_a_pass(
    state: RunState, code: int | None, word: str
) -> None:
    for text in _shown(state, code):
        assert word in text
        assert ("passes" in text) is (word == "passes"), text


def test_the_answer_of_a_fleet_counts_a_finished_run_without_an_exit_code_as_not_known() -> None:
    one = TenantStatus(name="t", tenant="t", state=RunState.FINISHED)
    assert fleet_answer([one], is_known=True) == "1 tenant: 1 is not known."
