"""Where a history can be: not on a network share, not in another program's file, and only for its owner."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from auditor.history import HistoryError, NoHistory, location, open_history
from auditor.history.location import (
    FileLocation,
    ServerLocation,
    is_unc,
    locate,
    parsed_mount_command,
    parsed_mountinfo,
    refuse_network_share,
    share_among,
)
from auditor.model.errors import AuditorError
from tests.history.nights import Night, keep

POSIX = pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
AS_ROOT = pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root can write everything")

MOUNTINFO = """\
22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 28 0:35 / /srv/nightly rw,relatime shared:20 - nfs4 server:/export rw,vers=4.2
41 28 0:36 / /srv/with\\040blank rw - cifs //server/share rw
42 40 0:37 / /srv/nightly/local rw - xfs /dev/vdb rw
43 28 0:38 / /mnt/c rw - 9p C:\\134 rw
44 28 0:39 / /home/anna/far rw - fuse.sshfs anna@host: rw
45 28 0:40 / /home/anna/enc rw - fuse.gocryptfs /x rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        pytest.param("/srv/nightly", "nfs4", id="the mount point"),
        pytest.param("/srv/nightly/a/b", "nfs4", id="below the mount point"),
        pytest.param("/srv/nightly2", "", id="a sibling with the same beginning"),
        pytest.param("/srv/nightly/local/x", "", id="a local disk below a share"),
        pytest.param("/srv/with blank", "cifs", id="a name with a blank"),
        pytest.param("/mnt/c/Users", "9p", id="a drive of Windows in WSL"),
        pytest.param("/home/anna/far", "fuse.sshfs", id="a share in user space"),
        pytest.param("/home/anna/enc", "", id="a local file system in user space"),
        pytest.param("/var/lib", "", id="the root file system"),
    ],
)
def test_network_shares_are_found_in_the_list_of_mounts(folder: str, kind: str) -> None:
    assert share_among(parsed_mountinfo(MOUNTINFO), Path(folder)) == kind


def test_network_shares_are_found_in_the_list_of_mounts_of_macos() -> None:
    listed = "/dev/disk3s1s1 on / (apfs, sealed, local)\n//anna@server/data on /Volumes/data (smbfs, nodev, nosuid)\n"
    assert parsed_mount_command(listed) == [("/", "apfs"), ("/Volumes/data", "smbfs")]
    assert share_among(parsed_mount_command(listed), Path("/Volumes/data/x")) == "smbfs"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(r"\\server\share\folder", True, id="a share"),
        pytest.param("//server/share", True, id="with slashes"),
        pytest.param(r"\\?\UNC\server\share", True, id="a long path of a share"),
        pytest.param(r"\\?\C:\folder", False, id="a long path of a drive"),
        pytest.param(r"\\.\pipe\x", False, id="a device"),
        pytest.param(r"C:\folder", False, id="a drive"),
    ],
)
def test_unc_paths_are_recognized(path: str, expected: bool) -> None:
    assert is_unc(path) is expected


def test_a_network_share_is_refused_in_a_sentence_that_names_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(location, "network_type", lambda folder: "nfs4")
    with pytest.raises(HistoryError) as refused:
        open_history(str(tmp_path / "history.db"))
    assert f"the folder {tmp_path} is on a network share (nfs4), where SQLite isn't safe" in refused.value.explanation
    assert "PostgreSQL" in refused.value.explanation
    assert list(tmp_path.iterdir()) == []


def test_a_local_folder_is_accepted(tmp_path: Path) -> None:
    refuse_network_share(tmp_path)


def test_without_a_place_the_history_is_in_the_state_folder(tmp_path: Path) -> None:
    assert locate("", {"CONSENT_AUDITOR_STATE": str(tmp_path)}) == FileLocation(tmp_path / "history.db", True)
    assert locate("", {}).label.endswith("history.db")
    assert locate("~/h.db") == FileLocation(Path.home() / "h.db")


def test_another_database_is_refused_without_quoting_its_address() -> None:
    with pytest.raises(HistoryError) as refused:
        locate("mysql://user:hunter2@host/db")
    assert "mysql://" in str(refused.value) and "PostgreSQL" in refused.value.explanation
    assert "hunter2" not in refused.value.explanation


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("postgresql://anna:hunter2@localhost:1/audit", id="nobody listens"),
        pytest.param("postgres://anna:hunter2@no-such-host.invalid/audit", id="an unknown host"),
        pytest.param("postgresql://anna:hunter2@[::1/audit", id="malformed"),
        pytest.param("postgresql://anna:hunter2@localhost:port/audit", id="a port that isn't a number"),
        pytest.param("postgresql://anna@localhost:1/audit?password=hunter2", id="a password among the options"),
        pytest.param("postgresql://anna:hunter2@localhost:1/audit?nonsense=1", id="an option that doesn't exist"),
    ],
)
def test_a_password_is_never_printed(address: str) -> None:
    with pytest.raises(HistoryError) as error:
        open_history(address)
    cause: BaseException | None = error.value
    assert isinstance(cause, HistoryError) and "hunter2" not in cause.explanation and cause.advice
    assert "hunter2" not in repr(locate("postgresql://anna:hunter2@localhost/audit"))


def test_the_name_of_a_server_has_no_user_and_no_password() -> None:
    found = locate("postgresql://anna:hunter2@db.example.com:5433/audit?sslmode=require")
    assert isinstance(found, ServerLocation)
    assert found.label == "postgresql://db.example.com:5433/audit"


@POSIX
def test_only_the_owner_can_read_the_files(
    tmp_path: Path, default_night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("CONSENT_AUDITOR_STATE", str(state))
    old = os.umask(0o000)
    try:
        with open_history() as history:
            keep(history, default_night)
            found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in state.rglob("*")}
    finally:
        os.umask(old)
    assert {"history.db", "history.db-wal", "history.db-shm", "history.db-locks"} <= found.keys()
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert {mode & 0o077 for mode in found.values()} == {0}


@POSIX
def test_a_file_and_a_state_folder_that_others_can_read_are_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSENT_AUDITOR_STATE", str(tmp_path))
    open_history().close()
    tmp_path.chmod(0o755)
    (tmp_path / "history.db").chmod(0o644)
    open_history().close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "history.db").stat().st_mode) == 0o600


def corrupt_header(file: Path) -> None:
    file.write_bytes(b"This isn't a database. " * 100)


def corrupt_middle(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    file.write_bytes(data)


def cut_off(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5000])


def become_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def other_program(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE bookmarks (address TEXT)")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        pytest.param(corrupt_header, "isn't an SQLite database", id="another file"),
        pytest.param(corrupt_middle, "damaged", id="overwritten in the middle"),
        pytest.param(cut_off, "damaged", id="cut off"),
        pytest.param(become_folder, "can't be used", id="a folder"),
        pytest.param(other_program, "isn't a history of consent-auditor", id="a database of another program"),
    ],
)
def test_a_harmed_file_is_one_sentence_and_says_what_to_do(
    tmp_path: Path, default_night: Night, harm: Callable[[Path], None], words: str
) -> None:
    file = tmp_path / "history.db"
    with open_history(str(file)) as history:
        keep(history, default_night)
    harm(file)
    with pytest.raises(AuditorError) as error, open_history(str(file)) as history:
        history.report("1")
        keep(history, default_night, 1)
    explanation = error.value.explanation
    assert words in explanation and str(file) in explanation
    assert explanation.count("\n") <= 1 and error.value.advice


@AS_ROOT
@POSIX
def test_a_history_of_another_owner_can_be_read_and_not_written(tmp_path: Path, default_night: Night) -> None:
    folder = tmp_path / "state"
    with open_history(str(folder / "history.db")) as history:
        run = keep(history, default_night)
    (folder / "history.db").chmod(0o400)
    folder.chmod(0o500)
    try:
        with open_history(str(folder / "history.db"), must_exist=True) as history:
            assert history.runs() == (run,)
            with pytest.raises(HistoryError, match="can't be written"):
                history.begin("contoso", "contoso", run.started)
    finally:
        folder.chmod(0o700)


def test_a_newer_version_is_refused_in_one_sentence(place: str, default_night: Night) -> None:
    with open_history(place) as history:
        keep(history, default_night)
        with history._database.write() as connection:
            connection.execute(text("UPDATE history_version SET version_num = '9999'"))
    with pytest.raises(HistoryError) as refused:
        open_history(place)
    assert "was written by a newer version of consent-auditor" in str(refused.value)
    assert "Update the program" in refused.value.advice


def test_a_server_database_can_hold_other_tables(postgresql: str, default_night: Night) -> None:
    engine = create_engine(postgresql.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE runs (id int)"))
        connection.execute(text("CREATE TABLE alembic_version (version_num text)"))
    engine.dispose()
    with pytest.raises(NoHistory):
        open_history(postgresql, must_exist=True)
    with open_history(postgresql) as history:
        keep(history, default_night)


def test_a_full_disk_loses_nothing(tmp_path: Path, default_night: Night, consented_night: Night) -> None:
    with open_history(str(tmp_path / "history.db")) as history:
        first = keep(history, default_night)
        begun = history.begin("contoso", "contoso", first.started)
        with history._database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(HistoryError) as full:
            history.finish(
                begun,
                report=consented_night.report,
                snapshot=consented_night.snapshot,
                difference=None,
                exit_code=0,
                finished=first.finished,
            )
        assert "the disk is full" in str(full.value) and "Nothing was changed" in full.value.advice
        assert history.report(first.id) == default_night.report
        assert history.run(begun).state == "running"
    with open_history(str(tmp_path / "history.db")) as history:
        assert keep(history, consented_night, 1, tenant="contoso").passed
        assert [run.state for run in history.runs()] == ["finished", "interrupted", "finished"]


@pytest.mark.skipif(not shutil.which("mount") or not Path("/proc/self/mountinfo").exists(), reason="needs Linux")
def test_the_mounts_of_this_machine_can_be_read() -> None:
    mounts = parsed_mountinfo(Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape"))
    assert any(point == "/" for point, _ in mounts)
