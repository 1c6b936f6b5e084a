"""A check that can never fail is recognized, also inside other checks, so that its pack needs no failing case."""

from __future__ import annotations

import pytest

from auditor.checks.kind import kind_of
from tests.packs.text import SOUND, loaded

ANYTHING = "{kind: user-consent-setting}"
WORKFLOW = "{kind: consent-workflow}"


@pytest.mark.parametrize(
    ("check", "fails", "passes"),
    [
        pytest.param(WORKFLOW, True, True, id="a setting"),
        pytest.param(ANYTHING, False, True, id="anything goes"),
        pytest.param("{kind: user-consent-setting, allowed: [none, low]}", True, True, id="a list of settings"),
        pytest.param(f"{{kind: any, checks: [{WORKFLOW}, {ANYTHING}]}}", False, True, id="any of, one cannot fail"),
        pytest.param(f"{{kind: all, checks: [{WORKFLOW}, {ANYTHING}]}}", True, True, id="all of, one can fail"),
        pytest.param(f"{{kind: all, checks: [{ANYTHING}]}}", False, True, id="all of, none can fail"),
        pytest.param(f"{{kind: not, check: {ANYTHING}}}", True, False, id="not, of one that cannot fail"),
        pytest.param(f"{{kind: not, check: {{kind: not, check: {ANYTHING}}}}}", False, True, id="not not"),
        pytest.param(
            f"{{kind: all, checks: [{WORKFLOW}, {{kind: not, check: {ANYTHING}}}]}}",
            True,
            False,
            id="all of, one cannot pass",
        ),
        pytest.param(
            f"{{kind: any, checks: [{WORKFLOW}, {{kind: not, check: {ANYTHING}}}]}}",
            True,
            True,
            id="any of, one can pass",
        ),
        pytest.param(
            f"{{kind: any, checks: [{{kind: not, check: {ANYTHING}}}]}}", True, False, id="any of, none can pass"
        ),
    ],
)
def test_what_can_come_out_of_a_check(check: str, fails: bool, passes: bool) -> None:
    (rule,) = loaded(SOUND.replace("{kind: users-can-connect}", check)).rules
    assert kind_of(rule.check).can_fail is fails
    assert kind_of(rule.check).can_pass is passes
