"""The report as PDF: the pages that the HTML report prints, made without a browser and without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from auditor.model.report import Report, Summary
from auditor.render.errors import FormatUnavailable
from auditor.render.html import render as render_html
from auditor.render.moment import moment

_VARIANT = "pdf/ua-1"
"""Tagged, with a title and a language, so that a screen reader can read it."""

_HOW = (
    "run pip install 'consent-auditor[pdf]' and install Pango; on Debian and Ubuntu: apt install libpango-1.0-0"
    " libpangoft2-1.0-0 libharfbuzz-subset0; on Windows and macOS: see"
    " https://doc.courtbouillon.org/weasyprint/stable/first_steps.html"
)


class NothingIsFetched(Exception):
    """Something in the page asked for an address. The page is one file, so this is a fault of this program."""


def render(report: Report, *, history: Sequence[tuple[str, Summary]] = ()) -> bytes:
    """The PDF. The same report gives the same bytes on the same machine (another may have other fonts).

    Raises FormatUnavailable where weasyprint or the libraries of the system that it draws with are missing.
    """
    weasyprint = _weasyprint()
    page = render_html(report, history=history, for_print=True)
    read = moment(report.taken)
    dated = f'<meta name="dcterms.created" content="{read:%Y-%m-%dT%H:%M:%SZ}">\n</head>' if read else "</head>"
    document = weasyprint.HTML(string=page.replace("</head>", dated, 1), url_fetcher=_refuse, media_type="print")
    made: bytes = document.write_pdf(pdf_variant=_VARIANT)  # the same bytes from weasyprint 70 on, not before
    return made


def _weasyprint() -> Any:
    """The library; it loads those of the system when it is imported, and fails with OSError where one is missing."""
    try:
        import weasyprint
    except ImportError:
        raise FormatUnavailable(f"the format pdf needs weasyprint, which is not installed: {_HOW}") from None
    except OSError as error:
        what = str(error).partition(":")[0]
        raise FormatUnavailable(f"the format pdf needs a library of the system ({what}): {_HOW}") from None
    return weasyprint


def _refuse(url: str, *_: Any, **__: Any) -> NoReturn:
    raise NothingIsFetched(url)
