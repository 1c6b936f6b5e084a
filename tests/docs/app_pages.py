"""The pages of docs/apps: the catalogue by category, and a page for each app."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import MappingProxyType

from auditor.jobs.app_catalog import app_named, by_category, every_app, listed_apps
from auditor.jobs.app_pages import app_page, list_page
from auditor.model.document import Document
from auditor.packs.app_catalog import CatalogApp, catalog, catalog_app, catalog_pack
from auditor.packs.load import catalog_names
from auditor.render.documents import as_markdown
from tests.docs.pages import for_readers

FOLDER = "docs/apps"
INDEX_READERS = "For administrators and support engineers who look for an app that their users connect."
NOTE = "Written by UPDATE_DOCS=1 pytest tests/docs from the packs in rules/apps/: change those."


def _apps() -> tuple[CatalogApp, ...]:
    """Every app as its file describes it, also if the stored index lacks a new one."""
    new = {name: catalog_app(catalog_pack(name)) for name in catalog_names()}
    others = (one for one in every_app() if one.client_id not in {app.client_id for app in catalog()})
    return tuple(sorted((*new.values(), *others), key=lambda one: one.name))


def _index() -> Document:
    return list_page(by_category(_apps()), listed_apps().without_client_id, links=True)


def _page(name: str) -> Document:
    pack = catalog_pack(name) if name in catalog_names() else app_named(name)
    asked = pack.app.name if pack.app is not None else name
    return for_readers(app_page(pack), f"For administrators and support engineers whose users connect {asked}.")


def _pages() -> Iterator[tuple[str, Callable[[], Document]]]:
    yield f"{FOLDER}/README.md", lambda: for_readers(_index(), INDEX_READERS)
    for app in _apps():
        yield f"{FOLDER}/{app.name}.md", partial(_page, app.name)


def _bytes(page: Callable[[], Document]) -> bytes:
    return as_markdown(page(), NOTE).encode()


FILES = MappingProxyType({path: partial(_bytes, page) for path, page in _pages()})
"""The bytes of each page, by its path in the repository."""
