"""A proven candidate, or several that are needed together, as one fix."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.fixes.candidate import Candidate
from auditor.fixes.errors import NotApplicable
from auditor.fixes.undo import undo_of
from auditor.fixes.undo_text import previous_values
from auditor.model.decision import Confidence, Decision
from auditor.model.fix import Fix, GraphRequest, Proof, Steps
from auditor.model.snapshot import Snapshot


def offer(before: Snapshot, parts: tuple[Candidate, ...], after: Decision) -> Fix:
    """The fix that carries out `parts` in order, with the decision after it as its proof."""
    requests = tuple(request for part in parts for request in part.requests)
    doubts = _once(doubt for part in parts for doubt in part.doubts)
    try:
        undo_graph = undo_of(before, requests)
    except NotApplicable:
        undo_graph = ()
    return Fix(
        route="+".join(part.route for part in parts),
        key="+".join(part.name for part in parts),
        title=_title(parts),
        role="; ".join(_once(part.role for part in parts)),
        steps=parts[0].steps if len(parts) == 1 else _joined(parts),
        verify=" ".join(_once(part.verify for part in parts)),
        undo=" ".join((*(part.undo for part in reversed(parts)), *previous_values(undo_graph))),
        link=next((part.link for part in parts if part.link), ""),
        expect=" ".join(part.expect for part in parts if part.expect),
        undo_graph=undo_graph,
        fill_in=_once(note for part in parts for note in part.fill_in),
        proven=Proof(
            outcome=after.outcome.value,
            confidence=Confidence.LIKELY.value if doubts else after.confidence.value,
            because=after.because,
            subject=after.subject,
            applied=requests,
            doubts=(*doubts, *after.doubts),
        ),
    )


def _title(parts: tuple[Candidate, ...]) -> str:
    first, *rest = (part.title for part in parts)
    return "; then: ".join((first, *(f"{title[0].lower()}{title[1:]}" for title in rest)))


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _joined(parts: tuple[Candidate, ...]) -> Steps:
    """A way that one of the parts does not know is no way for all of them."""
    each = [part.steps for part in parts]
    clickable = all(part.portal or part.link for part in parts)
    scripted = all(part.shown for part in parts)
    graph: tuple[GraphRequest, ...] = tuple(r for s in each for r in s.graph) if scripted else ()
    return Steps(
        portal=tuple(step for s in each for step in s.portal) if clickable else (),
        powershell="\n".join(s.powershell for s in each) if scripted else "",
        az="\n".join(s.az for s in each) if scripted else "",
        graph=graph,
    )
