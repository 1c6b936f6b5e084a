"""Which customers have consented, as a document for people: the answer, a table, what prevents an answer, messages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from auditor.model.document import (
    Block,
    Cell,
    Document,
    Grid,
    Heading,
    Links,
    Paragraph,
    Point,
    Points,
    Title,
    code,
    count,
    first_of,
    sentence,
    series,
)
from auditor.model.errors import FAILING, OK
from auditor.model.onboarding import (
    ConsentStatus,
    CustomerConsent,
    Onboarding,
    OnboardingProblem,
    ProblemKind,
    ReadyMessage,
)
from auditor.render.consent_message import ITEM
from auditor.render.labels import NAME_WIDTH, flat, readable_time
from auditor.render.text_layout import clip

STATUS_WORDS = {
    ConsentStatus.LOST: "lost",
    ConsentStatus.PARTLY: "only partly",
    ConsentStatus.DISABLED: "turned off",
    ConsentStatus.NO_TENANT: "no such tenant",
    ConsentStatus.NOT_YET: "not yet",
    ConsentStatus.UNKNOWN: "not known",
    ConsentStatus.CONSENTED: "consented",
}
MESSAGES_ON_SCREEN = 2
"""The most messages that a screen of text shows without being asked."""
_NAMES = 8
"""The most names of customers in a sentence."""


def tone(found: Onboarding) -> str:
    """The tone of the answer."""
    return {OK: "good", FAILING: "bad"}.get(found.exit_code, "unsure")


def screen(found: Onboarding, *, whole: bool) -> Document:
    """For a terminal: the customers that need something; with `whole`, all of them and every message."""
    explained = {name for one in found.problems for name in one.customers}
    todo = [one for one in found.customers if one.status is not ConsentStatus.CONSENTED and one.name not in explained]
    blocks: list[Block] = [*_head(found), *_problems(found)]
    if shown := found.customers if whole else todo:
        rows = tuple(tuple(map(Cell, (_name(one), STATUS_WORDS[one.status], _short(one)))) for one in shown)
        blocks += [Heading("Customers"), Grid(("Customer", "Consent", "Details"), rows, 2)]
    if not whole and found.summary.consented and todo:
        names = [_name(one) for one in found.customers if one.status is ConsentStatus.CONSENTED]
        blocks.append(Paragraph(f"Consented: {_some(names)}."))
    ready = [one for one in found.customers if one.message and (whole or one.status is not ConsentStatus.UNKNOWN)]
    if whole or len(ready) <= MESSAGES_ON_SCREEN:
        for one in ready:
            blocks += _message(one)
    else:
        number = count(len(ready), "message is", "messages are")
        where = "add --details, one customer with --tenant NAME, or -o onboarding.html (or .csv, .md, .json)"
        blocks.append(Paragraph(f"{number} ready to send, each with its link: {where}."))
    return (*blocks, *_notes(found))


def document(found: Onboarding) -> Document:
    """All of it, for Markdown and HTML."""
    blocks: list[Block] = [*_head(found), *_problems(found)]
    todo = [one for one in found.customers if one.status is not ConsentStatus.CONSENTED]
    done = [one for one in found.customers if one.status is ConsentStatus.CONSENTED]
    if todo:
        blocks += [Heading("Who needs something"), _table(todo)]
    if done:
        rows = tuple((Cell(_name(one)), Cell(one.tenant), Cell(" ".join(one.tags))) for one in done)
        blocks += [Heading("Who has consented"), Grid(("Customer", "Tenant", "Tags"), rows, 0)]
    if found.permissions:
        blocks += [Heading("What the app asks for"), *_permissions(found)]
    if messages := [one for one in todo if one.message]:
        blocks += [Heading("Messages"), Points(tuple(map(_point, messages)))]
    return (*blocks, *_notes(found))


def answer_of(found: Onboarding) -> Onboarding:
    """The document with the answer in a sentence."""
    return msgspec.structs.replace(found, answer=_answer(found))


def _answer(found: Onboarding) -> str:
    made = found.summary
    if not made.customers:
        advice = "" if found.problems else " Add the tenants of your customers to it, or a list of them."
        return f"There is no customer to ask: the configuration lists no live tenant.{advice}"
    if made.customers == 1:
        (one,) = found.customers
        says = "" if one.status is ConsentStatus.UNKNOWN else f" {one.says}"
        return f"{_name(one)}: {STATUS_WORDS[one.status]}.{says}"
    if made.consented == made.customers:
        return f"All {made.customers} customers have consented."
    if made.unknown == made.customers:
        return f"Not known: none of {made.customers} customers could be asked."
    open_counts = (
        (made.lost, "lost it since"),
        (made.partly, "only partly"),
        (made.disabled, "turned it off"),
        (made.no_such_tenant, "no such tenant"),
        (made.not_yet, "not yet"),
    )
    parts = [f"{number} {words}" for number, words in open_counts if number]
    text = f"{made.consented} of {made.customers - made.unknown}"
    text += " customers that could be asked have consented" if made.unknown else " customers have consented"
    text += f"; {', '.join(parts)}." if parts else "."
    return f"{text} {made.unknown} of {made.customers} could not be asked." if made.unknown else text


def _head(found: Onboarding) -> Iterator[Block]:
    yield Title(f"Consent of your customers to {clip(flat(found.app_name), NAME_WIDTH)}")
    yield Paragraph(found.answer)
    if found.taken:
        without = count(found.summary.not_asked, "snapshot needs", "snapshots need")
        rest = f" {without} no consent." if found.summary.not_asked else ""
        yield Paragraph(f"Asked {readable_time(found.taken)}.{rest}")


def _name(one: CustomerConsent) -> str:
    return clip(flat(one.name), NAME_WIDTH)


def _some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    return series(first_of(names, _NAMES))


def _short(one: CustomerConsent) -> str:
    """What a row of the table says next to the status."""
    match one.status:
        case ConsentStatus.CONSENTED:
            return ""
        case ConsentStatus.PARTLY:
            return f"Missing: {', '.join(one.missing)}"
        case ConsentStatus.LOST:
            return f"Last seen {readable_time(one.consented)[:10]}"
        case ConsentStatus.UNKNOWN:
            return one.reason
        case ConsentStatus.NO_TENANT:
            return f"{one.code}: correct the ID or domain, or remove the tenant"
        case ConsentStatus.DISABLED | ConsentStatus.NOT_YET:
            return one.code


def _problems(found: Onboarding) -> Iterator[Block]:
    if found.problems:
        yield Heading("What prevents an answer")
        yield Points(tuple(map(_problem, found.problems)))


def _problem(one: OnboardingProblem) -> Point:
    match one.kind:
        case ProblemKind.OWN:
            whose = "Your own app or credential"
        case ProblemKind.LIST:
            whose = "A list of customers"
        case ProblemKind.TENANT:
            whose = count(len(one.customers), "customer")
    below = [Point(f"What to do: {one.advice}")] if one.advice else []
    if one.customers:
        below.append(Point(f"Customers: {_some(one.customers)}"))
    return Point(f"{whose}: {sentence(one.text)}", tuple(below))


def _table(customers: Sequence[CustomerConsent]) -> Grid:
    rows = []
    for one in customers:
        send = Cell("E-mail", link=one.message.mailto) if one.message and one.message.mailto else Cell("")
        link = Cell("Link", link=one.link) if one.link and one.status in _ASKED else Cell("")
        rows.append((Cell(_name(one), below=one.tenant), Cell(STATUS_WORDS[one.status]), Cell(one.says), link, send))
    return Grid(("Customer", "Consent", "What that means", "Consent link", "Message"), tuple(rows), 2)


_ASKED = (ConsentStatus.LOST, ConsentStatus.PARTLY, ConsentStatus.NOT_YET, ConsentStatus.UNKNOWN)


def _permissions(found: Onboarding) -> Iterator[Block]:
    yield Paragraph("Application permissions of Microsoft Graph, each the least one for what the packs read:")
    rows = tuple((Cell(code(one.name)), Cell(one.reads)) for one in found.permissions)
    yield Grid(("Permission", "Reads"), rows, 1)


def _message(one: CustomerConsent) -> Iterator[Block]:
    """A message below its own heading, to copy from a terminal."""
    assert one.message is not None, "only a customer with a message"
    yield Heading(f"Message to {_name(one)}")
    yield Paragraph(f"Subject: {one.message.subject}")
    for part in map(_lines, _parts(one.message)):
        yield Paragraph(part.text)
        if part.links:
            yield Links(part.links)
        if part.items:
            yield Points(tuple(map(Point, part.items)))
        if part.rest:
            yield Paragraph(part.rest)


def _point(one: CustomerConsent) -> Point:
    """A message as an item of a list of messages."""
    assert one.message is not None, "only a customer with a message"
    below = []
    for part in map(_lines, _parts(one.message)):
        below.append(Point(part.text, tuple(map(Point, (*map(code, part.links), *part.items)))))
        if part.rest:
            below.append(Point(part.rest))
    return Point(f"To {_name(one)}. Subject: {one.message.subject}", tuple(below))


class _Lines(NamedTuple):
    """A paragraph of a message: its first line, its links, its list, and what follows the list."""

    text: str
    links: tuple[str, ...]
    items: tuple[str, ...]
    rest: str


def _parts(message: ReadyMessage) -> list[str]:
    return message.text.rstrip("\n").split("\n\n")


def _lines(paragraph: str) -> _Lines:
    first, *others = paragraph.split("\n")
    links = tuple(line for line in others if line.startswith("https://"))
    items = tuple(line.removeprefix(ITEM) for line in others if line.startswith(ITEM))
    rest = " ".join(line for line in others if not line.startswith(("https://", ITEM)))
    return _Lines(first, links, items, rest)


def _notes(found: Onboarding) -> Iterator[Block]:
    if found.notes:
        yield Heading("Also note")
        yield Points(tuple(map(Point, found.notes)))
