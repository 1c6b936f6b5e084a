"""Predictions compared with the logs: what counts, what is left out, and of what nothing can be said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auditor.apps.asked_scopes import Description
from auditor.apps.predictions import compare_with_logs, concerned
from auditor.model.blocked import BlockedFilter
from auditor.model.prediction import PredictedEvent, PredictionComparison
from auditor.model.snapshot import Snapshot
from auditor.model.survey import ScopeSource
from auditor.snapshot.samples import patched, sample
from tests.apps.logged_tenants import (
    ADMIN,
    ALICE,
    BEFORE,
    EVENT,
    FOR_SELF,
    LATER,
    changed_setting,
    consented,
    entry,
    granted_for_all,
    plain,
    stopped,
    with_logs,
)
from tests.consent.from_oracle import app_of
from tests.oracle import pool
from tests.oracle.evaluator import judge
from tests.oracle.plain import MEMBER, UNVERIFIED, VERIFIED
from tests.oracle.plain import app as plain_app
from tests.oracle.strategies import apps

MAIL = "openid Mail.Read"
OFF = pool.LOW
"""Nothing is classified as low impact, so that users may not consent."""
OWN = pool.grant(pool.GRAPH, MAIL, pool.ALICE)
FOR_ALL = pool.grant(pool.GRAPH, MAIL)
ASKS_FOR_MAIL = plain_app(["openid", "Mail.Read"])


def compare(
    snapshot: Snapshot,
    *earlier: Snapshot,
    app: dict[str, Any] | None = ASKS_FOR_MAIL,
    asked: BlockedFilter | None = None,
) -> PredictionComparison:
    """The comparison, where a pack says what the app asks for."""
    packs = {app["client_id"].lower(): Description(ScopeSource.PACK, (("mailer", app_of(app)),))} if app else {}
    return compare_with_logs(snapshot, earlier, packs, asked or BlockedFilter())


def numbers(found: PredictionComparison) -> tuple[int | None, int | None, int | None]:
    return found.agrees, found.disagrees, found.cannot_tell


def only(found: PredictionComparison) -> PredictedEvent:
    (app,) = found.apps
    (event,) = app.events
    return event


AGREES, DISAGREES, UNCLEAR, NOTHING = (1, 0, 0), (0, 1, 0), (0, 0, 1), (0, 0, 0)


@pytest.mark.parametrize(
    ("policy", "entries", "expected"),
    [
        pytest.param(pool.LEGACY, [consented(MAIL)], AGREES, id="a consent that users may give"),
        pytest.param(OFF, [consented(MAIL)], DISAGREES, id="a consent that users may not give"),
        pytest.param(OFF, [stopped()], AGREES, id="a stop where users may not consent"),
        pytest.param(pool.LEGACY, [stopped()], DISAGREES, id="a stop where users may consent"),
        pytest.param(OFF, [stopped(code=90093)], AGREES, id="another code of missing consent"),
        pytest.param(OFF, [consented(MAIL, result="failure")], AGREES, id="a consent that was refused"),
        pytest.param(pool.LEGACY, [consented(MAIL, result="failure")], DISAGREES, id="a consent refused although"),
        pytest.param(OFF, [stopped(code=65001)], NOTHING, id="the entry before every consent page"),
        pytest.param(OFF, [stopped(code=65004)], NOTHING, id="a user who cancelled"),
        pytest.param(OFF, [stopped(code=50105)], NOTHING, id="an assignment that is missing"),
        pytest.param(OFF, [stopped(), stopped("2026-11-15T10:00:00Z")], AGREES, id="a second try on that day"),
        pytest.param(OFF, [stopped(), stopped("2026-11-16T10:00:00Z")], (2, 0, 0), id="another day"),
        pytest.param(
            OFF,
            [consented(MAIL, result="failure", correlationId="c1"), stopped(LATER, correlationId="C1")],
            AGREES,
            id="a refusal and its sign-in, by their correlation",
        ),
        pytest.param(
            OFF,
            [consented(MAIL, result="failure"), stopped("2026-11-15T09:00:20Z")],
            AGREES,
            id="a refusal and its sign-in, by their times",
        ),
        pytest.param(OFF, [consented(MAIL, admin=True)], NOTHING, id="an administrator's consent"),
        pytest.param(OFF, [granted_for_all(MAIL, EVENT)], NOTHING, id="a grant for all users"),
        pytest.param(pool.LEGACY, [consented(MAIL, held=MAIL)], UNCLEAR, id="a consent that added nothing"),
    ],
)
def test_each_event_counts_once_and_is_compared(policy: str, entries: list[Any], expected: tuple[int, ...]) -> None:
    found = compare(with_logs(plain(policy), *entries))
    assert numbers(found) == expected
    assert not found.not_read


def test_the_consent_that_is_predicted_is_not_in_the_input() -> None:
    """With the grant that the consent left, the app connects silently, and every prediction would be right."""
    document = plain(OFF, oauth2PermissionGrants=[OWN])
    assert judge(document, ASKS_FOR_MAIL, MEMBER).outcome == "connects-silently"
    found = compare(with_logs(document, consented(MAIL)))
    assert numbers(found) == DISAGREES
    assert only(found).because.startswith(f"{ALICE} cannot connect Mailer")


def test_administrators_are_left_out_and_counted() -> None:
    log = [consented(MAIL)]
    found = compare(with_logs(plain(OFF), *log, roles=[ADMIN]))
    assert (numbers(found), found.left_out, found.sentence) == (NOTHING, 1, "The logs have nothing to compare.")
    failed = compare(with_logs(plain(OFF), stopped(), roles=[ADMIN]))
    assert only(failed).because == "the user is an administrator now, and may not have been one then"


@pytest.mark.parametrize(
    ("grants", "entries", "expected"),
    [
        pytest.param([FOR_ALL], [stopped(), granted_for_all(MAIL, LATER)], AGREES, id="granted for all afterwards"),
        pytest.param([FOR_ALL], [stopped(), granted_for_all(MAIL, BEFORE)], DISAGREES, id="granted for all before"),
        pytest.param([FOR_ALL], [stopped()], DISAGREES, id="granted for all at a time before the log"),
        pytest.param(
            [FOR_ALL],
            [stopped(), granted_for_all(MAIL, LATER), granted_for_all(MAIL, BEFORE)],
            UNCLEAR,
            id="granted for all before and afterwards",
        ),
        pytest.param([OWN], [stopped(), consented(MAIL, LATER)], (1, 1, 0), id="an own consent afterwards"),
        pytest.param([OWN], [stopped()], UNCLEAR, id="an own grant that may be older"),
        pytest.param(
            [],
            [
                consented(MAIL, result="failure"),
                entry("Remove delegated permission grant", LATER, pool.OBJECT_IDS[pool.CLIENT], {}),
            ],
            AGREES,
            id="a grant that was removed afterwards, which can't matter",
        ),
    ],
)
def test_grants_count_as_they_were_at_the_time(
    grants: list[Any], entries: list[Any], expected: tuple[int, ...]
) -> None:
    assert numbers(compare(with_logs(plain(OFF, oauth2PermissionGrants=grants), *entries))) == expected


NOW_OFF, THEN_LEGACY = plain(OFF), {**plain(pool.LEGACY), "taken": "2026-11-10T02:00:00Z"}


@pytest.mark.parametrize(
    ("change", "earlier", "expected", "because"),
    [
        pytest.param(changed_setting(), (), UNCLEAR, "the consent settings changed on 2026-11-18", id="only the log"),
        pytest.param(changed_setting(old=[pool.LEGACY]), (), AGREES, "can connect", id="the log says what was before"),
        pytest.param(changed_setting(old=[OFF]), (), DISAGREES, "cannot connect", id="the change was of no matter"),
        pytest.param(changed_setting(), (THEN_LEGACY,), AGREES, "can connect", id="an earlier read"),
        pytest.param(
            changed_setting(BEFORE), (THEN_LEGACY,), DISAGREES, "cannot connect", id="a change before the event"
        ),
        pytest.param(
            changed_setting(name="AllowInvitesFrom"), (), DISAGREES, "cannot connect", id="a setting about guests"
        ),
        pytest.param(
            entry("Update service principal", LATER, pool.OBJECT_IDS[pool.CLIENT], {"AccountEnabled": "true"}),
            (THEN_LEGACY,),
            UNCLEAR,
            "the app or what it asks for changed on 2026-11-18",
            id="the app changed",
        ),
        pytest.param(
            entry("Update service principal", LATER, pool.OBJECT_IDS[pool.CLIENT], {"KeyDescription": ""}),
            (),
            DISAGREES,
            "cannot connect",
            id="a key of the app changed",
        ),
        pytest.param(
            entry("Update service principal", LATER, pool.OBJECT_IDS[pool.GRAPH], {}),
            (),
            UNCLEAR,
            "the app or what it asks for changed on 2026-11-18",
            id="a classification may have changed",
        ),
        pytest.param(
            entry("Add service principal", LATER, pool.OBJECT_IDS[pool.CLIENT], {}),
            (),
            DISAGREES,
            "cannot connect",
            id="the app was added",
        ),
        pytest.param(
            stopped(LATER, appId=pool.OTHER_CLIENT, userId="", userPrincipalName=""),
            (THEN_LEGACY,),
            (0, 0, 2),
            "the policies of 2026-11-10 decide otherwise",
            id="an earlier read differs without an entry",
        ),
    ],
)
def test_the_policies_of_that_time_decide(
    change: Any, earlier: tuple[Any, ...], expected: tuple[int, ...], because: str
) -> None:
    found = compare(with_logs(NOW_OFF, consented(MAIL), change), *(with_logs(one) for one in earlier))
    assert numbers(found) == expected
    assert any(because in event.because for app in found.apps for event in app.events)


@pytest.mark.parametrize(
    ("event", "more", "because"),
    [
        pytest.param(stopped(userId=pool.BOB), {}, "who the user is was not read", id="an unknown user"),
        pytest.param(stopped(), {"user": {"userType": "Guest"}}, "", id="a guest who may not be asked"),
        pytest.param(stopped("2026-10-01T00:00:00Z"), {}, "may not reach back so far", id="before the log begins"),
        pytest.param(stopped(), {"directoryAudits": None}, "the audit log was not read whole", id="no audit log"),
    ],
)
def test_of_what_is_not_known_nothing_is_said(event: Any, more: Any, because: str) -> None:
    found = compare(with_logs(plain(), event, **more))
    assert numbers(found)[:2] in ((0, 0), (None, None))
    assert because in only(found).because


def test_an_app_of_which_nothing_is_known_is_not_compared() -> None:
    found = compare(with_logs(plain(OFF), stopped()), app=None)
    assert only(found).because == "nothing says what the app asked for"


def test_without_logs_there_is_no_number() -> None:
    found = compare(with_logs(plain(), signIns=None, directoryAudits=None))
    assert numbers(found) == (None, None, None)
    assert found.sentence == "Nothing was compared: the logs were not read whole."
    assert len(found.not_read) == 2
    unread = compare_with_logs(patched(sample("stopped-users"), {"directoryAudits": None}))
    assert (unread.agrees, unread.disagrees) == (None, None)
    assert unread.sentence == "Nothing can be said about 7 failed sign-ins."


def test_a_row_that_cannot_be_counted_is_a_part_of_the_log_that_was_not_read() -> None:
    (why,) = compare(with_logs(plain(), stopped(appId=None))).not_read
    assert why.endswith("has no appId")


def test_without_the_audit_log_reads_before_and_after_the_event_decide_together() -> None:
    earlier = with_logs({**plain(OFF), "taken": "2026-11-10T02:00:00Z"})
    assert numbers(compare(with_logs(plain(OFF), stopped(), directoryAudits=None), earlier)) == AGREES
    found = compare(with_logs(plain(pool.LEGACY), stopped(), directoryAudits=None), earlier)
    assert numbers(found) == (None, None, 1)


def test_the_reasons_of_a_disagreement_are_in_order() -> None:
    plainly = only(compare(with_logs(plain(), stopped())))
    assert [reason.partition(":")[0].partition(" ")[0] for reason in plainly.reasons] == [
        *("another", "the", "Conditional", "step-up", "a")
    ]
    assert plainly.reasons[-1].endswith("(consent-auditor bundle)")
    risky = only(compare(with_logs(plain(), stopped(code=900981))))
    assert risky.reasons[0].startswith("step-up: Microsoft considered the request risky")
    assert not any("looked risky" in reason for reason in risky.reasons)
    changed = only(compare(with_logs(plain(), stopped(), changed_setting("2026-11-15T08:30:00Z"))))
    assert changed.reasons[0].startswith("the policy changed: the consent settings changed on 2026-11-15 by alice@")
    given = only(compare(with_logs(plain(OFF), consented(MAIL))))
    assert not any("Conditional" in reason or "scopes" in reason for reason in given.reasons)


def test_only_the_events_that_were_asked_for_count() -> None:
    snapshot = sample("stopped-users")
    assert compare_with_logs(snapshot).sentence.startswith("8 of 8 consents and failed sign-ins of the last 27 days")
    tracker = compare_with_logs(snapshot, asked=BlockedFilter(app="tracker"))
    assert [app.app.name for app in tracker.apps] == ["TrackerRMS"]
    tom = compare_with_logs(snapshot, asked=BlockedFilter(user="tom@relecloudhr.onmicrosoft.com"))
    assert {event.user for app in tom.apps for event in app.events} == {"tom@relecloudhr.onmicrosoft.com"}
    since = compare_with_logs(snapshot, asked=BlockedFilter(since="2026-11-18T00:00:00Z"))
    assert since.first >= "2026-11-18"
    assert len(concerned(snapshot).clients) == 6


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(
    app=apps(),
    policy=st.sampled_from([pool.LEGACY, pool.LOW, pool.RECOMMENDED, pool.MAIL_CLIENTS]),
    client=st.sampled_from([VERIFIED, UNVERIFIED]),
    low=st.sampled_from([(), ("openid", "User.Read"), ("Mail.Read", "openid", "profile")]),
    for_all=st.sampled_from(["", "openid profile", "User.Read"]),
    later=st.sampled_from([pool.LEGACY, pool.LOW, pool.RECOMMENDED]),
    says=st.booleans(),
)
def test_what_the_second_evaluator_says_happens_agrees_and_a_later_change_is_no_disagreement(
    app: Any, policy: str, client: Any, low: tuple[str, ...], for_all: str, later: str, says: bool
) -> None:
    grants = [pool.grant(pool.GRAPH, for_all)] if for_all else []
    classified: dict[str, Any] = {one: [] for one in pool.RESOURCES} | {pool.GRAPH: pool.classified(pool.GRAPH, low)}
    sections = {"delegatedPermissionClassifications": classified}
    document = plain(policy, client=client, oauth2PermissionGrants=grants, **sections)
    outcome = judge(document, app, MEMBER).outcome
    # The documents leave open whether a grant covers offline_access, and the evaluator takes the other reading.
    assume(outcome in ("user-may-consent", "needs-admin") and "offline_access" not in str(app["scopes"]).lower())
    required = (one for one in app["scopes"] if one["required"])
    asked = " ".join(one["value"] for one in required if one["resource"].lower() == pool.GRAPH)
    consents = outcome == "user-may-consent"
    log = consented(asked) if consents and asked else stopped()
    assume(consents == bool(consents and asked))
    own = [pool.grant(pool.GRAPH, asked, pool.ALICE)] if consents else []
    after = plain(policy, client=client, oauth2PermissionGrants=[*grants, *own], **sections)
    assert compare(with_logs(after, log), app=app).disagrees == 0
    changed = plain(later, client=client, oauth2PermissionGrants=[*grants, *own], **sections)
    change = changed_setting(old=[policy] if says else None)
    found = compare(with_logs(changed, log, change), app=app)
    assert found.disagrees == 0
    assert says or found.agrees == 0


def test_the_setting_of_the_tests_is_the_one_that_entries_name() -> None:
    assert (
        f"{FOR_SELF}{pool.LEGACY}"
        in plain()["sections"]["authorizationPolicy"]["defaultUserRolePermissions"]["permissionGrantPoliciesAssigned"]
    )
