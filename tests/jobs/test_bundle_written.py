"""Every bundle that the program writes is accepted, and one that isn't redacted as it says is refused."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from auditor.jobs.audit_request import (
    TOOL,
    AuditRequest,
    GivenSnapshot,
    Redaction,
    SampleTenant,
    Source,
    app_from_options,
)
from auditor.jobs.bundle_verifier import verify
from auditor.jobs.bundle_writer import NOT_REBUILT, bundle_for
from auditor.jobs.pack_selection import all_pack_names
from auditor.model.errors import InvalidRequest
from auditor.model.snapshot import Snapshot
from auditor.snapshot.samples import sample_names
from tests.jobs.test_bundle import forged, members
from tests.redact.named_tenant import Secret, named_tenant
from tests.snapshot.strategies import SNAPSHOTS

SECRET = Secret("Zyxquorp")
REDACTED = (None, Redaction())
every_redaction = pytest.mark.parametrize("redaction", REDACTED, ids=["names", "redacted"])


pytestmark = pytest.mark.usefixtures("short_pdf")


def written(source: Source, packs: tuple[str, ...] = (), redaction: Redaction | None = None, **more: Any) -> bytes:
    return bundle_for(AuditRequest(source=source, packs=packs, redaction=redaction, **more))[0]


def objections(data: bytes) -> tuple[str, ...]:
    found = verify(data, TOOL)
    return (*found.problems, *found.differences, found.not_evaluated, found.not_verifiable)


ACCEPTED = ("", "")


@pytest.mark.parametrize("name", sample_names())
def test_a_bundle_of_every_sample_is_accepted(name: str) -> None:
    assert objections(written(SampleTenant(name), all_pack_names(), Redaction())) == ACCEPTED
    assert objections(written(SampleTenant(name), ("trackerrms-uk", "cisa-scuba"))) == ACCEPTED


@every_redaction
@pytest.mark.parametrize("pack", all_pack_names())
def test_a_bundle_by_one_pack_is_accepted(pack: str, redaction: Redaction | None) -> None:
    assert objections(written(GivenSnapshot(named_tenant(SECRET), "snapshot t.json"), (pack,), redaction)) == ACCEPTED


@every_redaction
@pytest.mark.parametrize("name", ["managed-default", "custom-policy", "unreadable-policies"])
def test_a_bundle_of_a_tenant_with_names_everywhere_is_accepted(name: str, redaction: Redaction | None) -> None:
    source = GivenSnapshot(named_tenant(SECRET, name), "live, read through Microsoft Graph")
    data = written(source, ("trackerrms-uk", "grants-hygiene"), redaction, user=SECRET.upn)
    assert objections(data) == ACCEPTED


@settings(
    max_examples=max(12, settings().max_examples // 10), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(SNAPSHOTS)
def test_a_bundle_of_any_snapshot_is_accepted(snapshot: Snapshot) -> None:
    for redaction in REDACTED:
        try:
            data = written(GivenSnapshot(snapshot, "snapshot from standard input"), ("trackerrms-uk",), redaction)
        except InvalidRequest as error:
            assert "a verdict changes if names are redacted" in str(error)
            continue
        assert objections(data) == ACCEPTED


def test_a_bundle_without_a_pdf_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    data = written(SampleTenant("managed-default"), ("trackerrms-uk",))
    assert NOT_REBUILT.isdisjoint(members(data))
    assert objections(data) == ACCEPTED


@every_redaction
def test_a_bundle_for_an_app_without_a_pack_is_accepted(redaction: Redaction | None) -> None:
    app = app_from_options(
        "5353a3d2-8ca9-42d2-b567-ea399ccb5e38",
        "Mail.Read offline_access",
        name=f"{SECRET.word} mail",
        redirect_uri=f"https://{SECRET.own}.{SECRET.slug}.com/cb",
    )
    assert (
        objections(written(GivenSnapshot(named_tenant(SECRET), "snapshot t.json"), redaction=redaction, app=app))
        == ACCEPTED
    )


OWN = f"""\
# written by {SECRET.upn}
format: consent-auditor/pack
format-version: 1
pack: {SECRET.slug}-rules
version: "1.0"
title: "Rules of {SECRET.word}: all"
about: |
  What {SECRET.first} {SECRET.last} wants,
    with a second line.
extends: ./base.yaml
references: ["https://wiki.{SECRET.slug}.com/x?a=1"]
rules:
  - id: OWN-1
    title: Ask {SECRET.upn} — also on Sundays, with a long line that any writer of YAML would break into two lines
    severity: medium
    why: '{SECRET.word}''s "policy" 1.0'
    check: {{kind: setting, path: organization.displayName, equals: {SECRET.word}}}
    fix: {{link: "https://portal.{SECRET.slug}.com/x", note: {SECRET.word}}}
"""
BASE = f"""\
format: consent-auditor/pack
format-version: 1
pack: base
version: "2026-01-01"
title: Base of {SECRET.word}
extends: trackerrms-uk
app:
  redirect-uris: ["https://connect.{SECRET.slug}.com/cb"]
"""


@every_redaction
@pytest.mark.parametrize("name", ["own.yaml", "Rules of ours.yml", "cisa-scuba.yaml", "résumé.yaml", "own-1.yaml"])
def test_a_bundle_with_your_own_packs_is_accepted(tmp_path: Path, name: str, redaction: Redaction | None) -> None:
    (tmp_path / name).write_text(OWN, encoding="utf-8")
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8", newline="\r\n")
    source = GivenSnapshot(named_tenant(SECRET), "snapshot t.json")
    data = written(source, ("eidsca", str(tmp_path / name)), redaction)
    assert objections(data) == ACCEPTED
    assert (SECRET.slug.encode() in b"".join(members(data).values()).lower()) is (redaction is None)


def test_a_pack_with_a_comment_in_a_redacted_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN.replace("./base.yaml", "trackerrms-uk"), encoding="utf-8")
    files = members(written(GivenSnapshot(named_tenant(SECRET)), (str(tmp_path / "own.yaml"),), Redaction()))
    files["packs/own-1.yaml"] += b"# ask Anna\n"
    found = verify(forged(files), TOOL)
    assert any("packs/own-1.yaml isn't as redaction writes it" in one for one in found.differences)
    assert "the sender's own text" in " ".join(found.notes)


def test_a_bundle_with_names_that_says_it_is_redacted_is_refused_with_the_fields() -> None:
    files = members(written(GivenSnapshot(named_tenant(SECRET)), ("trackerrms-uk",), user=SECRET.upn))
    files["manifest.json"] = files["manifest.json"].replace(b'"redacted": false', b'"redacted": true')
    found = " ".join(verify(forged(files), TOOL).differences)
    assert "tenant.name isn't redacted: it holds the tenant's name" in found
    assert "more fields aren't redacted either" in found
    assert "the manifest names a user" in found
    assert SECRET.slug not in found.partition("README.txt")[0].lower()
