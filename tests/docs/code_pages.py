"""The page docs/error-codes.md: every code of the table, as ``consent-auditor explain`` explains it."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.facts.sign_in_codes import SignInCode, checks, error_names, pages_about, pages_read, sign_in_codes
from auditor.model.document import Block, Cell, FactList, Grid, Heading, Paragraph, Point, Points, Title, code
from auditor.render.documents import as_markdown
from auditor.render.explanation import FIXERS

NOTE = "Written by UPDATE_DOCS=1 pytest tests/docs from auditor/facts/sign_in_codes.json: change that."

TOPICS = {
    "consent": "Consent",
    "assignment": "Assignment",
    "app": "The app in the tenant",
    "resource": "The services that the app uses",
    "request": "The app's request",
    "account": "The user's account",
    "tenant": "The tenant and the cloud",
    "access": "Conditional Access and other access rules",
    "token": "Tokens",
    "credential": "The app's own credential",
    "device code": "Device codes",
    "service": "Microsoft's service",
}


def page() -> bytes:
    """The whole page."""
    return as_markdown(tuple(_blocks()), NOTE).encode()


def _blocks() -> Iterator[Block]:
    yield Title("Error codes of Microsoft's sign-in")
    yield Paragraph("For support engineers and administrators who have an AADSTS code and want to know what to do.")
    yield Paragraph(
        f"What {code('consent-auditor explain')} says about each code. It also takes a pasted error page or message,"
        " the address of a failed sign-in and the address that an app sends users to, and says with"
        f" {code('--snapshot')}, {code('--sample')} or a live tenant whether this tenant would answer so."
    )
    yield Paragraph(
        f"The meaning of each code is from the page that it names, read {pages_read()}; who can fix it, the order of"
        " the causes and how to find out are this program's own. A code that is reported isn't in Microsoft's"
        f" reference. Microsoft explains any code at {code('https://login.microsoftonline.com/error?code=90094')}, with"
        " your number at the end."
    )
    for topic, heading in TOPICS.items():
        codes = {number: one for number, one in sign_in_codes().items() if one.topic == topic}
        yield Heading(heading)
        rows = tuple(
            (Cell(number), Cell(one.title), Cell(FIXERS[one.fixer]))
            for number, one in sorted(codes.items(), key=_order)
        )
        yield Grid(("AADSTS", "What it means", "Who can fix it"), rows, 1)
    yield Heading("Errors without a number")
    rows = tuple((Cell(code(name)), Cell(one.means), Cell(one.code)) for name, one in error_names().items())
    yield Grid(("Error", "What it means", "Usually with"), rows, 1)
    for number, one in sorted(sign_in_codes().items(), key=_order):
        yield from _code(number, one)


def _order(item: tuple[str, SignInCode]) -> str:
    """Related numbers next to each other: 50011 before 500113."""
    return item[0]


def _code(number: str, one: SignInCode) -> Iterator[Block]:
    yield Heading(f"AADSTS{number}: {one.title}")
    yield Paragraph(f"{one.means} The user sees: {one.sees}")
    yield Points(tuple(Point(_cause(one, place)) for place in range(len(one.causes))))
    name = (("Microsoft's name", Cell(code(one.name))),) if one.name else ()
    pages = tuple(
        ("Source", Cell(f"{about.title}{f' ({about.date})' if about.date else ''}", about.url))
        for about in pages_about(one)
    )
    reported = (("Reported by", Cell(one.reported)),) if one.reported else ()
    yield FactList((*name, ("Who can fix it", Cell(FIXERS[one.fixer])), *pages, *reported))


def _cause(one: SignInCode, place: int) -> str:
    cause = one.causes[place]
    who = f" ({FIXERS[cause.fixer]})" if cause.fixer and cause.fixer is not one.fixer else ""
    how = f" Checked by: {checks()[cause.check].what}." if cause.check else ""
    return f"{cause.why}{who}{how}"
