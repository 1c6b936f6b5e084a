"""A report with a change supposed: decided again, beside what was decided of the tenant as it is."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from auditor.consent.decide import decide
from auditor.fixes.assumptions import Unsupposable, suppose
from auditor.jobs.variants import with_variant
from auditor.model.report import Report, WhatIf
from auditor.model.rule import Pack
from auditor.model.snapshot import Snapshot


def with_assumptions(report: Report, snapshot: Snapshot, packs: Sequence[Pack], assumed: Sequence[str]) -> Report:
    """`report` with the decisions that would be made if all of `assumed` were so; as it is without any.

    Raises Unsupposable for what cannot be understood, or not be supposed of this tenant.
    """
    if not assumed:
        return report
    if not any(pack.app for pack in packs):
        raise Unsupposable(
            "--assume decides again whether users can connect an app, and no pack here is about one: add --pack with"
            ' one that is, or --app CLIENT_ID --scopes "…"'
        )
    apps = dict.fromkeys(pack.app for pack in packs if pack.app is not None)
    decisions = tuple(with_variant(decide(*suppose(snapshot, app, assumed)), app, packs) for app in apps)
    return msgspec.structs.replace(report, what_if=WhatIf(assumed=tuple(assumed), decisions=decisions))
