"""The fixes as the page shows them, each once and under its own number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from auditor.model.decision import Decision, Outcome
from auditor.model.fix import Fix, GraphRequest
from auditor.model.report import Report
from auditor.render.encoded import encoded
from auditor.render.fixes import opened, proven
from auditor.render.html.alike import together, twins
from auditor.render.html.links import clickable
from auditor.render.html.tones import tone
from auditor.render.remedies import introduction, key, no_fix
from auditor.render.words import OUTCOMES, app_label, sentence


class Way(NamedTuple):
    """One way to carry something out, as lines to copy."""

    id: str
    label: str
    text: str


class Address(NamedTuple):
    """An address; `href` is empty where it is not one to click on, `label` where there is no other beside it."""

    id: str
    text: str
    href: str
    label: str = ""


class FixView(NamedTuple):
    """A fix in full. `verify` and `undo` are sentences, or empty where they are lines to copy among the ways."""

    number: int
    title: str
    route: str
    after: str
    tone: str
    doubts: tuple[str, ...]
    role: str
    opens: tuple[str, ...]
    expect: str
    fill_in: tuple[str, ...]
    portal: tuple[str, ...]
    links: tuple[Address, ...]
    ways: tuple[Way, ...]
    verify: str
    undo: str
    verify_ways: tuple[Way, ...]
    undo_ways: tuple[Way, ...]


class FixGroup(NamedTuple):
    """What to do about one answer: how to read its fixes, those told elsewhere by number, and the fresh ones."""

    introduction: str
    advice: tuple[str, ...]
    known: tuple[int, ...]
    fixes: tuple[FixView, ...]


class Numbers:
    """Which fix has which number. The first to ask for a fix shows it; all others point to it."""

    def __init__(self, report: Report) -> None:
        self._twins = twins(report)
        self._given: dict[bytes, int] = {}

    def split(self, fixes: Sequence[Fix]) -> tuple[tuple[int, ...], tuple[FixView, ...]]:
        """The numbers of fixes shown before, and the fresh ones, which from now on count as shown."""
        known = tuple(self._given[self._key(fix)] for fix in fixes if self._key(fix) in self._given)
        fresh = [fix for fix in fixes if self._key(fix) not in self._given]
        return tuple(dict.fromkeys(known)), tuple(map(self._numbered, fresh))

    def _key(self, fix: Fix) -> bytes:
        twin = self._twins.get(key(fix))
        return twin.key if twin else key(fix)

    def _numbered(self, fix: Fix) -> FixView:
        number = self._given.setdefault(self._key(fix), len(self._given) + 1)
        twin = self._twins.get(key(fix))
        return fix_view(fix, number, twin.links if twin else (("", fix.link),))


def groups(report: Report, numbers: Numbers) -> tuple[FixGroup, ...]:
    """What to do about each answer that wants something done; of answers that are alike, the first."""
    each = [alike.first for alike in together(report)]
    return tuple(_group(one, numbers) for one in each if one.fixes or not one.outcome.connects)


def _group(decision: Decision, numbers: Numbers) -> FixGroup:
    app = app_label(decision)
    known, fresh = numbers.split(decision.fixes)
    told = introduction(app, decision.fixes) if decision.fixes else no_fix(decision, app)
    return FixGroup(told, tuple(map(sentence, decision.advice)), known, fresh)


def fix_view(fix: Fix, number: int, links: Sequence[tuple[str, str]]) -> FixView:
    """The fix with everything that it tells, under this number."""
    name = f"fix-{number}"
    after = next((OUTCOMES[outcome].style for outcome in Outcome if outcome == fix.proven.outcome), "quiet")
    return FixView(
        number=number,
        title=sentence(fix.title),
        route=fix.key or fix.route,
        after=proven(fix),
        tone=tone(after),
        doubts=tuple(map(sentence, fix.proven.doubts)),
        role=sentence(fix.role),
        opens=tuple(opened(fix.opens)),
        expect=sentence(fix.expect),
        fill_in=tuple(map(sentence, fix.fill_in)),
        portal=fix.steps.portal,
        links=addresses(links, f"{name}-link"),
        ways=ways(fix, name),
        verify="" if _is_code(fix.verify) else sentence(fix.verify),
        undo="" if _is_code(fix.undo) else sentence(fix.undo),
        verify_ways=_code(f"{name}-verify", "Commands that check it", fix.verify if _is_code(fix.verify) else ""),
        undo_ways=(
            *_code(f"{name}-undo", "Commands that undo it", fix.undo if _is_code(fix.undo) else ""),
            *_code(f"{name}-undo-graph", "Undo it with Microsoft Graph", requests(fix.undo_graph)),
        ),
    )


def address(text: str, name: str) -> Address | None:
    """The address as the page shows it; none where there is none."""
    return Address(name, text, clickable(text)) if text else None


def addresses(links: Sequence[tuple[str, str]], name: str) -> tuple[Address, ...]:
    """The addresses of links with their labels; a link that is empty is none."""
    made = [(label, address(link, name if n == 1 else f"{name}-{n}")) for n, (label, link) in enumerate(links, start=1)]
    return tuple(each._replace(label=label) for label, each in made if each)


def ways(fix: Fix, name: str) -> tuple[Way, ...]:
    """Every way that is lines to copy."""
    return (
        *_code(f"{name}-powershell", "PowerShell", fix.steps.powershell),
        *_code(f"{name}-az", "Azure CLI", fix.steps.az),
        *_code(f"{name}-graph", "Microsoft Graph", requests(fix.steps.graph)),
    )


def requests(several: Sequence[GraphRequest]) -> str:
    """Requests in the order in which they are to be sent, each with its body."""
    return "\n\n".join(map(_request, several))


def _request(request: GraphRequest) -> str:
    line = f"{request.method} {request.url}"
    if request.body is None:
        return line
    return f"{line}\n{msgspec.json.format(encoded(request.body), indent=2).decode()}"


def _is_code(text: str) -> bool:
    return "\n" in text.strip()


def _code(name: str, label: str, text: str) -> tuple[Way, ...]:
    return (Way(name, label, text.strip("\r\n")),) if text.strip() else ()
