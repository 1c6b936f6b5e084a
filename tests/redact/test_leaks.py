"""Nothing of a tenant is left in what is sent, and what is sent is judged as the tenant was."""

from __future__ import annotations

import io
import zipfile

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import auditor
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.report_builder import build_report
from auditor.model.report import Report, Waiver, WaiverFile
from auditor.model.resources import OAuth2PermissionGrant
from auditor.model.snapshot import Snapshot
from auditor.packs.load import list_packs
from auditor.redact.redactor import Redactor
from auditor.render import FORMATS, render
from auditor.snapshot.read import loads
from auditor.snapshot.write import dumps
from tests.redact.named_tenant import Secret, named_tenant
from tests.snapshot.strategies import SNAPSHOTS

KEY = bytes(range(32))
PACKS = chosen_packs([pack.name for pack in list_packs(benchmarks=True)])
APPS = [pack.app for pack in PACKS if pack.app is not None]
FORMS = [name for name in FORMATS if name != "pdf"]
"""The PDF is converted from the HTML."""
WORDS = st.from_regex(r"\A[zqxj][bcdfghjklmnpqrstvwxz]{3}[aeiouäéø][bcdfghjklmnpqrstvwxz]{2,6}\Z")


def redactor(snapshot: Snapshot, key: bytes = KEY) -> Redactor:
    return Redactor(key, snapshot, APPS)


def outcomes(report: Report) -> object:
    return (
        [(d.outcome, d.code, d.confidence, [(s.scope, s.verdict) for s in d.scopes]) for d in report.decisions],
        sorted((f.pack, f.rule, f.outcome.value) for f in report.findings),
    )


def leaked(text: bytes, secret: Secret) -> list[str]:
    low = text.decode("utf-8").lower()
    return [one for one in secret.strings if one in low]


def unpacked(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        return b"".join(book.read(name) for name in book.namelist())


@pytest.fixture(scope="module")
def secret() -> Secret:
    return Secret("Zyxquorp")


def test_the_tenant_of_these_tests_has_its_name_everywhere(secret: Secret) -> None:
    plain = dumps(named_tenant(secret)).decode().lower()
    assert plain.count(secret.slug) > 50
    assert all(plain.count(one) for one in secret.ids.values())


def test_nothing_is_left_in_the_snapshot(secret: Secret) -> None:
    assert leaked(dumps(redactor(named_tenant(secret)).snapshot), secret) == []


@pytest.mark.parametrize("form", FORMS)
def test_nothing_is_left_in_a_report(secret: Secret, form: str) -> None:
    found = redactor(named_tenant(secret))
    report = build_report(found.snapshot, PACKS, user=found.part(secret.upn))
    data = render(report, form)
    assert leaked(unpacked(data) if form == "xlsx" else data, secret) == []


def test_the_user_who_was_asked_about_is_still_decided_for(secret: Secret) -> None:
    before = named_tenant(secret)
    found = redactor(before)
    for asked in (secret.upn, secret.upn.upper(), secret.ids["user"], secret.guest):
        first = build_report(before, PACKS, user=asked)
        second = build_report(found.snapshot, PACKS, user=found.part(asked))
        assert outcomes(first) == outcomes(second)
        assert len(second.decisions) == len(first.decisions) > 2


@given(WORDS, st.sampled_from(["custom-policy", "consent-off-workflow", "low-classified", "assignment-required"]))
@settings(max_examples=40, deadline=None)
def test_whatever_the_tenant_is_called_nothing_is_left_and_the_verdicts_are_the_same(word: str, base: str) -> None:
    secret = Secret(word)
    before = named_tenant(secret, base)
    after = redactor(before).snapshot
    assert leaked(dumps(after), secret) == []
    assert loads(dumps(after)) == after
    assert outcomes(build_report(before, PACKS)) == outcomes(build_report(after, PACKS))


@pytest.mark.parametrize("word", ["Test", "Mail", "Contoso", "Graph", "Read", "Microsoft", "IT", "A"])
def test_a_tenant_named_with_an_ordinary_word_breaks_no_verdict(word: str) -> None:
    before = named_tenant(Secret(word))
    after = redactor(before).snapshot
    assert outcomes(build_report(before, PACKS)) == outcomes(build_report(after, PACKS))
    assert after.tenant.name != word
    assert b"Mail.ReadWrite" in dumps(after)


@given(SNAPSHOTS)
@settings(max_examples=60, deadline=None)
def test_any_snapshot_is_judged_alike_before_and_after(snapshot: Snapshot) -> None:
    after = redactor(snapshot).snapshot
    assert outcomes(build_report(snapshot, PACKS)) == outcomes(build_report(after, PACKS))


def test_the_same_thing_has_the_same_token_in_every_place_and_file(secret: Secret) -> None:
    found = redactor(named_tenant(secret))
    again = redactor(named_tenant(secret, "consent-off-workflow"))
    assert found.part(secret.upn) == again.part(secret.upn.upper())
    users = found.snapshot.sections.users or ()
    grants = found.snapshot.sections.oauth2PermissionGrants or ()
    assert users[0].id in {grant.principalId for grant in grants}
    assert (found.snapshot.sections.signIns or ())[0].userPrincipalName == users[0].userPrincipalName
    assert f"users/{users[0].userPrincipalName}" in found.snapshot.unread
    assert redactor(named_tenant(secret), KEY[::-1]).part(secret.upn) != found.part(secret.upn)


def test_what_microsoft_and_vendors_publish_stays(secret: Secret) -> None:
    text = dumps(redactor(named_tenant(secret)).snapshot).decode()
    for kept in (
        *("5353a3d2-8ca9-42d2-b567-ea399ccb5e38", "00000003-0000-0000-c000-000000000000", "TrackerRMS"),
        *("microsoft-user-default-recommended", "3a124c64-7e02-4f05-b7c1-dce27f7695f5", "Microsoft Graph"),
        *("024d486e-b451-40bb-833d-3e66d98c5c73", "Mail.ReadWrite", "Consent to application", "HideApp"),
    ):
        assert kept in text, kept


def test_the_sender_can_look_every_token_up(secret: Secret) -> None:
    found = redactor(named_tenant(secret))
    assert found.originals[found.part(secret.upn)].lower() == secret.upn
    assert found.originals[found.snapshot.tenant.id] == secret.ids["tenant"]
    assert secret.word in found.originals.values()


@pytest.mark.parametrize(
    "said",
    [
        "{upn}",
        "mailto:{upn}",
        "<{UPN}>",
        "https://login.microsoftonline.com/{tenant}/x?user={upn}",
        "https%3A%2F%2F{slug}.sharepoint.com%2Fsites",
        "{user_plain} and {{{user}}}",
        "ask {first} {last} of {WORD}",
        "{slug}.onmicrosoft.com, {slug}.com, mail.{slug}.com",
    ],
)
def test_no_spelling_is_left_in_a_text(secret: Secret, said: str) -> None:
    ids = secret.ids
    text = said.format(
        upn=secret.upn,
        UPN=secret.upn.upper(),
        tenant=ids["tenant"],
        user=ids["user"].upper(),
        user_plain=ids["user"].replace("-", ""),
        slug=secret.slug,
        WORD=secret.word.upper(),
        first=secret.first,
        last=secret.last,
    )
    made = redactor(named_tenant(secret)).text(text)
    assert leaked(made.encode(), secret) == []
    assert made != text


def test_waivers_lose_who_answers_for_them_and_still_match(secret: Secret) -> None:
    file = WaiverFile(
        name=f"{secret.slug}/waivers.yaml",
        digest="d",
        waivers=(
            Waiver(rule="MS.AAD.5.1v1", reason=f"{secret.first} said so", owner=secret.first, expires="2030-01-01"),
            Waiver(rule="X", reason="r", owner="o", ticket="T-1", subject=secret.ids["own-app"], expires="2030-01-01"),
        ),
    )
    before = named_tenant(secret)
    found = redactor(before)
    redacted = found.waived(file)
    assert leaked(str(redacted).encode(), secret) == []
    first, second = build_report(before, PACKS, waivers=[file]), build_report(found.snapshot, PACKS, waivers=[redacted])
    assert outcomes(first) == outcomes(second)
    assert second.summary.waived == 1
    assert leaked(render(second, "json"), secret) == []
    assert auditor.render_report(second, "text")


def with_grant(secret: Secret, scope: str) -> Snapshot:
    """The tenant of the secret with one grant, which has this text."""
    row = OAuth2PermissionGrant(
        id="g1",
        clientId="11111111-2222-4333-8444-555555555555",
        resourceId="22222222-2222-4333-8444-555555555555",
        consentType="AllPrincipals",
        scope=scope,
    )
    tenant = named_tenant(secret)
    sections = msgspec.structs.replace(tenant.sections, oauth2PermissionGrants=(row,))
    return msgspec.structs.replace(tenant, sections=sections)


@pytest.mark.parametrize(
    "separator",
    [pytest.param(sign, id=name) for name, sign in {"comma": ",", "semicolon": ";", "encoded": "%20"}.items()],
)
def test_a_grant_that_gives_nothing_still_gives_nothing(separator: str, secret: Secret) -> None:
    before = with_grant(secret, f"User.Read{separator}{secret.word}.Read")
    after = redactor(before).snapshot
    (grant,) = after.sections.oauth2PermissionGrants or ()
    assert grant.scope.startswith(f"User.Read{separator}scope-")
    assert secret.word not in grant.scope
    assert outcomes(build_report(before, PACKS)) == outcomes(build_report(after, PACKS))


@pytest.mark.parametrize(
    "scope",
    [
        pytest.param('["User.Read","{word}.Read"]', id="a JSON list"),
        pytest.param("https://{word}.example/User.Read", id="an address"),
        pytest.param("https://graph.microsoft.com/Mail.Read https://{word}.example/{word}.Read", id="addresses"),
    ],
)
def test_a_grant_whose_names_are_malformed_stays_malformed(scope: str, secret: Secret) -> None:
    before = with_grant(secret, scope.format(word=secret.word))
    after = redactor(before).snapshot
    assert secret.word not in dumps(after).decode()
    assert outcomes(build_report(before, PACKS)) == outcomes(build_report(after, PACKS))
