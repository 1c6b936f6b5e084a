"""One wheel, and one environment with that wheel in it, for all tests that ask."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.packaging.environment import PIP, Installed, succeed
from tests.packaging.release import build_wheel, copy_sources


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built from."""
    return copy_sources(tmp_path_factory.mktemp("sources"))


@pytest.fixture(scope="session")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(sources, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sdist")
    succeed(sys.executable, "-m", "build", "--no-isolation", "--sdist", "--outdir", out, cwd=sources)
    (built,) = out.glob("*.tar.gz")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel alone in a new environment, which borrows the dependencies that are installed here.

    They are borrowed as a plain path, whose own .pth files are not read: the checkout that is
    installed here for development stays out of sight.
    """
    place = tmp_path_factory.mktemp("environment")
    succeed(sys.executable, "-m", "venv", "--without-pip", place, cwd=place)
    made = Installed(place)
    python = made.bin / ("python.exe" if os.name == "nt" else "python")
    succeed(*PIP, "--python", python, "install", "--no-index", "--no-deps", wheel, cwd=place)
    (made.packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return made
