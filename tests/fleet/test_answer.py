"""The answer over many tenants, from values: every number is counted by hand."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from auditor.consent.deciding_setting import DecidingSetting
from auditor.fleet.freshness import freshness, oldest_start
from auditor.fleet.tenant_audit import TenantAudit, with_common_apps
from auditor.model.customers import Customer, CustomerList, ListKind, Relationship
from auditor.model.decision import AppRef, Outcome, Reason
from auditor.model.difference import Actor, ActorKind, Change, ChangeKind, Since, Transition, Weight
from auditor.model.document import Heading, Points
from auditor.model.fleet import AppState, AuditState, EndingKind, FleetReport, FleetTodo, StateCounts, TodoPart
from auditor.model.history import Run, RunState
from auditor.model.notification import Expiry, ExpiryKind
from auditor.model.rule import FindingOutcome, Severity
from auditor.model.snapshot import CredentialEnd
from auditor.render.fleet_text import screen
from tests.fleet.audits import APP, AT, CIS, DISABLED, MANAGED, answer, audit, earlier, report, rule, value

PASS, FAIL, NOT_KNOWN = FindingOutcome.PASS, FindingOutcome.FAIL, FindingOutcome.UNKNOWN
ONLY_CONTACTS = MANAGED._replace(scopes=("Contacts.ReadWrite",))


def ten_tenants() -> FleetReport:
    """Three connect, four need an administrator, one is blocked, one lacks permissions, and two aren't known."""
    return report(
        (
            audit("a", answer(Outcome.CONNECTS_SILENTLY)),
            audit("b", answer(Outcome.USER_MAY_CONSENT)),
            audit("c", answer(Outcome.CONNECTS_SILENTLY)),
            audit("d", answer(Outcome.NEEDS_ADMIN, MANAGED)),
            audit("e", answer(Outcome.NEEDS_ADMIN, MANAGED)),
            audit("f", answer(Outcome.NEEDS_ADMIN, ONLY_CONTACTS)),
            audit("g", answer(Outcome.BLOCKED, DISABLED)),
            audit("h", answer(Outcome.CONNECTS_BUT_LACKS_SCOPES, ONLY_CONTACTS)),
            audit("i", answer(Outcome.DEPENDS, depends_on="the user consent setting (needs Policy.Read.All)")),
            audit("j", state=AuditState.NEVER, problem="No run has ended yet."),
        )
    )


def test_every_tenant_counts_once_for_its_app_and_one_that_was_never_read_is_unknown() -> None:
    (app,) = ten_tenants().apps
    assert (app.tenants, app.connects, app.needs_admin, app.blocked, app.lacks_scopes, app.unknown) == (
        *(10, 3, 3, 1, 1, 2),
    )


def test_without_a_configuration_a_tenant_without_any_audit_counts_for_the_apps_that_all_others_have() -> None:
    other = AppRef(name="Other", client_id="0a000000-0000-4000-8000-0000000000aa")
    audits = with_common_apps(
        [
            audit("a", answer(Outcome.CONNECTS_SILENTLY), asked=()),
            audit("b", answer(Outcome.BLOCKED, DISABLED), answer(Outcome.BLOCKED, app=other), asked=()),
            audit("failed", state=AuditState.FAILED, asked=()),
            audit("without apps", asked=()),
        ]
    )
    assert [one.asked for one in audits] == [(), (), (APP,), ()]
    assert with_common_apps([audit("failed", state=AuditState.FAILED, asked=())])[0].asked == ()


def test_the_answer_is_one_sentence_with_all_counts() -> None:
    made = ten_tenants()
    assert made.answer == (
        "Users of 3 of 10 tenants can connect Acme Mail: 1 is blocked, 3 need an administrator, 1 connects but lacks"
        " permissions and 2 are unknown."
    )
    assert made.exit_code == 1


def test_tenants_are_grouped_by_the_setting_that_decides() -> None:
    (app,) = ten_tenants().apps
    assert [(one.text, one.state, one.tenants) for one in app.why] == [
        ("1 of 10: sign-in to the app is switched off", AppState.BLOCKED, ("g",)),
        (
            "3 of 10: the Microsoft-managed policy excludes Mail.ReadWrite and Contacts.ReadWrite"
            " (only some of these in 1 tenant)",
            AppState.NEEDS_ADMIN,
            ("d", "e", "f"),
        ),
        ("1 of 10: what was granted lacks Contacts.ReadWrite", AppState.LACKS_SCOPES, ("h",)),
        (
            "1 of 10: it depends on the user consent setting (needs Policy.Read.All)",
            AppState.UNKNOWN,
            ("i",),
        ),
        ("1 of 10: no audit was made yet", AppState.UNKNOWN, ("j",)),
    ]


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        pytest.param(Outcome.CONNECTS_SILENTLY, AppState.CONNECTS, id="connects silently"),
        pytest.param(Outcome.USER_MAY_CONSENT, AppState.CONNECTS, id="users may consent"),
        pytest.param(Outcome.CONNECTS_BUT_LACKS_SCOPES, AppState.LACKS_SCOPES, id="lacks scopes"),
        pytest.param(Outcome.NEEDS_ADMIN, AppState.NEEDS_ADMIN, id="needs an administrator"),
        pytest.param(Outcome.BLOCKED, AppState.BLOCKED, id="blocked"),
        pytest.param(Outcome.DEPENDS, AppState.UNKNOWN, id="depends"),
    ],
)
def test_each_outcome_counts_in_one_place(outcome: Outcome, state: AppState) -> None:
    made = report([audit("a", answer(outcome))])
    assert made.tenants[0].apps[0].state is state
    assert made.exit_code == {AppState.CONNECTS: 0, AppState.UNKNOWN: 4}.get(state, 1)


@pytest.mark.parametrize(
    "state",
    [pytest.param(one, id=one.value) for one in AuditState if one is not AuditState.AUDITED],
)
def test_an_audit_that_does_not_count_keeps_its_outcome_and_is_unknown(state: AuditState) -> None:
    made = report(
        [
            audit("old", answer(Outcome.NEEDS_ADMIN, MANAGED), state=state, todo=_todo("Approve it.")),
            audit("new", answer(Outcome.CONNECTS_SILENTLY)),
        ]
    )
    old = next(one for one in made.tenants if one.name == "old")
    assert (old.apps[0].outcome, old.apps[0].state, old.todo) == (Outcome.NEEDS_ADMIN, AppState.UNKNOWN, None)
    assert (made.apps[0].needs_admin, made.apps[0].unknown, made.exit_code) == (0, 1, 4)
    assert made.not_audited[0].tenants == ("old",)


def test_without_any_audit_that_counts_nothing_is_claimed() -> None:
    made = report([audit("a", state=AuditState.FAILED, problem="The secret has expired.")])
    assert (made.answer, made.exit_code) == ("No audit could be used: of 1 tenant, none has a current one.", 3)
    assert report([]).answer == "There is no tenant to report on."


def test_a_screen_about_tenants_without_an_audit_says_so_and_never_that_users_connect() -> None:
    lost = audit(
        "lost",
        answer(Outcome.NEEDS_ADMIN, MANAGED),
        state=AuditState.FAILED,
        earlier=earlier(Outcome.CONNECTS_SILENTLY),
    )
    new = audit("new", state=AuditState.NEVER)
    connects = audit("connects", answer(Outcome.CONNECTS_SILENTLY))
    assert why_on_screen(new) == ["1 of 1: no audit was made yet (new)"]
    assert why_on_screen(lost) == ["1 of 1: no audit could be made (lost)"], "no word of the audit before that"
    assert why_on_screen(connects, new) == ["1 of 2: no audit was made yet (new)"]
    assert why_on_screen(connects) == ["Users connect, or can accept the permissions themselves."]


def why_on_screen(*audits: TenantAudit) -> list[str]:
    """The points below "Why"."""
    blocks = iter(screen(report(audits)))
    next(one for one in blocks if one == Heading("Why"))
    points = next(blocks)
    assert isinstance(points, Points)
    return [point.text for point in points.points]


def test_policies_that_tenants_made_are_one_reason_whatever_their_names() -> None:
    own = DecidingSetting(Reason.SCOPE_NOT_LISTED, "own", ("Mail.Send",))
    made = report([audit(name, answer(Outcome.NEEDS_ADMIN, own)) for name in "ab"])
    (why,) = made.apps[0].why
    assert (why.setting, why.tenants) == ("a consent policy of the tenant's own doesn't list Mail.Send", ("a", "b"))


def test_an_app_with_several_descriptions_is_an_app_for_each_pack() -> None:
    uk, us = (msgspec.structs.replace(APP, variant=one) for one in ("acme-uk", "acme-us"))
    made = report(
        [
            audit("a", answer(Outcome.CONNECTS_SILENTLY, app=uk), answer(Outcome.BLOCKED, DISABLED, app=us), asked=()),
            audit("b", answer(Outcome.CONNECTS_SILENTLY, pack="acme-uk"), asked=()),
        ]
    )
    assert {one.name: (one.tenants, one.connects) for one in made.apps} == {
        "Acme Mail, pack acme-us": (1, 0),
        "Acme Mail, pack acme-uk": (2, 2),
    }


def test_two_apps_are_counted_by_tenants_that_can_connect_both() -> None:
    other = AppRef(name="Other", client_id="0a000000-0000-4000-8000-000000000002")
    fine, stopped = answer(Outcome.CONNECTS_SILENTLY), answer(Outcome.BLOCKED, DISABLED, app=other)
    made = report([audit("a", fine), audit("b", fine, stopped), audit("c", state=AuditState.NEVER)])
    assert made.answer == (
        "Users can connect both apps in 1 of 3 tenants: 1 has an app that they can't and 1 is unknown."
    )


def test_the_order_of_the_tenants_does_not_matter_and_two_of_one_name_stay_apart() -> None:
    tenants = [
        audit("same", answer(Outcome.CONNECTS_SILENTLY)),
        msgspec.structs.replace(audit("same", answer(Outcome.BLOCKED, DISABLED)), id="other-id"),
    ]
    made = report(tenants)
    assert [one.name for one in made.tenants] == ["same (other-id)", "same (id-of-same)"]
    assert msgspec.json.encode(made) == msgspec.json.encode(report(reversed(tenants)))


def test_tenants_without_an_audit_for_the_same_reason_are_together_without_their_names() -> None:
    made = report(
        audit(
            name,
            state=AuditState.FAILED,
            problem=f"AADSTS700016: the app is not in the directory '{name} Ltd.'.",
            advice="Send the consent link.",
        )
        for name in ("contoso", "fabrikam")
    )
    (one,) = made.not_audited
    assert one.tenants == ("contoso", "fabrikam")
    assert one.reason == "AADSTS700016: the app is not in the directory …."
    assert made.tenants[0].problem.endswith("'contoso Ltd.'.")


# ---- What to do -----------------------------------------------------------------------------------------------------


def _todo(what: str, *, proven: bool = True, app: AppRef = APP) -> FleetTodo:
    part = TodoPart(action=what, what=what, role="Admin", link="", proven=proven, apps=(f"{app.client_id}/",))
    return FleetTodo(what=what, role="Admin", message=f"Subject: {what}\n", parts=(part,))


def test_the_action_that_helps_most_tenants_comes_first_and_what_is_not_proven_last() -> None:
    needs = answer(Outcome.NEEDS_ADMIN, MANAGED)
    made = report(
        [
            audit("a", needs, todo=_todo("Switch it on.")),
            *(audit(name, needs, todo=_todo("Approve it.")) for name in "bc"),
            *(audit(name, needs, todo=_todo("Ask the vendor.", proven=False)) for name in "def"),
        ]
    )
    assert [(one.what, one.tenants, one.proven) for one in made.actions] == [
        ("Approve it.", ("b", "c"), True),
        ("Switch it on.", ("a",), True),
        ("Ask the vendor.", ("d", "e", "f"), False),
    ]
    assert made.actions[0].apps == (APP.client_id,)


# ---- Changes --------------------------------------------------------------------------------------------------------


def test_an_app_that_changed_is_a_change_and_one_that_was_not_known_is_neither_better_nor_worse() -> None:
    made = report(
        [
            audit("same", answer(Outcome.CONNECTS_SILENTLY), earlier=earlier(Outcome.USER_MAY_CONSENT)),
            audit("worse", answer(Outcome.NEEDS_ADMIN, MANAGED), earlier=earlier(Outcome.CONNECTS_SILENTLY)),
            audit("better", answer(Outcome.CONNECTS_SILENTLY), earlier=earlier(Outcome.BLOCKED)),
            audit("lost", answer(Outcome.DEPENDS, depends_on="it"), earlier=earlier(Outcome.CONNECTS_SILENTLY)),
            audit("found", answer(Outcome.CONNECTS_SILENTLY), earlier=earlier(Outcome.DEPENDS)),
            audit("stale", answer(Outcome.BLOCKED), state=AuditState.STALE, earlier=earlier(Outcome.DEPENDS)),
            audit("new", answer(Outcome.CONNECTS_SILENTLY)),
        ]
    )
    assert {one.tenant: (one.before, one.after, one.transition, one.worse) for one in made.changes} == {
        "worse": ("connects", "needs-admin", Transition.CHANGED, True),
        "better": ("blocked", "connects", Transition.CHANGED, False),
        "lost": ("connects", "unknown", Transition.BECAME_UNKNOWN, None),
        "found": ("unknown", "connects", Transition.BECAME_KNOWN, None),
    }
    assert made.apps[0].compared == 5, "a tenant whose state isn't known now isn't compared"
    assert made.apps[0].before == StateCounts(tenants=5, connects=3, blocked=1, unknown=1)


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        pytest.param(PASS, FAIL, True, id="starts to fail"),
        pytest.param(FAIL, PASS, False, id="fixed"),
        pytest.param(PASS, NOT_KNOWN, "none", id="no longer known"),
        pytest.param(NOT_KNOWN, FAIL, "none", id="known now"),
        pytest.param(FAIL, FAIL, "none", id="as before"),
        pytest.param(None, FAIL, "none", id="a new rule"),
    ],
)
def test_a_rule_changed_only_if_both_outcomes_are_known(before: Any, after: FindingOutcome, worse: Any) -> None:
    then = earlier(findings={"fingerprint-R1": before} if before else {})
    made = report([audit("a", rules=(rule(after),), earlier=then)])
    assert [one.worse for one in made.changes] == ([] if worse == "none" else [worse])


def _change(before: str, after: str, weight: Weight = Weight.MAJOR) -> Change:
    return Change(
        kind=ChangeKind.SETTING,
        key="setting/consent",
        what="The user consent setting",
        transition=Transition.CHANGED,
        before=before,
        after=after,
        weight=weight,
        since=Since(source="directory audit", at="2026-11-26T09:00:00Z"),
        by=Actor(kind=ActorKind.USER, name="ann@contoso.example"),
    )


def test_several_changes_of_one_setting_are_one_and_none_if_it_is_as_it_was() -> None:
    made = report(
        [
            audit("a", earlier=earlier(), changes=(_change("on", "off"), _change("off", "managed"))),
            audit("b", earlier=earlier(), changes=(_change("on", "off"), _change("off", "on"))),
            audit("c", earlier=earlier(), changes=(_change("on", "ON", Weight.MINOR),)),
        ]
    )
    assert [(one.tenant, one.before, one.after, one.by, one.since) for one in made.changes] == [
        ("a", "on", "managed", "ann@contoso.example", "2026-11-26T09:00:00Z")
    ]


# ---- Benchmarks and outliers ----------------------------------------------------------------------------------------


def test_benchmarks_are_counted_by_tenant_and_their_settings_by_the_worst_rule() -> None:
    made = report(
        [
            audit(
                "a", rules=(rule(FAIL), rule(PASS, "R2")), packs=(CIS,), asked=(), earlier=earlier(findings=_then(PASS))
            ),
            audit("b", rules=(rule(PASS), rule(NOT_KNOWN, "R2", severity=Severity.LOW)), packs=(CIS,), asked=()),
            audit("c", rules=(rule(FAIL), rule(FAIL, "R2", severity=Severity.CRITICAL)), packs=(CIS,), asked=()),
            audit("d", rules=(rule(FAIL),), packs=(CIS,), asked=(), state=AuditState.STALE),
        ]
    )
    (pack,) = made.benchmarks
    rows = [(one.tenant, one.failed, one.unknown, one.passed, one.failed_before) for one in pack.tenants]
    assert rows == [("c", 2, 0, 0, None), ("a", 1, 0, 1, 0), ("b", 0, 1, 1, None)]
    assert pack.not_audited == ("d",)
    (setting,) = made.settings
    assert (setting.failing, setting.unknown, setting.passing) == (("a", "c"), ("b",), ())
    assert (setting.severity, setting.rules) == (Severity.CRITICAL, ("cis/R1", "cis/R2"))
    assert (made.answer, made.exit_code) == (
        'A rule fails in 2 of 4 tenants; 1 is unknown. Most fail at "user-consent" (2).',
        1,
    )


def _then(outcome: FindingOutcome) -> dict[str, FindingOutcome]:
    return {"fingerprint-R1": outcome}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        pytest.param(["true"] * 9 + ["false"], ["t9"], id="one of ten differs"),
        pytest.param(["true"] * 18 + ["false", "null"], ["t18", "t19"], id="two of twenty differ"),
        pytest.param(["true"] * 8 + ["false"] * 2, [], id="two of ten differ"),
        pytest.param(["true"] * 8 + ["false"], [], id="nine tenants are too few"),
        pytest.param(["true"] * 9 + [None], [], id="a value that was not read"),
        pytest.param(["true"] * 10 + ["false", None], ["t10"], id="a value that was not read does not count"),
        pytest.param(["true"] * 12, [], id="all alike"),
    ],
)
def test_an_outlier_differs_from_nine_in_ten_of_at_least_ten_known_values(values: list[Any], found: list[str]) -> None:
    made = report(
        audit(f"t{number}", values=(value(one),) if one else (), asked=()) for number, one in enumerate(values)
    )
    assert [each.tenant for one in made.outliers for each in one.tenants] == found


def test_the_answer_about_an_app_can_be_an_outlier_and_an_unknown_one_is_none() -> None:
    connects = [audit(f"t{number}", answer(Outcome.CONNECTS_SILENTLY)) for number in range(10)]
    stopped = audit("off", answer(Outcome.BLOCKED, DISABLED))
    unknown = audit("unread", answer(Outcome.DEPENDS, depends_on="it"))
    (one,) = report([*connects, stopped, unknown]).outliers
    assert (one.usual, one.known, one.usual_value) == (10, 11, "connects")
    assert [(each.tenant, each.value) for each in one.tenants] == [
        ("off", "blocked: sign-in to the app is switched off")
    ]


# ---- What ends soon -------------------------------------------------------------------------------------------------


def _ends(day: str) -> Expiry:
    return Expiry(what="The credential of the audit", ends=day, kind=ExpiryKind.CREDENTIAL, then="Renew it.")


def test_what_several_tenants_share_ends_once_and_what_ends_later_than_a_month_is_left_out() -> None:
    made = report(
        [
            audit("a", expiries=(_ends("2026-12-01"),)),
            audit("b", expiries=(_ends("2026-12-01"),)),
            audit("c", expiries=(_ends("2026-11-20"),)),
            audit("d", expiries=(_ends("2026-12-28"),)),
            audit("e", expiries=(_ends("not known"),)),
        ]
    )
    assert [(one.tenants, one.days) for one in made.ending] == [(("c",), -7), (("a", "b"), 4)]


def test_active_relationships_end_soon_with_the_name_of_the_tenant() -> None:
    def relationship(status: str, ends: str, *, extends: bool = False) -> Relationship:
        return Relationship(id="r", name="Service desk", status=status, ends=ends, extends=extends)

    customers = (
        Customer(
            tenant="ID-OF-a", name="Contoso", source="gdap", relationships=(relationship("active", "2026-12-07"),)
        ),
        Customer(
            tenant="x",
            name="Not audited",
            source="gdap",
            relationships=(relationship("expiring", "2026-12-01", extends=True),),
        ),
        Customer(tenant="y", name="Gone", source="gdap", relationships=(relationship("terminated", "2026-12-01"),)),
    )
    lists = (CustomerList(source="gdap:partner", kind=ListKind.GDAP, customers=customers, error="403 Forbidden"),)
    made = report([audit("a", answer(Outcome.CONNECTS_SILENTLY))], lists=lists)
    assert [(one.kind, one.tenants, one.days, one.then) for one in made.ending] == [
        (EndingKind.RELATIONSHIP, ("Not audited",), 4, "Microsoft extends it."),
        (EndingKind.RELATIONSHIP, ("a",), 10, "Ask the customer for a new one before that."),
    ]
    assert made.exit_code == 4, "customers may be missing"
    assert "gdap:partner could not be read" in made.notes[0]


def test_the_credential_of_a_list_is_one_thing_for_all_of_its_customers() -> None:
    customers = tuple(Customer(tenant=f"ID-OF-{name}", name=name, source="gdap") for name in "ab")
    end = CredentialEnd(kind="secret", ends="2026-12-01T10:00:00Z")
    lists = (CustomerList(source="gdap:partner", kind=ListKind.GDAP, customers=customers, credential=end),)
    audits = [audit(name, answer(Outcome.CONNECTS_SILENTLY)) for name in "ab"]
    (made,) = report(audits, lists=lists).ending
    assert (made.kind, made.what, made.tenants, made.days) == (
        EndingKind.CREDENTIAL,
        "The credential that lists the customers",
        ("a", "b"),
        4,
    )


# ---- Whether the last audit counts ----------------------------------------------------------------------------------


def _run(state: RunState, started: str = "2026-11-26T02:00:00Z", error: str = "") -> Run:
    return Run(id=started, tenant="a", name="a", state=state, started=started, error=error)


@pytest.mark.parametrize(
    ("last", "audit", "state"),
    [
        pytest.param(None, None, AuditState.NEVER, id="no run"),
        pytest.param(_run(RunState.FAILED), None, AuditState.FAILED, id="no audit"),
        pytest.param(_run(RunState.FAILED), _run(RunState.FINISHED), AuditState.STALE, id="the last run failed"),
        pytest.param(_run(RunState.INTERRUPTED), _run(RunState.FINISHED), AuditState.STALE, id="interrupted"),
        pytest.param(_run(RunState.FINISHED), _run(RunState.FINISHED), AuditState.AUDITED, id="last night"),
        pytest.param(
            *(_run(RunState.FINISHED, "2026-11-24T05:59:59Z"),) * 2, AuditState.STALE, id="before three scheduled runs"
        ),
        pytest.param(
            *(_run(RunState.FINISHED, "2026-11-24T06:00:00Z"),) * 2, AuditState.AUDITED, id="three scheduled runs ago"
        ),
    ],
)
def test_an_audit_counts_until_a_run_fails_or_three_were_missed(
    last: Run | None, audit: Run | None, state: AuditState
) -> None:
    found = freshness(last, audit, oldest_start(AT, 24))
    assert found.state is state
    assert bool(found.problem) is bool(found.advice) is (state is not AuditState.AUDITED)


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        pytest.param("AADSTS700016: not found", "fleet onboard --tenant NAME", id="nobody consented"),
        pytest.param("AADSTS7000112: disabled", "enable the audit app", id="the app is disabled"),
        pytest.param("AADSTS90002: no such tenant", "remove the tenant", id="the tenant is gone"),
        pytest.param("no answer from graph.microsoft.com", "nightly run --tenant NAME", id="the network"),
    ],
)
def test_what_to_do_about_a_failed_run_follows_from_what_the_sign_in_said(error: str, advice: str) -> None:
    assert advice in freshness(_run(RunState.FAILED, error=error), None).advice
