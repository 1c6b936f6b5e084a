"""What was given instead of a snapshot, and how to make a snapshot of it."""

from __future__ import annotations

import json
from typing import Any

from auditor.model.report import FORMAT as REPORT_FORMAT
from auditor.model.sections import SECTIONS, section_of_response
from auditor.model.snapshot import FORMAT, VERSION
from auditor.snapshot.snapshot_errors import SnapshotError, found

AGAIN = "Make it again with: consent-auditor collect -o FILE"


def refuse_others(document: Any, origin: str) -> None:
    """Raise for what is no snapshot, or one of a version that this program does not know."""
    if not isinstance(document, dict):
        raise _other_thing(document, origin)
    name, version = document.get("format"), document.get("version")
    if name == REPORT_FORMAT:
        hint = "Give the snapshot that it was made from, or make one with: consent-auditor collect -o FILE"
        raise SnapshotError(origin, "is a report, not a snapshot", hint=hint)
    if name is None and "sections" not in document:
        raise _other_thing(document, origin)
    if name != FORMAT:
        said = "has no format" if name is None else f"has the format {json.dumps(name)}"
        raise SnapshotError(origin, said, hint=f'A snapshot says "format": "{FORMAT}", "version": {VERSION}.')
    if type(version) is int and version > VERSION:
        message = f"is a snapshot of version {version}; this program reads version {VERSION}"
        raise SnapshotError(origin, message, hint="Update the program: pip install -U consent-auditor")
    if type(version) is not int or version != VERSION:
        said = "has no version" if version is None else f"has the version {json.dumps(version)}"
        raise SnapshotError(origin, said, hint=f'Write "version": {VERSION} beside the format.')


def _other_thing(document: Any, origin: str) -> SnapshotError:
    if isinstance(document, dict) and isinstance(error := document.get("error"), dict):
        message = f"is an error that Graph answered ({error.get('code', 'no code')}), not a snapshot"
        return SnapshotError(origin, message, hint=AGAIN)
    name = _section_of(document)
    if not name:
        hint = f'A snapshot is an object that says "format": "{FORMAT}". {AGAIN}'
        return SnapshotError(origin, f"is not a snapshot (found {found(document)})", hint=hint)
    answer = '{"<app id>": <this answer>}' if name in SECTIONS and SECTIONS[name].only_by_app else "<this answer>"
    skeleton = (
        f'{{"format": "{FORMAT}", "version": {VERSION}, "tenant": {{"id": "<tenant id>"}}, '
        f'"sections": {{"{name}": {answer}}}}}'
    )
    hint = f"Put it, with the others that you have, into a file like this:\n  {skeleton}"
    return SnapshotError(origin, "is a single answer of Graph, not a snapshot", hint=hint)


def _section_of(document: Any) -> str:
    """The section that this would be as an answer of Graph; nothing if it is none."""
    is_answer, items = False, document
    if isinstance(document, dict):
        is_answer = "value" in document or any(key.startswith("@odata.") for key in document)
        items = document.get("value", document)
    item = items[0] if isinstance(items, list) and items else items
    properties = frozenset(key.lower() for key in item) if isinstance(item, dict) else frozenset()
    return section_of_response(properties) or ("<section>" if is_answer else "")
