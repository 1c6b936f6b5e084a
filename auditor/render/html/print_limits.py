"""The limits of the printed page: every text that a tenant can make long is cut, and dots mark the cut.

The PDF renderer breaks a long text in a narrow column again and again, which takes minutes for names of 10,000
characters. A browser doesn't, so the page for screens is complete, as are JSON, CSV and XLSX.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from auditor.render.html.answer_section import StepRow
from auditor.render.html.grant_section import GrantLine
from auditor.render.html.page_view import CallView, PageView
from auditor.render.html.parts import AddressView, CodeView
from auditor.render.text_layout import clip

TEXT = 700
"""Columns of one text. Even the longest texts of the shipped packs are shorter."""
WORD = 160
"""Columns of a text without blanks, which is a name."""
ADDRESS = 2000
"""Columns of an address. Longer ones are useless on paper, and browsers cut them too."""
READ = 400
"""Characters of the address of a read request, with everything that it selects."""
COMMANDS = 20_000
"""Characters of lines to copy."""
_PER_COLUMN = 3
"""Characters in a column: a letter of Thai or Hindi has at most two marks."""
_ROOMS = MappingProxyType({GrantLine: 200, StepRow: 4000})
"""Other limits: the names of grants are short and many, and a step can name all scopes of an app."""


def for_paper(view: PageView) -> PageView:
    """The page with no text too long for paper. A cut command can't be run, and a cut address isn't a link."""
    cut: PageView = _cut(view, TEXT)
    return cut


def _cut(value: Any, room: int) -> Any:
    match value:
        case AddressView():
            return _address(value)
        case CodeView():
            return _code(value)
        case CallView():
            return _call(value)
        case str():
            return _text(value, room)
        case tuple():
            inner = [_cut(each, _ROOMS.get(type(value), room)) for each in value]
            return type(value)(*inner) if hasattr(value, "_fields") else tuple(inner)
    return value


def _text(text: str, room: int) -> str:
    """The text with its long words cut, then cut itself."""
    if len(text) > WORD:
        text = " ".join(_short(word, WORD) for word in text.split(" "))
    return _short(text, room)


def _short(text: str, room: int) -> str:
    """The text in at most `room` columns and not many more characters: one letter can have a thousand accents."""
    cut = clip(text, room)
    most = room * _PER_COLUMN
    return cut if len(cut) <= most else f"{cut[: most - 3]}..."


def _address(one: AddressView) -> AddressView:
    """A cut address leads elsewhere, so it isn't a link."""
    return one if len(one.text) <= ADDRESS else one._replace(text=_short(one.text, WORD), href="")


def _call(one: CallView) -> CallView:
    """A request shows everything that it selected. Its address has no marks, so its characters are its columns."""
    short = one.address if len(one.address) <= READ else f"{one.address[: READ - 3]}..."
    return CallView(*(_text(text, TEXT) for text in one))._replace(address=short)


def _code(one: CodeView) -> CodeView:
    """Lines that are too long are left out completely, because a part of a command can be a command too."""
    if len(one.text) <= COMMANDS:
        return one
    return one._replace(text=f"Too long to print ({len(one.text)} characters): the JSON report has it.")
