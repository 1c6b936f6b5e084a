"""Numbers with their spread, and ratios of runs that were made in the same turn."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.processes import Run


@dataclass(frozen=True)
class Figure:
    """A median, and the quartiles around it."""

    median: float
    low: float
    high: float

    def shown(self, digits: int = 1, factor: float = 1.0) -> str:
        """``median (low to high)``, each times `factor`."""
        low, median, high = (f"{value * factor:.{digits}f}" for value in (self.low, self.median, self.high))
        return f"{median} ({low} to {high})"


def figure(values: Sequence[float]) -> Figure:
    """The figure of these values; with fewer than four values, minimum and maximum replace the quartiles."""
    if len(values) < 4:
        return Figure(statistics.median(values), min(values), max(values))
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Figure(median, low, high)


def wall(runs: Sequence[Run]) -> Figure:
    """Seconds on the wall."""
    return figure([run.wall for run in runs])


def cpu(runs: Sequence[Run]) -> Figure:
    """Seconds of processor, user and system: steadier than the wall on a busy machine."""
    return figure([run.cpu for run in runs])


def times_bare(runs: Sequence[Run], bare: Sequence[Run]) -> Figure:
    """The time of each run as a multiple of the bare interpreter's time in the same turn."""
    return paired(runs, bare, lambda run, other: run.wall / other.wall)


def paired(runs: Sequence[Run], others: Sequence[Run], of: Callable[[Run, Run], float]) -> Figure:
    """What `of` makes of the two runs of each turn."""
    return figure([of(run, other) for run, other in zip(runs, others, strict=True)])


@dataclass(frozen=True)
class Ratio:
    """How many times as long something takes as something else that was measured in the same turns.

    `figure` is the ratio of times on the wall and `cpu` that of processor times, which depends less on what else the
    machine does. `against` names the other; `aim` is the most that `figure` should be.
    """

    figure: Figure
    against: str
    aim: float | None = None
    cpu: Figure | None = None


def ratio(runs: Sequence[Run], others: Sequence[Run], against: str, aim: float | None = None) -> Ratio:
    """How many times as long as `others` the `runs` of the same turns take."""
    of_cpu = paired(runs, others, lambda run, other: run.cpu / other.cpu)
    return Ratio(times_bare(runs, others), against, aim, of_cpu)
