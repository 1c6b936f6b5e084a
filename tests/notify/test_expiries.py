"""What ends soon, from a report, a snapshot and the runs of a history."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

import auditor
from auditor.model.configuration import Keep
from auditor.model.notification import Expiry, ExpiryKind
from auditor.model.report import Waiver
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Snapshot
from auditor.notify.expiries import credential_expiry, expiries_of, retention_expiry
from auditor.notify.wording import expiry_text
from auditor.snapshot.graph_json import decode_section
from tests.notify.nights import failed, finished, report

WAIVER = Waiver(rule="VENDOR-WORKFLOW", reason="accepted", owner="olga@contoso.example", expires="2026-12-31")


def test_a_waiver_that_covers_a_finding_ends_with_its_owner_named() -> None:
    made = report()
    findings = tuple(
        msgspec.structs.replace(one, outcome=FindingOutcome.WAIVED, waivers=(WAIVER,))
        if one.rule == WAIVER.rule
        else one
        for one in made.findings
    )
    (found,) = expiries_of(msgspec.structs.replace(made, findings=findings), None)
    assert (found.kind, found.ends, found.key) == (ExpiryKind.WAIVER, "2026-12-31", "/vendor-workflow/")
    assert found.what.startswith("The waiver of \"Users who can't consent can request admin consent")
    assert found.then == "After that, the rule fails again. Its owner is olga@contoso.example."


def snapshot(**sections: Any) -> Snapshot:
    """A sample tenant with these sections, in the shapes of Graph."""
    whole = auditor.sample("consent-off-workflow")
    decoded = {name: decode_section(name, value) for name, value in sections.items()}
    return msgspec.structs.replace(whole, sections=msgspec.structs.replace(whole.sections, **decoded))


def requests(*users: tuple[str, str]) -> list[dict[str, Any]]:
    """The requests of users for one app, by state and time."""
    rows = [{"id": str(place), "status": status, "createdDateTime": at} for place, (status, at) in enumerate(users)]
    return [{"id": "r1", "appId": "ABC", "appDisplayName": "Acme Mail", "userConsentRequests": rows}]


def test_the_first_pending_request_for_an_app_ends_after_the_days_of_the_workflow() -> None:
    made = snapshot(
        adminConsentRequestPolicy={"isEnabled": True, "requestDurationInDays": 30},
        appConsentRequests=requests(
            ("Completed", "2026-10-01T08:00:00Z"),
            ("InProgress", "2026-11-03T08:00:00Z"),
            ("InProgress", "2026-11-01T08:00:00Z"),
        ),
    )
    assert expiries_of(None, made) == (
        Expiry(
            what="A request for admin consent to Acme Mail",
            ends="2026-12-01T08:00:00Z",
            kind=ExpiryKind.CONSENT_REQUEST,
            key="abc",
            then="2 users wait for it. A reviewer must approve or deny it before.",
        ),
    )


@pytest.mark.parametrize(
    "sections",
    [
        pytest.param({"appConsentRequests": requests(("Completed", "2026-11-01T08:00:00Z"))}, id="answered"),
        pytest.param({"appConsentRequests": []}, id="no requests"),
        pytest.param({}, id="not read"),
        pytest.param({"appConsentRequests": requests(("InProgress", ""))}, id="without a time"),
    ],
)
def test_nothing_ends_that_is_not_known_to_be_pending(sections: dict[str, Any]) -> None:
    assert expiries_of(None, snapshot(**sections)) == ()


def test_the_oldest_run_is_deleted_after_the_days_of_the_retention() -> None:
    runs = [finished(started="2026-11-20T02:00:00Z"), failed("2026-11-02T02:00:00Z")]
    found = retention_expiry(runs, Keep(days=30, runs=500), "2026-11-28T02:00:00Z")
    assert found is not None
    assert (found.ends, found.key) == ("2026-12-02", "runs/30/500")
    assert retention_expiry([], Keep(), "2026-11-28T02:00:00Z") is None


def test_too_many_runs_are_deleted_tonight() -> None:
    found = retention_expiry([finished()], Keep(days=400, runs=2), "2026-11-28T02:00:00Z")
    assert found is not None
    assert found.ends == "2026-11-28"


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        pytest.param("2026-11-22", "The credential of the audit ends within a day, on 22 Nov 2026", id="today"),
        pytest.param(
            "2026-11-23T01:00:00Z", "The credential of the audit ends within a day, on 23 Nov 2026", id="in two hours"
        ),
        pytest.param(
            "2026-11-23T23:30:00Z", "The credential of the audit ends in 1 day, on 23 Nov 2026", id="in a day"
        ),
        pytest.param("2026-11-22T23:00:00Z", "The credential of the audit ended on 22 Nov 2026", id="over today"),
        pytest.param("2026-11-21", "The credential of the audit ended on 21 Nov 2026", id="over"),
        pytest.param("soon", "The credential of the audit ends on soon", id="not a time"),
    ],
)
def test_a_message_says_in_how_many_whole_days_something_ends(ends: str, said: str) -> None:
    assert expiry_text(credential_expiry(ends), "2026-11-22T23:30:00Z") == said
