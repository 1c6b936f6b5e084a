"""What a command may load. Start-up time is mostly imports, and it grows one convenient import at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.graph.live_tenants import tenant
from tests.graphserver import GraphServer
from tests.limits import HUNG_AFTER
from tests.packaging.tree import ROOT

# Speaking to Microsoft, and what that brings along: half a second.
LIVE = {
    "aiohttp", "azure", "certifi", "cryptography", "h2", "httpcore", "httpx", "jwt", "msal", "opentelemetry",
    "kiota_abstractions", "kiota_authentication_azure", "kiota_http", "msgraph", "msgraph_core", "requests", "urllib3",
}  # fmt: skip
# What only a terminal with progress bars or another format than text needs.
ADORNMENT = {"jinja2", "markdown_it", "pygments", "rich"}
# What only a nightly run needs.
NIGHTLY = {
    "alembic", "apprise", "platformdirs", "psycopg", "sqlalchemy",
    "auditor.compare", "auditor.history", "auditor.notify",
}  # fmt: skip
# Standard library that costs 10 ms and more together with what it loads itself.
HEAVY = {"asyncio", "multiprocessing", "sqlite3", "ssl", "unittest", "xml"}
# Evaluating and writing reports need these; help does not.
WORK = {
    "auditor.checks", "auditor.consent", "auditor.fixes", "auditor.graph", "auditor.jobs", "auditor.render.text",
    "tabulate", "yaml",
}  # fmt: skip
# What only YAML files and text in other letters than Latin ones need; tabulate brings importlib.metadata.
RARE = {"importlib.metadata", "tabulate", "wcwidth", "yaml"}
# The nouns, and what they consist of: a command's own help may name a cloud or a severity.
NOUNS = {"auditor.facts", "auditor.model.report", "auditor.model.rule", "auditor.model.snapshot", "msgspec"}
# How many of our own modules a run may load.
FEW_FOR_HELP, FEW_FOR_CHECK = 10, 70

HELP = (["--help"], ["--version"])
VERB_HELP = (*([verb, "--help"] for verb in ("check", "collect", "nightly", "packs")), ["nightly", "run", "--help"])
CHECK = ["check", "--sample", "managed-default", "--pack", "trackerrms-uk"]
OFFLINE = (CHECK, [*CHECK, "-f", "json"], ["packs", "list"])


RECORD = """
import atexit, pathlib, sys
atexit.register(lambda: pathlib.Path("modules").write_text(chr(10).join(filter(sys.modules.get, sys.modules))))
from auditor.cli.program import main
main()
"""


def loaded(arguments: list[str], folder: Path, **environment: str) -> set[str]:
    """Every module that one run of the command imported, also those that it imports by name while it runs."""
    done = subprocess.run(
        [sys.executable, "-c", RECORD, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=HUNG_AFTER,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    modules = set((folder / "modules").read_text().split())
    assert "auditor.cli" in modules
    return modules


def within(modules: set[str], roots: set[str]) -> set[str]:
    """Those of `modules` that are, or are inside, one of `roots`."""
    return {name for name in modules if any(name == root or name.startswith(f"{root}.") for root in roots)}


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_and_version_load_no_library_and_no_types_of_the_model(arguments: list[str], tmp_path: Path) -> None:
    assert within(loaded(arguments, tmp_path), LIVE | NIGHTLY | ADORNMENT | HEAVY | WORK | NOUNS) == set()


@pytest.mark.parametrize("arguments", VERB_HELP, ids=" ".join)
def test_help_of_a_command_loads_nothing_that_evaluates(arguments: list[str], tmp_path: Path) -> None:
    assert within(loaded(arguments, tmp_path), LIVE | NIGHTLY | ADORNMENT | HEAVY | WORK) == set()


@pytest.mark.parametrize("arguments", OFFLINE, ids=" ".join)
def test_an_offline_command_loads_nothing_that_connects_to_microsoft(arguments: list[str], tmp_path: Path) -> None:
    assert within(loaded(arguments, tmp_path), LIVE | NIGHTLY | ADORNMENT | HEAVY) == set()


@pytest.mark.parametrize("arguments", HELP, ids=" ".join)
def test_help_loads_at_most_ten_modules_of_ours(arguments: list[str], tmp_path: Path) -> None:
    assert len(within(loaded(arguments, tmp_path), {"auditor"})) <= FEW_FOR_HELP


def test_an_offline_check_loads_no_library_that_its_input_does_not_need(tmp_path: Path) -> None:
    assert within(loaded(CHECK, tmp_path), RARE) == set()


def test_an_offline_check_loads_few_modules_of_ours(tmp_path: Path) -> None:
    ours = within(loaded(CHECK, tmp_path), {"auditor"})
    assert len(ours) <= FEW_FOR_CHECK, sorted(ours)


def test_a_live_check_loads_no_part_of_a_library_that_it_never_uses(tmp_path: Path) -> None:
    """httpx imports a command line with rich and pygments where they are installed, and httpcore HTTP/2."""
    with GraphServer(tenant()) as server:
        addresses = ["--authority-host", server.authority, "--graph-endpoint", server.graph]
        modules = loaded(["check", "--pack", "trackerrms-uk", *addresses], tmp_path, **server.env())
    assert {"httpx", "msgraph.graph_service_client"} <= modules
    assert within(modules, NIGHTLY | {"h2", "pygments", "rich", "msgraph.generated.models"}) == set()


def test_the_generated_models_are_imported_nowhere() -> None:
    """Importing them costs more than a whole audit; the builders that address Graph import them lazily."""
    reached = subprocess.run(
        [sys.executable, "-c", "import sys, auditor.graph; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=HUNG_AFTER,
        check=True,
    )
    assert within(set(reached.stdout.split()), {"msgraph.generated.models"}) == set()
