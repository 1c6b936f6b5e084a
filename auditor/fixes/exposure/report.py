"""An exposure as the report's JSON holds it, in ``Fix.opens``."""

from __future__ import annotations

from typing import Any

from auditor.fixes.exposure.kinds import WEIGHT_VIEW
from auditor.fixes.exposure.result import ClassExposure, Exposure, ScopeRef, by_kind


def as_opens(exposure: Exposure) -> dict[str, Any]:
    """Plain values with sorted names; classes of apps for which nothing changes are left out."""
    return {
        "summary": exposure.summary,
        "consent_policy_changes": exposure.consent_policy_changes,
        "by_class": {kind.value: _class(one) for kind, one in exposure.classes.items() if not one.is_empty},
        "granted": _names(exposure.use.granted),
        "reached": _names(exposure.use.reached),
        "breadth": exposure.breadth.name.lower(),
        "weight": exposure.weight,
        "weighed_by": WEIGHT_VIEW if exposure.weight else "",
        "notes": list(exposure.notes),
    }


def _class(one: ClassExposure) -> dict[str, Any]:
    return {
        "opened": _names(one.opened),
        "closed": _names(one.closed),
        "not_known": _names(one.not_known),
        "by_kind": {kind.value: count for kind, count in by_kind(one.opened).items()},
    }


def _names(refs: tuple[ScopeRef, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for ref in refs:
        found.setdefault(ref.resource_name, []).append(ref.scope)
    return found
