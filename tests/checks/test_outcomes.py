"""What can never fail is known, so that no case of it is asked for, also inside other checks."""

from __future__ import annotations

import pytest

from auditor.checks.kind import kind_of
from tests.packs.text import SOUND, loaded

ANYTHING = "{kind: user-consent-setting}"
WORKFLOW = "{kind: consent-workflow}"


@pytest.mark.parametrize(
    ("check", "fails", "passes"),
    [
        (WORKFLOW, True, True),
        (ANYTHING, False, True),
        ("{kind: user-consent-setting, allowed: [none, low]}", True, True),
        (f"{{kind: any, checks: [{WORKFLOW}, {ANYTHING}]}}", False, True),
        (f"{{kind: all, checks: [{WORKFLOW}, {ANYTHING}]}}", True, True),
        (f"{{kind: all, checks: [{ANYTHING}]}}", False, True),
        (f"{{kind: not, check: {ANYTHING}}}", True, False),
        (f"{{kind: not, check: {{kind: not, check: {ANYTHING}}}}}", False, True),
        (f"{{kind: all, checks: [{WORKFLOW}, {{kind: not, check: {ANYTHING}}}]}}", True, False),
        (f"{{kind: any, checks: [{WORKFLOW}, {{kind: not, check: {ANYTHING}}}]}}", True, True),
        (f"{{kind: any, checks: [{{kind: not, check: {ANYTHING}}}]}}", True, False),
    ],
)
def test_what_can_come_out_of_a_check(check: str, fails: bool, passes: bool) -> None:
    (rule,) = loaded(SOUND.replace("{kind: users-can-connect}", check)).rules
    assert kind_of(rule.check).can_fail is fails
    assert kind_of(rule.check).can_pass is passes
