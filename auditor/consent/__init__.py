"""Would consent be granted, and why: pure functions over a snapshot.

The specification is Microsoft's documentation of app consent policies, permission classifications and the
consent experience (Entra: "Manage app consent policies", "Configure permission classifications", "Application
consent experience"). If it doesn't say, the decision is *likely* or *depends*, never a guess.
"""

from __future__ import annotations

from auditor.consent.decide import decide

__all__ = ["decide"]
