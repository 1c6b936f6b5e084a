"""Write files whole or not at all, for their owner only, and never where another user could read or redirect them.

In a folder such as ``/tmp``, other users can create links, pipes and files with the name of a report before it is
written. So a link of another user isn't followed, and nothing is written into another user's pipe or device, or over
another user's file in a shared folder. On Windows, the permissions of the folder decide.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from auditor.model.errors import InvalidRequest

_POSIX = os.name == "posix"
_PREFIX, _SUFFIX = ".consent-auditor-", ".tmp"
_HOUR = 3600.0
_MOST_LINKS = 40
"""As many links as Linux follows in one path."""
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
_OPEN_FILE = re.compile(r"/(?:dev|proc/(?:self|[0-9]+))/fd/([0-9]{1,9})")
_ANOTHER_PATH = "give another path"
_INSTEAD = f"{_ANOTHER_PATH}, in a folder that only you can write to"
_IN_USE = frozenset((5, 32, 33))
"""What Windows says of a file that is in use: ERROR_ACCESS_DENIED, ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION."""
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Seconds between the attempts to replace a file that is in use."""
_LONGEST = 259
_LONGEST_TEMPORARY = len(os.sep + _PREFIX + _SUFFIX) + 8
"""The characters that the name of a temporary file adds to its folder; `tempfile` puts eight in the middle."""


class _Place(NamedTuple):
    """A path without links; `now` describes what is there, if anything, and `descriptor` is an open file of ours."""

    path: Path
    now: os.stat_result | None = None
    descriptor: int | None = None

    @property
    def is_replaced(self) -> bool:
        """Whether a file is replaced or created here, rather than written into, as a pipe or a terminal is."""
        return self.descriptor is None and (self.now is None or stat.S_ISREG(self.now.st_mode))


def write_whole(path: str | os.PathLike[str], data: bytes, *, keep_mode: bool = False) -> None:
    """Replace the file `path` with `data` in one step, or leave everything unchanged.

    See `written_whole`. Raises OSError and InvalidRequest.
    """
    with written_whole(path, keep_mode=keep_mode) as file:
        file.write(data)


@contextlib.contextmanager
def written_whole(path: str | os.PathLike[str], *, keep_mode: bool = False) -> Iterator[BinaryIO]:
    """A file to write to; it takes the place of `path` when the block ends, and leaves no trace if the block fails.

    Only its owner can read it, unless it replaces a file of yours and `keep_mode` keeps the permissions of that file
    (without set-user-id and the like). If `path` exists and isn't a regular file (a terminal, a pipe) or is one of this
    process's open files (``/dev/stdout``), the data is written into it. Raises OSError, and InvalidRequest where
    `refuse_unsafe` does.
    """
    place = _checked(path)
    if not place.is_replaced:
        with _named_errors(path), _opened(place, os.O_WRONLY, path) as file:
            yield file
        return
    try:
        handle, name = tempfile.mkstemp(dir=place.path.parent, prefix=_PREFIX, suffix=_SUFFIX)
    except FileNotFoundError:
        if not _POSIX:
            _refuse_too_long(place.path)
        raise
    try:
        with _named_errors(path), os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if keep_mode and place.now is not None and _is_mine(place.now):
                _keep_mode(handle, Path(name), place.now)
            os.fsync(handle)
        _replace(Path(name), place.path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    _sync_directory(place.path.parent)


def _replace(written: Path, target: Path, wait: Callable[[float], None] = time.sleep) -> None:
    """Give a written file its name. Windows refuses while another program has the old file open.

    A virus scanner or an indexer has it for a moment, which this waits for; Excel as long as it shows the file. Raises
    InvalidRequest if that lasts, and OSError.
    """
    for seconds in (*_PAUSES, 0.0):
        try:
            written.replace(target)
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _IN_USE:
                raise
            if not seconds:
                what = "is open in another program, or write-protected: close it there, and run the command again"
                raise InvalidRequest(f"{target} {what}, or {_ANOTHER_PATH}") from None
            wait(seconds)
        else:
            return


def _refuse_too_long(path: Path) -> None:
    """Raise InvalidRequest for a path that Windows can't open: it says then that the file doesn't exist.

    Its functions take 259 characters, and more only where the machine allows long paths (Microsoft Learn, "Maximum Path
    Length Limitation"). The temporary file next to the target has a longer name than most.
    """
    longest = max(len(str(path)), len(str(path.parent)) + _LONGEST_TEMPORARY)
    if longest > _LONGEST and not str(path).startswith("\\\\?\\"):
        raise InvalidRequest(
            f"{path} has {longest} characters with its temporary name, and Windows takes {_LONGEST}:"
            f" {_ANOTHER_PATH}, or allow long paths on this machine (docs/windows.md)"
        )


@contextlib.contextmanager
def _named_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Let an error of the system that names no file, as that of a full disk, name this one."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = os.fspath(path)
        raise


def refuse_unsafe(path: str | os.PathLike[str]) -> None:
    """Raise InvalidRequest if writing to `path` could reach another user's file, or hand them the data.

    That is: a link on the way that another user made; a pipe, socket or device of another user; another user's file in
    a folder that others can write to. Root's links and devices are trusted.
    """
    with contextlib.suppress(OSError):
        _checked(path)


def make_folder(path: str | os.PathLike[str]) -> None:
    """Create a folder and its missing parents so that only you can open them. Raises OSError and InvalidRequest."""
    folder = _resolved(path).path
    missing = [one for one in (folder, *folder.parents) if not os.path.lexists(one)]
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def create_private(path: str | os.PathLike[str], data: bytes) -> bool:
    """Create a file that only you can read, and return whether it is new. An existing one stays as it is.

    Raises OSError and InvalidRequest.
    """
    place = _resolved(path)
    if place.now is not None or place.descriptor is not None:
        return False
    try:
        handle = os.open(place.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except BaseException:
        with contextlib.suppress(OSError):
            place.path.unlink()
        raise
    return True


def open_private(path: str | os.PathLike[str]) -> int:
    """The descriptor of a file to write parts of, as in the middle of a long read; only you can read it.

    The file is created if it's missing, and not emptied. Raises OSError, as for a link, and InvalidRequest for a file
    of another user.
    """
    _own(path)
    flags = os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    handle = os.open(path, flags, 0o600)
    try:
        now = os.fstat(handle)
        if not (_is_mine(now) and stat.S_ISREG(now.st_mode)):
            raise _refusal(path, "isn't a file of yours")
        if _POSIX:
            os.fchmod(handle, 0o600)
    except BaseException:
        os.close(handle)
        raise
    return handle


def open_own(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file of yours, or of root, for `input_files.read_opened`, without waiting for the writer of a pipe.

    Raises OSError, and InvalidRequest for another user's file.
    """
    place = _own(path)
    if place.now is not None and stat.S_ISDIR(place.now.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    return _opened(place, os.O_RDONLY, path)


def refuse_foreign(path: str | os.PathLike[str]) -> None:
    """Raise InvalidRequest for a file that isn't yours or root's, or that is reached through another user's link."""
    with contextlib.suppress(OSError):
        _own(path)


def _own(path: str | os.PathLike[str]) -> _Place:
    place = _resolved(path)
    if place.now is not None and not _is_trusted(place.now):
        raise _refusal(path, f"belongs to another user ({_owner(place.now)})", "name a file of your own")
    return place


def _checked(path: str | os.PathLike[str]) -> _Place:
    """The place that `path` means. Raises InvalidRequest if it isn't safe, and IsADirectoryError."""
    place = _resolved(path)
    if place.now is None:
        return place
    if stat.S_ISDIR(place.now.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if place.is_replaced:
        if not _is_mine(place.now) and _is_shared(place.path.parent):
            what = f"is another user's file ({_owner(place.now)}) in a folder that others can write to"
            raise _refusal(path, what)
    elif not _is_trusted(place.now):
        raise _refusal(path, f"is another user's pipe or device ({_owner(place.now)})")
    return place


def _resolved(path: str | os.PathLike[str]) -> _Place:
    """The place that `path` means after links. Raises InvalidRequest for a link that another user made, and OSError."""
    if not _POSIX:
        if os.fspath(path).upper() == "NUL":
            return _Place(Path(os.devnull), os.stat(os.devnull))
        real = Path(os.path.realpath(path))
        return _Place(real, real.stat() if real.exists() else None)
    given = os.fspath(path)
    here = Path("/" if given.startswith("/") else os.getcwd())
    ahead = given.split("/")[::-1]
    links, now = 0, here.lstat()
    while ahead:
        part = ahead.pop()
        if part in ("", "."):
            continue
        if part == "..":
            here = here.parent
            now = here.lstat()
            continue
        here /= part
        if (descriptor := _open_file(here)) is not None:
            return _Place(here, None, descriptor)
        try:
            now = here.lstat()
        except FileNotFoundError:
            return _Place(Path(os.path.normpath(here.joinpath(*ahead[::-1]))))
        if stat.S_ISLNK(now.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), given)
            if not _is_trusted(now):
                raise _refusal(path, f"goes through the link {here}, which another user made ({_owner(now)})")
            target = os.readlink(here)
            here = Path("/") if target.startswith("/") else here.parent
            ahead += target.split("/")[::-1]
            now = here.lstat()
    return _Place(here, now)


def _open_file(path: Path) -> int | None:
    """The number of an open file of this process that the path means, as ``/dev/stdout`` and ``>(…)`` do."""
    name = str(path)
    if name in _STREAMS:
        return _STREAMS[name]
    found = _OPEN_FILE.fullmatch(name)
    is_ours = found is not None and (not name.startswith("/proc/") or name.split("/")[2] in ("self", str(os.getpid())))
    return int(found[1]) if found is not None and is_ours else None


def _opened(place: _Place, flags: int, path: str | os.PathLike[str]) -> BinaryIO:
    """Open what was checked, and nothing that has taken its place since."""
    mode: Literal["rb", "wb"] = "rb" if flags == os.O_RDONLY else "wb"
    if place.descriptor is not None:
        return os.fdopen(os.dup(place.descriptor), mode)
    more = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
    if mode == "rb":
        from auditor.input_files import waiting_for_nothing  # a report is written without it

        more |= waiting_for_nothing()
    handle = os.open(place.path, flags | more)
    now = os.fstat(handle)
    if place.now is not None and not os.path.samestat(now, place.now) and not _is_trusted(now):
        os.close(handle)
        raise _refusal(path, "was replaced by another user in this moment")
    return os.fdopen(handle, mode)


def _is_mine(now: os.stat_result) -> bool:
    return not _POSIX or now.st_uid == os.geteuid()


def _is_trusted(now: os.stat_result) -> bool:
    """Whether it belongs to you or to root, who can read and replace everything anyway."""
    return _is_mine(now) or now.st_uid == 0


def _is_shared(folder: Path) -> bool:
    """Whether users other than you, root and the folder's owner can create files in the folder."""
    now = folder.stat()
    by_group = bool(now.st_mode & stat.S_IWGRP) and now.st_gid != os.getegid()
    return _POSIX and (bool(now.st_mode & stat.S_IWOTH) or by_group)


def _owner(now: os.stat_result) -> str:
    """The owner's name, or the user ID of an owner without a name."""
    try:
        import pwd

        return pwd.getpwuid(now.st_uid).pw_name
    except (ImportError, KeyError):
        return f"user id {now.st_uid}"


def _refusal(path: str | os.PathLike[str], what: str, instead: str = _INSTEAD) -> InvalidRequest:
    return InvalidRequest(f"{os.fspath(path)} {what}: {instead}")


def _keep_mode(handle: int, name: Path, now: os.stat_result) -> None:
    """Give the open file the permissions of the file that it replaces; those of the group only with the same group."""
    mode = stat.S_IMODE(now.st_mode) & 0o777
    if not _POSIX:
        name.chmod(mode)
        return
    if os.fstat(handle).st_gid != now.st_gid:
        try:
            os.fchown(handle, -1, now.st_gid)
        except OSError:
            mode &= ~stat.S_IRWXG
    # By its handle: a name can be replaced by a link between two calls.
    os.fchmod(handle, mode)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files that killed processes left in a folder. Those of the last hour stay, and any trouble.

    A file of the last hour may be one that another run writes.
    """
    with contextlib.suppress(OSError):
        for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
            with contextlib.suppress(OSError):
                now = path.lstat()
                if stat.S_ISREG(now.st_mode) and time.time() - now.st_mtime > _HOUR:
                    path.unlink()


def _sync_directory(directory: Path) -> None:
    """Make the new name survive a power failure, on systems that support it."""
    if not _POSIX:
        return
    with contextlib.suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
