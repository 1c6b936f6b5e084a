"""The folder of a read in progress: the rows of each list that are finished, and a checkpoint that says how far it is.

The folder is next to the snapshot file and has its name with ``.partial``. A read that was stopped in any way continues
from there if the same command starts again.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from auditor.model.errors import InvalidRequest
from auditor.snapshot.packed_files import rows_file

ENDING = ".partial"
FORMAT = "consent-auditor/checkpoint"
VERSION = 1
KEPT_FOR = timedelta(days=1)
"""The age up to which a read goes on: a snapshot describes a tenant at one time."""
_CHECKPOINT = "checkpoint.jsonl"


class ReadRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is read, and which program reads it: a tenant in a cloud, and its lists by their sections."""

    tool: str
    tenant: str
    cloud: str
    lists: tuple[str, ...]


class ListProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a list is: `rows` in `size` bytes of its file, after which the page `next` follows.

    `is_complete`: nothing follows. `total` is how many rows Graph counts, if it said so. `part` is the number of the
    address that the page belongs to, of a list that has several; `is_smaller` if Graph refused the usual ones.
    """

    rows: int = 0
    size: int = 0
    next: str = ""
    is_complete: bool = False
    total: int | None = None
    part: int = 0
    is_smaller: bool = False


class _Start(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a checkpoint: what is read, and when the read started."""

    format: str = FORMAT
    version: int = VERSION
    request: ReadRequest
    taken: str


class _Step(msgspec.Struct, frozen=True, kw_only=True):
    """Each other line: how far a list is now; none if it starts again."""

    list: str
    progress: ListProgress | None = None


class PartialRead:
    """A read in progress, in its folder, which only its owner can read. Use `partial_read` to open one.

    `taken` is when it started (UTC), `lists` how far each list is, by its section.
    """

    def __init__(self, folder: Path, start: _Start, lists: Mapping[str, ListProgress]) -> None:
        self.folder = folder
        self.taken = start.taken
        self.lists = dict(lists)
        self._request = start.request
        # A line at the end costs much less than a new file in place of the old one, which the system writes to the
        # disk at once.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._file = os.open(folder / _CHECKPOINT, flags, 0o600)
        steps = (_Step(list=section, progress=progress) for section, progress in lists.items())
        os.write(self._file, b"".join((_line(start), *map(_line, steps))))

    def rows(self, section: str) -> Path:
        """The file with the rows of a section."""
        return self.folder / rows_file(section)

    def note(self, section: str, progress: ListProgress | None) -> None:
        """Save how far a list is; ``None`` if it starts again. Raises OSError."""
        os.write(self._file, _line(_Step(list=section, progress=progress)))
        if progress is None:
            self.lists.pop(section, None)
        else:
            self.lists[section] = progress

    def close(self) -> None:
        """Close the checkpoint."""
        os.close(self._file)

    def remove(self) -> None:
        """Delete the files of the read, and the folder if nothing else is in it."""
        for name in (*map(rows_file, self._request.lists), _CHECKPOINT):
            with contextlib.suppress(OSError):
                (self.folder / name).unlink()
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def _line(of: _Start | _Step) -> bytes:
    return msgspec.json.encode(of) + b"\n"


@contextmanager
def partial_read(
    output: str | os.PathLike[str], request: ReadRequest, now: str, say: Callable[[str], None]
) -> Iterator[PartialRead]:
    """The read in the folder of the snapshot file `output`: an earlier one that was stopped, or a new one.

    `now` is the time in UTC. Raises `InvalidRequest` if the folder holds the read of something else, belongs to
    somebody else, or is in use; and OSError.
    """
    folder = Path(f"{os.fspath(Path(output).resolve())}{ENDING}")
    _open_folder(folder)
    with _locked(folder):
        start, lists = _read_checkpoint(folder, request) or (_Start(request=request, taken=now), {})
        if _age(start.taken, now) > KEPT_FOR:
            say(f"The unfinished read in {folder} is more than a day old: reading everything again.")
            start, lists = _Start(request=request, taken=now), {}
        if lists:
            say(f"Continuing the read that started at {start.taken}, from {folder}.")
        partial = PartialRead(folder, start, lists)
        try:
            yield partial
        finally:
            partial.close()
            if not partial.lists:
                partial.remove()


def _open_folder(folder: Path) -> None:
    """Create the folder for its owner only, or make sure that an existing one is the owner's."""
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise InvalidRequest(f"{folder} isn't a folder: delete it, or give -o another name")
    if os.name == "posix":
        if found.st_uid != os.geteuid():
            raise InvalidRequest(f"{folder} belongs to another user: give -o another name")
        folder.chmod(0o700)


def _read_checkpoint(folder: Path, request: ReadRequest) -> tuple[_Start, dict[str, ListProgress]] | None:
    """The checkpoint in the folder, if there is one. Raises `InvalidRequest` for one of something else."""
    file = folder / _CHECKPOINT
    try:
        first, *others = file.read_bytes().splitlines()
        start = msgspec.json.decode(first, type=_Start)
    except FileNotFoundError:
        return None
    except (ValueError, msgspec.DecodeError):
        raise _other(file, "can't be read") from None
    if (start.format, start.version, start.request.tool) != (FORMAT, VERSION, request.tool):
        raise _other(file, "was written by another version of this program")
    if start.request.tenant != request.tenant:
        raise _other(file, f"is of another tenant ({start.request.tenant})")
    if start.request != request:
        raise _other(file, "is of another read (another cloud or other sections)")
    lists: dict[str, ListProgress] = {}
    for line in others:
        # The last line may be cut off: the list then continues from the line before.
        with contextlib.suppress(ValueError, msgspec.DecodeError):
            step = msgspec.json.decode(line, type=_Step)
            lists = {name: progress for name, progress in lists.items() if name != step.list}
            if step.progress is not None:
                lists[step.list] = step.progress
    return start, lists


def _other(file: Path, why: str) -> InvalidRequest:
    return InvalidRequest(f"the unfinished read in {file} {why}: delete {file.parent}, or give -o another name")


def _age(taken: str, now: str) -> timedelta:
    try:
        return abs(datetime.fromisoformat(now) - datetime.fromisoformat(taken))
    except (ValueError, TypeError):
        return timedelta.max


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep the folder for this process; where the system has no such locks (Windows), do nothing."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidRequest(
                f"another collect reads into {folder}: wait until it ends, or give -o another name"
            ) from None
        yield
    finally:
        os.close(handle)
