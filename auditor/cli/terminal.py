"""The terminal: its width and colours, the progress of a read, and the code of a device sign-in."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from auditor.jobs.audit_request import Interaction


def width() -> int:
    """The terminal's width in columns; 80 for a pipe, so that a saved report doesn't depend on the window."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 80
    import shutil  # loads three compressors

    return min(shutil.get_terminal_size((80, 24)).columns, 120)


def wants_colour() -> bool:
    """Colour on a terminal only, never with NO_COLOR (https://no-color.org) or TERM=dumb."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def say(message: str) -> None:
    """Print a message on standard error, so that a report on standard output stays clean."""
    click.echo(printable(message), err=True)


def printable(message: str) -> str:
    """The message with everything in it that could control a terminal as a visible escape, except its line breaks.

    Messages quote files, and files can come from anybody.
    """
    lines = message.split("\n")
    if all(line.isascii() and line.isprintable() for line in lines):
        return message
    from auditor.render.text_layout import safe

    return "\n".join(map(safe, lines))


@contextmanager
def interaction(*, is_long: bool = False) -> Iterator[Interaction]:
    """How a job reaches the person at this terminal.

    Progress is shown if standard error is a terminal, and else, of a long job, in a line from time to time.
    """
    from auditor.jobs.audit_request import Interaction

    if not sys.stderr.isatty():
        lines = ProgressLines(say)
        yield Interaction(
            say=say,
            progress=lines.show if is_long else None,
            show_code=_show_code,
            on_pause=_say_pause,
            on_tenant=lines.show_tenants if is_long else None,
        )
        return
    bars = ProgressBars()
    try:
        yield Interaction(
            say=bars.say,
            progress=bars.show,
            show_code=bars.show_code,
            on_pause=bars.show_pause,
            on_wait=bars.show_wait,
            on_tenant=bars.show_tenants,
        )
    finally:
        bars.stop()


_TENANTS = "Checking the tenants"
_ESTIMATED_FROM = 1000
"""From this number on, a total is Graph's count of a directory that changes during the read, and not a number of parts
of a read."""


def what_is_read(section: str) -> str:
    """``Reading the enterprise applications``: a section of the snapshot by its name for people."""
    if section == "tenants":
        return _TENANTS
    from auditor.render.labels import section_label

    return f"Reading {section_label(section)}"


class Pace:
    """How fast a section is read, and how long it takes yet. `clock` counts seconds."""

    def __init__(self, done: int, clock: Callable[[], float]) -> None:
        self._first = done
        self._clock = clock
        self._started = clock()

    def text(self, done: int, total: int | None) -> str:
        """``120,000 of about 300,000, 5,100 a second, about 36 s left``, as far as it is known."""
        seconds = self._clock() - self._started
        rate = (done - self._first) / seconds if seconds >= 1 else 0.0
        about = "about " if total and total >= _ESTIMATED_FROM else ""
        parts = [f"{done:,} of {about}{total:,}" if total else f"{done:,}"]
        if rate >= 1:
            parts.append(f"{rate:,.0f} a second")
            if total and total > done:
                parts.append(f"about {_length((total - done) / rate)} left")
        return ", ".join(parts)


class TenantsPace:
    """How many tenants are done, and how long the others take yet. `clock` counts seconds, from now on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._started = clock()

    def text(self, done: int, failed: int, total: int) -> str:
        """``312 of 1,000 tenants, 4 failed, about 2 min left``, as far as it is known."""
        seconds = self._clock() - self._started
        parts = [f"{done:,} of {total:,} tenant{'' if total == 1 else 's'}"]
        if failed:
            parts.append(f"{failed:,} failed")
        if 0 < done < total and seconds >= 1:
            parts.append(f"about {_length(seconds / done * (total - done))} left")
        return ", ".join(parts)


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


class ProgressLines:
    """Says for each section from time to time how much of it was read, where a terminal would have a bar."""

    EVERY = 10.0
    """Seconds between two lines about a section, and before the first one."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._paces: dict[str, Pace] = {}
        self._last: dict[str, float] = {}
        self._tenants: TenantsPace | None = None

    def show_tenants(self, done: int, failed: int, total: int) -> None:
        """Say how many tenants are done, if the last line about them is old enough."""
        now = self._clock()
        if self._tenants is None:
            self._tenants, self._last[_TENANTS] = TenantsPace(self._clock), now
        elif now - self._last[_TENANTS] >= self.EVERY and done < total:
            self._last[_TENANTS] = now
            self._say(f"{_TENANTS}: {self._tenants.text(done, failed, total)}")

    def show(self, section: str, done: int, total: int | None) -> None:
        """Say that `done` of `total` parts of a section were read, if the last line about it is old enough."""
        now = self._clock()
        if section not in self._paces:
            self._paces[section], self._last[section] = Pace(done, self._clock), now
        elif now - self._last[section] >= self.EVERY:
            self._last[section] = now
            self._say(f"{what_is_read(section)}: {self._paces[section].text(done, total)}")


class ProgressBars:
    """A progress bar for each section. rich is imported at the first one, so an offline command never imports it."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._paces: dict[str, Pace] = {}
        self._pause: TaskID | None = None
        self._tenants: TenantsPace | None = None

    def show_tenants(self, done: int, failed: int, total: int) -> None:
        """Show how many tenants are done."""
        self._tenants = self._tenants or TenantsPace(time.monotonic)
        self._update(_TENANTS, done, total, self._tenants.text(done, failed, total))

    def show(self, section: str, done: int, total: int | None) -> None:
        """Show that `done` of `total` parts of a section were read."""
        pace = self._paces.setdefault(section, Pace(done, time.monotonic))
        self._update(what_is_read(section), done, total, pace.text(done, total))

    def _update(self, what: str, done: int, total: int | None, pace: str) -> None:
        progress = self._progress or self._started()
        if self._pause is not None:
            progress.remove_task(self._pause)
            self._pause = None
        if what not in self._tasks:
            self._tasks[what] = progress.add_task(what, total=total, pace="")
        progress.update(self._tasks[what], completed=done, total=total, pace=pace)

    def show_pause(self, service: str, seconds: float, is_asked_for: bool) -> None:
        """Show why nothing happens, until the next progress."""
        self.show_wait(_pause_text(service, seconds, is_asked_for))

    def show_wait(self, text: str) -> None:
        """Show what is done without progress that could be counted, until the next progress."""
        progress = self._progress or self._started()
        if self._pause is None:
            self._pause = progress.add_task(text, total=None, pace="")
        # At once: a short pause can be over before the bars are drawn the next time.
        progress.update(self._pause, description=text, refresh=True)

    def say(self, message: str) -> None:
        """Print a message in place of the bars, which come back with the next progress."""
        self.stop()
        say(message)

    def show_code(self, address: str, code: str, until: datetime) -> None:
        """Print the code of a device sign-in, and wait for the person below it."""
        self.stop()
        _show_code(address, code, until)
        self.show_wait("Waiting for you to sign in…")

    def stop(self) -> None:
        """Remove the bars."""
        if self._progress is not None:
            self._progress.stop()
        self._progress, self._tasks, self._paces, self._pause = None, {}, {}, None

    def _started(self) -> Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[pace]}"),
            TimeElapsedColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._progress.start()
        return self._progress


def _say_pause(service: str, seconds: float, is_asked_for: bool) -> None:
    """Print that a service asks to wait; a short pause between two attempts is not worth a line of a log."""
    if is_asked_for:
        say(_pause_text(service, seconds, is_asked_for))


def _pause_text(service: str, seconds: float, is_asked_for: bool) -> str:
    service = service[:1].upper() + service[1:]
    rounded = max(1, round(seconds))
    pause = f"{rounded} second{'' if rounded == 1 else 's'}"
    if is_asked_for:
        return f"{service} is busy and asks to wait {pause}. Waiting."
    return f"{service} did not answer. Trying again in {pause}."


def _show_code(address: str, code: str, until: datetime) -> None:
    """Print where to sign in, with which code, and until when it is valid."""
    minutes = max(1, round((until - datetime.now(until.tzinfo)).total_seconds() / 60))
    say(f"To sign in, open {address} and enter {code} (within {minutes} minutes).")
    sys.stderr.flush()
