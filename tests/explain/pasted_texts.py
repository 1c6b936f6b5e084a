"""Texts and addresses as people paste them: from browsers, client libraries, mails, chats and vendors' pages.

Every id, name and token in them is invented.
"""

# ruff: noqa: E501 (a text is on one line where its source had it on one)
from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

from auditor.model.explanation import TextKind

APP = "5353a3d2-8ca9-42d2-b567-ea399ccb5e38"
OTHER = "0f0f0f0f-1111-4222-8333-444444444444"
TENANT = "11111111-2222-4333-8444-555555555555"
CORRELATION = "c0de0001-aaaa-4bbb-8ccc-000000000001"
TRACE = "7ace0001-aaaa-4bbb-8ccc-000000000002"
AT = "2026-11-22T10:33:11Z"
TRAILER = f"Trace ID: {TRACE} Correlation ID: {CORRELATION} Timestamp: 2026-11-22 10:33:11Z"
JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJpbnZlbnRlZCJ9.c2lnbmF0dXJlLWludmVudGVk"
AUTH_CODE = "1.AXoAinventedInventedInventedInventedInventedInventedInvented-invented_invented.AgABBAIAAAA"
SECRETS = (JWT, AUTH_CODE, "hunter2-hunter2-hunter2")
"""What no output may contain."""

WHO = {"correlation_ids": (CORRELATION,), "trace_id": TRACE, "at": AT}
CONSENT = f"AADSTS65001: The user or administrator has not consented to use the application with ID '{APP}' named 'TrackerRMS'. Send an interactive authorization request for this user and resource."
NOT_FOUND = f"AADSTS700016: Application with identifier '{APP}' was not found in the directory 'Contoso'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
ASSIGNED = f"AADSTS50105: Your administrator has configured the application TrackerRMS ('{APP}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user 'adele@contoso.example' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application."
SERVICE = f"AADSTS650052: The app is trying to access a service '{OTHER}'(Contoso API) that your organization '{TENANT}' lacks a service principal for. Contact your IT Admin to review the configuration of your service subscriptions or consent to the application in order to create the required service principal."
CALLBACK = "https://ukevo.tracker-rms.com/Office365/CallBack"


class Case(NamedTuple):
    """A text, the codes that it names, and what it says (fields of `TextFacts`)."""

    text: str
    codes: tuple[str, ...]
    facts: Mapping[str, object] = {}
    inferred: bool = False


def of(kind: TextKind, **facts: object) -> dict[str, object]:
    """The facts of a text of this kind."""
    return {"kind": kind, **facts}


def _quoted_printable(text: str) -> str:
    encoded = text.replace("=", "=3D")
    return "=\n".join(encoded[at : at + 70] for at in range(0, len(encoded), 70))


def _wrapped(address: str, width: int = 76, mark: str = "") -> str:
    return "\n".join(mark + address[at : at + width] for at in range(0, len(address), width))


def _safe_link(address: str) -> str:
    return f"https://eur01.safelinks.protection.outlook.com/?url={quote(address, safe='')}&data=05%7C02%7Cadele%40contoso.example%7Cabc&sdata=abc%3D&reserved=0"


DENIED = f"{CALLBACK}?error=access_denied&error_subcode=cancel&state=xyz&error_description=AADSTS65004%3a+User+declined+to+consent+to+access+the+app.%0d%0aTrace+ID%3a+{TRACE}%0d%0aCorrelation+ID%3a+{CORRELATION}%0d%0aTimestamp%3a+2026-11-22+10%3a33%3a11Z&error_uri=https%3a%2f%2flogin.microsoftonline.com%2ferror%3fcode%3d65004"
AUTHORIZE = f"https://login.microsoftonline.com/common/oauth2/v2.0/authorize?client_id={APP}&response_type=code&redirect_uri={quote(CALLBACK, safe='')}&scope=openid%20offline_access%20Mail.ReadWrite&state=123"
ADMIN_CONSENT = (
    f"https://login.microsoftonline.com/{TENANT}/adminconsent?client_id={APP}&redirect_uri={quote(CALLBACK, safe='')}"
)

NUMBERS = {
    "a number": Case("90094", ("90094",), of(TextKind.CODE)),
    "a code": Case("AADSTS90094", ("90094",), of(TextKind.CODE)),
    "a code in lower case": Case("aadsts90094", ("90094",), of(TextKind.CODE)),
    "a code with a space and a colon": Case("AADSTS 90094:", ("90094",), of(TextKind.CODE)),
    "a code with a hyphen": Case("AADSTS-900941", ("900941",), of(TextKind.CODE)),
    "a code with a colon": Case("AADSTS: 50105", ("50105",), of(TextKind.CODE)),
    "the word error and a number": Case("Error 53003.", ("53003",), of(TextKind.CODE)),
    "a number after a hash": Case("#650052", ("650052",), of(TextKind.CODE)),
    "two numbers": Case("90094, 65004", ("90094", "65004"), of(TextKind.CODE)),
    "a code with typos": Case("AADST 65001", ("65001",)),
    "a code in a sentence": Case("Our users get AADSTS90095 since Monday, what is it?", ("90095",), of(TextKind.TEXT)),
    "several codes in a sentence": Case(
        "First AADSTS65001, then AADSTS90094 and again AADSTS65001.", ("65001", "90094")
    ),
    "a number in a sentence": Case("We get 90094 since Monday, for 12000 users.", ("90094",), of(TextKind.TEXT)),
    "the word code between": Case("AADSTS error code: 90093", ("90093",)),
}

PAGES = {
    "the page with an error": Case(
        f"Sign in\nSorry, but we’re having trouble signing you in.\n\n{NOT_FOUND}\n\nTroubleshooting details\nIf you contact your administrator, send this info to them.\nCopy info to clipboard\nRequest Id: {TRACE}\nCorrelation Id: {CORRELATION}\nTimestamp: {AT}\nApp name: TrackerRMS\nApp id: {APP}\nIP address: 203.0.113.7\nDevice identifier: Not available\nDevice platform: Windows 10\nDevice state: Unregistered\n\nFlag sign-in errors for review: Enable flagging",
        ("700016",),
        {"client_id": APP, "app_name": "TrackerRMS", "tenant": "Contoso", **WHO},
    ),
    "the details with a message": Case(
        f"Request Id: {TRACE}\nCorrelation Id: {CORRELATION}\nTimestamp: {AT}\nMessage: {ASSIGNED}",
        ("50105",),
        {"client_id": APP, "app_name": "TrackerRMS", "user": "adele@contoso.example", **WHO},
    ),
    "the page with values below their labels": Case(
        f"Need admin approval\nError code\n90094\nCorrelation ID\n{CORRELATION}\nTimestamp\n2026-11-22T10:33:11Z\nApp name\nTrackerRMS\nApp ID\n{APP}",
        ("90094",),
        {"client_id": APP, "app_name": "TrackerRMS", "correlation_ids": (CORRELATION,), "at": AT},
    ),
    "Need admin approval, without a code": Case(
        "adele@contoso.example\nNeed admin approval\n\nTrackerRMS\n\nTrackerRMS needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.\n\nHave an admin account? Sign in with that account\nReturn to the application without granting consent",
        ("90094",),
        {"app_name": "TrackerRMS"},
        inferred=True,
    ),
    "Approval required, without a code": Case(
        "Approval required\nTrackerRMS\nunverified\nThis app requires your admin's approval to:\nRead and write access to your mail\nEnter justification for requesting this app\nSign in with another account  Does this app look suspicious?\nCancel  Request approval",
        ("90095",),
        inferred=True,
    ),
    "a risky app": Case(
        "Need admin approval\nTrackerRMS\nThis app may be risky. If you trust this app, please ask your admin to grant you access.",
        ("900941",),
        inferred=True,
    ),
    "a policy that prevents": Case(
        "An administrator of Contoso has set a policy that prevents you from granting TrackerRMS the permissions it is requesting. Contact an administrator of Contoso, who can grant permissions to this app on your behalf.",
        ("90093",),
        {"app_name": "TrackerRMS"},
        inferred=True,
    ),
    "not authorized to grant": Case(
        "TrackerRMS is requesting one or more permissions that you are not authorized to grant. Contact an administrator, who can consent to this application on your behalf.",
        ("90093",),
        {"app_name": "TrackerRMS"},
        inferred=True,
    ),
    "You cannot access this right now": Case(
        "You cannot access this right now\nYour sign-in was successful but does not meet the criteria to access this resource. For example, you might be signing in from a browser, app, or location that is restricted by your admin.",
        ("53003",),
        inferred=True,
    ),
    "the same with its details": Case(
        f"You cannot access this right now\nTroubleshooting details\nError Code: 53003\nRequest Id: {TRACE}\nCorrelation Id: {CORRELATION}\nTimestamp: {AT}\nApp name: TrackerRMS\nApp id: {APP}\nIP address: 203.0.113.7\nDevice state: Unregistered",
        ("53003",),
        {"client_id": APP, **WHO},
    ),
    "a page in German": Case(
        f"Administratorgenehmigung erforderlich\nFehlercode: 90094\nAnforderungs-ID: {TRACE}\nKorrelations-ID: {CORRELATION}\nZeitstempel: 2026-11-22T10:33:11Z\nAnwendungsname: TrackerRMS\nAnwendungs-ID: {APP}",
        ("90094",),
        {"client_id": APP, "app_name": "TrackerRMS", **WHO},
    ),
    "a page in German without a code": Case("Administratorgenehmigung erforderlich", ("90094",), inferred=True),
    "a message in Spanish": Case(
        f"AADSTS70008: la concesión de acceso proporcionada expiró o se revocó. Id. de seguimiento: {TRACE} Id. de correlación: {CORRELATION} Marca de tiempo: 2026-11-22 10-33-11Z",
        ("70008",),
        WHO,
    ),
    "a message in Swedish": Case(
        f"AADSTS70008: den angivna åtkomsttilldelningen har förfallit. Spårnings-ID: {TRACE} korrelations-ID: {CORRELATION} tidsstämpel: 2026-11-22 10:33:11Z",
        ("70008",),
        WHO,
    ),
    "a message in French": Case(
        f"AADSTS65001 : l’utilisateur ou l’administrateur n’a pas consenti. ID de suivi : {TRACE} ID de corrélation : {CORRELATION} Horodatage : 2026-11-22 10:33:11Z",
        ("65001",),
        WHO,
    ),
    "a message in Japanese": Case(
        f"AADSTS90094: 管理者の同意が必要です。トレース ID: {TRACE} 関連付け ID: {CORRELATION} タイムスタンプ: 2026-11-22 10:33:11Z",
        ("90094",),
        WHO,
    ),
    "a sign-in of the portal": Case(
        f"Activity Details: Sign-ins\nDate\n11/22/2026, 10:33:11 AM\nRequest ID\n{TRACE}\nCorrelation ID\n{CORRELATION}\nStatus\nFailure\nSign-in error code\n65001\nFailure reason\nThe user or administrator has not consented to use the application with ID X.\nApplication\nTrackerRMS\nApplication ID\n{APP}\nUsername\nadele@contoso.example",
        ("65001",),
        {"client_id": APP, "correlation_ids": (CORRELATION,), "user": "adele@contoso.example"},
    ),
    "an app of one tenant": Case(
        f"AADSTS50194: Application '{APP}'(TrackerRMS) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such applications created after '10/15/2018'.",
        ("50194",),
        {"client_id": APP, "app_name": "TrackerRMS"},
    ),
    "an app that is disabled": Case(
        f"AADSTS7000112: Application '{APP}'(TrackerRMS) is disabled.",
        ("7000112",),
        {"client_id": APP, "app_name": "TrackerRMS"},
    ),
    "a redirect URI": Case(
        f"AADSTS50011: The redirect URI '{CALLBACK}' specified in the request does not match the redirect URIs configured for the application '{APP}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.",
        ("50011",),
        {"client_id": APP, "redirect_uri": CALLBACK},
    ),
    "a scope that doesn't exist": Case(
        "AADSTS650053: The application 'TrackerRMS' asked for scope 'Mail.Sync' that doesn't exist on the resource '00000003-0000-0000-c000-000000000000'. Contact the app vendor.",
        ("650053",),
        {"app_name": "TrackerRMS", "scopes": ("Mail.Sync",), "resource": "00000003-0000-0000-c000-000000000000"},
    ),
    "another account": Case(
        f"AADSTS50020: User account 'adele@fabrikam.example' from identity provider 'https://sts.windows.net/{OTHER}/' does not exist in tenant 'Contoso' and cannot access the application '{APP}'(TrackerRMS) in that tenant. The account needs to be added as an external user in the tenant first.",
        ("50020",),
        {"user": "adele@fabrikam.example", "tenant": "Contoso", "client_id": APP},
    ),
    "a service that wasn't found": Case(
        f"AADSTS500011: The resource principal named https://api.vendor.example was not found in the tenant named Contoso. This can happen if the application has not been installed. {TRAILER}",
        ("500011",),
        {"resource": "https://api.vendor.example", "tenant": "Contoso", **WHO},
    ),
}

PROGRAMS = {
    "the token endpoint": Case(
        f'{{"error":"invalid_grant","error_description":"{CONSENT}\\r\\nTrace ID: {TRACE}\\r\\nCorrelation ID: {CORRELATION}\\r\\nTimestamp: 2026-11-22 10:33:11Z","error_codes":[65001],"timestamp":"2026-11-22 10:33:11Z","trace_id":"{TRACE}","correlation_id":"{CORRELATION}","error_uri":"https://login.microsoftonline.com/error?code=65001","suberror":"consent_required"}}',
        ("65001",),
        {"client_id": APP, "app_name": "TrackerRMS", **WHO},
    ),
    "MSAL for Python": Case(
        f"{{'error': 'invalid_grant', 'error_description': \"{CONSENT} {TRAILER}\", 'error_codes': [65001], 'timestamp': '2026-11-22 10:33:11Z', 'trace_id': '{TRACE}', 'correlation_id': '{CORRELATION}', 'suberror': 'consent_required'}}",
        ("65001",),
        {"client_id": APP, **WHO},
    ),
    "only the list of codes": Case(
        '{"error": "interaction_required", "error_codes": [50076, 50079]}', ("50076", "50079")
    ),
    "MSAL.NET": Case(
        f'MSAL.NetCore.4.66.1.0.MsalUiRequiredException: \n\tErrorCode: invalid_grant\nMicrosoft.Identity.Client.MsalUiRequiredException: {CONSENT} {TRAILER}\n   at Microsoft.Identity.Client.OAuth2.OAuth2Client.ThrowServerException(HttpResponse response)\n\tStatusCode: 400\n\tResponseBody: {{"error":"invalid_grant","error_codes":[65001]}}',
        ("65001",),
        {"client_id": APP, **WHO},
    ),
    "azure-identity for .NET": Case(
        f"Azure.Identity.AuthenticationFailedException: ClientSecretCredential authentication failed: A configuration issue is preventing authentication - check the error message from the server for details. Original exception: AADSTS7000229: The client application {APP} is missing service principal in the tenant {TENANT}. See instructions here: https://go.microsoft.com/fwlink/?linkid=2225119 {TRAILER}",
        ("7000229",),
        WHO,
    ),
    "MSAL.js": Case(
        f"ServerError: invalid_client: 700016 - [2026-11-22 10:33:11Z]: {NOT_FOUND} - Correlation ID: {CORRELATION} - Trace ID: {TRACE}",
        ("700016",),
        WHO,
    ),
    "MSAL.js without the prefix": Case(
        f"InteractionRequiredAuthError: interaction_required: 50076 - [2026-11-22 10:33:11Z]: Due to a configuration change you must use multi-factor authentication. - Correlation ID: {CORRELATION} - Trace ID: {TRACE}",
        ("50076",),
        WHO,
    ),
    "an older MSAL for JavaScript": Case(
        f"invalid_client: Error(s): 70002 - Timestamp: 2026-11-22 10:33:11Z - Description: AADSTS70002: Error validating credentials. - Correlation ID: {CORRELATION}",
        ("70002",),
        {"correlation_ids": (CORRELATION,), "at": AT},
    ),
    "MSAL.js in the console, as JSON": Case(
        f'{{"errorCode": "invalid_client", "errorMessage": "{SERVICE} {TRAILER}", "name": "ServerError"}}',
        ("650052",),
        {"resource": OTHER, **WHO},
    ),
    "MSAL for Java": Case(
        f"com.microsoft.aad.msal4j.MsalInteractionRequiredException: {CONSENT} {TRAILER}\n\tat com.microsoft.aad.msal4j.MsalServiceExceptionFactory.fromHttpResponse(MsalServiceExceptionFactory.java:45)",
        ("65001",),
        {"client_id": APP, "app_name": "TrackerRMS", **WHO},
    ),
    "MSAL for Android": Case(
        "com.microsoft.identity.client.exception.MsalUiRequiredException: AADSTS53009: Application needs to enforce Intune protection policies.\nTimestamp: 2026-11-22 10:33:11Z",
        ("53009",),
        {"at": AT},
    ),
    "nested codes": Case(
        f"invalid_grant - AADSTS70002: Error validating credentials. AADSTS70008: The provided access grant is expired or revoked. {TRAILER}",
        ("70002", "70008"),
        WHO,
    ),
    "Outlook on Windows": Case(
        f"Something went wrong. [53003]\nMore information\nError Tag: 657rx\nError Code: 3399614467\nCorrelation ID: {CORRELATION}\nServer message: AADSTS53003: Access has been blocked by Conditional Access policies. The access policy does not allow token issuance. {TRAILER}",
        ("53003",),
        {"correlation_ids": (CORRELATION,), "at": AT},
    ),
    "Teams": Case(
        f'We\'re sorry—we\'ve run into an issue.\nError code - CAA20003; Server message: AADSTS650052: The app needs access to a service ("https://api.spaces.skype.com") that your organization "Contoso" has not subscribed to or enabled.\nTechnical details\nCorrelation id: {CORRELATION}\nTimestamp: {AT}\nDevice state: 0x80070000',
        ("650052",),
        {"correlation_ids": (CORRELATION,), "at": AT},
    ),
    "the Azure CLI": Case(
        f"AADSTS50076: Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '797f4846-ba00-4fd7-ba43-dac1f8f63013'. {TRAILER}\nInteractive authentication is needed. Please run:\naz login --tenant \"{TENANT}\"",
        ("50076",),
        WHO,
    ),
    "an entry of the sign-in log": Case(
        f'{{"id":"{TRACE}","createdDateTime":"2026-11-22T10:33:11Z","userPrincipalName":"adele@contoso.example","appId":"{APP}","appDisplayName":"TrackerRMS","correlationId":"{CORRELATION}","status":{{"errorCode":90094,"failureReason":"Admin consent is required for the permissions requested by this application."}}}}',
        ("90094",),
        {
            "client_id": APP,
            "app_name": "TrackerRMS",
            "user": "adele@contoso.example",
            "correlation_ids": (CORRELATION,),
        },
    ),
    "a row of Log Analytics": Case(
        f"TimeGenerated: 2026-11-22T10:33:11Z\nAppDisplayName: TrackerRMS\nAppId: {APP}\nResultType: 50105\nResultDescription: The signed in user is not assigned to a role for the application.\nCorrelationId: {CORRELATION}",
        ("50105",),
        {"client_id": APP, "app_name": "TrackerRMS", "correlation_ids": (CORRELATION,)},
    ),
    "a resource that isn't registered": Case(
        f"AADSTS650057: Invalid resource. The client has requested access to a resource which is not listed in the requested permissions in the client's application registration. Client app ID: {APP}(TrackerRMS). Resource value from request: https://api.vendor.example. Resource app ID: {OTHER}. List of valid resources from app registration: 00000003-0000-0000-c000-000000000000.",
        ("650057",),
        {"client_id": APP, "app_name": "TrackerRMS", "resource": OTHER},
    ),
    "permissions that don't match": Case(
        f"AADSTS65006: Resource '{OTHER}' had no entitlements matching required permissions configured on the required resource access for client '{APP}'. Requested permission IDs: 'Microsoft.AzureAD'.",
        ("65006",),
        {"client_id": APP, "resource": OTHER},
    ),
    "a service that is disabled": Case(
        f"AADSTS500014: The service principal for resource 'https://outlook.office365.com' is disabled. This indicate that a subscription within the tenant has lapsed. {TRAILER}",
        ("500014",),
        {"resource": "https://outlook.office365.com", **WHO},
    ),
    "the source of the error page": Case(
        f'$Config={{"iErrorCode":90094,"sErrTxt":"","correlationId":"{CORRELATION}","sessionId":"{TRACE}"}};',
        ("90094",),
        {"correlation_ids": (CORRELATION,)},
    ),
    "a call that Graph refused": Case(
        '{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges to complete the operation."}}',
        ("Authorization_RequestDenied",),
        inferred=True,
    ),
    "a call that the mailbox refused": Case(
        "403 ErrorAccessDenied Access is denied. Check credentials and try again.",
        ("ErrorAccessDenied",),
        inferred=True,
    ),
    "a closed window": Case(
        "BrowserAuthError: user_cancelled: User cancelled the flow.", ("user_cancelled",), inferred=True
    ),
}

ADDRESSES = {
    "Microsoft's error page": Case(
        "https://login.microsoftonline.com/error?code=90094", ("90094",), of(TextKind.ERROR_ADDRESS)
    ),
    "the error page without https": Case(
        "login.microsoftonline.com/error?code=50105", ("50105",), of(TextKind.ERROR_ADDRESS)
    ),
    "the error page of China": Case(
        "https://login.partner.microsoftonline.cn/error?code=65001", ("65001",), of(TextKind.ERROR_ADDRESS)
    ),
    "a callback with an error": Case(DENIED, ("65004",), of(TextKind.CALLBACK, errors=("access_denied",), **WHO)),
    "a callback in the fragment": Case(
        "https://app.vendor.example/auth#error=invalid_scope&error_description=AADSTS70011%3a+The+provided+value+for+the+input+parameter+%27scope%27+is+not+valid.+The+scope+Mail.Sync+is+not+valid.&state=1",
        ("70011",),
        of(TextKind.CALLBACK, scopes=("Mail.Sync",)),
    ),
    "a callback behind a route in the fragment": Case(
        "https://app.vendor.example/#/login?error=access_denied&error_description=AADSTS90094%3A%20Admin%20consent%20is%20required.",
        ("90094",),
        of(TextKind.CALLBACK),
    ),
    "a callback that shows spaces": Case(
        f"{CALLBACK}?error=access_denied&error_description=AADSTS65004: User declined to consent to access the app. {TRAILER}&state=1",
        ("65004",),
        of(TextKind.CALLBACK),
    ),
    "a callback that was encoded twice": Case(
        f"{CALLBACK}?error=access_denied&error_description=AADSTS50105%253A%2520The%2520signed%2520in%2520user",
        ("50105",),
    ),
    "a callback of a phone's app": Case(
        "msauth.com.vendor.app://auth?error=access_denied&error_description=AADSTS65004%3a+User+declined&state=1",
        ("65004",),
        of(TextKind.CALLBACK),
    ),
    "a callback of a program with one slash": Case(
        "com.vendor.app:/oauth2redirect?error=access_denied&error_description=AADSTS90094%3a+x", ("90094",)
    ),
    "a code for a phone's app": Case(
        f"msauth://com.vendor.app/auth?code={AUTH_CODE}&state=1", (), of(TextKind.CONNECTED, has_secret=True)
    ),
    "a callback on this computer": Case(
        "http://localhost:8400/?error=invalid_client&error_description=AADSTS650052%3a+The+app+is+trying", ("650052",)
    ),
    "Microsoft's own landing page": Case(
        "https://login.microsoftonline.com/common/oauth2/nativeclient?error=access_denied"
        "&error_description=AADSTS65004%3a+User+declined",
        ("65004",),
        of(TextKind.CALLBACK, redirect_uri=""),
    ),
    "the error page with the prefix": Case("https://login.microsoftonline.com/error?code=AADSTS90094", ("90094",)),
    "a callback without a description": Case(
        f"{CALLBACK}?error=access_denied&state=1", ("access_denied",), of(TextKind.CALLBACK), inferred=True
    ),
    "a callback with a suberror": Case(
        f"{CALLBACK}?error=consent_required&error_subcode=basic_action", ("consent_required",), inferred=True
    ),
    "a callback in a ticket, with HTML escapes": Case(
        f"The user lands on {DENIED.replace('&', '&amp;')} and then nothing happens.", ("65004",)
    ),
    "a callback, wrapped by a mail": Case(f"Hello,\n\n{_wrapped(DENIED)}\n\nRegards\nAdele", ("65004",), WHO),
    "a callback in a quoted mail": Case(f"> Hello,\n>\n{_wrapped(DENIED, mark='> ')}\n>\n> Regards", ("65004",), WHO),
    "a callback in the source of a mail": Case(_quoted_printable(f"Hello,\n{DENIED}\nRegards"), ("65004",)),
    "a callback behind Safe Links": Case(_safe_link(DENIED), ("65004",), of(TextKind.CALLBACK)),
    "a callback behind Safe Links twice": Case(_safe_link(_safe_link(DENIED)), ("65004",)),
    "a callback behind Proofpoint": Case(f"https://urldefense.com/v3/__{DENIED}__;JQ!!abc$", ("65004",)),
    "a callback in Markdown": Case(f"[the error]({DENIED})", ("65004",)),
    "a callback in brackets": Case(f"It fails (<{DENIED}>).", ("65004",)),
    "a callback with a secret beside": Case(f"{DENIED}&id_token={JWT}", ("65004",), {"has_secret": True}),
    "an administrator consented": Case(
        f"{CALLBACK}?admin_consent=True&tenant={TENANT}&scope=https%3A%2F%2Fgraph.microsoft.com%2FMail.ReadWrite&state=1",
        (),
        of(TextKind.CONNECTED, tenant=TENANT),
    ),
    "a sign-in that succeeded": Case(
        f"{CALLBACK}?code={AUTH_CODE}&state=1&session_state={OTHER}", (), of(TextKind.CONNECTED, has_secret=True)
    ),
    "a token in the fragment": Case(
        f"https://app.vendor.example/#access_token={JWT}&token_type=Bearer&expires_in=3599",
        (),
        of(TextKind.CONNECTED, has_secret=True),
    ),
    "an authorize address": Case(AUTHORIZE, (), of(TextKind.SIGN_IN_ADDRESS, client_id=APP)),
    "an authorize address behind Safe Links": Case(
        _safe_link(AUTHORIZE), (), of(TextKind.SIGN_IN_ADDRESS, client_id=APP)
    ),
    "an authorize address, wrapped by a mail": Case(_wrapped(AUTHORIZE), (), of(TextKind.SIGN_IN_ADDRESS)),
    "an admin consent address": Case(ADMIN_CONSENT, (), of(TextKind.SIGN_IN_ADDRESS, client_id=APP)),
    "an admin consent address in a vendor's help": Case(
        f"Ask your admin to open {ADMIN_CONSENT} and to choose Accept.", (), of(TextKind.SIGN_IN_ADDRESS, client_id=APP)
    ),
    "an error and the address that led to it": Case(
        f"{AUTHORIZE}\n\nAADSTS90094: Admin consent is required.", ("90094",), {"client_id": APP}
    ),
}

NOTHING = {
    "nothing": "",
    "a sentence": "It does not work any more.",
    "a hexadecimal code of Windows": "Error 0x80072EE7 and -2147012889",
    "another address": "https://app.vendor.example/settings?tab=2",
    "a long number": "Ticket 2026112200001234",
    "phone numbers": "Call me at 555-90094, +49 30 65001 or (020) 65004, or Tel. 65001 about the app.",
    "an invoice": "Invoice no. 65001 over 90094,00 EUR or 65004 EUR or €50105",
    "a count": "We had 65001 mails at 10:33",
    "an id of a tenant": f"Tenant 90094aaa-2222-4333-8444-900945000000 and {TENANT}",
    "a port": "connect to 10.0.0.1:50105 failed",
    "a step of the sign-in": "https://login.microsoftonline.com/common/reprocess?ctx="
    + b64encode(b"invented").decode(),
}
"""Texts that say nothing about a sign-in."""

DAMAGED = {
    "full-width letters and digits": Case("ＡＡＤＳＴＳ９００９４：管理者の承認が必要です", ("90094",)),
    "full-width digits": Case("９００９４", ("90094",), of(TextKind.CODE)),
    "Arabic digits": Case("AADSTS٩٠٠٩٤", ("90094",)),
    "a full-width colon": Case("エラー コード：90094", ("90094",)),
    "a screenshot with the letter O": Case("AADSTS9OO94: Admin consent is required", ("90094",)),
    "a screenshot with the letter l": Case("AADSTS65OOl: The user or administrator has not consented", ("65001",)),
    "a screenshot with the letter I": Case("Sorry. AADSTS5OIO5", ("50105",)),
    "a screenshot with a digit in the prefix": Case("AAD5TS90094. Admin consent is required", ("90094",)),
    "spaces between the digits": Case("AADSTS 9 0 0 9 4", ("90094",)),
    "a known code before a number": Case("AADSTS90094 1 user, AADSTS65001 2 users", ("90094", "65001")),
    "a known code before a word": Case("AADSTS90094 Is it us? AADSTS50105 so bad", ("90094", "50105")),
    "a code that a console broke": Case(
        "Connect-MgGraph : InteractiveBrowserCredential authentication failed: AADSTS6500\n1: The user or administrator has not consented",
        ("65001",),
    ),
    "a message that a mail broke": Case(
        f"AADSTS65001: The user or administrator has not consented to use the\napplication with ID '{APP}' named\n'TrackerRMS'. Send an interactive\nauthorization request. Trace ID: 7ace0001-aaaa-4bbb-8ccc-\n000000000002 Correlation ID:\n{CORRELATION}\nTimestamp: 2026-11-22\n10:33:11Z",
        ("65001",),
        {"client_id": APP, "app_name": "TrackerRMS", **WHO},
    ),
    "a message that a reply quotes": Case(
        f"> AADSTS50105: Your administrator has configured the\n> application TrackerRMS ('{APP}')\n> to block users. The signed in user\n> 'adele@contoso.example' is blocked",
        ("50105",),
        {"client_id": APP, "app_name": "TrackerRMS", "user": "adele@contoso.example"},
    ),
    "a page that text recognition broke": Case(
        "Thunderbird needs permission to access resources\nin your organization that only an\nadmin can grant.",
        ("90094",),
        {"app_name": "Thunderbird"},
        inferred=True,
    ),
    "HTML": Case(
        f"<tr><td>App name</td>\n  <td>TrackerRMS</td></tr><tr><td>App id</td><td>{APP}</td></tr><tr><td>Error Code</td><td><b>90094</b></td></tr><p>Correlation&nbsp;Id:</p><p>{CORRELATION}</p>",
        ("90094",),
        {"client_id": APP, "app_name": "TrackerRMS", "correlation_ids": (CORRELATION,)},
    ),
    "HTML in the code": Case("<span>AADSTS</span><span>650</span>01: x", ("65001",)),
    "Markdown that was escaped": Case("AADSTS\\_90094 and **AADSTS**65001", ("90094", "65001")),
    "a message in Czech": Case(
        f"AADSTS65001: x. ID trasování: {TRACE} ID korelace: {CORRELATION} Časové razítko: 2026-11-22 10:33:11Z",
        ("65001",),
        WHO,
    ),
    "a message in Finnish": Case(
        f"AADSTS65001: x. Jäljitystunnus: {TRACE} Korrelaatiotunnus: {CORRELATION} Aikaleima: 2026-11-22 10:33:11Z",
        ("65001",),
        WHO,
    ),
    "a message in Hungarian": Case(
        f"AADSTS65001: x. Nyomkövetési azonosító: {TRACE} Korrelációs azonosító: {CORRELATION} Időbélyeg: 2026-11-22 10:33:11Z",
        ("65001",),
        WHO,
    ),
    "a page in Dutch": Case(
        f"Foutcode: 90094\nAanvraag-id: {TRACE}\nCorrelatie-id: {CORRELATION}\nTijdstempel: {AT}\nApp-naam: TrackerRMS\nApp-id: {APP}",
        ("90094",),
        {"client_id": APP, "app_name": "TrackerRMS", **WHO},
    ),
    "a page in French without a code": Case("Approbation de l’administrateur requise", ("90094",), inferred=True),
    "a page in Italian without a code": Case(
        "È necessaria l'approvazione dell'amministratore", ("90094",), inferred=True
    ),
    "a page in Japanese without a code": Case("管理者の承認が必要", ("90094",), inferred=True),
    "a request in German without a code": Case(
        "Genehmigung erforderlich\nDiese App erfordert die Genehmigung Ihres Administrators:", ("90095",), inferred=True
    ),
    "Power Automate": Case(
        f'Failed to create connection: {{"error":{{"code":"ConnectionAuthorizationFailed","message":"{CONSENT}"}}}}',
        ("65001",),
        {"client_id": APP, "app_name": "TrackerRMS"},
    ),
    "the console of a browser": Case(
        f"[Sun, 22 Nov 2026 10:33:11 GMT] : [{CORRELATION}] : @azure/msal-browser@3.10.0 : Error\nUncaught (in promise) InteractionRequiredAuthError: invalid_grant: Error(s): 65001 - Timestamp: 2026-11-22 10:33:11Z - Description: {CONSENT} - Correlation ID: {CORRELATION} - Trace ID: {TRACE}",
        ("65001",),
        {"client_id": APP, "app_name": "TrackerRMS", **WHO},
    ),
    "two errors of two users": Case(
        f"A: AADSTS90094. Correlation ID: {CORRELATION}\nB: AADSTS50105. Correlation ID: {OTHER}",
        ("90094", "50105"),
        {"correlation_ids": (CORRELATION, OTHER)},
    ),
    "a number after a time": Case("10:33:11 65001 for TrackerRMS", ("65001",)),
}
"""Texts that a mail, a screenshot, a program or a language changed."""

CASES = {**NUMBERS, **PAGES, **PROGRAMS, **ADDRESSES, **DAMAGED}
