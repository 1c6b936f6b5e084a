"""Runs of a history as a table, as JSON and as CSV, and one run in detail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from auditor.model.decision import Confidence
from auditor.model.difference import Difference
from auditor.model.document import count, sentence
from auditor.model.history import ExportedRun, Run, RunDecision, RunFinding, RunList, RunState
from auditor.model.rule import FindingOutcome
from auditor.render.csv import rows_as_csv
from auditor.render.difference import as_text
from auditor.render.labels import FINDINGS, OUTCOMES, plain_sentence, readable_time, result_word
from auditor.render.text_layout import Palette, TableCell, TableColumn, TextPage

_MOST_FINDINGS = 20
_MOST_TIMES = 3

_CSV = (
    *("id", "tenant", "name", "state", "started", "taken", "finished", "seconds", "exit_code", "passed", "failed"),
    *("unknown", "waived", "not_applicable", "changes", "minor_changes", "decisions", "error"),
)


def json(runs: Sequence[Run]) -> bytes:
    """The runs as a document ``consent-auditor/history``."""
    return msgspec.json.format(msgspec.json.encode(RunList(runs=tuple(runs))), indent=2) + b"\n"


def csv(runs: Sequence[Run]) -> bytes:
    """One row for each run, as UTF-8 for a spreadsheet; no cell can be a formula."""
    return rows_as_csv(_CSV, ([_cell(run, name) for name in _CSV] for run in runs))


def _cell(run: Run, name: str) -> Any:
    if name == "decisions":
        return "; ".join(f"{one.app or one.client_id}: {one.outcome}" for one in run.decisions)
    return getattr(run, name)


def schema_of(kind: type[msgspec.Struct]) -> bytes:
    """The JSON Schema of a list of runs or of one line of an export, indented, the same bytes every time."""
    document = msgspec.json.schema(kind)
    for one in document["$defs"].values():
        if "properties" in one and "format" in one["properties"]:
            for name in ("format", "version"):
                one["properties"][name] = {"const": one["properties"][name]["default"]}
                one.setdefault("required", []).append(name)
    title = next(field.default for field in msgspec.structs.fields(kind) if field.name == "format")
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"https://consent-auditor.invalid/schemas/{str(title).partition('/')[2]}-1.json",
        "title": f"{title}, version 1",
        **document,
    }
    return msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2) + b"\n"


def schema() -> bytes:
    """The JSON Schema of a list of runs."""
    return schema_of(RunList)


def export_schema() -> bytes:
    """The JSON Schema of one line of an export."""
    return schema_of(ExportedRun)


def table(runs: Sequence[Run], missing: Mapping[str, Sequence[str]], *, width: int, colour: bool) -> str:
    """The runs as a table, the latest first, and below it what didn't run."""
    page = TextPage(width, Palette(colour))
    several = len({(run.tenant, run.name) for run in runs}) > 1
    heads = [TableColumn("Run", 3, align="right"), TableColumn("Started", 16)]
    if several:
        heads.append(TableColumn("Tenant", 8, wish=12))
    heads += [
        TableColumn("Result", 8),
        TableColumn("Answers", 12 if several else 22, wish=22),
        TableColumn("Fail", 4, align="right"),
        TableColumn("Unknown", 7, align="right"),
        TableColumn("Changes", 7, align="right"),
    ]
    page.table(heads, [_row(run, several) for run in runs])
    _gaps(page, missing)
    return str(page)


def _row(run: Run, with_tenant: bool) -> list[TableCell]:
    word, style = result_word(run.state, run.exit_code)
    is_finished = run.state is RunState.FINISHED
    tenant = [TableCell(run.name)] if with_tenant else []
    return [
        TableCell(run.id),
        TableCell(readable_time(run.started).removesuffix(" UTC")),
        *tenant,
        TableCell(word, style),
        TableCell("; ".join(map(_answer, run.decisions)), below=run.error),
        TableCell(str(run.failed) if is_finished else ""),
        TableCell(str(run.unknown) if is_finished else ""),
        TableCell("" if run.changes is None else str(run.changes), style="strong" if run.changes else ""),
    ]


def _answer(decision: RunDecision) -> str:
    word = OUTCOMES[decision.outcome].word
    likely = " (likely)" if decision.confidence is Confidence.LIKELY else ""
    return f"{decision.app or decision.client_id} {word}{likely}"


def _gaps(page: TextPage, missing: Mapping[str, Sequence[str]]) -> None:
    for name, times in missing.items():
        page.blank()
        shown = ", ".join(map(readable_time, times[-_MOST_TIMES:]))
        more = f", and {len(times) - _MOST_TIMES} before" if len(times) > _MOST_TIMES else ""
        page.say(f"{name}: {count(len(times), 'run')} did not start when due: {shown}{more}.", style="bad")


def details(
    run: Run,
    findings: Sequence[RunFinding],
    difference: Difference | None,
    *,
    width: int,
    colour: bool,
    all_findings: bool = False,
) -> str:
    """One run: its facts, its answers, its findings with the time since when they last, and what changed."""
    page = TextPage(width, Palette(colour))
    page.heading(f"Run {run.id} of {run.name}")
    word, style = result_word(run.state, run.exit_code)
    page.field("Result", word if run.exit_code is None else f"{word} (exit code {run.exit_code})", style=style)
    page.field("Error", sentence(run.error))
    page.field("Tenant", run.tenant)
    page.field("Started", readable_time(run.started))
    page.field("Took", "" if run.seconds is None else f"{run.seconds:g} s")
    page.field("Packs", ", ".join(f"{pack.name} {pack.version}" for pack in run.packs))
    page.field("Program", run.tool)
    page.field("Credential", f"ends on {run.credential_expires[:10]}" if run.credential_expires else "")
    if run.state is RunState.FINISHED:
        page.field("Rules", _counts(run))
        page.items("Answers", [f"{_answer(one)}. {plain_sentence(one.because)}" for one in run.decisions])
        page.items("Not read", [_unread(part) for part in run.unread])
        _findings(page, findings, all_findings)
    text = str(page)
    if difference is not None:
        text += f"\n{as_text(difference, width=width, colour=colour).decode()}"
    elif run.state is RunState.FINISHED:
        text += "\nThere was no earlier run to compare with.\n"
    return text


def _counts(run: Run) -> str:
    parts = (
        (run.failed, "failed"),
        (run.unknown, "unknown"),
        (run.waived, "waived"),
        (run.passed, "passed"),
        (run.not_applicable, "not applicable"),
    )
    return ", ".join(f"{number} {word}" for number, word in parts if number)


def _unread(part: Any) -> str:
    why = part.message or part.code or part.status or "no reason recorded"
    return f"{part.section}: {why}"


def _findings(page: TextPage, findings: Sequence[RunFinding], all_findings: bool) -> None:
    shown = [one for one in findings if all_findings or one.outcome in (FindingOutcome.FAIL, FindingOutcome.UNKNOWN)]
    if not shown:
        return
    page.heading("Findings" if all_findings else "Findings that need attention")
    heads = [
        TableColumn("Outcome", 7),
        TableColumn("Severity", 8),
        TableColumn("Since", 10),
        TableColumn("Rule", 12, wish=30),
    ]
    page.table(heads, list(_finding_rows(shown if all_findings else shown[:_MOST_FINDINGS])))
    if not all_findings and len(shown) > _MOST_FINDINGS:
        page.say(f"And {len(shown) - _MOST_FINDINGS} more: add --details.")


def _finding_rows(findings: Sequence[RunFinding]) -> Iterator[list[TableCell]]:
    for one in findings:
        word, style = FINDINGS[one.outcome]
        yield [
            TableCell(word, style),
            TableCell(one.severity.value),
            TableCell(readable_time(one.since)[:10]),
            TableCell(f"{one.rule}: {one.title}", below=one.pack),
        ]
