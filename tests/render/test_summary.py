"""The summary on one page: question, answer, permissions in plain words, risk, who must act, and what changed."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

import auditor
from auditor.facts.ids import MICROSOFT_GRAPH, RESOURCES
from auditor.facts.permissions import ADMIN_ONLY, SCOPE_LISTS, listed_scopes, plain_words
from auditor.model.decision import Verdict
from auditor.model.report import Report
from auditor.packs.load import load, shipped_names, shipped_source
from auditor.render.html import render as render_html
from auditor.render.markdown import render as render_markdown
from auditor.render.setting_view import failure_counts
from auditor.render.summary import GRANTED, NOT_APPROVED, SHOWN, USERS_MAY, WOULD_BE, summary_view
from tests.render.pages import element_by_id, replaced
from tests.render.reports import ALL


@cache
def of_sample(name: str, *packs: str) -> Report:
    return auditor.check(auditor.sample(name), auditor.load_packs(packs or ("trackerrms-uk",)))


def test_the_page_answers_who_must_do_what_in_plain_words() -> None:
    (app,) = summary_view(of_sample("managed-default")).apps
    assert app.word == "NEEDS ADMIN"
    assert app.act == "Cloud Application Administrator, or Application Administrator."
    assert app.time == "About 5 minutes."
    assert "no other app gets more" in app.risk
    assert app.undo.startswith("Yes")
    lines = {line.scope: line for line in app.permissions}
    assert lines["Mail.ReadWrite"].plain == "Read, write and delete mail in the user's own mailbox"
    assert {line.state for line in app.permissions} == {WOULD_BE}


def test_the_page_has_the_link_of_each_pack_and_counts_checks_as_every_format_does() -> None:
    audit = of_sample("managed-default", "trackerrms-uk", "trackerrms-us")
    page = summary_view(audit)
    (app,) = page.apps
    links = [one.fixes[0].link for one in audit.decisions]
    assert app.links == (
        ("Open the consent page for pack trackerrms-uk", links[0]),
        ("Open the consent page for pack trackerrms-us", links[1]),
    )
    assert page.rules == failure_counts(audit).sentence


def test_a_link_that_must_be_filled_in_first_is_not_on_the_page() -> None:
    snapshot = replaced(
        auditor.sample("managed-default"), tenant=replaced(auditor.sample("managed-default").tenant, id="")
    )
    (app,) = summary_view(auditor.check(snapshot, auditor.load_packs(["trackerrms-uk"]))).apps
    assert app.links == ()
    assert "Replace {tenant-id}" in app.todo


@pytest.mark.parametrize(
    ("name", "state"),
    [
        pytest.param("admin-consented", GRANTED, id="an administrator approved"),
        pytest.param("legacy-open", USERS_MAY, id="users may approve"),
    ],
)
def test_what_is_approved_differs_from_what_would_be(name: str, state: str) -> None:
    (app,) = summary_view(of_sample(name)).apps
    assert state in {line.state for line in app.permissions}
    assert WOULD_BE not in {line.state for line in app.permissions}
    assert app.act == "Nobody."


def test_what_the_resource_itself_says_to_users_comes_before_our_own_words() -> None:
    snapshot = auditor.sample("managed-default")
    graph, *others = sorted(snapshot.sections.servicePrincipals or (), key=lambda one: one.appId != MICROSOFT_GRAPH)
    said = tuple(
        msgspec.structs.replace(one, userConsentDisplayName="Read and write access to your mail")
        if one.value == "Mail.ReadWrite"
        else msgspec.structs.replace(one, userConsentDisplayName=one.value)
        for one in graph.oauth2PermissionScopes or ()
    )
    principals = (msgspec.structs.replace(graph, oauth2PermissionScopes=said), *others)
    changed = replaced(snapshot, sections=replaced(snapshot.sections, servicePrincipals=principals))
    (decision,) = auditor.check(changed, auditor.load_packs(("trackerrms-uk",))).decisions
    plain = {one.scope: one.plain for one in decision.scopes}
    assert plain["Mail.ReadWrite"] == "Read and write access to your mail"
    assert plain["Mail.Send"] == "send mail as the user", "a display name that repeats the scope says nothing"


def test_every_scope_of_the_shipped_lists_has_plain_words() -> None:
    listed = listed_scopes(name for name in SCOPE_LISTS if name != ADMIN_ONLY)
    assert set(listed) == set(RESOURCES.values())
    scopes = [(resource, scope) for resource, each in listed.items() for scope in each]
    assert [one for one in scopes if not plain_words(*one)] == []


def test_every_scope_of_the_shipped_packs_has_plain_words() -> None:
    packs = [load(shipped_source(name)) for name in shipped_names()]
    requested = [(need.resource, need.value) for pack in packs if pack.app for need in pack.app.scopes]
    checked = [
        (RESOURCES.get(resource, resource), scope)
        for pack in packs
        for rule in pack.rules
        for resource, scopes in getattr(rule.check, "scopes", {}).items()
        for scope in scopes
    ]
    assert requested and checked
    assert [one for one in (*requested, *checked) if not plain_words(*one)] == []


def test_a_scope_that_nobody_describes_is_shown_by_its_name() -> None:
    assert plain_words(MICROSOFT_GRAPH, "Nothing.Known") == ""
    report = ALL["needs-admin"]()
    nobody_knows = replaced(report.decisions[0].scopes[-1], scope="Nothing.Known", verdict=Verdict.GRANTED)
    (app,) = summary_view(replaced(report, decisions=(replaced(report.decisions[0], scopes=(nobody_knows,)),))).apps
    assert [(line.plain, line.state) for line in app.permissions] == [("Nothing.Known", GRANTED)]


def test_without_a_fix_nothing_would_be_approved() -> None:
    report = ALL["needs-admin"]()
    (app,) = summary_view(replaced(report, decisions=(replaced(report.decisions[0], fixes=()),))).apps
    assert {line.state for line in app.permissions} == {USERS_MAY, NOT_APPROVED}


@pytest.mark.parametrize("name", list(ALL))
def test_every_report_has_a_page_that_stands_alone(name: str) -> None:
    report = ALL[name]()
    page = render_html(report, only_summary=True)
    assert element_by_id(page, "summary").get("open") is not None
    assert 'id="answer"' not in page
    assert "<script>" not in page
    assert render_markdown(report, only_summary=True).startswith("## ")
    for app in summary_view(report).apps:
        assert len(app.permissions) <= SHOWN


def test_a_report_without_an_app_says_what_to_do_first() -> None:
    page = summary_view(of_sample("managed-default", "cisa-scuba"))
    assert page.apps == ()
    assert page.answer == "3 of 3 rules failed."
    assert any("Global Administrator" in text for text in page.act)


def test_an_unknown_answer_promises_nothing() -> None:
    (app, *_) = summary_view(ALL["depends"]()).apps
    assert app.risk == "Not known until the missing facts are read."
    assert app.time == ""
