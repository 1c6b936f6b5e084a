"""Rules applied to a snapshot: the kinds of check, one file for each family, and the findings they lead to."""

from __future__ import annotations
