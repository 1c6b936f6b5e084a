"""``--fix 2`` is what every report calls Fix 2, and without ``--fix`` the script is that of Fix 1."""

from __future__ import annotations

import re
from html import unescape

import msgspec
import pytest

from auditor.fixes.script import script
from auditor.jobs.fix_scripts import fix_script
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.decision import Fix
from auditor.model.errors import InvalidRequest
from auditor.model.report import Report
from auditor.render import html, markdown, text
from auditor.render.fix_view import FixNumbers
from auditor.snapshot.samples import sample, sample_names

REGIONS = ("trackerrms-uk", "trackerrms-us")
"""Two packs for one app: their fixes are the same but for the addresses of the links."""
BENCHMARKS = ("trackerrms-uk", "cisa-scuba", "cis-m365")


def report_on(name: str, *packs: str) -> Report:
    """The report on a sample by these packs."""
    return build_report(sample(name), chosen_packs(packs))


def in_text(report: Report) -> dict[int, str]:
    """The key of each fix by the number that the text report prints."""
    page = text.render(report, width=400)
    return {int(number): key for number, key in re.findall(r"^ *Fix (\d+)\. .*\(route (\S+)\)$", page, re.MULTILINE)}


def in_html(report: Report) -> dict[int, str]:
    """The same in the HTML report."""
    page = html.render(report)
    found = re.findall(r'id="fix-(\d+)".*?calls this fix <code>([^<]+)</code>', page, re.DOTALL)
    return {int(number): unescape(key) for number, key in found}


def in_markdown(report: Report) -> dict[int, str]:
    """The title of each fix by the number in the Markdown report, which shows neither fix 1 as such nor keys."""
    page = markdown.render(report)
    found = re.findall(r"^(?:- |\*\*)Fix (\d+): (.*?)\.(?:$|\*\*)", page, re.MULTILINE)
    return {int(number): title for number, title in found}


def only(report: Report, number: int, fix: Fix) -> Report:
    """The report with `fix` as its fix of this number and copies with other titles before it."""
    before = tuple(msgspec.structs.replace(fix, title=f"Another fix {one}") for one in range(1, number))
    decision = msgspec.structs.replace(report.decisions[0], fixes=(*before, fix))
    return msgspec.structs.replace(report, decisions=(decision,), findings=())


def scripted(report: Report) -> Fix:
    """A fix that is more than a link."""
    return next(fix for fix in report.decisions[0].fixes if fix.steps.graph)


@pytest.mark.parametrize("name", sample_names())
@pytest.mark.parametrize(
    "packs", [REGIONS[:1], REGIONS, BENCHMARKS], ids=["one pack", "two packs for one app", "an app and a benchmark"]
)
def test_each_fix_has_one_number_in_every_report_and_for_the_script(name: str, packs: tuple[str, ...]) -> None:
    report = report_on(name, *packs)
    numbered = {number: fix.key or fix.route for number, fix in FixNumbers(report).all}
    assert in_text(report) == in_html(report) == numbered
    assert list(numbered) == list(range(1, len(numbered) + 1))
    titles = {number: fix.title.rstrip(".") for number, fix in FixNumbers(report).all}
    assert in_markdown(report).items() <= titles.items()
    for number, fix in FixNumbers(report).all:
        if fix.steps.graph:
            assert fix_script(report, "az", str(number)).text == script(fix, "az", tenant=report.tenant.id)


def test_markdown_numbers_the_alternatives_and_the_fixes_of_rules() -> None:
    report = report_on("managed-default", *BENCHMARKS)
    own = {number for number, fix in FixNumbers(report).all if fix in report.decisions[0].fixes}
    shown = set(in_markdown(report))
    assert shown & own == own - {1}
    assert shown - own


def test_two_packs_for_one_app_share_a_fix_with_an_address_for_each() -> None:
    report = report_on("managed-default", *REGIONS)
    page = text.render(report, width=400)
    assert [page.count(f"For pack {pack}:") for pack in REGIONS] == [2, 2]
    assert page.count("Fix 1. ") == 1


def test_without_a_number_the_script_is_that_of_fix_1() -> None:
    report = report_on("low-unclassified", *REGIONS)
    found = fix_script(only(report, 1, scripted(report)), "powershell")
    assert (found.number, found.title) == (1, scripted(report).title)


@pytest.mark.parametrize("which", ["2", "Fix 2", "fix-2", " FIX 2 "])
def test_a_number_may_be_written_as_the_report_prints_it(which: str) -> None:
    report = report_on("low-unclassified", *REGIONS)
    found = fix_script(only(report, 2, scripted(report)), "az", which)
    assert (found.number, found.title) == (2, scripted(report).title)


@pytest.mark.parametrize("which", ["0", "99", "-1", "R7", "fix", "2.0"])
def test_a_fix_that_the_report_does_not_have_is_refused_with_those_it_has(which: str) -> None:
    report = report_on("low-unclassified", *REGIONS)
    with pytest.raises(InvalidRequest) as refused:
        fix_script(report, "az", which)
    for number, fix in FixNumbers(report).all:
        assert f"  Fix {number} ({fix.key or fix.route}): {fix.title}" in str(refused.value)


def test_a_link_is_refused_with_the_fixes_that_can_be_scripts() -> None:
    report = report_on("low-unclassified", *REGIONS)
    number = next(number for number, fix in FixNumbers(report).all if not fix.steps.graph)
    with pytest.raises(InvalidRequest, match=f"fix {number} can't be written as a script: .* is a link") as refused:
        fix_script(report, "az", str(number))
    assert "(a link to open, not a script)" in str(refused.value)


def test_a_key_that_several_fixes_have_is_refused_with_their_numbers() -> None:
    report = report_on("low-unclassified", *REGIONS)
    fix = scripted(report)
    with pytest.raises(InvalidRequest, match="several fixes are called") as refused:
        fix_script(only(report, 2, fix), "az", fix.key)
    assert str(refused.value).count(f"({fix.key})") == 2


def test_fixes_of_rules_are_numbered_after_those_of_the_answers() -> None:
    report = report_on("low-unclassified", *REGIONS)
    own = msgspec.structs.replace(scripted(report), title="A fix of a rule", key="R5-rule")
    failed = next(one for one in report.findings if one.outcome.value == "fail")
    findings = (msgspec.structs.replace(failed, fixes=(own,)),)
    report = msgspec.structs.replace(only(report, 1, scripted(report)), findings=findings)
    assert fix_script(report, "az", "2").title == "A fix of a rule"
    assert in_text(report)[2] == in_html(report)[2] == "R5-rule"
