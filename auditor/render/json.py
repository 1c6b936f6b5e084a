"""The report as JSON: the model's own field names in the model's order, the same bytes every time."""

from __future__ import annotations

import msgspec

from auditor.model.report import Report
from auditor.render.encoded import encoded


def render(report: Report) -> bytes:
    """Indented JSON with a line break at its end; decoding it into `Report` gives an equal report.

    Empty fields are written too, so that a consumer finds every key in every report. Only the body of a
    Graph request that has none is left out.
    """
    # The model leaves empty fields out of Unread because snapshots are written by hand; reports are not.
    whole = msgspec.structs.asdict(report) | {"unread": [msgspec.structs.asdict(part) for part in report.unread]}
    return msgspec.json.format(encoded(whole), indent=2) + b"\n"
