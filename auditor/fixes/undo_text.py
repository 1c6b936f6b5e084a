"""The exact previous values that an undo restores, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from auditor.fixes.quoting import body_text
from auditor.model.fix import GraphRequest


def previous_values(undo: Sequence[GraphRequest]) -> Iterator[str]:
    """One sentence for each value that was replaced; what was created needs none."""
    for request in undo:
        body = request.body or {}
        role = body.get("defaultUserRolePermissions")
        if role:
            entries = role["permissionGrantPoliciesAssigned"]
            yield f"The list was: {', '.join(entries) or '(empty)'}."
        elif "scope" in body:
            yield f'The scopes of grant {request.url.rpartition("/")[2]} were: "{body["scope"]}".'
        elif request.method == "PUT":
            yield f"The settings were: {body_text(body)}."
