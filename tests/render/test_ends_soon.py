"""When the audit's own credential ends: the night, the dashboard, the fleet, messages and doctor give one answer."""

from __future__ import annotations

import pytest

from auditor.fleet.changes import ending
from auditor.model.customers import Customer, CustomerList, ListKind
from auditor.model.document import days_left, parse_time
from auditor.model.history import Run, RunState
from auditor.model.night import Night, TenantNight
from auditor.model.site import SiteData, SiteTenant
from auditor.model.snapshot import CredentialEnd
from auditor.notify.expiries import credential_expiry
from auditor.notify.wording import expiry_text
from auditor.render.fleet_words import ending_text
from auditor.render.labels import credential_end_text
from auditor.render.night import text
from auditor.render.site.attention import ReasonRank, TenantNights
from tests.render.nightly_runs import TOOL


def _everywhere(ends: str, now: str) -> dict[str, str]:
    """What each place says about a credential that ends then; empty where it says nothing."""
    at = parse_time(now)
    assert at is not None
    run = Run(id="1", tenant="t", name="t", state=RunState.FINISHED, started=now, exit_code=0, credential_expires=ends)
    one = TenantNight(tenant="t", name="t", exit_code=0, run=run)
    night = Night(id="1", configuration="", history="", tool=TOOL, started=now, tenants=(one,))
    credential = CredentialEnd(kind="secret", ends=ends)
    customer = Customer(tenant="t", name="t", source="gdap")
    listed = CustomerList(source="gdap:partner", kind=ListKind.GDAP, customers=(customer,), credential=credential)
    state = TenantNights(SiteTenant(key="t", name="t", runs=(run,)), SiteData(at=now, tool=TOOL))
    return {
        "night": "".join(line for line in text(night).splitlines() if "own credential" in line),
        "dashboard": "".join(one.what for one in state.reasons if one.rank is ReasonRank.EXPIRY),
        "fleet": "".join(ending_text(one)[0] for one in ending((), (listed,), now)),
        "message": expiry_text(credential_expiry(ends), now),
        "doctor": credential_end_text(credential, at),
    }


@pytest.mark.parametrize(
    ("ends", "now", "days", "said"),
    [
        pytest.param("2026-11-30T01:00:00Z", "2026-11-30T23:00:00Z", -1, "ended", id="ended 22 hours ago"),
        pytest.param("2026-12-01T01:00:00Z", "2026-11-30T23:00:00Z", 0, "within a day", id="in two hours, tomorrow"),
        pytest.param("2026-11-30T23:00:00Z", "2026-11-30T10:00:00Z", 0, "within a day", id="in 13 hours, today"),
        pytest.param("2026-12-02T09:00:00Z", "2026-11-30T10:00:00Z", 1, "in 1 day", id="in 47 hours"),
        pytest.param("2026-12-30T10:00:00Z", "2026-11-30T10:00:00Z", 30, "in 30 days", id="in 30 days"),
    ],
)
def test_all_places_say_the_same_about_when_the_credential_ends(ends: str, now: str, days: int, said: str) -> None:
    assert days_left(ends, parse_time(now)) == days
    found = _everywhere(ends, now)
    assert [place for place, words in found.items() if said not in words] == [], found


def test_a_credential_that_ends_in_31_days_is_said_by_no_list_and_needs_no_renewal() -> None:
    found = _everywhere("2026-12-31T10:00:00Z", "2026-11-30T10:00:00Z")
    assert (found["night"], found["dashboard"], found["fleet"]) == ("", "", "")
    at = parse_time("2026-11-30T10:00:00Z")
    assert at is not None
    assert CredentialEnd(kind="secret", ends="2026-12-31T10:00:00Z").needs_no_renewal(at)
    assert not CredentialEnd(kind="secret", ends="2026-12-30T10:00:00Z").needs_no_renewal(at)


@pytest.mark.parametrize(
    ("now", "days"),
    [
        pytest.param("2026-11-29T23:59:59Z", 1, id="the day before"),
        pytest.param("2026-11-30T00:00:00Z", 0, id="as the day begins"),
        pytest.param("2026-11-30T23:59:59Z", 0, id="as the day ends"),
        pytest.param("2026-12-01T00:00:00Z", -1, id="the day after"),
        pytest.param("2026-12-01T01:00:00+02:00", 0, id="by a clock elsewhere"),
        pytest.param("", None, id="not a time"),
    ],
)
def test_what_ends_on_a_day_lasts_until_that_day_is_over(now: str, days: int | None) -> None:
    assert days_left("2026-11-30", parse_time(now)) == days
