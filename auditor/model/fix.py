"""A fix: what to change and how, what else that makes possible, and the proof that it works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class GraphRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One Microsoft Graph request of a fix. This program never sends it.

    `returns` is a placeholder: later requests use it for the id in the answer to this one.
    """

    method: str
    url: str
    body: Mapping[str, Any] | None = None
    returns: str = ""


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """The same change in every way that an administrator may want to make it; an empty way is not available."""

    portal: tuple[str, ...] = ()
    powershell: str = ""
    az: str = ""
    graph: tuple[GraphRequest, ...] = ()


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome after the fix, from a second decision on the changed snapshot, and the subject of that decision.

    `applied` are the requests that were applied to the copy: those of the fix, or those that have the same effect as
    opening its link. `doubts` are facts that the proof depends on and that could not be read.
    """

    outcome: str
    confidence: str
    because: str
    subject: str = "ordinary member"
    applied: tuple[GraphRequest, ...] = ()
    doubts: tuple[str, ...] = ()


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was proven to work on this snapshot.

    `route` names the kind of fix, `key` identifies this fix among those for one decision (``R3``, ``R3-user``,
    ``R7+R3``). `link` is the address to open, if the fix has one. `opens` says what else becomes possible.
    `undo_graph` restores the exact previous values; it is empty if they are not known. `fill_in` explains the
    placeholders in the requests that the administrator replaces.
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
