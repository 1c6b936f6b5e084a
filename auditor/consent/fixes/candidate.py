"""A fix before it is proven: what to change, and how to say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.consent.fixes.commands import az, powershell
from auditor.model.fix import GraphRequest, Steps


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
            powershell=powershell(self.requests),
            az=az(self.requests),
            graph=self.requests,
        )
