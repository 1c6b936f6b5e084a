"""The tables of a report on many tenants as plain values, and as an Excel workbook."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator

from auditor.model.document import parse_time
from auditor.model.fleet import AppState, AuditState, FleetReport, FleetTenant
from auditor.render.fleet_words import AUDITS, ENDINGS, STATES, change_words, fleet_title, number_of, source_text
from auditor.render.labels import flat
from auditor.render.sheets import Sheet, SheetColumn, SheetRow, SheetValue
from auditor.render.text_layout import safe

_LARGE = 10_000
"""With more rows than these, the workbook is written by way of temporary files."""


def workbook(report: FleetReport) -> bytes:
    """An Excel workbook with the tables that have rows, and first the answer. The same report gives the same bytes.

    Raises OSError. Needs xlsxwriter: see `auditor.render.must_be_available`.
    """
    from auditor.render.xlsx import Properties, write_sheets

    tables = sheets(report)
    out = io.BytesIO()
    about = Properties(fleet_title(report), report.tool, report.at)
    write_sheets(tables, about, out, is_large=sum(len(one.rows) for one in tables) > _LARGE)
    return out.getvalue()


def sheets(report: FleetReport) -> tuple[Sheet, ...]:
    """Every table of the report, whether or not it has rows. Every value is safe to print."""
    return (
        Sheet("Answer", "answer", (SheetColumn("Fact", 18), SheetColumn("Value", 90)), _safe(_facts(report))),
        Sheet("Apps", "apps", _APPS, _safe(_apps(report))),
        Sheet("Why", "why", _WHY, _safe(_why(report))),
        Sheet("To do", "todo", _TODO, _safe(_todo(report))),
        Sheet("Tenants", "tenants", _TENANTS, _safe(_tenants(report))),
        Sheet("Changes", "changes", _CHANGES, _safe(_changes(report))),
        Sheet("Benchmarks", "benchmarks", _BENCHMARKS, _safe(_benchmarks(report))),
        Sheet("Settings", "settings", _SETTINGS, _safe(_settings(report))),
        Sheet("Outliers", "outliers", _OUTLIERS, _safe(_outliers(report))),
        Sheet("Ending", "ending", _ENDING, _safe(_ending(report))),
        Sheet("Not audited", "not-audited", _NOT_AUDITED, _safe(_not_audited(report))),
    )


def _safe(rows: Iterable[SheetRow]) -> Collection[SheetRow]:
    return tuple(tuple(_safe_text(value) if isinstance(value, str) else value for value in row) for row in rows)


def _safe_text(value: str) -> str:
    """Lines of a message are kept, each of them safe."""
    return "\n".join(safe(flat(line)) for line in value.split("\n"))


def _time(text: str) -> SheetValue:
    return parse_time(text) or text


def _state(state: AppState) -> str:
    """The word of the state as a cell shows it, which has a colour in the workbook."""
    return STATES[state].word.lower()


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _facts(report: FleetReport) -> Iterator[SheetRow]:
    audited = sum(one.state is AuditState.AUDITED for one in report.tenants)
    yield "Answer", report.answer
    yield "Tenants", len(report.tenants)
    yield "With a current audit", audited
    yield "As of", _time(report.at)
    if any(app.compared for app in report.apps):
        yield "Compared with", _time(report.since) if report.since else "the audit before, in each tenant"
    yield "Source", source_text(report)
    yield "Tool", report.tool
    for text in report.notes:
        yield "Note", text


_APP = (SheetColumn("App", 24), SheetColumn("Client ID", 38))
_APPS = (
    *_APP,
    SheetColumn("Tenants", 10),
    *(SheetColumn(label.word.capitalize(), 14) for label in STATES.values()),
    *(SheetColumn(f"{label.word.capitalize()} before", 18) for label in STATES.values()),
    SheetColumn("Compared tenants", 18),
)


def _apps(report: FleetReport) -> Iterator[SheetRow]:
    for app in report.apps:
        now = (number_of(app, state) for state in STATES)
        before = (number_of(app.before, state) if app.before else "" for state in STATES)
        yield app.name, app.client_id, app.tenants, *now, *before, app.compared


_WHY = (
    *_APP,
    SheetColumn("State", 14),
    SheetColumn("Tenants", 10),
    SheetColumn("Of", 8),
    SheetColumn("Setting", 60),
    SheetColumn("Example", 60),
    SheetColumn("Names", 60, sets_height=False),
)


def _why(report: FleetReport) -> Iterator[SheetRow]:
    for app in report.apps:
        for one in app.why:
            names = _list(one.tenants)
            state = _state(one.state)
            yield app.name, app.client_id, state, len(one.tenants), one.of, one.setting, one.example, names


_TENANT = (SheetColumn("Tenant", 30), SheetColumn("Tenant ID", 38), SheetColumn("Tags", 18))


def _tenant(one: FleetTenant) -> SheetRow:
    return one.name, one.id, _list(one.tags)


_TODO = (
    *_TENANT,
    SheetColumn("What to do", 60),
    SheetColumn("Role", 36),
    SheetColumn("Tested", 10),
    SheetColumn("Apps", 24),
    SheetColumn("Link", 60, sets_height=False),
    SheetColumn("Subject", 40),
    SheetColumn("Message", 60, sets_height=False),
)


def _todo(report: FleetReport) -> Iterator[SheetRow]:
    """A row for each thing to do in each tenant, the same things in adjacent rows. The message is about all of them."""
    names = {app.key: app.name for app in report.apps}
    tenants = {one.name: one for one in report.tenants}
    for action in report.actions:
        for one in (tenants[name] for name in action.tenants if name in tenants):
            for part in (part for part in (one.todo.parts if one.todo else ()) if part.action == action.key):
                yield (
                    *_tenant(one),
                    part.what,
                    part.role,
                    "yes" if part.proven else "no",
                    _list(names.get(app, app) for app in part.apps),
                    part.link,
                    one.todo.subject if one.todo else "",
                    one.todo.message.rstrip("\n") if one.todo else "",
                )


_TENANTS = (
    *_TENANT,
    *_APP,
    SheetColumn("State", 16),
    SheetColumn("Outcome", 22),
    SheetColumn("Confidence", 11),
    SheetColumn("Setting", 50),
    SheetColumn("Why", 60, sets_height=False),
    SheetColumn("Before", 16),
    SheetColumn("Since", 22),
    SheetColumn("Read", 22),
    SheetColumn("Source", 30),
    SheetColumn("Audit", 18),
    SheetColumn("Exit code", 9),
    SheetColumn("Problem", 60, sets_height=False),
    SheetColumn("Advice", 60, sets_height=False),
    SheetColumn("Notes", 50),
)


def _tenants(report: FleetReport) -> Iterator[SheetRow]:
    """A row for each app of each tenant; one row for a tenant without apps."""
    for one in report.tenants:
        audit = (
            _time(one.taken),
            one.source,
            AUDITS[one.state],
            "" if one.exit_code is None else one.exit_code,
            one.problem,
            one.advice,
            " ".join(one.notes),
        )
        for app in one.apps:
            yield (
                *_tenant(one),
                app.name,
                app.client_id,
                _state(app.state),
                app.outcome.value if app.outcome else "",
                "likely" if app.likely else "certain" if app.outcome else "",
                app.setting,
                app.because,
                _state(app.before) if app.before else "",
                _time(app.since),
                *audit,
            )
        if not one.apps:
            yield *_tenant(one), *("",) * 9, *audit


_CHANGES = (
    SheetColumn("Tenant", 30),
    SheetColumn("Kind", 12),
    SheetColumn("What", 40),
    SheetColumn("Change", 36),
    SheetColumn("Worse", 9),
    SheetColumn("Before", 24),
    SheetColumn("After", 24),
    SheetColumn("Meaning", 60),
    SheetColumn("Since", 22),
    SheetColumn("By", 24),
)


def _changes(report: FleetReport) -> Iterator[SheetRow]:
    for one in report.changes:
        worse = {True: "worse", False: "better", None: ""}[one.worse]
        values = one.before, one.after
        yield (
            one.tenant,
            one.kind.value,
            one.what,
            change_words(one),
            worse,
            *values,
            one.means,
            _time(one.since),
            one.by,
        )


_BENCHMARKS = (
    SheetColumn("Tenant", 30),
    SheetColumn("Pack", 30),
    SheetColumn("Client ID", 38),
    *(SheetColumn(head, 14) for head in ("Fail", "Fail before", "Unknown", "Waived", "Pass", "Not applicable")),
)


def _benchmarks(report: FleetReport) -> Iterator[SheetRow]:
    """A row for each tenant and benchmark. Without a current audit, the numbers are empty: they aren't known."""
    for pack in report.benchmarks:
        for one in pack.tenants:
            before = "" if one.failed_before is None else one.failed_before
            counts = one.failed, before, one.unknown, one.waived, one.passed, one.not_applicable
            yield one.tenant, pack.pack, pack.client_id, *counts
        for name in pack.not_audited:
            yield name, pack.pack, pack.client_id, *("",) * 6


_SETTINGS = (
    SheetColumn("Setting", 44),
    SheetColumn("Severity", 10),
    *(SheetColumn(head, 12) for head in ("Fails in", "Unknown in", "Waived in", "Passes in")),
    SheetColumn("Rules", 50),
    *(SheetColumn(head, 50, sets_height=False) for head in ("Fails for", "Unknown for", "Waived for")),
)


def _settings(report: FleetReport) -> Iterator[SheetRow]:
    for one in report.settings:
        severity = one.severity.value if one.severity else ""
        groups = one.failing, one.unknown, one.waived, one.passing
        yield one.label, severity, *map(len, groups), _list(one.rules), *map(_list, groups[:3])


_OUTLIERS = (
    SheetColumn("Setting", 44),
    SheetColumn("Tenant", 30),
    SheetColumn("Value", 40),
    SheetColumn("Usual value", 40),
    SheetColumn("Usual in", 10),
    SheetColumn("Known in", 10),
)


def _outliers(report: FleetReport) -> Iterator[SheetRow]:
    for one in report.outliers:
        for each in one.tenants:
            yield one.label, each.tenant, each.value, one.usual_value, one.usual, one.known


_ENDING = (
    SheetColumn("Kind", 20),
    SheetColumn("What", 50),
    SheetColumn("Ends", 22),
    SheetColumn("Days", 8),
    SheetColumn("Then", 60),
    SheetColumn("Tenants", 60, sets_height=False),
)


def _ending(report: FleetReport) -> Iterator[SheetRow]:
    for one in report.ending:
        tenants = "all" if len(one.tenants) == len(report.tenants) > 1 else _list(one.tenants)
        yield ENDINGS[one.kind], one.what, _time(one.ends), one.days, one.then, tenants


_NOT_AUDITED = (
    SheetColumn("Tenant", 30),
    SheetColumn("Reason", 70),
    SheetColumn("What to do", 70),
)


def _not_audited(report: FleetReport) -> Iterator[SheetRow]:
    for one in report.not_audited:
        for name in one.tenants:
            yield name, one.reason, one.advice
