"""The pages of docs/rules: an index, a page for each pack, and one for each rule where its pack begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from types import MappingProxyType

from auditor.jobs.pack_pages import index_page, pack_page, rule_page
from auditor.model.document import Document, code
from auditor.model.rule import Pack, Rule
from auditor.packs.load import load, shipped_names, shipped_source
from auditor.render.documents import as_markdown
from tests.docs.pages import for_readers

FOLDER = "docs/rules"
NOTE = "Written by UPDATE_DOCS=1 pytest tests/docs from the packs in rules/: change those."
INDEX_READERS = (
    "For administrators who want a tenant judged by a benchmark, and for everyone who looks up a rule of a report."
)


@cache
def packs() -> tuple[Pack, ...]:
    """Every shipped pack, those that only serve others, too."""
    return tuple(load(shipped_source(name)) for name in shipped_names())


def root_of(pack: Pack) -> Pack:
    """The pack that the rules of this one come from."""
    by_name = {one.name: one for one in packs()}
    while pack.extends:
        pack = by_name[pack.extends]
    return pack


def _pages() -> Iterator[tuple[str, Callable[[], Document]]]:
    yield f"{FOLDER}/README.md", lambda: for_readers(index_page(packs()), INDEX_READERS)
    for pack in packs():
        root = root_of(pack)
        yield f"{FOLDER}/{pack.name}/README.md", partial(_pack_page, pack, "" if root is pack else f"../{root.name}/")
        if root is pack:
            for rule in pack.rules:
                yield f"{FOLDER}/{pack.name}/{rule.id}.md", partial(_rule_page, pack, rule)


def _pack_page(pack: Pack, folder: str) -> Document:
    return for_readers(pack_page(pack, folder), f"For everyone who checks a tenant by the pack {code(pack.name)}.")


def _rule_page(pack: Pack, rule: Rule) -> Document:
    sentence = f"For everyone who sees {code(rule.id)} in a report: what it checks, why, and what to change."
    return for_readers(rule_page(pack, rule), sentence)


def _bytes(page: Callable[[], Document]) -> bytes:
    return as_markdown(page(), NOTE).encode()


FILES = MappingProxyType({path: partial(_bytes, page) for path, page in _pages()})
"""The bytes of each page, by its path in the repository."""
