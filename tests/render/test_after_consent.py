"""Every format that people read says what can stop users after consent, and no policy's name becomes markup."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

import auditor
from auditor.model.decision import Access
from auditor.model.report import Report
from auditor.render import csv, json, markdown, text
from auditor.render.after_consent_view import AFTER_CONSENT, policy_lines
from auditor.render.html import render as html
from auditor.render.sheets import sheets
from auditor.snapshot.samples import patched, sample

NAMES = (
    "CA010: Managed devices for Microsoft 365",
    "CA011: Block access from other countries",
    "CA001: Require multifactor authentication for all users",
    "CA020: Phishing-resistant sign-in for all users",
)
READERS: dict[str, Callable[[Report], str]] = {
    "text": lambda report: " ".join(text.render(report, width=300).split()),
    "Markdown": markdown.render,
    "HTML": html,
    "CSV": lambda report: csv.render(report).decode(),
    "JSON": lambda report: bytes(json.render(report)).decode(),
}


def audited(name: str = "conditional-access", user: str = "") -> Report:
    return auditor.check(auditor.sample(name), auditor.load_packs(["trackerrms-uk"]), user=user)


@pytest.mark.parametrize("name", READERS)
def test_every_format_names_the_policies_their_codes_and_what_was_not_checked(name: str) -> None:
    shown = READERS[name](audited())
    for policy in NAMES:
        assert policy in shown
    assert "AADSTS53000" in shown
    assert "EwsApplicationAccessPolicy" in shown
    assert "CA002" not in shown, "a policy on legacy authentication doesn't apply"


@pytest.mark.parametrize("name", ["text", "Markdown", "HTML"])
def test_a_page_has_the_section_and_the_answer_mentions_what_stops_users(name: str) -> None:
    shown = READERS[name](audited())
    assert AFTER_CONSENT in shown
    assert "Afterwards" in shown
    assert "Nothing about consent." in shown
    assert "Afterwards" not in READERS[name](audited("admin-consented"))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_section_keeps_within_the_width(width: int) -> None:
    section = text.render(audited(), width=width).partition(AFTER_CONSENT)[2].partition("Findings: ")[0]
    assert section
    assert max(map(len, section.splitlines())) <= width


def test_each_policy_has_one_word() -> None:
    (one,) = audited().after_consent
    assert [line.word for line in policy_lines(one)] == ["stops", "may stop", "asks", "reports"]
    assert "Users would see" in policy_lines(one)[-1].text


def test_policies_that_were_not_read_are_unknown_in_every_format() -> None:
    snapshot = patched(sample("conditional-access"), {"conditionalAccessPolicies": None})
    report = auditor.check(snapshot, auditor.load_packs(["trackerrms-uk"]))
    assert [one.access for one in report.after_consent] == [Access.UNKNOWN]
    for name, reader in READERS.items():
        words = "conditionalAccessPolicies was" if name == "JSON" else "the Conditional Access policies were"
        assert f"{words} not read" in reader(report).replace("`", "").replace("\\", "").replace("The C", "the C")


def test_a_name_never_becomes_markup() -> None:
    evil = '<img src=x onerror=alert(1)> **bold** [x](https://evil.example) =HYPERLINK("x")'
    policies = msgspec.to_builtins(sample("conditional-access").sections.conditionalAccessPolicies)
    policies[2]["displayName"] = evil
    snapshot = patched(sample("conditional-access"), {"conditionalAccessPolicies": policies})
    report = auditor.check(snapshot, auditor.load_packs(["trackerrms-uk"]))
    assert "<img" not in html(report)
    shown = markdown.render(report)
    assert "**bold**" not in shown
    assert shown.count("](https") == shown.count("[`x](https://evil.example`)") > 0, "an address is shown as code"


def test_equal_answers_of_two_packs_are_said_once() -> None:
    packs = auditor.load_packs(["trackerrms-uk", "trackerrms-us"])
    assert len(auditor.check(auditor.sample("conditional-access"), packs).after_consent) == 1


def test_a_sheet_has_a_row_for_each_fact() -> None:
    table = next(sheet for sheet in sheets(audited()) if sheet.name == "After consent")
    assert [row[3] for row in table.rows] == [
        "Conditional Access",
        *["Conditional Access policy"] * 4,
        *["Not checked"] * 2,
    ]
