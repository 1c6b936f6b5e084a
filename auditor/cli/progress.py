"""Progress on a terminal while a tenant is read; nothing at all in a pipe or a log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[str, int, int | None], None]


@contextmanager
def shown_progress() -> Iterator[Progress | None]:
    """A function that shows how much of each section is read, on stderr; ``None`` without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("Reading {task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(section: str, done: int, total: int | None) -> None:
            if section not in tasks:
                tasks[section] = bars.add_task(section, total=total)
            bars.update(tasks[section], completed=done, total=total)

        yield show
