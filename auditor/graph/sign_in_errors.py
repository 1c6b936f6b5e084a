"""Why there is no token: errors of azure-identity and Entra ID, converted to errors with advice."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from auditor.facts.sign_in_codes import LOOK_UP, certificate_codes, credential_advice
from auditor.graph.graph_errors import CredentialError, Throttled, class_name
from auditor.graph.network import NOT_MICROSOFT, NetworkSettings, advice_for, cause_of, host_of, text_of, title_suffix
from auditor.graph.retry import RETRIED_STATUSES, RetryPolicy
from auditor.model.unread_messages import LIBRARY_FAILED, NO_ANSWER, AnsweringService, NoAnswerCause

# Advice by the words of an error without a code, or the code whose advice it has.
_BY_TEXT = (
    ("Invalid tenant ID", "AADSTS900023"),
    ("az login", "Sign in with “az login”, then try again."),
    (
        "Azure CLI not found",
        "Install the Azure CLI (“az”), or choose another way with --auth, or with auth: in a configuration.",
    ),
    ("Timed out waiting for user", "AADSTS70020"),
    ("authorization_declined", "The sign-in was declined: run the command again and accept it."),
    ("expired_token", "AADSTS70020"),
    ("code_expired", "AADSTS70020"),
    ("No identity has been assigned", "Assign a managed identity to this machine or service."),
    (
        "has not been assigned",
        "AZURE_CLIENT_ID is not a managed identity of this machine or service; unset or correct it.",
    ),
    (
        "no response from the IMDS endpoint",
        "This is not an Azure machine with a managed identity; choose another way with --auth, or with auth: in a"
        " configuration.",
    ),
    (
        "ManagedIdentityCredential authentication unavailable",
        "Is a managed identity assigned to this machine?",
    ),
)


_WITH_CONTEXT = re.compile(r"\bssl:(?:<[^>]*>|\w+)")
"""What aiohttp says of TLS in every message about a connection, whatever the problem is."""


def credential_error(error: Exception, authority: str, network: NetworkSettings) -> CredentialError:
    """`error` of azure-identity as our error, without trace ids and what follows them."""
    if isinstance(error, TimeoutError):
        return _no_answer(NoAnswerCause.OUT_OF_TIME, authority, network)
    text = _WITH_CONTEXT.sub("", network.without_passwords(text_of(error)))
    if found := re.search(r"AADSTS(\d+)", text):
        code = found[1]
        said = text[found.start() :]
        advice = _advice_for(code)
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
            return CredentialError(_first(text), advice=credential_advice(advice.removeprefix("AADSTS")) or advice)
    if isinstance(error, OSError):
        place = f": {error.filename}" if error.filename else ""
        return CredentialError(f"{error.strerror or 'cannot be read'}{place}", advice="Check the file.")
    # Only these say what is wrong in words for people; any other message may quote the request, and with it the secret.
    is_worded = isinstance(error, ValueError) or type(error).__module__.startswith("azure.")
    return CredentialError(
        (_first(text) if is_worded and not isinstance(error, UnicodeError) else "")
        or LIBRARY_FAILED.format(host=host_of(authority), error=class_name(error)),
        advice="“consent-auditor doctor” checks each step.",
    )


def throttling_hook(retry: RetryPolicy, *, keeps_waiting: bool) -> Callable[[Any], None]:
    """The hook for each response of the sign-in service, which raises `Throttled` if it asks to wait.

    azure-core itself would wait, for as long as it is asked to and without a word, and fail for a date that it can't
    read. So a header that asks for nothing is removed. With `keeps_waiting`, azure-core may wait within the time of the
    run: a person who enters a code must not get another code.
    """

    def check(response: Any) -> None:
        answer = response.http_response
        if answer.status_code not in RETRIED_STATUSES:
            return
        asked = retry.retry_after({name.lower(): value for name, value in answer.headers.items()})
        if asked is not None and not (keeps_waiting and retry.allows(asked)):
            raise Throttled(AnsweringService.SIGN_IN, host_of(answer.request.url), asked, retry.remaining())
        for name in ("retry-after-ms", "x-ms-retry-after-ms", *(() if asked else ("Retry-After",))):
            answer.headers.pop(name, None)

    return check


def _no_answer(problem: str, authority: str, network: NetworkSettings) -> CredentialError:
    cause = cause_of(problem, "the connection failed")
    return CredentialError(
        NO_ANSWER.format(host=host_of(authority), cause=cause), advice=advice_for(problem, network, authority)
    )


def _advice_for(code: str) -> str:
    if advice := credential_advice(code) or (credential_advice("700027") if code in certificate_codes() else ""):
        return advice
    return f"{LOOK_UP.format(code=code)} explains the code."


def _first(text: str) -> str:
    """The message without the details for Microsoft's support, at most 300 characters."""
    return re.split(r"\s*(?:Trace ID|Timestamp|Content:|Response:|To mitigate)", text)[0].strip(" '\")")[:300]
