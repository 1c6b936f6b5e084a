"""The command line: one file for each verb, loaded only when it is called."""

from __future__ import annotations

from auditor.cli.program import main

__all__ = ["main"]
