"""Which packs judge which apps: those named, and the standard vendor rules for an app without a pack."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from auditor.model.app import App
from auditor.model.rule import Pack
from auditor.packs.find import load_packs
from auditor.packs.load import load
from auditor.packs.sources import shipped_source

VENDOR_RULES = "vendor-app"
"""The abstract pack of rules that any vendor's pre-flight shares."""


def chosen_packs(names: Iterable[str], app: App | None = None) -> tuple[Pack, ...]:
    """The named packs, and for `app` the vendor rules applied to it. Raises PackError."""
    packs = load_packs(names)
    if app is None:
        return packs
    rules = load(shipped_source(VENDOR_RULES))
    return (*packs, msgspec.structs.replace(rules, app=app, abstract=False))
