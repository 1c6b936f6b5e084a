"""A document as one HTML page without scripts, which needs no network, with the look of the report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from markupsafe import Markup, escape

from auditor.model.document import CODE, PLAIN, Block, Document, Heading, Paragraph, Title
from auditor.render.html import content_policy
from auditor.render.html.parts import HOLLOW, TONES
from auditor.render.html.templates import asset, environment
from auditor.render.text_layout import safe

_MARKED = re.compile(f"{CODE}([^{CODE}{PLAIN}]*){PLAIN}")


class HeadedBlocks(NamedTuple):
    """The blocks below one heading. Each is the name of its kind, and the block itself."""

    id: str
    title: str
    blocks: tuple[tuple[str, Block], ...]


def render(document: Document, *, tone: str) -> str:
    """The page. The same document gives the same text.

    The document starts with its title and a paragraph with the answer, which the page shows as a verdict in the `tone`
    (``good``, ``bad``, ``unsure`` or ``done``). A cell with a link opens it.
    """
    title, answer, *rest = document
    if not isinstance(title, Title) or not isinstance(answer, Paragraph):
        raise ValueError("a page starts with a title and the answer")
    style = asset("style.css") + asset("document.css")
    lead, *sections = _sections(rest)
    templates = environment("html")
    made: str = templates.get_template("document.html.j2").render(
        title=title.text,
        answer=answer.text,
        lead=lead,
        sections=sections,
        tone=tone,
        marked=_marked,
        policy=content_policy(style, ""),
        style=Markup(style),  # noqa: S704  # ships with the program, not from the tenant
        ink=TONES,
        hollow=HOLLOW,
    )
    return made + "\n"


def _sections(blocks: list[Block]) -> Iterator[HeadedBlocks]:
    """What stands before the first heading, as a section without a title, and then a section for each heading."""
    number, title, found = 0, "", list[tuple[str, Block]]()
    for block in blocks:
        if isinstance(block, Heading):
            yield HeadedBlocks(f"section-{number}", title, tuple(found))
            number, title, found = number + 1, block.text, []
        else:
            found.append((type(block).__name__, block))
    yield HeadedBlocks(f"section-{number}", title, tuple(found))


def _marked(text: str) -> Markup:
    """Text with marked names as code, escaped and safe to print."""
    parts, end = [], 0
    for match in _MARKED.finditer(text):
        parts += [escape(safe(text[end : match.start()])), Markup("<code>{}</code>").format(safe(match[1]))]
        end = match.end()
    return Markup().join([*parts, escape(safe(text[end:]))])
