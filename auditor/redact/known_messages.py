"""What Graph, or this program, says of a failure in words that name nobody. Any other message goes.

A gateway, a proxy or a service behind Graph may put addresses, devices and people into its messages, in ways that
nobody can list. So the wordings that are known are listed instead, as they read once ids and what is quoted are
replaced; status, code, request id and the permission that is missing stay in any case.
"""

from __future__ import annotations

import re

from auditor.redact.tokens import TOKEN

_WORDINGS = r"""
needs a Microsoft Entra ID P1 or P2 licence
taken away by a case
Graph's answer to the batch leaves this item out
the answer inside the batch is no JSON object
Insufficient privileges to complete the operation
Access( is)? denied(\. Check credentials and try again)?
Authorization has been denied for this request
Attempted to perform an unauthorized operation
Caller does not have the required permissions( to perform this (operation|action))?
The request is not authorized( for this user or application)?
You cannot perform the requested operation, required scopes are missing in the token
Either scp or roles claim need to be present in the token
The principal does not have required Microsoft Graph permission\(s\): {scopes} to call this API\. {visit}
User is not in the allowed roles
The identity of the calling application could not be established
Resource {thing} does not exist or one of its queried reference-property objects are not present
Resource not found for the segment {thing}
Invalid object identifier {thing}
Invalid filter clause
Unsupported (or invalid )?query( filter clause specified for property {thing} of resource {thing})?
Property {thing} does not exist as a declared property or extension property
The tenant for tenant guid {thing} does not exist
Tenant {thing} not found
Access token (has expired or is not yet valid|is empty|validation failure(\. Invalid audience)?)
CompactToken (parsing|validation) failed with (error|reason) code: [0-9a-fA-F]{1,10}
Lifetime validation failed, the token is expired
Continuous access evaluation resulted in challenge with result: InteractionRequired and code: \w+
(Neither )?tenant is (not a )?B2C( tenant)? (or|and) (tenant )?doesn't have premium licen[sc]e
Your tenant is not licensed for this feature
Too many requests
(The )?request( was|has been)? throttled
Application is over its \w+ limit
Service (is )?(temporarily )?unavailable(\. Please wait and retry again)?
The service is (temporarily )?unavailable
(An )?internal server error( occurred)?
An (unexpected )?error (has )?occurred
The operation timed out
(Gateway timeout|Bad gateway|Bad request|Forbidden|Unauthorized|Not found|UnknownError)
no answer from graph\.microsoft\.com: it took too long
no answer from graph\.microsoft\.com: the connection (broke|was refused)
no answer from graph\.microsoft\.com: the answer was cut off in the middle
no answer from graph\.microsoft\.com: (no such host is known here|the name could not be looked up)
no answer from graph\.microsoft\.com: (the proxy (refused|cannot be reached)|its certificate is not trusted)
graph\.microsoft\.com answered \d{3} with JSON that is cut off, or is not what Graph would say
graph\.microsoft\.com answered \d{3} with [a-z]+/[a-z+.-]+ instead of JSON
[\w.]+(\[\d+\]|\.\w+)*: expected {plain}, found (null|true|false|a number|text|a list of \d+|an object)
"""
"""One to a line, without the full stop at the end. Letter case does not count."""

_THING = r"(?:\x00|['\"‘“](?:\x00|\w{1,64}(?:\.\w{1,64}){0,5})['\"’”])"
"""A token; in quotes also a word, because of those only names of permissions and properties are left."""
_SCOPES = r"[A-Z]\w+(?:\.[A-Z]\w+)+(?:, ?[A-Z]\w+(?:\.[A-Z]\w+)+)*"
_VISIT = (
    r"For more information about Microsoft Graph permissions, please visit"
    r" https://learn\.microsoft\.com/graph/permissions-overview"
)
_PLAIN = r"[a-z ,]{1,80}"


def _pattern(line: str) -> str:
    return (
        line.replace("{thing}", _THING)
        .replace("{scopes}", _SCOPES)
        .replace("{visit}", _VISIT)
        .replace("{plain}", _PLAIN)
    )


_KNOWN = re.compile("|".join(f"(?:{_pattern(line)})" for line in _WORDINGS.strip().splitlines()), re.IGNORECASE)


def is_known(message: str) -> bool:
    """Whether the message, in which names and ids are tokens already, is one that tells nothing else."""
    return _KNOWN.fullmatch(TOKEN.sub("\x00", message).strip().rstrip(".")) is not None
