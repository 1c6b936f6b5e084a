"""Why there is no token: errors of azure-identity and Entra ID, converted to errors with advice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from auditor.graph.graph_errors import CredentialError
from auditor.graph.network import NOT_MICROSOFT, NetworkSettings, advice_for, cause_of, host_of, title_suffix
from auditor.model.snapshot import NO_ANSWER, NoAnswerCause

_TENANT = "AZURE_TENANT_ID (or --tenant) must be the tenant's id or one of its domain names."
_CLOUD = "If the tenant is in a national cloud, specify it with --cloud."

_ADVICE: Mapping[str, str] = MappingProxyType(
    {
        "7000215": (
            "AZURE_CLIENT_SECRET is not a secret of this app. It must be the secret's Value, which the portal "
            "shows only once, when the secret is created; the Secret ID next to it does not work."
        ),
        "7000222": (
            "The app's secret has expired. Create a new one (App registrations, the app, Certificates & secrets) "
            "and put its Value into AZURE_CLIENT_SECRET."
        ),
        "700016": (
            "The app AZURE_CLIENT_ID is not known in this tenant. Is the id right, is AZURE_TENANT_ID (or "
            f"--tenant) the tenant to audit, and has an admin of that tenant consented to the app? {_CLOUD}"
        ),
        "90002": f"{_TENANT} {_CLOUD}",
        "900023": _TENANT,
        "900382": f"The tenant belongs to another cloud. {_CLOUD}",
        "700027": (
            "The certificate does not belong to this app: upload its public part under App registrations, the app, "
            "Certificates & secrets, or name the file of the registered one in AZURE_CLIENT_CERTIFICATE_PATH."
        ),
        "700024": "The signed assertion has expired or is not yet valid: correct this machine's clock.",
        "700211": "The app has no federated credential with this issuer; add one (Certificates & secrets).",
        "700213": "The app has no federated credential with this subject; add one (Certificates & secrets).",
        "700212": "The federated credential must expect the audience api://AzureADTokenExchange.",
        "70021": "No federated credential of the app matches the token; issuer and subject must be equal.",
        "7000218": "The app must be allowed public client flows (Authentication), or use --auth secret.",
        "7000229": "The app has no service principal in this tenant: an admin must consent to it first.",
        "7000112": "The app is disabled in this tenant: enable it under Enterprise apps, the app, Properties.",
        "500011": f"This tenant does not know Microsoft Graph under that address. {_CLOUD}",
        "65001": "Nobody has consented to this app yet: an admin must grant its permissions.",
        "50034": "This account is not in the tenant: sign in with an account of the tenant to audit.",
        "50020": "This account is not in the tenant: sign in with an account of the tenant to audit.",
        "53003": "Conditional Access refused the sign-in: use a device and location that the policies allow.",
        "90033": "Entra ID is busy: try again in a few minutes.",
        "70020": "The code was not entered in time: run the command again and enter the new code.",
        "70018": "The code was not entered as shown: run the command again.",
    }
)
"""Advice by AADSTS code. Source: "Microsoft Entra authentication and authorization error codes"."""

_CERTIFICATES = ("700023", "700027", "700030", "7000214", "50012", "50027")

_BY_TEXT = (
    ("Invalid tenant ID", _TENANT),
    ("az login", "Sign in with “az login”, then try again."),
    ("Azure CLI not found", "Install the Azure CLI (“az”), or choose another way with --auth."),
    ("Timed out waiting for user", "The code was not entered in time: run the command again."),
    ("authorization_declined", "The sign-in was declined: run the command again and accept it."),
    ("expired_token", "The code was not entered in time: run the command again and enter the new code."),
    ("code_expired", "The code was not entered in time: run the command again and enter the new code."),
    ("No identity has been assigned", "Assign a managed identity to this machine or service."),
    (
        "has not been assigned",
        "AZURE_CLIENT_ID is not a managed identity of this machine or service; unset or correct it.",
    ),
    (
        "no response from the IMDS endpoint",
        "This is not an Azure machine with a managed identity; choose another way with --auth.",
    ),
    (
        "ManagedIdentityCredential authentication unavailable",
        "Is a managed identity assigned to this machine?",
    ),
)


def credential_error(error: Exception, authority: str, network: NetworkSettings) -> CredentialError:
    """`error` of azure-identity as our error, without trace ids and what follows them."""
    if isinstance(error, TimeoutError):
        return _no_answer(NoAnswerCause.OUT_OF_TIME, authority, network)
    text = " ".join(str(getattr(error, "message", None) or error).split())
    if found := re.search(r"AADSTS(\d+)", text):
        code = found[1]
        said = text[found.start() :]
        advice = _ADVICE.get(code) or (_ADVICE["700027"] if code in _CERTIFICATES else _look_up(code))
        return CredentialError(_first(said), advice=advice, code=f"AADSTS{code}")
    if type(error).__name__.startswith(("ServiceRequest", "ServiceResponse", "IncompleteRead")):
        return _no_answer(text, authority, network)
    if page := re.search(r"<(?:!doctype|html|head|title|body)\b.*", text, re.IGNORECASE):
        return CredentialError(
            f"{host_of(authority)} answered with a web page{title_suffix(page[0])}", advice=NOT_MICROSOFT
        )
    if any(words in text for words in ("Unexpected response", "No response content", "JSONDecodeError")):
        # Without its content, which can be anything.
        return CredentialError(
            f"{host_of(authority)} answered with something that is not a token", advice=NOT_MICROSOFT
        )
    for words, advice in _BY_TEXT:
        if words.lower() in text.lower():
            return CredentialError(_first(text), advice=advice)
    if isinstance(error, OSError):
        return CredentialError(f"{error.strerror or 'cannot be read'}: {error.filename}", advice="Check the file.")
    return CredentialError(
        _first(text) or f"no token ({type(error).__name__})",
        advice="“consent-auditor doctor” checks each step.",
    )


def _no_answer(problem: str, authority: str, network: NetworkSettings) -> CredentialError:
    cause = cause_of(problem, "the connection failed")
    return CredentialError(
        NO_ANSWER.format(host=host_of(authority), cause=cause), advice=advice_for(problem, network, authority)
    )


def _look_up(code: str) -> str:
    return f"https://login.microsoftonline.com/error?code={code} explains the code."


def _first(text: str) -> str:
    """The message without the details for Microsoft's support, at most 300 characters."""
    return re.split(r"\s*(?:Trace ID|Timestamp|Content:|Response:|To mitigate)", text)[0].strip(" '\")")[:300]
