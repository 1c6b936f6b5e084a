"""Load a table of facts: a JSON file of this package, decoded into its type once."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

Table = TypeVar("Table")

_FOLDER = Path(__file__).parent


def load_table(name: str, kind: type[Table]) -> Table:
    """The table in the file ``NAME.json`` as a value of type `kind`.

    The file ships with the program, so that a missing or malformed one is a damaged installation: raises
    OSError or msgspec.ValidationError. Callers keep the value; this function reads the file at each call.
    """
    return msgspec.json.decode(_text(f"{name}.json"), type=kind)


def _text(file: str) -> bytes:
    path = _FOLDER / file
    if path.is_file():
        return path.read_bytes()
    # Inside a zipped package (zipimport). importlib.resources costs 10 ms, so it is imported only here.
    from importlib.resources import files

    return (files("auditor.facts") / file).read_bytes()
