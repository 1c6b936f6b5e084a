"""Fixes: changes computed from the tenant's data, applied to a copy of the snapshot, and offered only if they work."""

from __future__ import annotations

from auditor.fixes.prove import fixes_for

__all__ = ["fixes_for"]
