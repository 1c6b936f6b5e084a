"""The limits that many tenants share: who gets a place, who waits for whom, and what a 429 means for the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from auditor.graph.fleet_limits import LONGEST_PAUSE, AppThrottle, FleetLimits, Slots, TenantLimits
from auditor.graph.retry import RetryPolicy

TENANT_SCOPE = {"x-ms-throttle-scope": "Tenant_Application/ReadWrite/9a3d526c/0785ef7c"}
APP_SCOPE = {"x-ms-throttle-scope": "Application/Read/9a3d526c/0785ef7c"}


class Time:
    """A clock that only pauses move."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def app(time: Time) -> AppThrottle:
    return AppThrottle(time, time.sleep)


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_slots_are_handed_on_in_order_and_a_cancelled_wait_loses_none() -> None:
    async def main() -> list[str]:
        slots, order = Slots(1), list[str]()

        async def hold(name: str, until: Callable[[], Awaitable[object]]) -> None:
            await slots.take()
            order.append(name)
            await until()
            slots.give_back()

        gate = asyncio.Event()
        first = asyncio.create_task(hold("first", gate.wait))
        await settle()
        impatient, second, third = (
            asyncio.create_task(hold(name, settle)) for name in ("impatient", "second", "third")
        )
        await settle()
        impatient.cancel()
        gate.set()
        await asyncio.gather(first, second, third)
        await slots.take()
        return order

    assert asyncio.run(main()) == ["first", "second", "third"]


def test_a_slot_that_was_handed_to_a_cancelled_wait_goes_to_the_next_one() -> None:
    async def main() -> None:
        slots = Slots(1)
        await slots.take()
        cancelled, next_one = asyncio.create_task(slots.take()), asyncio.create_task(slots.take())
        await settle()
        slots.give_back()
        cancelled.cancel()
        await next_one
        assert cancelled.cancelled()

    asyncio.run(main())


def test_a_throttled_tenant_does_not_stop_the_others(app: AppThrottle) -> None:
    assert not app.throttled("contoso", 30, TENANT_SCOPE)
    assert not app.throttled("fabrikam", 30, {})
    assert app.remaining() == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        pytest.param(APP_SCOPE, 30.0, id="application"),
        pytest.param({"x-ms-throttle-scope": " application "}, 2.5, id="however-it-is-spelled"),
    ],
)
def test_a_throttled_app_stops_all_its_tenants(app: AppThrottle, headers: dict[str, str], seconds: float) -> None:
    assert app.throttled("contoso", seconds, headers)
    assert app.remaining() == seconds


def test_the_app_is_throttled_if_most_tenants_are_without_a_scope(app: AppThrottle) -> None:
    for name in ("a", "b", "c"):
        app.answered(name)
    assert [app.throttled(name, 10, {}) for name in ("d", "e", "f")] == [False, False, True]
    assert app.remaining() == 10


def test_some_throttled_tenants_among_many_are_not_the_app(app: AppThrottle) -> None:
    for number in range(20):
        app.answered(f"healthy-{number}")
    assert not any(app.throttled(f"throttled-{number}", 10, {}) for number in range(9))
    assert app.remaining() == 0


def test_answers_of_long_ago_say_nothing_about_now(app: AppThrottle, time: Time) -> None:
    app.throttled("a", 1, {})
    app.throttled("b", 1, {})
    time.now += 60
    assert not app.throttled("c", 1, {})


@pytest.mark.parametrize(
    "seconds", [pytest.param(None, id="not-said"), pytest.param(LONGEST_PAUSE + 1, id="longer-than-any-run")]
)
def test_an_app_is_not_stopped_for_an_unknown_or_endless_time(app: AppThrottle, seconds: float | None) -> None:
    assert not app.throttled("contoso", seconds, APP_SCOPE)
    assert app.remaining() == 0


def test_a_pause_of_the_app_is_not_counted_against_a_tenants_deadline(app: AppThrottle, time: Time) -> None:
    retry = RetryPolicy(60, clock=time, sleep=time.sleep)
    assert retry.remaining() == 60
    app.throttled("contoso", 300, APP_SCOPE)
    asyncio.run(TenantLimits(FleetLimits(1), app, "fabrikam").may_send(retry))
    assert app.remaining() == 0
    assert retry.remaining() == 60


def test_apps_and_clouds_are_throttled_separately() -> None:
    fleet = FleetLimits(1)
    assert fleet.app("https://graph.microsoft.com", "A") is fleet.app("https://graph.microsoft.com", "a")
    assert fleet.app("https://graph.microsoft.com", "b") is not fleet.app("https://graph.microsoft.com", "a")
    assert fleet.app("https://graph.microsoft.us", "a") is not fleet.app("https://graph.microsoft.com", "a")


async def begun_while(fleet: FleetLimits, busy: Callable[[TenantLimits, asyncio.Event], Awaitable[object]]) -> bool:
    """Whether a second tenant is begun while the first one is busy with something."""
    app, end, began = AppThrottle(), asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with TenantLimits(fleet, app, "first") as limits:
            await busy(limits, end)

    async def second() -> None:
        async with TenantLimits(fleet, app, "second") as limits, limits.request():
            began.set()

    tasks = [asyncio.create_task(one()) for one in (first, second)]
    await settle()
    # The timer of a request that stalls at once has run after this.
    await asyncio.sleep(0.001)
    await settle()
    found = began.is_set()
    end.set()
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert began.is_set()
    return found


async def request(limits: TenantLimits, end: asyncio.Event) -> None:
    async with limits.request():
        await end.wait()


async def sign_in(limits: TenantLimits, end: asyncio.Event) -> None:
    with limits.sign_in():
        await end.wait()


async def pause(limits: TenantLimits, end: asyncio.Event) -> None:
    sleeping = asyncio.create_task(limits.sleep(3600))
    await end.wait()
    sleeping.cancel()
    await asyncio.gather(sleeping, return_exceptions=True)


def test_a_tenant_that_is_answered_keeps_its_place() -> None:
    assert not asyncio.run(begun_while(FleetLimits(1, stalled_seconds=3600), request))
    assert not asyncio.run(begun_while(FleetLimits(1, stalled_seconds=3600), sign_in))


@pytest.mark.parametrize(
    "busy",
    [
        pytest.param(request, id="a-request-to-graph"),
        pytest.param(sign_in, id="the-sign-in"),
        pytest.param(pause, id="a-pause"),
    ],
)
def test_a_tenant_that_stalls_or_pauses_lets_another_one_begin(
    busy: Callable[[TenantLimits, asyncio.Event], Awaitable[object]],
) -> None:
    assert asyncio.run(begun_while(FleetLimits(1, stalled_seconds=0), busy))


def test_a_tenant_of_a_throttled_app_is_not_begun_before_the_app_may_send(app: AppThrottle, time: Time) -> None:
    app.throttled("contoso", 30, APP_SCOPE)

    async def main() -> float:
        async with TenantLimits(FleetLimits(1), app, "fabrikam"):
            return time.now

    assert asyncio.run(main()) == 1030
