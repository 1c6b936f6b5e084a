"""The answer over many tenants as one HTML page, which needs no network and is readable without scripts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from auditor.model.document import count, series
from auditor.model.fleet import (
    AppState,
    AuditState,
    FleetAction,
    FleetApp,
    FleetChange,
    FleetEnding,
    FleetReport,
    FleetSetting,
    FleetTenant,
)
from auditor.render.fleet_words import (
    STATES,
    change_values,
    change_words,
    ending_text,
    fleet_title,
    number_of,
    source_text,
    state_word,
)
from auditor.render.html import content_policy
from auditor.render.html.page_view import PageSection
from auditor.render.html.parts import HOLLOW, TONES, AddressView, address
from auditor.render.html.templates import asset, environment
from auditor.render.labels import NAME_WIDTH, SEVERE, readable_time
from auditor.render.message import parsed_message
from auditor.render.text_layout import clip

_FEW = 60
"""As many tenants are listed open; a longer table is collapsed. As many tenants of a setting are named."""
_MANY = 150
"""Messages on a page with more than these have no link next to them, which they contain, and no e-mail to open."""
_LARGEST = 2_800_000
"""Bytes of a page, which mail and ticket systems still accept. It has the first messages that fit, and says how many
it leaves to the other formats."""
_AROUND = 400
"""Bytes around a message."""


_BY = 3
"""People that a row of changes names."""


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
    """An app in all tenants: the counts as a picture and in words, and the reasons."""

    number: int
    name: str
    client_id: str
    bars: tuple[BarShape, ...]
    counts: tuple[StateCount, ...]
    compared: str
    why: tuple[ReasonRow, ...]


class StateBadge(NamedTuple):
    """The state of an app in a tenant; `app` is empty if the report is about one app only."""

    app: str
    word: str
    tone: str


class TodoRow(NamedTuple):
    """One tenant in which something is to be done: the link, and the message with the address that opens an e-mail.

    `message` is empty if there is none, if the page has no room for it, and if the tenant is in the list of an earlier
    action, whose place is then `elsewhere`.
    """

    id: str
    name: str
    badges: tuple[StateBadge, ...]
    link: AddressView | None
    message: str
    mailto: str
    elsewhere: str


class ActionRow(NamedTuple):
    """One thing to do, and the tenants in which it is to be done."""

    number: int
    what: str
    role: str
    proven: bool
    word: str
    tenants: tuple[TodoRow, ...]


class ChangeRow(NamedTuple):
    """The same change in several tenants; `since` is the first day on which any of them had it."""

    tenants: tuple[TenantRef, ...]
    what: str
    word: str
    tone: str
    means: str
    values: str
    since: str
    by: str


class TenantRow(NamedTuple):
    """A tenant in the table of all tenants, with the place of what is to be done in it."""

    number: int
    ref: TenantRef
    id: str
    tags: tuple[str, ...]
    badges: tuple[StateBadge, ...]
    settings: tuple[str, ...]
    taken: str
    problem: str
    notes: tuple[str, ...]


class NamesOf(NamedTuple):
    """Tenants with an outcome: the word, the names, and how many more there are."""

    word: str
    names: tuple[str, ...]
    more: int


class SettingView(NamedTuple):
    """A setting of benchmarks: in how many tenants it fails, and which."""

    word: str
    tone: str
    label: str
    severity: str
    severe: bool
    says: str
    rules: tuple[str, ...]
    names: tuple[NamesOf, ...]


class MatrixRow(NamedTuple):
    """A tenant, and for each benchmark its counts in words."""

    name: str
    cells: tuple[str, ...]


class OutlierRow(NamedTuple):
    """A setting that nearly all tenants have alike, and the tenants that differ."""

    label: str
    usual: str
    tenants: tuple[tuple[TenantRef, str], ...]


class EndingRow(NamedTuple):
    """Something that ends."""

    what: str
    word: str
    tone: str
    ends: str
    then: str
    tenants: tuple[TenantRef, ...]


class ReasonGroup(NamedTuple):
    """Why tenants have no current audit."""

    reason: str
    advice: str
    tenants: tuple[TenantRef, ...]


class FleetView(NamedTuple):
    """Everything on the page."""

    title: str
    word: str
    tone: str
    answer: str
    facts: tuple[tuple[str, str], ...]
    apps: tuple[AppCard, ...]
    actions: tuple[ActionRow, ...]
    left_out: int
    changes: tuple[ChangeRow, ...]
    since: str
    tenants: tuple[TenantRow, ...]
    settings: tuple[SettingView, ...]
    benchmarks: tuple[str, ...]
    matrix: tuple[MatrixRow, ...]
    outliers: tuple[OutlierRow, ...]
    ending: tuple[EndingRow, ...]
    not_audited: tuple[ReasonGroup, ...]
    notes: tuple[str, ...]
    tool: str
    sections: tuple[PageSection, ...]
    few: int


def render(report: FleetReport) -> str:
    """The page. The same report gives the same text."""
    messages = {one.name: one.todo.message for one in report.tenants if one.todo and one.todo.message}
    if len(messages) > _MANY:
        messages = _fitting(report, messages)
    return _rendered(fleet_view(report, messages))


def _fitting(report: FleetReport, messages: Mapping[str, str]) -> dict[str, str]:
    """The messages that fit into a page, in the order in which it shows them."""
    room = _LARGEST - len(_rendered(fleet_view(report, {})).encode())
    found: dict[str, str] = {}
    for name in (name for action in report.actions for name in action.tenants if name in messages):
        if name not in found:
            room -= len(escape(messages[name]).encode()) + _AROUND
            if room < 0:
                break
            found[name] = messages[name]
    return found


def _rendered(view: FleetView) -> str:
    style = "".join(map(asset, ("style.css", "summary.css", "fleet.css")))
    script = asset("script.js")
    page = environment("html").get_template("fleet.html.j2")
    made: str = page.render(
        view=view,
        policy=content_policy(style, script),
        style=Markup(style),  # noqa: S704  # ships with the program, not from a tenant
        script=Markup(script),  # noqa: S704  # likewise
        for_print=False,
        ink=TONES,
        hollow=HOLLOW,
        states=STATES,
    )
    return made + "\n"


class _Refs:
    """The tenants by name, each with its number on the page."""

    def __init__(self, report: FleetReport) -> None:
        self.by_name: Mapping[str, tuple[int, FleetTenant]] = {
            one.name: (number, one) for number, one in enumerate(report.tenants, start=1)
        }

    def of(self, names: Iterable[str]) -> tuple[TenantRef, ...]:
        """A reference to each tenant: to what is to be done in it, or to its row."""
        return tuple(map(self.one, names))

    def one(self, name: str) -> TenantRef:
        number, tenant = self.by_name.get(name, (0, None))
        place = "" if tenant is None else f"#{'todo' if tenant.todo else 'tenant'}-{number}"
        return TenantRef(clip(name, NAME_WIDTH), place)


def fleet_view(report: FleetReport, messages: Mapping[str, str]) -> FleetView:
    """The report as the page shows it, with these messages of tenants."""
    refs = _Refs(report)
    word, tone = _headline(report)
    made = FleetView(
        title=fleet_title(report),
        word=word,
        tone=tone,
        answer=report.answer,
        facts=tuple(_facts(report)),
        apps=tuple(_app(number, app, report, refs) for number, app in enumerate(report.apps, start=1)),
        actions=tuple(_actions(report, refs, messages)),
        left_out=sum(bool(one.todo and one.todo.message) for one in report.tenants) - len(messages),
        changes=tuple(_changes(report, refs)),
        since=readable_time(report.since) if report.since else "",
        tenants=tuple(_tenant(number, one, report) for number, one in refs.by_name.values()),
        settings=tuple(_setting(one) for one in report.settings if one.failing or one.unknown),
        benchmarks=tuple(one.pack for one in report.benchmarks),
        matrix=tuple(_matrix(report)),
        outliers=tuple(
            OutlierRow(
                label=one.label,
                usual=f"{one.usual} of {one.known}: {one.usual_value}",
                tenants=tuple((refs.one(each.tenant), each.value) for each in one.tenants),
            )
            for one in report.outliers
        ),
        ending=tuple(_ending(one, report, refs) for one in report.ending),
        not_audited=tuple(ReasonGroup(one.reason, one.advice, refs.of(one.tenants)) for one in report.not_audited),
        notes=report.notes,
        tool=report.tool,
        sections=(),
        few=_FEW,
    )
    return made._replace(sections=tuple(_sections(made, report)))


def _headline(report: FleetReport) -> tuple[str, str]:
    tones = {0: "good", 1: "bad", 4: "unsure"}
    needy = sum(_needs_attention(one) for one in report.tenants)
    if not report.tenants:
        return "NO TENANTS", "quiet"
    if not needy:
        return "NOTHING NEEDS ATTENTION", tones.get(report.exit_code, "waived")
    tenants = count(len(report.tenants), "TENANT", "TENANTS")
    return f"{needy} OF {tenants} {'NEEDS' if needy == 1 else 'NEED'} ATTENTION", tones.get(report.exit_code, "waived")


def _needs_attention(tenant: FleetTenant) -> bool:
    return tenant.state is not AuditState.AUDITED or any(one.state is not AppState.CONNECTS for one in tenant.apps)


def _facts(report: FleetReport) -> Iterator[tuple[str, str]]:
    audited = sum(one.state is AuditState.AUDITED for one in report.tenants)
    yield "Tenants", f"{audited} of {len(report.tenants)} with a current audit"
    yield "As of", readable_time(report.at)
    yield "Source", source_text(report)
    compared = max((app.compared for app in report.apps), default=0)
    if compared:
        yield "Compared with", readable_time(report.since) if report.since else "the audit before, in each tenant"
    if report.redacted:
        yield "Names", "replaced by tokens"


# ---- Apps ---------------------------------------------------------------------------------------


def _app(number: int, app: FleetApp, report: FleetReport, refs: _Refs) -> AppCard:
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
                example=one.example,
                tenants=refs.of(one.tenants),
            )
            for one in app.why
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


# ---- What to do ---------------------------------------------------------------------------------


def _actions(report: FleetReport, refs: _Refs, messages: Mapping[str, str]) -> Iterator[ActionRow]:
    seen: dict[str, str] = {}
    for number, action in enumerate(report.actions, start=1):
        yield ActionRow(
            number=number,
            what=action.what,
            role=action.role,
            proven=action.proven,
            word=count(len(action.tenants), "tenant"),
            tenants=tuple(
                _todo(number, action, *refs.by_name[name], report, messages, seen)
                for name in action.tenants
                if name in refs.by_name
            ),
        )


def _todo(
    place: int,
    action: FleetAction,
    number: int,
    tenant: FleetTenant,
    report: FleetReport,
    messages: Mapping[str, str],
    seen: dict[str, str],
) -> TodoRow:
    """A tenant in the list of an action. Its message, which is about all actions, is in the first list that has it."""
    elsewhere = seen.get(tenant.name, "")
    text = "" if elsewhere else messages.get(tenant.name, "")
    is_large = sum(bool(one.todo) for one in report.tenants) > _MANY
    own = f"todo-{number}-{place}" if elsewhere else f"todo-{number}"
    seen.setdefault(tenant.name, f"#{own}")
    parts = [part for part in (tenant.todo.parts if tenant.todo else ()) if part.action == action.key]
    link = "" if is_large else next((part.link for part in parts if part.link), "")
    about = {app for part in parts for app in part.apps}
    return TodoRow(
        id=own,
        name=clip(tenant.name, NAME_WIDTH),
        badges=_badges(tenant, report, about),
        link=address(link, f"link-{own}"),
        message=text,
        mailto="" if is_large or not text else parsed_message(text).mailto,
        elsewhere=elsewhere,
    )


def _badges(tenant: FleetTenant, report: FleetReport, about: Collection[str] = ()) -> tuple[StateBadge, ...]:
    """The states of the tenant's apps, or of those with these keys."""
    names = {app.key: app.name for app in report.apps} if len(report.apps) > 1 else {}
    return tuple(
        StateBadge(
            clip(names.get(one.app, ""), NAME_WIDTH),
            state_word(one.state, likely=one.likely),
            STATES[one.state].style,
        )
        for one in tenant.apps
        if not about or one.app in about
    )


# ---- The other sections -------------------------------------------------------------------------


def _changes(report: FleetReport, refs: _Refs) -> Iterator[ChangeRow]:
    """The changes in the order of the report, with the tenants that have the same one in one row."""
    groups: dict[tuple[str, ...], list[FleetChange]] = {}
    for one in report.changes:
        groups.setdefault((one.kind, one.what, one.before, one.after, one.app, one.means), []).append(one)
    for found in groups.values():
        first = found[0]
        yield ChangeRow(
            tenants=refs.of(one.tenant for one in found),
            what=first.what,
            word=change_words(first),
            tone={True: "bad", False: "good", None: "quiet"}[first.worse],
            means=first.means,
            values=change_values(first),
            since=min((one.since for one in found if one.since), default="")[:10],
            by=series(tuple(dict.fromkeys(one.by for one in found if one.by))[:_BY]),
        )


def _tenant(number: int, tenant: FleetTenant, report: FleetReport) -> TenantRow:
    taken = readable_time(tenant.taken).removesuffix(" UTC") if tenant.taken else ""
    is_old = tenant.state is not AuditState.AUDITED
    return TenantRow(
        number=number,
        ref=TenantRef(clip(tenant.name, NAME_WIDTH), f"#todo-{number}" if tenant.todo else ""),
        id=tenant.id if tenant.id != tenant.name else "",
        tags=tenant.tags,
        badges=_badges(tenant, report),
        settings=tuple(dict.fromkeys(one.setting for one in tenant.apps if one.setting)),
        taken=f"{taken} (too old)" if taken and is_old else taken or "no audit",
        problem=tenant.problem,
        notes=tenant.notes,
    )


def _setting(one: FleetSetting) -> SettingView:
    judged = sum(map(len, (one.failing, one.unknown, one.waived, one.passing)))
    groups = (("Fails", one.failing), ("Unknown", one.unknown), ("Waived", one.waived), ("Passes", one.passing))
    counted = [f"{len(names)} {word.lower()}" for word, names in groups[1:] if names]
    return SettingView(
        word=f"{len(one.failing)} of {judged}",
        tone="bad" if one.failing else "unsure",
        label=one.label,
        severity=one.severity.value if one.severity else "",
        severe=one.severity in SEVERE,
        says=", ".join(counted),
        rules=one.rules,
        names=tuple(NamesOf(word, names[:_FEW], max(0, len(names) - _FEW)) for word, names in groups if names),
    )


def _matrix(report: FleetReport) -> Iterator[MatrixRow]:
    found = [{one.tenant: one for one in pack.tenants} for pack in report.benchmarks]
    if not found:
        return
    for tenant in report.tenants:
        cells = [
            _counted(one[tenant.name].failed, one[tenant.name].unknown, one[tenant.name].failed_before)
            if tenant.name in one
            else ""
            for one in found
        ]
        if any(cells):
            yield MatrixRow(clip(tenant.name, NAME_WIDTH), tuple(cells))


def _counted(failed: int, unknown: int, before: int | None) -> str:
    """``12 fail (was 11), 2 unknown``."""
    was = f" (was {before})" if before is not None and before != failed else ""
    return f"{failed or 'none'} {'fails' if failed < 2 else 'fail'}{was}{f', {unknown} unknown' if unknown else ''}"


def _ending(one: FleetEnding, report: FleetReport, refs: _Refs) -> EndingRow:
    word, tone = ending_text(one)
    # Everything of the whole fleet is said in one word instead of a thousand names.
    tenants = () if len(one.tenants) == len(report.tenants) > 1 else refs.of(one.tenants)
    return EndingRow(one.what, word, tone, one.ends[:10], one.then, tenants)


def _sections(view: FleetView, report: FleetReport) -> Iterator[PageSection]:
    """The table of contents."""
    parts: Sequence[tuple[str, str, int]] = (
        ("apps", "Apps", len(view.apps)),
        ("todo", "What to do", len(view.actions)),
        ("changes", "What changed", len(report.changes)),
        ("ending", "Ends soon", len(view.ending)),
        ("not-audited", "Not audited", sum(len(one.tenants) for one in view.not_audited)),
        ("tenants", "Tenants", len(view.tenants)),
        ("benchmarks", "Benchmarks", len(view.settings)),
        ("outliers", "Outliers", len(view.outliers)),
    )
    compared = any(app.compared for app in report.apps)
    for name, title, number in parts:
        if number or (name == "changes" and compared) or (name == "benchmarks" and view.benchmarks):
            yield PageSection(name, title, str(number))
