"""Your own pack is redacted: its texts have no names, and its rules check the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from auditor.jobs.redaction import UnredactableName, published_apps, redacted_packs, verdict_differences
from auditor.jobs.report_builder import build_report
from auditor.model.resources import MemberOf, User
from auditor.model.snapshot import Snapshot
from auditor.packs.load import file_source, shipped_source
from auditor.packs.pack_texts import PackText, texts_of
from auditor.redact.redactor import Redactor
from auditor.snapshot.samples import sample

replace = msgspec.structs.replace
ASSIGNED = "authorizationPolicy.defaultUserRolePermissions.permissionGrantPoliciesAssigned"
GROUPS = ("TrackerRMS", "Mail.ReadWrite", "Title", "Extends", "Severity", "list", "OWN", "Kind", "medium", "why")
PACK = f"""\
# by anna of Contoso
format: consent-auditor/pack
format-version: 1
pack: contoso-rules
version: "1.0"
title: Rules of Contoso for TrackerRMS
about: Mail.ReadWrite is asked for at Contoso
extends: trackerrms-uk
references: ["https://wiki.contoso.com/x"]
app:
  redirect-uris: ["https://connect.contoso.com/cb"]
rules:
  - id: OWN-1
    title: Severity Title Extends
    severity: medium
    why: ask anna.smith@contoso.com
    check: {{kind: list, path: {ASSIGNED}, all-of: [ManagePermissionGrantsForSelf.contoso-allow-trackerrms]}}
    fix: {{link: "https://portal.contoso.com/x", note: Contoso}}
    cases:
      - {{name: c, sample: custom-policy, expect: pass, set: {{authorizationPolicy: {{description: secret}}}}}}
  - id: OWN-2
    title: no full mailbox
    severity: high
    why: w
    check: {{kind: delegated-grants, scopes: {{microsoft-graph: [Mail.ReadWrite]}}}}
  - id: OWN-3
    title: name
    severity: low
    why: w
    check: {{kind: setting, path: organization.displayName, equals: Contoso Search & Selection}}
"""


def tenant() -> Snapshot:
    """A tenant whose groups are called like words of a pack."""
    before = sample("custom-policy")
    members = tuple(
        MemberOf(id=f"6e7d6f1a-0b1c-4d2e-8f3a-9b8c7d6e5f{i:02d}", displayName=g) for i, g in enumerate(GROUPS)
    )
    user = User(
        id="5e7d6f1a-0b1c-4d2e-8f3a-9b8c7d6e5f40",
        userPrincipalName="x@contoso.com",
        displayName="X Y",
        memberOf=members,
    )
    return replace(before, sections=replace(before.sections, users=(user,)))


def own(folder: Path, text: str, name: str = "contoso.yaml") -> PackText:
    (folder / name).write_text(text)
    return texts_of(file_source(folder / name))


def redactor(texts: list[PackText]) -> Redactor:
    apps = [text.pack.app for text in texts if text.pack.app is not None]
    return Redactor(bytes(32), tenant(), apps, published_apps(texts))


def test_words_lose_names_and_all_that_is_asked_stays(tmp_path: Path) -> None:
    text = own(tmp_path, PACK)
    (redacted,) = redacted_packs([text], found := redactor([text]))
    plain = redacted.files[0].text.decode()
    for secret in ("contoso", "anna", "secret", "comment"):
        assert secret not in plain.lower()
    document: Any = yaml.safe_load(plain)
    assert document["extends"] == "trackerrms-uk"
    assert document["pack"] == redacted.pack.name == "own-1"
    assert "TrackerRMS" in document["title"]
    assert "Mail.ReadWrite" in document["about"]
    before = {rule.id: rule for rule in text.pack.rules}
    after = {rule.id: rule for rule in redacted.pack.rules}
    assert list(before) == list(after)
    assert after["OWN-2"].check == before["OWN-2"].check
    assert [rule.severity for rule in before.values()] == [rule.severity for rule in after.values()]
    assert redacted.pack.app is not None
    assert redacted.pack.app.name == "TrackerRMS"
    assert redacted.pack.digest != text.pack.digest
    first = build_report(tenant(), [text.pack])
    second = build_report(found.snapshot, [redacted.pack])
    assert verdict_differences(first, second) == []
    assert {f.rule: f.outcome.value for f in second.findings}["OWN-3"] == "pass"


def test_two_packs_are_numbered_together_and_one_with_a_shipped_files_name_is_rewritten(tmp_path: Path) -> None:
    one = own(tmp_path, PACK)
    (tmp_path / "b").mkdir()
    two = own(tmp_path / "b", PACK.replace("contoso-rules", "second"), "trackerrms-uk.yaml")
    redacted = redacted_packs([one, texts_of(shipped_source("cisa-scuba")), two], redactor([one, two]))
    assert [text.files[0].name for text in redacted] == ["own-1.yaml", "cisa-scuba.yaml", "own-2.yaml"]
    assert [text.pack.name for text in redacted] == ["own-1", "cisa-scuba", "second"]
    assert b"contoso" not in redacted[2].files[0].text.lower()


def test_a_verdict_that_depends_on_a_name_is_reported_with_its_rule(tmp_path: Path) -> None:
    prefix = PACK.replace(
        "all-of: [ManagePermissionGrantsForSelf.contoso-allow-trackerrms]",
        "none-of: [ManagePermissionGrantsForSelf.contoso-], match: prefix",
    ).replace("expect: pass", "expect: fail")
    text = own(tmp_path, prefix)
    (redacted,) = redacted_packs([text], found := redactor([text]))
    differences = verdict_differences(
        build_report(tenant(), [text.pack]), build_report(found.snapshot, [redacted.pack])
    )
    assert differences == ["the rule OWN-1: fail with names, pass without"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("OWN-2", "CONTOSO-2", id="id"),
        pytest.param("severity: high", "severity: high\n    frameworks: {contoso-2: A}", id="framework"),
    ],
)
def test_a_rule_with_the_tenants_name_in_its_id_or_framework_is_refused(
    tmp_path: Path, before: str, after: str
) -> None:
    text = own(tmp_path, PACK.replace(before, after))
    with pytest.raises(UnredactableName, match=r"(?i)contoso-2"):
        redacted_packs([text], redactor([text]))
