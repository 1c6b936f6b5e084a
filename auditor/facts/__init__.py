"""The data that ships with the program: what Microsoft documents, as JSON tables, and the trees of packs and templates.

Each table names its source. The loader gives it its types.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from auditor.model.errors import AuditorError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Table = TypeVar("Table")

PACKAGE = Path(__file__).parent.parent


class ShippedDataMissing(AuditorError):
    """The installed program lacks its data."""


def load_table(name: str, kind: type[Table]) -> Table:
    """The table in the file ``NAME.json`` as a value of type `kind`.

    The file ships with the program, so a missing or malformed file means a damaged installation: raises OSError or
    msgspec.ValidationError. Callers keep the value, because each call reads the file again.
    """
    path = PACKAGE / "facts" / f"{name}.json"
    if path.is_file():
        return msgspec.json.decode(path.read_bytes(), type=kind)
    # Inside a zipped package (zipimport). importlib.resources takes 10 ms, so it is imported only here.
    from importlib.resources import files

    return msgspec.json.decode((files("auditor.facts") / f"{name}.json").read_bytes(), type=kind)


def shipped_tree(tree: str) -> Traversable:
    """The folder of the shipped tree `rules` or `reports`, found by its path and not by import.

    In a wheel it is inside the package, in a checkout next to the package. ``setup.cfg`` must be there too, so that a
    folder with this name in site-packages isn't used by mistake.
    """
    if (installed := PACKAGE / tree).is_dir():
        return installed
    checkout = PACKAGE.parent
    if (checkout / "setup.cfg").is_file() and (checkout / tree).is_dir():
        return checkout / tree
    if (zipped := _in_archive(tree)) is not None:
        return zipped
    raise ShippedDataMissing(f"no {tree}/ next to the auditor package: reinstall consent-auditor")


def tree_label(tree: str) -> str:
    """The name of the tree in messages: its path in the repository, or a part of the installed program."""
    return f"auditor:{tree}" if (PACKAGE / tree).is_dir() or not (PACKAGE.parent / tree).is_dir() else tree


def _in_archive(tree: str) -> Traversable | None:
    """The tree in a zipped package (zipimport)."""
    from importlib.resources import files

    folder = files("auditor") / tree
    return folder if folder.is_dir() else None
