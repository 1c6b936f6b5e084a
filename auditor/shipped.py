"""Find the data that ships with the program: rule packs and report templates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

PACKAGE = Path(__file__).parent


class ShippedDataMissing(Exception):
    """The program is installed without its data."""


def root(tree: str) -> Traversable:
    """The folder of the shipped tree `rules` or `reports`, found by place and never by import.

    A wheel holds it inside the package, a checkout beside the package. ``setup.cfg`` guards against a
    stray folder of that name in site-packages.
    """
    if (installed := PACKAGE / tree).is_dir():
        return installed
    checkout = PACKAGE.parent
    if (checkout / "setup.cfg").is_file() and (checkout / tree).is_dir():
        return checkout / tree
    if (zipped := _in_archive(tree)) is not None:
        return zipped
    raise ShippedDataMissing(f"no {tree}/ beside the auditor package: reinstall the auditor")


def label(tree: str) -> str:
    """How messages name the tree: as in the repository, or as a part of the installed program."""
    return f"auditor:{tree}" if (PACKAGE / tree).is_dir() or not (PACKAGE.parent / tree).is_dir() else tree


def _in_archive(tree: str) -> Traversable | None:
    """The tree inside a zipped package (zipimport); ``importlib.resources`` costs 10 ms, so only now."""
    from importlib.resources import files

    folder = files("auditor") / tree
    return folder if folder.is_dir() else None
