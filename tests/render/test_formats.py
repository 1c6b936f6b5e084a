"""JSON, its schema, and the registry of formats."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

import auditor.render
from auditor.model.decision import GraphRequest, Steps
from auditor.model.report import Report
from auditor.render import FORMATS, UnknownFormat, render
from auditor.render.json import render as render_json
from auditor.render.json import schema as json_schema
from tests.limits import examples
from tests.render.parts import CONSENT_BY_LINK, report
from tests.render.reports import ALL, depends, empty, needs_admin
from tests.render.strategies import REPORTS
from tests.render.tracker import NEEDS_ADMIN_DECISION

FOR_OPTIONS = {"message", "terminal_screen"}
"""What ``--message`` and the screen print: options of a command, not formats."""

EVERY = pytest.mark.parametrize("name", list(ALL))


@EVERY
def test_json_gives_the_report_back(name: str) -> None:
    assert msgspec.json.decode(render_json(ALL[name]()), type=Report) == ALL[name]()


@settings(
    max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(REPORTS)
def test_json_gives_any_report_back(made: Report) -> None:
    assert msgspec.json.decode(render_json(made), type=Report) == made


@EVERY
def test_json_is_indented_and_ends_its_last_line(name: str) -> None:
    written = render_json(ALL[name]())
    assert written.startswith(b'{\n  "format": "consent-auditor/report"')
    assert written.endswith(b"}\n")


def test_json_names_every_field_even_an_empty_one() -> None:
    made = msgspec.json.decode(render_json(empty()))
    assert list(made) == list(Report.__struct_fields__)
    part = msgspec.json.decode(render_json(depends()))["unread"][1]
    assert set(part) == {"section", "status", "code", "message", "needs", "request_id"}


def test_json_writes_read_only_mappings() -> None:
    request = GraphRequest(method="PATCH", url="https://graph.microsoft.com/v1.0/x", body=MappingProxyType({"a": 1}))
    fix = msgspec.structs.replace(
        CONSENT_BY_LINK, steps=Steps(graph=(request,)), opens=MappingProxyType({"any app": ["Mail.Read"]})
    )
    made = report(msgspec.structs.replace(NEEDS_ADMIN_DECISION, fixes=(fix,)))
    assert msgspec.json.decode(render_json(made), type=Report) == made
    assert b'{"a":1}' in render(made, "text")


def test_the_schema_knows_every_key_of_a_report() -> None:
    schema = msgspec.json.decode(json_schema())
    assert schema["title"] == "consent-auditor/report, version 1"
    assert schema["$id"].endswith("/report-1.json")
    assert set(schema["$defs"]["Report"]["properties"]) == set(Report.__struct_fields__)
    assert schema["$defs"]["Outcome"]["enum"] == sorted(schema["$defs"]["Outcome"]["enum"])


@pytest.mark.parametrize("name", list(FORMATS))
def test_every_format_of_the_registry_can_be_made(name: str) -> None:
    made = render(needs_admin(), name)
    assert made.endswith(b"\n") or FORMATS[name].is_binary
    assert FORMATS[name].ending.startswith(".")


def test_options_reach_the_format() -> None:
    assert render(needs_admin(), "text", width=120) != render(needs_admin(), "text")


def test_a_report_made_from_python_names_the_program_that_judged_and_not_the_one_that_read() -> None:
    old = msgspec.structs.replace(auditor.sample("managed-default"), tool="consent-auditor 0.0.1")
    made = auditor.check(old, auditor.load_packs(["trackerrms-uk"]))
    assert made.tool == f"consent-auditor {auditor.__version__}"
    assert auditor.check(old, (), tool="mine 2").tool == "mine 2"


def test_every_module_that_renders_a_report_is_a_format() -> None:
    folder = Path(auditor.render.__file__).parent
    names = {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path.read_text("utf-8")
        for path in folder.rglob("*.py")
        if path.parent != folder or path.name != "__init__.py"
    }
    made = {name for name, text in names.items() if re.search(r"^def render\(\s*report: Report\b", text, re.MULTILINE)}
    listed = {one.module.removeprefix("auditor.render.") for one in FORMATS.values()}
    assert made - FOR_OPTIONS - listed == set(), "list them in FORMATS in auditor/render/__init__.py"
    assert listed - made == set(), "they need a function render(report)"


def test_an_unknown_format_is_reported_with_the_known_ones() -> None:
    with pytest.raises(UnknownFormat, match=f"no format 'txt'; the formats are {', '.join(FORMATS)}"):
        render(needs_admin(), "txt")


def test_a_format_is_loaded_only_when_it_is_asked_for() -> None:
    code = "import sys, auditor.render; print(*sorted(m for m in sys.modules if m in ('tabulate', 'wcwidth')))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""
