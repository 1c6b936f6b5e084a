"""The answers on the HTML page: first screen, pictures of the way to an answer, and grouped answers."""

from __future__ import annotations

from auditor.facts.ids import POLICY_RECOMMENDED
from auditor.model.decision import AppRef, Outcome, Reason
from auditor.model.rule import FindingOutcome, Remediation
from auditor.render.html import render
from auditor.render.html.pictures import verdict_path
from tests.render.pages import element_by_id, replaced, shown, tree, words_of
from tests.render.parts import CONSENT_BY_LINK, TENANT, allowed, excluded, finding, report, summary
from tests.render.reports import connects, depends, needs_admin, several
from tests.render.tracker import NEEDS_ADMIN_DECISION


def test_the_first_screen_answers() -> None:
    page = render(needs_admin())
    first = " ".join("".join(element_by_id(page, "answer").itertext()).split())
    decision = needs_admin().decisions[0]
    fix = decision.fixes[0]
    for text in (
        "NEEDS ADMIN",
        decision.because,
        TENANT.name,
        TENANT.id,
        decision.app.client_id,
        "2026-11-22 02:00 UTC",
        "consent-auditor 0.1.0",
        "trackerrms-uk 1",
        "3f79bb7b435b",
        "AADSTS90094",
        fix.title,
        fix.link,
        "User: Ordinary user.",
        "Result: NEEDS ADMIN.",
    ):
        assert text in first, text


def test_every_answer_of_several_is_shown_with_its_own_picture_and_scopes() -> None:
    page = render(several())
    words = words_of(page)
    for decision in several().decisions:
        assert decision.because in words
    for number in (1, 3, 4):
        assert element_by_id(page, f"answer-{number}").find(".//figure") is not None
    assert 'id="answer-2"' not in page
    assert f"1 and 2. TrackerRMS ({several().decisions[0].app.client_id})" in words


def test_answers_of_two_packs_that_differ_in_their_links_alone_are_one_answer_with_both_links() -> None:
    uk = replaced(NEEDS_ADMIN_DECISION, app=replaced(NEEDS_ADMIN_DECISION.app, variant="trackerrms-uk"))
    link = CONSENT_BY_LINK.link.replace("ukevo", "usevo")
    us = replaced(
        uk,
        app=replaced(uk.app, variant="trackerrms-us"),
        fixes=(replaced(CONSENT_BY_LINK, link=link), *uk.fixes[1:]),
    )
    of_us = finding("r", "They connect", FindingOutcome.FAIL, "They do not.", fixes=us.fixes)
    page = render(report(uk, us, findings=(of_us,)))
    first = shown(page, "answer")
    assert first.count("What the user sees") == 1
    assert first.index(f"For pack trackerrms-uk {CONSENT_BY_LINK.link}") < first.index(f"For pack trackerrms-us {link}")
    assert page.count('<details class="fix"') == 2
    assert link in shown(page, "fix-1")
    assert "Fixed by Fix 1, Fix 2." in shown(page, "finding-1")


def test_answers_that_differ_in_more_than_links_stay_two() -> None:
    other = replaced(NEEDS_ADMIN_DECISION, because="It is another.", fixes=())
    page = render(report(NEEDS_ADMIN_DECISION, other))
    for number in (1, 2):
        assert element_by_id(page, f"answer-{number}").find(".//figure") is not None
    assert element_by_id(page, "answer").find(".//*[@id='answer-2']") is not None, "each is on the first screen's part"


def test_where_users_connect_the_first_thing_is_nothing_and_failed_rules_are_another_matter() -> None:
    failing = finding("r", "Few grants", FindingOutcome.FAIL, "There are many.")
    page = render(replaced(connects(), findings=(failing,)))
    assert "Nothing. Users can connect." in shown(page, "answer")
    assert "Separately, 1 check fails. See Findings." in shown(page, "answer")
    assert element_by_id(page, "answer").find(".//a[@href='#findings']") is not None


def test_without_an_app_the_first_screen_has_a_verdict_a_picture_and_what_to_set_where_and_for_which_rule() -> None:
    advice = Remediation(portal=("Entra ID", "User settings"), role="Global Administrator", note="Set it to No.")
    one, other = (
        finding(name, "Users do not register apps", FindingOutcome.FAIL, "They do.", remediation=advice)
        for name in ("CIS-1", "CIS-2")
    )
    page = render(report(findings=(one, other), summary=summary("2 of 2 rules failed", (one, other))))
    first = element_by_id(page, "answer")
    for text in ("RULES FAIL", "2 of 2 rules failed.", "Outcomes by severity", "Set it to No.", "CIS-1"):
        assert text in shown(page, "answer")
    assert first.find(".//a[@href='#finding-1']") is not None
    (place,) = [button.get("data-copy", "") for button in first.iter("button")]
    assert shown(page, place) == "Entra ID > User settings"
    assert "Consent audit" not in [text.strip() for text in tree(page).itertext()], "the title says it already"


def test_the_apps_own_long_name_is_as_short_in_every_sentence_of_the_answer_as_elsewhere() -> None:
    name = "Long" * 2500
    decision = replaced(
        NEEDS_ADMIN_DECISION,
        app=AppRef(name=name, client_id="c"),
        because=f"An ordinary user cannot connect {name}: it is blocked.",
        screen=f'"Need admin approval": {name}',
        also=(f"{name} is off",),
    )
    assert "Long" * 21 not in shown(render(report(decision)), "answer")


def test_caveats_name_what_was_not_read_in_words() -> None:
    uncertain = replaced(depends().decisions[0], caveats=("permissionGrantPolicies could not be read (403)",))
    page = render(replaced(depends(), decisions=(uncertain,)))
    assert "The consent policies could not be read (403)." in shown(page, "answer")


def test_an_optional_scope_that_is_blocked_neither_colours_nor_counts_in_the_picture_of_an_answer_that_connects() -> (
    None
):
    decision = replaced(
        connects().decisions[0],
        outcome=Outcome.USER_MAY_CONSENT,
        reason=Reason.APPROVED_BY_POLICY,
        because="An ordinary user can connect TrackerRMS: the policy contoso-own approves what is missing.",
        scopes=(
            allowed("openid"),
            allowed("Mail.Send", policy="contoso-own"),
            excluded("MailboxSettings.Read", required=False),
        ),
    )
    _, gate, scopes, _ = verdict_path(decision).words
    assert gate == "Consent policy: contoso-own. decides for users, with 1 more policy"
    assert scopes == "Scopes: 2 required scopes. 2 allowed. 1 optional: blocked."
    boxes = verdict_path(decision).drawings[0].boxes
    assert [box.tone for box in boxes[1:]] == ["good", "good", "good"]


def test_where_every_scope_is_optional_the_picture_says_so() -> None:
    scopes = (excluded("Mail.Read", required=False), allowed("User.Read", required=False))
    decision = replaced(connects().decisions[0], scopes=scopes)
    assert verdict_path(decision).words[2] == "Scopes: 2 optional scopes. 1 allowed and 1 blocked."


def test_the_picture_and_the_scopes_name_the_setting_as_the_portal_does_and_count_required_scopes() -> None:
    page = render(needs_admin())
    decision = needs_admin().decisions[0]
    name = "Let Microsoft manage your consent settings (Recommended)"
    _, setting, scopes, _ = verdict_path(decision).words
    assert setting.startswith(f"Consent setting: {name}.")
    assert scopes.startswith(f"Scopes: {len(decision.required_scopes)} required scopes.")
    tables = [table for table in element_by_id(page, "scopes").iter("table") if "scopes" in table.get("class", "")]
    whys = ["".join(list(row.iter("td"))[-1].itertext()) for table in tables for row in table.findall("tbody/tr")]
    assert len(whys) == len(decision.scopes)
    assert [why for why in whys if POLICY_RECOMMENDED in why] == []
    assert POLICY_RECOMMENDED in shown(page, "scopes"), "the steps in detail keep the id"
