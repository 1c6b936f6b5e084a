"""Lists that come in pages: followed to the end, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditor.graph.answer import Answer
from auditor.graph.catalogue import Read
from auditor.graph.errors import EndlessPages, NotJson
from auditor.graph.transport import GraphClient

Rows = list[dict[str, Any]]


async def all_rows(
    client: GraphClient, read: Read, first: Answer, on_page: Callable[[int], None]
) -> tuple[Rows, Answer]:
    """The rows of `first` and of every page after it, and the last answer.

    Only a missing next link ends a list: an empty page may come before full ones. A page that fails is the
    last answer, and the rows are then worth nothing. Links are opaque, but for their host, which the client
    checks, and for having been followed before. Headers are sent again: a next link does not carry
    ConsistencyLevel.
    """
    rows: Rows = []
    seen: set[str] = set()
    answer = first
    while answer.ok and answer.body is not None:
        value = answer.body.get("value")
        if not isinstance(value, list):
            raise NotJson(f"Graph's answer for {read.section} is no list")
        rows += value
        on_page(len(rows))
        link = answer.body.get("@odata.nextLink")
        if not isinstance(link, str) or not link:
            break
        if link in seen:
            raise EndlessPages(
                f"the list of {read.section} leads back to a page that was read already",
                advice="Try again later; if it stays so, this is for Microsoft's support.",
            )
        seen.add(link)
        answer = await client.follow(link, read.headers)
    return rows, answer
