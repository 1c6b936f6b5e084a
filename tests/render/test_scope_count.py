"""Every format counts the scopes of an app alike, on every sample tenant."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from functools import cache

import msgspec
import pytest

import auditor
from auditor.consent.requested_scopes import app_from_scopes
from auditor.model.decision import Decision, RequestedAs
from auditor.model.report import Report
from auditor.render.csv import render as render_csv
from auditor.render.html import render as render_html
from auditor.render.json import render as render_json
from auditor.render.labels import scope_count
from auditor.render.markdown import render as render_markdown
from auditor.render.message import render as render_message
from auditor.render.sheets import sheets
from auditor.render.summary import summary_view
from auditor.render.terminal_screen import render as render_screen
from auditor.render.text import render as render_text
from auditor.snapshot.samples import sample_names
from tests.render.parts import allowed, excluded

TRACKER = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
Made = Callable[[str], Report]


@cache
def of_pack(name: str) -> Report:
    return auditor.check(auditor.sample(name), auditor.load_packs(("trackerrms-uk",)))


@cache
def of_request(name: str) -> Report:
    """An app to which Entra adds two scopes at a first consent."""
    (pack,) = auditor.load_packs(("trackerrms-uk",))
    app = app_from_scopes(TRACKER, "Mail.Read Calendars.Read")
    return auditor.check(auditor.sample(name), (msgspec.structs.replace(pack, app=app),))


@cache
def texts(made: Made, name: str) -> dict[str, str]:
    """What each format says, without markup and line breaks."""
    report = made(name)
    page = re.sub(r"<(style|script)\b.*?</\1>", " ", render_html(report), flags=re.DOTALL)
    written = {
        "html": html.unescape(re.sub(r"<[^>]*>", " ", page)),
        "text": render_text(report),
        "screen": render_screen(report),
        "markdown": render_markdown(report),
        "message": render_message(report),
        "csv": render_csv(report).decode("utf-8-sig"),
        "json": render_json(report).decode(),
    }
    return {name: " ".join(text.split()) for name, text in written.items()}


@pytest.mark.parametrize(
    ("made", "name"),
    [
        *(pytest.param(of_pack, name, id=name) for name in sample_names()),
        *(
            pytest.param(of_request, name, id=f"{name}, with added scopes")
            for name in ("managed-default", "legacy-open")
        ),
    ],
)
def test_every_format_has_the_same_number_of_scopes(made: Made, name: str) -> None:
    report = made(name)
    (decision,) = report.decisions
    required, found = len(decision.required_scopes), texts(made, name)
    counts = {required, *_passing(decision)}
    for form, text in found.items():
        assert {int(n) for n in re.findall(r"\b(\d+) required scopes?\b", text)} <= counts, form
        assert not re.findall(r"\b(?:[aA]ll|the) \d+ scopes?\b", text), form
    for form in ("html", "text", "markdown"):
        assert scope_count(decision.scopes) in found[form]
    scopes = next(one for one in sheets(report) if one.file == "scopes")
    kinds = [column.head for column in scopes.columns].index("Required")
    assert sum(1 for row in scopes.rows if row[kinds] == "required") == required
    written = json.loads(found["json"])["decisions"][0]["scopes"]
    assert sum(1 for one in written if one.get("required", True) and not one.get("implicit", False)) == required
    (app,) = summary_view(report).apps
    assert {one.scope for one in app.permissions} >= {one.scope for one in decision.required_scopes}


def _passing(decision: Decision) -> set[int]:
    """The heading over the scopes that don't stop users counts these only."""
    return {sum(1 for one in decision.required_scopes if one.verdict.value in ("granted", "consentable"))}


@pytest.mark.parametrize("name", sample_names())
def test_the_picture_counts_what_the_terminal_counts(name: str) -> None:
    (decision,) = of_pack(name).decisions
    found = texts(of_pack, name)
    picture = scope_count(decision.required_scopes)
    assert f"Scopes: {picture}." in found["html"]
    if "Stopped by" in found["screen"]:
        assert f"of {picture})" in found["screen"] or f"All {picture}." in found["screen"]


@pytest.mark.parametrize(
    ("optional", "implicit", "words"),
    [
        pytest.param(0, 0, "2 required scopes", id="only required ones"),
        pytest.param(1, 0, "2 required scopes and 1 optional", id="an optional one"),
        pytest.param(1, 2, "2 required scopes, 1 optional and 2 added", id="scopes that Entra adds"),
    ],
)
def test_what_the_app_can_do_without_is_never_added_up_with_what_it_requires(
    optional: int, implicit: int, words: str
) -> None:
    scopes = (
        *(excluded(f"Mail.{n}") for n in range(2)),
        *(allowed(f"Files.{n}", required=False) for n in range(optional)),
        *(allowed(f"Added.{n}", implicit=True) for n in range(implicit)),
    )
    assert scope_count(scopes) == words
    assert scope_count(()) == ""
    assert [one.requested_as for one in scopes[2 + optional :]] == [RequestedAs.IMPLICIT] * implicit
