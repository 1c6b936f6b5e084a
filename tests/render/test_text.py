"""What the text report promises, whatever the report."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.model.decision import Confidence, Fix, Steps
from auditor.model.report import Report, UnreadPart
from auditor.model.rule import FindingOutcome, Remediation
from auditor.render.text import render
from auditor.render.text_layout import columns, for_encoding
from tests.limits import examples
from tests.render.parts import ADMIN_CONSENT, CONSENT_BY_LINK, finding, report
from tests.render.reports import ALL, depends, hostile, needs_admin, several
from tests.render.strategies import REPORTS
from tests.render.tracker import CONNECT, NEEDS_ADMIN_DECISION

ANSI = re.compile(r"\x1b\[[0-9;]*m")
EVERY = pytest.mark.parametrize("name", list(ALL))
SINGLE = [name for name in ALL if name not in ("several", "hostile")]
arbitrary = settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def fixes(made: Report) -> Iterator[Fix]:
    """Every fix of a report."""
    for decision in made.decisions:
        yield from decision.fixes
    for found in made.findings:
        yield from found.fixes


def verbatim(made: Report) -> set[str]:
    """The lines that must be printed as they are."""
    lines: set[str] = set()
    for fix in fixes(made):
        lines.update(
            line.strip() for text in (fix.steps.powershell, fix.steps.az, fix.undo) for line in text.split("\n")
        )
        lines.update(f"{each.method} {each.url}".strip() for each in (*fix.steps.graph, *fix.undo_graph))
    return lines


def too_wide(made: Report, width: int) -> list[str]:
    """The lines that are wider than they may be."""
    whole = verbatim(made)
    lines = [line for line in render(made, width=width).split("\n") if columns(line) > width]
    return [line for line in lines if " " in line.strip() and line.strip() not in whole and '": ' not in line]


@EVERY
@pytest.mark.parametrize("width", [60, 61, 72, 79, 80, 81, 100, 120, 200])
def test_no_line_is_wider_than_asked_but_for_links_commands_and_bodies(name: str, width: int) -> None:
    assert too_wide(ALL[name](), width) == []


@arbitrary
@given(REPORTS, st.integers(60, 200))
def test_no_line_of_any_report_is_too_wide(made: Report, width: int) -> None:
    assert too_wide(made, width) == []


@arbitrary
@given(REPORTS)
def test_nothing_in_a_report_can_steer_a_terminal(made: Report) -> None:
    text = render(made)
    assert {unicodedata.category(char) for char in text if char != "\n"}.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})


@arbitrary
@given(REPORTS)
def test_colour_changes_nothing_but_colour(made: Report) -> None:
    assert ANSI.sub("", render(made, colour=True)) == render(made)


@EVERY
def test_colour_is_closed_on_the_line_where_it_was_opened(name: str) -> None:
    for line in render(ALL[name](), colour=True).splitlines():
        assert len(re.findall(r"\x1b\[0m", line)) * 2 == len(ANSI.findall(line))


@EVERY
def test_colour_is_used(name: str) -> None:
    assert ANSI.search(render(ALL[name](), colour=True))


@EVERY
def test_the_same_report_gives_the_same_text(name: str) -> None:
    assert render(ALL[name]()) == render(ALL[name]())


@pytest.mark.parametrize("name", SINGLE)
def test_the_answer_stands_on_a_screen_of_24_lines(name: str) -> None:
    text = render(ALL[name]())
    first_screen = re.split(r"\n\n.*\n-{10,}\n", text)[0]
    assert first_screen.count("\n") < 24


@EVERY
def test_lines_are_tidy(name: str) -> None:
    text = render(ALL[name]())
    assert not re.search(r"[ \t]\n", text)
    assert "\n\n\n" not in text
    assert text.endswith(".\n")
    assert ".." not in text.replace("...", "")


@EVERY
def test_numbers_and_nouns_agree(name: str) -> None:
    text = render(ALL[name]())
    assert not re.search(r"\b1 (rules|scopes|fixes|apps|users)\b|\b[02-9] (rule|scope|fix|app|user)\b", text)


def test_a_link_stands_alone_and_whole() -> None:
    lines = [line.strip() for line in render(needs_admin(), width=60).splitlines()]
    assert lines.count(ADMIN_CONSENT) == 2, "on the first screen and at the fix, nowhere else"
    assert not [line for line in lines if ADMIN_CONSENT in line and line != ADMIN_CONSENT]


def test_a_very_long_link_is_still_whole() -> None:
    link = ADMIN_CONSENT + "&state=" + "x" * 5000
    decision = msgspec.structs.replace(
        NEEDS_ADMIN_DECISION, fixes=(msgspec.structs.replace(CONSENT_BY_LINK, link=link),)
    )
    assert link in [line.strip() for line in render(report(decision)).splitlines()]


def test_a_hostile_name_cannot_forge_an_answer() -> None:
    lines = render(hostile()).splitlines()
    assert [line.strip() for line in lines if line.strip().startswith(">> ")] == [">> NEEDS ADMIN"]


def test_a_fix_is_printed_once_and_named_afterwards() -> None:
    text = render(several())
    assert text.count("Fix 1. ") == 1
    assert text.count("In the portal:") == 1
    assert "Fixed by    Fix 1 or 2." in text


def test_advice_that_was_given_is_named_not_repeated() -> None:
    text = render(needs_admin())
    assert text.count("1. Open the admin consent link as a Cloud Application Administrator.") == 1
    assert "Steps       The same as for rule users-can-connect, above." in text


def test_advice_without_a_link_does_not_point_at_another() -> None:
    first = msgspec.structs.replace(CONNECT, rule="one", fixes=(), remediation=Remediation(portal=("Do this.",)))
    second = msgspec.structs.replace(CONNECT, rule="two", fixes=(), remediation=Remediation(portal=("Do that.",)))
    text = render(report(findings=(first, second)))
    assert "1. Do this." in text
    assert "1. Do that." in text
    assert "Address" not in text


def test_a_path_to_click_along_is_one_line_of_its_own() -> None:
    path = ("Entra ID", "Enterprise apps", "TrackerRMS", "Permissions")
    one = msgspec.structs.replace(CONNECT, fixes=(), remediation=Remediation(portal=path))
    text = render(report(findings=(one,)))
    assert "Portal      Entra ID > Enterprise apps > TrackerRMS > Permissions." in text
    assert "In the portal: Entra ID > Enterprise apps > TrackerRMS > Permissions." in text


def test_what_a_fix_opens_is_said_in_words_summary_first_and_the_scopes_by_name_are_left_to_json() -> None:
    opens = {"by_class": {"own": {"opened": ["a"]}}, "weight": 3, "notes": ["one note"], "summary": "Mail for one app"}
    fix = msgspec.structs.replace(CONSENT_BY_LINK, opens=opens)
    text = render(report(msgspec.structs.replace(NEEDS_ADMIN_DECISION, fixes=(fix,))))
    assert "    Opens       Mail for one app.\n                One note.\n    Expect" in text


def test_a_here_string_can_be_pasted_as_it_is_printed() -> None:
    script = "$body = @'\n{\"isEnabled\": true}\n'@\nInvoke-MgGraphRequest -Body $body"
    fix = msgspec.structs.replace(CONSENT_BY_LINK, steps=Steps(powershell=script))
    text = render(report(msgspec.structs.replace(NEEDS_ADMIN_DECISION, fixes=(fix,))))
    assert f"\n{script}\n" in text


def test_what_could_not_be_read_names_its_permission_and_its_price() -> None:
    text = render(depends())
    assert "Allowed by  DelegatedPermissionGrant.Read.All or Directory.Read.All" in text
    assert "Unknown     Which scopes were granted already" in text
    assert "Request ID  0a8d1f60-33c1-4b0e-9d5f-6c4b2f1a7e11" in text


def test_a_caveat_shows_in_the_answer_itself() -> None:
    likely = msgspec.structs.replace(
        NEEDS_ADMIN_DECISION, confidence=Confidence.LIKELY, caveats=("one", "two", "three is the last")
    )
    text = render(report(likely))
    assert ">> NEEDS ADMIN (likely)" in text
    assert "Likely, not certain. One. (2 more below.)" in text
    assert "Caveats     Two.\n              Three is the last." in text


def test_a_width_under_the_narrowest_is_not_obeyed() -> None:
    assert render(needs_admin(), width=10) == render(needs_admin(), width=60)


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "cp437", "utf-8", None])
def test_a_report_survives_a_console_of_another_encoding(encoding: str | None) -> None:
    text = render(ALL["wide"]())
    shown = for_encoding(text, encoding)
    assert shown.encode(encoding or "utf-8")
    assert shown.isascii() or encoding in ("utf-8", None)


def test_the_reports_own_words_and_marks_are_ascii() -> None:
    assert render(needs_admin()).isascii()


def test_where_no_consent_can_help_the_first_thing_to_do_is_the_advice_and_not_a_link_to_consent() -> None:
    advice = ("No consent can help: contact the vendor",)
    text = render(report(msgspec.structs.replace(NEEDS_ADMIN_DECISION, fixes=(), advice=advice)))
    first = text[text.index("First thing to do:") :].splitlines()[1]
    assert first.strip() == "No consent can help: contact the vendor."


@pytest.mark.parametrize(
    ("unread", "more"),
    [
        pytest.param((UnreadPart(section="oauth2PermissionGrants", status=500),), True, id="data could not be read"),
        pytest.param((), False, id="data was read"),
    ],
)
def test_rules_that_were_not_decided_leave_something_to_do(unread: tuple[UnreadPart, ...], more: bool) -> None:
    undecided = finding("WIDE", "No wide grants", FindingOutcome.UNKNOWN, "grants could not be read")
    text = " ".join(render(report(findings=(undecided,), unread=unread)).split())
    assert "Nothing." not in text
    assert "First thing to do: No rule failed, but 1 rule could not be decided: see the reason" in text
    assert ("Read the tenant again to get the data" in text) is more


def test_rules_that_all_passed_leave_nothing_to_do() -> None:
    passed = finding("WIDE", "No wide grants", FindingOutcome.PASS, "there are none")
    assert "First thing to do: Nothing." in " ".join(render(report(findings=(passed,))).split())
