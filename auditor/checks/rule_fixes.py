"""The changes that make a failing rule pass: proposed from the settings that it reads, proven by judging it again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import msgspec

from auditor.checks.connection import AppRolesGranted
from auditor.checks.kind import CheckContext, CheckResult, kind_of, sentence
from auditor.facts.ids import NO_ID
from auditor.fixes.app_role_fixes import app_role_fixes
from auditor.fixes.change import NotApplicable, states_of
from auditor.fixes.exposure import as_opens, exposure
from auditor.fixes.proposed_fix import ProposedFix, as_fix
from auditor.fixes.required_settings import authorization_settings, workflow_settings
from auditor.model.decision import Confidence, Fix
from auditor.model.rule import App, FindingOutcome, Rule
from auditor.model.snapshot import Snapshot

_PROPOSALS = {"authorizationPolicy": authorization_settings, "adminConsentRequestPolicy": workflow_settings}
"""What proposes changes to a section."""

_NO_APP = App(client_id=NO_ID)
"""An app that is in no tenant, because the rules are about none."""


class RuleJudgement(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a rule on a changed snapshot, as the proof of a fix."""

    outcome: FindingOutcome
    confidence: Confidence
    because: str
    subject: str = ""
    caveats: tuple[str, ...] = ()


class RuleFixes:
    """The fixes for the failing rules of a pack about the tenant. What they have in common is computed once."""

    def __init__(self, context: CheckContext) -> None:
        self._context = context
        self._proposed: dict[str, tuple[ProposedFix, ...]] = {}
        self._tried: dict[tuple[str, ...], tuple[Snapshot, ...]] = {}
        self._opens: dict[tuple[str, ...], dict[str, object]] = {}

    def for_rule(self, rule: Rule) -> tuple[Fix, ...]:
        """Every change that lets the rule pass, the strictest first; pairs of changes only if no single one does.

        Of several changes to the workflow, only the smallest. A rule that is only unknown afterwards is not fixed.
        """
        proposed = tuple(self._proposals(rule))
        for size in (1, 2):
            sets = [parts for parts in combinations(proposed, size) if len(set(map(_setting, parts))) == size]
            fixes = [fix for parts in sets if (fix := self._proven(rule, parts))]
            if fixes:
                workflow = [fix for fix in fixes if "R8" in fix.route.split("+")][1:]
                return tuple(fix for fix in fixes if fix not in workflow)
        return ()

    def _proposals(self, rule: Rule) -> Iterator[ProposedFix]:
        """The proposed changes to the settings that the rule reads, or to what the app holds."""
        if isinstance(rule.check, AppRolesGranted):
            yield from app_role_fixes(self._context.facts)
            return
        for section in kind_of(rule.check).reads(None).sections:
            if section in _PROPOSALS:
                if section not in self._proposed:
                    self._proposed[section] = tuple(_PROPOSALS[section](self._context.snapshot))
                yield from self._proposed[section]

    def _proven(self, rule: Rule, parts: tuple[ProposedFix, ...]) -> Fix | None:
        states = self._states(parts)
        if not states:
            return None
        context = self._context
        result = kind_of(rule.check).judge(CheckContext(states[-1], context.app, context.subject))
        if result.outcome is not FindingOutcome.PASS:
            return None
        fix = as_fix(states, parts, _judgement(result))
        return msgspec.structs.replace(fix, opens=self._exposure(parts, states))

    def _states(self, parts: tuple[ProposedFix, ...]) -> tuple[Snapshot, ...]:
        """The snapshots before and after each change; none if a change doesn't fit the tenant."""
        key = tuple(one.name for one in parts)
        if key not in self._tried:
            try:
                changes = (change for part in parts for change in part.changes)
                self._tried[key] = states_of(self._context.snapshot, changes)
            except NotApplicable:
                self._tried[key] = ()
        return self._tried[key]

    def _exposure(self, parts: tuple[ProposedFix, ...], states: tuple[Snapshot, ...]) -> dict[str, object]:
        key = tuple(one.name for one in parts)
        if key not in self._opens:
            self._opens[key] = as_opens(exposure(states[0], states[-1], self._context.app or _NO_APP))
        return self._opens[key]


def _setting(proposed: ProposedFix) -> str:
    """Which setting a change is about: two changes to one setting are alternatives."""
    return proposed.name if proposed.route == "R13" else proposed.route


def _judgement(result: CheckResult) -> RuleJudgement:
    return RuleJudgement(outcome=result.outcome, confidence=result.confidence, because=sentence(result.clause))
