"""Which outcomes a check can have at all, so that nobody looks for a case of one that cannot be."""

from __future__ import annotations

from auditor.model import checks as kinds
from auditor.model.checks import AnyCheck
from auditor.packs.value_validators import SETTINGS


def never_fails(check: AnyCheck) -> bool:
    """Whether no tenant can fail the check, so that no case can show it failing."""
    match check:
        case kinds.UserConsentSetting(allowed=allowed):
            return set(allowed) >= set(SETTINGS)
        case kinds.AnyOf(checks=checks):
            return any(map(never_fails, checks))
        case kinds.AllOf(checks=checks):
            return all(map(never_fails, checks))
        case kinds.Not(check=one):
            return never_passes(one)
    return False


def never_passes(check: AnyCheck) -> bool:
    """Whether no tenant can pass the check."""
    match check:
        case kinds.AnyOf(checks=checks):
            return all(map(never_passes, checks))
        case kinds.AllOf(checks=checks):
            return any(map(never_passes, checks))
        case kinds.Not(check=one):
            return never_fails(one)
    return False
