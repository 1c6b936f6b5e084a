"""A fix before it is proven: what to change, and how to say it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.model.fix import GraphRequest, Steps

NEW_SERVICE_PRINCIPAL = "{object id of the new service principal}"
"""Stands for an id that Graph will give when the service principal is created."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A possible fix. `requests` are the Graph requests that it amounts to, in order, with complete bodies.

    `promise` names the outcomes that make it worth offering. `shown` is false where the requests only
    describe the effect (a link that an administrator opens does the same in one go).
    """

    route: str
    title: str
    role: str
    portal: tuple[str, ...]
    requests: tuple[GraphRequest, ...]
    verify: str
    undo: str
    opens: Mapping[str, Any]
    promise: frozenset[str]
    link: str = ""
    expect: str = ""
    shown: bool = True

    @property
    def steps(self) -> Steps:
        """The same change for the portal, PowerShell, ``az rest`` and raw Graph."""
        if not self.shown:
            return Steps(portal=self.portal)
        return Steps(
            portal=self.portal,
            powershell="\n".join(_powershell(request) for request in self.requests),
            az="\n".join(_az(request) for request in self.requests),
            graph=self.requests,
        )


def _body(request: GraphRequest) -> str:
    return json.dumps(request.body, ensure_ascii=False)


def _powershell(request: GraphRequest) -> str:
    # In a single-quoted PowerShell string only the quote itself is special; it is doubled.
    uri = f"Invoke-MgGraphRequest -Method {request.method} -Uri '{request.url.replace(chr(39), chr(39) * 2)}'"
    if request.body is None:
        return uri
    return f"{uri} -ContentType 'application/json' -Body '{_body(request).replace(chr(39), chr(39) * 2)}'"


def _az(request: GraphRequest) -> str:
    command = f"az rest --method {request.method.lower()} --url {_quoted(request.url)}"
    if request.body is None:
        return command
    return f"{command} --headers Content-Type=application/json --body {_quoted(_body(request))}"


def _quoted(text: str) -> str:
    """`text` as one word of a POSIX shell."""
    return "'" + text.replace("'", "'\"'\"'") + "'"
