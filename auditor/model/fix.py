"""A fix: what to change, how, what it opens, and the proof that it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class GraphRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One Microsoft Graph request that carries out (part of) a fix. This program never sends it.

    `returns` is the placeholder that stands, in later requests, for the id that the answer to this one holds.
    """

    method: str
    url: str
    body: Mapping[str, Any] | None = None
    returns: str = ""


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """The same change in every way an admin may want to make it; an empty way is not available."""

    portal: tuple[str, ...] = ()
    powershell: str = ""
    az: str = ""
    graph: tuple[GraphRequest, ...] = ()


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome after the fix, from deciding again on the changed snapshot, and for whom it was decided.

    `applied` are the requests that were applied to the copy: those of the fix, or what opening its link
    amounts to. `doubts` says what this proof rests on that could not be read.
    """

    outcome: str
    confidence: str
    because: str
    subject: str = "ordinary member"
    applied: tuple[GraphRequest, ...] = ()
    doubts: tuple[str, ...] = ()


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was shown to work on this snapshot.

    `route` names the kind of change, `key` this fix among those of one decision (``R3``, ``R3-user``,
    ``R7+R3``). `link` is the one address to open, where the fix has one. `opens` tells what else becomes
    possible. `undo_graph` restores the exact previous values; it is empty where they are not known.
    `fill_in` names what stands in braces in the requests for an administrator to choose.
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
    key: str = ""
    undo_graph: tuple[GraphRequest, ...] = ()
    fill_in: tuple[str, ...] = ()
