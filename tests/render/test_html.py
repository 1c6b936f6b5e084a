"""The HTML report: well-formed, closed to the network, safe with any name, complete."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

import auditor
from auditor.model.decision import AppRef
from auditor.model.report import Audience, Evidence, FindingSubject, Granted, GrantKind, GrantRow, Report, Waiver
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Call, Provenance, Tenant
from auditor.render import render as render_bytes
from auditor.render.html import render
from auditor.render.html.parts import clickable
from auditor.render.html.templates import asset
from tests.golden import check_golden
from tests.limits import examples
from tests.render.pages import element_by_id, replaced, tree, words_of
from tests.render.parts import CONSENT_BY_LINK, finding, report
from tests.render.reports import ALL, HOSTILE, needs_admin
from tests.render.strategies import REPORTS
from tests.render.tracker import NEEDS_ADMIN_DECISION

EVERY = pytest.mark.parametrize("name", list(ALL))
GOLDEN = Path(__file__).parent / "golden_html"
GOLDENS = ("needs-admin",)

MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)></style></title><!--{{ 7*7 }}"
"""What breaks out of an attribute, an element, a style sheet, a title, a comment and a template."""


def body(page: str) -> str:
    """Without style and script, which have separate tests."""
    return re.sub(r"<script>.*?</script>", "<script></script>", page.partition("<body>")[2], flags=re.DOTALL)


@pytest.mark.parametrize("name", GOLDENS)
def test_the_page_is_as_it_was_read_and_approved(name: str) -> None:
    check_golden(GOLDEN / f"{name}.html", body(render(ALL[name]())))


def test_there_is_no_golden_page_without_its_case() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(GOLDENS)


@EVERY
def test_a_page_is_well_formed(name: str) -> None:
    tree(render(ALL[name]()))


@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
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
        "html head meta title style body a header p h1 h2 h3 h4 h5 bdi main section nav ul ol li article div dl dt dd"
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
        subjects=(FindingSubject(name=name, id=name),),
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
        if href.startswith("mailto:"):
            assert href.startswith("mailto:?subject=")
        elif not href.startswith("#"):
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


def test_calls_and_the_permissions_of_the_reader_are_listed() -> None:
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


@pytest.mark.parametrize("name", ["managed-default", "unreadable-policies"])
def test_an_ordinary_tenant_takes_less_than_half_a_megabyte(name: str) -> None:
    packs = auditor.load_packs(["trackerrms-uk", "trackerrms-us", "cisa-scuba", "eidsca", "cis-m365", "grants-hygiene"])
    assert len(render_bytes(auditor.check(auditor.sample(name), packs), "html")) < 500_000


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
