"""The result of a nightly run as text and as JSON. The last line is the answer, because cron mails the end first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from auditor.model.difference import TRANSITION_WORDS, Change, ChangeKind, DifferenceSummary, Transition
from auditor.model.document import ENDS_SOON_DAYS, days_left, first_of, parse_time, series, time_left
from auditor.model.errors import FAILING, NO_AUDIT, OK, UNKNOWN
from auditor.model.history import RunState
from auditor.model.night import FORMAT, VERSION, ListNight, Night, TenantNight
from auditor.model.notification import Delivery, DeliveryState
from auditor.render.customer_lists import list_lines
from auditor.render.labels import result_word

_CHANGES = 10
"""The most changes of a tenant that the text lists. The report and the JSON have all of them."""
_NO_REPORT = -1
_FEW = 3
"""As many tenants have a paragraph each, whether or not something is new."""
_WIDEST_NAME = 32


def json(night: Night) -> bytes:
    """The night as JSON, with all changes."""
    return msgspec.json.format(msgspec.json.encode(night), indent=2) + b"\n"


def schema() -> dict[str, Any]:
    """The JSON Schema of a night. Further keys are allowed."""
    document = msgspec.json.schema(Night)
    properties = document["$defs"][Night.__name__]["properties"]
    properties["format"], properties["version"] = {"const": FORMAT}, {"const": VERSION}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {**head, "title": f"{FORMAT}, version {VERSION}", **document}


def text(night: Night) -> str:
    """The night as text: what changed in each tenant, what went wrong, a line for each tenant, and the answer."""
    missed = _missed_by_all(night.tenants)
    parts = [f"{_missed_text(missed)}\n"] if missed else []
    parts += [*_lists(night), *_details(night.tenants, missed), *_problems(night)]
    parts += [*_table(night.lists, night.tenants), answer_of(night)]
    return "\n".join(parts) + "\n"


def answer_of(night: Night) -> str:
    """One line: how many tenants fail, couldn't be read, are unknown and pass, and the exit code."""
    codes = [_NO_REPORT if _is_unreported(one) else one.exit_code for one in night.tenants]
    counted = [
        (codes.count(FAILING), "fails", "fail"),
        (codes.count(NO_AUDIT), "could not be audited", "could not be audited"),
        (codes.count(_NO_REPORT), "has no report", "have no report"),
        (codes.count(UNKNOWN), "is unknown", "are unknown"),
        (codes.count(OK), "passes", "pass"),
    ]
    said = [f"{number} {one if number == 1 else many}" for number, one, many in counted if number]
    changed = sum(bool(one.changes) for one in night.tenants)
    what = f" Something changed in {changed}." if changed else " Nothing changed." if _has_compared(night) else ""
    lost = sum(one.state is not DeliveryState.SENT for one in night.deliveries)
    more = f" {_count(lost, 'notification')} not delivered." if lost else ""
    more += f" {_count(len(night.problems), 'problem')}, listed above." if night.problems else ""
    unlisted = sum(bool(one.error) for one in night.lists)
    more += f" {_count(unlisted, 'list')} of customers could not be read." if unlisted else ""
    counts = f": {', '.join(said)}" if said else "" if unlisted else ": the configuration lists none"
    return f"{_count(len(codes), 'tenant')}{counts}.{what}{more} Exit code {night.exit_code}."


def _is_unreported(one: TenantNight) -> bool:
    """Whether the tenant was audited and its reports couldn't be written, which has the same exit code as no audit."""
    return one.exit_code == NO_AUDIT and not one.error


def _has_compared(night: Night) -> bool:
    return any(one.difference is not None for one in night.tenants)


def _missed_by_all(tenants: Sequence[TenantNight]) -> tuple[str, ...]:
    """The runs that were missed in the same way for every tenant: the program didn't start."""
    different = {one.missed for one in tenants}
    return next(iter(different)) if len(different) == 1 else ()


def _missed_text(missed: Sequence[str]) -> str:
    return f"{_count(len(missed), 'run')} did not start when due: {_some(missed)}."


def _lists(night: Night) -> Iterator[str]:
    """A paragraph about each list of customers in which something is new."""
    for one in night.lists:
        if one.error or one.new or one.gone or one.notes:
            yield one.name
            yield from (f"  {line}" for line in list_lines(one))
            yield ""


def _details(tenants: Sequence[TenantNight], missed: tuple[str, ...]) -> Iterator[str]:
    """A paragraph about each tenant; of many tenants, only about those where something is new."""
    alike = _failed_alike(tenants)
    for one in tenants:
        if (names := alike.get((one.error, one.advice))) and not one.interrupted:
            if names[0] == one.name:
                yield series(first_of(names, _FEW))
                yield from (f"  {line}" for line in _failure(one))
                yield ""
            continue
        is_new = one.error or one.changes or one.notes or one.interrupted or one.difference is None
        is_new = is_new or _credential_text(one)
        if len(tenants) <= _FEW or is_new:
            yield one.name
            yield from (f"  {line}" for line in _of_tenant(one, missed))
            yield ""


def _failed_alike(tenants: Sequence[TenantNight]) -> dict[tuple[str, str], list[str]]:
    """The names of the tenants that have no audit for the same reason, where these are more than a few."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in tenants:
        if one.error and not one.interrupted:
            found.setdefault((one.error, one.advice), []).append(one.name)
    return {why: names for why, names in found.items() if len(names) > _FEW}


def _failure(one: TenantNight) -> Iterator[str]:
    if one.error:
        yield f"No audit was made: {one.error.rstrip('.')}."
        if one.advice:
            yield f"What to do: {one.advice}"


def _of_tenant(one: TenantNight, missed: tuple[str, ...]) -> Iterator[str]:
    yield from _failure(one)
    if one.answer:
        yield one.answer
    if text := _credential_text(one):
        yield text
    if one.missed and one.missed != missed:
        yield _missed_text(one.missed)
    yield from (f"The run of {start} never ended." for start in one.interrupted)
    if one.difference is not None:
        yield f"Since {one.since}: {summary_text(one.difference, len(one.changes))}."
    yield from (f"- {line}" for line in change_lines(one.changes[:_CHANGES], one.answer))
    if len(one.changes) > _CHANGES:
        yield f"- and {len(one.changes) - _CHANGES} more, listed in the report and with -f json"
    yield from (f"Note: {note}" for note in one.notes)
    yield from _report_lines(one.reports)


def _report_lines(paths: Sequence[str]) -> Iterator[str]:
    """A line for each report; the files of one ending, which are tables of one report, share a line."""
    by_ending: dict[str, list[str]] = {}
    for path in paths:
        by_ending.setdefault(path.rpartition(".")[2], []).append(path)
    for ending, files in by_ending.items():
        if len(files) == 1:
            yield f"Report: {files[0]}"
        else:
            folder = re.match(r".*[\\/]", files[0])
            yield f"Report: {folder[0] if folder else ''}*.{ending} ({len(files)} tables)"


def summary_text(summary: DifferenceSummary, changes: int) -> str:
    """``2 new, 1 fixed, 5 still failing, 3 changes``; ``nothing changed`` without changes."""
    counted = [
        (summary.new, "new"),
        (summary.fixed, "fixed"),
        (summary.unknown, TRANSITION_WORDS[Transition.BECAME_UNKNOWN]),
        (summary.still_failing, "still failing"),
    ]
    said = [f"{number} {what}" for number, what in counted if number]
    return ", ".join([*said, _count(changes, "change") if changes else "nothing changed"])


def change_lines(changes: Sequence[Change], answer: str = "") -> Iterator[str]:
    """What changed and what it means, a line for each change.

    A rule or a setting that follows from a decision doesn't repeat what `answer` or the change of the decision says.
    """
    already = {answer} if answer else set[str]()
    for change in changes:
        means = change.means
        for sentence in sorted(already, key=len, reverse=True):
            means = _without(sentence, means)
        yield _change_text(change, means)
        if change.kind is ChangeKind.DECISION:
            because = change.after.get("because") if isinstance(change.after, dict) else None
            already |= {text for text in (change.means, because) if text}


def _without(sentence: str, means: str) -> str:
    """The text without the sentence; one that is only the end of another sentence stays."""
    if means == sentence:
        return ""
    return means.removeprefix(f"{sentence} ").replace(f". {sentence}", ".")


def _change_text(change: Change, means: str) -> str:
    is_fixed = change.kind is ChangeKind.FINDING and change.transition is Transition.FIXED
    how = "fixed" if is_fixed else TRANSITION_WORDS[change.transition]
    what = change.what if change.what.endswith((".", "!", "?")) else f"{change.what}: {how}."
    return f"{what} {means}".rstrip().replace("\n", " ")


def _problems(night: Night) -> Iterator[str]:
    if night.problems:
        yield "Problems"
        yield from (f"  - {problem}" for problem in night.problems)
        yield ""
    sent = sum(one.state is DeliveryState.SENT for one in night.deliveries)
    if sent:
        yield f"Notifications: {sent} sent{_to(night.deliveries)}."
        yield ""


def _to(deliveries: Sequence[Delivery]) -> str:
    names = dict.fromkeys(one.target for one in deliveries if one.state is DeliveryState.SENT)
    return f" to {', '.join(names)}"


def _table(lists: Sequence[ListNight], tenants: Sequence[TenantNight]) -> Iterator[str]:
    failed = [one.name for one in lists if one.error]
    width = min(max(map(len, (*failed, *(one.name for one in tenants))), default=0), _WIDEST_NAME)
    yield from (f"{name:<{width}}  {NO_AUDIT}  NO LIST" for name in failed)
    for one in tenants:
        changed = ""
        if one.difference is not None:
            changed = f"  {summary_text(one.difference, len(one.changes))}"
        elif one.run is not None and not one.error:
            changed = "  first run"
        word, style = result_word(RunState.FINISHED, one.exit_code)
        state = "NO REPORT" if _is_unreported(one) else word.upper() if style == "bad" else word
        yield f"{one.name:<{width}}  {one.exit_code}  {state:<8}{changed}".rstrip()


def _credential_text(one: TenantNight) -> str:
    """When the audit's own credential ends, if that is soon; empty if it isn't, or isn't known."""
    ends, now = (one.run.credential_expires, parse_time(one.run.started)) if one.run else ("", None)
    days = days_left(ends, now)
    if days is None or days > ENDS_SOON_DAYS:
        return ""
    when = "has ended" if days < 0 else f"ends {time_left(days)}"
    return f"The audit's own credential {when} ({ends[:10]}). Add a new one to the app registration."


def _some(times: Sequence[str]) -> str:
    shown = ", ".join(times[-3:])
    return f"…, {shown}" if len(times) > 3 else shown


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
