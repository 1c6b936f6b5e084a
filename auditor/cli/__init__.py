"""The command line: each command has its own file, which is imported only when the command is called."""

from __future__ import annotations

from auditor.cli.program import main

__all__ = ["main"]
