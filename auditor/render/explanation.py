"""An explanation of a code or a pasted text, for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from auditor.model.explanation import Fixer

FIXERS: Mapping[Fixer, str] = MappingProxyType(
    {
        Fixer.USER: "the user",
        Fixer.ADMIN: "an administrator",
        Fixer.VENDOR: "the app's vendor",
        Fixer.MICROSOFT: "Microsoft",
    }
)
"""Who can fix a code, in words."""
