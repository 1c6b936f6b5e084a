"""What a night says in its text and its notifications, and what it reads for that."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from auditor.model.difference import Change, ChangeKind, Transition
from auditor.model.errors import FAILING
from auditor.render.night import change_lines, text
from tests.graphserver import GraphServer
from tests.jobs.nights import Nights, assign, of, write_tenant
from tests.jobs.test_live import document_of
from tests.render.parts import TRACKER

PACKS = "packs: [trackerrms-uk]"
FIRST, SECOND = "2026-11-22T02:00:00Z", "2026-11-23T02:00:00Z"
LEAST = ("Policy.Read.All", "Policy.Read.PermissionGrant", "Directory.Read.All")


@pytest.mark.parametrize(
    ("roles", "event", "is_said"),
    [
        pytest.param((*LEAST, "ConsentRequest.Read.All"), "expiry", True, id="may read them"),
        pytest.param((*LEAST, "ConsentRequest.Read.All"), "digest", True, id="a digest is about everything"),
        pytest.param((*LEAST, "ConsentRequest.Read.All"), "failure", False, id="nobody wants to know"),
        pytest.param(LEAST, "expiry", False, id="may not read them"),
    ],
)
def test_the_end_of_a_request_for_consent_is_said_where_the_credential_may_read_requests(
    tmp_path: Path, roles: tuple[str, ...], event: str, is_said: bool
) -> None:
    waiting = {"id": "w", "status": "InProgress", "createdDateTime": "2026-10-25T02:00:00Z"}
    request = {
        "id": "q",
        "appId": TRACKER.client_id,
        "appDisplayName": TRACKER.name,
        "userConsentRequests": [waiting],
    }
    document = document_of("consent-off-workflow")
    document["sections"]["appConsentRequests"] = [request]
    with GraphServer(document, roles=roles) as server:
        nights = Nights(
            tmp_path,
            f"version: 1\ndefaults: {{{PACKS}}}\ntenants:\n  - {{tenant: {server.env()['AZURE_TENANT_ID']},"
            f" name: live, authority-host: '{server.authority}', graph-endpoint: '{server.graph}'}}\n"
            f"notify: [{{name: team, url: {{env: TEAM}}, on: [{event}]}}]\n",
            {**server.env(), "TEAM": "json://127.0.0.1:9/"},
        )
        night = nights.run(FIRST)
        asked = [one.path for one in server.requests if "appConsentRequests" in one.path]
    assert of(night, "live").exit_code == FAILING
    assert bool(asked) is is_said
    assert any("A request for admin consent to TrackerRMS" in one.body for one in nights.sent) is is_said
    with nights.history() as history:
        assert history.report("1").unread == ()


def test_what_follows_from_a_decision_does_not_repeat_its_sentence(tmp_path: Path) -> None:
    write_tenant(tmp_path / "acme.json", "legacy-open")
    nights = Nights(tmp_path, f"version: 1\ndefaults: {{{PACKS}}}\ntenants:\n  - {{name: acme, snapshot: acme.json}}\n")
    nights.run(FIRST)
    write_tenant(tmp_path / "acme.json", "legacy-open", assign())
    night = nights.run(SECOND)
    shown = text(night)
    answer = of(night, "acme").answer
    assert shown.count(answer) == 1
    decision = next(one for one in of(night, "acme").changes if one.kind == "decision")
    assert shown.count(decision.means) == 1
    assert "VENDOR-CONNECT: Users can connect the app without an administrator: new.\n" in shown


def test_the_end_of_a_longer_sentence_is_not_left_out() -> None:
    said = "Users can't connect it."
    decision = Change(
        kind=ChangeKind.DECISION, key="decision/a/m", what="Whether", transition=Transition.CHANGED, means=said
    )
    rules = [
        msgspec.structs.replace(decision, kind=ChangeKind.FINDING, key=text, what="R: rule", means=text)
        for text in (said, f"It is unknown: {said}", f"{said} The app is new.")
    ]
    lines = list(change_lines([decision, *rules]))
    assert lines == [
        f"Whether: changed. {said}",
        "R: rule: changed.",
        f"R: rule: changed. It is unknown: {said}",
        "R: rule: changed. The app is new.",
    ]


def test_many_tenants_that_fail_for_the_same_reason_have_one_paragraph(tmp_path: Path) -> None:
    write_tenant(tmp_path / "good.json", "low-classified")
    entries = "".join(f"  - {{name: t{number}, snapshot: missing.json}}\n" for number in range(6))
    nights = Nights(
        tmp_path, f"version: 1\ndefaults: {{{PACKS}}}\ntenants:\n{entries}  - {{name: good, snapshot: good.json}}\n"
    )
    shown = text(nights.run(FIRST))
    assert shown.count("No audit was made") == 1
    assert "t0, t1, t2 and 3 more\n  No audit was made: " in shown
    assert all(f"\nt{number}    3  NO AUDIT" in shown for number in range(6))
