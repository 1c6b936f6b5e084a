"""The tables of a report, as CSV and as a workbook: complete, harmless, and the same bytes every time."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Granted, GrantKind, GrantRow, Report
from auditor.model.snapshot import Call, Provenance
from auditor.render import FORMATS, render, write
from auditor.render.csv import STARTS_A_FORMULA, without_formula
from auditor.render.sheets import SheetValue, sheets
from auditor.render.xlsx import LONGEST, MOST_ROWS, cut
from auditor.snapshot.samples import sample
from tests.golden import check_golden
from tests.limits import examples
from tests.render.reports import ALL
from tests.render.strategies import struct

GOLDEN = Path(__file__).parent / "golden_tables"
NAMES = (
    "Summary",
    "Answers",
    "What if",
    "Scopes",
    "Findings",
    "Grants",
    "Not read",
    "Calls",
    "After consent",
    "Stopped users",
)
SAMPLES = ("admin-consented-partly", "unreadable-policies")
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "|calc", "%0a=1", "\t=1", "＝1", "－1", " =cmd|' /C calc'!A0"]


def audited(name: str) -> Report:
    return build_report(sample(name), chosen_packs(["trackerrms-uk", "cisa-scuba"]), source="a sample", tool="the tool")


def rows_of(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def book_of(data: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: [tuple(cell.value for cell in row) for row in sheet.iter_rows()] for sheet in book}


def with_name(name: str) -> Report:
    row = GrantRow(
        client_id=name,
        client_name=name,
        kind=GrantKind.DELEGATED,
        resource_id=name,
        resource_name=name,
        permissions=(name, name),
        principal=name,
    )
    report = ALL["needs-admin"]()
    tenant = msgspec.structs.replace(report.tenant, name=name)
    return msgspec.structs.replace(report, tenant=tenant, source=name, granted=Granted(rows=(row,)))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_csv_of_a_sample_is_as_it_was_read_and_approved(name: str) -> None:
    check_golden(GOLDEN / f"{name}.csv", render(audited(name), "csv"))


@pytest.mark.parametrize("name", SAMPLES)
def test_the_workbook_holds_what_the_tables_hold(name: str) -> None:
    report = audited(name)
    book = book_of(render(report, "xlsx"))
    filled = [sheet for sheet in sheets(report) if sheet.rows]
    assert list(book) == [sheet.name for sheet in filled]
    for sheet in filled:
        head, *rows = book[sheet.name]
        assert head == tuple(column.head for column in sheet.columns)
        assert rows == [tuple(as_read(value) for value in row) for row in sheet.rows]


def as_read(value: SheetValue) -> Any:
    """The value as a reader of workbooks gives it back: nothing for no text, and times without the zone."""
    return value.replace(tzinfo=None) if isinstance(value, datetime) else None if value == "" else value


def test_times_can_be_calculated_with_and_say_that_they_are_utc() -> None:
    calls = (
        Call(section="users", address="/v1.0/users", at="2026-11-22T03:00:01.5+01:00"),
        Call(section="users", address="/v1.0/users", at="soon"),
        Call(section="users", address="/v1.0/users", at="1789-07-14T10:00:00Z"),
    )
    report = msgspec.structs.replace(audited("low-classified"), provenance=Provenance(calls=calls))
    book = openpyxl.load_workbook(io.BytesIO(render(report, "xlsx")))
    (cell,) = (row[1] for row in book["Summary"].iter_rows() if row[0].value == "Collected")
    assert (cell.value, cell.number_format) == (datetime(2026, 11, 22, 2), 'yyyy-mm-dd hh:mm:ss "UTC"')
    reported = [row[4].value for row in book["Calls"].iter_rows(min_row=2)]
    assert reported == [datetime(2026, 11, 22, 2, 0, 1, 500_000), "soon", "1789-07-14T10:00:00Z"]
    rows = [row for row in rows_of(render(report, "csv")) if row[0] == "Calls"]
    assert [cell for row in rows for cell in row if ":0" in cell] == [
        "2026-11-22T02:00:01.500000Z",
        "1789-07-14T10:00:00Z",
    ]


def test_every_part_of_the_report_has_its_table() -> None:
    found = {sheet.name: sheet for sheet in sheets(audited("admin-consented-partly"))}
    assert len(found["Answers"].rows) == 1
    assert len(found["Scopes"].rows) == 10
    assert len(found["Findings"].rows) == 14
    assert found["Grants"].rows
    assert {sheet.name: sheet for sheet in sheets(audited("unreadable-policies"))}["Not read"].rows
    assert [len(row) for sheet in found.values() for row in sheet.rows] == [
        len(sheet.columns) for sheet in found.values() for _ in sheet.rows
    ]


def test_each_table_can_be_a_file_of_its_own() -> None:
    report = audited("unreadable-policies")
    assert tuple(sheet.name for sheet in sheets(report)) == NAMES
    assert tuple(sheet.file for sheet in sheets(report)) == FORMATS["csv"].tables
    for sheet in sheets(report):
        out = io.BytesIO()
        write(report, f"csv/{sheet.file}", out)
        head, *rows = rows_of(out.getvalue())
        assert head == [column.head for column in sheet.columns]
        assert len(rows) == len(sheet.rows)


def test_every_sheet_prints_on_one_page_width_with_its_headings_and_wrapped_rows() -> None:
    book = openpyxl.load_workbook(io.BytesIO(render(audited("unreadable-policies"), "xlsx")))
    for sheet in book:
        assert sheet.max_row > 1
        assert sheet.page_setup.orientation == "landscape"
        assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
        fit = sheet.sheet_properties.pageSetUpPr
        assert fit and fit.fitToPage
        assert sheet.print_title_rows == "$1:$1"
        assert sheet.freeze_panes == "A2"
        assert all(cell.alignment.wrap_text for row in sheet.iter_rows(min_row=2) for cell in row if cell.value)
        assert all(width.width <= 61 for width in sheet.column_dimensions.values())


def test_rows_are_as_high_as_their_longest_cell_because_libreoffice_does_not_find_out_itself() -> None:
    report = audited("unreadable-policies")
    book = openpyxl.load_workbook(io.BytesIO(render(report, "xlsx")))
    heights = []
    for table in (table for table in sheets(report) if table.rows):
        widths = [min(column.width, 60) for column in table.columns]
        for number, row in enumerate(table.rows, start=2):
            texts = (len(value) if isinstance(value, str) else 1 for value in row)
            least = max(ceil(length / width) for length, width in zip(texts, widths, strict=True))
            heights.append(book[table.name].row_dimensions[number].height or 15)
            assert heights[-1] >= 15 * least, (table.name, number)
    assert {15, 30, 45} <= set(heights)


def test_a_script_finds_each_table_and_column_by_name() -> None:
    head, *rows = rows_of(render(audited("admin-consented-partly"), "csv"))
    assert len(set(head)) == len(head)
    blocked = [row for row in rows if row[0] == "Scopes" and row[head.index("Verdict")] == "blocked"]
    assert {row[head.index("Scope")] for row in blocked} == {"Contacts.ReadWrite", "MailboxSettings.Read"}


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_a_csv_is_a_formula(formula: str) -> None:
    cells = [cell for row in rows_of(render(with_name(formula), "csv")) for cell in row]
    assert any(formula.strip() in cell for cell in cells)
    assert [cell for cell in cells if cell.lstrip().startswith(STARTS_A_FORMULA)] == []


@pytest.mark.parametrize("formula", [*FORMULAS, "https://evil.example/", "mailto:x@y.example", "{=1}", "00012"])
def test_every_text_of_a_workbook_is_text(formula: str) -> None:
    data = render(with_name(formula), "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(data))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert all(cell.hyperlink is None for cell in cells)
    shown = [cell.value for cell in cells if cell.data_type == "s"]
    assert formula.strip() in shown


@given(struct(Report))
@settings(max_examples=examples(20))
def test_any_report_becomes_tables_that_can_be_read_back(report: Report) -> None:
    rows = rows_of(render(report, "csv"))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert not any(cell.lstrip().startswith(STARTS_A_FORMULA) for row in rows for cell in row)
    assert list(book_of(render(report, "xlsx"))) == [sheet.name for sheet in sheets(report) if sheet.rows]


@pytest.mark.parametrize("mark", [";", "; ", ";\t", ';"', "\t", "\n", "\r\n"])
@pytest.mark.parametrize("formula", ["=cmd|'/C calc'!A0", "+1", "@SUM(A1)", "＝1"])
def test_a_reader_with_another_separator_finds_no_formula_either(mark: str, formula: str) -> None:
    assert f"{mark}'{formula}" in str(without_formula(f"Mail sync{mark}{formula};x"))
    text = render(with_name(f"Mail sync{mark}{formula};x"), "csv").decode("utf-8-sig")
    for delimiter in ";\t":
        cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]
        assert [cell for cell in cells if cell.strip(' \t"').startswith(STARTS_A_FORMULA)] == []


@given(st.text())
def test_without_its_first_apostrophe_a_cell_is_what_it_was(text: str) -> None:
    shown = str(without_formula(text))
    assert shown.removeprefix("'").replace("'", "") == text.removeprefix("'").replace("'", "")
    if not set(text) & set(";\t\r\n"):
        assert shown.removeprefix("'") == text


@pytest.mark.parametrize("text", ["Contoso", "a;b", "'s-Hertogenbosch", "it's; that = this", ""])
def test_what_begins_no_formula_stays_as_it_is(text: str) -> None:
    assert without_formula(text) == (f"'{text}" if text.startswith("'") else text)


def test_the_same_report_gives_the_same_bytes() -> None:
    assert render(audited("low-classified"), "xlsx") == render(audited("low-classified"), "xlsx")
    with zipfile.ZipFile(io.BytesIO(render(audited("low-classified"), "xlsx"))) as archive:
        assert b"2026-11-22T02:00:00Z" in archive.read("docProps/core.xml")


@pytest.mark.parametrize("hostile", ["\x00\x1b[31m", "\u202egnp", "\ud800", "a\nb\rc", "x" * 40_000])
def test_a_hostile_name_breaks_no_table(hostile: str) -> None:
    report = with_name(hostile)
    assert {len(row) for row in rows_of(render(report, "csv"))} == {len(rows_of(render(report, "csv"))[0])}
    book = book_of(render(report, "xlsx"))
    assert max(len(str(cell)) for rows in book.values() for row in rows for cell in row) <= LONGEST


def test_a_text_that_is_too_long_for_a_cell_says_so() -> None:
    assert cut("x" * LONGEST) == "x" * LONGEST
    short = cut("x" * 50_000)
    assert len(short) == LONGEST
    assert short.endswith("[cut: 50000 characters in all]")


def test_what_does_not_fit_into_a_sheet_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_ROWS == 2**20
    monkeypatch.setattr("auditor.render.xlsx.MOST_ROWS", 5)
    rows = book_of(render(audited("admin-consented-partly"), "xlsx"))["Findings"]
    assert rows[-1][0] == "11 more rows don't fit into a sheet: the JSON report has all of them."
