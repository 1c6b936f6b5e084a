"""The answer over many tenants as a document: one screen for a terminal, or all of it for Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.model.difference import ChangeKind
from auditor.model.document import (
    Block,
    Cell,
    Document,
    Grid,
    Heading,
    Paragraph,
    Point,
    Points,
    Title,
    Verbatim,
    code,
    count,
    first_of,
    sentence,
    series,
)
from auditor.model.fleet import (
    FleetAction,
    FleetApp,
    FleetBenchmark,
    FleetChange,
    FleetEnding,
    FleetOutcome,
    FleetOutlier,
    FleetReport,
    FleetSetting,
    FleetTenant,
    NotAudited,
    StateCounts,
)
from auditor.model.rule import FindingOutcome
from auditor.render.fleet_words import (
    AUDITS,
    STATES,
    change_values,
    change_words,
    ending_text,
    fleet_title,
    number_of,
    source_text,
    state_word,
)
from auditor.render.labels import FINDINGS, NAME_WIDTH, flat, readable_time
from auditor.render.text_layout import clip, safe

_ROWS = 4
"""Rows of a section that one screen shows; a line counts the others."""
_FEW = 2
"""The same of a section that matters less."""
_NAMED = 2
"""Tenants that one screen names of each point."""
_NAMED_OF_ALL = 20
"""The same where everything is shown: a table has the rest."""
_VALUE = 60
_MEANING = 200


def screen(report: FleetReport, *, whole: bool = False) -> Document:
    """The answer, why, what to send, and the rest as far as it fits one screen; with `whole`, all of it."""
    blocks: list[Block] = [Title(safe(report.answer))]
    blocks += _body(report, whole=whole)
    blocks += [Points(tuple(map(Point, _ends(report, whole=whole))))]
    return tuple(blocks)


def document(report: FleetReport) -> Document:
    """All of it, with the message to each tenant."""
    blocks: list[Block] = [Title(safe(fleet_title(report))), Paragraph(safe(report.answer))]
    blocks += _body(report, whole=True)
    blocks += [Heading("About this report"), Points(tuple(map(Point, _ends(report, whole=True))))]
    return tuple(blocks)


def _body(report: FleetReport, *, whole: bool) -> Iterator[Block]:
    most, few = (None, None) if whole else (_ROWS, _FEW)
    named = _NAMED_OF_ALL if whole else _NAMED
    yield from _apps(report, whole=whole)
    yield from _section("What to send", [_action(one, named) for one in report.actions], most)
    changed = f"Changed since {_since(report)}"
    yield from _section(changed, list(_changes(report, whole=whole)), most)
    yield from _section("Not audited", [_not_audited(one, named) for one in report.not_audited], few)
    yield from _section("Benchmarks", [_benchmark(one) for one in report.benchmarks if whole or not one.client_id], few)
    failing = [one for one in report.settings if one.failing and (whole or _is_of_benchmark(report, one))]
    yield from _section("Settings that fail", [_setting(one, named) for one in failing], most)
    yield from _section("Differs from nearly all others", [_outlier(one) for one in report.outliers], few)
    yield from _section("Ends soon", [_ending(one, report) for one in report.ending], few)
    if whole:
        yield from _tenants(report)
        yield from _messages(report)


def _section(heading: str, points: Sequence[Point], most: int | None) -> Iterator[Block]:
    """The first points below a heading, and how many there are more; nothing without a point."""
    if points:
        yield Heading(heading)
        yield Points(tuple(_first(points, most)))


def _first(points: Sequence[Point], most: int | None) -> list[Point]:
    """The first points, and how many there are more."""
    if most is None or len(points) <= most:
        return list(points)
    return [*points[: most - 1], Point(f"{len(points) - most + 1} more: see --details")]


def _whom(tenants: Sequence[str], named: int) -> str:
    """``contoso``, or ``26 tenants (contoso, fabrikam and 24 more)``."""
    names = _names(tenants, named)
    return names if len(tenants) == 1 else f"{len(tenants)} tenants ({names})"


# ---- Apps -----------------------------------------------------------------------------------------------------------


def _apps(report: FleetReport, *, whole: bool) -> Iterator[Block]:
    several = len(report.apps) > 1
    shown = report.apps if whole else report.apps[:_ROWS]
    for app in shown:
        yield Heading(f"{clip(app.name, NAME_WIDTH)}: {_counts(app)}" if several else "Why")
        # The tenants without an audit have a section below, which says more about them: here, they are only named if
        # there is no other reason. A fleet without an audit must not look like one in which users connect.
        known = [one for one in app.why if whole or not one.key.startswith("not-audited/")] or app.why
        why = sorted(known, key=lambda one: -len(one.tenants))
        most = None if whole else _FEW if several else _ROWS
        points = _first([_reason(one.text, one.tenants, _NAMED_OF_ALL if whole else _NAMED) for one in why], most)
        if app.before and not _same(app, app.before):
            points.append(Point(f"At the audit before, in {count(app.compared, 'tenant')}: {_counts(app.before)}"))
        yield Points(tuple(points or [Point("Users connect, or can accept the permissions themselves.")]))
    if len(report.apps) > len(shown):
        yield Paragraph(f"{len(report.apps) - len(shown)} more apps: see --details")


def _same(app: FleetApp, before: StateCounts) -> bool:
    return all(number_of(app, state) == number_of(before, state) for state in STATES)


def _counts(counts: StateCounts) -> str:
    """``9 connect, 26 need an administrator``."""
    numbers = ((number_of(counts, state), label) for state, label in STATES.items())
    return ", ".join(f"{number} {label.one if number == 1 else label.many}" for number, label in numbers if number)


def _reason(text: str, tenants: Sequence[str], named: int) -> Point:
    return Point(f"{safe(flat(text))} ({_names(tenants, named)})")


def _names(tenants: Iterable[str], most: int = _NAMED) -> str:
    """The first names, and how many there are more."""
    names = [safe(clip(flat(name), NAME_WIDTH)) for name in tenants]
    return series(first_of(names, most))


# ---- What to do -----------------------------------------------------------------------------------------------------


def _action(action: FleetAction, named: int) -> Point:
    who = f"To {_whom(action.tenants, named)}"
    role = f" Role: {action.role.rstrip('.')}." if action.role else ""
    tested = "" if action.proven else " There is no message, because no change was proven to help."
    return Point(f"{who}: {safe(sentence(action.what))}{role}{tested}")


def _messages(report: FleetReport) -> Iterator[Block]:
    """Each tenant's link and message, in the order of the tenants."""
    todo = [one for one in report.tenants if one.todo]
    if todo:
        yield Heading("Messages")
    for one in todo:
        if one.todo and one.todo.message:
            yield Heading(f"To {safe(clip(flat(one.name), NAME_WIDTH))}")
            yield Verbatim("\n".join(safe(line) for line in one.todo.message.rstrip("\n").split("\n")))
        elif one.todo:
            yield Heading(f"To {safe(clip(flat(one.name), NAME_WIDTH))}")
            yield Paragraph(f"There is no message, because no change was proven to help. {safe(one.todo.what)}")


# ---- The rest -------------------------------------------------------------------------------------------------------


def _since(report: FleetReport) -> str:
    return readable_time(report.since) if report.since else "the audit before"


def _matters(change: FleetChange, *, whole: bool) -> bool:
    """One screen leaves out what a rule of a vendor's pack says again, and what is neither better nor worse."""
    return whole or change.kind in (ChangeKind.DECISION, ChangeKind.SETTING, ChangeKind.POLICY) or bool(change.worse)


def _changes(report: FleetReport, *, whole: bool) -> Iterator[Point]:
    """The changes; the same one in several tenants is one point."""
    groups: dict[tuple[str, str, str], list[FleetChange]] = {}
    for one in report.changes:
        if _matters(one, whole=whole):
            groups.setdefault((one.what, change_words(one), _values(one)), []).append(one)
    for (what, words, values), found in groups.items():
        days = sorted({one.since[:10] for one in found if one.since})
        when = f", {days[0]}" if len(days) == 1 else f", {days[0]} to {days[-1]}" if days else ""
        who = {one.by for one in found}
        by = f" by {who.pop()}" if len(who) == 1 and found[0].by else ""
        tenants = _names([one.tenant for one in found], _NAMED_OF_ALL if whole else _NAMED)
        means = f". {sentence(clip(flat(found[0].means), _MEANING))}" if whole and found[0].means else ""
        yield Point(safe(flat(f"{tenants}: {what}: {words}{values}{when}{by}{means}")))


def _values(change: FleetChange) -> str:
    """The values, if they are short enough to read."""
    values = change_values(change)
    return f" ({values})" if values and len(values) <= _VALUE else ""


def _not_audited(one: NotAudited, named: int) -> Point:
    return Point(f"{_whom(one.tenants, named)}: {safe(flat(f'{one.reason} {one.advice}'))}")


def _benchmark(one: FleetBenchmark) -> Point:
    failing = sum(row.failed > 0 for row in one.tenants)
    unknown = len(one.not_audited) + sum(not row.failed and row.unknown > 0 for row in one.tenants)
    of = len(one.tenants) + len(one.not_audited)
    rest = f"; {unknown} {'is' if unknown == 1 else 'are'} unknown" if unknown else ""
    most = one.tenants[0] if one.tenants and one.tenants[0].failed else None
    worst = f"; {most.failed} rules fail in {safe(clip(flat(most.tenant), NAME_WIDTH))}" if most and of > 1 else ""
    return Point(f"{one.pack}: a rule fails in {failing} of {count(of, 'tenant')}{rest}{worst}")


def _is_of_benchmark(report: FleetReport, setting: FleetSetting) -> bool:
    """Whether a rule about no particular app is about the setting."""
    vendors = {one.pack for one in report.benchmarks if one.client_id}
    return any(rule.partition("/")[0] not in vendors for rule in setting.rules)


def _setting(one: FleetSetting, named: int) -> Point:
    known = len(one.failing) + len(one.unknown) + len(one.waived) + len(one.passing)
    rules = count(len(one.rules), "rule")
    severity = f", {one.severity.value}" if one.severity else ""
    unknown = f"; {FINDINGS[FindingOutcome.UNKNOWN][0].lower()} in {len(one.unknown)}" if one.unknown else ""
    names = f": {_names(one.failing, named)}" if len(one.failing) <= named or named > _NAMED else ""
    return Point(f"{len(one.failing)} of {known}: {safe(one.label)} ({rules}{severity}){names}{unknown}")


def _outlier(one: FleetOutlier) -> Point:
    others = "; ".join(f"{clip(flat(each.tenant), NAME_WIDTH)}: {clip(each.value, _VALUE)}" for each in one.tenants[:2])
    more = f"; {len(one.tenants) - 2} more" if len(one.tenants) > 2 else ""
    usual = f"{one.usual} of {one.known} have {clip(one.usual_value, _VALUE)}"
    return Point(safe(f"{one.label}: {usual}. {others}{more}"))


def _ending(one: FleetEnding, report: FleetReport) -> Point:
    when, _ = ending_text(one)
    who = f"all {len(one.tenants)} tenants" if len(one.tenants) == len(report.tenants) > 1 else _names(one.tenants)
    return Point(safe(flat(f"{one.what} ({who}): {one.ends[:10]}, {when}. {one.then}")))


def _tenants(report: FleetReport) -> Iterator[Block]:
    if not report.tenants:
        return
    yield Heading("Tenants")
    rows = tuple(tuple(_row(one, outcome)) for one in report.tenants for outcome in (one.apps or (None,)))
    heads = ("Tenant", "App", "Users", "Why", "Read")
    if len(report.apps) > 1:
        yield Grid(heads, rows, prose=3)
    else:
        yield Grid((heads[0], *heads[2:]), tuple((row[0], *row[2:]) for row in rows), prose=2)


def _row(tenant: FleetTenant, outcome: FleetOutcome | None) -> Iterator[Cell]:
    todo = tenant.todo
    yield Cell(
        safe(clip(flat(tenant.name), NAME_WIDTH)), below=safe(", ".join(filter(None, (tenant.id, *tenant.tags))))
    )
    if outcome is None:
        yield from (Cell(""), Cell(AUDITS[tenant.state]), Cell(safe(flat(tenant.problem))))
    else:
        yield Cell(safe(clip(flat(outcome.name), NAME_WIDTH)))
        yield Cell(state_word(outcome.state, likely=outcome.likely))
        why = tenant.problem or outcome.setting
        do = " ".join(part.what for part in (todo.parts if todo else ()) if outcome.app in part.apps)
        yield Cell(safe(flat(why)), below=safe(flat(f"Do: {do}" if do else "")))
    yield Cell(tenant.taken[:10])


def _ends(report: FleetReport, *, whole: bool) -> Iterator[str]:
    """What to know about the data, and where the links and messages are."""
    for text in report.notes if whole else report.notes[:_FEW]:
        yield safe(flat(text))
    if any(one.todo and one.todo.message for one in report.tenants) and not whole:
        yield f"The link and a ready message for each tenant: add {code('-o fleet.html')} or {code('-o fleet.xlsx')}."
    audits = f"{sum(one.problem == '' for one in report.tenants)} of {count(len(report.tenants), 'tenant')} audited"
    yield f"{audits}; {safe(source_text(report))}."
