"""Exit codes: a pipeline must be able to tell a finding from a fault, and both from not knowing."""

from __future__ import annotations

OK = 0
"""Nothing fails at or above ``--fail-on``."""
FAILING = 1
"""Something fails."""
USAGE = 2
"""Usage, rule, snapshot file or configuration error."""
NO_AUDIT = 3
"""The audit could not be made: credential, network, tenant."""
UNKNOWN = 4
"""Made, nothing failing, but a verdict is unknown."""
STOPPED = 130
"""Stopped with Ctrl+C, as shells report it."""
