"""The templates of HTML pages: shipped files in `reports/`, rendered so that no name can become markup."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from auditor.facts import shipped_tree
from auditor.render.text_layout import safe


@cache
def asset(name: str, folder: str = "html") -> str:
    """A shipped file of the pages in this folder of `reports/`."""
    return (shipped_tree("reports") / folder / name).read_text(encoding="utf-8")


@cache
def environment(*folders: str) -> Environment:
    """The templates of these folders of `reports/`, each name looked up in the first folder that has it.

    Everything that a template prints is escaped, and a name that a template misspells is an error.
    """

    def source(name: str) -> str | None:
        for folder in folders:
            if (shipped_tree("reports") / folder / name).is_file():
                return asset(name, folder)
        return None

    made = Environment(
        loader=FunctionLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    made.filters["lines"] = _lines
    return made


def _shown(value: Any) -> Any:
    """What a template prints, with control characters and marks that reorder a line as visible escapes."""
    return safe(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """Lines to copy: each is made safe, and the line breaks are kept."""
    return Markup("\n").join(safe(line.rstrip()) for line in text.split("\n"))
