"""Half a character, as an ill-encoded argument of the command line gives it, keeps no report from being made."""

from __future__ import annotations

from types import MappingProxyType

import msgspec
import pytest

from auditor.model.report import Evidence, Report
from auditor.model.rule import FindingOutcome
from auditor.model.snapshot import Tenant
from auditor.render import FORMATS, FormatUnavailable, must_be_available, render
from auditor.render.labels import encoded
from tests.render.parts import CONSENT_BY_LINK, finding, report
from tests.render.tracker import NEEDS_ADMIN_DECISION

HALF = "Ev\udcffil"


def with_half_a_character() -> Report:
    fix = msgspec.structs.replace(CONSENT_BY_LINK, title=HALF, opens=MappingProxyType({HALF: [HALF]}))
    app = msgspec.structs.replace(NEEDS_ADMIN_DECISION.app, name=HALF)
    decision = msgspec.structs.replace(NEEDS_ADMIN_DECISION, app=app, because=HALF, fixes=(fix,))
    found = finding(HALF, HALF, FindingOutcome.FAIL, HALF, evidence=(Evidence(path=HALF, actual=HALF),), fixes=(fix,))
    return report(decision, findings=(found,), tenant=Tenant(id=HALF, name=HALF), source=HALF, tool=HALF)


@pytest.mark.parametrize("form", list(FORMATS))
def test_every_format_is_made(form: str) -> None:
    try:
        must_be_available(form)
    except FormatUnavailable as missing:
        pytest.skip(str(missing))
    assert render(with_half_a_character(), form)


def test_the_half_is_shown_in_json_and_the_rest_is_kept() -> None:
    made = msgspec.json.decode(render(with_half_a_character(), "json"), type=Report)
    assert made.tenant.name == "Ev\\udcffil"
    assert made.decisions[0].fixes[0].link == CONSENT_BY_LINK.link


def test_nothing_else_changes() -> None:
    assert encoded({"a": MappingProxyType({"é": (1, None)})}) == '{"a":{"é":[1,null]}}'.encode()
    assert encoded({"a": [1, None, HALF]}) == b'{"a":[1,null,"Ev\\\\udcffil"]}'
