"""``check --waivers``, as the installed command answers it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.program import run, scrubbed
from tests.golden import check_section

GOLDEN = Path(__file__).parent / "golden/waivers.txt"
CHECK = ("check", "--sample", "managed-default", "--pack", "cisa-scuba")
WAIVERS = """\
format: consent-auditor/waivers
format-version: 1
waivers:
  - {rule: MS.AAD.5.1v1, reason: for the project, owner: Anna, expires: "2027-03-31", ticket: SEC-12}
  - {rule: MS.AAD.5.2v1, reason: until the migration, owner: Ben, expires: "2026-11-21"}
  - {rule: MS.AAD.5.9v1, reason: a typo, owner: Ben, expires: "2027-03-31"}
"""


def test_waived_expired_and_unused_are_distinguished(tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(WAIVERS)
    done = run(*CHECK, "--waivers", "waivers.yaml", "--details", cwd=tmp_path, env={"NO_COLOR": "1"})
    assert done.code == 1
    check_section(GOLDEN, "report", scrubbed(done.out))


def test_a_file_of_the_environment_counts_and_its_digest_is_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(WAIVERS)
    done = run(*CHECK, "-f", "json", cwd=tmp_path, env={"CONSENT_AUDITOR_WAIVERS": "waivers.yaml"})
    report = json.loads(done.out)
    assert report["summary"]["waived"] == 1
    (file,) = report["waivers"]
    assert (file["name"], file["count"], len(file["digest"])) == ("waivers.yaml", 3, 64)


def test_the_exit_code_does_not_count_what_is_waived(tmp_path: Path) -> None:
    rules = "".join(
        f'  - {{rule: {rule}, reason: r, owner: o, expires: "2027-01-01"}}\n'
        for rule in ("MS.AAD.5.1v1", "MS.AAD.5.2v1", "MS.AAD.5.3v1")
    )
    (tmp_path / "all.yaml").write_text(f"format: consent-auditor/waivers\nformat-version: 1\nwaivers:\n{rules}")
    assert run(*CHECK, cwd=tmp_path).code == 1
    assert run(*CHECK, "--waivers", "all.yaml", cwd=tmp_path).code == 0


def test_mistakes_are_reported_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "waivers.yaml").write_text(
        WAIVERS.replace("owner: Anna", "onwer: Anna").replace('"2026-11-21"', "soon")
    )
    done = run("check", "--pack", "cisa-scuba", "--waivers", "waivers.yaml", "--waivers", "none.yaml", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    check_section(GOLDEN, "mistakes", done.session)
