"""What one benchmark found: a table for people, and the same numbers for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tabulate import tabulate

from benchmarks.figures import Ratio


@dataclass(frozen=True)
class Result:
    """A titled table with its notes.

    `numbers` is what the JSON file holds, in seconds, bytes and counts. `ratios`, by a name that is the same in every
    version, are what two versions are compared by.
    """

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Mapping[str, Any]
    notes: Sequence[str] = field(default=())
    ratios: Mapping[str, Ratio] = field(default_factory=dict)

    def text(self) -> str:
        """The table as it is printed."""
        table = tabulate(self.rows, headers=self.heads, disable_numparse=True, tablefmt="simple")
        return "\n".join([self.title, "", table, *(f"  {note}" for note in self.notes), ""])
