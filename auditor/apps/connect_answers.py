"""Whether users can connect an app of a survey, in short: who may approve it, and what stops the others."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from auditor.consent.decide import decision_of
from auditor.consent.deciding_setting import stopped_by
from auditor.consent.decision_facts import DecisionFacts
from auditor.model.decision import Outcome
from auditor.model.survey import Approver, ConnectAnswer

_APPROVERS: Mapping[Outcome, Approver] = MappingProxyType(
    {
        Outcome.CONNECTS_SILENTLY: Approver.APPROVED,
        Outcome.USER_MAY_CONSENT: Approver.USERS,
        Outcome.CONNECTS_BUT_LACKS_SCOPES: Approver.ADMINISTRATORS,
        Outcome.NEEDS_ADMIN: Approver.ADMINISTRATORS,
        Outcome.BLOCKED: Approver.NOBODY,
        Outcome.DEPENDS: Approver.UNKNOWN,
    }
)


def connect_answer(facts: DecisionFacts) -> ConnectAnswer:
    """The decision on these facts, in short."""
    decision = decision_of(facts)
    needs_consent = decision.outcome is Outcome.NEEDS_ADMIN
    return ConnectAnswer(
        outcome=decision.outcome,
        confidence=decision.confidence,
        reason=decision.reason,
        because=decision.because,
        approver=_APPROVERS[decision.outcome],
        stopped_by=stopped_by(decision),
        code=decision.code,
        roles=tuple(dict.fromkeys(role for role, _ in facts.custom_roles)) if needs_consent else (),
        depends_on=decision.depends_on,
    )
