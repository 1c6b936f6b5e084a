"""The dashboard: well-formed, safe with any name, complete, and with each night in its strips exactly once."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from posixpath import dirname, join, normpath

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.decision import Confidence, Outcome
from auditor.model.history import Run, RunDecision, RunFinding, RunState
from auditor.model.report import UnreadPart
from auditor.model.rule import FindingOutcome, Severity
from auditor.model.site import SiteData, SiteTenant
from auditor.render.site import Site, is_page_name
from auditor.render.site.attention import TenantNights
from auditor.render.site.change_view import difference_view
from auditor.render.site.charts import HOLLOW, Strip, month_strips, recent_strip
from auditor.render.site.nights import NightKind, Span, apps_of, last_nights, nights_by_kind
from auditor.render.site.page_names import run_page, tag_page, tenant_page
from tests.golden import check_golden
from tests.render.nightly_runs import (
    AT,
    ERROR,
    LAST_NIGHT,
    TOOL,
    Nights,
    decision_change,
    failed_run,
    missed,
    nights,
    with_fleets,
)
from tests.render.pages import replaced, tree, words_of

GOLDEN = Path(__file__).parent / "golden_site"
MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)></style></title><!--{{ 7*7 }}"


@cache
def usual() -> Nights:
    return nights(7, 60)


def every_page(made: Nights) -> dict[str, str]:
    """All files of a dashboard by name."""
    site = Site(made.data)
    pages = dict(site.pages())
    for page in site.run_pages():
        pages[page.name] = site.run_text(page.run, made.differences[page.run.id])
    return pages


@cache
def usual_pages() -> dict[str, str]:
    return every_page(usual())


def html_pages(pages: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in pages.items() if name.endswith(".html")}


# ---- A tenant made by hand ------------------------------------------------------------------------------------------


def day(number: int, hour: int = 2) -> datetime:
    """The nights before 2026-11-22: 0 is that night, 1 the one before it."""
    return (LAST_NIGHT - timedelta(days=number)).replace(hour=hour)


def audit(at: datetime, *outcomes: Outcome, **more: object) -> Run:
    started = f"{at:%Y-%m-%dT%H:%M:%SZ}"
    decisions = tuple(RunDecision(app=f"App {n}", client_id=f"app-{n}", outcome=o) for n, o in enumerate(outcomes))
    made = Run(
        id=f"contoso/{started}",
        tenant="contoso",
        name="Contoso",
        state=RunState.FINISHED,
        started=started,
        taken=started,
        finished=started,
        exit_code=0,
        decisions=decisions,
    )
    return replaced(made, **more)


def tenant(*runs: Run, **more: object) -> SiteTenant:
    return replaced(SiteTenant(key="contoso", name="Contoso", runs=runs), **more)


def state(*runs: Run, at: str = AT, hours: float = 24, **more: object) -> TenantNights:
    """The tenant, whose runs should start every so many hours."""
    made = tenant(*runs, missed=missed([run.started for run in runs], at, hours), **more)
    return TenantNights(made, SiteData(at=at, tool=TOOL, tenants=(made,)))


CONNECTS, NEEDS_ADMIN, DEPENDS = Outcome.USER_MAY_CONSENT, Outcome.NEEDS_ADMIN, Outcome.DEPENDS


# ---- Pages ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["index.html", "tenants/00000001-0000-4000-8000-000000000000.html", "findings.html"])
def test_a_page_is_as_it_was_read_and_approved(name: str) -> None:
    check_golden(GOLDEN / name.replace("/", "_"), every_page(nights(3, 12, seed=5))[name])


def test_a_page_of_a_run_is_as_it_was_read_and_approved() -> None:
    pages = every_page(nights(3, 40, seed=5))
    name = max(name for name in pages if name.startswith("runs/"))
    check_golden(GOLDEN / "run.html", pages[name])


def test_every_page_is_well_formed_and_may_load_only_its_style_sheet() -> None:
    for text in html_pages(usual_pages()).values():
        root = tree(text)
        policy = root.find(".//meta[@http-equiv='Content-Security-Policy']")
        assert policy is not None
        assert policy.get("content") == "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"
        for element in root.iter():
            if isinstance(element.tag, str):
                assert element.tag not in ("script", "style", "iframe", "img", "object")
                assert not [name for name in element.attrib if name.startswith("on") or name == "style"]


def test_every_link_leads_to_a_page_and_a_place_on_it() -> None:
    pages = usual_pages()
    ids = {name: set(re.findall(r' id="([^"]+)"', text)) for name, text in pages.items()}
    for name, text in html_pages(pages).items():
        for address in re.findall(r'href="([^"]+)"', text):
            path, _, place = address.partition("#")
            target = normpath(join(dirname(name), path)) if path else name
            assert target in pages, (name, address)
            assert not place or place in ids[target], (name, address)


def test_every_page_is_linked_from_another_one() -> None:
    pages = usual_pages()
    linked = {
        normpath(join(dirname(name), address.partition("#")[0]))
        for name, text in pages.items()
        for address in re.findall(r'href="([^"#][^"]*)"', text)
    }
    assert set(pages) <= linked


def test_an_id_is_unique_on_its_page() -> None:
    for name, text in html_pages(usual_pages()).items():
        ids = Counter(re.findall(r' id="([^"]+)"', text))
        assert [each for each, number in ids.items() if number > 1] == [], name


def test_the_same_data_gives_the_same_bytes_and_the_order_of_the_tenants_does_not_matter() -> None:
    made = nights(5, 30)
    turned = replaced(made.data, tenants=made.data.tenants[::-1])
    assert every_page(made) == every_page(nights(5, 30)) == every_page(Nights(turned, made.differences))


def test_a_dashboard_without_runs_says_so() -> None:
    pages = dict(Site(SiteData(at=AT, tool=TOOL)).pages())
    assert "This page shows them after the first night." in words_of(pages["index.html"])
    tree(pages["index.html"])


def test_the_index_of_fifty_tenants_and_a_year_is_small() -> None:
    pages = dict(Site(nights(50, 365).data).pages())
    assert len(pages["index.html"].encode()) < 250_000
    assert max(len(text.encode()) for name, text in pages.items() if name != "index.html") < 100_000


def test_the_index_and_the_pages_of_tags_have_the_apps_with_the_tenants_that_each_reason_holds_in() -> None:
    made = usual()
    for page, tag in (("index.html", ""), (tag_page("gold"), "gold")):
        shown = tree(usual_pages()[page]).find(".//*[@id='apps']")
        assert shown is not None
        links = {one.get("href") for one in shown.iter("a")}
        named = {key for app in made.data.fleets[tag].apps for why in app.why for key in why.tenants}
        up = "../" if tag else ""
        assert links == {f"{up}{tenant_page(one)}" for one in made.data.tenants if one.key in named}
        assert made.data.fleets[tag].answer in " ".join("".join(shown.itertext()).split())


def test_one_tenant_does_not_make_a_fleet() -> None:
    assert "Can users connect, and what decides?" not in every_page(nights(1, 5))["index.html"]


# ---- Hostile names --------------------------------------------------------------------------------------------------


def hostile(name: str) -> Nights:
    """A dashboard in which every text that a tenant, an app, a pack or an error chose is this one."""
    found = RunFinding(
        fingerprint=name,
        rule=name,
        pack=name,
        title=name,
        severity=Severity.HIGH,
        outcome=FindingOutcome.FAIL,
        since=name,
    )
    decision = RunDecision(app=name, client_id=name, outcome=NEEDS_ADMIN, because=name, subject=name)
    run = audit(
        day(0),
        tenant=name,
        name=name,
        decisions=(decision,),
        changes=1,
        minor_changes=0,
        failed=1,
        unknown=1,
        unread=(UnreadPart(section=name, needs=(name,)),),
        credential_expires=name,
        tool=name,
        failed_by_severity={"high": 1},
    )
    first = replaced(run, id="first", started=audit(day(2)).started, changes=None)
    error = failed_run(name, name, day(1), name)
    made = usual()
    difference = next(iter(made.differences.values()))
    change = replaced(difference.changes[0], what=name, means=name, before=name, after={name: [name]}, key=name)
    changed = replaced(difference, changes=(change, replaced(change, because_of=(name,), key="other")))
    one = SiteTenant(
        key=name,
        name=name,
        tags=(name,),
        runs=(first, error, run),
        findings=(found, replaced(found, outcome=FindingOutcome.UNKNOWN)),
        changes=changed,
    )
    return Nights(with_fleets(SiteData(at=AT, tool=name, tenants=(one,)), fewest=1), {run.id: changed})


def test_markup_in_every_name_stays_text() -> None:
    harmless = re.sub(r"[^\w\s]", "x", MARKUP)
    plain, harmful = every_page(hostile(harmless)), every_page(hostile(MARKUP))
    assert [n.split("/")[0] for n in plain] == [n.split("/")[0] for n in harmful]
    for one, other in zip(html_pages(plain).values(), html_pages(harmful).values(), strict=True):
        assert [element.tag for element in tree(one).iter()] == [element.tag for element in tree(other).iter()]
    assert "{{ 7*7 }}" in words_of(harmful["index.html"])


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../../etc/passwd", id="a path that leads out"),
        pytest.param("C:\\Windows\\x", id="a path of Windows"),
        pytest.param("con", id="a reserved name of Windows"),
        pytest.param(".", id="the folder"),
        pytest.param("", id="nothing"),
        pytest.param("a\x00b\n\x1b[2J", id="control characters"),
        pytest.param("\u202egnp.exe", id="a mark that reorders"),
        pytest.param("Ä" * 5000, id="a long name"),
        pytest.param("\ud800", id="half a character"),
    ],
)
def test_no_name_leads_out_of_the_folder_or_into_the_page(name: str) -> None:
    pages = every_page(hostile(name))
    assert all(is_page_name(page) for page in pages)
    for page, text in pages.items():
        assert not set(text.encode("utf-8").decode()) & {"\x00", "\x1b", "\u202e"}, page
        if page.endswith(".html"):
            tree(text)


def test_names_that_differ_have_pages_that_differ_also_where_letter_case_does_not_count() -> None:
    names = ["Acme", "acme", "ACME", "acme ", "con", "CON", "a/b", "a-b", "a_b", "é", "e", "x" * 49, "x" * 50, ""]
    for page in (tag_page, lambda name: tenant_page(SiteTenant(key=name, name="n"))):
        made = [page(name) for name in names]
        assert len({name.lower() for name in made}) == len(names)
        assert all(is_page_name(name) for name in made)


@given(st.text(), st.text())
def test_any_run_has_a_page_of_its_own(one: str, other: str) -> None:
    def page(text: str) -> str:
        return run_page(SiteTenant(key=text, name=text), replaced(audit(day(0)), started=text))

    assert is_page_name(page(one))
    assert (page(one) == page(other)) == (one == other)


def test_a_tenant_keeps_its_page_when_it_is_renamed() -> None:
    key = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
    assert tenant_page(SiteTenant(key=key, name="New")) == f"tenants/{key}.html"


# ---- Nights ---------------------------------------------------------------------------------------------------------


RUNS = st.lists(
    st.tuples(
        st.integers(0, 800),
        st.integers(0, 23),
        st.sampled_from([RunState.FINISHED, RunState.FAILED, RunState.INTERRUPTED, RunState.RUNNING]),
        st.sampled_from(list(Outcome)),
    ),
    max_size=40,
)


@settings(deadline=None)
@given(RUNS, st.sampled_from([12, 24, 168, 720]))
def test_every_night_is_in_the_strips_exactly_once(
    found: list[tuple[int, int, RunState, Outcome]], hours: float
) -> None:
    runs = sorted((audit(day(ago, hour), o, state=s) for ago, hour, s, o in found), key=lambda run: run.started)
    made = state(*runs, at="2026-11-22T23:59:59Z", hours=hours).nights
    days = [night.day for night in made]
    ended = {date.fromisoformat(run.started[:10]) for run in runs if run.state is not RunState.RUNNING}
    assert ended <= set(days)
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    for app in apps_of(made):
        assert [day for span in app.spans for day in nights_in(span)] == days
        due = {day for span in app.spans for day in nights_in(span) if span.kind is not NightKind.NOT_DUE}
        for strip in month_strips(app.spans):
            in_words = {day for text in strip.texts for day in nights_named(text.text)}
            drawn = drawn_nights(strip)
            assert len(drawn) == len(set(drawn)), "no night is drawn twice"
            assert len(drawn) == len(due - in_words)


def nights_in(span: Span) -> list[date]:
    return [span.start + timedelta(days=n) for n in range(span.nights)]


def nights_named(text: str) -> list[date]:
    """The nights of ``No run from 2026-01-01 to 2026-05-31: 151 nights.``"""
    found = re.fullmatch(r"No run from (\S+) to (\S+): (\d+) nights?\.", text)
    if not found:
        return []
    span = Span(NightKind.MISSED, date.fromisoformat(found[1]), int(found[3]))
    assert str(span.end) == found[2]
    return nights_in(span)


def drawn_nights(strip: Strip) -> list[tuple[int, int]]:
    """The line and the column of each night that is drawn."""
    left, cell, step = (0, 12, 48) if strip.shape == "wide" else (62, 8.8, 32)
    return [
        (int(y // step), round((x - left) / cell) + n)
        for x, y, width in marks(strip)
        for n in range(round(width / cell))
    ]


def marks(strip: Strip) -> list[tuple[float, float, float]]:
    """The left edge, the top and the width of each mark, without the half pixels by which outlines are smaller."""
    found = []
    for shape in strip.shapes:
        for x, y, width in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v", shape.path):
            half = 0.5 if shape.kind in HOLLOW else 0.0
            found.append((float(x) - half, float(y), float(width) + 2 * half))
    return found


def kinds(made: TenantNights) -> list[NightKind]:
    """The kind of each night of the first app."""
    return [span.kind for span in made.apps[0].spans for _ in range(span.nights)]


def test_a_night_that_failed_or_was_missed_is_never_shown_as_an_audit() -> None:
    runs = [audit(day(4), CONNECTS), failed_run("contoso", "Contoso", day(3), ERROR), audit(day(1), CONNECTS)]
    assert kinds(state(*runs, audit(day(0), CONNECTS))) == [
        NightKind.CONNECTS,
        NightKind.FAILED,
        NightKind.MISSED,
        NightKind.CONNECTS,
        NightKind.CONNECTS,
    ]


def test_the_last_audit_of_a_day_counts_and_a_failure_after_it_does_not_hide_it() -> None:
    runs = [audit(day(0, 1), NEEDS_ADMIN), audit(day(0, 2), CONNECTS), failed_run("contoso", "C", day(0, 3), ERROR)]
    assert kinds(state(*runs)) == [NightKind.CONNECTS]


def test_an_app_that_an_audit_did_not_ask_about_is_not_audited_that_night() -> None:
    made = state(audit(day(2), CONNECTS, CONNECTS), audit(day(1), CONNECTS), audit(day(0), CONNECTS, NEEDS_ADMIN))
    assert [span.kind for span in made.apps[1].spans] == [
        NightKind.CONNECTS,
        NightKind.NOT_AUDITED,
        NightKind.NEEDS_ADMIN,
    ]


def test_a_weekly_schedule_misses_a_week_and_not_six_days_of_each() -> None:
    weekly = [audit(day(7 * week), CONNECTS) for week in (6, 5, 4, 2, 1, 0)]
    counted = nights_by_kind(state(*weekly, hours=168).apps[0].spans)
    assert counted == {NightKind.CONNECTS: 6, NightKind.MISSED: 1, NightKind.NOT_DUE: 36}


@pytest.mark.parametrize(
    ("at", "missed"),
    [
        pytest.param("2026-11-22T23:00:00Z", 0, id="the same day"),
        pytest.param("2026-11-23T06:00:00Z", 0, id="the next morning, within the time that a run may be late"),
        pytest.param("2026-11-23T15:00:00Z", 1, id="the next afternoon"),
        pytest.param("2026-11-25T15:00:00Z", 3, id="three days later"),
    ],
)
def test_a_tenant_whose_runs_stopped_needs_attention(at: str, missed: int) -> None:
    made = state(audit(day(1), CONNECTS), audit(day(0), CONNECTS), at=at)
    assert nights_by_kind(made.apps[0].spans).get(NightKind.MISSED, 0) == missed
    assert [reason.word for reason in made.reasons] == ["NO RUN"] * bool(missed)
    assert all(reason.is_new == (missed == 1) for reason in made.reasons)


def test_a_run_of_a_wrong_clock_does_not_fill_the_pages() -> None:
    wrong = audit(datetime(2199, 1, 1, tzinfo=UTC), CONNECTS)
    made = state(audit(datetime(1970, 1, 1, tzinfo=UTC), CONNECTS), audit(day(0), CONNECTS), wrong)
    assert len(made.nights) == 1
    pages = every_page(Nights(SiteData(at=AT, tool=TOOL, tenants=(made.tenant,)), {}))
    assert "2 runs that started in the future or more than ten years ago" in words_of(pages["tenants/contoso.html"])


def test_months_without_any_run_are_one_line() -> None:
    made = state(audit(day(700), CONNECTS), audit(day(699), CONNECTS), audit(day(0), CONNECTS))
    for strip in month_strips(made.apps[0].spans):
        (text,) = [text.text for text in strip.texts if "No run" in text.text]
        assert text.startswith("No run from 2025-01-01 to 2026-")
        assert strip.height < 220


def test_strips_of_the_index_end_on_the_same_night() -> None:
    made = state(audit(day(200), CONNECTS), *(audit(day(n), CONNECTS) for n in range(95, -1, -1)))
    strip = recent_strip(made.apps[0].spans, date(2026, 11, 22))
    assert [x + width for x, _, width in marks(strip)] == [270]
    assert sum(span.nights for span in last_nights(made.apps[0].spans, date(2026, 8, 25))) == 90


# ---- What needs attention -------------------------------------------------------------------------------------------


def words(made: TenantNights) -> list[tuple[str, bool]]:
    return [(reason.word, reason.is_new) for reason in made.reasons]


def finding(
    severity: Severity, outcome: FindingOutcome = FindingOutcome.FAIL, since: str = audit(day(5)).started
) -> RunFinding:
    return RunFinding(
        fingerprint=severity.value,
        rule="R",
        pack="p",
        title=f"A {severity.value} rule",
        severity=severity,
        outcome=outcome,
        since=since,
    )


def test_a_verdict_that_changed_last_night_is_new_and_an_older_one_is_not() -> None:
    assert words(state(audit(day(1), CONNECTS), audit(day(0), NEEDS_ADMIN))) == [("NEEDS ADMIN", True)]
    made = state(audit(day(2), CONNECTS), audit(day(1), NEEDS_ADMIN), audit(day(0), NEEDS_ADMIN))
    assert words(made) == [("NEEDS ADMIN", False)]
    assert made.reasons[0].since == "since 2026-11-21, 1 day"


def test_what_the_second_run_of_a_day_found_first_is_new() -> None:
    made = state(audit(day(0), CONNECTS), audit(day(0, 14), DEPENDS))
    assert words(made) == [("DEPENDS", True)]
    assert made.reasons[0].since == "since 2026-11-22, today"
    third = state(audit(day(0), CONNECTS), audit(day(0, 14), DEPENDS), audit(day(0, 15), DEPENDS))
    assert words(third) == [("DEPENDS", False)]


def test_a_severe_rule_that_became_unknown_is_new() -> None:
    since = audit(day(0)).started
    unknown = finding(Severity.HIGH, FindingOutcome.UNKNOWN, since)
    made = state(audit(day(1), CONNECTS), audit(day(0), CONNECTS), findings=(unknown,))
    assert words(made) == [("1 UNKNOWN", True)]


def test_nothing_is_new_in_the_first_night() -> None:
    made = state(
        audit(day(0), NEEDS_ADMIN),
        findings=(finding(Severity.HIGH, since=audit(day(0)).started),),
    )
    assert words(made) == [("NEEDS ADMIN", False), ("1 HIGH", False)]
    assert made.reasons[0].since == "first audit 2026-11-22"


def test_a_verdict_as_old_as_the_oldest_kept_run_may_be_older() -> None:
    made = state(audit(day(1), NEEDS_ADMIN), audit(day(0), NEEDS_ADMIN))
    assert made.reasons[0].since == "since 2026-11-21 or earlier"


def test_what_is_unknown_needs_attention_and_is_neither_good_nor_failed() -> None:
    likely = audit(day(0), DEPENDS)
    unknown = finding(Severity.CRITICAL, FindingOutcome.UNKNOWN)
    assert words(state(audit(day(1), DEPENDS), likely, findings=(unknown,))) == [
        ("DEPENDS", False),
        ("1 UNKNOWN", False),
    ]


@pytest.mark.parametrize(
    ("severity", "needs"),
    [
        pytest.param(Severity.CRITICAL, True, id="critical"),
        pytest.param(Severity.HIGH, True, id="high"),
        pytest.param(Severity.MEDIUM, False, id="medium"),
        pytest.param(Severity.INFO, False, id="info"),
    ],
)
def test_a_failing_rule_needs_attention_from_high_on(severity: Severity, needs: bool) -> None:
    assert bool(state(audit(day(1)), audit(day(0)), findings=(finding(severity),)).reasons) == needs


def test_a_waived_rule_needs_no_attention() -> None:
    made = state(audit(day(0)), findings=(finding(Severity.CRITICAL, FindingOutcome.WAIVED),))
    assert made.reasons == ()


def test_a_failed_run_says_why_and_what_is_older_stays_visible() -> None:
    failed = failed_run("contoso", "Contoso", day(0), ERROR)
    made = state(audit(day(2), NEEDS_ADMIN), audit(day(1), NEEDS_ADMIN), failed)
    assert words(made) == [("RUN FAILED", True), ("NEEDS ADMIN", False)]
    assert made.reasons[0].what == ERROR
    assert made.reasons[0].since == "last audit 2026-11-21 02:00 UTC"


def test_a_good_verdict_of_an_old_audit_is_not_shown_as_good() -> None:
    made = state(audit(day(4), CONNECTS), audit(day(3), CONNECTS))
    assert made.tone(made.apps[0]) == "quiet"
    assert made.since(made.apps[0]) == "since 2026-11-18 or earlier, last seen 2026-11-19"
    pages = dict(Site(SiteData(at=AT, tool=TOOL, tenants=(made.tenant,))).pages())
    assert "As of the last audit, 2026-11-19 02:00 UTC." in words_of(pages["tenants/contoso.html"])
    assert '<span class="badge tone-quiet">' in pages["index.html"]
    assert '<span class="badge tone-good">' not in pages["index.html"]
    assert "2026-11-19 (UTC): 1 of 1 tenant audited" in words_of(pages["index.html"])


def test_an_interrupted_run_is_a_failed_one() -> None:
    cut = replaced(failed_run("contoso", "Contoso", day(0), ""), state=RunState.INTERRUPTED)
    assert state(audit(day(1), CONNECTS), cut).reasons[0].what.startswith("The run was interrupted")


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        pytest.param("2026-12-22", "The audit's own credential ends 2026-12-22, in 30 days.", id="in thirty days"),
        pytest.param("2026-11-22T16:00:00Z", "The audit's own credential ends 2026-11-22, within a day.", id="today"),
        pytest.param("2026-11-22T05:00:00Z", "The audit's own credential ended 2026-11-22.", id="ended today"),
        pytest.param("2026-11-20", "The audit's own credential ended 2026-11-20.", id="ended"),
        pytest.param("2026-12-23", "", id="later"),
        pytest.param("", "", id="not known"),
        pytest.param("soon", "", id="not a time"),
    ],
)
def test_a_credential_that_ends_soon_needs_attention(ends: str, text: str) -> None:
    made = state(audit(day(1), CONNECTS), audit(day(0), CONNECTS, credential_expires=ends))
    assert [reason.what for reason in made.reasons] == [text] * bool(text)


def test_tenants_with_something_new_come_first_then_the_worst_reason_then_the_name() -> None:
    def named(name: str, *runs: Run) -> SiteTenant:
        own = tuple(replaced(run, tenant=name, id=name + run.id) for run in runs)
        return SiteTenant(key=name, name=name, runs=own, missed=missed([run.started for run in runs], AT, 24))

    data = SiteData(
        at=AT,
        tool=TOOL,
        tenants=(
            named("Fine", audit(day(1), CONNECTS), audit(day(0), CONNECTS)),
            named("Later", audit(day(1), NEEDS_ADMIN), audit(day(0), NEEDS_ADMIN)),
            named("Earlier", audit(day(1), NEEDS_ADMIN), audit(day(0), NEEDS_ADMIN)),
            named("Zeta", audit(day(1), CONNECTS), audit(day(0), DEPENDS)),
            named("Stopped", audit(day(9), CONNECTS), audit(day(8), CONNECTS)),
        ),
    )
    text = words_of(dict(Site(data).pages())["index.html"])
    shown = text[text.index("New since last night 1") : text.rindex("Changed last night")]
    order = re.findall(r"Zeta|Stopped|Earlier|Later|Fine", shown)
    assert list(dict.fromkeys(order)) == ["Zeta", "Stopped", "Earlier", "Later"]
    assert "4 OF 5 TENANTS NEED ATTENTION New since last night: Zeta." in text


# ---- What the pages say ---------------------------------------------------------------------------------------------


def test_a_likely_verdict_says_so() -> None:
    decision = RunDecision(app="App", client_id="app", outcome=NEEDS_ADMIN, confidence=Confidence.LIKELY)
    made = state(audit(day(0), decisions=(decision,)))
    pages = dict(Site(SiteData(at=AT, tool=TOOL, tenants=(made.tenant,))).pages())
    assert "NEEDS ADMIN (likely)" in words_of(pages["index.html"])
    assert "2026-11-222026-11-221NEEDS ADMIN (likely)" in words_of(pages["tenants/contoso.html"])


def test_the_page_of_a_tag_shows_its_tenants_only() -> None:
    pages = usual_pages()
    gold = words_of(pages["tags/gold.html"])
    assert "3 tenants with the tag gold" in gold
    assert "Alder Recruitment" in gold
    assert "Birch & Sons" not in gold


def test_a_change_of_last_night_is_on_the_index_with_what_it_means() -> None:
    made = nights(30, 60, seed=3)
    changed = [one for one in made.data.tenants if one.last_changed is one.last and one.changes is not None]
    (one, *_) = [tenant for tenant in changed if tenant.changes is not None and tenant.changes.major]
    assert one.changes is not None
    change = one.changes.major[0]
    text = words_of(dict(Site(made.data).pages())["index.html"])
    assert f"{one.name} 2026-11-22" in text
    assert f"{change.what}{change.means}" in text


def test_a_change_of_an_earlier_run_of_the_night_stays_on_the_index() -> None:
    made = nights(1, 3, seed=3)
    (one,) = made.data.tenants
    change = decision_change(("App", "app"), CONNECTS, NEEDS_ADMIN)
    changes = replaced(next(iter(hostile("x").differences.values())), changes=(change,))
    runs = (
        audit(day(0, 1), CONNECTS, changes=3),
        audit(day(0, 2), NEEDS_ADMIN, changes=1),
        audit(day(0, 3), NEEDS_ADMIN),
    )
    site = Site(replaced(made.data, tenants=(replaced(one, runs=runs, changes=changes),)))
    text = words_of(dict(site.pages())["index.html"])
    assert change.what in text
    assert "3 changes in another run of this night" in text


def test_the_page_of_a_run_whose_changes_are_not_kept_says_so() -> None:
    run = audit(day(0), CONNECTS, changes=2, minor_changes=1)
    site = Site(SiteData(at=AT, tool=TOOL, tenants=(tenant(run),)))
    text = words_of(site.run_text(run, None))
    assert "2 changes and 1 minor change in Contoso" in text
    assert "The history doesn't keep the changes of this run." in text


def test_a_change_names_its_cause_and_who_made_it() -> None:
    made = hostile("Name")
    (difference,) = made.differences.values()
    text = words_of(Site(made.data).run_text(made.data.tenants[0].runs[-1], difference))
    assert "Because ofName" in text
    change = decision_change(("App", "app"), CONNECTS, NEEDS_ADMIN)
    view = difference_view(replaced(difference, changes=(change,)))
    assert view.major[0].by == "Microsoft (inferred: the audit log names nobody)"
    assert view.major[0].since == "between 2026-11-21 02:00 UTC and 2026-11-22 02:00 UTC"


def test_the_digest_of_a_run_changes_with_the_run_and_the_name_of_its_tenant() -> None:
    run = audit(day(0), CONNECTS, changes=1)

    def digest(made: SiteTenant) -> str:
        return Site(SiteData(at=AT, tool=TOOL, tenants=(made,))).run_pages()[0].digest

    one = digest(tenant(run))
    assert one == digest(tenant(run, tags=("gold",)))
    assert one != digest(tenant(run, name="Fabrikam"))
    assert one != digest(tenant(msgspec.structs.replace(run, changes=2)))
