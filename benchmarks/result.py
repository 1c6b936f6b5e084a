"""What one benchmark found: a table for people, and the same numbers for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tabulate import tabulate


@dataclass(frozen=True)
class Result:
    """A titled table with its notes; `numbers` is what ``--json`` prints, in seconds, bytes and counts."""

    name: str
    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Mapping[str, Any]
    notes: Sequence[str] = field(default=())

    def text(self) -> str:
        """The table as it is printed."""
        table = tabulate(self.rows, headers=self.heads, disable_numparse=True, tablefmt="simple")
        return "\n".join([self.title, "", table, *(f"  {note}" for note in self.notes), ""])
