"""Why there is no token: errors of azure-identity and Entra ID, converted to errors with advice."""

from __future__ import annotations

import re

from auditor.facts.error_codes import ADVICE, CERTIFICATE_CODES
from auditor.graph.graph_errors import CredentialError
from auditor.graph.network import NOT_MICROSOFT, NetworkSettings, advice_for, cause_of, host_of, title_suffix
from auditor.model.snapshot import NO_ANSWER, NoAnswerCause

_BY_TEXT = (
    ("Invalid tenant ID", ADVICE["900023"]),
    ("az login", "Sign in with “az login”, then try again."),
    ("Azure CLI not found", "Install the Azure CLI (“az”), or choose another way with --auth."),
    ("Timed out waiting for user", ADVICE["70020"]),
    ("authorization_declined", "The sign-in was declined: run the command again and accept it."),
    ("expired_token", ADVICE["70020"]),
    ("code_expired", ADVICE["70020"]),
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
    text = network.without_passwords(" ".join(str(getattr(error, "message", None) or error).split()))
    if found := re.search(r"AADSTS(\d+)", text):
        code = found[1]
        said = text[found.start() :]
        advice = ADVICE.get(code) or (ADVICE["700027"] if code in CERTIFICATE_CODES else _look_up(code))
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
