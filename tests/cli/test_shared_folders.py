"""Every command that writes does it whole, privately, and never where another user has prepared the place."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.snapshot.samples import sample
from auditor.snapshot.write import save
from tests.cli.program import COMMAND, environment, run
from tests.limits import HUNG_AFTER

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="owners, links and permissions of POSIX")
as_root = pytest.mark.skipif(sys.platform != "win32" and os.geteuid() != 0, reason="only root can give a file away")

SOMEBODY = 54321
PACK = ("--pack", "trackerrms-uk")
CHECK = ("check", "--snapshot", "t.json", *PACK)
NEW_PACK = ("packs", "new", "--app", "5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "--scopes", "Mail.Read", "--name", "N")

WRITERS = [
    pytest.param((*CHECK, "-f", "json", "-o", "shared/out"), "out", id="a report"),
    pytest.param((*CHECK, "-f", "json", "-o", "shared/"), "report.json", id="a folder of reports"),
    pytest.param((*CHECK, "--fix-script", "powershell", "--fix", "R3", "-o", "shared/out"), "out", id="a script"),
    pytest.param(("collect", "--from", "t.json", "-o", "shared/out"), "out", id="a snapshot"),
    pytest.param(("redact", "t.json", "-o", "shared/out"), "out", id="a redacted snapshot"),
    pytest.param(("bundle", "--snapshot", "t.json", *PACK, "-o", "shared/out"), "out", id="a bundle"),
    pytest.param(("packs", "permissions", *PACK, "-o", "shared/out"), "out", id="permissions"),
    pytest.param((*NEW_PACK, "--force", "-o", "shared/out"), "out", id="a new pack"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A snapshot, and a folder that everybody can write to."""
    save(sample("managed-default"), tmp_path / "t.json")
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)
    return tmp_path


def a_link(place: Path) -> None:
    place.symlink_to("../victim")


def a_file(place: Path) -> None:
    place.write_text("theirs")
    place.chmod(0o666)


def a_pipe(place: Path) -> None:
    os.mkfifo(place, 0o666)


def refuses(arguments: tuple[str, ...], name: str, plant: Callable[[Path], None], said: str, folder: Path) -> None:
    """The command ends with a usage error, and changes neither what was planted nor what that leads to."""
    (folder / "victim").write_text("mine")
    place = folder / "shared" / name
    plant(place)
    os.lchown(place, SOMEBODY, SOMEBODY)
    before = place.lstat()
    done = run(*arguments, cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.split()) and "give another path, in a folder that only you" in done.err
    assert (folder / "victim").read_text() == "mine"
    assert os.path.samestat(place.lstat(), before)
    assert sorted(one.name for one in (folder / "shared").iterdir()) == [name]


@as_root
@pytest.mark.parametrize(("arguments", "name"), WRITERS)
def test_no_command_follows_another_users_link(arguments: tuple[str, ...], name: str, folder: Path) -> None:
    refuses(arguments, name, a_link, "which another user made", folder)


@as_root
@pytest.mark.parametrize(("arguments", "name"), [WRITERS[1], WRITERS[5]])
def test_another_users_file_is_not_replaced(arguments: tuple[str, ...], name: str, folder: Path) -> None:
    refuses(arguments, name, a_file, "is another user's file", folder)


@as_root
@pytest.mark.parametrize(("arguments", "name"), [WRITERS[0], WRITERS[3]])
def test_another_users_pipe_gets_nothing(arguments: tuple[str, ...], name: str, folder: Path) -> None:
    refuses(arguments, name, a_pipe, "is another user's pipe or device", folder)


@pytest.mark.parametrize(("arguments", "name"), WRITERS)
def test_the_output_is_its_owners_alone(arguments: tuple[str, ...], name: str, folder: Path) -> None:
    done = run(*arguments, cwd=folder)
    assert done.code in (0, 1), done.err
    assert stat.S_IMODE((folder / "shared" / name).stat().st_mode) == 0o600


def test_the_folder_of_reports_is_its_owners_alone(folder: Path) -> None:
    assert run(*CHECK, "-f", "json", "-o", "audit-results/today/", cwd=folder).code == 1
    assert [stat.S_IMODE((folder / one).stat().st_mode) for one in ("audit-results", "audit-results/today")] == [
        0o700,
        0o700,
    ]


@as_root
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param((*CHECK, "--redact", "-f", "json"), id="check"),
        pytest.param(("redact", "t.json"), id="redact"),
        pytest.param(("bundle", "--snapshot", "t.json", *PACK, "-o", "t.zip"), id="bundle"),
        pytest.param(("collect", "--from", "t.json", "--redact", "-o", "r.json"), id="collect"),
        pytest.param(("redact", "t.json", "--reveal", "User 0123456789"), id="reveal"),
    ],
)
def test_a_redaction_key_of_another_user_is_refused(arguments: tuple[str, ...], folder: Path) -> None:
    assert run("redact", "t.json", "-o", "first.json", "--redact-key", "key", cwd=folder).code == 0
    os.chown(folder / "key", SOMEBODY, SOMEBODY)
    done = run(*arguments, "--redact-key", "key", cwd=folder)
    assert (done.code, done.out) == (2, "")
    assert "key belongs to another user (user id 54321): name a file of your own" in done.err


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which ``$AUDIT`` is a check that writes JSON."""
    environ = environment(folder, {"AUDIT": " ".join((str(COMMAND), *CHECK, "-f", "json"))})
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environ, capture_output=True, text=True, timeout=HUNG_AFTER, check=False
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("$AUDIT -o /dev/stdout", id="standard output to a pipe"),
        pytest.param("$AUDIT -o /dev/stdout > r.json; cat r.json", id="standard output to a file"),
        pytest.param("$AUDIT -o >(cat); wait $!", id="process substitution"),
        pytest.param("mkfifo mine; cat mine & $AUDIT -o mine; wait", id="a pipe of your own"),
        pytest.param(
            "mkfifo shared/mine; cat shared/mine & $AUDIT -o shared/mine; wait", id="your pipe, shared folder"
        ),
        pytest.param("exec 3> r.json; $AUDIT -o /proc/self/fd/3; cat r.json", id="an open file"),
    ],
)
def test_what_a_shell_hands_over_is_written_into(line: str, folder: Path) -> None:
    assert shell(line, folder).stdout.lstrip().startswith("{")


def test_standard_output_that_is_appended_to_a_log_keeps_the_log(folder: Path) -> None:
    assert shell("echo before > log; $AUDIT -o /dev/stdout >> log; cat log", folder).stdout.startswith("before\n{")


def test_the_null_device_takes_a_report(folder: Path) -> None:
    assert run(*CHECK, "-f", "json", "-o", os.devnull, cwd=folder).code == 1
    assert Path(os.devnull).is_char_device()
