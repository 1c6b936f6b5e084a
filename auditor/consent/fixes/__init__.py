"""Fixes: computed from what is there, applied to a copy of the snapshot, and offered only when they work."""

from __future__ import annotations

from auditor.consent.fixes.apply import apply_all
from auditor.consent.fixes.prove import fixes_for

__all__ = ["apply_all", "fixes_for"]
