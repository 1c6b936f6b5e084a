"""Report to bytes, one module for each format, loaded only when asked for."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

from auditor.model.report import Report
from auditor.render.errors import FormatUnavailable as FormatUnavailable
from auditor.render.errors import UnknownFormat as UnknownFormat


class Format(NamedTuple):
    """Where a format is made: a module with ``render(report, **options) -> str | bytes``.

    `ending` is that of its files, and `other_endings` are taken for it, too. `needs` are modules outside the core
    dependencies, which the `extra` of that name installs. What `is_binary` does not go to a terminal. What
    `shows_trend` takes ``history``, the earlier runs. What does not show a supposed change (`shows_what_if`) is told to
    whoever asked for one. What `points_into_files` takes ``places``, where the files of packs lie in the repository.
    """

    module: str
    ending: str
    needs: tuple[str, ...] = ()
    extra: str = ""
    other_endings: tuple[str, ...] = ()
    is_binary: bool = False
    shows_trend: bool = False
    shows_what_if: bool = True
    points_into_files: bool = False


FORMATS = MappingProxyType(
    {
        "text": Format("auditor.render.text", ".txt"),
        "json": Format("auditor.render.json", ".json"),
        "markdown": Format("auditor.render.markdown", ".md", other_endings=(".markdown",)),
        "sarif": Format("auditor.render.sarif", ".sarif", other_endings=(".sarif.json",), points_into_files=True),
        "junit": Format("auditor.render.junit", ".xml"),
        "csv": Format("auditor.render.csv", ".csv"),
        "xlsx": Format("auditor.render.xlsx", ".xlsx", needs=("xlsxwriter",), extra="xlsx", is_binary=True),
        "ocsf": Format("auditor.render.ocsf", ".ocsf.jsonl", other_endings=(".jsonl",), shows_what_if=False),
        "html": Format("auditor.render.html", ".html", other_endings=(".htm",), shows_trend=True),
        "pdf": Format(
            "auditor.render.pdf", ".pdf", needs=("weasyprint",), extra="pdf", is_binary=True, shows_trend=True
        ),
    }
)
"""By the name that ``-f`` takes."""


def format_of(name: str) -> Format:
    """The format of this name; raises UnknownFormat."""
    try:
        return FORMATS[name]
    except KeyError:
        raise UnknownFormat(f"no format {name!r}; there are {', '.join(FORMATS)}") from None


def must_be_available(name: str) -> None:
    """Raise FormatUnavailable where the format needs a module that is not installed; nothing is imported."""
    form = format_of(name)
    missing = [module for module in form.needs if find_spec(module) is None]
    if missing:
        raise FormatUnavailable(
            f"the format {name} needs {', '.join(missing)}, which is not installed: run"
            f" pip install 'consent-auditor[{form.extra}]'"
        )


def render(report: Report, format: str, **options: Any) -> bytes:
    """The report in a format of `FORMATS`; text becomes UTF-8. `options` go to the format's own ``render``.

    Raises UnknownFormat, and FormatUnavailable where the format needs what is not installed.
    """
    form = format_of(format)
    must_be_available(format)
    made: str | bytes = import_module(form.module).render(report, **options)
    return made.encode() if isinstance(made, str) else made
