"""A report with assumptions (``--assume``): the decisions with them, next to the decisions for the tenant as it is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from auditor.consent.decide import decide
from auditor.fixes.assumptions import AssumptionError, assume
from auditor.jobs.variants import with_variant
from auditor.model.report import Report, WhatIf
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot


def with_assumptions(report: Report, snapshot: Snapshot, packs: Sequence[Pack], assumed: Sequence[str]) -> Report:
    """`report` with the decisions under all of `assumed`, or unchanged if there are none.

    Raises AssumptionError for an assumption that is not understood or that doesn't fit this tenant.
    """
    if not assumed:
        return report
    if not any(pack.app for pack in packs):
        raise AssumptionError(
            "--assume decides again whether users can connect an app, and none of the packs is about an app: add a"
            ' --pack that is, or --app CLIENT_ID --scopes "…"'
        )
    apps = dict.fromkeys(pack.app for pack in packs if pack.app is not None)
    decisions = tuple(with_variant(decide(*assume(snapshot, app, assumed)), app, packs) for app in apps)
    return msgspec.structs.replace(report, what_if=WhatIf(assumed=tuple(assumed), decisions=decisions))
