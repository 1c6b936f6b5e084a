"""The messages that this program itself writes where it could not read a section.

`Unread.message` holds what Microsoft Graph said, or one of these texts where Graph said nothing that can be used.
They are here because redaction must recognise them: it removes every message whose wording is not known, since a
proxy or a service may have put names into it. A message that quotes something from outside, such as the title of a
proxy's web page, is therefore not here.
"""

from __future__ import annotations

from enum import StrEnum

NO_LICENCE = "needs a Microsoft Entra ID P1 or P2 licence"
REMOVED_BY_CASE = "removed by a case of a pack"
MISSING_IN_BATCH = "Graph's batch response has no answer to this request"
NOT_AN_OBJECT = "the answer inside the batch isn't a JSON object"
NO_ANSWER = "no answer from {host}: {cause}"
INVALID_JSON = "{host} answered {status} with JSON that is cut off or invalid"
NOT_JSON = "{host} answered {status} with {content_type} instead of JSON"
NOT_A_LIST = "Graph's answer for {section} is not a list"
ENDLESS_LIST = "the list of {section} leads back to a page that was already read"
UNEXPECTED_VALUE = "expected {expected}, found {found}"
MISSING_PROPERTY = "has no {name}"
BETA_ONLY_POLICY = "v1.0 doesn't list the policy {policy}, which beta returned"


class Cause(StrEnum):
    """Why no answer came (`NO_ANSWER`)."""

    UNTRUSTED = "its certificate is not trusted"
    UNKNOWN_HOST = "no such host is known here"
    NOT_LOOKED_UP = "the name could not be looked up"
    PROXY_REFUSED = "the proxy refused"
    PROXY_UNREACHABLE = "the proxy cannot be reached"
    REFUSED = "the connection was refused"
    OUT_OF_TIME = "the time for this run is over"
    TOO_SLOW = "it took too long"
    CUT_OFF = "the answer was cut off in the middle"
    BROKEN = "the connection broke"


UNREAD_MESSAGES = (
    NO_LICENCE,
    REMOVED_BY_CASE,
    MISSING_IN_BATCH,
    NOT_AN_OBJECT,
    NO_ANSWER,
    INVALID_JSON,
    NOT_JSON,
    NOT_A_LIST,
    ENDLESS_LIST,
    *(f"{{path}}: {problem}" for problem in (UNEXPECTED_VALUE, MISSING_PROPERTY, BETA_ONLY_POLICY)),
)
"""All of them. What stands in braces is filled in with ``str.format``."""
