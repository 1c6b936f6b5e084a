"""The HTML page as a test reads it, and reports that many tests print."""

from __future__ import annotations

from typing import Any, TypeVar
from xml.etree.ElementTree import Element

import html5lib
import msgspec

from auditor.facts.ids import MICROSOFT_GRAPH
from auditor.model.report import Granted, GrantKind, GrantRow, Report
from tests.render.reports import connects

Made = TypeVar("Made", bound=msgspec.Struct)

SVG = "{http://www.w3.org/2000/svg}"


def tree(page: str) -> Element:
    """The page as a browser reads it; any error of the parser is an error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(page)
    return root


def words_of(page: str) -> str:
    return " ".join("".join(tree(page).itertext()).split())


def replaced(made: Made, **changes: Any) -> Made:
    return msgspec.structs.replace(made, **changes)


def element_by_id(page: str, name: str) -> Element:
    found = tree(page).find(f".//*[@id='{name}']")
    assert found is not None, name
    return found


def shown(page: str, name: str) -> str:
    return " ".join("".join(element_by_id(page, name).itertext()).split())


def grants(number: int) -> Report:
    rows = tuple(
        GrantRow(
            client_id=f"{n:08}-0000-4000-8000-000000000000",
            client_name=f"App {n}",
            kind=GrantKind.DELEGATED,
            resource_id=MICROSOFT_GRAPH,
            resource_name="Microsoft Graph",
            permissions=("Mail.Read", "User.Read"),
        )
        for n in range(number)
    )
    return replaced(connects(), granted=Granted(rows=rows, whole=True))
