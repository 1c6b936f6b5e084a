"""The installed program, away from the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from tests.limits import HUNG_AFTER

PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-qq")


def succeed(*command: str | Path, cwd: Path) -> None:
    """Run a command that must succeed, and show all that it said when it does not."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@dataclass(frozen=True)
class Installed:
    """The program in a separate environment, away from the repository."""

    place: Path

    @property
    def bin(self) -> Path:
        return self.place / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.bin / ("python.exe" if os.name == "nt" else "python")

    @property
    def packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.place), "platbase": str(self.place)}))

    def run(self, *arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        """What the installed command answers, in a bare environment."""
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP") if name in os.environ}
        return subprocess.run(
            [self.bin / "consent-auditor", *arguments],
            cwd=cwd,
            env={**kept, "HOME": str(cwd), "PYTHONUTF8": "1", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=HUNG_AFTER,
            check=False,
        )


def install(wheel: Path, place: Path) -> Installed:
    """The wheel alone in a new environment, which borrows the dependencies that are installed here.

    They are borrowed as a plain path, whose own .pth files are not read: the checkout that is
    installed here for development stays out of sight.
    """
    succeed(sys.executable, "-m", "venv", "--without-pip", place, cwd=place)
    made = Installed(place)
    succeed(*PIP, "--python", made.python, "install", "--no-index", "--no-deps", wheel, cwd=place)
    (made.packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return made
