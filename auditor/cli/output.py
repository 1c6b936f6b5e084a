"""Where a report goes: the terminal, a pipe, files by their endings, or one file for each format in a folder."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from auditor.model.report import Report, Summary
from auditor.render import FORMATS, must_be_available, render

DEFAULT = "text"
TERMINAL = "-"


class Place(NamedTuple):
    """Where the report goes: to standard output in one format, or to `files` by the names of their formats."""

    formats: tuple[str, ...] = (DEFAULT,)
    files: tuple[tuple[str, Path], ...] = ()
    folder: Path | None = None
    """The folder that was asked for, if one was."""

    @property
    def is_terminal(self) -> bool:
        """Whether the report goes to standard output."""
        return not self.files

    @property
    def has_standard_output(self) -> bool:
        """Whether standard output gets the report as text, so that more may be said there."""
        return self.is_terminal and self.formats == (DEFAULT,)


def place_for(asked: tuple[str, ...], outputs: tuple[str, ...]) -> Place:
    """Where --format and --output want the report, tested before the tenant is read.

    Raises click.UsageError, and FormatUnavailable where a format needs what is not installed.
    """
    place = _place(tuple(dict.fromkeys(asked)), _each_once(outputs))
    for name in place.formats:
        must_be_available(name)
    if place.is_terminal and FORMATS[place.formats[0]].is_binary and sys.stdout.isatty():
        name = place.formats[0]
        raise click.UsageError(f"{name} is no text for a terminal: add -o report{FORMATS[name].ending}")
    return place


def _each_once(outputs: tuple[str, ...]) -> tuple[str, ...]:
    """The outputs without those that name the same file in another way, as ``a.html`` and ``./a.html`` do."""
    known: dict[str, str] = {}
    for output in outputs:
        known.setdefault(output if output == TERMINAL else os.path.realpath(output), output)
    return tuple(known.values())


def _place(formats: tuple[str, ...], outputs: tuple[str, ...]) -> Place:
    if outputs in ((), (TERMINAL,)):
        if len(formats) > 1:
            raise click.UsageError("several formats need a folder to go to: add -o FOLDER/")
        return Place(formats or (DEFAULT,))
    if len(outputs) > 1:
        return _several(formats, outputs)
    output = outputs[0]
    if Path(output).is_dir() or output.endswith(("/", os.sep)) or len(formats) > 1:
        return _in_folder(formats or (DEFAULT,), output)
    name = formats[0] if formats else format_of_ending(output)
    must_be_writable(output)
    return Place((name,), ((name, Path(output)),))


def _several(formats: tuple[str, ...], outputs: tuple[str, ...]) -> Place:
    """Several files, each in the format of its ending."""
    if formats or TERMINAL in outputs:
        raise click.UsageError(
            "several -o name files, whose endings choose the formats: leave -f and -o - out, or give one -o FOLDER/"
        )
    files = tuple((format_of_ending(output), Path(output)) for output in outputs)
    for output in outputs:
        must_be_writable(output)
    return Place(tuple(dict.fromkeys(name for name, _ in files)), files)


def _in_folder(formats: tuple[str, ...], folder: str) -> Place:
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise click.UsageError(f"{folder} is a file, and several formats need a folder: give -o the name of a folder")
    there = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not os.access(there, os.W_OK):
        raise click.UsageError(f"{folder} cannot be written by this user: give -o another folder, or mend its rights")
    return Place(formats, tuple((name, path / f"report{FORMATS[name].ending}") for name in formats), path)


def format_of_ending(file: str) -> str:
    """The format that the file's ending means, the longest one that fits. Raises click.UsageError for none."""
    endings = {ending: name for name, form in FORMATS.items() for ending in (form.ending, *form.other_endings)}
    fitting = [ending for ending in endings if file.lower().endswith(ending)]
    if fitting:
        return endings[max(fitting, key=len)]
    known = ", ".join(sorted(form.ending for form in FORMATS.values()))
    if not Path(file).suffix:
        raise click.UsageError(
            f"{file} has no ending that names a format ({known}): give it one, add -f FORMAT,"
            f" or write {file}/ for a folder"
        )
    raise click.UsageError(f"no format has the ending of {file} (there are {known}): give it one, or add -f FORMAT")


def must_be_writable(file: str) -> None:
    """Raise click.UsageError for a file that cannot be made or replaced: better now than after the audit."""
    path = Path(file)
    if path.is_dir():
        raise click.UsageError(f"{file} is a folder: give -o the name of a file in it")
    if not path.parent.is_dir():
        raise click.UsageError(f"there is no folder {path.parent} for {path.name}: make it first, or give -o another")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise click.UsageError(f"{file} cannot be written by this user: give -o another place, or mend its rights")


def write_report(report: Report, place: Place, history: Sequence[tuple[str, Summary]] = ()) -> None:
    """Write `report`, with the trend since the earlier runs of `history` where a format shows one.

    A folder is made if need be.

    Every format is made before the first file is written. A file is written whole or not at all, and a new one may
    be read by its owner only, for it describes a tenant. Raises OSError and FormatUnavailable.
    """
    from auditor.atomic import write_whole

    if place.is_terminal and place.formats == (DEFAULT,):
        _text_to_terminal(report)
        return
    _tell_what_is_left_out(report, place)
    made = {name: _rendered(report, name, history) for name in place.formats}
    if place.is_terminal:
        sys.stdout.buffer.write(made[place.formats[0]])
        sys.stdout.buffer.flush()
    for name, path in place.files:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, made[name], keep_mode=True)
        click.echo(f"Wrote {path}", err=True)


def _tell_what_is_left_out(report: Report, place: Place) -> None:
    silent = [name for name in place.formats if not FORMATS[name].shows_what_if]
    if report.what_if and silent:
        click.echo(
            f"Note: {' and '.join(silent)} leaves out what --assume supposes, for nothing of it is so.", err=True
        )


def _rendered(report: Report, name: str, history: Sequence[tuple[str, Summary]]) -> bytes:
    form = FORMATS[name]
    trend = {"history": history} if form.shows_trend else {}
    return render(report, name, **trend, **({"places": _places(report)} if form.points_into_files else {}))


def _places(report: Report) -> dict[str, str]:
    """Where the files of packs lie below the root of the repository; empty for those that lie elsewhere.

    The report tells a file from the working directory, which need not be that root, and of a file that is not below
    it the name alone. Shipped packs lie in neither.
    """
    here, root = Path.cwd(), _repository()
    files = {finding.place.file for finding in report.findings if finding.place}
    places = {}
    for file in files:
        path = here / file
        if path.is_file():
            places[file] = path.relative_to(root).as_posix() if path.is_relative_to(root) else ""
        elif "/" not in file:
            places[file] = ""
    return places


def _repository() -> Path:
    """The root of the repository: as GitHub's runner names it, else the folder around this one that git keeps."""
    here, named = Path.cwd(), os.environ.get("GITHUB_WORKSPACE")
    if named and here.is_relative_to(Path(named).resolve()):
        return Path(named).resolve()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def _text_to_terminal(report: Report) -> None:
    from auditor.render import text
    from auditor.render.layout import for_encoding

    page = text.render(report, width=width(), colour=wants_colour())
    click.echo(for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())


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
