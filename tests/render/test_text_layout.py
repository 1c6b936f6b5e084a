"""Measuring, wrapping and making safe."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.render.text_layout import Palette, TableCell, TableColumn, clip, columns, pad, safe, table, wrap

ANY_TEXT = st.text(st.characters() | st.characters(categories=["Cs", "Cc", "Cf"]))


@given(ANY_TEXT)
def test_safe_text_is_safe_and_stays_so(text: str) -> None:
    once = safe(text)
    assert safe(once) == once
    assert once.encode("utf-8").decode("utf-8") == once


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("Contoso", "Contoso", id="plain"),
        pytest.param("a\nb", "a\\nb", id="line break"),
        pytest.param("\x1b[31m", "\\x1b[31m", id="escape"),
        pytest.param("\x9b31m", "\\x9b31m", id="one-byte escape"),
        pytest.param("\u202egpj.exe", "\\u202egpj.exe", id="right-to-left override"),
        pytest.param("a\u200bb", "a\\u200bb", id="zero-width space"),
        pytest.param("\u2028", "\\u2028", id="line separator"),
        pytest.param("\ud800", "\\ud800", id="lone surrogate"),
        pytest.param("\ufffe\ufdd0\U0001ffff", "\\ufffe\\ufdd0\\U0001ffff", id="noncharacters"),
        pytest.param("株式会社", "株式会社", id="wide characters"),
        pytest.param("Émile", "Émile", id="accents"),
    ],
)
def test_what_steers_a_terminal_becomes_visible(text: str, shown: str) -> None:
    assert safe(text) == shown


@given(ANY_TEXT, st.integers(5, 60))
def test_wrapped_lines_fit(text: str, width: int) -> None:
    assert all(columns(line) <= width for line in wrap(text, width) if "http" not in line.lower())


@given(ANY_TEXT, st.integers(5, 60))
def test_wrapping_loses_nothing_but_blanks(text: str, width: int) -> None:
    assert "".join(wrap(text, width)).replace(" ", "") == "".join(safe(text.strip()).split())


@given(ANY_TEXT, st.integers(5, 60))
def test_clipped_text_fits(text: str, width: int) -> None:
    assert columns(clip(text, width)) <= width


def test_a_long_name_breaks_after_its_joints() -> None:
    assert wrap("DelegatedPermissionGrant.ReadWrite.All", 30) == ["DelegatedPermissionGrant.", "ReadWrite.All"]


def test_a_link_is_not_broken() -> None:
    link = "https://login.microsoftonline.com/common/adminconsent?client_id=1"
    assert wrap(f"Open {link} now", 20) == ["Open", link, "now"]


def test_wide_text_without_blanks_is_broken_between_characters() -> None:
    assert wrap("管理者の同意が必要です", 10) == ["管理者の同", "意が必要で", "す"]


def test_padding_counts_columns() -> None:
    assert pad("予定", 6) == "予定  "


@given(
    st.lists(st.tuples(ANY_TEXT, ANY_TEXT, ANY_TEXT), max_size=4),
    st.integers(58, 198),
)
def test_a_table_fits_and_its_columns_stay_aligned(rows: list[tuple[str, str, str]], width: int) -> None:
    heads = (TableColumn("One", 8), TableColumn("Two", 8), TableColumn("Three", 20, wish=30))
    cells = [[TableCell(one), TableCell(two), TableCell(three)] for one, two, three in rows]
    lines = table(heads, cells, width, Palette(False))
    assert all(columns(line) <= width for line in lines if "http" not in line.lower())


def test_a_column_starts_in_the_same_place_after_wide_and_painted_cells() -> None:
    cells = [[TableCell("予定表", "bad"), TableCell("x")], [TableCell("plain"), TableCell("x")]]
    lines = table((TableColumn("One", 4), TableColumn("Two", 4)), cells, 40, Palette(True))
    assert lines[2:] == ["\x1b[1;31m予定表\x1b[0m  x", "plain   x"]


@pytest.mark.parametrize("char", ["\ufffe", "\uffff", "\ufdd0", "\ufdef", "\U0001fffe", "\U0010ffff"])
def test_what_is_no_character_of_unicode_becomes_visible(char: str) -> None:
    assert safe(f"a{char}b") == f"a{char.encode('unicode_escape').decode()}b"
    assert safe("a\ufdcf\ufdf0\ufffd\U0001fffd") == "a\ufdcf\ufdf0\ufffd\U0001fffd"


@pytest.mark.parametrize("text", ["1,000", "1.10", "007", "1e5", "True", "False", "None", "-"])
def test_a_cell_that_looks_like_another_type_keeps_its_text(text: str) -> None:
    lines = table(
        (TableColumn("One", 4), TableColumn("Two", 4)), [[TableCell(text), TableCell(text)]], 40, Palette(True)
    )
    assert lines[2].split() == [text, text]


def test_a_long_name_in_a_table_breaks_after_its_joints_and_a_link_does_not() -> None:
    name, link = "DelegatedPermissionGrant.ReadWrite.All", "https://login.microsoftonline.com/common/adminconsent"
    heads = (TableColumn("One", 26), TableColumn("Two", 4, align="right"))
    lines = table(
        heads,
        [[TableCell(f"Use {name}", "bad"), TableCell("1")], [TableCell(link), TableCell("10")]],
        32,
        Palette(False),
    )
    assert [line.split() for line in lines[2:]] == [["Use", "1"], [f"{name[:25]}"], [name[25:]], [link, "10"]]
