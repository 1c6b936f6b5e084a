"""What the answer of the sign-in in a customer's tenant means, and what the customer is sent."""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import jsonschema
import msgspec
import pytest

from auditor.checks.kind import plan_for
from auditor.checks.required_reads import permissions_for
from auditor.facts.sign_in_codes import sign_in_codes
from auditor.graph.access_tokens import TokenClaims
from auditor.history import History, open_history
from auditor.jobs.audit_request import SILENT, Redaction
from auditor.jobs.customer_consents import TokenAnswer, judge, onboard
from auditor.jobs.fleet_onboarding import redacted_onboarding
from auditor.jobs.pack_selection import chosen_packs
from auditor.jobs.secret_references import Secrets
from auditor.jobs.seen_consents import Earlier
from auditor.model.configuration import CredentialEntry, OnboardingSettings, SecretKind, SecretRef, TenantEntry
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN
from auditor.model.onboarding import ConsentStatus, Onboarding, OnboardingProblem, ProblemKind
from auditor.render.message import MOST_IN_MAILTO
from auditor.render.onboarding import FORMATS, as_text, render_onboarding, schema
from tests.packaging.tree import ROOT

PACKS = ("trackerrms-uk",)
NEEDED = permissions_for(plan_for(chosen_packs(PACKS)))
ROLES = tuple(one.permission for one in NEEDED)
CLIENT = "c1000000-0000-4000-8000-000000000001"
TENANTS = tuple(f"a{number}000000-0000-4000-8000-00000000000{number}" for number in range(6))
ENVIRON = {"AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": "a~secret", "AZURE_TENANT_ID": TENANTS[0]}
SETTINGS = OnboardingSettings(provider="Fabrikam IT")
NOW, LATER = "2026-11-28T03:00:00Z", "2026-12-24T03:00:00Z"
HAD_ALL = Earlier("2026-11-20T02:00:00Z", frozenset(ROLES))
HAD_NONE_NEEDED = Earlier("2026-11-20T02:00:00Z", frozenset({"User.Read.All"}))


def token(roles: Sequence[str], tenant: str = TENANTS[0]) -> TokenAnswer:
    return TokenAnswer(TokenClaims(tenant_id=tenant, app_id=CLIENT, roles=tuple(roles)))


def refused(code: str) -> TokenAnswer:
    return TokenAnswer(error=f"{code}: what Entra says", advice="what to do", code=code)


def entry(number: int, name: str, **more: object) -> TenantEntry:
    return TenantEntry(name=name, tenant=TENANTS[number], packs=PACKS, **more)  # type: ignore[arg-type]


def asked(
    answers: dict[str, TokenAnswer],
    history: History | None = None,
    now: str = NOW,
    environ: dict[str, str] | None = None,
) -> Onboarding:
    """The consent of customers with these answers."""
    entries = [entry(number, name) for number, name in enumerate(answers)]
    return onboard(
        entries,
        SETTINGS,
        lambda live: [answers[one.name] for one in live],
        secrets=Secrets(ENVIRON if environ is None else environ),
        taken=now,
        history=history,
    )


NO_CLAIMS = TokenAnswer(TokenClaims())
PERSON = TokenAnswer(TokenClaims(tenant_id=TENANTS[0], user="admin@contoso.example", scopes=ROLES))
WIDER = tuple("Directory.Read.All" if role == "DelegatedPermissionGrant.Read.All" else role for role in ROLES)


@pytest.mark.parametrize(
    ("answer", "earlier", "status"),
    [
        pytest.param(token(ROLES), None, ConsentStatus.CONSENTED, id="all roles"),
        pytest.param(token((*ROLES, "Mail.Read")), None, ConsentStatus.CONSENTED, id="more than all roles"),
        pytest.param(token(WIDER), None, ConsentStatus.CONSENTED, id="a wider role in place of one"),
        pytest.param(token([one.upper() for one in ROLES]), None, ConsentStatus.CONSENTED, id="roles in another case"),
        pytest.param(token(ROLES[1:]), None, ConsentStatus.PARTLY, id="a role is missing"),
        pytest.param(token(ROLES[1:]), HAD_ALL, ConsentStatus.PARTLY, id="a role was taken back"),
        pytest.param(token(()), None, ConsentStatus.PARTLY, id="no role yet"),
        pytest.param(token(()), HAD_ALL, ConsentStatus.LOST, id="every role was taken back"),
        pytest.param(token(()), HAD_NONE_NEEDED, ConsentStatus.PARTLY, id="only other roles before"),
        pytest.param(refused("AADSTS700016"), None, ConsentStatus.NOT_YET, id="not found"),
        pytest.param(refused("AADSTS7000229"), None, ConsentStatus.NOT_YET, id="no service principal"),
        pytest.param(refused("AADSTS700016"), HAD_ALL, ConsentStatus.LOST, id="not found any more"),
        pytest.param(refused("AADSTS7000229"), HAD_ALL, ConsentStatus.LOST, id="no service principal any more"),
        pytest.param(refused("AADSTS7000112"), HAD_ALL, ConsentStatus.DISABLED, id="turned off"),
        pytest.param(refused("AADSTS90002"), HAD_ALL, ConsentStatus.NO_TENANT, id="no such tenant"),
        pytest.param(refused("AADSTS900023"), None, ConsentStatus.NO_TENANT, id="not a tenant"),
        pytest.param(refused("AADSTS7000215"), HAD_ALL, ConsentStatus.UNKNOWN, id="our secret is wrong"),
        pytest.param(refused("AADSTS700027"), None, ConsentStatus.UNKNOWN, id="our certificate is wrong"),
        pytest.param(refused("AADSTS5000225"), HAD_ALL, ConsentStatus.UNKNOWN, id="a blocked tenant"),
        pytest.param(refused("AADSTS123456789"), HAD_ALL, ConsentStatus.UNKNOWN, id="an unknown code"),
        pytest.param(TokenAnswer(error="no answer"), HAD_ALL, ConsentStatus.UNKNOWN, id="no answer"),
        pytest.param(NO_CLAIMS, HAD_ALL, ConsentStatus.UNKNOWN, id="a token that can't be decoded"),
        pytest.param(PERSON, None, ConsentStatus.UNKNOWN, id="the token of a person"),
        pytest.param(token(ROLES, TENANTS[1]), None, ConsentStatus.UNKNOWN, id="a token of another tenant"),
    ],
)
def test_the_answer_decides_the_status(answer: TokenAnswer, earlier: Earlier | None, status: ConsentStatus) -> None:
    judged = judge(TENANTS[0], NEEDED, answer, earlier)
    assert judged.status is status
    assert judged.says.endswith(".")
    assert bool(judged.reason) is (status is ConsentStatus.UNKNOWN)


def test_no_code_of_the_sign_in_is_taken_for_a_consent_and_few_for_a_refusal() -> None:
    found = {code: judge(TENANTS[0], NEEDED, refused(f"AADSTS{code}"), None).status for code in sign_in_codes()}
    known = {code for code, status in found.items() if status is not ConsentStatus.UNKNOWN}
    assert known == {"700016", "7000229", "700011", "7000112", "90002", "900023", "50128"}
    assert ConsentStatus.CONSENTED not in found.values()


def test_partly_names_what_is_missing_and_what_was_taken_back() -> None:
    judged = judge(TENANTS[0], NEEDED, token(ROLES[2:]), Earlier(NOW, frozenset(ROLES[1:])))
    assert (judged.missing, judged.lost) == (ROLES[:2], ROLES[1:2])
    assert f"It had {ROLES[1]}, last seen 2026-11-28." in judged.says


def test_what_a_customer_had_is_kept_until_it_loses_it(tmp_path: Path) -> None:
    with open_history(str(tmp_path / "history.db")) as history:
        before = asked({"contoso": refused("AADSTS700016")}, history)
        given = asked({"contoso": token(ROLES)}, history)
        partly = asked({"contoso": token(ROLES[1:])}, history, LATER)
        again = asked({"contoso": token(ROLES[1:])}, history, LATER)
        lost = asked({"contoso": refused("AADSTS700016")}, history, "2027-01-02T03:00:00Z")
        still = asked({"contoso": refused("AADSTS7000229")}, history, "2027-02-02T03:00:00Z")
        other_app = {**ENVIRON, "AZURE_CLIENT_ID": "c2000000-0000-4000-8000-000000000002"}
        new = asked({"contoso": refused("AADSTS700016")}, history, environ=other_app)
        assert history.said("", TENANTS[0])[0].ended == LATER
    statuses = [one.customers[0].status.value for one in (before, given, partly, lost, still, new)]
    assert statuses == ["not-yet", "consented", "partly", "lost", "lost", "not-yet"]
    assert (partly.customers[0].lost, partly.customers[0].consented) == (ROLES[:1], NOW)
    assert again.customers[0].lost == ROLES[:1] and NOW[:10] in again.customers[0].says
    assert (lost.customers[0].consented, lost.customers[0].lost) == (LATER, tuple(sorted(ROLES[1:])))


def test_one_answer_for_all_says_what_needs_you_first_and_our_own_fault_once(tmp_path: Path) -> None:
    answers = {
        "aa": token(ROLES, TENANTS[0]),
        "bb": refused("AADSTS7000215"),
        "cc": refused("AADSTS7000215"),
        "dd": refused("AADSTS7000229"),
        "ee": TokenAnswer(error="no answer from login.example: timed out", advice="Check the network."),
        "ff": token(ROLES[1:], TENANTS[5]),
    }
    found = asked(answers)
    assert [one.name for one in found.customers] == ["ff", "dd", "bb", "cc", "ee", "aa"]
    assert [(one.kind.value, one.code, one.customers) for one in found.problems] == [
        ("own", "AADSTS7000215", ("bb", "cc")),
        ("tenant", "", ("ee",)),
    ]
    assert found.answer == (
        "1 of 3 customers that could be asked have consented; 1 only partly, 1 not yet. 3 of 6 could not be asked."
    )
    assert found.exit_code == FAILING
    text = render_onboarding(found, "text").decode()
    assert text.count("AADSTS7000215: what Entra says") == 1
    rows = list(csv.DictReader(io.StringIO(render_onboarding(found, "csv").decode("utf-8-sig"))))
    assert [row["message"] for row in rows] == [one.message.text if one.message else "" for one in found.customers]
    for form in FORMATS:
        assert render_onboarding(found, form)
    jsonschema.validate(msgspec.json.decode(render_onboarding(found, "json")), schema())


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        pytest.param([token(ROLES), token(ROLES, TENANTS[1])], OK, id="all"),
        pytest.param([token(ROLES), refused("AADSTS700016")], FAILING, id="one not"),
        pytest.param([refused("AADSTS7000215"), refused("AADSTS700016")], FAILING, id="one not and one unknown"),
        pytest.param([refused("AADSTS7000215"), token(ROLES, TENANTS[1])], UNKNOWN, id="one unknown"),
        pytest.param([refused("AADSTS7000215"), refused("AADSTS7000215")], NO_AUDIT, id="none could be asked"),
    ],
)
def test_exit_codes(answers: list[TokenAnswer], code: int) -> None:
    assert asked({f"customer-{number}": one for number, one in enumerate(answers)}).exit_code == code


def test_a_list_that_could_not_be_read_makes_the_answer_incomplete() -> None:
    problem = OnboardingProblem(kind=ProblemKind.LIST, text="gdap:partner could not be read", advice="Ask again.")
    found = asked({"aa": token(ROLES)})
    assert msgspec.structs.replace(found, problems=(problem,)).exit_code == UNKNOWN


def test_snapshots_need_no_consent_and_are_not_asked() -> None:
    entries = [TenantEntry(name="acme", snapshot="acme.json", packs=PACKS)]
    found = onboard(entries, SETTINGS, lambda live: [], secrets=Secrets(ENVIRON), taken=NOW)
    assert (found.summary.customers, found.not_asked, found.exit_code) == (0, ("acme",), NO_AUDIT)
    assert "lists no live tenant" in found.answer


def test_a_secret_that_is_not_set_is_our_own_fault_and_nobody_is_asked() -> None:
    missing = CredentialEntry(client_id=CLIENT, secret=SecretRef(kind=SecretKind.ENVIRONMENT, name="CONTOSO_SECRET"))
    entries = [entry(0, "aa", credential=missing), entry(1, "bb", credential=missing)]
    found = onboard(
        entries, SETTINGS, lambda live: [] if not live else pytest.fail("asked"), secrets=Secrets({}), taken=NOW
    )
    (problem,) = found.problems
    assert (problem.kind, problem.customers) == (ProblemKind.OWN, ("aa", "bb"))
    assert "CONTOSO_SECRET" in problem.text


def test_the_link_asks_for_everything_that_the_app_registered_and_holds_nothing_secret() -> None:
    (one,) = asked({"contoso": refused("AADSTS700016")}).customers
    parts = urlsplit(one.link)
    assert (parts.netloc, parts.path) == ("login.microsoftonline.com", f"/{TENANTS[0]}/v2.0/adminconsent")
    assert parse_qs(parts.query) == {
        "client_id": [CLIENT],
        "scope": ["https://graph.microsoft.com/.default"],
        "redirect_uri": ["https://entra.microsoft.com/TokenAuthorize"],
        "state": ["consent-auditor"],
    }


def test_a_link_of_a_national_cloud_is_of_its_hosts() -> None:
    entries = [entry(0, "agency", cloud="us-gov")]
    answers = [refused("AADSTS700016")]
    found = onboard(entries, SETTINGS, lambda live: answers, secrets=Secrets(ENVIRON), taken=NOW)
    assert found.customers[0].link.startswith("https://login.microsoftonline.us/")
    assert "scope=https%3A%2F%2Fgraph.microsoft.us%2F.default" in found.customers[0].link


def test_the_message_says_what_who_why_and_how_to_take_it_back() -> None:
    (one,) = asked({"contoso": refused("AADSTS700016")}).customers
    assert one.message is not None
    assert one.message.subject == "Please approve consent-auditor of Fabrikam IT in contoso"
    for part in (
        f"Please open this link and accept:\n{one.link}",
        "Sign in as: Privileged Role Administrator or Global Administrator of contoso.",
        *(f"* {role}: " for role in ROLES),
        "Fabrikam IT checks whether your users can connect TrackerRMS",
        "Properties > Delete. Access ends when the last token expires",
    ):
        assert part in one.message.text
    assert one.role == "Privileged Role Administrator or Global Administrator"
    assert one.message.mailto.startswith("mailto:?subject=Please%20approve")
    mail = unquote(one.message.mailto)
    assert len(one.message.mailto) <= MOST_IN_MAILTO
    for part in (one.link, "Sign in as: ", *ROLES, "Access ends when the last token expires"):
        assert part in mail


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        pytest.param(token(ROLES[1:]), f"{ROLES[0]} isn't approved.", id="partly"),
        pytest.param(refused("AADSTS7000112"), "set Enabled for users to sign-in to Yes", id="turned off"),
        pytest.param(refused("AADSTS7000215"), "Please open this link and accept:", id="unknown, and never seen"),
        pytest.param(token(ROLES), "", id="consented"),
        pytest.param(refused("AADSTS90002"), "", id="no such tenant"),
    ],
)
def test_each_status_has_its_message(answer: TokenAnswer, says: str) -> None:
    (one,) = asked({"contoso": answer}).customers
    assert (one.message is not None) is bool(says)
    assert says in (one.message.text if one.message else "")


def test_who_had_consented_is_not_asked_again_because_our_secret_is_wrong(tmp_path: Path) -> None:
    with open_history(str(tmp_path / "history.db")) as history:
        asked({"contoso": token(ROLES)}, history)
        (one,) = asked({"contoso": refused("AADSTS7000222")}, history, LATER).customers
    assert (one.status, one.consented, one.message) == (ConsentStatus.UNKNOWN, NOW, None)


def test_hostile_names_stay_on_their_line() -> None:
    name = "evil\nSubject: x\x1b[31m\u202e"
    settings = OnboardingSettings(provider=name, app_name=name)
    found = onboard(
        [entry(0, name)], settings, lambda live: [refused("AADSTS700016")], secrets=Secrets(ENVIRON), taken=NOW
    )
    (one,) = found.customers
    assert one.message is not None
    for text in (one.message.subject, one.message.text, render_onboarding(found, "text").decode()):
        assert "\x1b" not in text
        assert "\nSubject: x" not in text
        assert "\u202e" not in text


def test_the_page_about_fleets_shows_what_the_command_prints(tmp_path: Path) -> None:
    others = {f"customer-{number}": number for number in range(10, 47)}
    entries = [entry(0, "contoso"), entry(1, "northwind"), entry(2, "wingtip")]
    entries += [TenantEntry(name=name, tenant=f"{name}.example", packs=PACKS) for name in others]
    last = [refused("AADSTS700016"), token(ROLES[:2] + ROLES[3:], TENANTS[1]), refused("AADSTS7000229")]
    with open_history(str(tmp_path / "history.db")) as history:
        for now, first, number in (("2026-11-20T03:00:00Z", [token(ROLES)], 1), (NOW, last, len(entries))):
            answers = [*first, *(token(ROLES, "b0000000-0000-4000-8000-000000000000") for _ in others)]
            found = onboard(
                entries[:number],
                SETTINGS,
                lambda live, answers=answers: answers[: len(live)],  # type: ignore[misc]
                secrets=Secrets(ENVIRON),
                taken=now,
                history=history,
            )
    shown = textwrap.indent(as_text(found, width=80, whole=False).decode(), "    ", lambda line: bool(line.strip()))
    assert f"```text\n{shown}    ```" in (ROOT / "docs/fleet.md").read_text(encoding="utf-8")


def test_one_registration_that_no_tenant_knows_gets_a_hint() -> None:
    nobody = asked({"aa": refused("AADSTS700016"), "bb": refused("AADSTS700016")})
    assert "AzureADMultipleOrgs" in nobody.notes[0]
    assert asked({"aa": refused("AADSTS700016"), "bb": token(ROLES, TENANTS[1])}).notes == ()


def test_redacted_customers_are_tokens_and_their_links_and_messages_are_left_out(tmp_path: Path) -> None:
    answers = {"contoso": refused("AADSTS700016"), "fabrikam": TokenAnswer(error="no answer from contoso.example")}
    found = asked(answers)
    key = str(tmp_path / "key.txt")
    redacted = redacted_onboarding(found, Redaction(key), SILENT)
    again = redacted_onboarding(found, Redaction(key), SILENT)
    assert redacted == again
    for form in FORMATS:
        text = render_onboarding(redacted, form).decode("utf-8-sig")
        for secret in ("contoso", "fabrikam", "Fabrikam IT", TENANTS[0], CLIENT):
            assert secret not in text.replace("consent-auditor", "")
    assert redacted.summary == found.summary


def test_the_message_to_a_customer_holds_no_word_of_another_one() -> None:
    words = ["kingfisher", "sandpiper", "oystercatcher"]
    answers = {
        words[0]: refused("AADSTS700016"),
        words[1]: token(ROLES[1:], TENANTS[1]),
        words[2]: refused("AADSTS7000229"),
    }
    customers = asked(answers).customers
    for one in customers:
        assert one.message is not None
        sent = f"{one.message.subject} {one.message.text} {unquote(one.message.mailto)} {one.link}".lower()
        assert one.name in sent and one.tenant in sent
        others = [word for other in customers if other is not one for word in (other.name, other.tenant)]
        assert [word for word in others if word in sent] == []
