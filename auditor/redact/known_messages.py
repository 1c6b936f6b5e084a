"""Which error messages stay readable: those in words that Microsoft Graph or this program is known to use.

A gateway, a proxy or a service behind Graph may put addresses, devices and people into its messages, in ways that
nobody can list. So the known wordings are listed instead, as they read after ids and quoted names are replaced.
Every other message is removed; status, code, request id and the missing permission stay in any case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from auditor.facts.graph_values import graph_values
from auditor.facts.ids import CLOUDS
from auditor.model.sections import SECTIONS
from auditor.model.snapshot import Snapshot
from auditor.model.unread_messages import UNREAD_MESSAGES, AnsweringService, NextLinkProblem, NoAnswerCause
from auditor.redact.tokens import TOKEN
from auditor.redact.word_lists import word_lists

_OF_GRAPH = r"""
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
Continuous access evaluation resulted in challenge with result: InteractionRequired and code: {cae}
(Neither )?tenant is (not a )?B2C( tenant)? (or|and) (tenant )?doesn't have premium licen[sc]e
Your tenant is not licensed for this feature
Too many requests
(The )?request( was|has been)? throttled
Application is over its (MailboxConcurrency )?limit
Service (is )?(temporarily )?unavailable(\. Please wait and retry again)?
The service is (temporarily )?unavailable
(An )?internal server error( occurred)?
An (unexpected )?error (has )?occurred
The operation timed out
(Gateway timeout|Bad gateway|Bad request|Forbidden|Unauthorized|Not found|UnknownError)
"""
"""Wordings of Microsoft Graph, one to a line, without the full stop at the end. Letter case does not count."""

_IN_GRAPHS_WORDINGS = {
    # A token; in quotes also a word, because only names of permissions and properties are left there.
    "thing": r"(?:\x00|['\"‘“](?:\x00|\w{1,64}(?:\.\w{1,64}){0,5})['\"’”])",
    "cae": (
        "(?:TokenCreatedWithOutdatedPolicies|TokenIssuedBeforeRevocationTimestamp|LocationConditionEvaluationSatisfied"
        "|UserDisabled|UserDeleted|PasswordChanged|PasswordReset)"
    ),
    "scopes": r"[A-Z]\w+(?:\.[A-Z]\w+)+(?:, ?[A-Z]\w+(?:\.[A-Z]\w+)+)*",
    "visit": (
        r"For more information about Microsoft Graph permissions, please visit"
        r" https://learn\.microsoft\.com/graph/permissions-overview"
    ),
}


def is_known(message: str) -> bool:
    """Whether a message in which names and ids are already tokens consists of known words only."""
    return _known().fullmatch(TOKEN.sub("\x00", message).strip().rstrip(".")) is not None


@cache
def _known() -> re.Pattern[str]:
    wordings = [_filled_in(line, _IN_GRAPHS_WORDINGS) for line in _OF_GRAPH.strip().splitlines()]
    ours = [_filled_in(re.escape(text).replace(r"\{", "{").replace(r"\}", "}"), _in_ours()) for text in UNREAD_MESSAGES]
    return re.compile("|".join(f"(?:{pattern})" for pattern in (*wordings, *ours)), re.IGNORECASE)


def _in_ours() -> dict[str, str]:
    """What may be filled in where a message of `auditor.model.snapshot` has a name in braces."""
    graphs = (cloud.graph.removeprefix("https://") for cloud in CLOUDS.values())
    names = {"sections", *Snapshot.__struct_fields__, *word_lists().json_names}
    part = rf"(?:\x00|{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})"
    return {
        "host": _one_of(graphs),
        "cause": _one_of(NoAnswerCause),
        "status": r"\d{3}",
        "size": r"\d+",
        "error": r"\w{1,80}",
        "service": _one_of(AnsweringService),
        "seconds": r"\d+",
        "left": r"\d+",
        "count": r"\d+",
        "rows": r"\d+",
        "problem": _one_of(NextLinkProblem),
        "content_type": (
            r"(?:(?:text|application)/(?:html|plain|xml|xhtml\+xml|json|problem\+json|javascript|csv|pdf|octet-stream)"
            r"|no content type)"
        ),
        "section": _one_of(SECTIONS),
        "path": rf"{part}(?:\[\d+\]|\.{part})*",
        "expected": r"(?:an?|list|lists|of|objects?|texts?|numbers?|true|false|or|whole|null|,| )+",
        "found": r"(?:null|true|false|a number|text|a list of \d+|an object)",
        "name": part,
        "policy": rf"(?:\x00|{_one_of(graph_values().policies)})",
    }


def _one_of(texts: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, texts))})"


def _filled_in(pattern: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        pattern = pattern.replace(f"{{{name}}}", value)
    return pattern
