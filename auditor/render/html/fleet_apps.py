"""The apps of a report on many tenants as cards: the counts as a bar and in words, and what decides where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from auditor.model.document import count, sentence, series
from auditor.model.fleet import AppState, FleetApp, FleetReport
from auditor.render.fleet_words import STATES, number_of, state_word
from auditor.render.labels import NAME_WIDTH
from auditor.render.text_layout import clip


class TenantRef(NamedTuple):
    """A tenant, and where the page says more about it."""

    name: str
    href: str


class BarSegment(NamedTuple):
    """A part of a bar, in pixels of its drawing."""

    state: str
    x: int
    width: int


class BarShape(NamedTuple):
    """A bar in one width: ``wide`` or ``narrow``."""

    shape: str
    width: int
    segments: tuple[BarSegment, ...]


class StateCount(NamedTuple):
    """How many tenants have a state, in words; `before` says how many had it earlier, if that differs."""

    state: str
    number: int
    words: str
    before: str


class ReasonRow(NamedTuple):
    """What decides in some tenants."""

    share: str
    setting: str
    state: str
    tone: str
    example: str
    tenants: tuple[TenantRef, ...]


class AppCard(NamedTuple):
    """An app in all tenants: the counts as a picture and in words, and the reasons, that of most tenants first."""

    number: int
    name: str
    client_id: str
    bars: tuple[BarShape, ...]
    counts: tuple[StateCount, ...]
    compared: str
    why: tuple[ReasonRow, ...]


def app_cards(report: FleetReport, ref: Callable[[str], TenantRef]) -> tuple[AppCard, ...]:
    """A card for each app. `ref` is how the page shows the tenant of a name."""
    return tuple(_app(number, app, report, ref) for number, app in enumerate(report.apps, start=1))


def _app(number: int, app: FleetApp, report: FleetReport, ref: Callable[[str], TenantRef]) -> AppCard:
    return AppCard(
        number=number,
        name=clip(app.name, NAME_WIDTH),
        client_id=app.client_id,
        bars=tuple(_bar(shape, width, app) for shape, width in (("wide", 720), ("narrow", 340))),
        counts=tuple(_counts(app)),
        compared=_compared(app, report),
        why=tuple(
            ReasonRow(
                share=f"{len(one.tenants)} of {one.of}",
                setting=f"{one.setting[:1].upper()}{one.setting[1:]}",
                state=state_word(one.state),
                tone=STATES[one.state].style,
                example=sentence(one.example),
                tenants=tuple(map(ref, one.tenants)),
            )
            for one in sorted(app.why, key=lambda one: -len(one.tenants))
        ),
    )


def _bar(shape: str, width: int, app: FleetApp) -> BarShape:
    """The counts as parts of a bar. Each state that some tenant has is visible, so that the bar can be a bit longer."""
    x, parts = 0, []
    for state in STATES:
        number = number_of(app, state)
        if number:
            room = max(8, number * width // max(app.tenants, 1))
            parts.append(BarSegment(state.value, x, room - 2))
            x += room
    return BarShape(shape, max(x, 1), tuple(parts))


def _counts(app: FleetApp) -> Iterator[StateCount]:
    for state, label in STATES.items():
        number = number_of(app, state)
        before = number_of(app.before, state) if app.before and app.compared == app.tenants else number
        always = state in (AppState.CONNECTS, AppState.NEEDS_ADMIN, AppState.BLOCKED, AppState.UNKNOWN)
        if number or before or always:
            words = label.one if number == 1 else label.many
            yield StateCount(state.value, number, words, f"was {before}" if before != number else "")


def _compared(app: FleetApp, report: FleetReport) -> str:
    """In how many of the tenants with an earlier audit the answer changed, and how."""
    if not app.compared:
        return ""
    pairs = [(one.before, one.state) for tenant in report.tenants for one in tenant.apps if one.app == app.key]
    moved = [(before, now) for before, now in pairs if before is not None and before is not now]
    said = (
        _moved(sum(now is AppState.CONNECTS for _, now in moved), "now connects", "now connect"),
        _moved(
            sum(before is AppState.CONNECTS and now.is_known for before, now in moved),
            "no longer connects",
            "no longer connect",
        ),
        _moved(sum(not now.is_known for _, now in moved), "is no longer known", "are no longer known"),
    )
    others = f"{count(len(moved), 'answer')} changed" if moved else "nothing changed"
    changed = series([text for text in said if text]) or others
    return f"Of {count(app.compared, 'tenant')} with an earlier audit: {changed}."


def _moved(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""
