"""Where a snapshot comes from: who asked Graph for what, when, and what became of each question."""

from __future__ import annotations

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One read of Microsoft Graph.

    `address` is the path below Graph's host with its version (``/v1.0/policies/authorizationPolicy``). `status`
    is Graph's last answer, none where it never answered. `rows` counts what a list held, over all of its pages.
    `permissions` are those that allow the read, any one of them; `at` is the UTC time at which it was asked.
    """

    section: str
    address: str
    status: int | None = None
    rows: int | None = None
    at: str = ""
    permissions: tuple[str, ...] = ()


class Provenance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who read, and every read that was made.

    `reader` is the app id of the credential (or of the tool through which a person signed in), `permissions`
    what its token held. A snapshot made by hand has none of this.
    """

    reader: str = ""
    permissions: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
