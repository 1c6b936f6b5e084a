"""A fix: what to change, how, what it opens, and the proof that it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class GraphRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One Microsoft Graph request that carries out (part of) a fix. This program never sends it."""

    method: str
    url: str
    body: Mapping[str, Any] | None = None


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """The same change in every way an admin may want to make it; an empty way is not available."""

    portal: tuple[str, ...] = ()
    powershell: str = ""
    az: str = ""
    graph: tuple[GraphRequest, ...] = ()


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome after the fix, from deciding again on the changed snapshot, and for whom it was decided."""

    outcome: str
    confidence: str
    because: str
    subject: str = "ordinary member"


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was shown to work on this snapshot.

    `link` is the one address to open, where the fix has one. `opens` tells what else becomes possible.
    """

    route: str
    title: str
    role: str
    steps: Steps
    verify: str
    undo: str
    proven: Proof
    link: str = ""
    opens: Mapping[str, Any] = msgspec.field(default_factory=dict)
    expect: str = ""
