"""Find the data that ships with the program: rule packs and report templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from auditor.model.errors import AuditorError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PACKAGE = Path(__file__).parent


class ShippedDataMissing(AuditorError):
    """The installed program lacks its data."""


def root(tree: str) -> Traversable:
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


def label(tree: str) -> str:
    """The name of the tree in messages: its path in the repository, or a part of the installed program."""
    return f"auditor:{tree}" if (PACKAGE / tree).is_dir() or not (PACKAGE.parent / tree).is_dir() else tree


def _in_archive(tree: str) -> Traversable | None:
    """The tree in a zipped package (zipimport). ``importlib.resources`` takes 10 ms, so it is imported only here."""
    from importlib.resources import files

    folder = files("auditor") / tree
    return folder if folder.is_dir() else None
