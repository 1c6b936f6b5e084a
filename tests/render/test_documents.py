"""A page is the same page in a terminal and in Markdown, and no text of an author's becomes markup."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from auditor.jobs.pack_pages import index_page, pack_page, rule_page
from auditor.model.document import Cell, Document, FactList, Grid, Heading, Links, Paragraph, Point, Points, Title, code
from auditor.packs.load import load, shipped_names, shipped_source
from auditor.render.documents import as_markdown, as_text
from auditor.render.html import document_page
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
        "| Name | [a \\| b](x.md) |\n| Empty |  |\n\n- one\n    - within ``a`b``\n\n| A | B |\n| --- | --- |\n"
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


def test_a_page_as_html_has_a_section_for_each_heading_and_shows_names_as_code() -> None:
    made = document_page.render((*PAGE, Heading("<b>Links</b>"), Links(("https://x.example/?a=1&b",))), tone="good")
    assert "<h1><bdi>A page</bdi></h1>" in made
    assert "About <code>Mail.Read</code> and<br>more." in made
    assert [made.count(f'<section id="section-{number}"') for number in (1, 2, 3)] == [1, 1, 0]
    assert '<h2 id="section-2-title">&lt;b&gt;Links&lt;/b&gt;</h2>' in made
    assert '<a href="x.md" rel="noopener noreferrer" target="_blank">a | b</a>' in made
    assert 'href="https://x.example/?a=1&amp;b"' in made
    assert '<td role="cell" data-head="B"><div>two words<br><span class="below">under</span></div></td>' in made


@given(WORDS)
def test_no_text_of_a_tenant_becomes_markup_of_a_page(said: str) -> None:
    said = f"<i>{said}</i>\u202e"
    cells = ((Cell(code(said), below=said), Cell(said)),)
    blocks = (Heading(said), Points((Point(said, (Point(code(said)),)),)), Grid((said, said), cells, prose=0))
    made = document_page.render((Title(said), Paragraph(said), *blocks), tone="unsure")
    assert "<i>" not in made
    assert "\u202e" not in made


def test_a_page_needs_its_title_and_the_answer_first() -> None:
    with pytest.raises(ValueError, match="a page starts with a title and the answer"):
        document_page.render((Title("Only a title"), Heading("No answer")), tone="good")
