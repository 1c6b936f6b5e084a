"""What changed in a tenant between two reports, snapshots or nightly runs, and what it means for users."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from auditor.model.report import PackRef
from auditor.model.rule import Severity
from auditor.model.snapshot import Tenant

FORMAT = "consent-auditor/diff"
VERSION = 1


class ChangeKind(StrEnum):
    """What a change is about."""

    DECISION = "decision"
    FINDING = "finding"
    SETTING = "setting"
    """The user consent setting, the admin consent workflow and its reviewers, or another directory setting."""
    POLICY = "policy"
    """The content of a consent policy under the same id."""
    CLASSIFICATION = "classification"
    GRANT = "grant"
    APP = "app"
    """A new, removed, disabled or enabled enterprise application, or its publisher."""
    PERMISSION = "permission"
    """The permissions of the audit itself."""


class Transition(StrEnum):
    """How something changed."""

    APPEARED = "appeared"
    """It is new, or a rule started to fail."""
    FIXED = "fixed"
    """It is gone, or a rule stopped failing."""
    CHANGED = "changed"
    BECAME_UNKNOWN = "became-unknown"
    BECAME_KNOWN = "became-known"


TRANSITION_WORDS: Mapping[Transition, str] = MappingProxyType(
    {
        Transition.APPEARED: "new",
        Transition.FIXED: "gone",
        Transition.CHANGED: "changed",
        Transition.BECAME_UNKNOWN: "no longer known",
        Transition.BECAME_KNOWN: "known now",
    }
)
"""What each transition is called; a finding that is gone is called fixed."""
NO_LONGER_KNOWN = "It is no longer known: "
"""How `Change.means` of a decision begins that became unknown, before the reason."""


class Weight(StrEnum):
    """Whether a change can matter to somebody, or is noise (order, case, a new name or id of the same thing)."""

    MAJOR = "major"
    MINOR = "minor"


class Since(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When something changed: `at` that time if a log has it, or else between the reads at `after` and at `before`.

    All are UTC times as text. `source` is ``directory audit``, ``configuration drift`` or ``reads``.
    """

    source: str
    at: str = ""
    after: str = ""
    before: str = ""


class ActorKind(StrEnum):
    """Who can change a tenant."""

    USER = "user"
    APP = "app"
    MICROSOFT = "microsoft"


class Actor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who made a change. Only the directory audit names users and apps.

    `inferred` is true where no log names anybody and only Microsoft can have made the change.
    """

    kind: ActorKind
    name: str = ""
    id: str = ""
    inferred: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change. `key` identifies the thing that changed, in every run (``finding/<fingerprint>``, ``policy/<id>``).

    `what` names it for people, and `means` is one sentence on what the change means for users, with the condition set
    that does it where a policy decides. `before` and `after` are JSON values; none where the thing wasn't there.
    `severity` is that of the rule, for a finding. `client_id` is the app that a decision, a grant or an app change is
    about. `because_of` are the keys of the changes that alone change this decision.
    """

    kind: ChangeKind
    key: str
    what: str
    transition: Transition
    before: Any = None
    after: Any = None
    means: str = ""
    since: Since | None = None
    by: Actor | None = None
    weight: Weight = Weight.MAJOR
    severity: Severity | None = None
    client_id: str = ""
    because_of: tuple[str, ...] = ()


class NotCompared(msgspec.Struct, frozen=True, kw_only=True):
    """A part that one side, or both, didn't read, so that nothing is said about changes in it."""

    section: str
    why: str


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two states that were compared. `taken` is the UTC time of the read."""

    tenant: Tenant
    taken: str = ""
    packs: tuple[PackRef, ...] = ()


class DifferenceSummary(msgspec.Struct, frozen=True, kw_only=True):
    """Findings: `new` ones that fail, `fixed` ones, `unknown` ones that were known. `changed` counts all major changes.

    `still_failing` counts the findings that fail on both sides.
    """

    new: int = 0
    fixed: int = 0
    changed: int = 0
    unknown: int = 0
    still_failing: int = 0


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The changes from `before` to `after`, the important ones first."""

    format: str = FORMAT
    version: int = VERSION
    before: Side
    after: Side
    changes: tuple[Change, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    summary: DifferenceSummary = DifferenceSummary()

    @property
    def major(self) -> tuple[Change, ...]:
        """The changes that can matter."""
        return tuple(change for change in self.changes if change.weight is Weight.MAJOR)


class SinceLast(msgspec.Struct, frozen=True, kw_only=True):
    """What changed since the last report on the tenant.

    `failing_since` has, by the fingerprint of each finding that fails now, the time of the first of the reports in a
    row in which it failed.
    """

    difference: Difference
    failing_since: Mapping[str, str] = msgspec.field(default_factory=dict)
