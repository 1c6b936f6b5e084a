"""The dashboard's files: only what changed is written, pages of pruned runs go, and no other file is touched."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import msgspec
import pytest

from auditor.atomic import write_whole
from auditor.history import History, open_history
from auditor.jobs import history_site
from auditor.jobs.fleet_audits import FleetRequest
from auditor.jobs.fleet_report import fleet_of_history
from auditor.jobs.history_site import MANIFEST, SiteFiles, site_data, update_site, write_site
from auditor.model.configuration import Keep
from auditor.model.difference import Difference
from auditor.model.errors import InvalidRequest
from auditor.model.fleet import AuditState
from auditor.model.report import Report
from auditor.render.site.page_names import INDEX
from tests.history.nights import TENANT, difference_of, keep, night, time_of
from tests.render.nightly_runs import Nights, nights, with_fleets
from tests.render.pages import replaced, words_of

NIGHTS = nights(4, 60)
POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")


def written(folder: Path, made: Nights = NIGHTS) -> SiteFiles:
    return write_site(made.data, str(folder), made.differences.get)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST
    }


def pruned(made: Nights, number: int) -> Nights:
    """The same without the first runs of each tenant."""
    tenants = tuple(replaced(tenant, runs=tenant.runs[number:]) for tenant in made.data.tenants)
    return Nights(with_fleets(replaced(made.data, tenants=tenants)), made.differences)


def test_the_first_time_everything_is_written_and_the_second_time_nothing(tmp_path: Path) -> None:
    first = written(tmp_path / "site")
    before = {path: path.stat() for path in (tmp_path / "site").rglob("*")}
    second = written(tmp_path / "site")
    assert first == SiteFiles(str(tmp_path / "site" / INDEX), len(files(tmp_path / "site")), 0, 0)
    assert second == first._replace(written=0, unchanged=first.written)
    after = {path: path.stat() for path in before}
    assert {path: (one.st_ino, one.st_mtime_ns) for path, one in after.items()} == {
        path: (one.st_ino, one.st_mtime_ns) for path, one in before.items()
    }


def test_after_another_night_the_files_are_those_of_a_new_dashboard(tmp_path: Path) -> None:
    written(tmp_path / "site", NIGHTS.without_last_night())
    again = written(tmp_path / "site")
    written(tmp_path / "new")
    assert files(tmp_path / "site") == files(tmp_path / "new")
    assert again.unchanged >= 10, "the pages of earlier runs, and the style sheet"
    assert (tmp_path / "site" / MANIFEST).read_bytes() == (tmp_path / "new" / MANIFEST).read_bytes()


def test_the_changes_of_an_earlier_run_are_read_once(tmp_path: Path) -> None:
    read: list[str] = []

    def difference(run: str) -> Difference:
        read.append(run)
        return NIGHTS.differences[run]

    written(tmp_path, NIGHTS.without_last_night())
    write_site(NIGHTS.data, str(tmp_path), difference)
    new = {run.id for tenant in NIGHTS.data.tenants for run in tenant.runs if run.started.startswith("2026-11-22")}
    assert set(read) <= new


def test_pages_of_pruned_runs_and_of_tenants_that_are_gone_are_removed(tmp_path: Path) -> None:
    written(tmp_path / "site")
    less = pruned(NIGHTS, 40)
    less = Nights(with_fleets(replaced(less.data, tenants=less.data.tenants[1:])), less.differences)
    result = written(tmp_path / "site", less)
    written(tmp_path / "new", less)
    assert result.removed > 0
    assert files(tmp_path / "site") == files(tmp_path / "new")


def test_a_file_of_somebody_else_is_never_removed_or_replaced(tmp_path: Path) -> None:
    written(tmp_path)
    notes = tmp_path / "runs" / "notes_of-mine.html"
    notes.write_text("mine")
    copy = tmp_path / "tenants" / "copy.html"
    copy.write_bytes((tmp_path / INDEX).read_bytes())
    replaced_page = next(iter(sorted((tmp_path / "runs").glob("0*.html"))))
    replaced_page.write_text("I wrote over a page")
    written(tmp_path, Nights(replaced(NIGHTS.data, tenants=(), fleets={}), {}))
    assert notes.read_text() == "mine"
    assert copy.exists(), "a copy that you made isn't a page that the program wrote"
    assert replaced_page.read_text() == "I wrote over a page"
    assert set(files(tmp_path)) == {
        INDEX,
        "findings.html",
        "style.css",
        *(path.relative_to(tmp_path).as_posix() for path in (notes, copy, replaced_page)),
    }


@pytest.mark.parametrize("name", ["index.html", "style.css", "tenants/00000001-0000-4000-8000-000000000000.html"])
def test_a_folder_with_another_file_of_a_pages_name_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    mine = tmp_path / name
    mine.parent.mkdir(exist_ok=True)
    mine.write_text("<p>My home page</p>")
    with pytest.raises(InvalidRequest, match=r"wasn't written by this program.*choose another folder"):
        written(tmp_path)
    assert list(files(tmp_path).values()) == [b"<p>My home page</p>"]


def test_a_list_of_pages_that_leads_out_of_the_folder_removes_nothing_there(tmp_path: Path) -> None:
    site = tmp_path / "site"
    written(site)
    outside = tmp_path / "outside.html"
    outside.write_bytes((site / INDEX).read_bytes())
    listed = {"../outside.html": "", "runs/../../outside.html": "", str(outside): ""}
    (site / MANIFEST).write_text(json.dumps({"format": "consent-auditor/site", "version": 1, "pages": listed}))
    written(site)
    assert outside.exists()


@pytest.mark.parametrize("text", ["", "{", '{"pages": 1}', "\udcff"])
def test_a_damaged_list_of_pages_is_written_again(tmp_path: Path, text: str) -> None:
    written(tmp_path)
    good = (tmp_path / MANIFEST).read_bytes()
    (tmp_path / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert written(tmp_path).written == 0
    assert (tmp_path / MANIFEST).read_bytes() == good


class Stopping:
    """Writes files, and is interrupted before it writes one more than `after`."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, path: Path, data: bytes, *, keep_mode: bool) -> None:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        write_whole(path, data, keep_mode=keep_mode)


def test_a_run_that_is_stopped_at_any_point_leaves_whole_pages_and_the_next_one_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "whole")
    pages = files(tmp_path / "whole")
    for stop in range(0, len(pages) + 1, 7):
        site = tmp_path / f"stopped-{stop}"
        with monkeypatch.context() as patch:
            patch.setattr(history_site, "write_whole", Stopping(stop))
            with pytest.raises(KeyboardInterrupt):
                written(site)
        there = files(site)
        assert there.items() <= pages.items()
        assert INDEX not in there
        written(site)
        assert files(site) == pages
        less = Nights(replaced(NIGHTS.data, tenants=(), fleets={}), {})
        written(site, less)
        assert set(files(site)) == {INDEX, "findings.html", "style.css"}


@POSIX
def test_only_the_owner_can_read_a_new_dashboard_and_opened_permissions_are_kept(tmp_path: Path) -> None:
    site = tmp_path / "site"
    written(site, NIGHTS.without_last_night())
    assert {stat.S_IMODE(path.stat().st_mode) for path in (site, *site.rglob("*"))} == {0o700, 0o600}
    for path in (site, *site.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert written(site).written
    assert {stat.S_IMODE(path.stat().st_mode) for path in site.rglob("*.html")} == {0o644}, "new pages, too"


@POSIX
def test_a_page_behind_a_link_is_not_removed(tmp_path: Path) -> None:
    site = tmp_path / "site"
    written(site)
    page = next(iter(sorted((site / "runs").glob("*.html"))))
    elsewhere = tmp_path / "elsewhere.html"
    page.rename(elsewhere)
    page.symlink_to(elsewhere)
    written(site, Nights(replaced(NIGHTS.data, tenants=(), fleets={}), {}))
    assert elsewhere.exists()


# ---- From a history -------------------------------------------------------------------------------------------------


@pytest.fixture
def history(tmp_path: Path) -> History:
    return open_history(str(tmp_path / "history.db"))


def test_the_dashboard_of_a_history_shows_its_nights(history: History, tmp_path: Path) -> None:
    blocked, open_to_users = night("managed-default"), night("admin-consented")
    with history:
        keep(history, blocked, 0)
        with history.lock("fabrikam"):
            history.fail(
                history.begin("fabrikam", "Fabrikam", time_of(1), tags=("gold",)),
                error="the tenant fabrikam wasn't found",
                exit_code=3,
                finished=time_of(1),
            )
        run = keep(history, open_to_users, 1, difference=difference_of(2, time_of(0), time_of(1)))
        data = site_data(history, now="2026-01-02T06:00:00Z", schedule_hours=24)
        assert [(tenant.name, len(tenant.runs), tenant.tags) for tenant in data.tenants] == [
            ("contoso", 2, ()),
            ("Fabrikam", 1, ("gold",)),
        ]
        contoso = data.tenants[0]
        assert [one.started for one in contoso.runs] == [time_of(0), time_of(1)]
        assert contoso.changes == difference_of(2, time_of(0), time_of(1))
        assert contoso.findings == history.findings(run.id)
        result = update_site(history, str(tmp_path / "site"), now="2026-01-02T06:00:00Z")
        assert result.written == len(files(tmp_path / "site"))
    pages = {name: text.decode() for name, text in files(tmp_path / "site").items()}
    assert "The tenant fabrikam wasn&#39;t found." in pages[INDEX]
    assert "Nobody can invite guests." in pages[INDEX]
    assert len([name for name in pages if name.startswith("runs/")]) == 1


def test_the_page_of_a_run_goes_when_the_history_forgets_its_tenant(history: History, tmp_path: Path) -> None:
    made, site = night("managed-default"), tmp_path / "site"
    with history:
        keep(history, made, 0)
        keep(history, made, 1, difference=difference_of(1, time_of(0), time_of(1)))
        update_site(history, str(site), now=time_of(2))
        assert len(list((site / "runs").iterdir())) == 1
        history.prune(Keep(days=0, runs=0), time_of(300))
        assert update_site(history, str(site), now=time_of(2)).removed == 0, "a run with a change is kept"
        history.forget(TENANT)
        assert update_site(history, str(site), now=time_of(2)).removed == 2
    assert set(files(site)) == {INDEX, "findings.html", "style.css"}


def test_the_index_of_several_tenants_has_the_answer_of_the_fleet(history: History, tmp_path: Path) -> None:
    blocked, open_to_users = night("managed-default"), night("admin-consented")
    with history:
        keep(history, blocked, 0, tenant="one", name="Alder")
        keep(history, open_to_users, 1, tenant="one", name="Alder")
        keep(history, open_to_users, 0, tenant="two", name="Birch")
        keep(history, blocked, 1, tenant="two", name="Birch")
        keep(history, open_to_users, 0, tenant="three", name="Contoso")
        with history.lock("three"):
            run = history.begin("three", "Contoso", time_of(1))
            history.fail(run, error="the tenant wasn't found", exit_code=3, finished=time_of(1))
        update_site(history, str(tmp_path / "site"), now=time_of(1))
        data = site_data(history, now=time_of(1))
    (app,) = data.fleets[""].apps
    assert (app.connects, app.needs_admin, app.blocked, app.unknown, app.tenants) == (1, 1, 0, 1, 3)
    text = words_of((tmp_path / "site" / INDEX).read_text(encoding="utf-8"))
    answer = "Users of 1 of 3 tenants can connect TrackerRMS: 1 needs an administrator and 1 is unknown."
    assert answer in text
    assert "Of 2 tenants with an earlier audit: 1 now connects and 1 no longer connects." in text
    assert "1 of 3 The Microsoft-managed policy excludes Mail.ReadWrite" in text


def test_the_answer_of_the_history_is_that_of_the_fleet_report(history: History) -> None:
    with history:
        for number, name in enumerate(("managed-default", "admin-consented", "app-disabled", "unreadable-policies")):
            keep(history, night(name), 0, tenant=f"{number}", name=f"Tenant {number}")
        data = site_data(history, now=time_of(0))
        report = fleet_of_history(history, FleetRequest(at=time_of(0)))
    shown = data.fleets[""]
    assert shown.answer == report.answer
    assert [(one.key, one.connects, one.unknown) for one in shown.apps] == [
        (one.key, one.connects, one.unknown) for one in report.apps
    ]
    assert [why.setting for one in shown.apps for why in one.why] == [
        why.setting for one in report.apps for why in one.why
    ]


def test_a_kept_report_that_cannot_be_read_makes_its_tenant_unknown(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(self: History, run: str, *, with_grants: bool = True) -> Report:
        raise msgspec.ValidationError("Expected `str`")

    with history:
        keep(history, night("managed-default"), 0, tenant="one", name="Alder")
        keep(history, night("managed-default"), 0, tenant="two", name="Birch")
        monkeypatch.setattr(History, "report", damaged)
        data = site_data(history, now=time_of(0))
    assert [one.state for one in data.fleets[""].tenants] == [AuditState.UNREADABLE] * 2


def test_two_names_of_one_tenant_are_two_tenants(history: History, tmp_path: Path) -> None:
    made = night("managed-default")
    with history:
        keep(history, made, 0, tenant="one")
        keep(history, made, 0, tenant="two")
        update_site(history, str(tmp_path / "site"), now=time_of(0))
        expected = len(site_data(history, now=time_of(0)).tenants)
    assert len([name for name in files(tmp_path / "site") if name.startswith("tenants/")]) == expected


def test_an_empty_history_makes_a_dashboard_that_says_so(history: History, tmp_path: Path) -> None:
    with history:
        update_site(history, str(tmp_path / "site"), now=time_of(0))
    assert b"The history holds no runs yet" in (tmp_path / "site" / INDEX).read_bytes()
