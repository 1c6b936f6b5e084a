"""Charts of the HTML page: the same in numbers, within their frames, distinguishable without color."""

from __future__ import annotations

import re

import pytest

from auditor.model.report import Summary
from auditor.render.html import render
from auditor.render.html.parts import HOLLOW, TONES
from auditor.render.html.templates import asset
from tests.render.pages import SVG, tree, words_of
from tests.render.reports import ALL, needs_admin

EVERY = pytest.mark.parametrize("name", list(ALL))


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
    for drawn in tree(render(ALL[name]())).iter(f"{SVG}svg"):
        _, _, width, height = (float(each) for each in drawn.get("viewBox", "").split())
        for rect in drawn.iter(f"{SVG}rect"):
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
    assert ".numbers" not in asset("paper.css"), "the table of the numbers is shown"


def test_the_colours_of_pictures_are_those_of_the_page_and_no_two_are_drawn_alike() -> None:
    light = asset("style.css").partition("@media")[0]
    assert dict(TONES) == {name: re.findall(rf"--{name}: (#\w+)", light)[0] for name in TONES}
    charts = asset("pictures.html.j2")
    patterned = set(re.findall(r'"(\w+)"', charts.partition("patterned = (")[2].partition(")")[0]))
    assert len(patterned & HOLLOW) == len(patterned - HOLLOW) == 2
    assert len(set(TONES) - patterned - HOLLOW) == len(HOLLOW - patterned) == 1
