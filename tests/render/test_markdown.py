"""Markdown for a ticket: the platform's own readers find nothing in it but what was meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from auditor.model.decision import Steps
from auditor.model.report import Granted, GrantKind, GrantRow, Report
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Tenant
from auditor.render.markdown import render
from auditor.render.markdown_text import fenced, harmless, link
from tests.limits import examples
from tests.render.parts import CONSENT_BY_LINK, SELF_CONSENT, TENANT, finding, report
from tests.render.reports import ALL, blocked, connects, depends, hostile, needs_admin, several
from tests.render.strategies import REPORTS
from tests.render.tracker import NEEDS_ADMIN_DECISION

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MEANT = {"<br>", "<details>", "</summary>", "</details>", "<summary>"}
EVIL = [
    "@everyone",
    "see @octocat, please",
    "anna@contoso.com",
    "https://evil.example/x",
    "(www.evil.example).",
    "fixes #1 and owner/repo#12 and GH-3",
    "!12 %1 &3 ~bug $4 AB#9",
    ":skull: deadbeefdeadbeef",
    "<script>alert(1)</script>",
    "<img src=x onerror=y>",
    "![x](https://evil.example/p.png) [y](javascript:z)",
    "a|b | c@d|e",
    "`a` ``b`` @c`d",
    "</details><!-- x",
    "- x",
    "1. x",
    "# x",
    "---",
    "***x***",
    "&lt;b&gt;&#64;x",
    "\\@x\\",
    "line\n\n# other\n\n```\nx",
    "\u202e\u2066\x1b[2J\x00\ud800",
    "x" * 10_000,
]


def flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or [])


def must_be_tame(text: str, addresses: set[str]) -> None:
    """Nothing but what this program writes itself is markup, and no reader of plain text finds a thing to link."""
    for token in flat(READER.parse(text)):
        if token.type in ("html_block", "html_inline"):
            tags = re.findall(r"<[^>]*>", token.content)
            assert set(tags) <= MEANT, token.content
        elif token.type == "link_open":
            assert token.attrs["href"] in addresses
        elif token.type == "text":
            shown = re.sub(r"https://\S+", "", token.content) if token.content in addresses else token.content
            if token.content not in addresses:
                assert not re.search(r"@|://|www\.|#\d", shown), shown
        assert token.type != "image"


def addresses(made: Report) -> set[str]:
    known = {fix.link for decision in made.decisions for fix in decision.fixes}
    known |= {one.remediation.link for one in made.findings}
    steps = [fix.steps.portal_links for decision in made.decisions for fix in decision.fixes]
    known |= {
        link.address for links in (*steps, *(one.remediation.portal_links for one in made.findings)) for link in links
    }
    return known | {READER.normalizeLink(each) for each in known} | {READER.normalizeLinkText(each) for each in known}


@pytest.mark.parametrize("name", list(ALL))
def test_a_report_holds_no_markup_but_its_own(name: str) -> None:
    must_be_tame(render(ALL[name]()), addresses(ALL[name]()))


@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(REPORTS)
def test_any_report_is_tame_and_its_tables_are_whole(made: Report) -> None:
    text = render(made)
    must_be_tame(text, addresses(made))
    text.encode()
    assert text.endswith("\n")
    wide = 0
    for line in text.splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("| ") else 0
        assert not (wide and cells) or cells == wide, line
        wide = cells


@pytest.mark.parametrize("said", EVIL)
def test_text_of_others_shows_what_it_says(said: str) -> None:
    tokens = READER.parse(f"| {harmless(said)} |\n| --- |")
    inner = next(token for token in tokens if token.type == "inline")
    assert {part.type for part in inner.children or []} <= {"text", "code_inline"}
    shown = "".join(part.content for part in inner.children or [])
    assert shown == " ".join(said.encode("unicode_escape").decode().split()) if "\u202e" in said else True
    if said.isprintable():
        assert shown == said


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Cs"))))
def test_any_printable_text_shows_what_it_says_in_a_cell_and_in_a_paragraph(said: str) -> None:
    said = " ".join(said.split())
    for text in (f"| {harmless(said)} |\n| --- |", harmless(said)):
        inner = [token for token in READER.parse(text) if token.type == "inline"]
        assert "".join(part.content for token in inner for part in token.children or []) == said


@pytest.mark.parametrize("name", EVIL)
def test_a_hostile_name_anywhere_stays_a_name(name: str) -> None:
    decision = msgspec.structs.replace(
        NEEDS_ADMIN_DECISION,
        app=msgspec.structs.replace(NEEDS_ADMIN_DECISION.app, name=name),
        because=name,
        screen=name,
        notes=(name,),
        also=(name,),
        caveats=(name,),
        depends_on=(name,),
        scopes=tuple(
            msgspec.structs.replace(scope, scope=name, resource_name=name, resource=name, detail=name)
            for scope in NEEDS_ADMIN_DECISION.scopes
        ),
        fixes=(msgspec.structs.replace(CONSENT_BY_LINK, title=name, role=name, undo=name, expect=name),),
    )
    found = [finding(name, name, outcome, name, pack=name) for outcome in FindingOutcome]
    made = report(decision, findings=tuple(found), tenant=Tenant(id=name, name=name), source=name, tool=name)
    must_be_tame(render(made), addresses(made))


def test_the_first_fix_has_its_link_or_its_command() -> None:
    assert f"<{CONSENT_BY_LINK.link}>" in render(needs_admin())
    by_command = msgspec.structs.replace(NEEDS_ADMIN_DECISION, fixes=(SELF_CONSENT,))
    assert f"```powershell\n{SELF_CONSENT.steps.powershell}\n```" in render(report(by_command))
    by_az = msgspec.structs.replace(SELF_CONSENT, steps=Steps(az=SELF_CONSENT.steps.az))
    assert f"```sh\n{SELF_CONSENT.steps.az}\n```" in render(
        report(msgspec.structs.replace(NEEDS_ADMIN_DECISION, fixes=(by_az,)))
    )


def test_a_block_to_copy_does_not_end_before_its_end() -> None:
    tokens = READER.parse(fenced("a\n````\n# b\x1b", "sh"))
    assert [(token.type, token.content) for token in tokens] == [("fence", "a\n````\n# b\\x1b\n")]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://x.test/a b", "http://x.test", "data:text/html,x"])
def test_what_is_no_plain_address_is_no_link(address: str) -> None:
    assert not [token for token in flat(READER.parse(link(address))) if token.type == "link_open"]


def test_what_failed_comes_first_and_what_passed_is_folded() -> None:
    outcomes = list(FindingOutcome)[::-1]
    made = render(report(findings=tuple(finding(f"r-{each}", "T", each, "because") for each in outcomes)))
    places = [made.index(f"`r-{each}`") for each in ("fail", "unknown", "waived")]
    fold = made.index("<details><summary>1 passed, 1 not applicable</summary>")
    assert places == sorted(places)
    assert places[-1] < fold
    assert all(fold < made.index(f"`r-{each}`") < made.index("</details>") for each in ("pass", "not-applicable"))


def test_the_answer_is_the_first_sentence() -> None:
    lines = render(needs_admin()).split("\n\n")
    assert lines[0] == "## Can users of Contoso Ltd connect TrackerRMS?"
    assert lines[1].startswith("**NEEDS ADMIN.** An ordinary user cannot connect TrackerRMS:")


def test_several_answers_are_printed_once_each() -> None:
    made = render(several())
    assert made.count("**NEEDS ADMIN.**") == 1
    assert "- 3\\. Fabrikam Scheduler" in made


def test_unread_data_is_listed_with_what_would_allow_it() -> None:
    made = render(depends())
    assert "| The consent policies<br>(permissionGrantPolicies) | HTTP 403" in made
    assert "Policy.Read.PermissionGrant" in made


def test_the_digests_of_the_packs_are_whole() -> None:
    assert "`3f79bb7b435b05321651daefd374cdc681dc06faa65e374e3833`" in render(connects())


def test_a_report_fits_into_a_comment_even_with_long_names() -> None:
    long = msgspec.structs.replace(hostile(), tenant=Tenant(id=TENANT.id, name="N" * 10_000))
    assert len(render(long)) < 65_536
    assert len(render(blocked())) < 10_000


def test_a_long_text_is_cut_and_shows_that_it_is() -> None:
    made = render(report(findings=(finding("r", "T", FindingOutcome.FAIL, "a word " * 10_000),)))
    assert len(made) < 2_300
    assert re.search(r"\.\.\. \|$", made, re.MULTILINE)


def test_of_several_answers_each_says_near_the_top_what_to_do_first() -> None:
    page = render(several())
    top = page.partition("### Summary")[0]
    assert top.count("### First thing to do") == 1
    assert f"<{CONSENT_BY_LINK.link}>" in top
    assert "22223333-cccc-4444-dddd-5555eeee6666" not in top.partition("### First thing to do")[2]


def test_answers_that_one_fix_changes_share_it() -> None:
    other = msgspec.structs.replace(NEEDS_ADMIN_DECISION, subject="anna@contoso.com")
    part = render(report(NEEDS_ADMIN_DECISION, other)).partition("### First thing to do")[2].partition("###")[0]
    assert part.count(CONSENT_BY_LINK.link) == 1
    assert "**1\\. TrackerRMS" in part
    assert "and 2. TrackerRMS" in part


def test_grants_are_counted_and_none_is_none() -> None:
    row = GrantRow(
        client_id="a",
        client_name="A",
        kind=GrantKind.DELEGATED,
        resource_id="r",
        resource_name="R",
        permissions=("User.Read",),
    )
    reported = [
        render(msgspec.structs.replace(connects(), granted=Granted(rows=rows))).partition("| Grants read | ")[2]
        for rows in ((), (row,))
    ]
    assert [text.partition(" |")[0] for text in reported] == [
        "None.",
        "1 grant, listed in the CSV, XLSX, and JSON reports.",
    ]
