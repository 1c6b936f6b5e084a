"""The part of the mutants that is run is fair, the same each time, and counted whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.mutation.run import drawn, module_of, table

NAMES = [
    f"auditor.checks.{module}.x_f__mutmut_{n}" for module, size in (("a", 90), ("b", 9), ("c", 1)) for n in range(size)
]


def test_every_module_has_its_share_and_at_least_one() -> None:
    part = drawn(NAMES, 10)
    assert [sum(module_of(name).endswith(module) for name in part) for module in "abc"] == [9, 1, 1]


@given(st.permutations(NAMES[:40]), st.integers(1, 60))
def test_the_same_part_is_drawn_whatever_the_order(names: list[str], size: int) -> None:
    assert drawn(names, size) == drawn(NAMES[:40], size)
    assert set(drawn(names, size)) <= set(names)


def test_the_score_counts_every_mutant_once() -> None:
    codes = {"m.x__mutmut_1": 1, "m.x__mutmut_2": 0, "m.x__mutmut_3": 33, "n.x__mutmut_1": -24, "n.x__mutmut_2": None}
    assert list(table(codes, codes))[2:] == [
        "| m | 3 | 1 | 1 | 1 | 0 |",
        "| n | 1 | 0 | 0 | 0 | 1 |",
        "| **all** | 4 | 1 | 1 | 1 | 1 |",
    ]
