"""The report as JSON: the model's own field names in the model's order, the same bytes every time."""

from __future__ import annotations

from typing import Any

import msgspec

from auditor.model.report import Report
from auditor.model.snapshot import Provenance
from auditor.render.encoded import encoded


def render(report: Report) -> bytes:
    """Indented JSON with a line break at its end; decoding it into `Report` gives an equal report.

    Empty fields are written too, so that a consumer finds every key in every report. Only of a Graph request what it
    does not have is left out: its body, and the id that it returns.
    """
    # The model leaves empty fields of these out because snapshots are written by hand; reports are not.
    whole = msgspec.structs.asdict(report) | {
        "unread": [msgspec.structs.asdict(part) for part in report.unread],
        "provenance": _provenance(report.provenance),
    }
    return msgspec.json.format(encoded(whole), indent=2) + b"\n"


def _provenance(one: Provenance | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return msgspec.structs.asdict(one) | {"calls": [msgspec.structs.asdict(call) for call in one.calls]}
