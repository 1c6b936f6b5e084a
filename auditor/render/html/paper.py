"""What a page of paper has room for: every text that a tenant could make long is cut, and ends in dots where it is.

The program that makes the PDF breaks a long text in a narrow column again and again, which takes minutes with names of
10,000 characters. A browser does not, so the page for screens is whole; JSON, CSV and XLSX are, too.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from auditor.render.html.answers import StepRow
from auditor.render.html.fixes import Address, Way
from auditor.render.html.grants import GrantLine
from auditor.render.html.reads import CallView
from auditor.render.html.view import View
from auditor.render.layout import clip

TEXT = 700
"""Columns of one text. The longest of the packs that ship are shorter."""
WORD = 160
"""Columns of what has no blank in it: a name, not a sentence."""
ADDRESS = 2000
"""Columns of an address: longer ones are no use on paper, and browsers cut them, too."""
READ = 400
"""Characters of the address of a read, with all that it selects."""
COMMANDS = 20_000
"""Characters of lines to copy."""
_PER_COLUMN = 3
"""Characters in a column: a letter of Thai or Hindi has two marks at most."""
_ROOMS = MappingProxyType({GrantLine: 200, StepRow: 4000})
"""Where other lengths are ordinary: a grant's names are short and many, a step may name all scopes of an app."""


def for_paper(view: View) -> View:
    """The same page with no text longer than fits on paper. Commands and addresses are never cut so that they run."""
    cut: View = _cut(view, TEXT)
    return cut


def _cut(value: Any, room: int) -> Any:
    match value:
        case Address():
            return _address(value)
        case Way():
            return _way(value)
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
    """The text in so many columns, and not in many more characters: a letter can have a thousand accents in one."""
    cut = clip(text, room)
    most = room * _PER_COLUMN
    return cut if len(cut) <= most else f"{cut[: most - 3]}..."


def _address(one: Address) -> Address:
    """A cut address leads elsewhere, so it is no link any more."""
    return one if len(one.text) <= ADDRESS else one._replace(text=_short(one.text, WORD), href="")


def _call(one: CallView) -> CallView:
    """A read tells all that it selected; an address holds no marks, so that its characters are its columns."""
    short = one.address if len(one.address) <= READ else f"{one.address[: READ - 3]}..."
    return CallView(*(_text(text, TEXT) for text in one))._replace(address=short)


def _way(one: Way) -> Way:
    """Half of a command may be a command, too: what is too long is left out as a whole."""
    if len(one.text) <= COMMANDS:
        return one
    return one._replace(text=f"Too long to print ({len(one.text)} characters): the JSON report has it.")
