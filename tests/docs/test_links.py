"""Links and names of files lead somewhere."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import DOCS, ROOT, guides, pages, prose, read, spans, title

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_PATH = re.compile(r"(?:\.ci|auditor|benchmarks|docs|reports|requirements|rules|tests)/[\w./-]*")
_NAMED_IN_CODE = re.compile(r"\bdocs/[\w/-]+\.(?:md|json)\b")

# Microsoft moves its pages now and then. These trees are old and redirect what has moved.
_WELL_KNOWN = (
    "/entra/",
    "/graph/",
    "/azure/",
    "/cli/azure/",
    "/powershell/",
    "/microsoft-365/",
    "/defender-office-365/",
    "/defender-cloud-apps/",
    "/windows/",
    "/troubleshoot/entra/",
)

every_page = pytest.mark.parametrize("path", pages(), ids=title)


def anchors(text: str) -> set[str]:
    """The fragments that GitHub gives to a page's headings."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose(text)))
    return {heading.strip().replace(" ", "-") for heading in kept}


def links(text: str) -> Iterator[str]:
    """Where a page leads."""
    yield from _LINK.findall(prose(text))


def _listed(entry: Any) -> Iterator[str]:
    """The pages of a navigation."""
    match entry:
        case str():
            yield entry
        case dict():
            yield from _listed(list(entry.values()))
        case list():
            for one in entry:
                yield from _listed(one)


@every_page
def test_every_link_within_the_repository_resolves(path: Path) -> None:
    for link in links(read(path)):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = (path.parent / parts.path).resolve() if parts.path else path
        assert target.exists(), f"{title(path)} leads to {link}"
        if parts.fragment and target.suffix == ".md":
            assert parts.fragment in anchors(read(target)), f"{title(path)} leads to {link}"


@every_page
def test_links_are_https(path: Path) -> None:
    assert [link for link in links(read(path)) if urlsplit(link).scheme not in ("", "https")] == []


@pytest.mark.parametrize("path", guides(), ids=title)
def test_microsofts_pages_are_named_without_a_language(path: Path) -> None:
    found = [urlsplit(link).path for link in links(read(path)) if urlsplit(link).hostname == "learn.microsoft.com"]
    assert [page for page in found if not page.startswith(_WELL_KNOWN)] == []


@pytest.mark.parametrize("path", guides(), ids=title)
def test_every_file_that_is_named_exists(path: Path) -> None:
    named = {span for span in spans(read(path)) if _PATH.fullmatch(span)}
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_every_page_that_the_program_names_exists() -> None:
    sources = (path.read_text(encoding="utf-8") for path in sorted((ROOT / "auditor").rglob("*.py")))
    named = {name for source in sources for name in _NAMED_IN_CODE.findall(source)}
    assert "docs/app-registration.md" in named
    assert {name for name in named if not (ROOT / name).is_file()} == set()


def test_every_page_of_the_docs_is_reached_from_the_readme_or_the_navigation() -> None:
    reached: set[Path] = set()
    navigation = tomllib.loads(read(ROOT / "zensical.toml"))["project"]["nav"]
    ahead = [ROOT / "README.md", *(DOCS / name for name in _listed(navigation))]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        named = {(page.parent / urlsplit(link).path).resolve() for link in links(read(page)) if "://" not in link}
        ahead += [path for path in named - reached if path.suffix == ".md" and path.is_file()]
    assert {title(path) for path in guides() if path not in reached} == set()


def test_a_fragment_is_what_github_makes_of_a_heading() -> None:
    assert anchors("# Go live in five minutes\n## What is `unknown`?\n") == {
        "go-live-in-five-minutes",
        "what-is-unknown",
    }
