"""The pages of docs/apps: the catalogue by category, and a page for each app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import MappingProxyType

from auditor.jobs.app_catalog import app_named, by_category, every_app, listed_apps
from auditor.jobs.app_pages import app_page, list_page
from auditor.model.document import Document
from auditor.render.documents import as_markdown

FOLDER = "docs/apps"
NOTE = "Written by UPDATE_DOCS=1 pytest tests/docs from the packs in rules/apps/: change those."


def _index() -> Document:
    found = listed_apps()
    return list_page(by_category(found.apps), found.without_client_id, links=True)


def _page(name: str) -> Document:
    return app_page(app_named(name))


def _pages() -> Iterator[tuple[str, Callable[[], Document]]]:
    yield f"{FOLDER}/README.md", _index
    for app in every_app():
        yield f"{FOLDER}/{app.name}.md", partial(_page, app.name)


def _bytes(page: Callable[[], Document]) -> bytes:
    return as_markdown(page(), NOTE).encode()


FILES = MappingProxyType({path: partial(_bytes, page) for path, page in _pages()})
"""The bytes of each page, by its path in the repository."""
