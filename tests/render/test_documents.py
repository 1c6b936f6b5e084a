"""A page is the same page in a terminal and in Markdown, and no text of an author's becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from auditor.jobs.pack_pages import index_page, pack_page, rule_page
from auditor.model.document import Cell, Document, FactList, Grid, Heading, Paragraph, Point, Points, Title, code
from auditor.packs.load import load, shipped_names, shipped_source
from auditor.render.documents import as_markdown, as_text
from auditor.render.markdown_text import escaped
from auditor.render.text_layout import columns

PACKS = [load(shipped_source(name)) for name in shipped_names()]
READER = MarkdownIt("commonmark", {"linkify": False}).enable(["table", "strikethrough"])
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs")), min_size=1)


def shown(tokens: list[Token]) -> str:
    return "".join(part.content for token in tokens for part in token.children or [] if part.type == "text")


@given(WORDS | st.sampled_from(["1. x", "- x", "# x", "> x", "a|b", "*b*", "<b>", "![x](y)", "`x`", "&lt;", "~~x~~"]))
def test_an_authors_text_stands_for_itself(said: str) -> None:
    said = " ".join(said.split())
    if not said:
        return
    tokens = READER.parse(escaped(said))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert {part.type for part in tokens[1].children or []} == {"text"}
    assert shown(tokens) == said


@pytest.mark.parametrize("said", ["see https://evil.example", "www.evil.example", "@everyone", "a@b.example"])
def test_nothing_becomes_a_link_or_a_mention_on_github(said: str) -> None:
    made = escaped(said)
    assert "://" not in made
    assert "www." not in made
    assert "@" not in made


PAGE: Document = (
    Title("A page"),
    Paragraph(f"About {code('Mail.Read')} and\nmore."),
    Heading("Facts"),
    FactList((("Name", Cell("a | b", "x.md")), ("Empty", Cell("")))),
    Points((Point("one", (Point(f"within {code('a`b')}"),)),)),
    Grid(("A", "B"), ((Cell("1"), Cell("two words", below="under")),), prose=1),
)


def test_a_page_as_markdown() -> None:
    assert as_markdown(PAGE, "made") == (
        "<!-- made -->\n\n# A page\n\nAbout `Mail.Read` and  \nmore.\n\n## Facts\n\n| | |\n| --- | --- |\n"
        "| Name | [a \\| b](x.md) |\n| Empty |  |\n\n- one\n  - within ``a`b``\n\n| A | B |\n| --- | --- |\n"
        "| 1 | two words<br>under |\n"
    )


def test_a_page_as_text() -> None:
    assert as_text(PAGE, width=40, colour=False) == (
        "A page\n\n  About Mail.Read and\n  more.\n\nFacts\n  Name:  a | b\n  Empty:\n\n  - one\n    - within a`b\n\n"
        "  A  B\n  -  ---------\n  1  two words\n     under\n"
    )


def pages() -> list[Document]:
    rules = [rule_page(pack, rule) for pack in PACKS for rule in pack.rules]
    return [index_page(PACKS), *map(pack_page, PACKS), *rules]


@pytest.mark.parametrize("width", [64, 80, 120])
def test_no_page_of_a_shipped_pack_is_wider_than_asked_for_but_for_an_address(width: int) -> None:
    for page in pages():
        for line in as_text(page, width=width, colour=False).splitlines():
            assert columns(line) <= width or len(line.split()) <= 3, line


def test_every_page_of_a_shipped_pack_is_sound_markdown() -> None:
    for page in pages():
        tokens = READER.parse(as_markdown(page))
        headings = [token.tag for token in tokens if token.type == "heading_open"]
        assert headings[0] == "h1"
        assert set(headings[1:]) <= {"h2"}
        assert not any(token.type in ("html_block", "code_block") for token in tokens)
