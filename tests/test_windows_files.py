"""What Windows does with files that POSIX doesn't: refuses to replace an open one, and takes 259 characters of a path.

Windows itself isn't here, so its errors are raised in its place.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor import atomic
from auditor.model.errors import InvalidRequest


class InUse(PermissionError):
    """What Python raises on Windows; elsewhere it drops the number of the error."""

    def __init__(self, number: int) -> None:
        super().__init__(13, "The process cannot access the file because it is being used by another process")
        self.winerror = number


def refusing(times: int, number: int, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Let the next attempts to replace a file fail; the files that were replaced in the end."""
    replace, left, done = Path.replace, [times], []

    def replaced(self: Path, target: Any) -> Path:
        if left[0]:
            left[0] -= 1
            raise InUse(number)
        done.append(Path(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replaced)
    return done


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []
    without: Callable[[Path, Path], None] = atomic._replace
    monkeypatch.setattr(atomic, "_replace", lambda written, target: without(written, target, made.append))  # type: ignore[call-arg]
    return made


@pytest.mark.parametrize(
    "number",
    [pytest.param(5, id="denied"), pytest.param(32, id="open elsewhere"), pytest.param(33, id="locked elsewhere")],
)
def test_a_file_that_a_scanner_has_open_for_a_moment_is_replaced_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float], number: int
) -> None:
    report = tmp_path / "report.html"
    report.write_bytes(b"old")
    refusing(3, number, monkeypatch)
    atomic.write_whole(report, b"new")
    assert report.read_bytes() == b"new"
    assert pauses == [0.05, 0.1, 0.2]


def test_a_file_that_stays_open_elsewhere_is_named_and_nothing_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    report = tmp_path / "report.xlsx"
    report.write_bytes(b"old")
    refusing(99, 32, monkeypatch)
    with pytest.raises(InvalidRequest, match=r"open in another program.*close it there"):
        atomic.write_whole(report, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.xlsx"]
    assert report.read_bytes() == b"old"
    assert 1 < sum(pauses) < 2


def test_another_refusal_is_not_taken_for_an_open_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    refusing(1, 1, monkeypatch)
    with pytest.raises(PermissionError):
        atomic.write_whole(tmp_path / "report.html", b"new")
    assert pauses == []


def test_a_path_that_is_too_long_for_windows_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(**_: Any) -> tuple[int, str]:
        raise FileNotFoundError(2, "The system cannot find the path specified")

    monkeypatch.setattr(atomic, "_POSIX", False)
    monkeypatch.setattr(tempfile, "mkstemp", missing)
    with pytest.raises(InvalidRequest, match=r"259.*long paths"):
        atomic.write_whole(tmp_path / ("x" * 250), b"")
    with pytest.raises(FileNotFoundError):
        atomic.write_whole(tmp_path / "short", b"")


@pytest.mark.parametrize("name", [pytest.param("NUL", id="as documented"), pytest.param("nul", id="in small letters")])
def test_nul_is_the_null_device_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(atomic, "_POSIX", False)
    monkeypatch.chdir(tmp_path)
    atomic.write_whole(name, b"a report")
    assert list(tmp_path.iterdir()) == []


def test_the_temporary_name_counts(tmp_path: Path) -> None:
    with atomic.written_whole(tmp_path / "report.html"):
        (written,) = tmp_path.iterdir()
    assert len(str(written)) == len(str(tmp_path)) + atomic._LONGEST_TEMPORARY
