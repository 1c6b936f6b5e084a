"""What a release comes with: a wheel with the same bytes wherever it is built, its SBOM, and where it comes from.

    python -m tests.packaging.release wheel|sbom|advisories|all

`make wheel`, `make sbom`, `make advisories` and `make release` run it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import auditor
from tests.packaging.tree import DATA, ROOT, setup_cfg

DIST = ROOT / "dist"
RUN_LOCK = ROOT / "requirements" / "run.txt"
SOURCES = ("auditor", *DATA, "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
NO_COMMIT = 1_764_000_000
"""The time that files of a wheel get where no commit says one (2025-11-24)."""

UNREACHABLE = """\
Not checked: the database of advisories gave no answer for {missing} of {all} packages. That says nothing about them.
Run `make advisories` again where {host} is reachable."""


def copy_sources(to: Path) -> Path:
    """Copy what the wheel is built from: a build leaves folders behind, and the next one would ship them."""
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, to / name)
    return to


def build_wheel(sources: Path, out: Path, epoch: int = NO_COMMIT) -> Path:
    """Build the wheel of `sources` into `out`.

    The bytes depend on the sources, `epoch` (seconds since 1970) and the locked version of setuptools, and on nothing
    else: not on the folder, the files' times or the umask of whoever builds.
    """
    command = (sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", out, sources)
    environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch)}
    done = subprocess.run(
        command, cwd=sources, env=environment, umask=0o022, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"The wheel can't be built:\n{done.stdout}{done.stderr}")
    (built,) = out.glob("*.whl")
    return built


def git(*arguments: str) -> str:
    """What git answers about this checkout, or nothing if this is none."""
    done = subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 and (ROOT / ".git").exists() else ""


def write_wheel() -> Path:
    """Build the wheel twice, in two folders, and put it into dist/ if both have the same bytes."""
    epoch = int(git("log", "-1", "--format=%ct") or NO_COMMIT)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        wheels = [
            build_wheel(copy_sources(Path(place) / "sources"), Path(place) / "out", epoch) for place in (first, second)
        ]
        if wheels[0].read_bytes() != wheels[1].read_bytes():
            raise SystemExit("Two builds of the same sources differ. Compare them with diffoscope before you release.")
        DIST.mkdir(exist_ok=True)
        return Path(shutil.copy(wheels[0], DIST / wheels[0].name))


def write_sbom(folder: Path = DIST, *, validate: bool = True) -> Path:
    """Write the SBOM (CycloneDX 1.6, JSON) of the locked packages that the program runs with into a folder.

    It is checked against the schema of CycloneDX, unless the same one was already.
    """
    folder.mkdir(exist_ok=True)
    out = folder / f"consent-auditor-{auditor.__version__}.cdx.json"
    metadata = setup_cfg()["metadata"]
    project = {
        "name": metadata["name"],
        "version": auditor.__version__,
        "description": metadata["description"],
        "license": metadata["license_expression"],
    }
    with tempfile.TemporaryDirectory() as place:
        # cyclonedx-py reads the name of the program from a pyproject.toml; setup.cfg holds it here.
        described = Path(place) / "pyproject.toml"
        described.write_text("[project]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in project.items()), "utf-8")
        command = (
            "requirements",
            "--output-reproducible",
            "--validate" if validate else "--no-validate",
            "--sv",
            "1.6",
            "--pyproject",
            described,
            "-o",
            out,
        )
        # It warns that nobody says which package needs which: a lock holds them all, and no tree.
        quiet = ("-W", "ignore::UserWarning", "-m", "cyclonedx_py")
        subprocess.run((sys.executable, *quiet, *command, RUN_LOCK), cwd=ROOT, check=True)
    return out


def advisories(answer: Sequence[dict[str, Any]]) -> tuple[int, str]:
    """Read the packages of pip-audit's JSON report: an exit code and what to say.

    pip-audit itself says "No known vulnerabilities found" of packages that it could not look up.
    """
    known = [f"{p['name']} {p['version']}: {v['id']}" for p in answer for v in p.get("vulns", ())]
    missing = [p["name"] for p in answer if "skip_reason" in p]
    lines = []
    if known:
        lines += ["Known vulnerabilities:", *(f"  {line}" for line in known), "Update them: make lock UPGRADE=1"]
    if missing or not answer:
        lines.append(UNREACHABLE.format(missing=len(missing), all=len(answer), host="pypi.org"))
    if not lines:
        lines.append(f"No known vulnerabilities in {len(answer)} packages.")
    return (1 if known else 0), "\n".join(lines)


def check_advisories() -> int:
    """Look up each locked package in the advisories of PyPI, and print what is known.

    Returns 1 for a known vulnerability. An advisory database that can't be reached is said, and the exit code stays 0.
    """
    command = (sys.executable, "-m", "pip_audit", "-r", RUN_LOCK, "--require-hashes", "--disable-pip")
    quiet = ("--progress-spinner", "off", "-f", "json")
    done = subprocess.run((*command, *quiet), cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        reason = (done.stderr.strip().splitlines() or ["no answer"])[-1]
        print(f"Not checked: {reason}\nRun `make advisories` again where pypi.org is reachable.")
        return 0
    code, text = advisories(answer)
    print(text)
    return code


def write_provenance(*files: Path) -> None:
    """Write what the files were built from, and their digests in the form that `sha256sum -c` reads."""
    digests = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    locks = {lock.name: hashlib.sha256(lock.read_bytes()).hexdigest() for lock in sorted(RUN_LOCK.parent.glob("*.txt"))}
    document = {
        "version": auditor.__version__,
        "commit": git("rev-parse", "HEAD") or None,
        "changed_since_commit": bool(git("status", "--porcelain")),
        "python": sys.version.split()[0],
        "locks": locks,
        "files": digests,
    }
    (DIST / "provenance.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")
    (DIST / "SHA256SUMS").write_text("".join(f"{value}  {name}\n" for name, value in digests.items()), "utf-8")


def main(what: str) -> int:
    """Do one of wheel, sbom, advisories and all; returns the exit code."""
    if what == "advisories":
        return check_advisories()
    files = ([write_wheel()] if what != "sbom" else []) + ([write_sbom()] if what != "wheel" else [])
    if what == "all":
        write_provenance(*files)
    for file in files:
        print(file.relative_to(ROOT))
    return check_advisories() if what == "all" else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
