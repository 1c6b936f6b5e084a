"""Looking into the nodes of a document, for those who ask what it means."""

from __future__ import annotations

from auditor.packs.positions import Items, Node, Scalar, Table


def text_of(node: Node | None) -> str:
    """The text of a scalar, without the spaces around it; empty for anything else."""
    return node.text.strip() if isinstance(node, Scalar) else ""


def items_of(node: Node | None) -> tuple[Node, ...]:
    """The entries of a list; none for anything else."""
    return node.nodes if isinstance(node, Items) else ()


def tables_of(node: Node | None) -> tuple[Table, ...]:
    """The tables in a list."""
    return tuple(item for item in items_of(node) if isinstance(item, Table))


def is_empty_list(node: Node | None) -> bool:
    """Whether it is a list without an entry."""
    return isinstance(node, Items) and not node.nodes
