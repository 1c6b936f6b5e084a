"""One wheel, and one environment with that wheel in it, for all tests that ask."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.packaging.environment import PIP, Installed, succeed
from tests.packaging.tree import DATA, ROOT

SOURCES = ("auditor", *DATA, "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what is built from: a build leaves folders behind, and the next one would ship them."""
    copy = tmp_path_factory.mktemp("sources")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def wheel(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    succeed(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, cwd=sources)
    (built,) = out.glob("*.whl")
    return built


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
