"""Files that a command must not write over: the key of redaction, and the snapshot that it reads."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import click

PIPE = "-"


def refuse_overwriting(outputs: Iterable[str | Path], key_file: str | None, snapshot: str | None = None) -> None:
    """Raise click.UsageError where an output is the key's file or the snapshot's, before anything is read.

    Nothing could be looked up any more without the key, and a live read cannot be had again.
    """
    if key_file == PIPE:
        raise click.UsageError("--redact-key names a file: a key cannot come through a pipe")
    kept = (("the key of redaction", key_file), ("the snapshot that is read", snapshot))
    for output in outputs:
        for what, file in kept:
            if file and file != PIPE and str(output) != PIPE and _same(output, file):
                raise click.UsageError(f"{output} is {what}, and would be written over: give -o another place")


def warn_of_key_in(folder: str | Path, key_file: str | None) -> None:
    """Say so where the key lies in the folder whose files are to be sent."""
    if key_file and Path(os.path.realpath(key_file)).is_relative_to(os.path.realpath(folder)):
        click.echo(f"The key {key_file} lies in {folder}: do not send it along with the reports.", err=True)


def _same(one: str | Path, other: str | Path) -> bool:
    """Whether both are one file, by whatever link or spelling; a new file is told by its path alone."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return os.path.normcase(os.path.realpath(one)) == os.path.normcase(os.path.realpath(other))
