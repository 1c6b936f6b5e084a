"""Where a report goes: the terminal, a pipe, a file, or one file for each format in a folder."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from auditor.model.report import Report
from auditor.render import FORMATS, render

DEFAULT = "text"


def formats_for(asked: tuple[str, ...], output: str | None) -> tuple[str, ...]:
    """The formats to write: those asked for, else what the file's ending means, else text."""
    if asked:
        return tuple(dict.fromkeys(asked))
    ending = Path(output or "").suffix.lower()
    for name, form in FORMATS.items():
        if ending and ending == form.ending:
            return (name,)
    return (DEFAULT,)


def write_report(report: Report, formats: tuple[str, ...], output: str | None) -> None:
    """Write `report`; several formats need a folder as `output`. Raises OSError and click.UsageError."""
    folder = output is not None and (len(formats) > 1 or Path(output).is_dir() or output.endswith(("/", os.sep)))
    if len(formats) > 1 and output is None:
        raise click.UsageError("several formats need a folder to go to: add -o FOLDER")
    if output is None or output == "-":
        _to_terminal(report, formats[0])
    elif folder:
        Path(output).mkdir(parents=True, exist_ok=True)
        for name in formats:
            _to_file(Path(output) / f"report{FORMATS[name].ending}", render(report, name))
    else:
        _to_file(Path(output), render(report, formats[0]))


def _to_terminal(report: Report, name: str) -> None:
    if name != DEFAULT:
        sys.stdout.buffer.write(render(report, name))
        sys.stdout.buffer.flush()
        return
    from auditor.render import text

    page = text.render(report, width=_width(), colour=wants_colour())
    click.echo(text.for_encoding(page, sys.stdout.encoding), nl=False, color=wants_colour())


def _to_file(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    click.echo(f"Wrote {path}", err=True)


def _width() -> int:
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
