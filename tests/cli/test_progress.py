"""How far a long read is: in a line from time to time, with rate and estimate as far as they are known."""

from __future__ import annotations

from auditor.cli.terminal import Pace, ProgressLines


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_and_the_time_left_are_those_of_this_run() -> None:
    clock = Clock()
    pace = Pace(100_000, clock)
    assert pace.text(100_000, None) == "100,000"
    assert pace.text(100_000, 300_000) == "100,000 of 300,000"
    clock.now += 10
    assert pace.text(120_000, None) == "120,000, 2,000 a second"
    assert pace.text(120_000, 300_000) == "120,000 of 300,000, 2,000 a second, about 90 s left"
    assert pace.text(120_000, 600_000) == "120,000 of 600,000, 2,000 a second, about 4 min left"
    assert pace.text(300_000, 300_000) == "300,000 of 300,000, 20,000 a second"


def test_a_line_comes_only_from_time_to_time_and_never_of_a_short_read() -> None:
    clock, said = Clock(), list[str]()
    lines = ProgressLines(said.append, clock)
    for second in range(26):
        clock.now = 100.0 + second
        lines.show("signIns", second * 1000, None)
        if second < 9:
            lines.show("users", second, None)
    assert said == ["Reading signIns: 10,000, 1,000 a second", "Reading signIns: 20,000, 1,000 a second"]
