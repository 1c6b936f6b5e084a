"""What is kept comes back as it was, in both databases, and each run is recorded once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from auditor.history import History, HistoryError, NoHistory, NoSuchRun, RunInProgress, open_history
from auditor.model.difference import Weight
from auditor.model.history import KEPT_SECTIONS, OutboxMessage, RunState, Said
from auditor.model.rule import FindingOutcome
from auditor.render import render
from tests.history.nights import TENANT, Night, difference_of, keep, time_of


def test_a_new_history_is_empty(history: History) -> None:
    assert history.runs() == ()
    assert history.tenants() == ()
    assert history.pending(time_of(0)) == ()
    assert history.last_finished(TENANT) is None


def test_a_finished_run_comes_back_with_its_facts(history: History, default_night: Night) -> None:
    run = keep(history, default_night)
    summary = default_night.report.summary
    assert (run.tenant, run.name, run.state) == (TENANT, "contoso", RunState.FINISHED)
    assert (run.started, run.taken, run.seconds) == (time_of(0), default_night.report.taken, 9)
    assert (run.passed, run.failed, run.unknown) == (summary.passed, summary.failed, summary.unknown)
    assert sum(run.failed_by_severity.values()) == summary.failed
    assert [(one.client_id, one.outcome) for one in run.decisions] == [
        (one.app.client_id, one.outcome) for one in default_night.report.decisions
    ]
    assert run.packs == default_night.report.packs
    assert (run.changes, run.minor_changes) == (None, None)
    assert history.runs() == (run,)
    assert history.run(run.id) == run
    assert history.tenants() == ((TENANT, "contoso"),)


def test_the_report_is_the_same_bytes_in_every_format(history: History, default_night: Night) -> None:
    kept = history.report(keep(history, default_night).id)
    assert kept == default_night.report
    for name in ("json", "text", "html", "markdown", "csv", "sarif"):
        assert render(kept, name) == render(default_night.report, name)


def test_the_snapshot_comes_back_with_the_sections_that_are_kept(history: History, default_night: Night) -> None:
    report, snapshot = history.comparable_parts(keep(history, default_night).id)
    assert report == default_night.report
    given = default_night.snapshot
    assert (snapshot.tenant, snapshot.cloud, snapshot.taken) == (given.tenant, given.cloud, given.taken)
    for name in KEPT_SECTIONS:
        assert getattr(snapshot.sections, name) == getattr(given.sections, name), name
    assert snapshot.sections.users is None
    assert snapshot.sections.signIns is None


def test_every_night_comes_back_as_it_was(history: History, default_night: Night, consented_night: Night) -> None:
    nights = [default_night, consented_night, default_night, default_night, consented_night]
    ids = [keep(history, one, number).id for number, one in enumerate(nights)]
    for run, one in zip(ids, nights, strict=True):
        report, snapshot = history.comparable_parts(run)
        assert report == one.report
        assert snapshot.sections.servicePrincipals == one.snapshot.sections.servicePrincipals
        assert [found.outcome for found in history.run(run).decisions] == [
            decision.outcome for decision in one.report.decisions
        ]


def test_a_finding_keeps_the_time_of_the_first_run_of_its_outcome(
    history: History, default_night: Night, consented_night: Night
) -> None:
    nights = [consented_night, default_night, default_night]
    runs = [keep(history, one, number) for number, one in enumerate(nights)]
    first = {one.fingerprint: one for one in history.findings(runs[0].id)}
    assert {one.since for one in first.values()} == {time_of(0)}
    for found in history.findings(runs[2].id):
        same = first[found.fingerprint].outcome == found.outcome
        assert found.since == (time_of(0) if same else time_of(1))


def with_outcome(made: Night, outcome: FindingOutcome) -> Night:
    """The night with one finding, of this outcome."""
    only = msgspec.structs.replace(made.report.findings[0], outcome=outcome)
    return made._replace(report=msgspec.structs.replace(made.report, findings=(only,)))


def test_an_outcome_that_was_unknown_in_between_lasts_on(history: History, default_night: Night) -> None:
    outcomes = [FindingOutcome.FAIL, FindingOutcome.UNKNOWN, FindingOutcome.FAIL, FindingOutcome.PASS]
    runs = [keep(history, with_outcome(default_night, one), number) for number, one in enumerate(outcomes)]
    since = [history.findings(run.id)[0].since for run in runs]
    assert since == [time_of(0), time_of(1), time_of(0), time_of(3)]


def test_a_difference_comes_back_whole(history: History, default_night: Night) -> None:
    keep(history, default_night)
    difference = difference_of(3, time_of(0), time_of(1))
    run = keep(history, default_night, 1, difference=difference)
    assert (run.changes, run.minor_changes) == (3, 0)
    assert history.difference(run.id) == difference
    run = keep(history, default_night, 2, difference=difference_of(2, weight=Weight.MINOR))
    assert (run.changes, run.minor_changes) == (0, 2)


def test_a_first_run_has_no_difference(history: History, default_night: Night) -> None:
    assert history.difference(keep(history, default_night).id) is None


def test_a_failed_run_says_why_and_the_next_one_compares_with_the_one_before(
    history: History, default_night: Night
) -> None:
    first = keep(history, default_night)
    run = history.begin(TENANT, "contoso", time_of(1))
    failed = history.fail(run, error="the sign-in service refused the secret", exit_code=3, finished=time_of(1))
    assert (failed.state, failed.exit_code, failed.error) == (
        RunState.FAILED,
        3,
        "the sign-in service refused the secret",
    )
    assert failed.decisions == ()
    assert history.findings(failed.id) == ()
    assert history.last_finished(TENANT) == first
    with pytest.raises(NoSuchRun, match="has no report"):
        history.report(failed.id)


def test_a_run_that_never_ended_is_marked_by_the_next_one(history: History, default_night: Night) -> None:
    dead = history.begin(TENANT, "contoso", time_of(0))
    assert history.run(dead).state is RunState.RUNNING
    keep(history, default_night, 1)
    assert history.run(dead).state is RunState.INTERRUPTED


def test_a_run_is_recorded_once(history: History, default_night: Night) -> None:
    run = keep(history, default_night)
    with pytest.raises(HistoryError, match="isn't in progress"):
        history.fail(run.id, error="again", exit_code=3, finished=time_of(1))
    late = history.begin(TENANT, "contoso", time_of(1))
    keep(history, default_night, 2)
    with pytest.raises(HistoryError, match="isn't in progress"):
        history.fail(late, error="too late", exit_code=3, finished=time_of(3))
    assert [one.state for one in history.runs()] == [RunState.FINISHED, RunState.INTERRUPTED, RunState.FINISHED]


def test_two_runs_of_one_second_are_two_runs(history: History, default_night: Night) -> None:
    assert keep(history, default_night).id != keep(history, default_night).id
    assert len(history.runs(TENANT)) == 2


def test_the_latest_run_is_the_one_that_began_last_also_if_the_clock_jumped_back(
    history: History, default_night: Night, consented_night: Night
) -> None:
    keep(history, default_night, 9)
    later = keep(history, consented_night, 3)
    assert [run.started for run in history.runs()] == [time_of(3), time_of(9)]
    assert history.last_finished(TENANT) == later
    assert history.last_finished(TENANT, before=later.id) == history.runs()[1]
    assert history.runs(since=time_of(5)) == history.runs()[1:]


def test_a_clock_that_jumps_back_during_a_run_gives_no_negative_time(history: History, default_night: Night) -> None:
    assert keep(history, default_night, 5, finished=time_of(1)).seconds is None


def test_tenants_are_found_by_key_id_and_name(history: History, default_night: Night) -> None:
    run = keep(history, default_night, tenant="contoso.onmicrosoft.com")
    for tenant in ("contoso.onmicrosoft.com", TENANT, TENANT.upper(), "contoso"):
        assert history.runs(tenant) == (run,)
    assert history.runs("fabrikam") == ()
    # The same tenant, named by its id from now on.
    assert history.run(keep(history, default_night, 1, tenant=TENANT).id).tenant == TENANT
    assert len(history.tenants()) == 1


def test_a_second_run_of_a_tenant_at_the_same_time_is_refused(history: History, place: str) -> None:
    with open_history(place) as other, history.lock(TENANT):
        with pytest.raises(RunInProgress), history.lock(TENANT):
            pass
        with pytest.raises(RunInProgress) as refused, other.lock(TENANT):
            pass
        assert "Wait until it has ended" in refused.value.explanation
        with other.lock("another tenant"), history.lock("a third tenant"):
            pass
    with open_history(place) as other, other.lock(TENANT):
        pass


def test_tenants_can_run_at_the_same_time(place: str, history: History, default_night: Night) -> None:
    def nights(tenant: str) -> None:
        with open_history(place) as mine:
            for number in range(3):
                keep(mine, default_night, number, tenant=tenant, name=tenant)

    names = [f"tenant-{number}" for number in range(4)]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(nights, names))
    assert [key for key, _ in history.tenants()] == names
    for name in names:
        assert [run.started for run in history.runs(name)] == [time_of(2), time_of(1), time_of(0)]
        assert {history.report(run.id).summary for run in history.runs(name)} == {default_night.report.summary}


def message(number: int) -> OutboxMessage:
    return OutboxMessage(
        id=f"m{number}",
        target="teams",
        tenant=TENANT,
        run="1",
        created=time_of(0),
        title="Contoso: users can no longer connect TrackerRMS",
        body="**Needs admin**",
        text="Needs admin",
        event="change",
    )


def test_messages_wait_until_they_are_sent(history: History, default_night: Night) -> None:
    keep(history, default_night, messages=[message(1), message(2)])
    keep(history, default_night, 1, messages=[message(2), message(3)])
    assert history.pending(time_of(2)) == (message(1), message(2), message(3))
    history.mark_undelivered("m1", time_of(2), "the service answered 503")
    history.mark_sent("m2", time_of(2))
    tried = msgspec.structs.replace(message(1), attempts=1, error="the service answered 503")
    assert history.pending(time_of(3)) == (tried, message(3))
    history.give_up("m1", time_of(3), "the service answered 503; given up after 7 days")
    assert history.pending(time_of(4)) == (message(3),)


def test_what_was_said_is_replaced_by_what_is_said_later(history: History, default_night: Night) -> None:
    said = Said(target="teams", tenant=TENANT, key="finding/abc", first=time_of(0), last=time_of(0))
    keep(history, default_night, said=[said, msgspec.structs.replace(said, key="finding/def")])
    ended = msgspec.structs.replace(said, last=time_of(1), ended=time_of(1))
    run = history.begin(TENANT, "contoso", time_of(1))
    history.fail(run, error="no answer", exit_code=3, finished=time_of(1), said=[ended])
    assert history.said("teams", TENANT) == (ended, msgspec.structs.replace(said, key="finding/def"))
    assert history.said("mail", TENANT) == ()


def test_an_unknown_run_is_an_error_that_says_how_to_list_them(history: History) -> None:
    for run in ("7", "last", "", "-1", "9" * 40):
        with pytest.raises(NoSuchRun) as error:
            history.run(run)
        assert "history list" in error.value.explanation


def test_a_history_that_must_exist_is_not_created(place: str) -> None:
    with pytest.raises(NoHistory, match="there is no history"):
        open_history(place, must_exist=True)


def test_the_newest_runs_of_every_tenant_come_together(
    history: History, default_night: Night, consented_night: Night
) -> None:
    first = keep(history, default_night, 0, tenant="a", name="contoso")
    other = keep(history, default_night, 1, tenant="b", name="fabrikam")
    second = keep(history, consented_night, 2, tenant="a", name="contoso", difference=difference_of(2))
    third = keep(history, consented_night, 3, tenant="a", name="contoso", difference=difference_of(1))
    failed = history.fail(history.begin("a", "contoso", time_of(4)), error="no", exit_code=3, finished=time_of(4))
    history.begin("c", "new", time_of(4))
    a, b, c = history.newest_runs()
    assert (a.last, a.audit, a.before) == (failed, third, second)
    assert (b.key, b.last, b.audit, b.before) == ("b", other, other, None)
    assert (c.name, c.last, c.audit, c.before) == ("new", None, None, None)
    (app,) = {one.client_id for one in third.decisions}
    assert (a.since, b.since, c.since) == ({app: time_of(2)}, {app: time_of(1)}, {})
    (a, b, _) = history.newest_runs(time_of(1))
    assert (a.audit, a.before, b.audit, b.before) == (third, first, other, None)
    assert history.newest_runs("2999")[0].before is None, "the latest audit isn't compared with itself"
    assert len(history.changes_between(first.id, third.id)) == 3
    assert history.changes_between(third.id, third.id) == ()
    assert len(history.changes_between(second.id, third.id)) == 1


def test_a_report_comes_back_without_its_grants_if_nobody_needs_them(history: History, default_night: Night) -> None:
    kept = history.report(keep(history, default_night).id, with_grants=False)
    assert default_night.report.granted is not None
    granted = msgspec.structs.replace(default_night.report.granted, rows=())
    assert kept == msgspec.structs.replace(default_night.report, granted=granted)
