"""The answer over many tenants as one HTML page, which needs no network and is readable without scripts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from auditor.model.document import count, series
from auditor.model.fleet import (
    AuditState,
    FleetAction,
    FleetChange,
    FleetEnding,
    FleetReport,
    FleetTenant,
)
from auditor.render.fleet_words import (
    STATES,
    change_values,
    change_words,
    ending_text,
    fleet_title,
    source_text,
    state_word,
)
from auditor.render.html import content_policy
from auditor.render.html.fleet_apps import AppCard, TenantRef, app_cards
from auditor.render.html.fleet_benchmarks import (
    MatrixRow,
    OutlierRow,
    SettingView,
    matrix_rows,
    outlier_rows,
    setting_views,
)
from auditor.render.html.page_view import PageSection
from auditor.render.html.parts import HOLLOW, TONES, AddressView, address
from auditor.render.html.templates import asset, environment
from auditor.render.labels import NAME_WIDTH, readable_time
from auditor.render.message import parsed_message
from auditor.render.text_layout import clip

_FEW = 60
"""A table with more tenants than these is collapsed."""
_MANY = 150
"""With more tenants than these in which something is to be done, a message has no link next to it, which it contains,
no e-mail to open, and no state, which the table of all tenants has."""
_LARGEST = 2_940_000
"""Bytes of a page, which mail and ticket systems still accept. It has the first messages that fit, and says how many
it leaves to the other formats."""
_AROUND = 400
"""Bytes around a message."""


_OTHERS = 5
"""As many tenants may not share something that all others share."""
_BY = 3
"""People that a row of changes names."""


class StateBadge(NamedTuple):
    """The state of an app in a tenant; `app` is empty if the report is about one app only."""

    app: str
    word: str
    tone: str


class TodoRow(NamedTuple):
    """One tenant in which something is to be done: the link, and the message with the address that opens an e-mail.

    `message` is empty if there is none, and if the page would be too large with it. It's also empty if the tenant is in
    the list of an earlier action, whose place is then `elsewhere`.
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


class SharedChangeRow(NamedTuple):
    """The same change in several tenants; `since` is the first day on which any of them had it."""

    tenants: tuple[TenantRef, ...]
    what: str
    word: str
    tone: str
    means: str
    values: str
    since: str
    by: str


class ReportTenantRow(NamedTuple):
    """A tenant in the table of all tenants, with the place of what is to be done in it."""

    number: int
    ref: TenantRef
    id: str
    tags: tuple[str, ...]
    badges: tuple[StateBadge, ...]
    settings: tuple[str, ...]
    taken: str
    problem: str
    source: str
    notes: tuple[str, ...]


class EndingRow(NamedTuple):
    """Something that ends: for these tenants, or if it `is_shared`, for all but these."""

    what: str
    word: str
    tone: str
    ends: str
    then: str
    is_shared: bool
    tenants: tuple[TenantRef, ...]


class NotCurrentGroup(NamedTuple):
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
    changes: tuple[SharedChangeRow, ...]
    since: str
    tenants: tuple[ReportTenantRow, ...]
    settings: tuple[SettingView, ...]
    benchmarks: tuple[str, ...]
    matrix: tuple[MatrixRow, ...]
    outliers: tuple[OutlierRow, ...]
    ending: tuple[EndingRow, ...]
    not_audited: tuple[NotCurrentGroup, ...]
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
            room -= len(escape(messages[name]).encode(errors="replace")) + _AROUND
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


class _Tenants:
    """The tenants by name, each with its number on the page."""

    def __init__(self, report: FleetReport) -> None:
        self.by_name: Mapping[str, tuple[int, FleetTenant]] = {
            one.name: (number, one) for number, one in enumerate(report.tenants, start=1)
        }

    def ref(self, name: str) -> TenantRef:
        """The tenant of this name, and where the page says what is to be done in it, or else its row."""
        number, tenant = self.by_name.get(name, (0, None))
        href = "" if tenant is None else f"#{'todo' if tenant.todo else 'tenant'}-{number}"
        return TenantRef(clip(name, NAME_WIDTH), href)

    def refs(self, names: Iterable[str]) -> tuple[TenantRef, ...]:
        """The tenants of these names."""
        return tuple(map(self.ref, names))


def fleet_view(report: FleetReport, messages: Mapping[str, str]) -> FleetView:
    """The report as the page shows it, with these messages of tenants."""
    tenants = _Tenants(report)
    word, tone = _headline(report)
    made = FleetView(
        title=fleet_title(report),
        word=word,
        tone=tone,
        answer=report.answer,
        facts=tuple(_facts(report)),
        apps=app_cards(report, tenants.ref),
        actions=tuple(_Todo(report, tenants, messages).actions()),
        left_out=sum(bool(one.todo and one.todo.message) for one in report.tenants) - len(messages),
        changes=tuple(_changes(report, tenants)),
        since=readable_time(report.since) if report.since else "",
        tenants=tuple(_tenant(number, one, report) for number, one in tenants.by_name.values()),
        settings=setting_views(report),
        benchmarks=tuple(one.pack for one in report.benchmarks),
        matrix=tuple(matrix_rows(report)),
        outliers=outlier_rows(report, tenants.ref),
        ending=tuple(_ending(one, report, tenants) for one in report.ending),
        not_audited=tuple(
            NotCurrentGroup(one.reason, one.advice, tenants.refs(one.tenants)) for one in report.not_audited
        ),
        notes=report.notes,
        tool=report.tool,
        sections=(),
        few=_FEW,
    )
    return made._replace(sections=tuple(_sections(made, report)))


def _headline(report: FleetReport) -> tuple[str, str]:
    tones = {0: "good", 1: "bad", 4: "unsure"}
    needy = len(_needy(report))
    if not report.tenants:
        return "NO TENANTS", "quiet"
    if not needy:
        return "NOTHING NEEDS ATTENTION", tones.get(report.exit_code, "waived")
    verb = "NEEDS" if needy == 1 else "NEED"
    of = f"{needy} OF {len(report.tenants)} TENANTS " if len(report.tenants) > 1 else ""
    return f"{of}{verb} ATTENTION", tones.get(report.exit_code, "waived")


def _needy(report: FleetReport) -> set[str]:
    """The tenants where users can't connect an app or that isn't known; without apps, those where a rule fails."""
    found = {one.name for one in report.tenants if one.state is not AuditState.AUDITED}
    found |= {name for app in report.apps for why in app.why for name in why.tenants}
    if not report.apps:
        found |= {name for one in report.settings for name in (*one.failing, *one.unknown)}
    return found


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


# ---- What to do ---------------------------------------------------------------------------------


class _Todo:
    """The rows of what to do. The message of a tenant, which is about all actions, is in the first list that has it."""

    def __init__(self, report: FleetReport, tenants: _Tenants, messages: Mapping[str, str]) -> None:
        self._report = report
        self._tenants = tenants
        self._messages = messages
        self._is_large = sum(bool(one.todo) for one in report.tenants) > _MANY
        self._seen: dict[str, str] = {}

    def actions(self) -> Iterator[ActionRow]:
        """Each thing to do, in the order of the report."""
        for number, action in enumerate(self._report.actions, start=1):
            known = (self._tenants.by_name[name] for name in action.tenants if name in self._tenants.by_name)
            yield ActionRow(
                number=number,
                what=action.what,
                role=action.role,
                proven=action.proven,
                word=count(len(action.tenants), "tenant"),
                tenants=tuple(self._row(number, action, *one) for one in known),
            )

    def _row(self, place: int, action: FleetAction, number: int, tenant: FleetTenant) -> TodoRow:
        elsewhere = self._seen.get(tenant.name, "")
        own = f"todo-{number}-{place}" if elsewhere else f"todo-{number}"
        self._seen.setdefault(tenant.name, f"#{own}")
        text = "" if elsewhere else self._messages.get(tenant.name, "")
        parts = [part for part in (tenant.todo.parts if tenant.todo else ()) if part.action == action.key]
        is_in_message = self._is_large and bool(tenant.todo and tenant.todo.message)
        link = "" if is_in_message else next((part.link for part in parts if part.link), "")
        return TodoRow(
            id=own,
            name=clip(tenant.name, NAME_WIDTH),
            badges=() if is_in_message else _badges(tenant, self._report, {app for one in parts for app in one.apps}),
            link=address(link, f"link-{own}"),
            message=text,
            mailto="" if self._is_large or not text else parsed_message(text).mailto,
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


def _changes(report: FleetReport, tenants: _Tenants) -> Iterator[SharedChangeRow]:
    """The changes in the order of the report, with the tenants that have the same one in one row."""
    groups: dict[tuple[str, ...], list[FleetChange]] = {}
    for one in report.changes:
        groups.setdefault((one.kind, one.what, one.before, one.after, one.app, one.means), []).append(one)
    for found in groups.values():
        first = found[0]
        yield SharedChangeRow(
            tenants=tenants.refs(one.tenant for one in found),
            what=first.what,
            word=change_words(first),
            tone={True: "bad", False: "good", None: "quiet"}[first.worse],
            means=first.means,
            values=change_values(first),
            since=min((one.since for one in found if one.since), default="")[:10],
            by=series(tuple(dict.fromkeys(one.by for one in found if one.by))[:_BY]),
        )


def _tenant(number: int, tenant: FleetTenant, report: FleetReport) -> ReportTenantRow:
    taken = readable_time(tenant.taken).removesuffix(" UTC") if tenant.taken else ""
    is_old = tenant.state is not AuditState.AUDITED
    return ReportTenantRow(
        number=number,
        ref=TenantRef(clip(tenant.name, NAME_WIDTH), f"#todo-{number}" if tenant.todo else ""),
        id=tenant.id if tenant.id != tenant.name else "",
        tags=tenant.tags,
        badges=_badges(tenant, report),
        settings=tuple(dict.fromkeys(one.setting for one in tenant.apps if one.setting)),
        taken=f"{taken} (too old)" if taken and is_old else taken or "no audit",
        problem=tenant.problem,
        source=tenant.source,
        notes=tenant.notes,
    )


def _ending(one: FleetEnding, report: FleetReport, tenants: _Tenants) -> EndingRow:
    word, tone = ending_text(one)
    sharing = set(one.tenants)
    others = tuple(tenant.name for tenant in report.tenants if tenant.name not in sharing)
    # What nearly the whole fleet shares names the few others instead of a thousand tenants.
    is_shared = len(report.tenants) > 1 and len(others) <= min(_OTHERS, len(one.tenants) // 4)
    named = others if is_shared else one.tenants
    return EndingRow(one.what, word, tone, one.ends[:10], one.then, is_shared, tenants.refs(named))


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
