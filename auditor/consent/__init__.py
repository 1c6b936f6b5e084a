"""Would consent be granted, why, and what would mend it: pure functions over a snapshot.

The specification is Microsoft's documentation of app consent policies, permission classifications and the
consent experience (Entra: "Manage app consent policies", "Configure permission classifications", "Application
consent experience"). Where it is silent, the decision says *likely* or *depends* instead of guessing.
"""

from __future__ import annotations

from auditor.consent.decide import decide

__all__ = ["decide"]
