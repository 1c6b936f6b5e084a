"""The page and the workbook of many tenants: complete, inert with any name, small, and readable without a script."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from xml.etree.ElementTree import Element

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from auditor.model.fleet import AppState, FleetReport, FleetSource
from auditor.render.fleet_sheets import sheets, workbook
from auditor.render.html.fleet_page import render
from auditor.render.message import parsed_message
from tests.render.fleets import ONE_APP, TWO_APPS, fleet
from tests.render.pages import replaced, shown, tree, words_of

MOST = 3_000_000
"""Bytes of a page that mail and ticket systems still accept and a phone still opens."""
MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)></style></title><!--{{ 7*7 }}{}"
FORMULAS = ["=1+1", "+1", "@SUM(A1)", "|calc", "%0a=1"]


@cache
def forty() -> FleetReport:
    return fleet(40)


@cache
def page(size: int) -> str:
    return render(fleet(size))


@cache
def elements() -> Mapping[str, Element]:
    """The elements of the page on forty tenants that have an ID."""
    return {str(one.get("id")): one for one in tree(page(40)).iter() if one.get("id")}


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def section(made: str, name: str) -> str:
    """The source of a section, for a page that takes seconds to parse."""
    return made.partition(f'<section id="{name}"')[2].partition("</section>")[0]


def test_the_answer_comes_first_and_then_each_count_once() -> None:
    made, app = page(40), forty().apps[0]
    text = words_of(made)
    assert text.index("34 OF 40 TENANTS NEED ATTENTION") < text.index(forty().answer) < text.index("Can users connect")
    card = text_of(elements()["app-1"])
    for number, words in ((app.connects, "connect"), (app.needs_admin, "need an administrator"), (1, "is unknown")):
        assert f"{number} {words}" in card
    assert "Of 39 tenants with an earlier audit: 3 no longer connect." in card


def test_every_tenant_of_a_reason_is_named_and_leads_to_what_to_do_there() -> None:
    card = elements()["app-1"]
    for reason in forty().apps[0].why:
        rows = [row for row in card.iter("details") if reason.setting[1:] in "".join(row.itertext())]
        (row,) = rows
        assert f"{len(reason.tenants)} of 40" in " ".join("".join(row.itertext()).split())
        links = {"".join(link.itertext()): link.get("href") for link in row.iter("a")}
        assert tuple(links) == reason.tenants
        assert all(links.values())


def test_every_link_within_the_page_leads_somewhere_and_no_id_is_there_twice() -> None:
    root = tree(page(40))
    ids = Counter(one.get("id") for one in root.iter() if one.get("id"))
    assert max(ids.values()) == 1
    links = {link.get("href", "") for link in root.iter("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= ids.keys()
    copied = {button.get("data-copy") for button in root.iter("button")}
    assert copied <= ids.keys()


def test_each_tenant_has_its_link_and_its_message_to_copy_and_to_mail() -> None:
    numbers = {one.name: number for number, one in enumerate(forty().tenants, start=1)}
    todo = [one for one in forty().tenants if one.todo]
    assert len(todo) == 33
    for one in todo:
        assert one.todo is not None
        part = elements()[f"todo-{numbers[one.name]}"]
        message = elements()[f"message-todo-{numbers[one.name]}"]
        assert "".join(message.itertext()) == one.todo.message
        links = [link.get("href", "") for link in part.iter("a")]
        assert [link for link in links if link.startswith("https:")] == ([one.todo.link] if one.todo.link else [])
        assert parsed_message(one.todo.message).mailto in links


def test_a_message_that_was_written_as_text_has_the_same_subject_and_paragraphs_again() -> None:
    text = next(one.todo.message for one in forty().tenants if one.todo)
    assert parsed_message(text).text == text
    assert parsed_message("No subject here.\n").paragraphs == ("No subject here.",)


@pytest.mark.parametrize(
    ("size", "packs"),
    [
        pytest.param(1, ONE_APP, id="one tenant"),
        pytest.param(1000, TWO_APPS, id="two apps in a thousand tenants"),
    ],
)
def test_a_page_is_small_and_names_every_tenant(size: int, packs: tuple[str, ...]) -> None:
    report = fleet(size, packs=packs)
    made = render(report)
    assert len(made.encode()) < MOST
    text = re.sub(r"<[^>]+>", "", made)
    assert [one.name for one in report.tenants if one.name not in text.replace("&amp;", "&")] == []


def test_a_thousand_tenants_have_each_message_if_it_is_about_one_app() -> None:
    report = fleet(1000)
    made = render(report)
    assert len(made.encode()) < MOST
    assert made.count('<pre class="prose"') == sum(bool(one.todo) for one in report.tenants)


def test_what_nearly_all_tenants_share_names_the_others() -> None:
    rows = [text_of(row) for row in elements()["ending"].iter("tr")]
    (secret,) = [row for row in rows if "the secret of the audit's app" in row]
    (waiver,) = [row for row in rows if "the waiver of MS.AAD.5.1" in row]
    assert secret.endswith("all tenants but Larkfield 3")
    assert waiver.endswith("Contoso")


def test_of_many_tenants_long_lists_are_collapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = page(40)
    monkeypatch.setattr("auditor.render.html.fleet_page._FEW", 10)
    large = render(forty())
    for name in ("tenants", "benchmarks"):
        assert "<details open" in section(usual, name)
        assert "<details open" not in section(large, name)


def test_messages_that_would_make_the_page_too_large_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.render.html.fleet_page._MANY", 10)
    monkeypatch.setattr("auditor.render.html.fleet_page._LARGEST", 150_000)
    made = render(forty())
    left = 33 - made.count('<pre class="prose"')
    assert 0 < left < 33
    assert len(made.encode()) <= 150_000
    note = (
        f"With {left} more messages, this page would be too large. The workbook, the CSV and the JSON report have all"
    )
    assert note in words_of(made)


def test_the_same_change_in_several_tenants_is_one_row() -> None:
    rows = list(elements()["changes"].iter("tr"))[1:]
    assert len(rows) < len(forty().changes)
    named = Counter("".join(link.itertext()) for row in rows for link in row.iter("a"))
    assert named == Counter(one.tenant for one in forty().changes)


def test_a_tenant_without_a_current_audit_is_unknown_and_says_why() -> None:
    (lost,) = forty().not_audited
    (name,) = lost.tenants
    assert forty().apps[0].unknown == 1
    assert {f"{lost.reason} {lost.advice} {name}"} == {text_of(elements()["not-audited"]).partition("as unknown. ")[2]}
    row = next(row for row in elements()["tenants"].iter("tr") if name in "".join(row.itertext()))
    assert "UNKNOWN" in "".join(row.itertext())


def test_a_name_that_is_markup_is_text_everywhere() -> None:
    made = render(fleet(12, name=MARKUP.replace("{{ 7*7 }}", "{{{{ 7*7 }}}}")))
    usual = render(fleet(12))
    for tag in ("script", "img", "style", "title"):
        assert len(list(tree(made).iter(tag))) == len(list(tree(usual).iter(tag)))
    assert "onerror=alert(1)>" in words_of(made)
    assert "{{ 7*7 }}" in words_of(made)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("\ud800{}", id="half a character"),
        pytest.param("\u202e{}", id="a mark that reorders"),
        pytest.param("a\x00b\x1b[2J{}", id="control characters"),
        pytest.param("", id="nothing, for every tenant"),
    ],
)
def test_any_name_gives_a_page_and_a_workbook_without_raw_control_characters(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.render.html.fleet_page._MANY", 1)
    report = fleet(4, name=name)
    made = render(report).encode().decode()
    assert not set(made) & set("\x00\x1b\u202e\ud800")
    assert book(report)["Tenants"].max_row == 5


def test_a_report_without_apps_benchmarks_and_tenants_is_a_page() -> None:
    empty = FleetReport(
        tool="", at="2026-11-22T06:00:00Z", source=FleetSource.HISTORY, answer="No tenant.", exit_code=3
    )
    assert "No tenant." in words_of(render(empty))
    assert [sheet.name for sheet in sheets(empty) if sheet.rows] == ["Answer"]
    (only,) = openpyxl.load_workbook(io.BytesIO(workbook(empty))).worksheets
    assert [cell.value for cell in only[2]] == ["Answer", "No tenant."]


def test_of_many_apps_the_last_ones_are_below_a_line_that_counts_them() -> None:
    app = forty().apps[0]
    several = tuple(replaced(app, key=f"{number}", name=f"App {number}") for number in range(9))
    made = tree(render(replaced(forty(), apps=several)))
    cards = list(made.iter("article"))
    collapsed = [one for part in made.iter("details") for one in part.iter("article")]
    assert (len(cards), len(collapsed)) == (9, 3)
    assert "3 more apps" in section(render(replaced(forty(), apps=several)), "apps")


def test_without_apps_the_tenants_where_a_rule_fails_need_attention() -> None:
    tenants = tuple(replaced(one, apps=()) for one in forty().tenants)
    text = words_of(render(replaced(forty(), apps=(), tenants=tenants, answer="A rule fails in 39 of 40 tenants.")))
    assert "40 OF 40 TENANTS NEED ATTENTION" in text
    assert "Can users connect, and what decides?" not in text


# ---- Tables -----------------------------------------------------------------------------------------------------


def book(report: FleetReport) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(workbook(report)))


def test_the_workbook_has_a_sheet_for_every_table_with_frozen_headings_and_filters() -> None:
    made = book(forty())
    assert made.sheetnames == [
        *("Answer", "Apps", "Why", "To do", "Tenants", "Changes", "Benchmarks", "Settings"),
        *("Ending", "Not audited"),
    ]
    for sheet in made:
        assert sheet.freeze_panes == "A2"
        assert sheet.auto_filter.ref.startswith("A1:")
        assert all(sheet.column_dimensions[get_column_letter(cell.column or 1)].width >= 8 for cell in sheet[1])


def test_the_tables_count_what_the_report_counts() -> None:
    found = {
        sheet.name: [dict(zip((head.head for head in sheet.columns), row, strict=True)) for row in sheet.rows]
        for sheet in sheets(forty())
    }
    app = forty().apps[0]
    assert Counter(row["State"] for row in found["Tenants"]) == {
        "connects": app.connects,
        "needs admin": app.needs_admin,
        "blocked": app.blocked,
        "unknown": app.unknown,
    }
    (counted,) = found["Apps"]
    assert (counted["Needs admin"], counted["Unknown"], counted["Tenants"]) == (app.needs_admin, app.unknown, 40)
    assert [row["Tenants"] for row in found["Why"]] == [len(one.tenants) for one in app.why]
    assert {row["Tenant"]: row["Message"] for row in found["To do"]} == {
        one.name: one.todo.message.rstrip("\n") for one in forty().tenants if one.todo
    }
    lost = [row for row in found["Benchmarks"] if row["Fail"] == ""]
    assert {row["Tenant"] for row in lost} == set(forty().not_audited[0].tenants), "not 0: it isn't known"


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_the_workbook_is_a_formula(formula: str) -> None:
    made = book(fleet(2, name=f"{formula}{{}}"))
    cells = [cell for sheet in made for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert [cell for cell in cells if cell.hyperlink] == []
    assert any(str(cell.value).startswith(formula) for cell in cells)


def test_a_long_message_does_not_make_its_row_as_high_as_the_screen() -> None:
    sheet = book(forty())["To do"]
    assert max(len(str(row[-1].value)) for row in sheet.iter_rows(min_row=2)) > 1000
    assert max(sheet.row_dimensions[line].height for line in range(2, sheet.max_row + 1)) <= 60


def test_the_same_report_gives_the_same_page_and_workbook() -> None:
    assert render(fleet(3)) == render(fleet(3))
    assert workbook(fleet(3)) == workbook(fleet(3))


def test_every_state_has_its_word_in_the_page() -> None:
    outcomes = [replaced(forty().tenants[0].apps[0], state=state) for state in AppState]
    tenant = replaced(forty().tenants[0], apps=tuple(outcomes))
    made = shown(render(replaced(forty(), tenants=(tenant,))), "tenants")
    assert [
        word for word in ("CONNECTS", "LACKS SCOPES", "NEEDS ADMIN", "BLOCKED", "UNKNOWN") if word not in made
    ] == []
