"""One thing has one token however it is spelt, and what is published stays whatever the tenant's groups are called."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.consent.decide import decide
from auditor.model.report import Waiver, WaiverFile
from auditor.model.resources import ConsentReviewer, MemberOf, User, VerifiedDomain
from auditor.model.rule import App
from auditor.model.snapshot import Snapshot, Unread
from auditor.model.unread_messages import (
    BAD_NEXT_LINK,
    NO_ANSWER,
    UNREAD_MESSAGES,
    AnsweringService,
    NextLinkProblem,
    NoAnswerCause,
)
from auditor.packs.load import load_packs
from auditor.redact.hosts import registered
from auditor.redact.redactor import Redactor
from auditor.redact.text_folding import fold
from auditor.snapshot.samples import sample
from auditor.snapshot.write import dumps

KEY = bytes(range(32))
SHIPPED = [pack.app for pack in load_packs(["trackerrms-uk"]) if pack.app is not None]
replace = msgspec.structs.replace


def tenant(
    name: str, domains: tuple[str, ...] = ("contoso.com",), users: tuple[User, ...] = (), base: str = "custom-policy"
) -> Snapshot:
    """The sample under another name."""
    before = sample(base)
    organization = before.sections.organization
    assert organization is not None
    verified = tuple(VerifiedDomain(name=domain) for domain in domains)
    sections = replace(
        before.sections,
        organization=replace(organization, displayName=name, verifiedDomains=verified),
        users=users or before.sections.users,
    )
    return replace(before, tenant=replace(before.tenant, name=name), sections=sections)


def person(name: str, upn: str, *groups: str) -> User:
    member = tuple(
        MemberOf(id=f"6e7d6f1a-0b1c-4d2e-8f3a-9b8c7d6e5f{i:02d}", displayName=g) for i, g in enumerate(groups)
    )
    return User(
        id="5e7d6f1a-0b1c-4d2e-8f3a-9b8c7d6e5f40",
        displayName=name,
        userPrincipalName=upn,
        userType="Member",
        memberOf=member,
    )


def redactor(snapshot: Snapshot) -> Redactor:
    return Redactor(KEY, snapshot, SHIPPED, SHIPPED)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param("Anna@EY.com", "anna@ey.com", id="an address"),
        pytest.param("x@ÖK.de", "x@ök.de", id="an address with an umlaut"),
        pytest.param("see WWW.Müller.DE", "see www.müller.de", id="a host with an umlaut"),
        pytest.param("müller.de", "xn--mller-kva.de", id="a domain in ASCII form"),
        pytest.param("www.xn--mller-kva.de", "www.müller.de", id="a host in ASCII form"),
        pytest.param("фабрика.рф", "xn--80aac2ak8aza.xn--p1ai", id="a Cyrillic domain"),
    ],
)
def test_letter_case_and_the_ascii_form_of_a_domain_make_no_difference(one: str, other: str) -> None:
    found = redactor(tenant("Müller", ("EY.com", "müller.de", "ök.de", "xn--80aac2ak8aza.xn--p1ai")))
    assert found.text(one).lower() == found.text(other).lower()
    assert found.text(one) != one


def test_an_address_in_quotes_has_the_token_that_it_has_without() -> None:
    found = redactor(tenant("Contoso"))
    token = found.text("carl@contoso.com")
    assert found.text("Resource 'carl@contoso.com' does not exist") == f"Resource '{token}' does not exist"
    assert found.text("mail o'neil@contoso.com now").startswith("mail user-")
    message = (
        "Resource 'carl@contoso.com' does not exist or one of its queried reference-property objects are not present."
    )
    unread = {"users/carl@contoso.com": Unread(status=404, code="Request_ResourceNotFound", message=message)}
    after = redactor(replace(tenant("Contoso"), unread=unread)).snapshot
    assert after.unread[f"users/{token}"].message == message.replace("carl@contoso.com", token)


@pytest.mark.parametrize(
    ("name", "domain", "text"),
    [
        pytest.param("EY", "ey.com", "the EY policy", id="a short name"),
        pytest.param("SAP SE", "sap.com", "https://sap.zoom.us", id="a short name as a host"),
        pytest.param("Blue", "mail.bluecorp.co.uk", "bluecorp", id="a parent domain's name"),
        pytest.param("Blue", "mail.bluecorp.co.uk", "https://portal.bluecorp.co.uk", id="a parent domain as a host"),
        pytest.param("X", "a.qwertz.onmicrosoft.com", "qwertz-approved", id="the name under onmicrosoft.com"),
        pytest.param("X", "x.com", "https://unknown.crm4.dynamics.com", id="Dynamics"),
        pytest.param("X", "x.com", "https://unknown.azurefd.net", id="azurefd.net"),
        pytest.param("X", "x.com", "https://unknown.okta.com", id="Okta"),
        pytest.param("X", "x.com", "https://unknown.service-now.com", id="ServiceNow"),
        pytest.param("X", "x.com", "https://unknown.atlassian.net", id="Atlassian"),
    ],
)
def test_short_names_parent_domains_and_hosts_of_customers_are_found(name: str, domain: str, text: str) -> None:
    made = redactor(tenant(name, (domain,))).text(text).lower()
    for secret in ("ey", "sap", "bluecorp", "qwertz", "unknown"):
        assert f" {secret} " not in made
        assert f"/{secret}." not in made
        assert secret not in made or secret in ("ey", "sap")


def test_short_names_of_people_are_found_as_words_and_ordinary_words_are_not() -> None:
    users = (person("Tim Li", "tim@contoso.com"), person("Is Day", "day@contoso.com"))
    found = redactor(tenant("IT", ("uk.contoso.com",), users))
    assert "Li" not in found.text("ask Li")
    assert found.text("the timeline is fine in the UK, and IT is on it") == (
        "the timeline is fine in the UK, and IT is on it"
    )


PEOPLE = tuple(
    User(id=f"5e7d6f1a-0b1c-4d2e-8f3a-9b8c7d6e5f{number}", displayName=name, userPrincipalName=upn, userType="Member")
    for number, (name, upn) in enumerate(
        (
            ("Jürgen Müller-Lüdenscheidt", "hans.mueller@contoso.com"),
            ("Åse Ødegård", "aseo@contoso.com"),
            ("Pat O’Brien", "pob_fabrikam.com#EXT#@contoso.onmicrosoft.com"),
            ("Işık Łukasz Đorđević", "isik.l@contoso.com"),
            ("Jan van der Berg", "x123456@contoso.com"),
            ("Ægir Straße", "svc-backup@contoso.com"),
            ("Anna Koenigsberger", "4711234@contoso.com"),
        ),
        start=50,
    )
)
SPELLINGS = {
    "a local part": ("hans.mueller", "Hans Mueller", "HansMueller", "hans_mueller", "Hans Müller", "pob", "x123456"),
    "a local part that is a number": ("4711234",),
    "an umlaut": ("Müller", "MÜLLER", "Mueller", "Muller", "MUELLER", "Jurgen", "Juergen", "Königsberger"),
    "a spelt out letter without its mark": ("Konigsberger", "K%C3%B6nigsberger"),
    "a hyphen": ("Müller-Lüdenscheidt", "Mueller Luedenscheidt", "muellerluedenscheidt", "Lüdenscheidt"),
    "Nordic letters": (
        "Ødegård",
        "Odegard",
        "Oedegaard",
        "Oedegard",
        "Ødegaard",
        "ODEGÅRD",
        "Aase",
        "Ase",
        "Ægir",
        "Aegir",
    ),
    "a sharp s": ("Straße", "STRASSE", "strasse", "STRAẞE"),
    "an apostrophe": ("O'Brien", "O’Brien", "OBrien", "O%27Brien", "O&#39;Brien", "O&apos;Brien", "O&rsquo;Brien"),
    "a dotless i": ("Işık", "IŞIK", "ışık", "Isik", "ISIK", "İşik"),
    "strokes": ("Łukasz", "Lukasz", "Đorđević", "Dordevic", "Djordjevic"),
    "a name of several words": ("van der Berg", "vanderberg", "van-der-Berg", "Berg"),
    "percent-encoding": (
        "M%C3%BCller",
        "M%c3%bcller",
        "M%FCller",
        "%4D%C3%BCller",
        "%254D%25C3%25BCller",
        "M%75%CC%88ller",
    ),
    "HTML": (
        "M&uuml;ller",
        "M&Uuml;LLER",
        "M&#252;ller",
        "M&#xFC;ller",
        "M&uumlller",
        "M&amp;uuml;ller",
        "&Oslash;deg&aring;rd",
    ),
    "HTML and percent-encoding": ("M%26uuml%3Bller", "M&#37;C3&#37;BCller"),
    "JSON": ("M\\u00fcller", "M\\u00FCller"),
    "decomposed and full width": ("Mu\u0308ller", "Ｍüller", "Ｍｕｅｌｌｅｒ", "M\u00adüller", "O\u0308degård"),
}


@pytest.mark.parametrize("spelt", [pytest.param(texts, id=name) for name, texts in SPELLINGS.items()])
def test_a_name_is_found_however_people_and_programs_write_it(spelt: tuple[str, ...]) -> None:
    found = redactor(tenant("Contoso", users=PEOPLE))
    made = {text: found.text(f"ask {text} now") for text in spelt}
    assert {
        text: after for text, after in made.items() if not re.fullmatch(r"ask (User |user-)[0-9a-f]{10} now", after)
    } == {}


LETTERS = "abcdefghijklmnoprstuvwyzäöüßåæøéèêñçłđðþıışğčšžőűœ"
SPELLED_OUT = {ord(c): spelt for c, spelt in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ø", "oe"), ("å", "aa"))}
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "uppercase": str.upper,
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "percent-encoded": quote,
    "percent-encoded twice": lambda name: quote(quote(name)),
    "in HTML": lambda name: "".join(f"&#{ord(c)};" for c in name),
    "in JSON": lambda name: json.dumps(name)[1:-1],
    "with dashes": "-".join,
    "in ASCII": lambda name: "".join(c for c in unicodedata.normalize("NFKD", fold(name)) if c.isascii()),
    "spelled out": lambda name: name.translate(SPELLED_OUT),
}


@settings(max_examples=150, deadline=None)
@given(st.text(LETTERS, min_size=6, max_size=12).map("qx".__add__), st.sampled_from(sorted(WAYS)))
def test_any_name_is_found_in_any_spelling(name: str, way: str) -> None:
    found = redactor(tenant("Contoso", users=(person(name, "x1@contoso.com"),)))
    assert re.fullmatch(r"see (User|user)[ -][0-9a-f]{10}!", found.text(f"see {WAYS[way](name)}!"))


def test_a_decomposed_name_in_the_tenant_is_found_in_every_spelling() -> None:
    found = redactor(tenant("Contoso", users=(person("Jo\u0308rg Mu\u0308ller", "x@contoso.com"),)))
    assert "ller" not in found.text("Müller, Mueller, Muller, Mu\u0308ller")


def test_a_name_without_marks_is_found_with_them() -> None:
    found = redactor(tenant("Contoso", users=(person("Joerg Mueller", "jm77@contoso.com"),)))
    assert "ller" not in found.text("Jörg Müller, Mueller, Muller, MÜLLER")


def test_local_parts_in_free_text_are_learned_and_ordinary_words_stay() -> None:
    before = tenant("Contoso", users=PEOPLE)
    unread = {"roleDefinitions": Unread(status=403, message="ask kim.zyxler@contoso.com or support@contoso.com")}
    found = redactor(replace(before, unread=unread))
    assert "zyx" not in found.text("Kim Zyxler, kim.zyxler and Zyxler").lower()
    for text in (
        "The backup service sends mail to the support team & reads Mail.ReadWrite; see section 5 for %20 and 53003.",
        "Users can read their own mailbox settings: MailboxSettings.Read, offline_access, User.Read.",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id=a&scope=User.Read%20Mail.Read",
    ):
        assert found.text(text) == text


def test_a_guest_of_the_vendor_does_not_hide_the_vendors_addresses() -> None:
    guest = person("Vera Guest", "vera_tracker-rms.com#EXT#@contoso.onmicrosoft.com")
    host = next(uri for uri in SHIPPED[0].redirect_uris)
    assert redactor(tenant("Contoso", users=(guest,))).text(host) == host


@pytest.mark.parametrize(
    ("host", "own"),
    [
        pytest.param("mail.bluecorp.co.uk", "bluecorp.co.uk", id="under co.uk"),
        pytest.param("bluecorp.com", "bluecorp.com", id="nothing before it"),
        pytest.param("a.b.contoso.onmicrosoft.com", "contoso.onmicrosoft.com", id="under onmicrosoft.com"),
        pytest.param("contoso.mail.onmicrosoft.com", "contoso.mail.onmicrosoft.com", id="under mail.onmicrosoft.com"),
        pytest.param("local", "local", id="one label"),
    ],
)
def test_the_registered_part_of_a_host(host: str, own: str) -> None:
    assert registered(host) == own


@pytest.mark.parametrize(
    "message",
    [
        "Insufficient privileges to complete the operation.",
        "Too many requests",
        "Access is denied. Check credentials and try again.",
        "servicePrincipals[2].appId: expected text, found a number",
    ],
)
def test_known_messages_stay(message: str) -> None:
    assert said(message) == message


FILLED_IN = {
    "host": "graph.microsoft.us",
    "cause": NoAnswerCause.OUT_OF_TIME,
    "status": 200,
    "content_type": "text/html",
    "section": "servicePrincipals",
    "path": "sections.permissionGrantPolicies[2].includes[0]",
    "expected": "a list of objects",
    "found": "a list of 3",
    "name": "appId",
    "policy": "microsoft-application-admin",
    "size": 32,
    "error": "RecursionError",
    "service": AnsweringService.GRAPH,
    "seconds": 600,
    "left": 118,
    "count": 5,
    "rows": 4,
    "problem": NextLinkProblem.EMPTY,
}


@pytest.mark.parametrize("template", UNREAD_MESSAGES)
def test_every_message_that_the_program_itself_writes_stays(template: str) -> None:
    message = template.format(**FILLED_IN)
    assert said(message) == message


@pytest.mark.parametrize("problem", NextLinkProblem)
def test_every_problem_of_a_next_link_stays(problem: NextLinkProblem) -> None:
    message = BAD_NEXT_LINK.format(section="servicePrincipals", problem=problem)
    assert said(message) == message


@pytest.mark.parametrize("cause", NoAnswerCause)
def test_every_cause_of_a_missing_answer_stays(cause: NoAnswerCause) -> None:
    message = NO_ANSWER.format(host="graph.microsoft.com", cause=cause)
    assert said(message) == message


def test_a_message_of_the_program_about_another_host_does_not_stay() -> None:
    assert said(NO_ANSWER.format(host="graph.bluecorp.example", cause=NoAnswerCause.BROKEN)) == "[redacted]"


@pytest.mark.parametrize(
    "message",
    [
        "Blocked for IP 203.0.113.97 and fe80::1",
        "call +49 151 5551234",
        "device DESKTOP-ABC is not compliant",
        "LEAKHOST01.corp.local did not answer",
        "Tenant secretname not found",
        "Insufficient privileges to complete the operation. Ask Carl.",
    ],
)
def test_a_message_in_unknown_words_is_removed(message: str) -> None:
    assert said(message) == "[redacted]"


def said(message: str) -> str:
    unread = {
        "roleDefinitions": Unread(
            status=403, code="Authorization_RequestDenied", message=message, needs=("Policy.Read.All",)
        )
    }
    found = redactor(replace(tenant("Contoso"), unread=unread)).snapshot.unread["roleDefinitions"]
    assert (found.status, found.code, found.needs) == (403, "Authorization_RequestDenied", ("Policy.Read.All",))
    return found.message


def test_published_names_stay_where_a_group_has_them() -> None:
    users = (person("Carl Secretson", "carl@contoso.com", "TrackerRMS", "Mail.ReadWrite", "Title", "Extends"),)
    found = redactor(tenant("Contoso", users=users))
    text = "TrackerRMS asks for Mail.ReadWrite, and microsoft-user-default-low allows it"
    assert found.text(text) == text
    assert found.compared("Mail.ReadWrite") == "Mail.ReadWrite"
    assert found.compared("ManagePermissionGrantsForSelf.microsoft-user-default-low").endswith(
        "microsoft-user-default-low"
    )
    after = found.snapshot
    assert b"Title" not in dumps(after)


@pytest.mark.parametrize("uri", ["https://connect.zyxquorp.com/cb", "https://sap.trackerrms.com/cb"])
@pytest.mark.parametrize("registered_as", ["{uri}", "{UPPER}", "wildcard"])
def test_a_redirect_uri_with_the_tenants_name_is_replaced_on_both_sides_and_still_matches(
    uri: str, registered_as: str
) -> None:
    app = replace(SHIPPED[0], redirect_uris=(uri,))
    listed = (
        "https://*.zyxquorp.com/cb" if registered_as == "wildcard" else registered_as.format(uri=uri, UPPER=uri.upper())
    )
    if registered_as == "wildcard" and "zyxquorp" not in uri:
        listed = "https://*.trackerrms.com/cb"
    before = with_replies(tenant("Zyxquorp", ("zyxquorp.com", "sap.com")), (listed,))
    found = Redactor(KEY, before, [app], SHIPPED)
    assert "zyxquorp" not in dumps(found.snapshot).decode().lower()
    assert "//sap." not in dumps(found.snapshot).decode().lower()
    assert decide(found.snapshot, found.app(app)).outcome is decide(before, app).outcome
    assert " " not in found.app(app).redirect_uris[0]


def test_an_address_that_a_vendor_publishes_stays_even_where_the_tenant_has_the_vendors_name() -> None:
    uris = SHIPPED[0].redirect_uris
    after = redactor(with_replies(tenant("Tracker-RMS", ("tracker-rms.com",)), uris)).snapshot
    assert replies(after) == uris
    own = App(client_id=SHIPPED[0].client_id, redirect_uris=("https://app.vendor.io/cb",))
    kept = Redactor(KEY, with_replies(tenant("Contoso"), own.redirect_uris), [own]).snapshot
    assert replies(kept) == own.redirect_uris


def with_replies(snapshot: Snapshot, uris: tuple[str, ...]) -> Snapshot:
    principals = tuple(
        replace(one, replyUrls=uris) if one.appId == SHIPPED[0].client_id else one
        for one in snapshot.sections.servicePrincipals or ()
    )
    return replace(snapshot, sections=replace(snapshot.sections, servicePrincipals=principals))


def replies(snapshot: Snapshot) -> tuple[str, ...] | None:
    (one,) = (p for p in snapshot.sections.servicePrincipals or () if p.appId == SHIPPED[0].client_id)
    return one.replyUrls


def test_what_is_redacted_already_stays_as_it_is() -> None:
    before = tenant("Zyxquorp", ("zyxquorp.com",), (person("Tim Li", "Tim@ZYXQUORP.com", "Mail.ReadWrite"),))
    policy = before.sections.authorizationPolicy
    request = before.sections.adminConsentRequestPolicy
    assert policy is not None
    assert policy.defaultUserRolePermissions is not None
    assert request is not None
    assigned = replace(policy.defaultUserRolePermissions, permissionGrantPoliciesAssigned=("LeakPrefix.own-policy",))
    sections = replace(
        before.sections,
        authorizationPolicy=replace(policy, defaultUserRolePermissions=assigned),
        adminConsentRequestPolicy=replace(
            request, reviewers=(ConsentReviewer(query="/users/Tim@zyxquorp.com", queryType="MicrosoftGraph"),)
        ),
    )
    once = redactor(replace(before, sections=sections)).snapshot
    assert redactor(once).snapshot == once


def test_a_redacted_waiver_for_an_unknown_subject_contains_no_name() -> None:
    file = WaiverFile(
        name="secret/waivers.yaml",
        digest="d",
        waivers=(
            Waiver(rule="X", reason="r", owner="o", subject="secret thing", pack="Ours", expires="2030-01-01"),
            Waiver(rule="X", reason="r", owner="o", subject="Mail.ReadWrite", expires="2030-01-01"),
        ),
    )
    redacted = redactor(tenant("Contoso")).waived(file, 2, {"ours": "own-1"})
    assert "secret" not in str(redacted)
    assert (redacted.name, redacted.waivers[0].pack, redacted.waivers[1].subject) == (
        "waivers-2.yaml",
        "own-1",
        "Mail.ReadWrite",
    )
    assert redacted.digest != file.digest
    assert redacted == redactor(tenant("Contoso")).waived(replace(file, digest="e"), 2, {"ours": "own-1"})


def test_an_assumption_names_no_policy_of_the_tenant() -> None:
    found = redactor(tenant("Contoso"))
    policy = next(p.id for p in found.snapshot.sections.permissionGrantPolicies or () if p.id.startswith("policy-"))
    assert found.assumption("setting=contoso-allow-trackerrms") == f"setting={policy}"
    assert found.assumption("setting=low") == "setting=low"
    assert found.assumption("granted=Mail.Read User.Read") == "granted=Mail.Read User.Read"
    assert "secret" not in found.assumption("setting=secret@contoso.com")
