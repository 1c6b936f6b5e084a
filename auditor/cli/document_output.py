"""Where a document goes that a command prints: the terminal, a pipe, or a file in the format of its ending.

For the commands whose result isn't a report: a report has further formats and folders (`auditor.jobs.audit_request`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import click
from click.decorators import FC

from auditor.cli.terminal import say, wants_colour, width
from auditor.model.errors import InvalidRequest

FORMATS = ("text", "json", "markdown", "html", "csv")
WORKBOOK = "xlsx"
FORMATS_WITH_WORKBOOK = (*FORMATS, WORKBOOK)
"""For the commands whose document is also a workbook."""
PIPE = "-"

ENDINGS: Mapping[str, str] = MappingProxyType(
    {
        ".txt": "text",
        ".json": "json",
        ".md": "markdown",
        ".markdown": "markdown",
        ".html": "html",
        ".htm": "html",
        ".csv": "csv",
        ".xlsx": WORKBOOK,
    }
)
"""The format of a file by its ending."""

Destination = tuple[str, str]
"""A format, and the path of a file or `PIPE`."""


def output_options(command: FC) -> FC:
    """``-f`` and ``-o``, which give the parameters `formats` and `outputs`."""
    return _output_options(command, FORMATS)


def output_options_with_workbook(command: FC) -> FC:
    """The same for a document that is also a workbook; give the formats to `destinations`, too."""
    return _output_options(command, FORMATS_WITH_WORKBOOK)


def _output_options(command: FC, choices: Sequence[str]) -> FC:
    form = click.option(
        "-f", "--format", "formats", multiple=True, type=click.Choice(choices), help="Format. Default: text."
    )
    output = click.option(
        "-o",
        "--output",
        "outputs",
        multiple=True,
        metavar="FILE",
        help="Where to write it. Repeatable: each file gets the format of its ending. Default: the terminal.",
    )
    return form(output(command))


def destinations(
    formats: Sequence[str], outputs: Sequence[str], choices: Sequence[str] = FORMATS, tables: Sequence[str] = ()
) -> list[Destination]:
    """Where the document goes, in one of the formats `choices`. Run it before anything is read, to find mistakes early.

    A document with `tables` is also written to a folder as CSV, a file for each of them, with the format ``csv/TABLE``.
    Raises click.UsageError, InvalidRequest for a file that can't be written, and FormatUnavailable.
    """
    if not outputs or tuple(outputs) == (PIPE,):
        if len(formats) > 1:
            raise click.UsageError("several formats need several files: add -o FILE for each, or leave out -f")
        form = formats[0] if formats else "text"
        if form == WORKBOOK:
            _must_fit_a_workbook(PIPE)
        return [(form, PIPE)]
    if formats and (len(formats) > 1 or len(outputs) > 1):
        raise click.UsageError("with several -o files, the endings choose the formats: leave out -f")
    from auditor.jobs.audit_request import must_be_writable

    found: list[Destination] = []
    for output in dict.fromkeys(outputs):
        if tables and (output.endswith(("/", os.sep)) or Path(output).is_dir()):
            found += _tables_in(output, formats, tables)
            continue
        must_be_writable(output)
        endings = {ending: form for ending, form in ENDINGS.items() if form in choices}
        form = formats[0] if formats else endings.get(Path(output).suffix.lower(), "")
        if not form:
            raise InvalidRequest(f"{output} has no ending of {', '.join(endings)}: change it, or add -f FORMAT")
        if form == WORKBOOK:
            _must_fit_a_workbook(output)
        found.append((form, output))
    return found


def _tables_in(folder: str, formats: Sequence[str], tables: Sequence[str]) -> Iterator[Destination]:
    """A CSV file for each table. Raises click.UsageError, and InvalidRequest for a folder that can't be written."""
    if tuple(formats) != ("csv",):
        raise click.UsageError(
            f"{folder} is a folder, which gets a CSV file for each table: add -f csv, or name a file"
        )
    path = Path(folder)
    if path.exists() and not path.is_dir():
        raise InvalidRequest(f"{folder} is a file: give -o the name of a folder")
    existing = next(parent for parent in (path, *path.absolute().parents) if parent.exists())
    if not os.access(existing, os.W_OK):
        raise InvalidRequest(f"you can't write to {folder}: give -o another folder, or change its permissions")
    for table in tables:
        yield f"csv/{table}", str(path / f"{table}.csv")


def _must_fit_a_workbook(output: str) -> None:
    """Raise click.UsageError for a workbook on a terminal, and FormatUnavailable if none can be written."""
    from auditor.render import must_be_available

    if output == PIPE and sys.stdout.isatty():
        raise click.UsageError(f"{WORKBOOK} can't be shown on a terminal: add -o FILE.xlsx")
    must_be_available(WORKBOOK)


def say_ending(places: Sequence[Destination], ending: str, answer: str = "") -> None:
    """Print what the exit code means: below a text on standard output, or as a message if there are only files.

    The message begins with the `answer`, if there is one. Another format on standard output stays as it is.
    """
    if list(places) == [("text", PIPE)]:
        click.echo(f"\n{ending}")
    elif all(output != PIPE for _, output in places):
        say(f"{answer}\n{ending}" if answer else ending)


def write_document(
    places: Sequence[Destination], page: Callable[[str], bytes], text: Callable[[int, bool], str]
) -> None:
    """Write the document to each of the `destinations`.

    `page` makes the bytes in a format. `text` makes the text for a terminal of a width in columns, with or without
    colour. A file is written completely or not at all. Raises OSError.
    """
    for form, output in places:
        if output != PIPE:
            from auditor.atomic import make_folder, write_whole

            if "/" in form:
                make_folder(Path(output).parent)
            write_whole(output, page(form), keep_mode=True)
            say(f"Wrote {output}")
        elif form == "text":
            from auditor.render.text_layout import for_encoding

            shown = for_encoding(text(width(), wants_colour()), sys.stdout.encoding)
            click.echo(shown, nl=False, color=wants_colour())
        else:
            sys.stdout.buffer.write(page(form))
            sys.stdout.buffer.flush()
