"""The report as one HTML file, which needs no network, is readable without scripts, and has a strict content policy."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from auditor.model.report import Report, Summary
from auditor.render.html.page_view import for_paper, page_view
from auditor.render.html.parts import HOLLOW, TONES
from auditor.render.html.templates import asset, environment
from auditor.render.report_view import ABOUT_DISAGREEMENTS, DISAGREEMENTS
from auditor.render.summary import TITLE

if TYPE_CHECKING:
    from auditor.model.difference import SinceLast

_FOLDER = "html"


def render(
    report: Report,
    *,
    history: Sequence[tuple[str, Summary]] = (),
    since_last: SinceLast | None = None,
    for_print: bool = False,
    only_summary: bool = False,
) -> str:
    """The page. The same report gives the same text.

    `history` has the times and counts of earlier runs, oldest first; with at least one, the page shows a trend.
    `since_last` is what changed since the last report. With `for_print`, which the PDF uses, all sections are open,
    there is no script, and texts too long for paper are cut. With `only_summary`, it's the first page alone.
    """
    whole = page_view(report, history, since_last, for_print=for_print)
    style = asset("style.css") + asset("summary.css") + (asset("paper.css") if for_print else "")
    script = "" if for_print or only_summary else asset("script.js")
    page = environment(_FOLDER).get_template("page.html.j2")
    made: str = page.render(
        view=for_paper(whole) if for_print else whole,
        policy=content_policy(style, script),
        style=Markup(style),  # noqa: S704  # ships with the program, not from the tenant
        script=Markup(script),  # noqa: S704  # likewise
        for_print=for_print,
        only_summary=only_summary,
        ink=TONES,
        hollow=HOLLOW,
        words={"disagree": DISAGREEMENTS, "about": ABOUT_DISAGREEMENTS, "summary": TITLE},
    )
    return made + "\n"


def content_policy(style: str, script: str) -> str:
    """Nothing can be loaded, sent or framed; only this style and this script, named by their hashes, are allowed."""
    scripts = f"'sha256-{_digest(script)}'" if script else "'none'"
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src {scripts};"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
