"""Times, counts and sentences."""

from __future__ import annotations

import pytest

import auditor
from auditor.model.decision import Outcome, Verdict
from auditor.model.document import count, sentence, series
from auditor.model.report import Summary
from auditor.model.rule import FindingOutcome
from auditor.model.sections import SECTIONS, Sections
from auditor.render.labels import (
    FINDINGS,
    OUTCOMES,
    VERDICTS,
    counts,
    error_code,
    outcome_meaning,
    readable_time,
    resource_label,
    with_data_names,
)


def test_there_is_a_word_for_every_outcome_verdict_and_section() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(VERDICTS) == set(Verdict)
    assert set(FINDINGS) == set(FindingOutcome)
    assert {name for name in Sections.__struct_fields__ if not SECTIONS[name].label} == {"absentServicePrincipals"}


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        pytest.param("2026-11-22T02:00:00Z", "2026-11-22 02:00 UTC", id="UTC"),
        pytest.param("2026-11-22T02:00:59.123Z", "2026-11-22 02:00 UTC", id="fractions of a second"),
        pytest.param("2026-11-22T04:30:00+02:30", "2026-11-22 02:00 UTC", id="another time zone"),
        pytest.param("2026-11-22T02:00:00", "2026-11-22 02:00 UTC", id="no time zone"),
        pytest.param("yesterday", "yesterday", id="no time"),
        pytest.param("", "not recorded", id="empty"),
        pytest.param("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00+23:59", id="too early to convert"),
    ],
)
def test_times_are_utc(taken: str, said: str) -> None:
    assert readable_time(taken) == said


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        pytest.param(Summary(answer=""), "No rules were applied", id="no rules"),
        pytest.param(Summary(answer="", failed=1), "1 rule: 1 failed", id="one failure"),
        pytest.param(
            Summary(answer="", failed=3, passed=5, not_applicable=1),
            "9 rules: 3 failed, 5 passed, 1 not applicable",
            id="several outcomes",
        ),
        pytest.param(Summary(answer="", unknown=1, waived=1), "2 rules: 1 unknown, 1 waived", id="no failures"),
    ],
)
def test_counts(summary: Summary, said: str) -> None:
    assert counts(summary) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("users may not consent", "Users may not consent.", id="starts with a word"),
        pytest.param("openid is excluded", "openid is excluded.", id="starts with a scope"),
        pytest.param("offline_access is excluded.", "offline_access is excluded.", id="has a full stop"),
        pytest.param(
            "microsoft-user-default-low says so", "microsoft-user-default-low says so.", id="starts with a policy"
        ),
        pytest.param("必要です。", "必要です。", id="Japanese"),
        pytest.param("", "", id="empty"),
    ],
)
def test_a_sentence_starts_and_ends_as_one_but_names_keep_their_letters(text: str, said: str) -> None:
    assert sentence(text) == said


def test_small_words() -> None:
    assert [count(number, "rule") for number in (0, 1, 2)] == ["0 rules", "1 rule", "2 rules"]
    assert [series(("a", "b", "c")[:size]) for size in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert [error_code(text) for text in ("", "0", "90094", "AADSTS1 or AADSTS2")] == [
        "",
        "",
        "AADSTS90094",
        "AADSTS1 or AADSTS2",
    ]
    assert outcome_meaning("an-outcome-of-tomorrow") == "an-outcome-of-tomorrow"
    assert resource_label("00000003-0000-0000-C000-000000000000", "Microsoft Graph") == "Graph"
    assert [resource_label("x", "Contoso API"), resource_label("x", "")] == ["Contoso API", "x"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(
            "permissionGrantPolicies could not be read (needs Policy.Read.All)",
            "the consent policies could not be read (needs Policy.Read.All)",
            id="refused",
        ),
        pytest.param(
            "appRoleAssignedTo of Microsoft Graph was not read",
            "the application permissions that apps hold on Microsoft Graph were not read",
            id="of an API",
        ),
        pytest.param(
            "appRoleAssignedTo of TrackerRMS was not read",
            "the users and groups assigned to TrackerRMS were not read",
            id="of an app",
        ),
        pytest.param("signIns was not read", "the sign-in log was not read", id="one thing"),
        pytest.param(
            "only part of servicePrincipals was read (3 requested)",
            "only part of the enterprise applications was read (3 requested)",
            id="in part",
        ),
        pytest.param("DELETE /servicePrincipals/1", "DELETE /servicePrincipals/1", id="an address"),
    ],
)
def test_data_that_was_not_read_has_its_name_for_people(text: str, words: str) -> None:
    assert with_data_names(text) == words


@pytest.mark.parametrize("name", ["text", "markdown", "csv", "junit", "sarif", "ocsf"])
def test_the_reasons_of_a_format_for_people_name_data_as_they_do(name: str) -> None:
    report = auditor.check(auditor.sample("unreadable-policies"), auditor.load_packs(["trackerrms-uk", "cisa-scuba"]))
    text = " ".join(auditor.render_report(report, name).decode().split())
    assert "consent policies could not be read" in text
    assert "permissionGrantPolicies could not be read" not in text
