"""Report to bytes, one module for each format, loaded only when asked for."""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

from auditor.model.report import Report


class Format(NamedTuple):
    """Where a format is made: a module with ``render(report, **options) -> str | bytes``.

    `ending` is that of its files. `needs` are modules outside the core dependencies, by the name of the
    extra that installs them.
    """

    module: str
    ending: str
    needs: tuple[str, ...] = ()


FORMATS = MappingProxyType(
    {
        "text": Format("auditor.render.text", ".txt"),
        "json": Format("auditor.render.json", ".json"),
    }
)
"""By the name that ``-f`` takes."""


class UnknownFormat(LookupError):
    """There is no format of this name; the message lists those that there are."""


def render(report: Report, format: str, **options: Any) -> bytes:
    """The report in a format of `FORMATS`; text becomes UTF-8. `options` go to the format's own ``render``."""
    try:
        module = FORMATS[format].module
    except KeyError:
        raise UnknownFormat(f"no format {format!r}; there are {', '.join(FORMATS)}") from None
    made: str | bytes = import_module(module).render(report, **options)
    return made.encode() if isinstance(made, str) else made
