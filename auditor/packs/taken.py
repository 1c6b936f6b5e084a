"""Names that no pack of one's own may have, because findings, waivers and trends would mistake it for another."""

from __future__ import annotations

from auditor.packs.errors import Problems
from auditor.packs.extend import Link
from auditor.packs.nodes import text_of
from auditor.packs.positions import child
from auditor.packs.sources import is_shipped, shipped_names, shipped_source

PROGRAM = frozenset({"waivers"})
"""Under these the program reports what it found itself."""


def is_taken(name: str) -> bool:
    """Whether a pack of one's own needs another name."""
    return name in PROGRAM or name in shipped_names()


def check_name(link: Link, problems: Problems) -> None:
    """Report a pack that goes by the name of a shipped one and has another text.

    A copy to the letter is the shipped pack, wherever it lies: a bundle holds such copies.
    """
    node = child(link.document, "pack")
    name = text_of(node)
    if node is None or (link.source.folder is None and is_shipped(link.source.label)):
        return
    if name in PROGRAM:
        problems.add(node.at, f'the program reports findings of its own as "{name}"', expected="another name")
    elif name in shipped_names() and shipped_source(name).text != link.source.text:
        message = f'"{name}" is the name of a shipped pack, and this is another one or another version of it'
        problems.add(node.at, message, expected="another name, and extends to change a shipped pack")
