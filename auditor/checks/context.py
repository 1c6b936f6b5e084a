"""What a check is judged on: a snapshot, and the app of the rule's pack, if it has one, with its decision."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from auditor.consent.decide import decision_of
from auditor.consent.decision_facts import DecisionFacts, gather
from auditor.consent.lookup import SnapshotIndex, index_of
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.model.app import App
from auditor.model.decision import Decision
from auditor.model.fix import Fix
from auditor.model.snapshot import Snapshot

if TYPE_CHECKING:
    from auditor.checks.app_filter import Apps


class CheckContext:
    """One tenant, and one app in it or none. Facts that several checks need are computed once."""

    def __init__(self, snapshot: Snapshot, app: App | None = None, subject: Subject = ORDINARY_MEMBER) -> None:
        self.snapshot = snapshot
        self.app = app
        self.subject = subject

    @property
    def pack_app(self) -> App:
        """The app that the rules are about. Raises LookupError without one, which loading a pack rules out."""
        if self.app is None:
            raise LookupError("a check about an app needs one")
        return self.app

    @property
    def index(self) -> SnapshotIndex:
        """The index of the snapshot, which answers every question about a single object."""
        return index_of(self.snapshot)

    @cached_property
    def facts(self) -> DecisionFacts:
        """The facts about the app that its decision rests on."""
        return gather(self.index, self.pack_app, self.subject)

    @cached_property
    def decision(self) -> Decision:
        """Whether the subject can connect the app."""
        return decision_of(self.facts)

    @cached_property
    def fixes(self) -> tuple[Fix, ...]:
        """The changes that let the subject connect, each proven."""
        from auditor.fixes import fixes_for

        return fixes_for(self.snapshot, self.pack_app, self.subject)

    @cached_property
    def apps(self) -> Apps:
        """The apps of the tenant, for checks on what apps hold."""
        from auditor.checks.app_filter import Apps

        return Apps(self.index)
