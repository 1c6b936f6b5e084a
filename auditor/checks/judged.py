"""What a rule is judged on: a snapshot, and the app of the rule's pack, if it has one, with its decision."""

from __future__ import annotations

from functools import cached_property

from auditor.consent.decide import decide
from auditor.consent.decision_facts import Case, gather
from auditor.consent.subject import ORDINARY_MEMBER, Subject
from auditor.fixes import fixes_for
from auditor.model.app import App
from auditor.model.decision import Decision
from auditor.model.fix import Fix
from auditor.model.snapshot import Snapshot


class Judged:
    """One tenant, and one app in it or none; what several rules ask for is worked out once."""

    def __init__(self, snapshot: Snapshot, app: App | None = None, subject: Subject = ORDINARY_MEMBER) -> None:
        self.snapshot = snapshot
        self.app = app
        self.subject = subject

    @property
    def the_app(self) -> App:
        """The app that the rules are about; `LookupError` where there is none, which no sound pack lets happen."""
        if self.app is None:
            raise LookupError("a check about an app needs one")
        return self.app

    @cached_property
    def case(self) -> Case:
        """The facts about the app."""
        return gather(self.snapshot, self.the_app, self.subject)

    @cached_property
    def decision(self) -> Decision:
        """Whether the subject can connect."""
        return decide(self.snapshot, self.the_app, self.subject)

    @cached_property
    def fixes(self) -> tuple[Fix, ...]:
        """What would mend it, proven."""
        return fixes_for(self.snapshot, self.the_app, self.subject)
