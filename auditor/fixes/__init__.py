"""Fixes: computed from what is there, applied to a copy of the snapshot, and offered only when they work."""

from __future__ import annotations

from auditor.fixes.apply import apply_all
from auditor.fixes.prove import fixes_for

__all__ = ["apply_all", "fixes_for"]
