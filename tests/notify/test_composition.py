"""Every message as the administrator reads it at seven in the morning on a phone, line by line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import pytest

from auditor.model.configuration import NotifyTarget
from auditor.model.decision import Outcome
from auditor.model.difference import Transition
from auditor.model.history import OutboxMessage, Run, RunState
from auditor.model.notification import Expiry, ExpiryKind, NightOfTenant
from auditor.model.report import UnreadPart
from auditor.model.rule import FindingOutcome
from auditor.notify import messages_for
from auditor.notify.expiries import credential_expiry
from tests.golden import check_section
from tests.notify.nights import (
    NOW,
    app_appeared,
    broke,
    decision,
    difference,
    failed,
    finding,
    finished,
    night,
    policy_changed,
    setting_changed,
    target,
)

GOLDEN = Path(__file__).with_name("messages.txt")
WAIVER = Expiry(
    what='The waiver of "The admin consent workflow is on"',
    ends="2026-12-01",
    kind=ExpiryKind.WAIVER,
    then="After that, the rule fails again. Its owner is olga@contoso.example.",
)
POLICY = "policy/microsoft-user-default-recommended"


def message(night_: NightOfTenant, to: NotifyTarget | None = None) -> OutboxMessage:
    """The one message about the night."""
    (made,), _ = messages_for([to or target()], night_, {}, NOW)
    return made


def message_after(before: Run, night_: NightOfTenant) -> OutboxMessage:
    """The one message about the night to a target that heard of the run before it."""
    _, said = messages_for([target()], night(before), {}, before.started)
    (made,), _ = messages_for([target()], night_, {"admins": said}, NOW)
    return made


def deciding_about(names: Mapping[str, str]) -> Run:
    """A run that decides about more apps, by client id."""
    run = finished()
    more = (msgspec.structs.replace(run.decisions[0], app=name, client_id=one) for one, name in names.items())
    return msgspec.structs.replace(run, decisions=(*run.decisions, *more))


CASES: dict[str, Callable[[], OutboxMessage]] = {
    "users can no longer connect": lambda: message(
        night(
            finished(),
            broke(because_of=(POLICY,)),
            policy_changed(),
            finding(0),
            finding(1),
            finding(4, Transition.FIXED, FindingOutcome.PASS),
            setting_changed(),
        ),
        target(link="https://reports.contoso.example/{tenant}/"),
    ),
    "users can connect again": lambda: message(
        night(
            finished("admin-consented"),
            decision(
                Outcome.NEEDS_ADMIN,
                Outcome.CONNECTS_SILENTLY,
                means="Users can now connect TrackerRMS without being asked for consent: an administrator consented.",
            ),
            finding(0, Transition.FIXED, FindingOutcome.PASS),
        )
    ),
    "it is no longer known whether users can connect": lambda: message(
        night(
            finished(
                "unreadable-policies",
                unread=(UnreadPart(section="permissionGrantPolicies", needs=("Policy.Read.PermissionGrant",)),),
            ),
            decision(
                Outcome.NEEDS_ADMIN,
                Outcome.DEPENDS,
                transition=Transition.BECAME_UNKNOWN,
                means="It is no longer known: the consent policies were not read.",
            ),
        )
    ),
    "several apps": lambda: message(
        night(
            deciding_about({"2": "Acme", "3": "Zeta"}),
            broke(),
            broke(key="decision/2/ordinary member", client_id="2", what="Whether an ordinary user can connect Acme"),
            decision(
                Outcome.BLOCKED,
                Outcome.USER_MAY_CONSENT,
                key="decision/3/ordinary member",
                client_id="3",
                what="Whether an ordinary user can connect Zeta",
                means="Users can now connect Zeta and consent to it: an exclusion was removed.",
            ),
        )
    ),
    "a rule fails": lambda: message(night(finished(), finding(3))),
    "a waiver accepts a failing rule": lambda: message(
        night(finished(), finding(3, Transition.FIXED, FindingOutcome.WAIVED))
    ),
    "a setting and an app": lambda: message(night(finished(), setting_changed(), app_appeared())),
    "the audit could not run": lambda: message(night(failed())),
    "the audit runs again": lambda: message_after(
        failed("2026-11-19T02:00:00Z"), night(finished(), difference=difference())
    ),
    "the audit could not run, with advice": lambda: message(
        night(
            failed(error="contoso.json ends in the middle, in line 1"),
            advice="Create it again with: consent-auditor collect -o FILE",
        )
    ),
    "runs were missed": lambda: message(
        night(finished(), missed=("2026-11-20T02:00:00Z", "2026-11-21T02:00:00Z"), difference=difference())
    ),
    "the last run was interrupted": lambda: message(
        night(
            finished(),
            previous=msgspec.structs.replace(failed("2026-11-21T02:00:00Z"), state=RunState.INTERRUPTED, error=""),
            difference=difference(),
        )
    ),
    "the credential and a waiver end": lambda: message(
        night(finished(), difference=difference(), expiries=(credential_expiry("2026-12-09"), WAIVER))
    ),
    "the credential ended": lambda: message(night(failed(), expiries=(credential_expiry("2026-11-21"),))),
    "nothing changed": lambda: message(night(finished(), difference=difference()), target("ops", "always")),
    "the first night": lambda: message(night(finished()), target("ops", "always")),
    "with the report attached": lambda: message(
        night(finished(), broke(), report_path="reports/contoso/report.html"), target(attach="html")
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_message_reads_as_approved(name: str) -> None:
    made = CASES[name]()
    check_section(GOLDEN, name, f"{made.title}\n\n{made.text}\n")


def test_markdown_reads_as_approved() -> None:
    made = CASES["users can no longer connect"]()
    check_section(GOLDEN.with_name("markdown.txt"), "users can no longer connect", f"{made.title}\n\n{made.body}\n")


@pytest.mark.parametrize("name", CASES)
def test_the_first_line_names_the_tenant_and_the_last_line_the_message(name: str) -> None:
    made = CASES[name]()
    assert made.title.startswith("contoso: ")
    assert made.text.endswith(f"Message {made.id}")
    assert made.body.endswith(f"Message {made.id}")


def test_the_reason_is_what_follows_the_answer_also_of_an_app_with_a_colon_in_its_name() -> None:
    run = finished()
    app = msgspec.structs.replace(run.decisions[0], app="Acme: Mail")
    change = broke(means="Users can no longer connect Acme: Mail: Microsoft changed its policy.")
    text = message(night(msgspec.structs.replace(run, decisions=(app,)), change)).text
    assert "contoso: users can no longer connect Acme: Mail" in message(night(finished(decisions=(app,)), change)).title
    assert "Why: Microsoft changed its policy." in text


def test_the_rule_and_the_title_of_a_finding_are_those_of_the_run_whatever_the_change_calls_it() -> None:
    change = msgspec.structs.replace(finding(), what="Another text")
    made = message(night(finished(), change))
    one = next(each for each in night().findings if change.key == f"finding/{each.fingerprint}")
    assert one.title in made.title
    assert f'"{one.title}"' in made.text and f"({one.rule})" in made.text
    unknown = message(night(finished(), change, findings=()))
    assert '"Another text"' in unknown.text


def test_an_app_that_no_decision_of_the_run_names_has_its_client_id() -> None:
    made = message(night(finished(decisions=()), broke(client_id="11111111-2222-4333-8444-555555555555")))
    assert made.title == "contoso: users can no longer connect 11111111-2222-4333-8444-555555555555"
