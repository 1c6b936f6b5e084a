"""The schema of the JSON report takes what this program writes, and refuses what no version of it wrote."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import msgspec
import pytest

from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report, with_assumptions
from auditor.model.report import Report
from auditor.model.snapshot import Call, Provenance
from auditor.render.json import render
from auditor.render.json import schema as json_schema
from auditor.snapshot.samples import sample, sample_names
from tests.render.reports import ALL, needs_admin
from tests.render.test_html import hostile_with

SCHEMA = json.loads(json_schema())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def written(report: Report) -> dict[str, Any]:
    made = json.loads(render(report))
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize("name", sample_names())
def test_the_report_on_every_sample_is_taken(name: str) -> None:
    packs = chosen_packs(["trackerrms-uk", "trackerrms-us", "cisa-scuba", "grants-hygiene"])
    VALIDATOR.validate(written(build_report(sample(name), packs)))


@pytest.mark.parametrize("name", list(ALL))
def test_every_report_made_by_hand_is_taken(name: str) -> None:
    VALIDATOR.validate(written(ALL[name]()))


def test_what_is_seldom_there_is_taken() -> None:
    VALIDATOR.validate(written(hostile_with("x")))
    snapshot, packs = sample("low-unclassified"), chosen_packs(["trackerrms-uk"])
    VALIDATOR.validate(written(with_assumptions(build_report(snapshot, packs), snapshot, packs, ["setting=legacy"])))
    come_from = Provenance(calls=(Call(section="users", address="/v1.0/users"),))
    made = written(msgspec.structs.replace(needs_admin(), provenance=come_from))
    VALIDATOR.validate(made)
    assert set(made["provenance"]["calls"][0]) == set(Call.__struct_fields__)


def test_what_a_later_version_may_add_is_taken() -> None:
    VALIDATOR.validate(written(needs_admin()) | {"colour": "green"})


@pytest.mark.parametrize(
    "made",
    [
        {"tenant": {"id": ""}, "summary": {"answer": "x"}},
        written(needs_admin()) | {"format": "consent-auditor/snapshot"},
        written(needs_admin()) | {"version": 2},
        {key: value for key, value in written(needs_admin()).items() if key != "findings"},
        written(needs_admin()) | {"summary": {"answer": "x"}},
        written(needs_admin()) | {"unread": [{"section": "users"}]},
    ],
    ids=("next to nothing", "another format", "another version", "no findings", "no counts", "half a part"),
)
def test_what_is_no_report_is_refused(made: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(made)
