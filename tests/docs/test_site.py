"""What the check of the documentation site finds, and what the site's generator needs of a page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import guides, read, title
from tests.docs.site import leads_nowhere, loaded_from_the_network, orphans, problems

_SHALLOW = re.compile(r"^ {1,3}(?:```|[-*] |\d+\. )|\n\n {1,3}\S", re.MULTILINE)


def test_a_page_that_no_page_leads_to_is_an_orphan() -> None:
    pages = {
        "index.html": '<a class="md-nav__link" href="guides/first.html#start">First</a>',
        "guides/first.html": '<a href="../index.html">Home</a> <a href=second.html>Next</a> <a href="#start">Start</a>',
        "guides/second.html": '<a href="https://example.com/alone.html">Elsewhere</a>',
        "alone.html": '<a href="index.html">Home</a>',
    }
    assert orphans(pages) == ["alone.html"]


def test_pages_that_lead_only_to_each_other_are_orphans() -> None:
    assert orphans({"index.html": "", "a.html": "<a href=b.html>", "b.html": "<a href=a.html>"}) == ["a.html", "b.html"]


def test_a_link_to_a_file_that_the_site_lacks_is_found() -> None:
    text = """<a href="../index.html">Home</a> <a href="gone.html#part">Gone</a> <img src='picture%20one.png'>
        <script src="../assets/search.js"></script> <a href="https://example.com/x.html">Elsewhere</a>"""
    files = {"index.html", "assets/search.js", "guides/picture one.png"}
    assert leads_nowhere("guides/first.html", text, files) == ["guides/gone.html"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('<script src="https://example.com/a.js">', ["https://example.com/a.js"], id="a script"),
        pytest.param("<img alt=x src=//example.com/a.png>", ["//example.com/a.png"], id="an image without a scheme"),
        pytest.param(
            '<link rel=stylesheet href="https://example.com/a.css">', ["https://example.com/a.css"], id="a style"
        ),
        pytest.param("@import 'https://example.com/a.css';", ["https://example.com/a.css"], id="an import of a style"),
        pytest.param("src: url(//example.com/a.woff2)", ["//example.com/a.woff2"], id="a font"),
        pytest.param('<link rel="canonical" href="https://example.com/">', [], id="the address of the page itself"),
        pytest.param('<a href="https://example.com/">Elsewhere</a>', [], id="a link that a reader can follow"),
        pytest.param('<script src="assets/a.js">', [], id="a script of the site"),
    ],
)
def test_what_a_browser_would_load_from_the_network(text: str, found: list[str]) -> None:
    assert loaded_from_the_network(text) == found


def test_each_problem_of_a_site_names_its_page(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets/site.css").write_text("@import url(https://example.com/a.css)", encoding="utf-8")
    (tmp_path / "index.html").write_text('<link href="assets/site.css"><a href="gone.html">Gone</a>', encoding="utf-8")
    (tmp_path / "alone.html").write_text("", encoding="utf-8")
    assert list(problems(tmp_path)) == [
        "alone.html: no page leads to it: add it to nav in zensical.toml, or link to it",
        "index.html: leads to gone.html, which the site doesn't have",
        "assets/site.css: loads https://example.com/a.css from the network",
    ]


# GitHub nests what is indented by two or three spaces; the site's generator (Python-Markdown) ends the list there, and
# the numbers begin again with 1.
@pytest.mark.parametrize("path", guides(), ids=title)
def test_what_belongs_to_an_item_of_a_list_is_indented_by_four(path: Path) -> None:
    assert [found.strip() for found in _SHALLOW.findall(_without_fences(read(path)))] == []


def _without_fences(text: str) -> str:
    """A page without its fenced blocks at the margin or indented by four, so that a fence with less shows."""
    return re.sub(r"^((?: {4})*)```.*?^\1```$", "", text, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("1. Do this:\n\n   ```sh\n   ls\n   ```\n", id="a command"),
        pytest.param("- One\n  - Two\n", id="a list in a list"),
        pytest.param("1. One\n\n   More of it.\n", id="a second paragraph"),
    ],
)
def test_an_item_that_the_generator_would_end_early_is_found(text: str) -> None:
    assert _SHALLOW.search(_without_fences(text))
    assert not _SHALLOW.search(_without_fences(re.sub(r"^ {2,3}(?=\S)", "    ", text, flags=re.MULTILINE)))
