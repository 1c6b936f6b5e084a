"""A dashboard of nightly runs as a folder of HTML pages: no server, no script, nothing loaded from elsewhere.

The pages share one style sheet, that of the HTML report with a few additions. The same data gives the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from auditor.facts import shipped_tree
from auditor.model.difference import Difference
from auditor.model.history import Run
from auditor.model.site import SiteData, is_changed
from auditor.render.fleet_words import STATES
from auditor.render.html.parts import HOLLOW as HOLLOW_TONES
from auditor.render.html.parts import TONES
from auditor.render.html.templates import asset, environment
from auditor.render.labels import encoded
from auditor.render.site.attention import TenantNights, sorted_states
from auditor.render.site.charts import HOLLOW
from auditor.render.site.index_view import index_view, rule_rows
from auditor.render.site.page_names import (
    FINDINGS,
    INDEX,
    STYLE,
    PageLinks,
    is_page_name,
    run_page,
    tag_page,
    tenant_page,
)
from auditor.render.site.tenant_view import run_view, tenant_view

__all__ = ["INDEX", "MARK", "RunPage", "Site", "is_page_name"]

_FOLDER = "site"
_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"
"""Nothing can be loaded, sent, framed or run, except the dashboard's own style sheet."""
MARK = "consent-auditor dashboard"
"""In the first line of every file, so that no other file is replaced or removed."""


class RunPage(NamedTuple):
    """The page of a run: its name, and a digest of everything in it but the changes, which a run never changes."""

    name: str
    run: Run
    digest: str


class Site:
    """The pages of a dashboard."""

    def __init__(self, data: SiteData) -> None:
        self._data = data
        self._states = sorted_states(data)
        self._by_run = {run.id: state for state in self._states for run in state.tenant.runs}

    def pages(self) -> Iterator[tuple[str, str]]:
        """The name and the text of every file but the pages of runs. The index comes last: it links to the others."""
        yield STYLE, style_sheet()
        up = PageLinks("../")
        for state in self._states:
            yield tenant_page(state.tenant), self._rendered("tenant", up, view=tenant_view(state, up))
        for tag in sorted({tag for state in self._states for tag in state.tenant.tags}):
            yield tag_page(tag), self._index(self._states, up, tag)
        here = PageLinks()
        rows = rule_rows(self._states, self._data.at, here)
        yield FINDINGS, self._rendered("findings", here, rows=rows, at=self._data.at)
        yield INDEX, self._index(self._states, here)

    def run_pages(self) -> tuple[RunPage, ...]:
        """The pages of the runs in which something changed, in the order of tenants and time."""
        return tuple(
            RunPage(run_page(state.tenant, run), run, _digest(run, state, self._data.tool))
            for state in self._states
            for run in state.tenant.runs
            if is_changed(run)
        )

    def run_text(self, run: Run, difference: Difference | None) -> str:
        """The text of the page of this run. Without its difference, the page says that the changes aren't kept."""
        up = PageLinks("../")
        return self._rendered("run", up, view=run_view(self._by_run[run.id], run, difference, up))

    def _index(self, states: Sequence[TenantNights], links: PageLinks, tag: str = "") -> str:
        return self._rendered(
            "index", links, view=index_view(states, self._data.at, links, tag, self._data.fleets.get(tag))
        )

    def _rendered(self, template: str, links: PageLinks, **values: Any) -> str:
        made: str = (
            environment(_FOLDER, "html")
            .get_template(f"{template}.html.j2")
            .render(
                **values,
                links=links,
                policy=_POLICY,
                tool=self._data.tool,
                mark=MARK,
                ink=TONES,
                outlined=HOLLOW,
                hollow=HOLLOW_TONES,
                states=STATES,
            )
        )
        return f"{made}\n"


def style_sheet() -> str:
    """The style sheet of all pages."""
    return f"/* {MARK} */\n{asset('style.css')}{asset('site.css', _FOLDER)}{asset('fleet.css')}"


def _digest(run: Run, state: TenantNights, tool: str) -> str:
    whole = encoded((run, state.tenant.name, tool, _layout()))
    return hashlib.sha256(whole).hexdigest()


@cache
def _layout() -> str:
    """A digest of the templates, so that an update renders every page again."""
    digest = hashlib.sha256()
    for folder in (_FOLDER, "html"):
        for file in sorted((shipped_tree("reports") / folder).iterdir(), key=lambda file: file.name):
            digest.update(file.read_bytes())
    return digest.hexdigest()
