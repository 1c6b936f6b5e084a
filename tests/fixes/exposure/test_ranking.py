"""The order of fixes: least exposure, fewest people, certainty, fewest steps, route."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from auditor.fixes import rank, rank_key
from auditor.fixes.exposure import Breadth
from auditor.model.decision import Fix, GraphRequest, Proof, Steps


def fix(route: str, weight: int = 0, breadth: str = "nobody", requests: int = 1, **more: Any) -> Fix:
    graph = tuple(GraphRequest(method="POST", url=f"https://graph.microsoft.com/v1.0/{i}") for i in range(requests))
    plain = Fix(
        route=route,
        title=f"Fix {route}",
        role="",
        steps=Steps(graph=graph),
        verify="",
        undo="",
        opens={"summary": "", "weight": weight, "breadth": breadth},
        proven=Proof(outcome="", confidence="", because=""),
    )
    return msgspec.structs.replace(plain, **more)


FIXES = st.builds(
    fix,
    st.sampled_from(["R1", "R2", "R10", "R3+R6", "R3"]),
    st.integers(0, 3),
    st.sampled_from([b.name.lower() for b in Breadth]),
    st.integers(0, 3),
)


@given(data=st.data(), fixes=st.lists(FIXES, max_size=6))
def test_the_order_is_total_and_does_not_depend_on_the_order_the_fixes_come_in(
    data: st.DataObject, fixes: list[Fix]
) -> None:
    shuffled = data.draw(st.permutations(fixes))
    ordered = [rank_key(f) for f in rank(fixes)]
    assert ordered == [rank_key(f) for f in rank(shuffled)] == sorted(map(rank_key, fixes))


def test_fixes_that_are_alike_keep_the_order_they_come_in() -> None:
    one, other = fix("R1", key="R1-scopes"), fix("R1", key="R1")
    assert rank([one, other]) == (one, other) and rank([other, one]) == (other, one)


def routes(*fixes: Fix) -> list[str]:
    return [f.route for f in rank(fixes)]


def test_exposure_of_other_apps_comes_before_everything_else() -> None:
    assert routes(fix("R5", weight=1, requests=1), fix("R4", breadth="everybody", requests=9)) == ["R4", "R5"]


def test_fewer_people_come_before_fewer_steps() -> None:
    assert routes(fix("R1", breadth="everybody"), fix("R3", breadth="named", requests=3)) == ["R3", "R1"]


def test_a_link_is_one_step() -> None:
    link = fix("R1", requests=0, link="https://login.microsoftonline.com/", steps=Steps(portal=("Open.", "Accept.")))
    assert routes(fix("R4", requests=3), fix("R3", requests=2), link) == ["R1", "R3", "R4"]


def test_certainty_comes_before_fewer_steps_and_exposure_before_certainty() -> None:
    likely = Proof(outcome="", confidence="likely", because="")
    assert routes(fix("R1", proven=likely), fix("R3", requests=9)) == ["R3", "R1"]
    assert routes(fix("R1", breadth="named", proven=likely), fix("R3", breadth="everybody")) == ["R1", "R3"]


def test_routes_are_ordered_by_their_numbers() -> None:
    assert routes(fix("R10"), fix("R2"), fix("R1")) == ["R1", "R2", "R10"]


def test_a_fix_whose_exposure_was_not_measured_comes_last() -> None:
    assert routes(fix("R1", opens={"summary": "who knows"}), fix("R9", weight=2760)) == ["R9", "R1"]
