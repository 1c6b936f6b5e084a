"""Requests as people paste them: scope strings and addresses of consent pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.consent.requested_scopes import RequestError, app_from_scopes, scope_needs
from auditor.consent.sign_in_address import request_from_url
from auditor.facts.ids import (
    DATAVERSE,
    EXCHANGE_ONLINE,
    MICROSOFT_GRAPH,
    POWER_APPS,
    POWER_AUTOMATE,
    POWER_BI,
    SHAREPOINT_ONLINE,
)
from auditor.model.rule import RequestMode

CLIENT = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
AUTHORIZE = f"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id={CLIENT}"


@pytest.mark.parametrize(
    ("text", "resource", "value"),
    [
        pytest.param("Mail.Read", MICROSOFT_GRAPH, "Mail.Read", id="no prefix"),
        pytest.param("https://graph.microsoft.com/Mail.Read", MICROSOFT_GRAPH, "Mail.Read", id="Graph"),
        pytest.param("https://graph.microsoft.us/Mail.Read", MICROSOFT_GRAPH, "Mail.Read", id="Graph of a government"),
        pytest.param(
            "https://outlook.office.com/EWS.AccessAsUser.All", EXCHANGE_ONLINE, "EWS.AccessAsUser.All", id="Outlook"
        ),
        pytest.param(
            "https://outlook.office365.com/IMAP.AccessAsUser.All",
            EXCHANGE_ONLINE,
            "IMAP.AccessAsUser.All",
            id="Outlook of Office 365",
        ),
        pytest.param(
            "api://AB12CD34-ef56-4789-a0b1-c2d3e4f5a612/Orders.Read",
            "ab12cd34-ef56-4789-a0b1-c2d3e4f5a612",
            "Orders.Read",
            id="an app id",
        ),
        pytest.param(
            "https://vault.example/user_impersonation", "https://vault.example", "user_impersonation", id="any address"
        ),
        pytest.param(
            "https://analysis.windows.net/powerbi/api/Report.Read.All", POWER_BI, "Report.Read.All", id="Power BI"
        ),
        pytest.param(
            "https://contoso.sharepoint.com/AllSites.Read", SHAREPOINT_ONLINE, "AllSites.Read", id="a SharePoint tenant"
        ),
        pytest.param(
            "https://contoso.crm4.dynamics.com/user_impersonation",
            DATAVERSE,
            "user_impersonation",
            id="a Dataverse region",
        ),
        pytest.param("https://service.powerapps.com/User", POWER_APPS, "User", id="Power Apps"),
        pytest.param(
            "https://service.flow.microsoft.com/Flows.Read.All", POWER_AUTOMATE, "Flows.Read.All", id="Power Automate"
        ),
        pytest.param(
            "https://sharepoint.com.evil.example/AllSites.Read",
            "https://sharepoint.com.evil.example",
            "AllSites.Read",
            id="a forged SharePoint",
        ),
    ],
)
def test_the_prefix_of_a_scope_names_its_resource(text: str, resource: str, value: str) -> None:
    (need,) = scope_needs(text)
    assert (need.resource, need.value) == (resource, value)


def test_scopes_are_split_at_any_white_space_and_asked_once() -> None:
    needs = scope_needs(" openid\tMail.Read\n mail.read  https://graph.microsoft.com/MAIL.READ ")
    assert [need.value for need in needs] == ["openid", "Mail.Read"]


def test_a_list_of_scopes_with_default_and_another_is_refused_as_entra_refuses_it() -> None:
    with pytest.raises(RequestError, match="AADSTS70011"):
        scope_needs("https://graph.microsoft.com/.default Mail.Read")


@pytest.mark.parametrize(
    ("scopes", "codes"),
    [
        pytest.param("https://graph.microsoft.com/.default Mail.Read", ["AADSTS70011"], id="of the same resource"),
        pytest.param(
            "https://graph.microsoft.com/.default https://outlook.office.com/SMTP.Send",
            ["AADSTS70011"],
            id="of another",
        ),
        pytest.param("https://graph.microsoft.com/.default openid offline_access", [], id="of a sign-in"),
    ],
)
def test_default_beside_another_scope_is_a_fault_that_entra_refuses(scopes: str, codes: list[str]) -> None:
    """MSAL.js issue 1718; "Scopes and permissions": static and dynamic consent can't be combined."""
    app = app_from_scopes(CLIENT, scopes)
    assert [fault.code for fault in app.faults] == codes
    assert (app.mode, app.default_resources) == (RequestMode.DEFAULT, (MICROSOFT_GRAPH,))


def test_an_authorize_address_gives_app_scopes_redirect_uri_and_prompt() -> None:
    request = request_from_url(
        f"{AUTHORIZE}&scope=openid%20offline_access%20Mail.ReadWrite&prompt=consent"
        "&redirect_uri=https%3A%2F%2Fukevo.tracker-rms.com%2FOffice365%2FCallBack&state=secret"
    )
    assert request.app.client_id == CLIENT
    assert [need.value for need in request.app.scopes] == ["openid", "offline_access", "Mail.ReadWrite"]
    assert request.app.redirect_uris == ("https://ukevo.tracker-rms.com/Office365/CallBack",)
    assert request.app.prompt_consent
    assert request.app.mode is RequestMode.DYNAMIC
    assert request.tenant == ""


def test_an_adminconsent_address_means_the_registered_permissions_of_its_tenant() -> None:
    request = request_from_url(f"https://login.microsoftonline.com/contoso.com/adminconsent?client_id={CLIENT}")
    assert (request.app.mode, request.app.scopes, request.tenant) == (RequestMode.REGISTERED, (), "contoso.com")


def test_what_a_mail_or_ticket_does_to_an_address_is_undone() -> None:
    torn = f"<{AUTHORIZE}&amp;scope=Mail.Read%20\n  Mail.Send&amp;state=x>"
    assert [need.value for need in request_from_url(torn).app.scopes] == ["Mail.Read", "Mail.Send"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        pytest.param(
            "https://example.com/oauth2/v2.0/authorize?client_id=x",
            "not an address of Microsoft's sign-in page",
            id="another site",
        ),
        pytest.param("https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "no client_id", id="no query"),
        pytest.param(AUTHORIZE, "no scope", id="no scope"),
        pytest.param(
            "https://login.microsoftonline.com/common/reprocess?client_id=" + CLIENT,
            "not a page that asks for consent",
            id="another page",
        ),
        pytest.param(
            "https://login.microsoftonline.com/common/adminconsent?client_id=12345",
            "not a client ID",
            id="a malformed client id",
        ),
        pytest.param("", "not an address of Microsoft's sign-in page", id="nothing"),
        pytest.param(
            "https://[login.microsoftonline.com/", "not an address of Microsoft's sign-in page", id="a broken address"
        ),
    ],
)
def test_anything_else_is_refused_with_what_to_paste_instead(text: str, hint: str) -> None:
    with pytest.raises(RequestError, match=hint):
        request_from_url(text)


@given(st.text())
def test_no_text_makes_the_reader_of_addresses_fail_in_another_way(text: str) -> None:
    for candidate in (text, f"https://login.microsoftonline.com/{text}", f"{AUTHORIZE}&scope={text}"):
        try:
            request_from_url(candidate)
        except RequestError as error:
            assert str(error)
