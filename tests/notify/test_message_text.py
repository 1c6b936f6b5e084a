"""Lines as Markdown and plain text, and cut to a length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown import markdown  # type: ignore[import-untyped]  # it ships no types

from auditor.notify.message_text import Line, LineKind, as_markdown, as_text, clip, cut, heading, item, plain
from auditor.notify.wording import readable

LONG = [
    Line(label="Why", text="a policy changed."),
    heading("New failures (12)"),
    *(item(f"rule number {number} fails", "high") for number in range(1, 13)),
    Line(kind=LineKind.SUMMARY, label="Rules", text="12 failed."),
    Line(kind=LineKind.FOOTER, label="Report", link="https://reports.contoso.example/"),
    Line(kind=LineKind.FOOTER, text="Message 0123456789"),
]


def test_a_long_message_loses_whole_entries_and_says_how_many() -> None:
    assert cut(as_text(LONG), 220) == (
        "Why: a policy changed.\n\nNew failures (12):\n- high: rule number 1 fails\n- high: rule number 2 fails\n"
        "\n…and 11 more lines. The report has everything.\n\n"
        "Report: https://reports.contoso.example/\nMessage 0123456789"
    )


def test_a_heading_without_its_entries_goes_with_them() -> None:
    short = cut(as_text(LONG), 150)
    assert "New failures" not in short
    assert "…and 13 more lines." in short


@pytest.mark.parametrize("written", [pytest.param(as_text(LONG), id="text"), pytest.param(as_markdown(LONG), id="md")])
@given(limit=st.integers(1, 700))
def test_a_cut_message_fits_and_keeps_its_id_where_there_is_room(written: str, limit: int) -> None:
    short = cut(written, limit)
    assert len(short) <= limit
    if limit >= 200:
        assert short.endswith("Message 0123456789")


@given(st.text(max_size=60), st.text(max_size=20))
def test_no_name_formats_anything(name: str, label: str) -> None:
    lines = [item(name, label), Line(text=name, label="App"), heading(name)]
    html = markdown(as_markdown(lines))
    allowed = {"ul", "li", "p", "strong", "/ul", "/li", "/p", "/strong"}
    tags = {part.split(">")[0] for part in html.split("<")[1:]}
    assert tags <= allowed


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("@channel look", "@\u200bchannel look", id="a mention"),
        pytest.param("olga@contoso.example", "olga@contoso.example", id="an address"),
        pytest.param("two\r\nlines\x1b[31m", "two lines [31m", id="control characters"),
        pytest.param("right\u202eleft", "right left", id="reversed text"),
    ],
)
def test_a_name_mentions_nobody_and_stays_on_its_line(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    "link",
    [
        pytest.param("javascript:alert(1)", id="script"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("reports/contoso", id="relative"),
    ],
)
def test_only_web_addresses_are_links(link: str) -> None:
    assert as_markdown([Line(text="Report", link=link)]) == "Report"


def test_a_link_cannot_end_early() -> None:
    line = Line(text="Fix", link="https://contoso.example/a b)?x=(1)", link_text="Open")
    assert as_markdown([line]) == "Fix [Open](https://contoso.example/a%20b%29?x=%281%29)"


def test_a_long_name_ends_at_a_word() -> None:
    assert clip("one two three four", 12) == "one two…"


def test_a_time_that_no_calendar_has_in_utc_is_shown_as_it_is() -> None:
    assert readable("0001-01-01T00:00:00+14:00") == "0001-01-01T00:00:00+14:00"
    assert readable("2026-11-22T02:00:00Z") == "22 Nov 2026, 02:00 UTC"
