"""The time of a report is the same wherever the report is made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.document import parse_time, utc_text

TWO = datetime(2026, 11, 22, 2, tzinfo=UTC)


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("Windows sets the time zone of a process in no other way than for the whole machine")
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize("taken", ["2026-11-22T02:00:00Z", "2026-11-22T02:00:00", "2026-11-22T03:00:00+01:00"])
def test_a_time_is_in_utc_whatever_the_machine_thinks(taken: str) -> None:
    assert parse_time(taken) == TWO


@given(st.text() | st.sampled_from(["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]))
def test_what_is_no_time_is_none(taken: str) -> None:
    found = parse_time(taken)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize("taken", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.0000000+00:00", "0001-01-01"])
def test_the_date_that_graph_writes_for_none_is_none(taken: str) -> None:
    assert parse_time(taken) is None


def test_a_time_as_text_has_four_digits_for_the_year_and_none_for_fractions() -> None:
    assert utc_text(datetime(998, 1, 2, 3, 4, 5, 678, tzinfo=UTC)) == "0998-01-02T03:04:05Z"
