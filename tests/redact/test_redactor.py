"""A redacted snapshot gives the same verdicts and holds no name of the tenant."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

import auditor
from auditor.apps.consent_events import consent_events
from auditor.apps.stopped_users import blocked
from auditor.facts.audit_activities import all_activities, drifts_by_property
from auditor.model.access_resources import AppConsentRequest, ConfigurationDrift, DirectoryAudit, DriftedProperty
from auditor.model.resources import ServicePrincipal
from auditor.model.snapshot import Snapshot
from auditor.redact.redactor import Redactor
from auditor.redact.tokens import REDACTED
from auditor.render import FORMATS
from auditor.snapshot.samples import sample_names
from auditor.snapshot.write import dumps
from tests.snapshot.strategies import SNAPSHOTS

KEY = bytes(range(32))
PACKS = ("trackerrms-uk", "cis-m365", "cisa-scuba", "eidsca", "grants-hygiene", "microsoft-recommended")
READABLE = [name for name in FORMATS if name not in ("pdf", "xlsx")]


@pytest.mark.parametrize("name", sample_names())
def test_the_redacted_sample_is_judged_alike_and_no_format_names_the_tenant(name: str) -> None:
    packs = auditor.load_packs(PACKS)
    before = auditor.sample(name)
    after = Redactor(KEY, before, [pack.app for pack in packs if pack.app]).snapshot
    first, second = auditor.check(before, packs), auditor.check(after, packs)
    assert [(d.outcome, d.code) for d in first.decisions] == [(d.outcome, d.code) for d in second.decisions]
    assert sorted((f.rule, f.outcome) for f in first.findings) == sorted((f.rule, f.outcome) for f in second.findings)
    assert b"contoso" not in dumps(after).lower()
    for form in READABLE:
        made = auditor.render_report(second, form).lower()
        assert b"contoso" not in made, form
        assert before.tenant.id.encode() not in made, form


@pytest.mark.parametrize("name", sample_names())
def test_every_code_of_a_sample_is_documented(name: str) -> None:
    made = dumps(Redactor(KEY, auditor.sample(name)).snapshot).decode()
    assert re.findall(r"\b(?:code|microsoft|tag)-[0-9a-f]{10}", made) == []


@pytest.mark.parametrize("name", sample_names())
def test_redacting_again_changes_nothing(name: str) -> None:
    once = Redactor(KEY, auditor.sample(name)).snapshot
    assert Redactor(KEY, once).snapshot == once


def test_what_says_when_something_changed_stays_readable() -> None:
    log = tuple(DirectoryAudit(activityDisplayName=name) for name in all_activities())
    drifts = tuple(
        ConfigurationDrift(resourceType=of, status="active", driftedProperties=(DriftedProperty(propertyName=name),))
        for of, name in drifts_by_property()
    )
    snapshot = auditor.sample("managed-default")
    sections = replace(snapshot.sections, directoryAudits=log, configurationDrifts=drifts)
    made = Redactor(KEY, replace(snapshot, sections=sections)).snapshot.sections
    assert (made.directoryAudits, made.configurationDrifts) == (log, drifts)


def test_the_state_of_a_request_for_consent_stays_readable_and_the_people_in_it_do_not() -> None:
    stage = {"reviewResult": "Denied", "status": "Completed", "reviewedBy": {"displayName": "Ada Byron"}}
    request = {
        "status": "InProgress",
        "createdDateTime": "2026-11-18T15:07:19.73Z",
        "completedDateTime": None,
        "createdBy": {"user": {"displayName": "Alex Wilber", "mail": "alexw@contoso.com"}},
        "approval": {"stages": [stage]},
    }
    snapshot = auditor.sample("managed-default")
    sections = replace(
        snapshot.sections, appConsentRequests=(AppConsentRequest(appId="a", userConsentRequests=(request,)),)
    )
    made = Redactor(KEY, replace(snapshot, sections=sections)).snapshot.sections.appConsentRequests
    assert made is not None
    (row,) = made[0].userConsentRequests
    assert {**row, "createdBy": None, "approval": None} == {**request, "createdBy": None, "approval": None}
    assert row["approval"]["stages"][0] == {**stage, "reviewedBy": {"displayName": REDACTED}}
    assert not {"wilber", "contoso"} & set(re.findall(r"\w+", str(row).lower()))


def test_the_log_says_the_same_about_consents_and_stopped_users_without_the_names() -> None:
    plain = auditor.sample("stopped-users")
    redactor = Redactor(KEY, plain)
    made = redactor.snapshot
    before, after = consent_events(plain), consent_events(made)
    said = [[(e.result, e.is_admin_consent, e.is_for_all, e.scopes) for e in events] for events in (before, after)]
    assert len(before) == 10 and said[0] == said[1]
    one, other = blocked(plain, with_fixes=False), blocked(made, with_fixes=False)
    assert one.summary == other.summary
    numbers = [[(a.users, a.stopped, a.waiting, a.refused, a.now.outcome) for a in x.apps] for x in (one, other)]
    assert sorted(numbers[0], key=str) == sorted(numbers[1], key=str)
    text = dumps(made).decode().lower()
    assert not [name for name in ("relecloud", "priya", "grace@", "candidates", "approved product") if name in text]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param('"Contoso Payroll"', id="a name"),
        pytest.param("[] => [[Id: x, ClientId: y, Scope: Payroll.Read of Contoso]]; ", id="a scope of the tenant"),
        pytest.param('["Mail.Read", "Ada Lovelace"]', id="a list with a name"),
    ],
)
def test_a_value_of_the_log_with_a_word_of_the_tenant_is_removed(value: str) -> None:
    target = {"modifiedProperties": [{"displayName": "ConsentAction.Permissions", "newValue": value}]}
    log = (DirectoryAudit(activityDisplayName="Consent to application", targetResources=(target,)),)
    snapshot = auditor.sample("managed-default")
    made = Redactor(KEY, replace(snapshot, sections=replace(snapshot.sections, directoryAudits=log))).snapshot
    assert "[redacted]" in dumps(made).decode()
    assert not [word for word in ("Contoso", "Payroll", "Lovelace") if word in dumps(made).decode()]


def test_a_known_abused_app_stays_recognizable_even_if_nobody_knows_its_owner() -> None:
    exporter = "ff8d92dc-3d82-41d6-bcbd-b9174d163620"
    apps = (
        ServicePrincipal(id="one", appId=exporter, displayName="Zyxquorp mail", appDisplayName="PerfectData Software"),
        ServicePrincipal(id="two", appId="854189f9-4c71-44bb-9880-dd0c2f75922a", displayName="iLSMART"),
        ServicePrincipal(id="three", appId="1e69a9f6-bb18-452a-baba-b4650ff21882", displayName="Zyxquorp again"),
    )
    snapshot = auditor.sample("managed-default")
    sections = replace(snapshot.sections, servicePrincipals=apps)
    made = Redactor(KEY, replace(snapshot, sections=sections)).snapshot.sections.servicePrincipals
    assert made is not None
    assert [one.appId for one in made] == [one.appId for one in apps]
    assert made[0].appDisplayName == "PerfectData Software" and made[1].displayName == "iLSMART"
    assert "zyxquorp" not in str(made).lower()


def test_the_key_decides_the_tokens() -> None:
    snapshot = auditor.sample("managed-default")
    assert Redactor(KEY, snapshot).snapshot == Redactor(KEY, snapshot).snapshot
    assert Redactor(KEY, snapshot).snapshot.tenant != Redactor(KEY[::-1], snapshot).snapshot.tenant


@pytest.mark.parametrize(
    "text", ["CONTOSO TALENT", "Contoso%20Talent", "contoso-talent", "x@contosotalent.onmicrosoft.com"]
)
def test_spellings_of_the_tenant_are_found_in_texts(text: str) -> None:
    assert "contoso" not in Redactor(KEY, auditor.sample("managed-default")).text(f"see {text} now").lower()


@settings(max_examples=25, deadline=None)
@given(SNAPSHOTS)
def test_any_snapshot_can_be_redacted(snapshot: Snapshot) -> None:
    assert dumps(Redactor(KEY, snapshot).snapshot)
