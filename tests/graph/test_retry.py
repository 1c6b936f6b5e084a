"""How long to wait, and when to stop."""

from __future__ import annotations

import asyncio

import pytest

from auditor.graph.retry import RetryPolicy
from tests.graph.live_tenants import Sleeps


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param({"retry-after": "7"}, 7.0, id="seconds"),
        pytest.param({"retry-after": "2.128"}, 2.128, id="a fraction"),
        pytest.param({"retry-after": " 10 "}, 10.0, id="spaces"),
        pytest.param(
            {"retry-after": "Sun, 22 Nov 2026 02:00:30 GMT", "date": "Sun, 22 Nov 2026 02:00:00 GMT"},
            30.0,
            id="a time, counted from the answer's",
        ),
        pytest.param({"retry-after": "Thu, 01 Jan 1970 00:00:09 GMT"}, 9.0, id="a time without the answer's"),
        pytest.param(
            {"retry-after": "Sun, 22 Nov 2026 02:00:00 GMT", "date": "Sun, 22 Nov 2026 02:00:30 GMT"},
            None,
            id="a time in the past",
        ),
        pytest.param({"retry-after": "0"}, None, id="zero"),
        pytest.param({"retry-after": "-5"}, None, id="negative"),
        pytest.param({"retry-after": "nan"}, None, id="not a number"),
        pytest.param({"retry-after": "inf"}, None, id="infinite"),
        pytest.param({"retry-after": "soon"}, None, id="a word"),
        pytest.param({"retry-after": ""}, None, id="empty"),
        pytest.param({}, None, id="no header"),
    ],
)
def test_retry_after_in_every_spelling(headers: dict[str, str], seconds: float | None) -> None:
    assert Sleeps().retry().retry_after(headers) == seconds


def test_without_a_hint_waits_double_up_to_half_a_minute() -> None:
    sleeps = Sleeps()
    retry = sleeps.retry(attempts=10)

    async def run() -> list[bool]:
        return [await retry.wait(tried) for tried in range(1, 11)]

    assert asyncio.run(run()) == [True] * 9 + [False]
    assert sleeps.slept == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_chance_spreads_the_waits_over_their_second_half() -> None:
    sleeps = Sleeps()
    retry = RetryPolicy(clock=lambda: 0.0, sleep=sleeps.sleep, jitter=lambda: 0.0)
    asyncio.run(retry.wait(2))
    assert sleeps.slept == [0.5]


def test_a_hint_is_followed_however_often_until_the_deadline() -> None:
    sleeps = Sleeps()
    retry = sleeps.retry(100, attempts=2)

    async def run() -> int:
        waited = 0
        while await retry.wait(waited + 1, 30):
            waited += 1
        return waited

    assert asyncio.run(run()) == 3
    assert retry.remaining() == 10


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    sleeps = Sleeps()
    assert asyncio.run(sleeps.retry(60).wait(1, 61)) is False
    assert sleeps.slept == []


def test_the_deadline_runs_from_the_first_request_on() -> None:
    sleeps = Sleeps()
    retry = sleeps.retry(60)
    sleeps.now += 1000
    assert retry.remaining() == 60
    sleeps.now += 70
    assert retry.remaining() == 0
