"""What the program writes into the docs is what it would write today."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from auditor.facts.ids import EXCHANGE_ONLINE
from auditor.facts.permissions import PERMISSIONS
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report
from auditor.model.snapshot import Snapshot
from auditor.render import render
from auditor.snapshot.read import load, loads
from auditor.snapshot.samples import sample, sample_names
from auditor.snapshot.write import dumps
from tests.docs import app_pages, rule_pages
from tests.docs.generate import FILES, OPTIONAL_FOR, PARTS, WIDE, needed, optional, parts, renewed
from tests.docs.live import output, requests_of
from tests.docs.pages import DOCS, ROOT, fences, guides, read, title

UPDATE = bool(os.environ.get("UPDATE_DOCS"))
AGAIN = "run: UPDATE_DOCS=1 .venv/bin/python -m pytest tests/docs"
every_sample = pytest.mark.parametrize("name", sample_names())


@pytest.mark.parametrize("path", guides(), ids=title)
def test_every_generated_part_is_current(path: Path) -> None:
    text = read(path)
    fresh = renewed(text)
    if UPDATE and fresh != text:
        path.write_text(fresh, encoding="utf-8", newline="\n")
    assert UPDATE or dict(parts(text)) == dict(parts(fresh)), AGAIN


def test_every_part_is_used() -> None:
    assert {name for path in guides() for name, _ in parts(read(path))} == set(PARTS)


@pytest.mark.parametrize("name", FILES)
def test_every_generated_file_is_current(name: str) -> None:
    if UPDATE:
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_bytes(FILES[name]())
    assert (ROOT / name).read_bytes() == FILES[name](), AGAIN


def test_a_page_about_a_rule_that_is_gone_is_gone_too() -> None:
    written = {path.relative_to(ROOT).as_posix() for path in (DOCS / "rules").rglob("*") if path.is_file()}
    assert written == set(rule_pages.FILES)


def test_a_page_about_an_app_that_is_gone_is_gone_too() -> None:
    written = {path.relative_to(ROOT).as_posix() for path in (DOCS / "apps").rglob("*") if path.is_file()}
    assert written == set(app_pages.FILES)


def test_every_rule_that_ships_has_a_page() -> None:
    named = {path.rpartition("/")[2] for path in rule_pages.FILES}
    assert {f"{rule.id}.md" for pack in rule_pages.packs() for rule in pack.rules} <= named


def test_the_permissions_are_those_that_the_program_prints() -> None:
    printed = "\n".join(output("consent-auditor packs permissions"))
    for permission in needed():
        assert permission.permission in printed
        assert PERMISSIONS[permission.permission].id in printed
    assert all(permission.id not in printed for permission in optional())


def test_every_optional_permission_says_what_it_is_for() -> None:
    assert {permission.name for permission in optional()} == set(OPTIONAL_FOR)
    assert {n.permission for n in needed()} | set(OPTIONAL_FOR) | {WIDE} == set(PERMISSIONS)


def test_the_schemas_are_all_there() -> None:
    assert {path.name for path in (DOCS / "schemas").iterdir()} == {
        "abused-apps.json",
        "app.json",
        "apps-survey.json",
        "apps.json",
        "blocked.json",
        "diff.json",
        "explanation.json",
        "fleet.json",
        "history-run.json",
        "history.json",
        "night.json",
        "nightly.json",
        "fleet-tenants.json",
        "onboarding.json",
        "pack.json",
        "report.json",
        "snapshot.json",
        "waivers.json",
    }


@every_sample
def test_a_snapshot_is_what_its_schema_is_made_of(name: str) -> None:
    data = dumps(sample(name))
    assert msgspec.json.decode(data, type=Snapshot, strict=True) == sample(name) == loads(data)


@pytest.mark.parametrize("name", ["managed-default", "low-unclassified", "app-disabled", "unreadable-policies"])
def test_a_report_is_what_its_schema_is_made_of(name: str) -> None:
    report = build_report(sample(name), chosen_packs(["trackerrms-uk"]))
    assert msgspec.json.decode(render(report, "json"), type=Report, strict=True) == report


def test_every_snapshot_that_is_shown_can_be_read() -> None:
    shown = [fence.text for path in guides() for fence in fences(read(path)) if fence.language == "json"]
    snapshots = [text for text in shown if '"consent-auditor/snapshot"' in text]
    assert snapshots
    for text in snapshots:
        loads(text.encode())
    for path in sorted((DOCS / "examples").glob("*.json")):
        load(path)


def test_every_json_that_is_shown_is_json() -> None:
    for path in guides():
        for fence in fences(read(path)):
            if fence.language == "json":
                msgspec.json.decode(fence.text)


def test_the_addresses_to_copy_by_hand_are_those_that_are_read() -> None:
    shown = [fence.text for fence in fences(read(DOCS / "snapshot.md")) if fence.language == "text"]
    copied = {line.removeprefix("https://graph.microsoft.com").partition("?")[0] for line in shown[0].splitlines()}
    sent = {address.partition("?")[0] for address in requests_of("consent-auditor check --pack trackerrms-uk")}
    assert copied - sent == set()
    assert {address for address in sent - copied if EXCHANGE_ONLINE not in address} == {"/v1.0/organization"}
