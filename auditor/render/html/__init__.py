"""The report as one HTML file: no network, no script needed to read it, under a strict policy of its own."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from auditor.model.report import Report, Summary
from auditor.render.disagreements import ABOUT, HEADING
from auditor.render.html.paper import for_paper
from auditor.render.html.tones import HOLLOW, TONES
from auditor.render.html.view import view
from auditor.render.layout import safe
from auditor.shipped import root

_FOLDER = "html"


def render(report: Report, *, history: Sequence[tuple[str, Summary]] = (), for_print: bool = False) -> str:
    """The page. Same report, same text.

    `history` are the times and counts of earlier runs, oldest first; with one or more the page shows a trend.
    `for_print` opens everything, leaves out the script and cuts what is too long for paper, for a program that makes
    pages of it.
    """
    whole = view(report, history, for_print=for_print)
    style = asset("style.css") + (asset("paper.css") if for_print else "")
    script = "" if for_print else asset("script.js")
    page = _environment().get_template("page.html.j2")
    made: str = page.render(
        view=for_paper(whole) if for_print else whole,
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704  # shipped with the program, nothing of the tenant
        script=Markup(script),  # noqa: S704  # likewise
        for_print=for_print,
        ink=TONES,
        hollow=HOLLOW,
        words={"disagree": HEADING, "about": ABOUT},
    )
    return made + "\n"


@cache
def asset(name: str) -> str:
    """A shipped file of the page."""
    return (root("reports") / _FOLDER / name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    """Nothing may be loaded, sent or framed; only this style and this script run, known by their hashes."""
    scripts = f"'sha256-{_digest(script)}'" if script else "'none'"
    return (
        f"default-src 'none'; style-src 'sha256-{_digest(style)}'; script-src {scripts};"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(asset),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters["lines"] = _lines
    return environment


def _shown(value: Any) -> Any:
    """What a template prints: control characters and marks that reorder a line become visible escapes."""
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """Lines to copy: each made safe, their breaks kept."""
    return Markup("\n").join(safe(line.rstrip()) for line in text.split("\n"))
