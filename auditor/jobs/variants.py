"""Telling apart what a report would otherwise name alike: one app in two packs, such as two regions of a vendor."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from auditor.model.app import App
from auditor.model.decision import Decision
from auditor.model.rule import Pack


def with_variant(decision: Decision, app: App, packs: Sequence[Pack]) -> Decision:
    """`decision` on `app` with the pack's name, if another pack of the run describes the same app otherwise."""
    twins = {p.app for p in packs if p.app is not None and p.app.client_id.lower() == app.client_id.lower()}
    if len(twins) < 2:
        return decision
    name = next(pack.name for pack in packs if pack.app == app)
    return msgspec.structs.replace(decision, app=msgspec.structs.replace(decision.app, variant=name))
