"""The report as PDF: the pages that the HTML report prints, made without a browser and without network access."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from auditor.model.document import parse_time, utc_text
from auditor.model.report import Report, Summary
from auditor.render import FormatUnavailable, how_to_install
from auditor.render.html import render as render_html

if TYPE_CHECKING:
    from auditor.model.difference import SinceLast

_VARIANT = "pdf/ua-1"
"""Tagged, with a title and a language, so that a screen reader can read it."""

_HOW_TO_INSTALL_PANGO = (
    "on Debian and Ubuntu, run 'apt install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0'; on macOS, run"
    " 'brew install pango'; on Windows, see https://doc.courtbouillon.org/weasyprint/stable/first_steps.html"
)


_WITHOUT_LIBRARY = "the format pdf needs a system library ({what}): install Pango; " + _HOW_TO_INSTALL_PANGO
_WITHOUT_WEASYPRINT = "the format pdf needs weasyprint, which isn't installed: {how}"


class NothingIsFetched(Exception):
    """The page referred to another file. It must be complete in itself, so this is a bug in this program."""


def render(
    report: Report,
    *,
    history: Sequence[tuple[str, Summary]] = (),
    since_last: SinceLast | None = None,
    only_summary: bool = False,
) -> bytes:
    """The PDF. The same report gives the same bytes on the same machine; other machines may have other fonts.

    Raises FormatUnavailable if weasyprint or a system library that it needs is missing.
    """
    weasyprint = _weasyprint()
    page = render_html(report, history=history, since_last=since_last, for_print=True, only_summary=only_summary)
    read = parse_time(report.taken)
    dated = f'<meta name="dcterms.created" content="{utc_text(read)}">\n</head>' if read else "</head>"
    document = weasyprint.HTML(string=page.replace("</head>", dated, 1), url_fetcher=_refuse, media_type="print")
    made: bytes = document.write_pdf(pdf_variant=_VARIANT)  # reproducible since weasyprint 70
    return made


def is_reason(text: str) -> bool:
    """Whether the text is a message of FormatUnavailable about this format, which a bundle without a PDF contains."""
    how = how_to_install("weasyprint")
    hints = (how, _with_pango(how))
    if text in (_WITHOUT_WEASYPRINT.format(how=hint) for hint in hints):
        return True
    start, end = _WITHOUT_LIBRARY.split("{what}")
    return re.fullmatch(rf"{re.escape(start)}(?:{_LIBRARY.pattern}){re.escape(end)}", text) is not None


_LIBRARY = re.compile(r"cannot load library '[\w.+-]{1,60}'|a part of Pango")
"""What a message says of a missing system library: nothing of the system's own text, which can contain a path."""


def _with_pango(how: str) -> str:
    return f"{how}, and install Pango; {_HOW_TO_INSTALL_PANGO}"


def _weasyprint() -> Any:
    """The library. Importing it loads system libraries, and raises OSError if one is missing."""
    try:
        import weasyprint
    except ImportError:
        how = _with_pango(how_to_install("weasyprint"))
        raise FormatUnavailable(_WITHOUT_WEASYPRINT.format(how=how)) from None
    except OSError as error:
        found = _LIBRARY.match(str(error))
        raise FormatUnavailable(_WITHOUT_LIBRARY.format(what=found[0] if found else "a part of Pango")) from None
    return weasyprint


def _refuse(url: str, *_: Any, **__: Any) -> NoReturn:
    raise NothingIsFetched(url)
