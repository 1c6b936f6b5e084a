"""Where a report goes: the terminal, a pipe, a file, or one file for each format in a folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import click

from auditor.model.report import Report
from auditor.render import FORMATS, render

DEFAULT = "text"
TERMINAL = "-"


class Place(NamedTuple):
    """Where the report goes, and in which formats; `output` is a folder when it `is_folder`, else a file."""

    formats: tuple[str, ...]
    output: str = TERMINAL
    is_folder: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether the report goes to standard output."""
        return self.output == TERMINAL

    @property
    def files(self) -> dict[str, Path]:
        """The file of each format."""
        if not self.is_folder:
            return {self.formats[0]: Path(self.output)}
        return {name: Path(self.output) / f"report{FORMATS[name].ending}" for name in self.formats}


def place_for(asked: tuple[str, ...], output: str | None) -> Place:
    """Where --format and --output want the report, tested before the tenant is read. Raises click.UsageError.

    Without --format it is what the file's ending means, else text.
    """
    formats = tuple(dict.fromkeys(asked))
    if output is None or output == TERMINAL:
        if len(formats) > 1:
            raise click.UsageError("several formats need a folder to go to: add -o FOLDER")
        return Place(formats or (DEFAULT,))
    ending = Path(output).suffix.lower()
    by_ending = (name for name, form in FORMATS.items() if ending and ending == form.ending)
    is_folder = len(formats) > 1 or Path(output).is_dir() or output.endswith(("/", os.sep))
    place = Place(formats or (next(by_ending, DEFAULT),), output, is_folder)
    if is_folder and Path(output).exists() and not Path(output).is_dir():
        raise click.UsageError(f"{output} is a file, and several formats need a folder: give -o the name of a folder")
    if not is_folder:
        must_be_writable(output)
    return place


def must_be_writable(file: str) -> None:
    """Raise click.UsageError for a file that cannot be made or replaced: better now than after the audit."""
    path = Path(file)
    if path.is_dir():
        raise click.UsageError(f"{file} is a folder: give -o the name of a file in it")
    if not path.parent.is_dir():
        raise click.UsageError(f"there is no folder {path.parent} for {path.name}: make it first, or give -o another")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.UsageError(f"{file} cannot be written by this user: give -o another place, or mend its rights")


def write_report(report: Report, place: Place) -> None:
    """Write `report`; a folder is made if need be. Raises OSError."""
    if place.is_terminal:
        _to_terminal(report, place.formats[0])
        return
    if place.is_folder:
        Path(place.output).mkdir(parents=True, exist_ok=True)
    for name, path in place.files.items():
        path.write_bytes(render(report, name))
        click.echo(f"Wrote {path}", err=True)


def _to_terminal(report: Report, name: str) -> None:
    if name != DEFAULT:
        sys.stdout.buffer.write(render(report, name))
        sys.stdout.buffer.flush()
        return
    from auditor.render import text

    page = text.render(report, width=width(), colour=wants_colour())
    click.echo(text.for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())


def width() -> int:
    """The terminal's width; 80 for a pipe, so that what a ticket gets does not depend on somebody's window."""
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        return 80
    return min(shutil.get_terminal_size((80, 24)).columns, 120)


def wants_colour() -> bool:
    """Colour on a terminal only, never with NO_COLOR (https://no-color.org) or TERM=dumb."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
