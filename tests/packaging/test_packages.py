"""setup.cfg names what is on disk: a package left out would be missing from the wheel without an error."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from auditor.render import FORMATS
from tests.packaging.tree import DATA, ROOT, files_under, setup_cfg, words

REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+")
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)")
EXTRAS_OF = {
    "auditor/history/": ("fleet", "nightly", "postgres"),
    "auditor/jobs/": ("fleet", "keyvault", "nightly"),
    "auditor/notify/": ("nightly",),
}
"""The folders whose modules may import what an extra installs."""
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required(text: str) -> set[str]:
    """The distributions that a list of requirements names."""
    found = (REQUIREMENT.match(line) for line in words(text))
    return {distribution(match[0]) for match in found if match}


def pins(lock: Path) -> dict[str, str]:
    found = (PIN.match(line) for line in lock.read_text(encoding="utf-8").splitlines())
    return {match[1]: match[2] for match in found if match}


def test_every_package_on_disk_is_listed_and_nothing_else_is() -> None:
    on_disk = {str(Path(name).parent).replace("/", ".") for name in files_under("auditor") if name.endswith(".py")}
    listed = words(setup_cfg()["options"]["packages"])
    assert sorted(listed) == sorted(on_disk | {f"auditor.{tree}" for tree in DATA})


def test_every_package_has_an_init() -> None:
    names = {name for name in files_under("auditor") if name.endswith(".py")}
    packages = {Path(name).parent for name in names}
    assert [str(package) for package in packages if (package / "__init__.py").as_posix() not in names] == []


def test_the_data_trees_hold_no_python() -> None:
    assert [name for name in files_under(*DATA) if name.endswith((".py", ".pyi"))] == []


def test_every_import_of_the_program_is_a_declared_requirement() -> None:
    """What only a dependency's dependency brings may be gone with its next release."""
    provided = packages_distributions()
    imported: dict[str, set[str]] = {}
    for name in files_under("auditor"):
        if name.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
                match node:
                    case ast.Import(names=aliases):
                        modules = {alias.name.partition(".")[0] for alias in aliases}
                    case ast.ImportFrom(module=str(module), level=0):
                        modules = {module.partition(".")[0]}
                    case _:
                        continue
                for module in modules - sys.stdlib_module_names - {"auditor"}:
                    imported.setdefault(module, set()).add(name)
    declared = required(setup_cfg()["options"]["install_requires"])
    undeclared = {module for module in imported if declared.isdisjoint(map(distribution, provided.get(module, ())))}
    extras = setup_cfg()["options.extras_require"]
    in_extras = {
        module
        for form in FORMATS.values()
        for module in form.needs
        if distribution(module) in required(extras[form.extra])
    } | {module for module in undeclared if all(_may_import(file, module, provided) for file in imported[module])}
    assert undeclared - in_extras == set()


def _may_import(file: str, module: str, provided: Mapping[str, Sequence[str]]) -> bool:
    """Whether an extra of the folder of a file installs the module."""
    extras = setup_cfg()["options.extras_require"]
    names = next((names for folder, names in EXTRAS_OF.items() if file.startswith(folder)), ())
    return any(required(extras[extra]) & set(map(distribution, provided.get(module, ()))) for extra in names)


def test_the_tests_install_every_extra_of_the_program() -> None:
    extras = setup_cfg()["options.extras_require"]
    (every,) = re.findall(r"consent-auditor\[(.+)\]", extras["all"])
    assert set(every.split(",")) == set(extras) - {"all", "docs", "test", "lint", "mutation", "release"}
    wanted = set().union(*(words(extras[extra]) for extra in every.split(",")))
    assert wanted - set(words(extras["test"])) == set()


def test_every_requirement_is_locked() -> None:
    extras = setup_cfg()["options.extras_require"]
    run = required(setup_cfg()["options"]["install_requires"])
    assert run <= pins(ROOT / "requirements/run.txt").keys()
    assert run | required(extras["test"]) <= pins(ROOT / "requirements/test.txt").keys()
    assert run | required(extras["test"]) | required(extras["lint"]) <= pins(ROOT / "requirements/lint.txt").keys()


def test_the_locks_agree() -> None:
    seen: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in pins(lock).items():
            seen.setdefault(name, set()).add(version)
    assert {name: versions for name, versions in seen.items() if len(versions) > 1} == {}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.name))
def test_a_lock_pins_by_hash_and_names_no_host(lock: Path) -> None:
    entries = re.sub(r"\\\n", "", lock.read_text(encoding="utf-8")).splitlines()
    pinned = [line for line in entries if line.strip() and not line.lstrip().startswith("#")]
    assert pinned
    assert [line for line in pinned if not PIN.match(line) or "--hash=sha256:" not in line] == []
    assert "://" not in lock.read_text(encoding="utf-8")
