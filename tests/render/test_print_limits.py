"""The page of paper: no name is so long that the program which makes the PDF does not finish."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

import msgspec
import pytest

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.model.resources import ServicePrincipal
from auditor.render import render as render_bytes
from auditor.render.html import render
from auditor.render.html.page_view import _PER_COLUMN, _ROOMS, COMMANDS, TEXT, WORD, _cut, page_view
from auditor.render.html.parts import AddressView, CodeView
from auditor.snapshot.samples import sample, sample_names
from tests.render.pages import tree
from tests.render.test_html import hostile_with

MOST = max(TEXT, *_ROOMS.values())
LONG = pytest.mark.parametrize(
    "name",
    ["L" * 10_000, "wide words " * 1000, "予定表" * 3500, "e" + "\u0301" * 9999],
    ids=("one", "many", "wide", "accents"),
)


def long_named(name: str) -> Report:
    """A tenant in which every app, policy and publisher has this name, and what the packs make of it."""
    snapshot = sample("admin-consented-partly")
    inner = snapshot.sections
    sections = msgspec.structs.replace(
        inner,
        servicePrincipals=tuple(_named(each, name) for each in inner.servicePrincipals or ()),
        permissionGrantPolicies=tuple(
            msgspec.structs.replace(each, displayName=name, description=name)
            for each in inner.permissionGrantPolicies or ()
        ),
    )
    tenant = msgspec.structs.replace(snapshot.tenant, name=name)
    made = msgspec.structs.replace(snapshot, tenant=tenant, sections=sections)
    return build_report(made, chosen_packs(["trackerrms-uk", "grants-hygiene"]))


def _named(app: ServicePrincipal, name: str) -> ServicePrincipal:
    return msgspec.structs.replace(app, displayName=name)


def texts(element: Element) -> Iterator[str]:
    """Every text of the page, but for lines to copy and for the style sheet, which are of this program's making."""
    if element.tag not in ("style", "pre"):
        yield element.text or ""
        for child in element:
            yield from texts(child)
            yield child.tail or ""


@LONG
@pytest.mark.parametrize("made", [long_named, hostile_with])
def test_no_text_on_paper_is_longer_than_its_space(made: Callable[[str], Report], name: str) -> None:
    page = render(made(name), for_print=True)
    found = [text for text in texts(tree(page)) if not text.startswith("https://")]
    assert max(map(len, found)) <= MOST
    assert max(len(word) for text in found for word in text.split()) <= _PER_COLUMN * WORD + len('"".:')
    assert max(map(len, re.findall("<pre>.*?</pre>", page, re.DOTALL)), default=0) <= COMMANDS + 100


def test_a_tenant_of_long_names_makes_a_pdf_and_pages() -> None:
    report = long_named("L" * 10_000)
    assert render_bytes(report, "pdf").startswith(b"%PDF")
    assert "L" * 10_000 in render(report)


def test_what_is_cut_ends_in_dots_and_is_whole_elsewhere() -> None:
    report = long_named("L" * 10_000)
    assert f">{'L' * (WORD - 3)}...<" in render(report, for_print=True)
    for form in ("json", "csv"):
        assert b"L" * 10_000 in render_bytes(report, form)


@pytest.mark.parametrize("name", sample_names())
def test_an_ordinary_tenant_loses_nothing_on_paper(name: str) -> None:
    packs = chosen_packs(["trackerrms-uk", "trackerrms-us", "cisa-scuba", "grants-hygiene", "zero-trust-assessment"])
    whole = page_view(build_report(sample(name), packs), for_print=True)
    assert _cut(whole, TEXT) == whole


def test_half_a_command_and_half_an_address_are_not_printed() -> None:
    assert _cut(CodeView("w", "PowerShell", "x" * (COMMANDS + 1)), TEXT).text.startswith("Too long to print (20001 ")
    assert _cut(AddressView("a", "https://entra.microsoft.com/" + "x" * 2000, "https://…"), TEXT).href == ""
