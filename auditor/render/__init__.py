"""Render a report as bytes: the registry of formats. Each format is one module, imported only when it's used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple

from auditor.model.document import series
from auditor.model.errors import AuditorError
from auditor.model.report import Report


class UnknownFormat(LookupError):
    """There is no format with this name; the message lists the formats."""


class FormatUnavailable(AuditorError):
    """A format needs something that isn't installed; the message ends with how to install it."""


class Format(NamedTuple):
    """A format and the module that renders it, with ``render(report, **options) -> str | bytes``.

    Its files get the extension `ending`; `other_endings` are recognized too. `needs` names packages outside the core
    dependencies (distribution and module have the same name); the `extra` installs them. A format that `is_binary`
    isn't written to a terminal. One that `is_streamed` also has ``write(report, file)``, which keeps only some rows of
    a large tenant in memory. One that `shows_trend` takes the options ``history``, the earlier runs, and
    ``since_last``; one that `has_summary` takes ``only_summary``, for its first page alone; one that
    `points_into_files` takes ``places``, the paths of the packs' files in the repository. A format with `tables` writes
    a file for each of them into a folder; `write` takes ``FORMAT/TABLE`` for one. If a format doesn't show
    what-ifs (`shows_what_if`), a user who asks for one is warned.
    """

    module: str
    ending: str
    needs: tuple[str, ...] = ()
    extra: str = ""
    other_endings: tuple[str, ...] = ()
    is_binary: bool = False
    is_streamed: bool = False
    shows_trend: bool = False
    has_summary: bool = False
    shows_what_if: bool = True
    points_into_files: bool = False
    tables: tuple[str, ...] = ()


FORMATS = MappingProxyType(
    {
        "text": Format("auditor.render.text", ".txt"),
        "json": Format("auditor.render.json", ".json", is_streamed=True),
        "markdown": Format(
            "auditor.render.markdown", ".md", other_endings=(".markdown",), shows_trend=True, has_summary=True
        ),
        "sarif": Format("auditor.render.sarif", ".sarif", other_endings=(".sarif.json",), points_into_files=True),
        "junit": Format("auditor.render.junit", ".xml"),
        "csv": Format(
            "auditor.render.csv",
            ".csv",
            is_streamed=True,
            tables=(
                "summary",
                "decisions",
                "what-if",
                "scopes",
                "findings",
                "grants",
                "unread",
                "calls",
                "after-consent",
                "stopped-users",
            ),
        ),
        "xlsx": Format(
            "auditor.render.xlsx", ".xlsx", needs=("xlsxwriter",), extra="xlsx", is_binary=True, is_streamed=True
        ),
        "ocsf": Format("auditor.render.ocsf", ".ocsf.jsonl", other_endings=(".jsonl",), shows_what_if=False),
        "html": Format("auditor.render.html", ".html", other_endings=(".htm",), shows_trend=True, has_summary=True),
        "pdf": Format(
            "auditor.render.pdf",
            ".pdf",
            needs=("weasyprint",),
            extra="pdf",
            is_binary=True,
            shows_trend=True,
            has_summary=True,
        ),
    }
)
"""By the name for ``-f``."""


def format_of(name: str) -> Format:
    """The format of this name; raises UnknownFormat."""
    try:
        return FORMATS[name]
    except KeyError:
        raise UnknownFormat(f"no format {name!r}; the formats are {', '.join(FORMATS)}") from None


def files_in_folder(name: str) -> tuple[tuple[str, str], ...]:
    """What a format writes into a folder: ``("html", "report.html")``, or ``("csv/scopes", "scopes.csv")`` and so on.

    Each pair is what `write` takes as its format, and the name of the file. Raises UnknownFormat.
    """
    form = format_of(name)
    if not form.tables:
        return ((name, f"report{form.ending}"),)
    return tuple((f"{name}/{table}", f"{table}{form.ending}") for table in form.tables)


def must_be_available(name: str) -> None:
    """Raise FormatUnavailable if the format needs a package that isn't installed; nothing is imported."""
    needs = format_of(name).needs
    if not needs:
        return
    from importlib.util import find_spec

    missing = [package for package in needs if find_spec(package) is None]
    if missing:
        how = how_to_install(" ".join(missing))
        raise FormatUnavailable(f"the format {name} needs {not_installed(missing)}: {how}")


EXTRAS: Mapping[str, tuple[str, ...]] = {
    "nightly": ("alembic", "apprise", "platformdirs", "sqlalchemy"),
    "fleet": ("procrastinate", "psycopg[binary]"),
}
"""The packages of the extras that commands need, as pip takes them."""


def not_installed(packages: Sequence[str]) -> str:
    """A clause on packages that are missing: ``alembic and sqlalchemy, which aren't installed``."""
    return f"{series(packages)}, which {'is' if len(packages) == 1 else 'are'}n't installed"


def how_to_install_extras(*names: str) -> str:
    """The advice to install every package of these `EXTRAS`, so that no other command finds one missing."""
    packages = " ".join(package for name in names for package in EXTRAS[name])
    return f"Install the {'extra' if len(names) == 1 else 'extras'} {series(names)}: {how_to_install(packages)}."


def how_to_install(packages: str) -> str:
    """How to add packages next to this program. No registry has the program itself, so no extra can be named."""
    return (
        f"run 'pipx inject consent-auditor {packages}' if you installed the program with pipx,"
        f" or 'pip install {packages}' in its virtual environment"
    )


def render(report: Report, format: str, **options: Any) -> bytes:
    """The report in a format of `FORMATS`; text is encoded as UTF-8. `options` go to the format's own ``render``.

    Raises UnknownFormat, and FormatUnavailable if the format needs something that isn't installed.
    """
    form = format_of(format)
    must_be_available(format)
    made: str | bytes = import_module(form.module).render(report, **options)
    return made.encode() if isinstance(made, str) else made


def write(report: Report, format: str, file: BinaryIO) -> None:
    """Write the report, or with ``FORMAT/TABLE`` one table of it, to an open file in a format that `is_streamed`.

    Raises OSError, and what `render` raises.
    """
    name, _, table = format.partition("/")
    module = format_of(name).module
    must_be_available(name)
    options = {"table": table} if table else {}
    import_module(module).write(report, file, **options)
