"""A fix before it is proven: what to change, and how to say it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from auditor.fixes.commands import az, powershell
from auditor.model.fix import GraphRequest, Steps


class Mends(StrEnum):
    """What stands in the way. Two fixes of one obstacle are alternatives and are never combined."""

    SIGN_IN = "sign-in"
    CONSENT = "consent"
    ASSIGNMENT = "assignment"
    ASKING = "asking"
    """Not the connection, but that users can ask for it."""


class Promise(StrEnum):
    """What makes a candidate worth offering."""

    SILENT = "silent"
    """The subject connects without being asked."""
    CONNECTS = "connects"
    """The subject connects, asked or not."""
    MAY_ASK = "may-ask"
    """The subject can ask for approval, and the request reaches somebody."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A possible fix. `requests` are the Graph requests that it amounts to, in order, with complete bodies.

    `shown` is false where the requests only describe the effect (a link that an administrator opens does the
    same in one go). `doubts` says what its proof rests on that could not be read. `lets_in` is whom it assigns.
    """

    route: str
    mends: Mends
    promise: Promise
    title: str
    role: str
    requests: tuple[GraphRequest, ...]
    verify: str
    undo: str
    key: str = ""
    portal: tuple[str, ...] = ()
    link: str = ""
    expect: str = ""
    shown: bool = True
    doubts: tuple[str, ...] = ()
    fill_in: tuple[str, ...] = ()
    lets_in: str = ""

    @property
    def name(self) -> str:
        """Its key among the fixes of one decision."""
        return self.key or self.route

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
