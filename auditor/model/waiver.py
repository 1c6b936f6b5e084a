"""Somebody's responsibility for a rule that fails: who accepts it, why, and until when."""

from __future__ import annotations

import msgspec

from auditor.model.place import RulePlace


class Waiver(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a waiver file.

    `rule` is a rule's id, of any pack or of `pack` alone. `subject` is the name or id of the one app, permission or
    the like that is accepted; without it the whole rule is. `expires` is the last day on which it holds
    (``2027-03-31``).
    """

    rule: str
    reason: str
    owner: str
    expires: str
    pack: str = ""
    subject: str = ""
    ticket: str = ""
    place: RulePlace | None = None


class WaiverFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of waivers: how it is called, and the SHA-256 of its text."""

    name: str
    digest: str
    waivers: tuple[Waiver, ...] = ()


class WaiverFileRef(msgspec.Struct, frozen=True, kw_only=True):
    """Which waivers were applied, to the byte."""

    name: str
    digest: str
    count: int
