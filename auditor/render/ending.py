"""The end of a report: what could not be read, what was judged with what, and the count."""

from __future__ import annotations

from auditor.facts.permissions import PERMISSIONS
from auditor.model.report import Report, UnreadPart
from auditor.render.page import Page
from auditor.render.words import SECTIONS, count, counts, sentence, series, utc

_DIGEST = 12
"""Characters of a digest: enough to tell two apart, few enough to read out."""


def unread(page: Page, report: Report) -> None:
    """Each part that could not be read: why, what would allow it, and what is not known without it."""
    if not report.unread:
        return
    page.heading("What could not be read")
    for place, part in enumerate(report.unread):
        if place:
            page.blank()
        _unread(page, part)


def _unread(page: Page, part: UnreadPart) -> None:
    page.say(f"{what(part)} ({part.section})", style="strong")
    page.field("Answer", answer(part), indent=4)
    page.field("Allowed by", allowed_by(part), indent=4)
    page.field("Not known", cost(part.needs), indent=4)
    page.field("Request id", part.request_id, indent=4)


def what(part: UnreadPart) -> str:
    """What it was that could not be read."""
    return SECTIONS.get(part.section.partition("/")[0], "A part of the tenant")


def answer(part: UnreadPart) -> str:
    """What Graph answered instead."""
    status = f"HTTP {part.status}" if part.status is not None else ""
    return sentence(": ".join(filter(None, (", ".join(filter(None, (status, part.code))), part.message))))


def allowed_by(part: UnreadPart) -> str:
    """Which permissions would have allowed it, any one of them."""
    return f"{series(part.needs, 'or')} (application permission of Microsoft Graph)." if part.needs else ""


def cost(needs: tuple[str, ...]) -> str:
    """What an audit cannot tell without the least of the permissions."""
    known = next((PERMISSIONS[need] for need in needs if need in PERMISSIONS), None)
    return sentence(known.without) if known else ""


def provenance(page: Page, report: Report) -> None:
    """Which rules and policies, to the byte, by which program, from which time; then the count."""
    page.heading("Where this comes from")
    page.items("Packs", [f"{pack.name} {pack.version} {short_digest(pack.digest)}" for pack in report.packs])
    page.items("Policies", [f"{policy.id} {short_digest(policy.digest)}" for policy in report.policies])
    page.items(
        "Waivers",
        [f"{file.name}, {count(file.count, 'waiver')} {short_digest(file.digest)}" for file in report.waivers],
    )
    page.field("Tool", report.tool)
    page.field("Snapshot", f"{utc(report.taken)}, {report.cloud} cloud")
    page.blank()
    page.say(f"{counts(report.summary)}.", indent=0, style="strong")


def short_digest(digest: str) -> str:
    """The start of a digest, in brackets; nothing where there is none."""
    return f"(digest {digest.removeprefix('sha256:')[:_DIGEST]})" if digest else ""
