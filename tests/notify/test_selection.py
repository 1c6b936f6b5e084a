"""What a target hears of: once, again after some days while it lasts, and once when it's over."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.model.configuration import NotifyTarget, TenantEntry
from auditor.model.decision import Confidence, Outcome
from auditor.model.difference import Transition, Weight
from auditor.model.history import OutboxMessage, Said
from auditor.model.notification import Expiry, ExpiryKind, NightOfTenant
from auditor.model.rule import FindingOutcome, Severity
from auditor.notify import messages_for
from auditor.notify.expiries import credential_expiry
from tests.notify.nights import (
    ENTRY,
    app_appeared,
    broke,
    decision,
    difference,
    failed,
    finding,
    findings,
    finished,
    night,
    report,
    target,
)


def at(day: int) -> str:
    return f"2026-11-{day:02}T02:00:00Z"


class Memory:
    """One target over many nights."""

    def __init__(self, to: NotifyTarget | None = None) -> None:
        self.target = to or target()
        self.said: dict[str, Said] = {}

    def hears(self, day: int, made: NightOfTenant) -> str:
        """The title of the message of this night; empty if there is none."""
        message = self.message(day, made)
        return message.title if message else ""

    def message(self, day: int, made: NightOfTenant) -> OutboxMessage | None:
        """The message of this night."""
        run = msgspec.structs.replace(made.run, id=f"run-{day}", started=at(day))
        made = msgspec.structs.replace(made, run=run)
        messages, entries = messages_for([self.target], made, {self.target.name: tuple(self.said.values())}, at(day))
        self.said.update({one.key: one for one in entries})
        assert len(messages) <= 1
        return messages[0] if messages else None


QUIET = night(finished(), difference=difference())


def test_what_lasts_is_said_once_and_again_after_seven_days() -> None:
    memory = Memory()
    assert memory.hears(1, night(finished(), broke(), finding(1))) == (
        "contoso: users can no longer connect TrackerRMS; 1 more change"
    )
    assert [memory.hears(day, QUIET) for day in range(2, 8)] == [""] * 6
    assert memory.hears(8, QUIET) == "contoso: users still can't connect TrackerRMS"
    assert memory.hears(9, QUIET) == ""
    assert memory.hears(15, QUIET) == "contoso: users still can't connect TrackerRMS"


def test_a_reminder_says_what_lasts_and_since_when() -> None:
    memory = Memory()
    memory.hears(1, night(finished(), finding(1)))
    message = memory.message(8, QUIET)
    assert message is not None
    assert message.title == "contoso: 1 rule still failing"
    assert (
        'Reminder, still so (1):\n- medium: "An administrator consented to everything the app requires" fails since 22'
    ) in message.text


def test_without_reminders_nothing_is_repeated() -> None:
    memory = Memory(target(remind_after_days=0))
    memory.hears(1, night(finished(), broke()))
    assert [memory.hears(day, QUIET) for day in range(2, 29)] == [""] * 27


def test_what_is_over_is_not_repeated() -> None:
    memory = Memory()
    memory.hears(1, night(finished(), broke(), finding(0)))
    fixed = decision(Outcome.NEEDS_ADMIN, Outcome.CONNECTS_SILENTLY), finding(0, Transition.FIXED, FindingOutcome.PASS)
    well = {"report": report("admin-consented"), "findings": findings("admin-consented")}
    assert memory.hears(2, night(finished("admin-consented"), *fixed, **well)) == (
        "contoso: users can now connect TrackerRMS; 1 more change"
    )
    quiet = night(finished("admin-consented"), difference=difference(), **well)
    assert [memory.hears(day, quiet) for day in (3, 9, 17)] == [""] * 3


def test_a_fix_that_no_difference_shows_is_said_once() -> None:
    """Another pack version isn't compared, so the difference is silent about a rule that passes now."""
    memory = Memory()
    memory.hears(1, night(finished(), finding(0)))
    passing = tuple(msgspec.structs.replace(one, outcome=FindingOutcome.PASS) for one in findings())
    quiet = night(finished(), difference=difference(), findings=passing)
    assert memory.hears(2, quiet) == "contoso: fixed: Users can connect the app without an administrator"
    assert memory.hears(3, quiet) == ""


def test_unknown_is_neither_a_reminder_nor_a_recovery() -> None:
    memory = Memory()
    memory.hears(1, night(finished(), finding(0)))
    unknown = tuple(msgspec.structs.replace(one, outcome=FindingOutcome.UNKNOWN) for one in findings())
    assert [memory.hears(day, night(finished(), difference=difference(), findings=unknown)) for day in (2, 9)] == [
        ""
    ] * 2
    assert memory.hears(10, QUIET) == "contoso: 1 rule still failing"


def test_an_answer_that_rests_on_documentation_is_no_news() -> None:
    """The policies weren't read, so Microsoft's text of them decided: neither a change nor a recovery."""
    memory, app = Memory(), report().decisions[0]
    memory.hears(1, night(finished(), broke()))
    likely = msgspec.structs.replace(
        report(),
        decisions=(msgspec.structs.replace(app, outcome=Outcome.CONNECTS_SILENTLY, confidence=Confidence.LIKELY),),
    )
    unknown = decision(Outcome.NEEDS_ADMIN, Outcome.CONNECTS_SILENTLY, transition=Transition.BECAME_UNKNOWN)
    title = "contoso: it is no longer known whether users can connect TrackerRMS"
    assert memory.hears(2, night(finished(), unknown, report=likely)) == title
    assert [memory.hears(day, night(finished(), difference=difference(), report=likely)) for day in (3, 9)] == [""] * 2
    assert memory.hears(10, QUIET) == "contoso: users still can't connect TrackerRMS"


def test_a_finding_that_rests_on_documentation_is_not_fixed() -> None:
    memory = Memory()
    memory.hears(1, night(finished(), finding(0)))
    passing = tuple(msgspec.structs.replace(one, outcome=FindingOutcome.PASS) for one in findings())
    first, *others = report().findings
    likely = (msgspec.structs.replace(first, confidence=Confidence.LIKELY, outcome=FindingOutcome.PASS), *others)
    made = msgspec.structs.replace(report(), findings=likely)
    assert memory.hears(2, night(finished(), difference=difference(), findings=passing, report=made)) == ""
    assert memory.hears(10, QUIET) == "contoso: 1 rule still failing"


def test_a_run_that_fails_is_news_also_to_a_target_that_hears_everything() -> None:
    memory = Memory(target("ops", "always"))
    assert memory.hears(1, night(failed())).startswith("contoso: the audit could not run")
    assert memory.hears(2, night(failed(), previous=failed(at(1)))).startswith("contoso: the audit still can't run")


def test_a_target_that_is_added_later_hears_nothing_old() -> None:
    first = Memory()
    first.hears(1, night(finished(), broke(), finding(0), finding(1)))
    later = Memory(target("later"))
    assert [later.hears(day, QUIET) for day in (2, 8, 15)] == [""] * 3


def test_the_first_night_has_no_changes() -> None:
    assert Memory().hears(1, night(finished())) == ""


def test_a_failure_is_said_once_for_each_reason_and_its_end_once() -> None:
    memory = Memory()
    expired = "The client secret has expired (AADSTS7000222), trace 1f7d63ae-1111-2222-3333-444455556666 at 02:00:01"
    assert memory.hears(1, night(failed(error=expired))).startswith("contoso: the audit could not run: The client")
    again = expired.replace("1f7d63ae", "aaaaaaaa").replace("02:00:01", "02:00:59")
    assert memory.hears(2, night(failed(error=again))) == ""
    other = "The app lacks the permission Policy.Read.All"
    assert memory.hears(3, night(failed(error=other))) == f"contoso: the audit still can't run: {other}"
    assert memory.hears(4, night(failed(error=again))) == ""
    assert memory.hears(5, QUIET) == "contoso: the audit runs again"
    assert memory.hears(6, QUIET) == ""
    assert memory.hears(7, night(failed(error=expired))).startswith("contoso: the audit could not run")


def test_who_hears_only_of_recoveries_hears_of_one() -> None:
    memory = Memory(target("ops", "recovery"))
    assert memory.hears(1, night(failed())) == ""
    back = night(finished(), difference=difference(), previous=failed(at(1)))
    assert memory.hears(2, back) == "contoso: the audit runs again"
    assert memory.hears(3, night(finished(), difference=difference(), previous=finished())) == ""


def test_a_missed_run_is_said_once() -> None:
    memory = Memory()
    missed = night(finished(), difference=difference(), missed=(at(2),))
    assert memory.hears(3, missed) == "contoso: the audit runs again, 1 run was missed"
    assert memory.hears(4, missed) == ""


def test_an_expiry_is_said_once_then_weekly_and_when_it_is_over() -> None:
    memory = Memory()
    soon = night(finished(), difference=difference(), expiries=(credential_expiry("2026-11-20"),))
    heard = {day: memory.hears(day, soon) for day in range(1, 23)}
    assert {day: text.removeprefix("contoso: the credential of the audit ") for day, text in heard.items() if text} == {
        1: "ends in 19 days, on 20 Nov 2026",
        8: "ends in 12 days, on 20 Nov 2026",
        15: "ends in 5 days, on 20 Nov 2026",
        21: "ended on 20 Nov 2026",
    }


def test_an_expiry_that_was_not_read_for_a_night_is_not_said_again() -> None:
    memory = Memory()
    soon = night(finished(), difference=difference(), expiries=(credential_expiry("2026-11-20"),))
    assert memory.hears(1, soon)
    assert [memory.hears(2, night(failed())) != "", memory.hears(3, soon)] == [True, "contoso: the audit runs again"]
    assert memory.hears(4, soon) == ""


@pytest.mark.parametrize(
    ("kind", "days", "said"),
    [
        pytest.param(ExpiryKind.WAIVER, 30, True, id="a waiver thirty days before"),
        pytest.param(ExpiryKind.WAIVER, 31, False, id="a waiver earlier"),
        pytest.param(ExpiryKind.CONSENT_REQUEST, 7, True, id="a request a week before"),
        pytest.param(ExpiryKind.CONSENT_REQUEST, 8, False, id="a request that has time"),
    ],
)
def test_what_is_short_lived_is_said_later(kind: ExpiryKind, days: int, said: bool) -> None:
    ends = f"2026-12-{days:02}" if days < 31 else "2026-12-31"
    made = night(finished(), difference=difference(), expiries=(Expiry(what="It", ends=ends, kind=kind),))
    messages, _ = messages_for([target()], made, {}, "2026-11-30T02:00:00Z")
    assert bool(messages) is said


def test_a_request_that_was_said_with_the_day_of_its_end_alone_is_not_said_again_with_its_time() -> None:
    expiry = Expiry(what="It", ends="2026-12-03T08:00:00Z", kind=ExpiryKind.CONSENT_REQUEST, key="abc")
    made = night(finished(), difference=difference(), expiries=(expiry,))
    _, said = messages_for([target()], made, {}, "2026-11-30T02:00:00Z")
    assert [one.key for one in said] == ["expiry/consent-request/abc/2026-12-03"]


def test_the_severity_limits_findings_and_nothing_else() -> None:
    memory = Memory(target(at_least=Severity.HIGH))
    assert memory.hears(1, night(finished(), finding(1))) == ""
    assert memory.hears(2, night(finished(), finding(0)))
    assert memory.hears(3, night(finished(), broke()))
    assert memory.hears(4, night(finished(), app_appeared()))


def test_noise_is_not_said() -> None:
    minor = msgspec.structs.replace(app_appeared(), weight=Weight.MINOR)
    assert Memory().hears(1, night(finished(), minor)) == ""


@pytest.mark.parametrize(
    ("limits", "hears"),
    [
        pytest.param({}, True, id="no limits"),
        pytest.param({"tags": ("GOLD",)}, True, id="its tag"),
        pytest.param({"tags": ("silver",)}, False, id="another tag"),
        pytest.param({"tenants": ("Contoso",)}, True, id="its name"),
        pytest.param({"tenants": (ENTRY.tenant,)}, True, id="its id"),
        pytest.param({"tenants": ("fabrikam",)}, False, id="another tenant"),
        pytest.param({"tenants": ("contoso",), "tags": ("silver",)}, False, id="its name and another tag"),
    ],
)
def test_a_target_hears_of_its_tenants(limits: dict[str, Any], hears: bool) -> None:
    assert bool(Memory(target(**limits)).hears(1, night(finished(), broke()))) is hears


@pytest.mark.parametrize(
    ("events", "quiet", "changed", "fails"),
    [
        pytest.param(("change",), False, True, False, id="changes"),
        pytest.param(("failure",), False, False, True, id="failures"),
        pytest.param(("always",), True, True, True, id="always"),
        pytest.param(("digest",), True, True, True, id="digest alone is about everything, every night"),
        pytest.param(("digest", "change"), False, True, False, id="digest of changes"),
    ],
)
def test_a_target_hears_of_its_events(events: tuple[str, ...], quiet: bool, changed: bool, fails: bool) -> None:
    nights = QUIET, night(finished(), broke()), night(failed())
    assert tuple(bool(Memory(target("ops", *events)).hears(1, one)) for one in nights) == (quiet, changed, fails)


def test_each_target_has_its_own_memory_and_the_ids_differ() -> None:
    made = night(finished(), broke())
    messages, entries = messages_for([target("a"), target("b")], made, {}, at(1))
    assert len({one.id for one in messages}) == 2
    assert {one.target for one in entries} == {"a", "b"}


def test_the_same_night_gives_the_same_message() -> None:
    made = night(finished(), broke())
    assert messages_for([target()], made, {}, at(1)) == messages_for([target()], made, {}, at(1))


def test_two_packs_that_describe_one_app_are_two_decisions() -> None:
    memory = Memory()
    app = report().decisions[0].app
    change = broke(key=f"decision/{app.client_id}/ordinary member/trackerrms-us")
    assert memory.hears(1, night(finished(), change)) == "contoso: users can no longer connect TrackerRMS"


def test_names_in_a_title_are_on_one_line_and_short() -> None:
    entry = TenantEntry(name="con\ntoso " + "x" * 300)
    (message,), _ = messages_for([target()], night(finished(), broke(), entry=entry), {}, at(1))
    assert "\n" not in message.title
    assert len(message.title) <= 200
