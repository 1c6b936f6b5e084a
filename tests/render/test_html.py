"""The HTML report: well-formed, closed to the network, safe with any name, complete."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

import html5lib
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

import auditor
from auditor.model.decision import AppRef, Decision, Outcome, Reason
from auditor.model.finding import Evidence, FindingOutcome, Subject
from auditor.model.granted import Audience, Granted, GrantKind, GrantRow
from auditor.model.provenance import Call, Provenance
from auditor.model.report import PackRef, Report, Summary, UnreadPart
from auditor.model.snapshot import Tenant
from auditor.model.waiver import Waiver, WaiverFileRef
from auditor.model.wellknown import MICROSOFT_GRAPH
from auditor.render import render as render_bytes
from auditor.render.html import asset, render
from auditor.render.html.links import clickable
from auditor.render.html.picture import picture
from auditor.render.html.tones import HOLLOW, TONES
from tests.render.parts import CONSENT_BY_LINK, PACKS, TENANT, allowed, excluded, finding, report
from tests.render.reports import ALL, HOSTILE, connects, depends, needs_admin, several
from tests.render.strategies import REPORTS
from tests.render.tracker import NEEDS_ADMIN_DECISION

Made = TypeVar("Made", bound=msgspec.Struct)

SVG = "{http://www.w3.org/2000/svg}"

EVERY = pytest.mark.parametrize("name", list(ALL))
GOLDEN = Path(__file__).parent / "golden_html"
GOLDENS = ("needs-admin", "depends")

MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)></style></title><!--{{ 7*7 }}"
"""What breaks out of an attribute, an element, a style sheet, a title, a comment and a template."""


def tree(page: str) -> Element:
    """The page as a browser reads it; any error of the parser is an error."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    root: Element = parser.parse(page)
    return root


def body(page: str) -> str:
    """Without style and script, which have tests of their own."""
    return re.sub(r"<script>.*?</script>", "<script></script>", page.partition("<body>")[2], flags=re.DOTALL)


def words_of(page: str) -> str:
    return " ".join("".join(tree(page).itertext()).split())


def replaced(made: Made, **changes: Any) -> Made:
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_page_is_as_it_was_read_and_approved(name: str) -> None:
    page, path = body(render(ALL[name]())), GOLDEN / f"{name}.html"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(page, encoding="utf-8")
    assert page == path.read_text(encoding="utf-8")


def test_there_is_no_golden_page_without_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(GOLDENS)


@EVERY
def test_a_page_is_well_formed(name: str) -> None:
    tree(render(ALL[name]()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(REPORTS)
def test_any_report_makes_a_well_formed_page_of_the_same_elements_as_a_harmless_one(made: Report) -> None:
    page = render_bytes(made, "html").decode()
    for element in tree(page).iter():
        if isinstance(element.tag, str):
            assert element.tag in ELEMENTS
            assert not [name for name in element.attrib if name.startswith("on") or name == "style"]


ELEMENTS = frozenset(
    re.findall(
        r"\w+",
        "html head meta title style body a header p h1 h2 h3 h4 bdi main section nav ul ol li article div dl dt dd"
        " span br strong figure figcaption details summary table caption thead tbody tr th td code pre button label"
        " select option input footer script",
    )
) | {
    f"{{http://www.w3.org/2000/svg}}{name}"
    for name in ("svg", "g", "title", "defs", "pattern", "circle", "path", "rect", "text", "polyline")
}


def test_markup_in_every_name_stays_text() -> None:
    harmless = re.sub(r"[^\w\s]", "x", MARKUP)  # as long, so that the pictures break their lines alike
    plain, hostile = render(hostile_with(harmless)), render(hostile_with(MARKUP))
    tags = [element.tag for element in tree(hostile).iter()]
    assert tags == [element.tag for element in tree(plain).iter()]
    assert "{{ 7*7 }}" in words_of(hostile)


def hostile_with(name: str) -> Report:
    """A report in which every text that a tenant, an app or a pack chose is this one."""
    row = GrantRow(
        client_id=name,
        client_name=name,
        kind=GrantKind.DELEGATED,
        resource_id=name,
        resource_name=name,
        permissions=(name,),
        audience=Audience.USER,
        principal=name,
        publisher=name,
        verified=True,
    )
    fix = replaced(CONSENT_BY_LINK, title=name, role=name, verify=name, undo=f"{name}\n{name}", link=name)
    scope = replaced(NEEDS_ADMIN_DECISION.scopes[0], scope=name, resource_name=name, detail=name, policy=name)
    decision = replaced(
        NEEDS_ADMIN_DECISION,
        app=AppRef(name=name, client_id=name, variant=name),
        subject=name,
        because=name,
        screen=name,
        scopes=(scope,),
        also=(name,),
        notes=(name,),
        fixes=(fix,),
    )
    found = finding(
        name,
        name,
        FindingOutcome.FAIL,
        name,
        evidence=(Evidence(path=name, actual=name, expected=[name]),),
        subjects=(Subject(name=name, id=name),),
        waivers=(Waiver(rule=name, reason=name, owner=name, expires=name),),
        references=(name,),
        frameworks={name: name},
        unread=name,
    )
    return replaced(
        report(decision, decision, findings=(found, found), tenant=Tenant(id=name, name=name), source=name),
        granted=Granted(rows=(row,), whole=True),
        provenance=Provenance(reader=name, permissions=(name,), calls=(Call(section=name, address=name, at=name),)),
    )


def test_control_characters_and_marks_that_reorder_become_visible() -> None:
    page = render(hostile_with(f"{HOSTILE}\ud800{'A' * 10_000}"))
    page.encode("utf-8")
    assert not set(page) & {"\x00", "\x07", "\x1b", "\x9b", "\u200b", "\u202e", "\u2066", "\u2028"}
    assert r"\x1b[2J" in page
    assert r"\u202egnp.exe" in page


@EVERY
def test_the_policy_lets_in_this_style_and_this_script_alone(name: str) -> None:
    page = render(ALL[name]())
    root = tree(page)
    policy = root.find(".//meta[@http-equiv='Content-Security-Policy']")
    assert policy is not None
    style, script = (root.find(f".//{tag}") for tag in ("style", "script"))
    assert style is not None
    assert script is not None
    assert policy.get("content") == (
        f"default-src 'none'; style-src 'sha256-{digest(style.text)}'; script-src 'sha256-{digest(script.text)}';"
        " base-uri 'none'; form-action 'none'"
    )
    assert len(root.findall(".//style")) == len(root.findall(".//script")) == 1


def digest(text: str | None) -> str:
    assert text
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_style_and_script_ask_for_nothing() -> None:
    for name in ("style.css", "script.js", "paper.css"):
        assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch|XMLHttp|innerHTML|eval\(|</", asset(name)), name


@EVERY
def test_nothing_in_the_page_loads_and_every_link_is_plain(name: str) -> None:
    for element in tree(render(ALL[name]())).iter():
        assert not {"src", "srcset", "action", "formaction", "background", "data"} & set(element.attrib)
        href = element.get("href", "#")
        if not href.startswith("#"):
            assert clickable(href) == href
            assert element.get("rel") == "noopener noreferrer"


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "http://entra.microsoft.com/",
        "//entra.microsoft.com/",
        "https://entra.microsoft.com.evil.example/",
        "https://user@entra.microsoft.com/",
        "https://entra.microsoft.com:8443/",
        "https://evil.example/?https://entra.microsoft.com/",
        "https://entra.microsoft.com\\@evil.example/",
        "https://entra.microsoft.com/ x",
        "https://entra.microsoft.com/\u202e",
        "https://[bad",
        " https://entra.microsoft.com/",
        "",
    ],
)
def test_an_address_elsewhere_is_no_link(address: str) -> None:
    assert clickable(address) == ""


def test_a_link_that_is_not_clickable_is_shown_and_copied_as_text() -> None:
    fix = replaced(CONSENT_BY_LINK, link="javascript:alert(1)")
    page = render(report(replaced(NEEDS_ADMIN_DECISION, fixes=(fix,))))
    assert 'href="javascript' not in page
    assert ">javascript:alert(1)</code>" in page


@EVERY
def test_headings_go_down_one_step_at_a_time_and_ids_are_unique(name: str) -> None:
    root = tree(render(ALL[name]()))
    levels = [int(element.tag[1]) for element in root.iter() if re.fullmatch("h[1-6]", str(element.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = [each for element in root.iter() if (each := element.get("id"))]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        if (href := element.get("href", "")).startswith("#"):
            assert href[1:] in ids
        if target := element.get("data-copy"):
            assert target in ids


@EVERY
def test_tables_have_captions_and_headers_and_pictures_have_words(name: str) -> None:
    root = tree(render(ALL[name]()))
    for table in root.iter("table"):
        assert table.find("caption") is not None
        assert all(head.get("scope") in ("col", "row") for head in table.iter("th"))
    for picture in root.iter("{http://www.w3.org/2000/svg}svg"):
        assert picture.get("aria-hidden") == "true" or picture.get("aria-label")


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
        "Who asks: Ordinary user.",
        "Result: NEEDS ADMIN.",
    ):
        assert text in first, text


def element_by_id(page: str, name: str) -> Element:
    found = tree(page).find(f".//*[@id='{name}']")
    assert found is not None, name
    return found


def test_every_answer_of_several_is_told_with_its_own_picture_and_scopes() -> None:
    page = render(several())
    words = words_of(page)
    for decision in several().decisions:
        assert decision.because in words
    for number in (1, 3, 4):
        assert element_by_id(page, f"answer-{number}").find(".//figure") is not None
    assert 'id="answer-2"' not in page
    assert "(the same for 2)" in words


@EVERY
def test_nothing_that_was_found_is_left_out(name: str) -> None:
    made = ALL[name]()
    if name == "hostile":
        return
    words = words_of(render(made))
    for one in made.findings:
        assert one.rule in words
        assert one.fingerprint in words
    for decision in made.decisions:
        assert all(scope.scope in words for scope in decision.scopes)
        assert all(fix.title.rstrip(".") in words for fix in decision.fixes)
    for part in made.unread:
        assert part.section in words
        assert all(need in words for need in part.needs)
    for pack in made.packs:
        assert pack.digest in words
    for policy in made.policies:
        assert policy.id in words


def test_what_is_unknown_counts_neither_as_passed_nor_as_failed() -> None:
    page = render(depends())
    root = element_by_id(page, "finding-1")
    assert root.get("data-outcome") == "unknown"
    assert "tone-unsure" in root.get("class", "")
    assert "What is missing counts neither as passed nor as failed." in words_of(page)


def test_a_waived_finding_is_neither_a_pass_nor_a_fail_and_says_who_answers_for_it() -> None:
    waiver = Waiver(rule="r", reason="the vendor leaves in spring", owner="Anna", expires="2027-03-31", ticket="SEC-1")
    one = replaced(
        finding("r", "No old app is left", FindingOutcome.WAIVED, "Two are left."),
        waivers=(waiver,),
        subjects=(Subject(name="Old app", id="11112222-bbbb-3333-cccc-4444dddd5555"), Subject(name="Older app")),
        unread="the grants were read in part only",
    )
    files = (WaiverFileRef(name="waivers.yaml", digest="sha256:0123456789abcdef", count=1),)
    page = render(replaced(report(findings=(one,)), waivers=files))
    shown = element_by_id(page, "finding-1")
    words = " ".join("".join(shown.itertext()).split())
    assert shown.get("data-outcome") == "waived"
    assert "tone-waived" in shown.get("class", "")
    assert "Waived by Anna until 2027-03-31 (SEC-1): The vendor leaves in spring." in words
    assert "Old app 11112222-bbbb-3333-cccc-4444dddd5555" in words
    assert "There may be more: The grants were read in part only." in words
    assert "sha256:0123456789abcdef" in words_of(page)


def shown(page: str, name: str) -> str:
    return " ".join("".join(element_by_id(page, name).itertext()).split())


def test_what_nobody_asked_for_is_listed_with_its_permission_and_how_to_collect_it() -> None:
    hygiene = finding(
        "HYG-1",
        "No app acts on its own",
        FindingOutcome.UNKNOWN,
        "appRoleAssignedTo of 00000003-0000-0000-c000-000000000000 was not read.",
    )
    page = render(report(findings=(hygiene,), packs=(*PACKS, PackRef(name="grants-hygiene", version="1", digest="d"))))
    missing = shown(page, "unread")
    assert "Not asked for" in missing
    assert "The users and groups assigned to the app" in missing
    assert "Application.Read.All" in missing
    assert "HYG-1" in missing
    command = shown(page, "collect-again")
    assert command.startswith("consent-auditor collect --pack trackerrms-uk --pack grants-hygiene -o tenant.json")
    assert "nobody asked for this" in shown(page, "finding-1")
    assert element_by_id(page, "finding-1").find(".//a[@href='#unasked-appRoleAssignedTo']") is not None


def test_what_was_asked_for_and_refused_is_not_told_to_be_collected_again() -> None:
    unknown = finding(
        "CIS-1", "Users may not consent", FindingOutcome.UNKNOWN, "permissionGrantPolicies could not be read (403)."
    )
    page = render(replaced(depends(), findings=(unknown,)))
    assert "Not asked for" not in words_of(page)
    told = shown(page, "finding-1")
    assert "The consent policies could not be read (403)." in told
    assert "it takes the permission Policy.Read.PermissionGrant. What was answered." in told
    assert element_by_id(page, "finding-1").find(".//a[@href='#unread-1']") is not None


def test_a_read_that_had_no_answer_does_not_look_as_if_a_permission_were_the_cause() -> None:
    part = UnreadPart(section="organization", message="timed out", needs=("Organization.Read.All",))
    told = shown(render(replaced(depends(), unread=(part,))), "unread-1")
    assert "Allowed by" not in told
    assert "It takes Organization.Read.All; the answer does not say that it lacks." in told


def test_doubts_name_what_was_not_read_in_words() -> None:
    doubtful = replaced(depends().decisions[0], doubts=("permissionGrantPolicies could not be read (403)",))
    assert "The consent policies could not be read (403)." in shown(render(replaced(depends(), decisions=(doubtful,))), "answer")


def test_expected_values_that_are_said_in_words_are_no_code_and_the_same_value_stands_once() -> None:
    evidence = (
        Evidence(path="decision.outcome", actual="blocked", expected="connects-silently or user-may-consent"),
        Evidence(path="authorizationPolicy.allowedToCreateApps", actual=True, expected=False),
        Evidence(path="authorizationPolicy.allowedToCreateApps", actual=True, expected=False),
        Evidence(path="authorizationPolicy.id", actual="a"),
    )
    one = finding("r", "It is off", FindingOutcome.FAIL, "It is on.", evidence=evidence)
    root = element_by_id(render(report(findings=(one,))), "finding-1")
    cells = [list(row.iter("td"))[-1] for row in root.findall(".//tbody/tr")]
    assert ["".join(cell.itertext()) for cell in cells] == [
        "connects-silently or user-may-consent",
        "false",
        "see the title",
    ]
    assert [cell.find("code") is not None for cell in cells] == [False, True, False]
    assert "".join(root.itertext()).count("Put back what was found") == 1


def test_where_no_value_is_expected_there_is_no_column_for_it() -> None:
    one = finding("r", "Few", FindingOutcome.FAIL, "Many.", evidence=(Evidence(path="apps", actual=31),))
    assert "Expected value" not in shown(render(report(findings=(one,))), "finding-1")


@EVERY
def test_on_a_phone_every_cell_says_which_column_it_is_of(name: str) -> None:
    for table in tree(render(ALL[name]())).iter("table"):
        if "stack" in table.get("class", ""):
            heads = ["".join(head.itertext()) for head in table.iter("th") if head.get("scope") == "col"]
            for row in table.findall("tbody/tr"):
                labels = [cell.get("data-label", "") for cell in row.findall("td")]
                assert all(head.startswith(label) for head, label in zip(heads[1:], labels, strict=True))
                assert all(labels)


@EVERY
def test_a_label_and_what_belongs_to_it_stay_together_on_paper(name: str) -> None:
    for facts in tree(render(ALL[name](), for_print=True)).iter("dl"):
        assert [part for part in facts if part.tag != "div"] == []


def test_a_setting_that_fails_can_be_put_back_and_a_verdict_cannot() -> None:
    setting = Evidence(path="authorizationPolicy.allowedToCreateApps", actual=True, expected=False)
    verdict = Evidence(path="decision.outcome", actual="needs-admin", expected="user-may-consent")
    one = finding(
        "r", "Only administrators register apps", FindingOutcome.FAIL, "It is on.", evidence=(setting, verdict)
    )
    words = " ".join("".join(element_by_id(render(report(findings=(one,))), "finding-1").itertext()).split())
    assert "Put back what was found: authorizationPolicy.allowedToCreateApps was true." in words
    assert words.count("Put back") == 1
    assert "Verify Run the audit again: r then passes." in words


def test_a_fix_is_told_once_and_named_wherever_else_it_helps() -> None:
    page = render(several())
    assert len(re.findall('<article class="fix"', page)) == len({fix.link for fix in NEEDS_ADMIN_DECISION.fixes})
    assert 'href="#fix-1"' in page


def test_calls_and_the_permissions_of_the_reader_are_told() -> None:
    call = Call(
        section="authorizationPolicy",
        address="/v1.0/policies/authorizationPolicy",
        status=200,
        rows=1,
        at="2026-11-22T02:00:01Z",
        permissions=("Policy.Read.All",),
    )
    made = replaced(needs_admin(), provenance=Provenance(reader="app-1", permissions=("User.Read",), calls=(call,)))
    words = " ".join("".join(element_by_id(render(made), "provenance").itertext()).split())
    for text in (call.address, "2026-11-22 02:00:01", "200", "1 row", "Policy.Read.All", "app-1", "User.Read"):
        assert text in words


def grants(number: int) -> Report:
    rows = tuple(
        GrantRow(
            client_id=f"{n:08}-0000-4000-8000-000000000000",
            client_name=f"App {n}",
            kind=GrantKind.DELEGATED,
            resource_id=MICROSOFT_GRAPH,
            resource_name="Microsoft Graph",
            permissions=("Mail.Read", "User.Read"),
        )
        for n in range(number)
    )
    return replaced(connects(), granted=Granted(rows=rows, whole=True))


def test_ten_thousand_grants_stay_usable_and_the_rest_is_counted() -> None:
    page = render(grants(10_000))
    assert page.count("<bdi>App ") == 1000
    assert "Not in this file: 9,000 more lines." in page
    assert "10,000 grants in the whole directory" in page
    assert len(page) < 1_000_000


def test_where_grants_are_left_out_single_users_are_not_the_ones_that_are_always_dropped() -> None:
    made = grants(3000).granted
    assert made is not None
    mine = tuple(
        replaced(row, client_id=f"own-{n}", client_name=f"Own {n}", audience=Audience.USER, principal=f"user{n}@x.com")
        for n, row in enumerate(made.rows)
    )
    page = render(replaced(connects(), granted=Granted(rows=(*made.rows, *mine), whole=True)))
    assert page.count("<bdi>App ") == page.count("<bdi>Own ") == 500
    assert page.index("more lines") < page.index('id="grant-list"'), "what is left out is said before the table"


def test_one_app_with_many_lines_does_not_take_the_place_of_the_others() -> None:
    made = grants(1).granted
    assert made is not None
    many = tuple(replaced(made.rows[0], permissions=(f"Scope.{n}",)) for n in range(2000))
    other = replaced(made.rows[0], client_id="other", client_name="Quiet one")
    assert "Quiet one" in words_of(render(replaced(connects(), granted=Granted(rows=(*many, other), whole=True))))


def test_users_who_are_only_counted_are_there_for_the_filter_as_far_as_there_is_room() -> None:
    one = grants(1).granted
    assert one is not None
    users = tuple(replaced(one.rows[0], audience=Audience.USER, principal=f'"{n}"@x.com') for n in range(20_000))
    few, all_of_them = (
        render(replaced(connects(), granted=Granted(rows=users[:number], whole=True))) for number in (50, 20_000)
    )
    row = element_by_id(few, "grant-list").find("tr")
    assert row is not None
    assert '"49"@x.com' in row.get("data-others", "").split("\n")
    assert "Not in this file" not in words_of(few)
    assert "Not in this file: 19,997 users." in words_of(all_of_them)
    assert len(all_of_them) < 300_000


def test_grants_that_differ_only_in_the_user_share_a_line() -> None:
    one = grants(1).granted
    assert one is not None
    users = tuple(replaced(one.rows[0], audience=Audience.USER, principal=f"user{n}@contoso.com") for n in range(5000))
    words = words_of(render(replaced(connects(), granted=Granted(rows=users, whole=True))))
    assert "user0@contoso.com, user1@contoso.com, user2@contoso.com and 4,997 more users" in words
    assert words.count("user3@contoso.com") == 0


@pytest.mark.parametrize("name", ["managed-default", "unreadable-policies"])
def test_an_ordinary_tenant_takes_less_than_half_a_megabyte(name: str) -> None:
    packs = auditor.load_packs(["trackerrms-uk", "trackerrms-us", "cisa-scuba", "eidsca", "cis-m365", "grants-hygiene"])
    assert len(render_bytes(auditor.check(auditor.sample(name), packs), "html")) < 500_000


def test_a_trend_is_drawn_from_earlier_runs_to_this_one() -> None:
    runs = [(f"2026-11-{day:02}T02:00:00Z", Summary(answer="", failed=day % 3, passed=5)) for day in range(1, 9)]
    assert "Trend" not in words_of(render(needs_admin()))
    failed = needs_admin().summary.failed
    page = render(needs_admin(), history=runs)
    assert f"From 2026-11-01 02:00 UTC to 2026-11-22 02:00 UTC: 1 rule failed then, {failed} now." in words_of(page)
    for shape in ("wide", "narrow"):
        drawn = tree(page).findall(f".//{SVG}svg[@class='bars bars-{shape}']")[-1]
        lines = {line.get("class"): line.get("points", "").split() for line in drawn.iter(f"{SVG}polyline")}
        assert len(lines["line tone-bad"]) == len(lines["line tone-unsure"]) == len(runs) + 1
        assert len(drawn.findall(f"{SVG}circle")) == len(runs) + 1, "each run has a mark"


@EVERY
def test_pictures_stay_within_their_frames(name: str) -> None:
    for picture in tree(render(ALL[name]())).iter("{http://www.w3.org/2000/svg}svg"):
        _, _, width, height = (float(each) for each in picture.get("viewBox", "").split())
        for rect in picture.iter("{http://www.w3.org/2000/svg}rect"):
            x, y, w, h = (float(rect.get(each, 0)) for each in ("x", "y", "width", "height"))
            assert 0 <= x <= x + w <= width
            assert 0 <= y <= y + h <= height


def test_charts_say_the_same_in_numbers() -> None:
    page = render(needs_admin())
    figure = next(f for f in tree(page).iter("figure") if "Outcomes by severity" in "".join(f.itertext()))
    cells = [int(cell.text or 0) for cell in figure.iter("td")]
    assert sum(cells) == len(needs_admin().findings)


def test_a_number_on_a_bar_does_not_hang_on_a_stroke_under_it_which_not_every_program_can_draw() -> None:
    page = render(needs_admin(), for_print=True)
    numbers = [text for text in tree(page).iter(f"{SVG}text") if "bar-number" in text.get("class", "")]
    assert numbers
    assert not [number for number in numbers if number.get("stroke")]
    assert "display: none" not in re.sub(r"/\*.*?\*/", "", asset("paper.css")), "the table of the numbers is shown"


def test_the_colours_of_pictures_are_those_of_the_page_and_no_two_are_drawn_alike() -> None:
    light = asset("style.css").partition("@media")[0]
    assert dict(TONES) == {name: re.findall(rf"--{name}: (#\w+)", light)[0] for name in TONES}
    charts = asset("pictures.html.j2")
    patterned = set(re.findall(r'"(\w+)"', charts.partition("patterned = (")[2].partition(")")[0]))
    assert len(patterned & HOLLOW) == len(patterned - HOLLOW) == 2
    assert len(set(TONES) - patterned - HOLLOW) == len(HOLLOW - patterned) == 1


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
    _, gate, scopes, _ = picture(decision).words
    assert gate == "Consent policy: contoso-own. decides for users, with 1 more policy"
    assert scopes == "Scopes: 2 scopes. 2 allowed. 1 optional blocked."
    boxes = picture(decision).drawings[0].boxes
    assert [box.tone for box in boxes[1:]] == ["good", "good", "good"]


def test_where_every_scope_is_optional_the_picture_says_so() -> None:
    scopes = (excluded("Mail.Read", required=False), allowed("User.Read", required=False))
    decision = replaced(connects().decisions[0], scopes=scopes)
    assert picture(decision).words[2] == "Scopes: 2 scopes. All optional: 1 allowed and 1 blocked."


@EVERY
def test_the_same_report_gives_the_same_bytes(name: str) -> None:
    assert render(ALL[name]()) == render(ALL[name]())


def test_a_page_for_paper_is_open_and_has_no_script() -> None:
    page = render(needs_admin(), for_print=True)
    root = tree(page)
    assert root.find(".//script") is None
    policy = root.find(".//meta[@http-equiv='Content-Security-Policy']")
    assert policy is not None
    assert "script-src 'none'" in policy.get("content", "")
    assert all(part.get("open") is not None for part in root.iter("details"))
