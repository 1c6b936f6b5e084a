"""What Microsoft's error messages say about the app, the service, the user and the tenant, and the ids around them.

Sources: the messages of the AADSTS reference, the troubleshooting articles that ``sign_in_codes.json`` names, and the
details that the error page, the token endpoint, the sign-in log and Microsoft's client libraries (MSAL) add. The ids
are found by the words before them, which are alike in many languages, because a page is in the language of its user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from auditor.facts.sign_in_codes import label_words

_GUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_CLIENT = rf"(?P<client_id>{_GUID})"
_IN_BRACKETS = r"\((?P<app_name>[^)\n]{1,120})\)"
_APP = r"(?P<app_name>[^'\n]{1,120}?)"
_RESOURCE = r"(?P<resource>[^'\"\\\n()]{1,200})"

_PATTERNS = (
    # The application, with its name after or before the id.
    rf"[Aa]pplication\s+(?:with\s+(?:ID|identifier)\s+)?['\"]{_CLIENT}['\"](?:\s*{_IN_BRACKETS})?",
    r"application with ID '[^'\n]{1,60}' named '(?P<app_name>[^'\n]{1,120})'",
    rf"configured the application {_APP} \(\\?'{_CLIENT}\\?'\)",
    rf"[Cc]lient app(?:lication)?(?: ID)?:? '?{_CLIENT}'?(?:{_IN_BRACKETS})?",
    rf"for (?:the )?(?:client|application) '{_CLIENT}'",
    rf"[Tt]he application '{_APP}' asked for scope '(?P<scope>[^'\s]{{1,200}})'",
    r"prevents you from granting (?P<app_name>[^\n]{1,120}?) the permissions it is requesting",
    r"(?:^|\n|AADSTS\d{5,8}: )[\x20\t]{0,40}(?P<app_name>[^\n.:]{1,120}?) needs permission to access resources in your",
    r"(?:^|\n|AADSTS\d{5,8}: )[\x20\t]{0,40}(?P<app_name>[^\n.:]{1,120}?) is requesting one or more permissions",
    # The service.
    rf"[Rr]esource app ID:? '?(?P<resource>{_GUID})",
    rf"access (?:to )?a service '?\(?[\\\"']*{_RESOURCE}",
    r"resource principal named (?P<resource>[^\s,]{1,200}) was not found in the tenant named"
    r" (?P<tenant>[^\n]{1,120}?)\.(?:\s|$)",
    rf"(?:principal for resource|on the resource|[Rr]esource) '{_RESOURCE}'",
    r"[Tt]he scope (?P<scope>[^\s']{1,300}) (?:is not valid|isn't valid|does not exist)",
    # The user, the tenant and the redirect URI.
    r"(?:[Uu]ser account|signed in user) '(?P<user>[^'\s{}@]{1,120}@[^'\s{}@]{1,120})'",
    r"(?:in|from) (?:the )?(?:tenant|directory) '(?P<tenant>[^'\n]{1,120})'",
    r"[Tt]enant '(?P<tenant>[^'\n]{1,120})' not found",
    r"re(?:direct|ply) UR[IL] (?:specified in the request[^'\n]{0,20})?'(?P<redirect_uri>[^'\s]{1,500})'",
)
_MESSAGES = tuple(re.compile(pattern.replace(" ", r"\s+")) for pattern in _PATTERNS)
"""A mail breaks a message into lines at any space."""


def said_in(text: str) -> dict[str, str]:
    """What the messages in the text name: app_name, client_id, resource, scope, user, tenant and redirect_uri."""
    found: dict[str, str] = {}
    for pattern in _MESSAGES:
        for match in pattern.finditer(text):
            for key, value in match.groupdict().items():
                if value and value.strip():
                    found.setdefault(key, value.strip())
    for key in ("app_name", "user"):
        if labelled := _after_label(key).search(text):
            found.setdefault(key, labelled[1].strip())
    return found


@cache
def _after_label(kind: str) -> re.Pattern[str]:
    """A value after its label on a page, in JSON, or in the columns of a copied table."""
    label = "|".join(map(re.escape, label_words(kind)))
    space = r"[ \t]{0,40}"
    before, after = rf"(?:^|[\n,{{]){space}[\"']?", rf"[\"']?{space}(?:[:=\t]|\n){space}[\"']?"
    return re.compile(rf"{before}(?:{label}){after}([^\n\"',]{{1,120}})", re.IGNORECASE)


_KINDS = ("correlation", "trace", "request", "client_id", "tenant", "other")
_ID = re.compile(rf"(?<![0-9a-fA-F-]){_GUID}(?![0-9a-fA-F-])")
_BEFORE = 60
"""The characters before an id in which its label is."""


def ids_in(text: str) -> Iterator[tuple[str, str]]:
    """Each GUID of the text, after what it is by the words before it: correlation, trace, request, client_id, tenant.

    Empty if the words say nothing.
    """
    end = 0
    for found in _ID.finditer(text):
        before = text[max(end, found.start() - _BEFORE) : found.start()].lower()
        end = found.end()
        ends = {
            kind: max(before.rfind(word) + len(word) if word in before else 0 for word in label_words(kind))
            for kind in _KINDS
        }
        kind = max(ends, key=lambda one: ends[one])
        yield (kind if ends[kind] else "", found[0].lower())


_TIME = re.compile(r"(20\d\d-\d\d-\d\d)(?:T|\s{1,3})(\d\d)[:-](\d\d)[:-](\d\d)(?:\.\d{1,9})?(Z)?")


def time_in(text: str) -> str:
    """The UTC time of the error (``2026-11-22T10:33:11Z``); empty if the text has none that is one."""
    for found in _TIME.finditer(text):
        before = text[max(0, found.start() - 40) : found.start()].lower()
        if found[5] or any(word in before for word in label_words("time")):
            return f"{found[1]}T{found[2]}:{found[3]}:{found[4]}Z"
    return ""
