"""What Microsoft documents, as JSON tables each with its source, and the loader that gives them their types."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

Table = TypeVar("Table")

_FOLDER = Path(__file__).parent


def load_table(name: str, kind: type[Table]) -> Table:
    """The table in the file ``NAME.json`` as a value of type `kind`.

    The file ships with the program, so a missing or malformed file means a damaged installation: raises OSError or
    msgspec.ValidationError. Callers keep the value, because each call reads the file again.
    """
    return msgspec.json.decode(_text(f"{name}.json"), type=kind)


def _text(file: str) -> bytes:
    path = _FOLDER / file
    if path.is_file():
        return path.read_bytes()
    # Inside a zipped package (zipimport). importlib.resources takes 10 ms, so it is imported only here.
    from importlib.resources import files

    return (files("auditor.facts") / file).read_bytes()
