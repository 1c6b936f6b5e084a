"""The Containerfile: by hadolint, its scripts by ShellCheck, and what it copies and installs."""

from __future__ import annotations

import json
import re

from tests.deploy.files import DEPLOY, ROOT, run, tool
from tests.packaging.test_packages import distribution, required
from tests.packaging.tree import setup_cfg

CONTAINERFILE = DEPLOY / "Containerfile"


def instructions() -> list[tuple[str, str]]:
    """The instructions with their arguments, without comments and line breaks."""
    lines = [line for line in CONTAINERFILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    pairs = (line.split(None, 1) for line in joined.splitlines() if line.strip())
    return [(name, arguments) for name, arguments in pairs]


def last(name: str) -> str:
    """The arguments of the last instruction with this name."""
    return [arguments for found, arguments in instructions() if found == name][-1]


def test_hadolint_finds_nothing() -> None:
    done = run(tool("hadolint"), "--no-color", CONTAINERFILE)
    assert (done.returncode, done.stdout) == (0, "")


def test_everything_that_is_copied_exists_and_nothing_else_is_in_the_image() -> None:
    copied = [
        word for name, text in instructions() if name == "COPY" and "--from" not in text for word in text.split()[:-1]
    ]
    assert all((ROOT / path).exists() for path in copied)
    assert {"auditor", "rules", "reports", "setup.cfg"} <= set(copied)
    assert not {".", "tests", "docs"} & set(copied)


def test_every_install_checks_hashes_or_needs_no_network() -> None:
    installs = [
        command
        for name, text in instructions()
        if name == "RUN"
        for command in text.split("&&")
        if re.search(r"pip\S* .*\b(install|wheel)\b", command)
    ]
    assert len(installs) == 4
    assert all("--require-hashes --only-binary :all:" in one or "--no-index --no-deps" in one for one in installs)


def test_the_lock_of_the_image_has_what_nights_need() -> None:
    extras = setup_cfg()["options.extras_require"]
    needed = required(setup_cfg()["options"]["install_requires"])
    for extra in ("nightly", "postgres", "keyvault", "xlsx"):
        needed |= required(extras[extra])
    text = (ROOT / "requirements/image.txt").read_text(encoding="utf-8")
    locked = {distribution(name) for name in re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", text, re.MULTILINE)}
    assert needed <= locked


def test_the_image_runs_as_an_ordinary_user_on_a_read_only_file_system() -> None:
    assert last("USER") == "65532:65532"
    assert "PYTHONDONTWRITEBYTECODE=1" in last("ENV")
    assert last("VOLUME") == "/var/lib/consent-auditor"
    assert "compileall -q --invalidation-mode unchecked-hash" in CONTAINERFILE.read_text(encoding="utf-8")


def test_the_image_contains_its_sbom() -> None:
    assert "cyclonedx-py environment" in CONTAINERFILE.read_text(encoding="utf-8")
    assert 'sbom="/opt/consent-auditor/sbom.cdx.json"' in last("LABEL")


def test_the_image_runs_the_program() -> None:
    assert json.loads(last("ENTRYPOINT")) == ["consent-auditor"]
    assert json.loads(last("CMD"))[:2] == ["nightly", "run"]
