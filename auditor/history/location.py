"""Where a history is: the platform's state folder, a file, or a PostgreSQL database; and whether it is safe there."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from auditor.atomic import make_folder, refuse_foreign
from auditor.history.errors import HistoryError

STATE_VARIABLE = "CONSENT_AUDITOR_STATE"
FILE_NAME = "history.db"

_POSTGRESQL = re.compile(r"\s*postgres(?:ql)?(?:\+\w+)?://")
_ANY_URL = re.compile(r"\s*([A-Za-z][\w+.-]+)://")
_NETWORK_TYPES = frozenset(
    {
        *(
            "9p",
            "afs",
            "afpfs",
            "beegfs",
            "ceph",
            "cifs",
            "coda",
            "davfs",
            "glusterfs",
            "gpfs",
            "lustre",
            "ncpfs",
            "nfs",
        ),
        *("nfs4", "prl_fs", "smb", "smb2", "smb3", "smbfs", "vboxsf", "vmhgfs", "webdav"),
    }
)
_NETWORK_PROGRAMS = ("sshfs", "glusterfs", "s3fs", "rclone", "gcsfuse", "blobfuse", "davfs", "cephfs", "vmhgfs", "smb")
"""File systems in user space: the type is ``fuse.sshfs``, for example."""
_DRIVE_REMOTE = 4
"""What GetDriveTypeW returns for a mapped drive (Windows API reference)."""


class FileLocation(NamedTuple):
    """A file of SQLite. With `is_own_folder`, its folder holds nothing but the program's state."""

    path: Path
    is_own_folder: bool = False

    @property
    def label(self) -> str:
        """What to call the history in messages."""
        return str(self.path)


class ServerLocation(NamedTuple):
    """A PostgreSQL database. `url` holds the password: print `label` instead."""

    url: URL

    @property
    def label(self) -> str:
        """The server and the database, without user, password or options."""
        host = self.url.host or "the local socket"
        port = f":{self.url.port}" if self.url.port else ""
        return f"postgresql://{host}{port}/{self.url.database or ''}"

    def options_of_psycopg(self) -> dict[str, Any]:
        """What psycopg needs to connect to it, with the password."""
        from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

        dialect: Any = PGDialect_psycopg
        _, options = dialect().create_connect_args(self.url)
        return dict(options)


Location = FileLocation | ServerLocation


def locate(place: str, environ: Mapping[str, str] = os.environ) -> Location:
    """The location that a configuration or an option means; empty means the platform's state folder.

    Raises HistoryError for an address that isn't one of PostgreSQL; the message doesn't quote it.
    """
    if _POSTGRESQL.match(place):
        return ServerLocation(_server_url(place.strip()))
    if (found := _ANY_URL.match(place)) is not None:
        raise HistoryError(
            f"a history can't be kept at an address that starts with {found[1]}://",
            advice="Name a file, or a PostgreSQL database: postgresql://USER:PASSWORD@HOST/DATABASE",
        )
    if place:
        return FileLocation(Path(place).expanduser().absolute())
    return FileLocation(state_folder(environ) / FILE_NAME, is_own_folder=True)


def state_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder for the program's own state: ``CONSENT_AUDITOR_STATE``, or else the platform's folder for it."""
    if given := environ.get(STATE_VARIABLE, "").strip():
        return Path(given).expanduser().absolute()
    from platformdirs import user_state_path

    return Path(user_state_path("consent-auditor", appauthor=False)).absolute()


def _server_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The reason would quote the URL, and with it the password.
        raise HistoryError(
            "the URL of the history's database is malformed",
            advice="Write postgresql://USER:PASSWORD@HOST:PORT/DATABASE, with %40 for an @ in the password.",
        ) from None
    return url.set(drivername="postgresql+psycopg")


def prepare(location: FileLocation) -> None:
    """Create the folder of the file, for its owner only, and refuse a place where SQLite isn't safe.

    Raises HistoryError, InvalidRequest for a file of another user, and OSError.
    """
    refuse_network_share(location.path.parent)
    make_folder(location.path.parent)
    refuse_foreign(location.path)
    if os.name != "posix":
        return
    if location.is_own_folder:
        _keep_to_owner(location.path.parent, 0o700)
    _keep_to_owner(location.path, 0o600)


def _keep_to_owner(path: Path, mode: int) -> None:
    """Take away what others may do with a file or folder of yours."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return
    if now.st_uid == os.geteuid() and stat.S_IMODE(now.st_mode) & 0o077:
        path.chmod(mode)


def refuse_network_share(folder: Path) -> None:
    """Raise HistoryError for a folder on a network share: SQLite's WAL needs memory that all processes share.

    Source: https://www.sqlite.org/wal.html, "Overview", disadvantage 2.
    """
    kind = network_type(folder)
    if kind:
        raise HistoryError(
            f"the folder {folder} is on a network share ({kind}), where SQLite isn't safe",
            advice="Keep the history in PostgreSQL (history: {url: {env: …}}), or in a folder on a local disk.",
        )


def network_type(folder: Path) -> str:
    """The type of the network share that a folder is on, or nothing for a local disk or an unknown type."""
    if sys.platform == "win32":
        return _windows_share(str(folder))
    if sys.platform == "darwin":
        listed = subprocess.run(["/sbin/mount"], capture_output=True, text=True, check=False).stdout
        return share_among(parsed_mount_command(listed), folder)
    try:
        text = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
    return share_among(parsed_mountinfo(text), folder)


def parsed_mountinfo(text: str) -> list[tuple[str, str]]:
    """Mount points and file system types (man 5 proc_pid_mountinfo), in the order of mounting."""
    found = []
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after:
            point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4])
            found.append((point, after.split(" ")[0]))
    return found


def parsed_mount_command(text: str) -> list[tuple[str, str]]:
    """Mount points and file system types in what macOS's ``mount`` prints: ``//server/a on /Volumes/a (smbfs, …)``."""
    return re.findall(r"^.* on (/.*) \((\w+)", text, re.MULTILINE)


def share_among(mounts: Iterable[tuple[str, str]], folder: Path) -> str:
    """The type of the file system that holds `folder`, if it is a network share."""
    real = os.path.realpath(folder)
    kind, longest = "", -1
    for point, type_ in mounts:
        # A later mount hides an earlier one at the same place.
        if len(point) >= longest and (real == point or real.startswith(point.rstrip("/") + "/")):
            kind, longest = type_, len(point)
    kind = kind.lower()
    program = kind.removeprefix("fuse.") if kind.startswith("fuse.") else ""
    is_share = kind in _NETWORK_TYPES or bool(program and program.startswith(_NETWORK_PROGRAMS))
    return kind if is_share else ""


def _windows_share(folder: str) -> str:
    if is_unc(folder):
        return "a UNC path"
    import ctypes

    root = os.path.splitdrive(os.path.realpath(folder))[0] + "\\"
    if is_unc(root):
        return "a UNC path"
    drive_type = ctypes.windll.kernel32.GetDriveTypeW(root)  # type: ignore[attr-defined,unused-ignore]
    return "a mapped drive" if drive_type == _DRIVE_REMOTE else ""


def is_unc(path: str) -> bool:
    r"""Whether a path of Windows names a server: ``\\server\share``, also as ``\\?\UNC\server\share``."""
    slashes = path.replace("/", "\\")
    if slashes.startswith("\\\\?\\"):
        return slashes[4:8].upper() == "UNC\\"
    return slashes.startswith("\\\\") and not slashes.startswith("\\\\.\\")
