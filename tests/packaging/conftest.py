"""One wheel, and one environment with that wheel in it, for all tests that ask."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.packaging.environment import Installed, install, succeed
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
    return install(wheel, tmp_path_factory.mktemp("environment"))
