"""Rules of several packs about the same control that come out otherwise: a contradiction that a reader must see."""

from __future__ import annotations

import msgspec

from auditor.model.finding import FindingOutcome


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """How one rule comes out, and whose view it is."""

    rule: str
    pack: str
    outcome: FindingOutcome
    view: str = ""


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """Rules that name the same controls, of which some pass and some fail. `about` is the title of the first."""

    about: str
    stands: tuple[Stand, ...]
