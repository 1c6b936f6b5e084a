"""The messages that this program itself writes into `Unread.message`, where Graph said nothing that can be used.

Redaction must recognize them: it removes every message whose wording isn't known, since a proxy or a service may have
put names into it. A message that quotes something from outside, such as the title of a proxy's web page, is
therefore not among them.
"""

from __future__ import annotations

from enum import StrEnum

NO_LICENSE = "needs a Microsoft Entra ID P1 or P2 license"
NOT_IN_CLOUD = "Microsoft Graph doesn't have it in this cloud"
REMOVED_BY_CASE = "removed by a case of a pack"
MISSING_IN_BATCH = "Graph's batch response has no answer to this request"
NOT_AN_OBJECT = "the answer inside the batch isn't a JSON object"
NO_STATUS = "the answer inside the batch has no valid status"
ANSWERED_TWICE = "Graph's batch response has two answers to this request"
BATCH_REFUSED = "{host} refused the batch of this request with status {status}"
NOT_A_BATCH = "{host} answered the batch of this request with something that is not a batch"
NO_ANSWER = "no answer from {host}: {cause}"
INVALID_JSON = "{host} answered {status} with JSON that is cut off or invalid"
AMBIGUOUS_JSON = "{host} answered {status} with JSON in which a name occurs twice"
NESTED_JSON = "{host} answered {status} with JSON that is nested too deeply"
TOO_LARGE = "{host} sent an answer of more than {size} MB"
LIBRARY_FAILED = "reading {host} failed in a library ({error})"
ASKED_TO_WAIT = "{service} ({host}) asks to wait {seconds} seconds, and this run has only {left} left"
NOT_JSON = "{host} answered {status} with {content_type} instead of JSON"
NO_REASON = "Graph answered with status {status} and no reason"
NOT_A_LIST = "Graph's answer for {section} is not a list"
ENDLESS_LIST = "the list of {section} leads back to a page that was already read"
BAD_NEXT_LINK = "the list of {section} is incomplete: its next link {problem}"
PARTIAL_ENTRY = "an entry of {section} is incomplete: Graph returned only the first page of a list in it"
SHORT_LIST = "the list of {section} is incomplete: Graph counts {count} entries and returned {rows}"
UNEXPECTED_VALUE = "expected {expected}, found {found}"
MISSING_PROPERTY = "has no {name}"
BETA_ONLY_POLICY = "v1.0 doesn't list the policy {policy}, which beta returned"
BETA_LACKS_SET = "beta doesn't return a condition set of the policy {policy} that v1.0 lists"
FIRST_PAGE_ONLY = "the file holds only one page of Graph's answer, and more follow (@odata.nextLink)"
PERHAPS_ONE_PAGE = "the file holds exactly as many entries as one page of an answer, so more may exist"
CUT_BY_POWERSHELL = "PowerShell cut values of the file below the depth of ConvertTo-Json"
TOOL_COULD_NOT_READ = "the tool that wrote the file could not read it"


class AnsweringService(StrEnum):
    """Who answers (`ASKED_TO_WAIT`)."""

    GRAPH = "Microsoft Graph"
    SIGN_IN = "the sign-in service"


class NextLinkProblem(StrEnum):
    """Why a next link can't be followed (`BAD_NEXT_LINK`)."""

    NOT_TEXT = "isn't text"
    EMPTY = "is empty"
    NOT_HTTPS = "isn't an https address"


class NoAnswerCause(StrEnum):
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
    NO_LICENSE,
    NOT_IN_CLOUD,
    REMOVED_BY_CASE,
    MISSING_IN_BATCH,
    NOT_AN_OBJECT,
    NO_STATUS,
    ANSWERED_TWICE,
    BATCH_REFUSED,
    NOT_A_BATCH,
    NO_ANSWER,
    INVALID_JSON,
    AMBIGUOUS_JSON,
    NESTED_JSON,
    TOO_LARGE,
    LIBRARY_FAILED,
    ASKED_TO_WAIT,
    NOT_JSON,
    NO_REASON,
    NOT_A_LIST,
    ENDLESS_LIST,
    BAD_NEXT_LINK,
    PARTIAL_ENTRY,
    SHORT_LIST,
    FIRST_PAGE_ONLY,
    PERHAPS_ONE_PAGE,
    CUT_BY_POWERSHELL,
    TOOL_COULD_NOT_READ,
    *(f"{{path}}: {problem}" for problem in (UNEXPECTED_VALUE, MISSING_PROPERTY, BETA_ONLY_POLICY, BETA_LACKS_SET)),
)
"""All of them. The names in braces are filled in with ``str.format``."""
