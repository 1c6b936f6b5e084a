"""The wheel holds the repository's program and data, no more and no less, and works where nothing else is."""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import auditor
from tests.packaging.environment import PIP, Installed, succeed
from tests.packaging.tree import DATA, UNSHIPPED, files_under


def contents(wheel: Path) -> set[str]:
    """The wheel's files, without the installer's own."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}


def test_the_wheel_holds_what_the_repository_holds(wheel: Path) -> None:
    program = files_under("auditor")
    data = {f"auditor/{name}" for name in files_under(*DATA) - UNSHIPPED}
    assert sorted(contents(wheel)) == sorted(program | data)


def test_nothing_but_the_program_lands_at_the_top_of_site_packages(wheel: Path) -> None:
    assert {name.partition("/")[0] for name in contents(wheel)} == {"auditor"}


def test_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "auditor/py.typed" in contents(wheel)


def test_the_wheel_carries_the_license(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        assert [name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE")]


def test_a_wheel_made_from_the_sdist_is_the_same(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):  # Python 3.11.2, which is Debian's, knows no filters yet
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(tmp_path)
    (unpacked,) = tmp_path.iterdir()
    out = tmp_path / "out"
    succeed(*PIP, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "-w", out, unpacked, cwd=tmp_path)
    (again,) = out.glob("*.whl")
    assert contents(again) == contents(wheel)


def test_the_installed_program_is_the_wheel_and_not_this_checkout(installed: Installed, tmp_path: Path) -> None:
    said = installed.run("--version", cwd=tmp_path)
    assert (said.returncode, said.stderr) == (0, "")
    assert auditor.__version__ in said.stdout
    assert (installed.packages / "auditor" / "cli").is_dir()
    assert not [tree for tree in DATA if (installed.packages / tree).exists()]


def test_the_installed_program_audits_from_any_folder(installed: Installed, tmp_path: Path) -> None:
    said = installed.run("check", "--sample", "managed-default", "--pack", "trackerrms-uk", cwd=tmp_path)
    assert said.returncode == 1, said.stderr
    assert "TrackerRMS" in said.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="a folder cannot lose write permission there")
def test_the_installed_program_needs_no_home(installed: Installed, tmp_path: Path) -> None:
    said = installed.run("packs", "list", cwd=tmp_path, HOME="/nonexistent")
    assert said.returncode == 0, said.stderr
    assert "trackerrms-uk" in said.stdout
