"""The table of sign-in codes: complete, sourced, and usable before a tenant is read."""

from __future__ import annotations

from auditor.facts.sign_in_codes import (
    LOOK_UP,
    ConsentState,
    certificate_codes,
    checks,
    consent_state,
    credential_advice,
    error_names,
    is_about_credential,
    logged_codes,
    pages_about,
    pages_read,
    screens,
    sign_in_codes,
)
from auditor.model.decision import Reason
from auditor.model.sections import SECTIONS

CODES = sign_in_codes()

OF_CONSENT = {
    *(65001, 65002, 65004, 65005, 65006, 650051, 650052, 650053, 650054, 650056, 650057, 90008, 90090, 90093, 90094),
    *(90095, 90099, 900941, 900981, 50105, 7000112, 70001, 700016, 1000031, 500011, 500014),
}
OF_REQUESTS = {50011, 500113, 900971, 50194, 70011, 90023, 700054, 901001}
OF_ACCOUNTS = {16000, 50020, 50034, 90072, 90002, 50059, 500021, 500022, 500212, 500213}
OF_ACCESS = {50076, 50131, 53000, 53001, 53002, 53003, 53004, 530032}


def test_the_codes_of_consent_assignment_apps_requests_accounts_and_access_are_in_the_table() -> None:
    assert {str(code) for code in OF_CONSENT | OF_REQUESTS | OF_ACCOUNTS | OF_ACCESS} <= set(CODES)


def test_each_code_has_a_page_of_microsofts_or_names_who_reports_it() -> None:
    assert [code for code, one in CODES.items() if bool(pages_about(one)) == bool(one.reported)] == []
    pages = {page for one in CODES.values() for page in pages_about(one)}
    assert all(page.title and page.url.startswith("https://learn.microsoft.com/") for page in pages)


def test_each_code_has_causes_that_end_as_sentences_and_checks_that_exist() -> None:
    for code, one in CODES.items():
        assert one.causes, code
        texts = (one.means, one.sees, *(cause.why for cause in one.causes))
        assert [text for text in texts if not text.endswith((".", '."'))] == [], code
        assert not one.title.endswith(".") and len(one.title) <= 70, code
        assert all(cause.check in ("", *checks()) for cause in one.causes), code
        assert all(cause.check for cause in one.causes if cause.reasons), code


def test_checks_name_sections_of_a_snapshot() -> None:
    assert {section for check in checks().values() for section in check.sections} <= set(SECTIONS)


def test_every_reason_for_which_users_are_stopped_is_a_cause_of_a_code() -> None:
    without_a_stop = {
        *(Reason.GRANTED_TENANT_WIDE, Reason.GRANTED_TO_USER, Reason.COVERED_BY_OTHER_GRANT),
        # Not known, so that nothing can be said about a code.
        *(Reason.NOT_READ, Reason.POLICY_UNREADABLE, Reason.FACT_UNKNOWN, Reason.GUEST_UNDOCUMENTED),
        Reason.NOTHING_REQUESTED,
    }
    named = {reason for one in CODES.values() for cause in one.causes for reason in cause.reasons}
    assert set(Reason) - without_a_stop == named


def test_the_log_is_searched_for_the_codes_about_consent_assignment_apps_and_resources() -> None:
    assert set(logged_codes()) >= OF_CONSENT
    assert not set(logged_codes()) & (OF_REQUESTS | OF_ACCOUNTS | OF_ACCESS)


def test_pages_and_errors_without_a_number_lead_to_codes_of_the_table() -> None:
    assert {one.code for one in screens()} <= set(CODES)
    assert all(one.phrase == one.phrase.lower() for one in screens())
    assert {one.code for one in error_names().values() if one.code} <= set(CODES)


def test_codes_of_the_audits_own_credential_have_advice() -> None:
    assert credential_advice("7000215").startswith("AZURE_CLIENT_SECRET")
    assert credential_advice("90094") == credential_advice("1") == ""
    assert certificate_codes() <= set(CODES)


def test_what_a_refused_token_says_about_consent_is_about_codes_of_the_table() -> None:
    states = {code: state for code in CODES if (state := consent_state(code))}
    assert set(states.values()) == set(ConsentState)
    assert states["7000229"] is states["700016"] is ConsentState.NOT_CONSENTED
    assert consent_state("90094") is None
    credential = {code for code in CODES if is_about_credential(code)}
    assert {"7000215", "7000222", "700027", "700213"} <= credential
    assert credential.isdisjoint(states)


def test_the_look_up_address_is_microsofts() -> None:
    assert LOOK_UP.format(code="90094") == "https://login.microsoftonline.com/error?code=90094"
    assert pages_read() >= "2026-11-01"
