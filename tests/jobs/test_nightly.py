"""Nightly runs: what is kept, compared, said and written, and that one tenant's trouble never stops the others."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from auditor.history import History, HistoryError
from auditor.jobs import tenant_runs
from auditor.jobs.night_setup import Stopped
from auditor.jobs.nightly_config import load_configuration
from auditor.jobs.run_contents import attachable
from auditor.model.errors import FAILING, NO_AUDIT, OK, InvalidRequest
from auditor.model.history import RunState
from auditor.model.night import missed_starts
from auditor.notify.delivery import Sent, TargetAnswer
from auditor.render import FORMATS
from auditor.render.night import answer_of, text
from tests.graph.live_tenants import tenant
from tests.graph.test_credential_end import app, secret
from tests.graphserver import GraphServer, client_certificate
from tests.jobs.nights import Nights, assign, of, write_tenant
from tests.jobs.test_live import document_of

PACKS = "packs: [trackerrms-uk]"
TWO = f"""\
version: 1
defaults: {{{PACKS}, reports: {{folder: out, formats: [json, html]}}}}
tenants:
  - {{name: acme, snapshot: acme.json}}
  - {{name: globex, snapshot: globex.json}}
"""
NOTIFYING = TWO + "notify: [{name: team, url: {env: TEAM}}]\n"
FIRST, SECOND, THIRD = (f"2026-11-2{day}T02:00:00Z" for day in (2, 3, 4))


@pytest.fixture
def two(tmp_path: Path) -> Nights:
    """Two tenants: users of acme need an admin, users of globex may consent."""
    write_tenant(tmp_path / "acme.json", "managed-default")
    write_tenant(tmp_path / "globex.json", "low-classified")
    return Nights(tmp_path, TWO)


def test_a_first_night_keeps_each_run_and_writes_the_reports(two: Nights) -> None:
    night = two.run(FIRST)
    assert [(one.name, one.exit_code, one.difference) for one in night.tenants] == [
        ("acme", 1, None),
        ("globex", 0, None),
    ]
    assert night.exit_code == FAILING
    with two.history() as history:
        assert [(run.name, run.state, run.started) for run in history.runs()] == [
            ("globex", RunState.FINISHED, FIRST),
            ("acme", RunState.FINISHED, FIRST),
        ]
    report = json.loads((two.folder / "out/acme/report.json").read_text())
    assert report["summary"]["answer"] == of(night, "acme").answer
    assert sorted(path.name for path in (two.folder / "out/globex").iterdir()) == ["report.html", "report.json"]


def test_csv_is_a_file_for_each_table_as_check_writes_it(tmp_path: Path) -> None:
    write_tenant(tmp_path / "acme.json", "low-classified")
    nights = Nights(
        tmp_path,
        f"version: 1\ndefaults: {{{PACKS}, reports: {{folder: out, formats: [csv, xlsx]}}}}\n"
        "tenants: [{name: acme, snapshot: acme.json}]\n",
    )
    night = nights.run(FIRST)
    folder = tmp_path / "out/acme"
    tables = {f"{table}.csv" for table in FORMATS["csv"].tables}
    assert {path.name for path in folder.iterdir()} == {*tables, "report.xlsx"}
    assert "CONNECTS" in (folder / "decisions.csv").read_text(encoding="utf-8-sig")
    lines = [line for line in text(night).splitlines() if "Report:" in line]
    assert [line.rpartition("acme/")[2] for line in lines] == [f"*.csv ({len(tables)} tables)", "report.xlsx"]
    written = of(night, "acme").reports
    (entry,) = load_configuration(str(nights.file)).tenants
    assert list(attachable(entry, written)) == ["xlsx"]


def test_the_second_night_says_what_changed_and_since_when(two: Nights) -> None:
    two.run(FIRST)
    write_tenant(two.folder / "acme.json", change=assign())
    night = two.run(SECOND)
    acme, globex = of(night, "acme"), of(night, "globex")
    assert acme.since == FIRST and acme.changes
    assert globex.difference is not None and not globex.changes
    assert "Something changed in 1." in answer_of(night)
    assert text(night).splitlines()[-1] == answer_of(night)
    with two.history() as history:
        run, *_ = history.runs("acme")
        assert run.changes == len(acme.changes)


def test_the_first_page_of_a_report_says_what_is_new_and_what_still_fails_since_when(two: Nights) -> None:
    two.run(FIRST)
    first = (two.folder / "out/globex/report.html").read_text(encoding="utf-8")
    write_tenant(two.folder / "globex.json", "low-classified", assign())
    two.run(SECOND)
    second = (two.folder / "out/globex/report.html").read_text(encoding="utf-8")
    assert "Still failing" in second and "Still failing" not in first


def test_the_same_night_again_changes_nothing(two: Nights) -> None:
    two.run(FIRST)
    night = two.run(SECOND)
    assert [one.changes for one in night.tenants] == [(), ()]
    assert "Nothing changed." in answer_of(night)


def test_one_tenant_that_cannot_be_audited_does_not_stop_the_others(two: Nights) -> None:
    (two.folder / "acme.json").write_text("{")
    night = two.run(FIRST)
    acme = of(night, "acme")
    assert (acme.exit_code, of(night, "globex").exit_code, night.exit_code) == (NO_AUDIT, OK, NO_AUDIT)
    assert acme.error and acme.advice
    with two.history() as history:
        (run,) = history.runs("acme")
        assert (run.state, run.error) == (RunState.FAILED, acme.error)


def test_a_night_without_tenants_audited_nothing(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("tenant,name,tags\n")
    nights = Nights(tmp_path, f"version: 1\ndefaults: {{{PACKS}}}\ntenants: [{{csv: customers.csv}}]\n")
    night = nights.run(FIRST)
    assert (night.tenants, night.exit_code) == ((), NO_AUDIT)
    assert answer_of(night) == "0 tenants: the configuration lists none. 1 problem, listed above. Exit code 3."


def test_a_bug_in_one_audit_is_that_tenants_trouble_and_its_text_is_not_shown(
    two: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    from auditor.jobs.audit import audit

    def broken(request: Any) -> Any:
        if "acme" in str(request.source):
            raise KeyError("hunter2")
        return audit(request)

    monkeypatch.setattr(tenant_runs, "audit", broken)
    night = two.run(FIRST)
    assert of(night, "acme").error == "an error in consent-auditor (KeyError)"
    assert of(night, "globex").exit_code == OK
    assert "hunter2" not in text(night) + json.dumps(two.log)


def test_after_a_failure_the_last_audit_is_compared_with(two: Nights) -> None:
    two.run(FIRST)
    good = (two.folder / "acme.json").read_text()
    (two.folder / "acme.json").write_text("{")
    two.run(SECOND)
    (two.folder / "acme.json").write_text(good)
    acme = of(two.run(THIRD), "acme")
    assert (acme.since, acme.changes) == (FIRST, ())


def test_fail_on_new_and_fail_on_change_replace_fail_on(tmp_path: Path) -> None:
    write_tenant(tmp_path / "acme.json", "low-classified")
    nights = Nights(
        tmp_path,
        f"version: 1\ndefaults: {{{PACKS}}}\ntenants:\n"
        "  - {name: new, snapshot: acme.json, fail-on-new: low}\n"
        "  - {name: critical, snapshot: acme.json, fail-on-new: critical}\n"
        "  - {name: change, snapshot: acme.json, fail-on-change: true}\n"
        "  - {name: plain, snapshot: acme.json, fail-on: never}\n",
    )
    assert [one.exit_code for one in nights.run(FIRST).tenants] == [OK] * 4
    write_tenant(tmp_path / "acme.json", "low-classified", assign())
    second = nights.run(SECOND)
    assert [one.exit_code for one in second.tenants] == [FAILING, OK, FAILING, OK]
    assert [one.exit_code for one in nights.run(THIRD).tenants] == [OK] * 4


def test_a_run_in_progress_is_not_repeated(two: Nights) -> None:
    with two.history() as history, history.lock("acme"):
        night = two.run(FIRST)
    acme = of(night, "acme")
    assert (acme.exit_code, acme.run) == (NO_AUDIT, None)
    assert "in progress" in acme.error
    with two.history() as history:
        assert [run.name for run in history.runs()] == ["globex"]


def test_runs_that_never_ended_are_found_by_the_next_one_with_what_was_missed_before_them(two: Nights) -> None:
    two.run("2026-11-20T02:00:00Z")
    with two.history() as history:
        history.begin("acme", "acme", FIRST)
        history.begin("acme", "acme", SECOND)
    (two.folder / "out/acme/.consent-auditor-x.tmp").write_text("half a report")
    acme = of(two.run(THIRD), "acme")
    assert (acme.interrupted, acme.missed) == ((FIRST, SECOND), ("2026-11-21T02:00:00Z",))
    assert of(two.run("2026-11-25T02:00:00Z"), "acme").interrupted == ()
    assert sorted(path.name for path in (two.folder / "out/acme").iterdir()) == ["report.html", "report.json"]
    with two.history() as history:
        assert [run.state for run in history.runs("acme")[:4]] == [
            *[RunState.FINISHED] * 2,
            *[RunState.INTERRUPTED] * 2,
        ]


def test_nights_that_did_not_run_are_found_by_the_next_one(two: Nights) -> None:
    two.run(FIRST)
    night = two.run("2026-11-25T02:10:00Z")
    assert of(night, "acme").missed == (SECOND, THIRD)
    assert "2 runs did not start when due" in text(night)
    assert two.events("runs-missed")


@pytest.mark.parametrize(
    ("last", "now", "hours", "missed"),
    [
        pytest.param("2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z", 24, 0, id="on time"),
        pytest.param("2026-11-22T02:00:00Z", "2026-11-23T13:59:00Z", 24, 0, id="late"),
        pytest.param("2026-11-22T02:00:00Z", "2026-11-24T01:00:00Z", 24, 1, id="one missed, early"),
        pytest.param("2026-11-22T02:00:00Z", "2026-11-21T02:00:00Z", 24, 0, id="clock set back"),
        pytest.param("2026-11-22T02:00:00Z", "2026-11-22T02:00:00Z", 24, 0, id="several at once"),
        pytest.param("2026-11-22T02:00:00Z", "2026-11-22T08:00:00Z", 1, 5, id="hourly"),
        pytest.param("2020-01-01T00:00:00Z", "2026-11-22T00:00:00Z", 24, 400, id="years"),
        pytest.param("", "2026-11-22T00:00:00Z", 24, 0, id="no earlier run"),
    ],
)
def test_missed_runs_are_counted_from_the_last_start(last: str, now: str, hours: float, missed: int) -> None:
    assert len(missed_starts(last, now, hours)) == missed


def test_the_result_is_kept_if_a_report_cannot_be_written(two: Nights) -> None:
    (two.folder / "out").mkdir()
    (two.folder / "out/globex").write_text("a file in the way")
    night = two.run(FIRST)
    globex = of(night, "globex")
    assert globex.exit_code == NO_AUDIT and "could not be written" in globex.notes[0]
    assert "1 has no report" in answer_of(night)
    with two.history() as history:
        assert history.runs("globex")[0].state is RunState.FINISHED


def test_a_stopped_night_marks_its_runs_and_frees_the_locks(two: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def slow(_: Any) -> Any:
        two.stopping.request()
        over.wait(30)

    with monkeypatch.context() as patched:
        patched.setattr(tenant_runs, "audit", slow)
        with pytest.raises(Stopped):
            two.run(FIRST)
        over.set()
    with two.history() as history:
        assert {run.state for run in history.runs()} == {RunState.FAILED}
    assert [one.exit_code for one in two.run(SECOND).tenants] == [FAILING, OK]


def test_only_the_named_tenants_run_and_a_typo_is_refused(two: Nights) -> None:
    assert [one.name for one in two.run(FIRST, ["Globex"]).tenants] == ["globex"]
    with pytest.raises(InvalidRequest, match='did you mean "globex"'):
        two.run(FIRST, ["globx"])


def test_another_tenant_in_the_same_file_is_not_compared(two: Nights) -> None:
    two.run(FIRST)
    write_tenant(
        two.folder / "acme.json",
        change=lambda document: document["tenant"].update(id=f"{'1' * 8}-1111-4111-8111-{'1' * 12}"),
    )
    acme = of(two.run(SECOND), "acme")
    assert acme.difference is None and "not compared" in acme.notes[0]


# ---- Notifications ---------------------------------------------------------------------------------------------------


def test_a_change_is_sent_once_and_a_failing_notifier_is_tried_again(tmp_path: Path) -> None:
    write_tenant(tmp_path / "acme.json")
    write_tenant(tmp_path / "globex.json", "low-classified")
    nights = Nights(tmp_path, NOTIFYING, {"TEAM": "json://127.0.0.1:9/hunter2"})
    nights.run(FIRST)
    nights.sent.clear()
    write_tenant(tmp_path / "globex.json", "low-classified", assign())
    nights.answer = Sent(TargetAnswer.DOWN, "the connection failed")
    night = nights.run(SECOND)
    assert night.exit_code == FAILING and len(night.problems) == 1
    assert "not delivered" in answer_of(night)
    assert "hunter2" not in text(night) + json.dumps(nights.log)
    nights.answer = Sent(TargetAnswer.ACCEPTED)
    nights.run(THIRD)
    nights.run("2026-11-25T02:00:00Z")
    assert [(one.tenant, one.event) for one in nights.sent] == [("globex", "change")]


def test_a_target_without_an_address_is_a_problem_and_its_messages_wait(tmp_path: Path) -> None:
    write_tenant(tmp_path / "acme.json")
    (tmp_path / "globex.json").write_text("{")
    nights = Nights(tmp_path, NOTIFYING)
    night = nights.run(FIRST)
    assert any("TEAM isn't set" in problem for problem in night.problems)
    nights.environ["TEAM"] = "json://127.0.0.1:9/"
    nights.run(SECOND)
    assert "globex" in {one.tenant for one in nights.sent}


# ---- Live tenants ----------------------------------------------------------------------------------------------------


def test_live_tenants_are_read_at_the_same_time_each_with_its_own_credential(tmp_path: Path) -> None:
    write_tenant(tmp_path / "file.json")
    with GraphServer(document_of("managed-default")) as one, GraphServer(document_of("low-classified")) as other:
        entries = "\n".join(
            f"  - {{name: {name}, tenant: {server.env()['AZURE_TENANT_ID']}, authority-host: '{server.authority}',"
            f" graph-endpoint: '{server.graph}', credential: {{client-id: {server.env()['AZURE_CLIENT_ID']},"
            f" secret: {{env: {secret}}}}}}}"
            for name, server, secret in (("one", one, "ONE"), ("other", other, "WRONG"))
        )
        environ = {**one.env(), "ONE": one.env()["AZURE_CLIENT_SECRET"], "WRONG": "hunter2"}
        text_of = f"version: 1\ndefaults: {{{PACKS}}}\ntenants:\n{entries}\n  - {{name: file, snapshot: file.json}}\n"
        if one.env()["AZURE_TENANT_ID"] == other.env()["AZURE_TENANT_ID"]:
            text_of = text_of.replace(
                f"name: other, tenant: {one.env()['AZURE_TENANT_ID']}", "name: other, tenant: other.example"
            )
        nights = Nights(tmp_path, text_of, environ)
        night = nights.run(FIRST)
        second = nights.run(SECOND)
    assert [one.exit_code for one in night.tenants] == [FAILING, NO_AUDIT, FAILING]
    assert of(night, "other").error and "hunter2" not in text(night) + json.dumps(nights.log)
    assert of(second, "one").difference is not None and of(second, "one").changes == ()
    with nights.history() as history:
        assert history.runs("one")[0].taken == SECOND


def test_a_bug_in_the_comparison_or_the_messages_does_not_lose_the_run(
    two: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("hunter2")

    two.file.write_text(NOTIFYING)
    two.run(FIRST)
    for name in ("compare", "messages_for", "write_reports"):
        monkeypatch.setattr(tenant_runs, name, broken)
    night = two.run(SECOND)
    assert [len(one.notes) for one in night.tenants] == [3, 3]
    assert "hunter2" not in text(night) + json.dumps(two.log)
    with two.history() as history:
        assert [run.state for run in history.runs()] == [RunState.FINISHED] * 4


def test_a_history_that_fails_at_the_end_is_that_tenants_trouble_and_nothing_half_is_kept(
    two: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = History.finish

    def full(history: History, run_id: str, **parts: Any) -> Any:
        if run_id == "1":
            raise HistoryError("the history can't be used: the disk is full", advice="Delete old runs.")
        return finish(history, run_id, **parts)

    monkeypatch.setattr(History, "finish", full)
    night = two.run(FIRST)
    acme = of(night, "acme")
    assert (acme.exit_code, acme.error) == (NO_AUDIT, "the history can't be used: the disk is full")
    assert of(night, "globex").exit_code == OK
    with two.history() as history:
        assert history.runs("acme")[0].state is RunState.FAILED


def test_many_tenants_have_a_paragraph_only_where_something_is_new(tmp_path: Path) -> None:
    names = [f"t{number}" for number in range(6)]
    for name in names:
        write_tenant(tmp_path / f"{name}.json")
    entries = "".join(f"  - {{name: {name}, snapshot: {name}.json}}\n" for name in names)
    nights = Nights(tmp_path, f"version: 1\ndefaults: {{{PACKS}}}\ntenants:\n{entries}")
    nights.run(FIRST)
    write_tenant(tmp_path / "t3.json", change=assign("microsoft-user-default-low"))
    lines = text(nights.run(SECOND)).splitlines()
    assert lines[0] == "t3" and not {"t0", "t1", "t2", "t4", "t5"} & set(lines)
    assert len([line for line in lines if line.startswith("t")]) == 1 + len(names)


def test_a_night_writes_the_dashboard_and_an_unwritable_one_is_a_problem_but_no_failure(tmp_path: Path) -> None:
    write_tenant(tmp_path / "acme.json", "managed-default")
    write_tenant(tmp_path / "globex.json", "low-classified")
    nights = Nights(tmp_path, TWO + "site: dashboard\n")
    assert nights.run(FIRST).problems == ()
    index = (tmp_path / "dashboard/index.html").read_text(encoding="utf-8")
    assert "1 OF 2 TENANTS NEEDS ATTENTION" in index
    write_tenant(tmp_path / "acme.json", change=assign())
    second = nights.run(SECOND)
    assert second.problems == ()
    assert len(list((tmp_path / "dashboard/runs").iterdir())) == 1
    (tmp_path / "dashboard/index.html").write_text("mine")
    night = nights.run(THIRD)
    assert night.exit_code == second.exit_code
    (problem,) = night.problems
    assert problem.startswith("the dashboard could not be written: ")
    assert "wasn't written by this program" in problem


def test_the_end_of_a_credential_is_recorded_and_said_when_it_is_near(tmp_path: Path) -> None:
    document = tenant(applications=[app(passwordCredentials=[secret("2026-12-01T02:00:00Z")])])
    with GraphServer(document) as server:
        nights = Nights(
            tmp_path,
            f"version: 1\ndefaults: {{{PACKS}}}\ntenants:\n  - {{tenant: {server.env()['AZURE_TENANT_ID']},"
            f" name: live, authority-host: '{server.authority}', graph-endpoint: '{server.graph}'}}\n",
            server.env(),
        )
        night = nights.run(FIRST, metrics=str(tmp_path / "m.prom"))
    assert "The audit's own credential ends in 9 days (2026-12-01)." in text(night)
    assert 'tenant_credential_expiry_days{tenant="live"} 9\n' in (tmp_path / "m.prom").read_text()
    with nights.history() as history:
        assert history.runs("live")[0].credential_expires == "2026-12-01T02:00:00Z"


def test_nights_are_kept_in_postgresql_as_in_sqlite(two: Nights, postgresql: str) -> None:
    two.file.write_text(TWO + "history: {url: {env: DB}}\n")
    two.environ["DB"] = postgresql
    two.run(FIRST)
    write_tenant(two.folder / "globex.json", "low-classified", assign())
    with two.history() as history, history.lock("acme"):
        night = two.run(SECOND)
    assert [one.exit_code for one in night.tenants] == [NO_AUDIT, FAILING]
    assert of(night, "globex").since == FIRST and of(night, "globex").changes
    assert not list(two.folder.glob("history.db*"))


def test_a_certificate_from_a_variable_signs_in_and_what_was_refused_has_its_request_ids(tmp_path: Path) -> None:
    with GraphServer(document_of("managed-default"), roles=("Policy.Read.All",)) as server:
        server.certificate_file()
        trust = {name: value for name, value in server.env().items() if not name.startswith("AZURE")}
        nights = Nights(
            tmp_path,
            f"version: 1\ndefaults: {{{PACKS}}}\ntenants:\n  - {{name: live, tenant: {server.env()['AZURE_TENANT_ID']},"
            f" authority-host: '{server.authority}', graph-endpoint: '{server.graph}',"
            f" credential: {{client-id: {server.env()['AZURE_CLIENT_ID']}, certificate: {{env: PEM}}}}}}\n",
            {**trust, "PEM": client_certificate().pem.decode()},
        )
        live = of(nights.run(FIRST), "live")
    assert live.error == "" and live.run is not None and live.run.unread
    assert live.run.credential_expires, "a local certificate says when it ends"
    unread = nights.events("unread")
    assert {line["section"] for line in unread} == {part.section for part in live.run.unread}
    assert {line["request_id"] for line in unread} == set(live.request_ids) and live.request_ids
