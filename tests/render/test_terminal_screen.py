"""The screen of a check at three widths, compared character by character, and what every screen promises."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from auditor.jobs.audit import exit_code
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.model.snapshot import Unread
from auditor.packs.load import shipped_names
from auditor.render.labels import plain_reason
from auditor.render.terminal_screen import ending, exit_meaning, render, verdict
from auditor.render.text_layout import columns
from auditor.snapshot.samples import sample, sample_names
from tests.golden import check_golden
from tests.render.reports import ALL

GOLDEN = Path(__file__).parent / "golden_screens"
WIDTHS = (120, 80, 40)
VENDOR = ("trackerrms-uk",)
EVERY = tuple(name for name in shipped_names() if name not in ("vendor-app", "trackerrms"))
BENCHMARKS = tuple(name for name in EVERY if not name.startswith("trackerrms"))
REFUSED = Unread(status=403, code="Authorization_RequestDenied", needs=("Policy.Read.All",))


def audited(name: str, packs: tuple[str, ...], source: str = "") -> Report:
    return build_report(sample(name), chosen_packs(packs), source=source or f"sample {name} (bundled, no real tenant)")


def live_with_unread() -> Report:
    """A tenant whose settings the app of the audit may not read."""
    whole = sample("managed-default")
    sections = msgspec.structs.replace(
        whole.sections, authorizationPolicy=None, adminConsentRequestPolicy=None, permissionGrantPolicies=None
    )
    refused = msgspec.structs.replace(REFUSED, needs=("Policy.Read.PermissionGrant",))
    unread = {
        "authorizationPolicy": REFUSED,
        "adminConsentRequestPolicy": REFUSED,
        "permissionGrantPolicies": refused,
    }
    snapshot = msgspec.structs.replace(whole, sections=sections, unread=unread)
    return build_report(snapshot, chosen_packs(VENDOR), source="live tenant, client credential")


CASES: dict[str, Callable[[], Report]] = {
    "failing": lambda: audited("managed-default", VENDOR),
    "passing": lambda: audited("admin-consented", VENDOR),
    "unknown": lambda: audited("unreadable-policies", VENDOR),
    "no-app": lambda: audited("managed-default", BENCHMARKS),
    "every-pack": lambda: audited("consent-off", EVERY),
    "live-with-unread": live_with_unread,
    "several-answers": ALL["several"],
    "hostile-names": ALL["hostile"],
}


def screen_of(report: Report, width: int) -> str:
    code = exit_code(report, fail_on="medium", strict=False)
    return f"{render(report, width=width)}{ending(report, code, 'medium', width=width)}"


@pytest.mark.parametrize("width", WIDTHS, ids=lambda width: f"{width} columns")
@pytest.mark.parametrize("name", CASES)
def test_the_screen_is_as_it_was_read_and_approved(name: str, width: int) -> None:
    check_golden(GOLDEN / f"{name}.{width}.txt", screen_of(CASES[name](), width))


def test_there_is_no_golden_screen_without_its_case() -> None:
    assert {f"{name}.{width}.txt" for name in CASES for width in WIDTHS} == {path.name for path in GOLDEN.iterdir()}


@pytest.mark.parametrize("name", sample_names())
def test_a_vendor_check_takes_about_one_screen(name: str) -> None:
    """Lines of a terminal with 80 columns, on which the link of a fix takes several."""
    lines = screen_of(audited(name, VENDOR), 80).splitlines()
    assert sum(max(1, -(-columns(line) // 80)) for line in lines) <= 40
    assert len(lines) <= 34


@pytest.mark.parametrize("width", WIDTHS, ids=lambda width: f"{width} columns")
@pytest.mark.parametrize("name", ALL)
def test_only_links_are_wider_than_the_terminal(name: str, width: int) -> None:
    wide = [line for line in screen_of(ALL[name](), width).splitlines() if columns(line) > width]
    assert [line for line in wide if "https://" not in line] == []


@pytest.mark.parametrize("name", CASES)
def test_the_last_lines_are_the_verdict_and_the_exit_code(name: str) -> None:
    report = CASES[name]()
    code = exit_code(report, fail_on="medium", strict=False)
    lines = " ".join(ending(report, code, "medium").split())
    assert lines.endswith(f"{' '.join(verdict(report).split())} {exit_meaning(code, 'medium')}")


@pytest.mark.parametrize("name", ALL)
def test_colour_adds_only_colour(name: str) -> None:
    report = ALL[name]()
    painted = render(report, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", painted) == render(report)


@pytest.mark.parametrize(
    ("code", "fail_on", "meaning"),
    [
        pytest.param(0, "medium", "Exit code 0: no check of severity medium or higher fails.", id="nothing fails"),
        pytest.param(0, "never", "Exit code 0: --fail-on never ignores failures.", id="failures are ignored"),
        pytest.param(1, "high", "Exit code 1: a check of severity high or higher fails.", id="something fails"),
        pytest.param(1, "critical", "Exit code 1: a check of severity critical fails.", id="nothing is higher"),
        pytest.param(4, "low", "Exit code 4: a verdict is unknown, because data is missing.", id="unknown"),
    ],
)
def test_the_exit_code_is_explained(code: int, fail_on: str, meaning: str) -> None:
    assert exit_meaning(code, fail_on) == meaning


@pytest.mark.parametrize("name", sample_names())
def test_the_plain_reason_names_no_id_of_a_policy_and_no_scope_that_administrators_must_approve(name: str) -> None:
    (decision,) = audited(name, VENDOR).decisions
    reason = plain_reason(decision)
    assert reason.endswith(".")
    assert "microsoft-user-default" not in reason
    assert decision.outcome.connects or not re.search(r"[A-Z][a-z]+\.[A-Z]", reason)
