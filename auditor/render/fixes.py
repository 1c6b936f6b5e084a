"""One fix in full: what it brings, who may do it, every way to do it, how to check and undo it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from auditor.model.decision import Confidence, Outcome
from auditor.model.fix import Fix, GraphRequest
from auditor.render.encoded import encoded
from auditor.render.layout import columns
from auditor.render.page import Page
from auditor.render.words import OUTCOMES, sentence

_SUMMARY = "summary"

_MOST = 6
"""Names of a list that are printed before the rest is only counted; the JSON report holds all."""


def write_fix(page: Page, fix: Fix, number: int) -> None:
    """Write the fix under its number."""
    page.blank()
    page.lead(f"Fix {number}. ", f"{fix.title.rstrip('.')} (route {fix.key or fix.route})", style="strong")
    page.field("After it", proven(fix), indent=4)
    page.items("Not sure", [sentence(doubt) for doubt in fix.proven.doubts], indent=4)
    page.field("Role", sentence(fix.role), indent=4)
    page.items("Opens", opened(fix.opens), indent=4)
    page.field("Expect", sentence(fix.expect), indent=4)
    page.items("Fill in", [sentence(note) for note in fix.fill_in], indent=4)
    _ways(page, fix)
    _to_run_or_read(page, "Check", fix.verify)
    _to_run_or_read(page, "Undo", fix.undo)
    _requests(page, "To undo it with Microsoft Graph:", fix.undo_graph)


def proven(fix: Fix) -> str:
    """The outcome after the fix, and the sentence that goes with it."""
    word = next((OUTCOMES[outcome].word for outcome in Outcome if outcome == fix.proven.outcome), fix.proven.outcome)
    likely = " (likely)" if fix.proven.confidence != Confidence.CERTAIN else ""
    return f"{word}{likely}. {sentence(fix.proven.because)}"


def opened(opens: Mapping[str, Any]) -> list[str]:
    """What else becomes possible, in words; JSON has the scopes by name. Silence would look like an oversight."""
    notes = opens.get("notes") or ()
    parts = [sentence(str(text)) for text in (opens.get(_SUMMARY), *notes) if text]
    return parts or ["Nothing else."]


def _ways(page: Page, fix: Fix) -> None:
    steps = fix.steps
    if steps.portal:
        page.say("In the portal:", indent=4)
        page.steps(steps.portal, indent=6)
    elif fix.link:
        page.say("Open this address:", indent=4)
    page.link(fix.link, indent=6)
    command(page, "In PowerShell:", steps.powershell)
    command(page, "With the Azure CLI:", steps.az)
    _requests(page, "With Microsoft Graph:", steps.graph)


def command(page: Page, label: str, text: str) -> None:
    """A command to be copied. A here-string of PowerShell ends only at the start of a line, so it gets no margin."""
    if not text:
        return
    page.say(label, indent=4)
    here = any(line.startswith(("'@", '"@')) for line in text.splitlines())
    page.verbatim(text, indent=0 if here else 6)


def _requests(page: Page, label: str, requests: tuple[GraphRequest, ...]) -> None:
    """Requests in the order in which they are to be sent."""
    if requests:
        page.say(label, indent=4)
    for request in requests:
        _request(page, request)


def _request(page: Page, request: GraphRequest) -> None:
    """The request's line, and its body on one line where that fits."""
    page.verbatim(f"{request.method} {request.url}", indent=6)
    if request.body is None:
        return
    body = encoded(request.body)
    line = body.decode()
    page.verbatim(line if columns(line) <= page.width - 6 else msgspec.json.format(body, indent=2).decode(), indent=6)


def _to_run_or_read(page: Page, label: str, text: str) -> None:
    """How to check or undo: a sentence, or several lines of commands."""
    if "\n" in text.strip():
        command(page, f"{label}:", text)
    else:
        page.field(label, text, indent=4)
