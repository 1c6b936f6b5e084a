"""Files are whole, for their owner only, and never where another user has laid a link, a pipe or a file."""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auditor.atomic import (
    create_private,
    make_folder,
    open_own,
    open_private,
    refuse_unsafe,
    remove_leftovers,
    write_whole,
    written_whole,
)
from auditor.model.errors import InvalidRequest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners, links and permissions of POSIX")

SOMEBODY = 54321
GIVE = "give another path, in a folder that only you can write to"

Planted = Callable[[Path], None]


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Planted:
    """Make a file another user's. Only root can; for others, whoever asks becomes another user."""

    def give_away(path: Path) -> None:
        if os.geteuid() == 0:
            os.lchown(path, SOMEBODY, SOMEBODY)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)

    return give_away


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A folder like ``/tmp``."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    yield folder


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_another_users_link_is_not_followed(shared: Path, tmp_path: Path, planted: Planted) -> None:
    target = tmp_path / "authorized_keys"
    target.write_text("mine")
    link = shared / "report.html"
    link.symlink_to(target)
    planted(link)
    with pytest.raises(InvalidRequest, match=f"goes through the link {link}, which another user made .*: {GIVE}"):
        write_whole(link, b"report")
    assert target.read_text() == "mine" and link.is_symlink()
    assert sorted(one.name for one in shared.iterdir()) == ["report.html"], "no temporary file is left"


def test_another_users_link_to_nothing_creates_nothing(shared: Path, tmp_path: Path, planted: Planted) -> None:
    link = shared / "report.html"
    link.symlink_to(tmp_path / "new")
    planted(link)
    with pytest.raises(InvalidRequest, match="which another user made"):
        write_whole(link, b"report")
    assert not (tmp_path / "new").exists()


def test_another_users_link_on_the_way_is_not_followed(shared: Path, tmp_path: Path, planted: Planted) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = shared / "audit-results"
    folder.symlink_to(tmp_path / "elsewhere")
    planted(folder)
    for write in (make_folder, lambda path: write_whole(path / "report.html", b""), refuse_unsafe):
        with pytest.raises(InvalidRequest, match="goes through the link"):
            write(folder)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_to_another_users_link_is_not_followed(shared: Path, tmp_path: Path, planted: Planted) -> None:
    (shared / "theirs").symlink_to(tmp_path / "new")
    mine = tmp_path / "report.html"
    mine.symlink_to(os.path.relpath(shared / "theirs", tmp_path))
    planted(shared / "theirs")
    with pytest.raises(InvalidRequest, match="theirs, which another user made"):
        write_whole(mine, b"report")


def test_your_own_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "latest.html").symlink_to("folder/../real/report.html")
    write_whole(tmp_path / "latest.html", b"report")
    assert (tmp_path / "real" / "report.html").read_bytes() == b"report"
    assert (tmp_path / "latest.html").is_symlink()


def test_links_in_a_circle_are_an_error_of_the_path(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        write_whole(tmp_path / "a", b"")


def test_another_users_file_in_a_shared_folder_is_not_replaced(shared: Path, planted: Planted) -> None:
    file = shared / "report.html"
    file.write_text("theirs")
    file.chmod(0o666)
    planted(file)
    with pytest.raises(InvalidRequest, match=r"is another user's file \(.*\) in a folder that others can write to"):
        write_whole(file, b"report", keep_mode=True)
    assert file.read_text() == "theirs"


def test_a_folder_of_another_group_that_can_write_is_shared(
    tmp_path: Path, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.html"
    file.write_text("theirs")
    planted(file)
    tmp_path.chmod(0o770)
    refuse_unsafe(file)
    monkeypatch.setattr(os, "getegid", lambda: SOMEBODY)
    with pytest.raises(InvalidRequest, match="another user's file"):
        refuse_unsafe(file)


def test_another_users_file_in_your_folder_is_replaced_without_its_permissions(
    tmp_path: Path, planted: Planted
) -> None:
    file = tmp_path / "report.html"
    file.write_text("theirs")
    file.chmod(0o666)
    planted(file)
    write_whole(file, b"report", keep_mode=True)
    assert (file.read_bytes(), mode_of(file)) == (b"report", 0o600)


def test_another_users_pipe_gets_nothing(shared: Path, planted: Planted) -> None:
    pipe = shared / "report.html"
    os.mkfifo(pipe, 0o666)
    planted(pipe)
    with pytest.raises(InvalidRequest, match="is another user's pipe or device"):
        write_whole(pipe, b"report")  # would wait for a reader otherwise


def test_a_pipe_that_another_user_puts_there_in_this_moment_gets_nothing(
    shared: Path, planted: Planted, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, theirs = shared / "report.html", shared / "theirs"
    os.mkfifo(pipe)
    os.mkfifo(theirs, 0o666)
    reader = os.open(theirs, os.O_RDONLY | os.O_NONBLOCK)
    opened = os.open

    def swapped(path: Path, flags: int) -> int:
        theirs.replace(pipe)
        planted(pipe)
        return opened(path, flags)

    monkeypatch.setattr(os, "open", swapped)
    with pytest.raises(InvalidRequest, match="was replaced by another user"):
        write_whole(pipe, b"report")
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_your_own_pipe_is_written_into(shared: Path) -> None:
    pipe = shared / "report.html"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"report")
    reader.join()
    assert got == [b"report"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_of_root_is_written_into() -> None:
    write_whole(os.devnull, b"report")
    assert Path(os.devnull).is_char_device()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("/dev/fd/{}", id="process substitution"),
        pytest.param("/proc/self/fd/{}", id="this process"),
        pytest.param("linked", id="a link to it"),
    ],
)
def test_an_open_file_of_this_process_is_written_into(name: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"before ")
    with log.open("ab", buffering=0) as file:
        path = Path(name.format(file.fileno()))
        if name == "linked":
            path = tmp_path / "linked"
            path.symlink_to(f"/dev/fd/{file.fileno()}")
        write_whole(path, b"report")
    assert log.read_bytes() == b"before report"


def test_a_replaced_file_keeps_its_permissions_but_no_set_user_id(tmp_path: Path) -> None:
    file = tmp_path / "fix.sh"
    file.write_text("old")
    file.chmod(0o7755)
    write_whole(file, b"new", keep_mode=True)
    assert mode_of(file) == 0o755


def test_a_file_of_another_group_stays_in_it_or_loses_the_groups_permissions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")
    file.chmod(0o640)

    def refused(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    before = file.stat()
    monkeypatch.setattr(os, "fchown", refused)
    write_whole(file, b"new", keep_mode=True)
    assert mode_of(file) == 0o640, "the same group"
    if os.geteuid() == 0:
        os.chown(file, -1, before.st_gid + 1)
        write_whole(file, b"new", keep_mode=True)
        assert mode_of(file) == 0o600
        monkeypatch.undo()
        file.chmod(0o640)
        os.chown(file, -1, before.st_gid + 1)
        write_whole(file, b"new", keep_mode=True)
        assert (mode_of(file), file.stat().st_gid) == (0o640, before.st_gid + 1)


def test_a_new_folder_is_its_owners_with_all_its_parents(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        make_folder(tmp_path / "a" / "b" / "c")
    finally:
        os.umask(umask)
    assert [mode_of(tmp_path / name) for name in ("a", "a/b", "a/b/c")] == [0o700] * 3
    tmp_path.chmod(0o755)
    make_folder(tmp_path)
    assert mode_of(tmp_path) == 0o755, "a folder that exists stays as it is"


def test_a_block_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    file = tmp_path / "tenant.json"
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt), written_whole(file) as written:
        written.write(b"half")
        raise KeyboardInterrupt
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("tenant.json", "old")]


def test_the_temporary_file_is_its_owners_from_the_start(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        with written_whole(tmp_path / "report.html"):
            (temporary,) = tmp_path.iterdir()
            assert mode_of(temporary) == 0o600
    finally:
        os.umask(umask)


def test_a_private_file_is_created_once(tmp_path: Path) -> None:
    key = tmp_path / "key"
    assert create_private(key, b"first") and not create_private(key, b"second")
    assert (key.read_bytes(), mode_of(key)) == (b"first", 0o600)


def test_a_private_file_that_cannot_be_finished_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, handle: int, _: str) -> None:
            self.handle = handle

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            os.close(self.handle)

        def write(self, _: bytes) -> None:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", Full)
    with pytest.raises(OSError, match="No space left"):
        create_private(tmp_path / "key", b"key")
    assert list(tmp_path.iterdir()) == []


def test_a_file_to_write_parts_of_is_yours_alone_and_keeps_its_content(tmp_path: Path, planted: Planted) -> None:
    file = tmp_path / "rows"
    file.write_bytes(b"first")
    file.chmod(0o666)
    handle = open_private(file)
    os.lseek(handle, 0, os.SEEK_END)
    os.write(handle, b" second")
    os.close(handle)
    assert (file.read_bytes(), mode_of(file)) == (b"first second", 0o600)
    (tmp_path / "link").symlink_to("new")
    planted(tmp_path / "link")
    with pytest.raises(InvalidRequest, match="which another user made"):
        open_private(tmp_path / "link")


def test_a_pipe_is_not_a_file_to_write_parts_of(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows")
    reader = os.open(tmp_path / "rows", os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(InvalidRequest, match="isn't a file of yours"):
        open_private(tmp_path / "rows")
    os.close(reader)


def test_another_users_file_is_not_read_as_your_own(tmp_path: Path, planted: Planted) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"theirs")
    planted(key)
    with pytest.raises(InvalidRequest, match=r"belongs to another user \(.*\): name a file of your own"):
        open_own(key)


def test_another_users_link_to_your_file_is_not_read(tmp_path: Path, planted: Planted) -> None:
    (tmp_path / "mine").write_bytes(b"mine")
    link = tmp_path / "key"
    link.symlink_to("mine")
    planted(link)
    with pytest.raises(InvalidRequest, match="goes through the link"):
        open_own(link)


def test_your_own_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"mine")
    with open_own(tmp_path / "key") as file:
        assert file.read() == b"mine"
    with pytest.raises(IsADirectoryError):
        open_own(tmp_path)


def test_what_a_killed_process_left_is_removed_after_an_hour_and_nothing_else(tmp_path: Path) -> None:
    old, new, other = (tmp_path / name for name in (".consent-auditor-a.tmp", ".consent-auditor-b.tmp", "c.tmp"))
    for path in (old, new, other):
        path.touch()
    (tmp_path / ".consent-auditor-d.tmp").symlink_to(other)
    for path in (old, other):
        os.utime(path, (0, 0))
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {new.name, other.name, ".consent-auditor-d.tmp"}
    remove_leftovers(tmp_path / "nowhere")
