"""A made-up word in every text of a snapshot, in many forms: none of them is in anything that is sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

from auditor.facts.graph_values import graph_values
from auditor.model.field_types import FieldText, field_kinds
from auditor.model.snapshot import Call, Provenance, Snapshot
from auditor.redact.redactor import Redactor
from auditor.redact.word_lists import classes_in
from auditor.render import FORMATS
from auditor.snapshot.read import loads
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps, save
from tests.cli.program import run
from tests.redact.canaries import FORMS, Canaries, survivors

KEY = bytes(range(32))
replace = msgspec.structs.replace

PUBLISHED_BY_VENDORS: Mapping[str, str] = {
    "ServicePrincipal.appDisplayName": "the name that its vendor gave an app of another tenant",
    "ServicePrincipal.servicePrincipalNames": "the addresses that the vendor gave its API",
    "VerifiedPublisher.displayName": "the vendor's name, which Microsoft verified",
    "DelegatedScope.value": "a permission that the vendor's API publishes",
    "DelegatedScope.adminConsentDisplayName": "what the vendor says about its permission",
    "DelegatedScope.userConsentDisplayName": "what the vendor says about its permission",
    "AppRole.value": "a permission that the vendor's API publishes",
    "AppRole.displayName": "what the vendor says about its permission",
}
PUBLISHED_BY_MICROSOFT: Mapping[str, str] = {
    "PermissionGrantPolicy.displayName": "the name of a policy that Microsoft documents and nobody can change",
    "PermissionGrantPolicy.description": "the text of a policy that Microsoft documents and nobody can change",
}
PUBLISHED_IDS: Mapping[str, str] = {
    "ServicePrincipal.appId": "the app ID of an app of another tenant, the same in every tenant",
    "ServicePrincipal.appOwnerOrganizationId": "the tenant of the vendor",
    "DelegatedScope.id": "the ID of a permission that the vendor's API publishes",
    "DelegatedScope.value": "a permission that the vendor's API publishes",
    "AppRole.id": "the ID of a permission that the vendor's API publishes",
    "AppRole.value": "a permission that the vendor's API publishes",
}
"""All that stays of a tenant in which every text is a GUID, so that every app belongs to another tenant."""

WITHOUT_LIST = {
    "Snapshot.cloud": "a cloud's name, which this program writes",
    "AccessApplications.includeAuthenticationContextClassReferences": "c1 to c99",
}
"""Codes whose values are known without a list."""


def written(snapshot: Snapshot, folder: Path) -> Path:
    """The redacted snapshot in a file."""
    path = folder / "redacted.json"
    path.write_bytes(dumps(Redactor(KEY, snapshot).snapshot))
    return path


def test_every_text_of_a_snapshot_has_a_word() -> None:
    found = Canaries("a name")
    plain = dumps(found.struct(Snapshot)).decode().lower()
    assert [place for word, place in found.places.items() if word not in plain] == ["Snapshot.format"]
    texts = {f"{kind.__name__}.{name}" for kind in classes_in(Snapshot) for name in _texts_of(kind)}
    assert texts == {place.removesuffix(" (key)") for place in found.places.values()}


def _texts_of(kind: type) -> set[str]:
    """The fields that hold texts, or lists or mappings of them."""
    hints = get_type_hints(kind, include_extras=True)
    return {name for name, hint in hints.items() if FieldText.__name__ in str(hint)}


@pytest.mark.parametrize("form", FORMS)
def test_no_word_is_left_in_a_redacted_snapshot(form: str, tmp_path: Path) -> None:
    found = Canaries(form)
    snapshot = found.snapshot(sample("custom-policy"))
    stays = PUBLISHED_IDS if form == "a GUID" else {}
    assert set(survivors(written(snapshot, tmp_path), found.places)) == set(stays)


@pytest.mark.parametrize("form", FORMS)
def test_whoever_redacts_a_redacted_snapshot_again_changes_nothing(form: str) -> None:
    once = Redactor(KEY, Canaries(form).snapshot(sample("custom-policy"))).snapshot
    assert Redactor(KEY[::-1], once).snapshot == once


def test_of_a_vendors_app_and_a_policy_of_microsoft_stays_what_they_publish(tmp_path: Path) -> None:
    found = Canaries("a name")
    snapshot = found.snapshot(sample("custom-policy"))
    apps = tuple(
        replace(app, appOwnerOrganizationId="3c2a7f0e-1111-4222-8333-444455556666")
        for app in snapshot.sections.servicePrincipals or ()
    )
    policies = (replace((snapshot.sections.permissionGrantPolicies or ())[-1], id="microsoft-application-admin"),)
    sections = replace(snapshot.sections, servicePrincipals=apps, permissionGrantPolicies=policies)
    left = survivors(written(replace(snapshot, sections=sections), tmp_path), found.places)
    assert set(left) == {*PUBLISHED_BY_VENDORS, *PUBLISHED_BY_MICROSOFT}


def test_microsoft_documents_the_codes_of_every_field_that_holds_one() -> None:
    codes = {
        f"{kind.__name__}.{name}"
        for kind in classes_in(Snapshot)
        for name, field in field_kinds(kind).items()
        if field.text is FieldText.KEYWORD
    }
    assert codes == {*graph_values().words, *WITHOUT_LIST}


def test_a_documented_code_stays_and_any_other_is_a_token() -> None:
    calls = (Call(section="users", address="/v1.0/users"), Call(section="qzubkofmyk", address="/v1.0/users"))
    after = Redactor(KEY, replace(sample("custom-policy"), provenance=Provenance(calls=calls))).snapshot
    assert after.provenance is not None
    first, second = after.provenance.calls
    assert first.section == "users"
    assert second.section.startswith("code-")


def _with_unknown_names(document: dict[str, Any], word: Callable[[], str]) -> None:
    """Add properties, sections and reasons that the program doesn't know, as a newer Graph or a person writes them."""
    sections = document["sections"]
    for place in (document, document["tenant"], sections["organization"], sections["servicePrincipals"][0]):
        place[word()] = word()
    sections[word()] = [{"id": word()}]
    sections["organization"]["technicalNotificationMails"] = [f"{word()}@contoso.com"]
    document["unread"] = {word(): word(), f"users/{word()}": {"code": word(), "message": word(), word(): word()}}
    document["covers"] = {word(): [word()], "users": [word()]}


def test_no_unknown_name_is_left(tmp_path: Path) -> None:
    found = Canaries("a name")
    document = json.loads(dumps(sample("custom-policy")))
    _with_unknown_names(document, lambda: found.text("an unknown name"))
    assert survivors(written(loads(json.dumps(document).encode()), tmp_path), found.places) == {}


WAIVERS = """\
format: consent-auditor/waivers
format-version: 1
waivers:
  - {{rule: VENDOR-WORKFLOW, reason: {0}, owner: {1}, ticket: {2}, expires: "2099-03-31"}}
  - {{rule: VENDOR-SCOPES, subject: {3}, reason: r, owner: {1}, expires: "2099-03-31"}}
"""


@pytest.mark.parametrize("form", ["a name", "an address in a sentence"])
def test_no_word_is_left_in_anything_that_a_command_writes(form: str, tmp_path: Path) -> None:
    found = Canaries(form)
    snapshot = found.snapshot(sample("custom-policy"))
    save(snapshot, tmp_path / "tenant.json")
    words = (json.dumps(found.text(f"waivers, {number}")) for number in range(4))
    (tmp_path / "waivers.yaml").write_text(WAIVERS.format(*words))
    user = (snapshot.sections.users or ())[-1].userPrincipalName or ""
    sent = tmp_path / "sent"
    sent.mkdir()
    formats = [option for name in FORMATS if name != "pdf" for option in ("-f", name)]
    commands = [
        ("redact", "tenant.json", "-o", "sent/redacted.json"),
        (
            *("check", "--snapshot", "tenant.json", "--pack", "trackerrms-uk", "--pack", "grants-hygiene"),
            *("--user", user, "--waivers", "waivers.yaml", "--redact", "-o", "sent/", *formats),
        ),
        ("bundle", "--snapshot", "tenant.json", "--pack", "trackerrms-uk", "-o", "sent/ticket.zip"),
    ]
    for command in commands:
        done = run(*command, cwd=tmp_path)
        assert done.code in (0, 1, 4), done.session
        (sent / f"{command[0]}.out").write_text(done.out)
    assert {path.suffix for path in sent.iterdir()} >= {".zip", ".html", ".xlsx", ".csv", ".sarif", ".jsonl", ".out"}
    assert survivors(sent, found.places) == {}


def test_the_search_finds_a_word_in_every_output(tmp_path: Path) -> None:
    found = Canaries("a name")
    save(found.snapshot(sample("custom-policy")), tmp_path / "tenant.json")
    command = ("bundle", "--no-redact", "--snapshot", "tenant.json", "--pack", "trackerrms-uk", "-o", "ticket.zip")
    assert run(*command, cwd=tmp_path).code in (0, 1, 4)
    left = survivors(tmp_path / "ticket.zip", found.places)
    names = {name.rpartition("/")[2] for outputs in left.values() for name in outputs}
    assert names >= {"snapshot.json", "report.html", "report.json", "report.pdf"}
