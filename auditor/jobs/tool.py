"""What the program calls itself in snapshots and reports."""

from __future__ import annotations

from auditor import __version__

TOOL = f"consent-auditor {__version__}"
