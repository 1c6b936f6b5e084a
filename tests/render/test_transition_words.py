"""What a change is called: the same in a comparison, a message, a night and a fleet report."""

from __future__ import annotations

import pytest

from auditor.model.difference import TRANSITION_WORDS, Change, ChangeKind, Transition
from auditor.model.fleet import FleetChange
from auditor.notify.wording import FindingGroup, change_text, finding_group
from auditor.render.difference_view import word
from auditor.render.fleet_words import change_words
from auditor.render.night import change_lines


@pytest.mark.parametrize("transition", [pytest.param(one, id=one) for one in Transition])
def test_a_change_is_called_the_same_everywhere(transition: Transition) -> None:
    words = TRANSITION_WORDS[transition]
    change = Change(kind=ChangeKind.SETTING, key="setting/a", what="A setting", transition=transition)
    of_fleet = FleetChange(tenant="t", kind=change.kind, what="A setting", transition=transition, before="", after="")
    assert word(change).lower() == words
    assert change_text(change) == f"A setting ({words})."
    assert list(change_lines([change])) == [f"A setting: {words}."]
    assert change_words(of_fleet) == words


@pytest.mark.parametrize(
    ("transition", "group"),
    [
        pytest.param(Transition.BECAME_UNKNOWN, FindingGroup.UNKNOWN, id="not read any more"),
        pytest.param(Transition.BECAME_KNOWN, FindingGroup.KNOWN, id="read now"),
    ],
)
def test_findings_are_listed_under_the_name_of_their_change(transition: Transition, group: FindingGroup) -> None:
    change = Change(kind=ChangeKind.FINDING, key="finding/a", what="A-1: A rule", transition=transition)
    assert finding_group(change) is group
    assert group == word(change)
