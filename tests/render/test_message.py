"""The message to send: the link first, the role, why it's safe and what stays closed, in every case of a report."""

from __future__ import annotations

from functools import cache
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import auditor
from auditor.facts.ids import TENANT_PLACEHOLDER
from auditor.model.report import Report
from auditor.render.html import render as render_html
from auditor.render.message import MOST_IN_MAILTO, Message, message
from auditor.snapshot.samples import sample_names
from tests.render.pages import element_by_id, replaced
from tests.render.parts import CONSENT_BY_LINK, TRACKER, report, summary
from tests.render.reports import ALL
from tests.render.tracker import NEEDS_ADMIN_DECISION


@cache
def of_sample(name: str, *packs: str, tenant: str | None = None) -> Report:
    snapshot = auditor.sample(name)
    if tenant is not None:
        snapshot = replaced(snapshot, tenant=replaced(snapshot.tenant, id=tenant))
    return auditor.check(snapshot, auditor.load_packs(packs or ("trackerrms-uk",)))


def test_the_link_comes_first_then_the_role_why_it_is_safe_and_what_stays_closed() -> None:
    written = message(of_sample("managed-default"))
    link, role, safe, closed, opened, *_ = written.paragraphs
    fix = of_sample("managed-default").decisions[0].fixes[0]
    assert written.subject == "Please approve TrackerRMS (Contoso Talent)"
    assert link.splitlines()[1] == fix.link
    assert "choose Accept" in link
    assert role.startswith("Sign in as: Cloud Application Administrator")
    assert "tested on a copy" in safe
    assert closed.startswith("What it doesn't open: no other app can do more")
    assert "9 more scopes" in opened


def test_packs_for_one_app_with_different_links_have_a_link_each() -> None:
    made = of_sample("managed-default", "trackerrms-uk", "trackerrms-us")
    action = message(made).paragraphs[0].splitlines()
    assert action[1] == made.decisions[0].fixes[0].link
    assert action[2:4] == ["For trackerrms-us, open this link instead:", made.decisions[1].fixes[0].link]
    assert action[1] != action[3]


@pytest.mark.parametrize(
    "tenant",
    [
        pytest.param("", id="not known"),
        pytest.param("ffffffff-b005-87c7-9761-aa09644f9e95", id="redacted id"),
        pytest.param("tenant-0123456789.example", id="redacted domain"),
    ],
)
def test_without_the_tenant_the_link_has_a_visible_placeholder_and_says_how_to_fill_it(tenant: str) -> None:
    made = of_sample("managed-default", tenant=tenant)
    text = message(made).text
    assert f"https://login.microsoftonline.com/{TENANT_PLACEHOLDER}/v2.0/adminconsent" in text
    assert "Replace {tenant-id} in the link with the tenant ID" in text
    page = render_html(made)
    assert f'href="https://login.microsoftonline.com/{TENANT_PLACEHOLDER}' not in page
    for anywhere in (text, page, *(fix.link for fix in made.decisions[0].fixes)):
        assert "/organizations/" not in anywhere
        assert "/common/" not in anywhere


@pytest.mark.parametrize("any_tenant", ["organizations", "common"])
def test_a_link_of_an_older_report_to_any_tenant_is_sent_for_this_tenant_only(any_tenant: str) -> None:
    link = f"https://login.microsoftonline.com/{any_tenant}/adminconsent?client_id={TRACKER.client_id}"
    made = report(replaced(NEEDS_ADMIN_DECISION, fixes=(replaced(CONSENT_BY_LINK, link=link),)))
    assert f"/{made.tenant.id}/adminconsent" in message(made).text
    nameless = replaced(made, tenant=replaced(made.tenant, id=""))
    assert f"/{TENANT_PLACEHOLDER}/adminconsent" in message(nameless).text


def test_where_nothing_is_needed_the_message_says_so() -> None:
    written = message(of_sample("admin-consented"))
    assert written.subject == "Nothing to approve: TrackerRMS"
    assert "https://" not in written.text


def test_without_a_proven_fix_nothing_is_asked_of_the_tenant() -> None:
    written = message(report(replaced(NEEDS_ADMIN_DECISION, fixes=())))
    assert "No change in the tenant was proven to help" in written.text


def test_an_unknown_answer_asks_to_find_out() -> None:
    written = message(ALL["depends"]())
    assert written.subject.startswith("To find out: ")
    assert "It isn't known yet" in written.text


def test_a_fix_without_a_link_lists_its_steps() -> None:
    text = message(of_sample("app-disabled")).text
    assert "1. First find out why sign-in was switched off" in text
    assert "Please approve" not in text


def test_a_report_without_an_app_asks_for_its_first_rule() -> None:
    written = message(of_sample("managed-default", "cisa-scuba"))
    assert "rule MS.AAD.5.2v1 fails" in written.text
    assert "Sign in as: " in written.text


def test_several_apps_get_a_part_each_and_the_links_come_first() -> None:
    written = message(ALL["several"]())
    numbers = [paragraph[:2] for paragraph in written.paragraphs if paragraph[0].isdigit()]
    assert numbers == [f"{number}." for number in range(1, len(numbers) + 1)]
    assert len(numbers) > 1
    assert written.paragraphs[0].startswith("1. ")


@pytest.mark.parametrize("name", [*sample_names(), *ALL])
def test_every_report_has_a_message_that_a_mail_program_takes(name: str) -> None:
    made = ALL[name]() if name in ALL else of_sample(name, "trackerrms-uk", "cisa-scuba")
    written = message(made)
    assert len(written.mailto) <= MOST_IN_MAILTO
    assert written.mailto.isascii()
    assert " " not in written.mailto
    assert "\n" not in written.subject
    page = render_html(made)
    assert element_by_id(page, "message-text").text is not None


@given(
    st.text(max_size=100).map(lambda text: " ".join(text.split())),
    st.lists(st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), min_size=1, max_size=900)),
)
def test_a_mail_holds_the_whole_message_or_its_start_and_says_so(subject: str, paragraphs: list[str]) -> None:
    written = Message(subject, tuple(paragraphs))
    address = written.mailto
    query = parse_qs(urlsplit(address).query, keep_blank_values=True)
    body = query["body"][0].replace("\r\n", "\n")
    if written.is_shortened:
        assert body.endswith("the report has all of it to copy.")
    else:
        assert body == "\n\n".join(paragraphs)
    assert len(address) <= MOST_IN_MAILTO or len(subject) > 60


def test_names_cannot_add_lines_or_control_characters() -> None:
    decision = replaced(NEEDS_ADMIN_DECISION, app=replaced(TRACKER, name="Evil\nSubject: x\u202e\x1b[31m"))
    written = message(report(decision))
    assert "\n" not in written.subject
    assert "\u202e" not in written.text
    assert "\x1b" not in written.text


def test_the_empty_report_still_says_what_it_is() -> None:
    assert message(report(summary=summary("Nothing was asked."))).paragraphs
